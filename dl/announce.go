package dl

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// A person who waits for the compiler is told so: a run's status has it at
// once; in a cell it is a notice, where it takes longer than noticeAfter.

// noticeAfter is how long a cell waits for the compiler without a word.
const noticeAfter = 500 * time.Millisecond

// watcher is told when a wait for the compiler begins, and returns what to
// call at its end.
type watcher func(what string) (end func(took time.Duration))

type watcherKey struct{}

// watchedBy returns a context whose waits for the compiler w is told of.
func watchedBy(ctx context.Context, w watcher) context.Context {
	return context.WithValue(ctx, watcherKey{}, w)
}

// announce tells of a wait for the compiler, until end is called.
func announce(ctx context.Context, name string, input Shape, on *device) (end func()) {
	what := "the " + name
	if input != nil {
		what += fmt.Sprintf(" for %v", input)
	}
	what += " on " + on.label()
	began := time.Now()
	w, ok := ctx.Value(watcherKey{}).(watcher)
	if !ok {
		w = notices(ctx)
	}
	done := w(what)
	return func() { done(time.Since(began)) }
}

// notices is the watcher that tells Notice.
func notices(ctx context.Context) watcher {
	return func(what string) func(time.Duration) {
		say := Notice
		if say == nil {
			return func(time.Duration) {}
		}
		var mu sync.Mutex // so that the end is not told before the beginning
		said, over := false, false
		timer := time.AfterFunc(noticeAfter, func() {
			mu.Lock()
			defer mu.Unlock()
			if !over {
				said = true
				say("compiling " + what + ", once for this shape …")
			}
		})
		return func(took time.Duration) {
			timer.Stop()
			mu.Lock()
			defer mu.Unlock()
			over = true
			if said && ctx.Err() == nil {
				say(fmt.Sprintf("compiled %s in %v", what, took.Round(100*time.Millisecond)))
			}
		}
	}
}
