//go:build cgo && linux

package calls

import (
	"runtime"
	"syscall"
	"testing"
)

// TestHoldMemory takes memory again that was given back, more of it than a heap of one thread has
// room for, in a thread that is not the first: the system is asked for it once.
func TestHoldMemory(t *testing.T) {
	HoldMemory()
	const n = 100 << 20
	faults := func() int64 {
		var u syscall.Rusage
		count := func() int64 { syscall.Getrusage(syscall.RUSAGE_SELF, &u); return u.Minflt }
		was := count()
		if err := take(n); err != nil {
			t.Error(err)
		}
		return count() - was
	}
	var first, second int64
	elsewhere(func() { first, second = faults(), faults() })
	if first == 0 || second > first/10 {
		t.Errorf("%d pages came from the system at first, and %d when the memory was taken again", first, second)
	}
}

// elsewhere runs f in a thread that is not the process's first.
func elsewhere(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and the thread ends with the goroutine
		if syscall.Gettid() == syscall.Getpid() {
			elsewhere(f)
			return
		}
		f()
	}()
	<-done
}
