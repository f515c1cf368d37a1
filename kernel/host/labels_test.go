package host

import (
	"context"
	"runtime/pprof"
	"testing"
)

// TestLabelled: a goroutine counts as its cell's also while it has labels of its own.
func TestLabelled(t *testing.T) {
	in, out := make(chan struct{}), make(chan struct{})
	defer close(out)
	for cell, more := range map[string]pprof.LabelSet{"71": pprof.Labels(), "72": pprof.Labels("batch", `"cell":"79"`), "73": pprof.Labels("zone", "1")} {
		go pprof.Do(context.Background(), pprof.Labels("cell", cell), func(ctx context.Context) {
			pprof.Do(ctx, more, func(context.Context) {
				in <- struct{}{}
				<-out
			})
		})
	}
	for range 3 {
		<-in
	}
	if got := labelled(); !got["71"] || !got["72"] || !got["73"] || got["79"] {
		t.Errorf("got %v, want 71, 72 and 73", got)
	}
}
