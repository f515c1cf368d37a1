package local

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/cmd/holt/calm"
	"github.com/holt-dl/holt/kernel/build"
)

type warmCmd struct {
	Quiet bool `short:"q" help:"Print nothing but errors."`
}

// Run builds the host program, so that the first cell does not wait for it.
func (c warmCmd) Run(ctx context.Context) error {
	start := time.Now()
	lines := calm.Lines{W: os.Stderr, Now: time.Now, First: calm.Host}
	if c.Quiet {
		lines.W = io.Discard
	}
	w, err := build.Open(ctx, build.Options{Source: holt.Source, Progress: lines.Say})
	if err != nil {
		return err
	}
	defer w.Close()
	if !c.Quiet {
		fmt.Printf("the host program is ready (%.1f s)\n", time.Since(start).Seconds())
	}
	return nil
}
