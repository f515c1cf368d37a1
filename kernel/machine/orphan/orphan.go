// Package orphan ends what Jupyter started and then left behind.
package orphan

import (
	"context"
	"log/slog"
	"os"
	"time"
)

// Watch calls stop when the process named by JPY_PARENT_PID, which is the
// Jupyter server that started this one, is gone without a word, as ipykernel
// does. It returns then, or when ctx ends, and at once where none is named.
func Watch(ctx context.Context, stop func()) {
	if gone := parent(os.Getenv("JPY_PARENT_PID")); gone != nil {
		watch(ctx, time.Second, gone, stop)
	}
}

// watch asks now and then whether the parent is gone.
func watch(ctx context.Context, every time.Duration, gone func() bool, stop func()) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if gone() {
				slog.Info("the Jupyter server is gone")
				stop()
				return
			}
		}
	}
}
