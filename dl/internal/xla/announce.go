package xla

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/notice"
)

// Waiting for the compiler is announced: in a run's status at once, in a cell as
// a notice, when it takes longer than [NoticeAfter].

// NoticeAfter is how long a cell waits for the compiler without a word.
const NoticeAfter = 500 * time.Millisecond

// Watcher is called when a wait for the compiler begins, and returns what to
// call at its end.
type Watcher func(what string) (end func(took time.Duration))

type watcherKey struct{}

// WatchedBy returns a context whose waits for the compiler are announced to w.
func WatchedBy(ctx context.Context, w Watcher) context.Context {
	return context.WithValue(ctx, watcherKey{}, w)
}

// announce announces a wait for the compiler, until end is called.
func announce(ctx context.Context, name string, input []int, on *Device) (end func()) {
	what := "the " + name
	if input != nil {
		what += fmt.Sprintf(" for %v", input)
	}
	what += " on " + on.Label()
	began := time.Now()
	w, ok := ctx.Value(watcherKey{}).(Watcher)
	if !ok {
		w = notices(ctx)
	}
	done := w(what)
	return func() { done(time.Since(began)) }
}

// notices is the watcher of a cell that waits. A notebook has one line for all
// that a cell compiles; a plain program has a sentence at the beginning and one at the end.
func notices(ctx context.Context) Watcher {
	return func(what string) func(time.Duration) {
		if hooks.Get().Notice == nil && !frame.Connected() {
			return func(time.Duration) {}
		}
		l := compiles.of(ctx)
		var mu sync.Mutex // so that the end is not told before the beginning
		said, over := false, false
		timer := time.AfterFunc(NoticeAfter, func() {
			mu.Lock()
			defer mu.Unlock()
			if !over {
				said = true
				l.begin(what)
			}
		})
		return func(took time.Duration) {
			timer.Stop()
			mu.Lock()
			defer mu.Unlock()
			over = true
			if said {
				l.end(what, took, ctx.Err() != nil)
			}
		}
	}
}

// compileLine is the line of all that one cell waits for the compiler to do.
type compileLine struct {
	mu    sync.Mutex
	line  *notice.Line
	count int // programs that are compiled
	took  time.Duration
}

func (l *compileLine) begin(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line.Set("compiling "+what+", once for this shape …", 0, 0)
}

func (l *compileLine) end(what string, took time.Duration, stopped bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	l.took += took
	text := fmt.Sprintf("compiled %s in %v", what, took.Round(100*time.Millisecond))
	switch {
	case stopped:
		text = "the cell was interrupted while it compiled " + what
	case l.count > 1 && frame.Connected():
		text = fmt.Sprintf("compiled %d programs in %v, the last of them %s", l.count, l.took.Round(100*time.Millisecond), what)
	}
	l.line.End(text)
}

// compiles remembers the line of the cell that compiled last. A cell is known by
// what ends when it is interrupted.
var compiles lastLine

type lastLine struct {
	mu   sync.Mutex
	cell <-chan struct{}
	line *compileLine
}

func (c *lastLine) of(ctx context.Context) *compileLine {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.line == nil || c.cell == nil || c.cell != ctx.Done() {
		c.cell, c.line = ctx.Done(), &compileLine{line: notice.New(hooks.Get().Notice)}
	}
	return c.line
}
