package xla

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/holt-dl/holt/internal/hooks"
)

// Context returns the context of the caller; outside of a notebook it is the
// background context.
func Context() context.Context { return hooks.Context() }

// Await runs f and waits for it, or for ctx. What f panics with is returned
// as an error. XLA cannot be interrupted, so f then runs on to its end: it must leave
// everything whole.
func Await(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ctx.Done() == nil {
		var err error
		if e := Guard(func() { err = f() }); e != nil {
			return e
		}
		return err
	}
	done := make(chan error, 1)
	go func() { done <- Shield(f) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Guard runs f and returns the error it panics with. A bug, which is a
// runtime.Error however deeply wrapped, keeps panicking.
func Guard(f func()) (err error) {
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

// Shield runs f in a goroutine of ours, where no panic may escape, because
// it would end the process: every panic becomes an error, with the stack
// where it is a bug.
func Shield(f func() error) (err error) {
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
