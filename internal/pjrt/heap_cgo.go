//go:build cgo && unix

package pjrt

/*
#include <stdlib.h>
#include "heap.h"

// Takes memory from malloc, writes to it and gives it back.
static int take(size_t n) {
	char *p = malloc(n);
	if (!p) return 0;
	for (size_t i = 0; i < n; i += 4096) ((volatile char *)p)[i] = 1;
	free(p);
	return 1;
}
*/
import "C"

import "errors"

// HoldMemory gives what is free in C's heap back to the system, and makes malloc keep up to 1 GiB
// of what is given back from then on, where it is glibc's, but while a program is compiled: XLA
// takes and gives back the memory for intermediate values in each step, and the system would clear
// it anew. What GLIBC_TUNABLES says of it counts more.
func HoldMemory() { C.heap_hold() }

// compiling runs f as if a program was compiled, for tests.
func compiling(f func()) {
	C.heap_compiles()
	defer C.heap_compiled()
	f()
}

// take takes n bytes from malloc, writes to them and gives them back, for tests.
func take(n int) error {
	if C.take(C.size_t(n)) == 0 {
		return errors.New("pjrt: no memory")
	}
	return nil
}
