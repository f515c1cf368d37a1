package dl

import (
	"context"
	"sync"
	"time"
)

// Pause makes the run wait after the step that it is at, until [Run.Resume]. It
// returns at once. An evaluation that has begun is not held up. Weights, the
// optimizer's state and the place in the data stay as they are, so that the numbers
// are those of a run that was never paused; a paused run may be looked at, given
// another learning rate, and stopped. After the run's end it does nothing.
func (r *Run) Pause() { r.pause.set(true) }

// Resume lets a paused run go on. For one that is not paused it does nothing.
func (r *Run) Resume() { r.pause.set(false) }

// Paused reports whether the run is to wait: [Run.Pause] was called, and [Run.Resume] was
// not called after it. A run that has ended is not paused.
func (r *Run) Paused() bool {
	select {
	case <-r.done:
		return false
	default:
		return r.pause.waits() != nil
	}
}

// pause is what a run waits for between two steps.
type pause struct {
	mu sync.Mutex
	on chan struct{} // closed when the run may go on; nil when it is not paused
}

func (p *pause) set(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case on && p.on == nil:
		p.on = make(chan struct{})
	case !on && p.on != nil:
		close(p.on)
		p.on = nil
	}
}

// waits returns what is closed when the run may go on; nil when it is not paused.
func (p *pause) waits() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.on
}

// wait waits while the run is paused, and returns for how long.
func (p *pause) wait(ctx context.Context) time.Duration {
	began := time.Now()
	for {
		on := p.waits()
		if on == nil {
			return time.Since(began)
		}
		select {
		case <-on: // and perhaps paused again
		case <-ctx.Done():
			return time.Since(began)
		}
	}
}
