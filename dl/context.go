package dl

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

var contextFunc atomic.Pointer[func() context.Context]

// SetContext gives dl the context of whoever is calling: the host of a
// notebook passes a function that returns the running cell's. When it is
// cancelled, [Run.Wait], [Evaluate], [Step.Run] and [Model.Predict] return
// its error, soon and with all values whole. A run that [Start] began goes
// on. Nil takes the function away.
func SetContext(f func() context.Context) {
	if f == nil {
		contextFunc.Store(nil)
		return
	}
	contextFunc.Store(&f)
}

// callerContext returns the context of the cell that calls dl.
func callerContext() context.Context {
	if f := contextFunc.Load(); f != nil {
		if ctx := (*f)(); ctx != nil {
			return ctx
		}
	}
	return context.Background()
}

// await runs f and waits for it, or for ctx. What f panics with is returned
// as an error. XLA cannot be interrupted, so f
// then goes on to its end without us: it must leave everything whole.
func await(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Done() == nil {
		var err error
		if e := guard(func() { err = f() }); e != nil {
			return e
		}
		return err
	}
	done := make(chan error, 1)
	go func() { done <- shield(f) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// guard runs f and returns the error it panics with. A bug, which is a
// runtime.Error however deeply wrapped, keeps panicking.
func guard(f func()) (err error) {
	defer func() {
		r := recover()
		e, ok := r.(error)
		var bug runtime.Error
		if r != nil && (!ok || errors.As(e, &bug)) {
			panic(r)
		}
		err = e
	}()
	f()
	return nil
}

// shield runs f in a goroutine of ours, where no panic may escape, because
// it would end the process: every panic becomes an error, with the stack
// where it is a bug.
func shield(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(error)
			var bug runtime.Error
			if ok && !errors.As(e, &bug) {
				err = e
				return
			}
			err = fmt.Errorf("dl: panic: %v\n%s", r, debug.Stack())
		}
	}()
	return f()
}

// Context returns the context of the cell that is running, for code that
// waits in its behalf, such as a download: an interrupt cancels it. Outside a
// notebook it is the background context.
func Context() context.Context { return callerContext() }
