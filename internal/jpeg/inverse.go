package jpeg

import "encoding/binary"

// The inverse cosine transform is the one of Loeffler, Ligtenberg and
// Moschytz, "Practical fast 1-D DCT algorithms with 11 multiplications" (1989),
// with the constants and the roundings of libjpeg's "islow" method, its
// default: factors of 13 bits, two bits more than samples have between the
// passes. Integers add up to the same in any order, so a pass may leave out
// what is zero.
const (
	factorBits = 13
	passBits   = 2
)

// inverse turns a block of coefficients into samples. used tells which places
// besides the first may hold anything but 0.
func inverse(b *[64]int16, used uint64, dst []uint8, stride int) {
	if used == 0 {
		v := sample((int32(b[0])<<passBits + level) >> (passBits + 3))
		for y := range 8 {
			binary.LittleEndian.PutUint64(dst[y*stride:], uint64(v)*0x0101010101010101)
		}
		return
	}
	// What is asked of a block, and not of each column, a processor foresees.
	const lower, right = 0xffffffff00000000, 0xf0f0f0f0f0f0f0f0
	low, narrow := used&lower == 0, used&right == 0
	columns := 8
	if narrow {
		columns = 4
	}
	var w [64]int32
	for x := range columns {
		const shift, half = factorBits - passBits, 1 << (factorBits - passBits - 1)
		var e0, e1, e2, e3, o0, o1, o2, o3 int32
		in := b[x&7:]
		_ = in[56]
		if low {
			e0, e1, e2, e3 = even2(int32(in[0]), int32(in[16]), half)
			o0, o1, o2, o3 = odd2(int32(in[8]), int32(in[24]))
		} else {
			e0, e1, e2, e3 = even(int32(in[0]), int32(in[16]), int32(in[32]), int32(in[48]), half)
			o0, o1, o2, o3 = odd(int32(in[8]), int32(in[24]), int32(in[40]), int32(in[56]))
		}
		w := w[x&7:]
		_ = w[56]
		w[0], w[56] = (e0+o0)>>shift, (e0-o0)>>shift
		w[8], w[48] = (e1+o1)>>shift, (e1-o1)>>shift
		w[16], w[40] = (e2+o2)>>shift, (e2-o2)>>shift
		w[24], w[32] = (e3+o3)>>shift, (e3-o3)>>shift
	}
	for y := range 8 {
		const shift = factorBits + passBits + 3
		var e0, e1, e2, e3, o0, o1, o2, o3 int32
		in := w[8*y:][:8:8]
		if narrow {
			e0, e1, e2, e3 = even2(in[0]+level, in[2], 0)
			o0, o1, o2, o3 = odd2(in[1], in[3])
		} else {
			e0, e1, e2, e3 = even(in[0]+level, in[2], in[4], in[6], 0)
			o0, o1, o2, o3 = odd(in[1], in[3], in[5], in[7])
		}
		v0, v1, v2, v3 := (e0+o0)>>shift, (e1+o1)>>shift, (e2+o2)>>shift, (e3+o3)>>shift
		v7, v6, v5, v4 := (e0-o0)>>shift, (e1-o1)>>shift, (e2-o2)>>shift, (e3-o3)>>shift
		if uint32(v0|v1|v2|v3|v4|v5|v6|v7) > 255 { // seldom
			v0, v1, v2, v3 = limit(v0), limit(v1), limit(v2), limit(v3)
			v4, v5, v6, v7 = limit(v4), limit(v5), limit(v6), limit(v7)
		}
		to := dst[y*stride:][:8:8]
		to[0], to[1], to[2], to[3] = uint8(v0), uint8(v1), uint8(v2), uint8(v3)
		to[4], to[5], to[6], to[7] = uint8(v4), uint8(v5), uint8(v6), uint8(v7)
	}
}

// level is added to the first coefficient of a row: the half that rounds, and
// the 128 that samples lie around (T.81 A.3.1).
const level = 1<<(passBits+2) + 128<<(passBits+3)

// even is the part of the coefficients 0, 2, 4 and 6. The factors are √2 times
// cosines: 4433/8192 is √2·cos(6π/16).
func even(a0, a2, a4, a6, half int32) (e0, e1, e2, e3 int32) {
	z := (a2 + a6) * 4433
	p, q := z+a2*6270, z-a6*15137
	s, t := (a0+a4)<<factorBits+half, (a0-a4)<<factorBits+half
	return s + p, t + q, t - q, s - p
}

// odd is the part of the coefficients 1, 3, 5 and 7.
func odd(a1, a3, a5, a7 int32) (o0, o1, o2, o3 int32) {
	z := (a1 + a3 + a5 + a7) * 9633
	p, q := z-(a3+a7)*16069, z-(a1+a5)*3196
	s, t := (a1+a7)*7373, (a3+a5)*20995
	return a1*12299 - s + q, a3*25172 - t + p, a5*16819 - t + q, a7*2446 - s + p
}

// even2 and odd2 are even and odd where the coefficients from 4 on are 0.
func even2(a0, a2, half int32) (e0, e1, e2, e3 int32) {
	p, q, s := a2*(4433+6270), a2*4433, a0<<factorBits+half
	return s + p, s + q, s - q, s - p
}

func odd2(a1, a3 int32) (o0, o1, o2, o3 int32) {
	return a1*(9633-3196-7373+12299) + a3*9633, a1*9633 + a3*(9633-16069-20995+25172),
		a1*(9633-3196) + a3*(9633-20995), a1*(9633-7373) + a3*(9633-16069)
}

// limit cuts a number off at 0 and 255.
func limit(v int32) int32 { return min(max(v, 0), 255) }

// sample is limit where few numbers are beyond.
func sample(v int32) uint8 {
	if uint32(v) > 255 {
		return uint8(^v >> 31)
	}
	return uint8(v)
}
