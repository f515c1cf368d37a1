package rt

import "runtime"

// Done returns a channel that is closed when the calling goroutine's cell is
// interrupted; nil, which blocks for ever, where nothing can do that.
func Done() <-chan struct{} {
	if Host.Done == nil {
		return nil
	}
	return Host.Done(getProfLabel())
}

// Interrupted ends the calling goroutine, whose wait [Done] has ended. It has a
// result so that it can be the argument of panic, after which Go requires no return.
func Interrupted() any {
	Check()
	runtime.Goexit()
	return nil
}

// Recv is <-c.
func Recv[T any](c <-chan T) T {
	v, _ := Recv2(c)
	return v
}

// Recv2 is v, ok := <-c.
func Recv2[T any](c <-chan T) (v T, ok bool) {
	select { // without a look at the labels, mostly
	case v, ok = <-c:
		return v, ok
	default:
	}
	select {
	case v, ok = <-c:
		return v, ok
	case <-Done():
		panic(Interrupted())
	}
}

// Range gives the values of c, as for range c does.
func Range[T any](c <-chan T) func(yield func(T) bool) {
	return func(yield func(T) bool) {
		for {
			v, ok := Recv2(c)
			if !ok || !yield(v) {
				return
			}
		}
	}
}

// Sleep is time.Sleep.
func Sleep(ns int64) {
	if ns <= 0 || Host.Pause == nil {
		return
	}
	done := Done()
	Host.Pause(ns, done)
	select {
	case <-done:
		panic(Interrupted())
	default:
	}
}

// Await returns when wait, such as the Wait of a sync.WaitGroup, does.
func Await(wait func()) {
	ended := make(chan any, 1)
	go func() {
		setProfLabel(nil) // an interrupt leaves it behind, and it belongs to no cell
		defer func() { ended <- recover() }()
		wait()
	}()
	select {
	case panicked := <-ended:
		if panicked != nil {
			panic(panicked)
		}
	case <-Done():
		panic(Interrupted())
	}
}

// After returns v after a look at the stop flags. It wraps a call that
// an interrupt makes return: a read of standard input, the wait for a program.
func After[T any](v T) T {
	Check()
	return v
}

// After2 is [After] for a call with two results.
func After2[A, B any](a A, b B) (A, B) {
	Check()
	return a, b
}

// After3 is [After] for a call with three results.
func After3[A, B, C any](a A, b B, c C) (A, B, C) {
	Check()
	return a, b, c
}
