//go:build !cgo || !amd64

// Package avx2 has loops over the bytes of pictures in C; a program that was built without cgo, or
// for another processor, has none of them.
package avx2

// Has reports false: none of the functions can be called.
const Has = false

func Inverse(blocks [][64]int16, used []uint64, dst []uint8, stride int) { panic("avx2: no Inverse") }

func RGB(y, cb, cr, r, g, b []uint8) { panic("avx2: no RGB") }

func Rows(dst []uint8, out int, src []uint8, w, n int, from, weights []int32, quads int) {
	panic("avx2: no Rows")
}

func Columns(dst, src []uint8, weights []int32) { panic("avx2: no Columns") }
