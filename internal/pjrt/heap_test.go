//go:build cgo && linux

package pjrt

import (
	"fmt"
	"os"
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

// TestHoldMemoryCompiling takes memory while a program is compiled: it comes from the system and
// goes back to it.
func TestHoldMemoryCompiling(t *testing.T) {
	HoldMemory()
	const n = 500 << 20 // more than may be free in the heap, of which it would be a part
	taken := func() int64 {
		before := resident(t)
		if err := take(n); err != nil {
			t.Error(err)
		}
		return resident(t) - before
	}
	compiling(func() {
		if now := taken(); now > n/10 {
			t.Errorf("%d bytes more are held while a program is compiled, want none", now)
		}
	})
	if now := taken(); now < n/2 {
		t.Errorf("%d bytes more are held afterwards, want %d", now, n)
	}
}

// resident is how many bytes of memory the process holds.
func resident(t *testing.T) int64 {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var size, pages int64
	if _, err := fmt.Sscan(string(text), &size, &pages); err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
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
