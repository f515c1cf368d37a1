package build_test

import (
	"context"
	"testing"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/host/proc"
)

// BenchmarkStart is a second start: find Go, open a complete world, start the
// host and wait until it listens.
func BenchmarkStart(b *testing.B) {
	ctx := context.Background()
	opt := build.Options{Source: holt.Source}
	if w, err := build.Open(ctx, opt); err != nil {
		b.Fatal(err)
	} else {
		w.Close()
	}
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			w, err := build.Open(ctx, opt)
			if err != nil {
				b.Fatal(err)
			}
			w.Close()
		}
	})
	b.Run("host", func(b *testing.B) {
		w, err := build.Open(ctx, opt)
		if err != nil {
			b.Fatal(err)
		}
		defer w.Close()
		for b.Loop() {
			p, err := proc.Start(ctx, w.Host(), proc.Options{})
			if err != nil {
				b.Fatal(err)
			}
			p.Kill()
			p.Wait()
		}
	})
}
