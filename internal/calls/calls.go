//go:build cgo && unix

// Package calls has functions in C that XLA's programs for the processor call: convolutions with
// their gradients, self-attention with its gradient, recurrences, products of small matrices, and
// transpositions of images.
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
#include "convolution.h"
#include "matrix.h"
#include "memory.h"
#include "recurrence.h"
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
// first axis is summed over and they are turned.
static int tiny_in_turn(const float *x, const float *w, float *y, const int64_t *n, int form, int parts) {
	tiny t = {x, w, y, n[0], n[1], n[2], n[3], n[4] != 0, n[5] != 0};
	return tiny_compute(&t, form, parts, in_turn, 0);
}

// The numbers of a convolution: N H W I, h w O, K K, stride, spread, dilation, padding, and whether
// the filters' first axis is summed over and they are turned.
static int convolution_in_turn(const float *x, const float *w, float *y, const int64_t *n, int form, int parts) {
	convolution c = {x, w, y, n[0], {n[1], n[2]}, n[3], {n[4], n[5]}, n[6], {n[7], n[8]}, {n[9], n[10]}, {n[11], n[12]}, {n[13], n[14]}, {n[15], n[16]},
		n[17] != 0, n[18] != 0};
	return convolution_compute(&c, form, parts, in_turn, 0);
}

// The numbers of a product: m, n, k, and whether a's first axis, and b's last one, are summed over.
static int product_in_turn(const float *a, const float *b, float *y, const int64_t *n, int form, int parts) {
	product p = {a, b, y, n[0], n[1], n[2], n[3] != 0, n[4] != 0};
	return product_compute(&p, form, parts, in_turn, 0);
}

static void transpose_in_turn(const float *x, float *y, int64_t n, int64_t rows, int64_t columns, int parts) {
	transposition t = {x, y, n, rows, columns};
	transpose_compute(&t, parts, in_turn, 0);
}

// The numbers of a recurrence: cell, backward, steps, sequences, hidden.
static int recurrence_in_turn(const float *gates, const float *bias, const float *matrix, const float *first, float *hs, float *end, float *kept,
		const int64_t *n, int form, int parts) {
	recurrence r = {n[0], n[1] != 0, n[2], n[3], n[4], gates, bias, matrix, first, hs, end, kept};
	return recurrence_forward(&r, form, parts, in_turn, 0);
}

static int recurrence_back_in_turn(const float *kept, const float *matrix, const float *first, const float *hs, const float *v, const float *v_end,
		float *gates, float *hidden_gates, float *first_v, float *sums, const int64_t *n, int form, int parts) {
	recurrence_back r = {n[0], n[1] != 0, n[2], n[3], n[4], kept, matrix, first, hs, v, v_end, gates, hidden_gates, first_v, sums};
	return recurrence_gradient(&r, form, parts, in_turn, 0);
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

	// TinyConvolution takes pictures [N S S I], of which S is 1 or 2, filters [O I 3 3], and two
	// int32 numbers: one that is not 0 where the filters are [I O 3 3], and one that is not 0
	// where they are turned by half a turn. It gives what a convolution with a padding of 1
	// gives, [N S S O].
	TinyConvolution = "holt_tiny_convolution"

	// Convolution takes x [N H W I], filters [O I K K], and ten int32 numbers: stride, how far
	// apart the points of x are, with zeros between them, dilation, and padding above and left,
	// of which a negative one cuts away, of height and width each; one that is not 0 where the
	// filters are [I O K K], and one that is not 0 where they are turned by half a turn. It
	// gives [N h w O], with zeros for what lies beyond the other sides.
	Convolution = "holt_convolution"

	// Product takes matrices [M K] and [K N], and two int32 numbers: one that is not 0 where the
	// first is [K M], and one that is not 0 where the second is [N K], of which one is 0. It
	// gives [M N].
	Product = "holt_product"

	// Transpose takes matrices [N R C], and gives them transposed, [N C R].
	Transpose = "holt_transpose"

	// Recurrence is an LSTM or a GRU over sequences. It takes what the input gives the gates,
	// [L N W·H], the hidden state's matrix [W·H H], the first states [S N H] with biases
	// [B W·H] after them in one list, and two int32 numbers: 0 for LSTM, with W 4, S 2 and B 1,
	// or 1 for GRU, with 3, 1 and 2, and one that is not 0 where it begins with the last place.
	// It gives the hidden states and then the states at the end, [L+S N H], and what its
	// gradient needs, [L N K·H], K 5 or 4. H is a multiple of 16.
	Recurrence = "holt_recurrence"

	// RecurrenceGradient takes what the gradient needs, the matrix, the list, the states, the
	// gradient for these, and the numbers. It gives a list of the gradients for the first
	// states and for the biases, these as [U B W·H], one for every eight sequences; those for
	// the gates; and for GRU those for what the hidden state gives them.
	RecurrenceGradient = "holt_recurrence_gradient"
)

// Has reports whether a custom call's target is one of these.
func Has(target string) bool {
	switch target {
	case FiltersGradient, Attention, TinyConvolution, Convolution, Product, Transpose, Recurrence, RecurrenceGradient:
		return true
	}
	return false
}

// Register makes the calls known to a plugin for the processor, of which api is the
// PJRT_Api. It reports whether the plugin takes them. It is for plugins that Holt's tests
// ran with, since the interface has no check of its own.
func Register(api unsafe.Pointer) bool {
	return api != nil && C.calls_register(api) != 0
}

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

// tiny has the sizes of a convolution of pictures of side·side points, and whether its filters
// are [I O 3 3], and turned by half a turn.
type tiny struct {
	images, side, in, out int
	first, turned         bool
}

// compute computes the convolution in a form and a number of parts, for tests.
func (t tiny) compute(x, w []float32, f form, parts int) ([]float32, error) {
	y := make([]float32, t.images*t.side*t.side*t.out)
	n := numbersOfC(t.images, t.side, t.in, t.out, number(t.first), number(t.turned))
	if C.tiny_in_turn(data(x), data(w), data(y), &n[0], C.int(f), C.int(parts)) == 0 {
		return nil, errNoMemory
	}
	return y, nil
}

// sliding is a convolution of which the filters' gradient is not wanted: the points of x are spread
// apart, the filters may be [I O K K] and turned by half a turn.
type sliding struct {
	convolution
	spread        [2]int
	first, turned bool
}

// compute computes the convolution in a form and a number of parts, for tests.
func (s sliding) compute(x, w []float32, f form, parts int) ([]float32, error) {
	y := make([]float32, s.images*s.places[0]*s.places[1]*s.out)
	n := numbersOfC(s.images, s.size[0], s.size[1], s.in, s.places[0], s.places[1], s.out, s.kernel[0], s.kernel[1], s.stride[0], s.stride[1],
		s.spread[0], s.spread[1], s.dilation[0], s.dilation[1], s.before[0], s.before[1], number(s.first), number(s.turned))
	if C.convolution_in_turn(data(x), data(w), data(y), &n[0], C.int(f), C.int(parts)) == 0 {
		return nil, errNoMemory
	}
	return y, nil
}

// matrices has the sizes of a product, and whether the sum goes over the first axis of the first
// matrix, and over the last one of the second.
type matrices struct {
	m, n, k     int
	first, last bool
}

// compute computes the product in a form and a number of parts, for tests.
func (p matrices) compute(a, b []float32, f form, parts int) ([]float32, error) {
	y := make([]float32, p.m*p.n)
	n := numbersOfC(p.m, p.n, p.k, number(p.first), number(p.last))
	if C.product_in_turn(data(a), data(b), data(y), &n[0], C.int(f), C.int(parts)) == 0 {
		return nil, errNoMemory
	}
	return y, nil
}

// transpose transposes matrices [n, rows, columns] in a number of parts, for tests.
func transpose(x []float32, n, rows, columns, parts int) []float32 {
	y := make([]float32, len(x))
	C.transpose_in_turn(data(x), data(y), C.int64_t(n), C.int64_t(rows), C.int64_t(columns), C.int(parts))
	return y
}

// recurrence has the sizes of an LSTM or a GRU.
type recurrence struct {
	gru, backward    bool
	steps, n, hidden int
}

func (r recurrence) sizes() (width, states, keeps, biases int) {
	if r.gru {
		return 3 * r.hidden, 1, 4 * r.hidden, 2
	}
	return 4 * r.hidden, 2, 5 * r.hidden, 1
}

func (r recurrence) numbers() []C.int64_t {
	return numbersOfC(number(r.gru), number(r.backward), r.steps, r.n, r.hidden)
}

// compute computes the hidden states, those at the end and what the gradient needs, in a form
// and a number of parts, for tests.
func (r recurrence) compute(gates, bias, matrix, first []float32, f form, parts int) (hs, end, kept []float32, err error) {
	_, states, keeps, _ := r.sizes()
	hs, end = make([]float32, r.steps*r.n*r.hidden), make([]float32, states*r.n*r.hidden)
	kept = make([]float32, r.steps*r.n*keeps)
	n := r.numbers()
	if C.recurrence_in_turn(data(gates), data(bias), data(matrix), data(first), data(hs), data(end), data(kept), &n[0], C.int(f), C.int(parts)) == 0 {
		return nil, nil, nil, errNoMemory
	}
	return hs, end, kept, nil
}

// gradient computes the gradients for the gates, for what the hidden state gives them, for the
// first states, and for the biases in units, for tests.
func (r recurrence) gradient(kept, matrix, first, hs, v, vEnd []float32, f form, parts int) (gates, hidden, firstV, sums []float32, err error) {
	width, states, _, biases := r.sizes()
	gates, firstV = make([]float32, r.steps*r.n*width), make([]float32, states*r.n*r.hidden)
	hidden, sums = gates, make([]float32, int(C.recurrence_units(C.int64_t(r.n)))*biases*width)
	if r.gru {
		hidden = make([]float32, len(gates))
	}
	n := r.numbers()
	if C.recurrence_back_in_turn(data(kept), data(matrix), data(first), data(hs), data(v), data(vEnd), data(gates), data(hidden), data(firstV), data(sums), &n[0], C.int(f), C.int(parts)) == 0 {
		return nil, nil, nil, nil, errNoMemory
	}
	return gates, hidden, firstV, sums, nil
}
