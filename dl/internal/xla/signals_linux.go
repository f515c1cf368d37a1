package xla

import (
	"runtime"
	"syscall"
	"unsafe"
)

// How to change a thread's mask, by the kernel's asm-generic/signal-defs.h.
const (
	sigBlock   = 0
	sigSetMask = 2
)

// fromOutside are all signals but those that a thread's own instructions raise, and 32 and 33, by
// which glibc's threads talk to each other.
var fromOutside = func() uint64 {
	all := ^uint64(0)
	for _, s := range []syscall.Signal{syscall.SIGSEGV, syscall.SIGBUS, syscall.SIGFPE, syscall.SIGILL, syscall.SIGTRAP,
		syscall.SIGABRT, syscall.SIGSYS, 32, 33} {
		all &^= 1 << (s - 1)
	}
	return all
}()

// withoutSignals runs f, and the threads that C's libraries start meanwhile never get a signal from
// outside, as they have their starter's mask. OneDNN's code for products
// (jit_avx512_common_gemm_f32) has its stack pointer in memory of malloc's, and what a signal writes
// there, on a thread without a stack for signals, are another's values: a CPU profile, whose signal
// goes to the thread that runs, ended processes with a broken heap, if it was noticed. Go's own
// threads have such a stack.
func withoutSignals(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before uint64
	if setMask(sigBlock, &fromOutside, &before) {
		defer setMask(sigSetMask, &before, nil)
	}
	f()
}

// setMask changes which signals this thread blocks, sigprocmask(2).
func setMask(how uintptr, set, before *uint64) bool {
	_, _, errno := syscall.RawSyscall6(syscall.SYS_RT_SIGPROCMASK, how, uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(before)), 8, 0, 0)
	return errno == 0
}
