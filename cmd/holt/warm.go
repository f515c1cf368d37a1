package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/kernel/build"
)

type warmCmd struct {
	Quiet bool `short:"q" help:"Print nothing but errors."`
}

// Run builds the host program, so that the first cell does not wait for it.
func (c warmCmd) Run(ctx context.Context) error {
	start, last := time.Now(), time.Time{}
	w, err := build.Open(ctx, build.Options{Source: holt.Source, Progress: func(line string) {
		if !c.Quiet && time.Since(last) > 5*time.Second {
			last = time.Now()
			fmt.Fprintln(os.Stderr, line)
		}
	}})
	if err != nil {
		return err
	}
	defer w.Close()
	if !c.Quiet {
		fmt.Printf("the host program is ready (%.1f s)\n", time.Since(start).Seconds())
	}
	return nil
}
