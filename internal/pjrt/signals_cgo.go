//go:build cgo && unix

package pjrt

/*
#include <pthread.h>
#include <signal.h>

// Blocks all signals of this thread but those that its own instructions raise. before are those
// that were blocked.
static int block(sigset_t *before) {
	const int own[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
	sigset_t others;
	sigfillset(&others);
	for (int i = 0; i < sizeof own / sizeof *own; i++) sigdelset(&others, own[i]);
	return pthread_sigmask(SIG_BLOCK, &others, before);
}

static void unblock(const sigset_t *before) { pthread_sigmask(SIG_SETMASK, before, 0); }
*/
import "C"
import "runtime"

// WithoutSignals runs f, and the threads that C's libraries start meanwhile never get a signal from
// outside, as they have their starter's mask. OneDNN's code for products
// (jit_avx512_common_gemm_f32) has its stack pointer in memory of malloc's, and what a signal writes
// there, on a thread without a stack for signals, are another's values: a CPU profile, whose signal
// goes to the thread that runs, ended processes with a broken heap, if it was noticed. Go's own
// threads have such a stack.
func WithoutSignals(f func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before C.sigset_t
	if C.block(&before) == 0 {
		defer C.unblock(&before)
	}
	f()
}
