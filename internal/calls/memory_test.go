//go:build cgo && linux

package calls

import (
	"syscall"
	"testing"
)

// TestHoldMemory takes memory again that was given back: the system is asked for it once.
func TestHoldMemory(t *testing.T) {
	HoldMemory()
	const n = 32 << 20
	faults := func() int64 {
		var u syscall.Rusage
		count := func() int64 { syscall.Getrusage(syscall.RUSAGE_SELF, &u); return u.Minflt }
		was := count()
		if err := take(n); err != nil {
			t.Fatal(err)
		}
		return count() - was
	}
	first, second := faults(), faults()
	if first == 0 || second > first/10 {
		t.Errorf("%d pages came from the system at first, and %d when the memory was taken again", first, second)
	}
}
