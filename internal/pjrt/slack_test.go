//go:build cgo && linux

package pjrt

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSlack: threads of Go have what slack_linux.c sets.
func TestSlack(t *testing.T) {
	for range 8 {
		got := make(chan int)
		go func() {
			runtime.LockOSThread() // so that the next one has another thread
			ns, _, _ := unix.Syscall6(unix.SYS_PRCTL, unix.PR_GET_TIMERSLACK, 0, 0, 0, 0, 0)
			got <- int(ns)
		}()
		if ns := <-got; ns < 500_000 {
			t.Errorf("timers are at most %d ns late, want 500000", ns)
		}
	}
}
