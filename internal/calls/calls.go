//go:build cgo && unix

// Package calls has functions in C that XLA's programs for the processor call: the
// gradient of a convolution for its filters, and self-attention with its gradient.
// XLA:CPU writes the picture out once for each point of a filter, and takes several times
// as long; oneDNN, which its plugin has inside, is as slow where there are few channels
// or no AVX-512. Of attention XLA makes two dozen passes over memory.
//
// There is a form for AVX-512, one for AVX2, and one that any compiler makes for any
// processor. All add in the same order, whatever the number of threads, so that a program
// has the same bits whenever it runs on one machine.
package calls

/*
#cgo CFLAGS: -O3
#cgo LDFLAGS: -lm
#cgo linux LDFLAGS: -lpthread
#include "attention.h"
#include "call.h"
#include "memory.h"
#include "tiny.h"
#include <stdlib.h>

// The numbers of a convolution, as Go gives them: N H W I, h w O, K K, stride, dilation,
// padding.
static int gradient(const float *x, const float *v, float *g, const int64_t *n, int form, int parts, filters_loop *loop) {
	filters f = {x, v, g, n[0], {n[1], n[2]}, n[3], {n[4], n[5]}, n[6], {n[7], n[8]}, {n[9], n[10]}, {n[11], n[12]}, {n[13], n[14]}};
	return filters_gradient(&f, form, parts, loop, 0);
}

static void in_turn(void *pool, int n, void (*work)(void *data, int i), void *data) {
	for (int i = n - 1; i >= 0; i--) work(data, i);
}

static int gradient_in_turn(const float *x, const float *v, float *g, const int64_t *n, int form, int parts) {
	return gradient(x, v, g, n, form, parts, in_turn);
}

// The numbers of attention: sequences, length, heads, size, causal.
static int attention_in_turn(const float *in, const float *v, float *out, const int64_t *n, int form, int parts) {
	attention a = {in, v, out, n[0], n[1], n[2], n[3], n[4] != 0};
	return attention_compute(&a, form, parts, in_turn, 0);
}

// The numbers of a convolution of tiny pictures: images, side, in, out, and whether the filters'
// first axis is summed over.
static int tiny_in_turn(const float *x, const float *w, float *y, const int64_t *n, int form, int parts) {
	tiny t = {x, w, y, n[0], n[1], n[2], n[3], n[4] != 0};
	return tiny_compute(&t, form, parts, in_turn, 0);
}

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

import (
	"errors"
	"unsafe"
)

// The targets of the calls.
const (
	// FiltersGradient takes x [N H W I], the gradient of the output [N h w O], and six
	// int32 numbers: stride, dilation, and padding above and left, of height and width
	// each. It gives [O I K K].
	FiltersGradient = "holt_filters_gradient"

	// Attention takes queries, keys and values [N L 3·H D], H heads of each one after the
	// other, and an int32 number that is not 0 where each place looks at those up to its
	// own alone. It gives [N L H D]. With the gradient of that between the two, it gives
	// the gradient [N L 3·H D]. D is a multiple of 16.
	Attention = "holt_attention"

	// TinyConvolution takes pictures [N S S I], of which S is 1 or 2, filters [O I 3 3], and an
	// int32 number that is not 0 where the filters are [I O 3 3]. It gives what a convolution
	// with a padding of 1 gives, [N S S O].
	TinyConvolution = "holt_tiny_convolution"
)

// Has reports whether a custom call's target is one of these.
func Has(target string) bool {
	return target == FiltersGradient || target == Attention || target == TinyConvolution
}

// Register makes the calls known to a plugin for the processor, of which api is the
// PJRT_Api. It reports whether the plugin takes them. It is for plugins that Holt's tests
// ran with, since the interface has no check of its own.
func Register(api unsafe.Pointer) bool {
	return api != nil && C.calls_register(api) != 0
}

// HoldMemory makes C's malloc keep up to 1 GiB that was given back, where it is glibc's: XLA
// takes and gives back the memory for intermediate values in each step, and the system would
// clear it anew. What GLIBC_TUNABLES says of it counts more.
func HoldMemory() { C.memory_hold() }

// form is a form of the kernel.
type form int

const (
	portable form = C.FORM_PORTABLE
	avx2     form = C.FORM_AVX2
	avx512   form = C.FORM_AVX512
)

// here reports whether the processor has what the form needs.
func (f form) here() bool { return C.filters_has(C.int(f)) != 0 }

// convolution has the sizes of a convolution, height first.
type convolution struct {
	images           int
	size             [2]int
	in               int
	places           [2]int
	out              int
	kernel           [2]int
	stride, dilation [2]int
	before           [2]int // padding above and left
}

// numbersOfC are ints as C takes them.
func numbersOfC(ints ...int) (n []C.int64_t) {
	for _, i := range ints {
		n = append(n, C.int64_t(i))
	}
	return n
}

// number is 1 where a setting is true, and 0 where it is not.
func number(setting bool) int {
	if setting {
		return 1
	}
	return 0
}

func data(s []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(s))) }

var errNoMemory = errors.New("calls: no memory")

// gradient computes the gradient in a form and a number of parts, for tests.
func (c convolution) gradient(x, v []float32, f form, parts int) ([]float32, error) {
	g := make([]float32, c.out*c.in*c.kernel[0]*c.kernel[1])
	n := numbersOfC(c.images, c.size[0], c.size[1], c.in, c.places[0], c.places[1], c.out, c.kernel[0], c.kernel[1],
		c.stride[0], c.stride[1], c.dilation[0], c.dilation[1], c.before[0], c.before[1])
	if C.gradient_in_turn(data(x), data(v), data(g), &n[0], C.int(f), C.int(parts)) == 0 {
		return nil, errNoMemory
	}
	return g, nil
}

// attention has the sizes of self-attention.
type attention struct {
	sequences, length, heads, size int
	causal                         bool
}

// compute computes the output, or its input's gradient where v is not nil, in a form and a
// number of parts, for tests.
func (a attention) compute(in, v []float32, f form, parts int) ([]float32, error) {
	out := make([]float32, a.sequences*a.length*a.heads*a.size)
	if v != nil {
		out = make([]float32, len(in))
	}
	n := numbersOfC(a.sequences, a.length, a.heads, a.size, number(a.causal))
	if C.attention_in_turn(data(in), data(v), data(out), &n[0], C.int(f), C.int(parts)) == 0 {
		return nil, errNoMemory
	}
	return out, nil
}

// take takes n bytes from malloc, writes to them and gives them back, for tests.
func take(n int) error {
	if C.take(C.size_t(n)) == 0 {
		return errNoMemory
	}
	return nil
}

// tiny has the sizes of a convolution of pictures of side·side points, and whether its filters
// are [I O 3 3].
type tiny struct {
	images, side, in, out int
	first                 bool
}

// compute computes the convolution in a form and a number of parts, for tests.
func (t tiny) compute(x, w []float32, f form, parts int) ([]float32, error) {
	y := make([]float32, t.images*t.side*t.side*t.out)
	n := numbersOfC(t.images, t.side, t.in, t.out, number(t.first))
	if C.tiny_in_turn(data(x), data(w), data(y), &n[0], C.int(f), C.int(parts)) == 0 {
		return nil, errNoMemory
	}
	return y, nil
}
