package dl

import (
	"context"
	"sync"
	"testing"
	"time"
)

// TestPauseIsShared has goroutines hold what another waits for, and let it go on. It needs no
// backend, so that it runs with the race detector, which the pure Go backend does not.
func TestPauseIsShared(t *testing.T) {
	var p pause
	ctx, cancel := context.WithCancel(context.Background())
	var steering, waiting sync.WaitGroup
	for range 4 {
		steering.Go(func() {
			for range 1000 {
				p.set(true)
				p.set(false)
			}
		})
		waiting.Go(func() {
			for ctx.Err() == nil {
				p.wait(ctx)
			}
		})
	}
	steering.Wait()
	if p.waits() != nil {
		t.Error("it is paused, though each goroutine ended with going on")
	}
	p.set(true)
	time.AfterFunc(10*time.Millisecond, cancel)
	waiting.Wait() // a paused run can be stopped
	if p.waits() == nil {
		t.Error("it is no longer paused, though only what waited for it was stopped")
	}
}
