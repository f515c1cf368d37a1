package local

import (
	"context"
	"fmt"
	"io"
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
	start := time.Now()
	lines := calmLines{w: os.Stderr, now: time.Now}
	if c.Quiet {
		lines.w = io.Discard
	}
	w, err := build.Open(ctx, build.Options{Source: holt.Source, Progress: lines.say})
	if err != nil {
		return err
	}
	defer w.Close()
	if !c.Quiet {
		fmt.Printf("the host program is ready (%.1f s)\n", time.Since(start).Seconds())
	}
	return nil
}

// calmEvery is how often a build says how far it is.
const calmEvery = 10 * time.Second

// calmLines writes what a long build does, for a person who watches: at once that it begins, and
// then a line every ten seconds.
type calmLines struct {
	w    io.Writer
	now  func() time.Time
	last time.Time // of the last line; zero before the first
}

func (c *calmLines) say(line string) {
	switch now := c.now(); {
	case c.last.IsZero():
		fmt.Fprintln(c.w, "building the host program: once, about a minute, longer on a busy machine")
		c.last = now
	case now.Sub(c.last) >= calmEvery:
		fmt.Fprintln(c.w, "  "+line)
		c.last = now
	}
}
