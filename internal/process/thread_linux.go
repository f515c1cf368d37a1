package process

import (
	"runtime"
	"syscall"
)

// Background gives the goroutine that calls it a thread of its own, which others go before: where
// they need all processors it has a tenth of one. The thread ends with the goroutine, since only an
// administrator may raise its priority again.
func Background() {
	runtime.LockOSThread()
	// A lower priority still would keep others waiting for what the thread has locked. Linux
	// has a priority for each thread.
	syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), 10)
}
