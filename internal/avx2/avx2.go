//go:build cgo && amd64

// Package avx2 has the loops over the bytes of pictures in C, with AVX2's instructions: those of
// internal/jpeg and dl/vision that most of a photograph's time goes to. Every byte is the same as
// that of the loops in Go, which a program takes where the processor has no AVX2, or where it was
// built without cgo.
package avx2

/*
#cgo CFLAGS: -O3
#include "avx2.h"
*/
import "C"

import "unsafe"

// Has reports whether the functions can be called.
var Has = C.avx2_has() != 0

// Inverse turns blocks of coefficients that lie beside each other into samples, and clears them.
// used tells for each which places besides the first may hold anything but 0. dst has eight rows,
// of stride bytes.
func Inverse(blocks [][64]int16, used []uint64, dst []uint8, stride int) {
	n := len(blocks)
	if n == 0 {
		return
	}
	_, _ = used[n-1], dst[7*stride+8*n-1]
	C.avx2_inverse((*C.int16_t)(&blocks[0][0]), (*C.uint64_t)(&used[0]), C.int64_t(n), bytes(dst), C.int64_t(stride))
}

// RGB is JFIF's YCbCr to RGB. All slices are as long as the first.
func RGB(y, cb, cr, r, g, b []uint8) {
	n := len(y)
	if n == 0 {
		return
	}
	_, _, _, _, _ = cb[n-1], cr[n-1], r[n-1], g[n-1], b[n-1]
	C.avx2_rgb(bytes(y), bytes(cb), bytes(cr), bytes(r), bytes(g), bytes(b), C.int64_t(n))
}

// Rows filters n rows of w bytes to rows of out bytes. Weights have 22 bits behind the point. Each
// output has 4·quads of them, for the inputs from[i] and following, all of the row. Eight outputs'
// weights lie together: those of the first input of all eight, then those of the second. from and
// weights are for a multiple of eight outputs.
func Rows(dst []uint8, out int, src []uint8, w, n int, from, weights []int32, quads int) {
	if n == 0 || out == 0 {
		return
	}
	groups := (out + 7) / 8
	_, _, _, _ = dst[n*out-1], src[n*w-1], from[8*groups-1], weights[32*quads*groups-1]
	C.avx2_rows(bytes(dst), C.int64_t(out), bytes(src), C.int64_t(w), C.int64_t(n), (*C.int32_t)(&from[0]), (*C.int32_t)(&weights[0]), C.int64_t(quads))
}

// Columns adds up rows of as many bytes as dst has, each times its weight of 22 bits behind the
// point.
func Columns(dst, src []uint8, weights []int32) {
	w := len(dst)
	if w == 0 {
		return
	}
	_ = src[w*len(weights)-1]
	C.avx2_columns(bytes(dst), bytes(src), C.int64_t(w), (*C.int32_t)(&weights[0]), C.int64_t(len(weights)))
}

func bytes(b []uint8) *C.uint8_t { return (*C.uint8_t)(unsafe.SliceData(b)) }
