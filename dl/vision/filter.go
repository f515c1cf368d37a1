package vision

import (
	"encoding/binary"
	"math"
	"slices"
	"sync"

	"github.com/holt-dl/holt/internal/avx2"
)

// resize is Pillow 13's Image.resize with BILINEAR for 8 bits a channel
// (libImaging/Resample.c): a horizontal pass and a vertical one, each with
// weights of 22 bits, each rounded to bytes. The order of the two changes the
// rounding; downFirst says which comes first.
func (m *Image) resize(across, down filter, downFirst bool) *Image {
	if across.same && down.same {
		return m
	}
	if downFirst && !across.same && !down.same {
		m = m.resize(filter{same: true}, down, false)
		down = filter{same: true}
	}
	out := &Image{C: m.C, H: m.H, W: m.W, Pix: m.Pix}
	if !across.same {
		out.W = len(across.from)
		n := m.C * m.H * out.W
		if down.same {
			out.Pix = make([]uint8, n)
		} else {
			between := narrow.Get().(*[]uint8)
			defer narrow.Put(between)
			*between = slices.Grow((*between)[:0], n)[:n]
			out.Pix = *between
		}
		across.rows(out.Pix, m.Pix, m.W, m.C*m.H)
	}
	if !down.same {
		out.H = len(down.from)
		pix := make([]uint8, m.C*out.H*out.W)
		for c := range m.C {
			down.columns(pix[c*out.H*out.W:][:out.H*out.W], out.Pix[c*m.H*out.W:][:m.H*out.W], out.W)
		}
		out.Pix = pix
	}
	return out
}

// downFirst reports whether Pillow runs the vertical pass first when it makes
// w×h pixels outW×outH: where that one throws away more than twice as much as
// the horizontal pass. The sizes are those of the whole pictures, also where
// only a part of the result is wanted.
func downFirst(w, h, outW, outH int) bool { return h-outH > max(0, 2*(w-outW)) }

// narrow keeps what is between the passes, for the next picture.
var narrow = sync.Pool{New: func() any { return new([]uint8) }}

// filter holds the weights of some output pixels along one axis: those of
// pixel i are w[i*taps:], for the inputs from[i] and following.
type filter struct {
	same        bool // the sizes are equal, and nothing is weighed
	first, last int  // the inputs that count; from counts from first on
	taps        int
	from        []int
	w           []int32
}

const (
	weightBits = 32 - 8 - 2 // Pillow's PRECISION_BITS
	half       = 1 << (weightBits - 1)
)

// weights returns those of the output pixels i to j, where in pixels become
// out.
func weights(in, out, i, j int) filter {
	if in == out {
		return filter{same: true, first: i, last: j}
	}
	scale := float64(in) / float64(out)
	support := max(scale, 1) // half the width of the triangle, in input pixels
	inverse := 1 / support
	span := func(i int) (center float64, from, to int) {
		center = float64((float64(i) + 0.5) * scale) // rounded before the next step, also where a processor could join them
		return center, max(int(center-support+0.5), 0), min(int(center+support+0.5), in)
	}
	f := filter{from: make([]int, j-i)}
	_, f.first, _ = span(i)
	_, _, f.last = span(j - 1)
	for k := range f.from {
		_, from, to := span(i + k)
		f.taps = max(f.taps, to-from)
	}
	f.taps = max(f.taps, min(minTaps, f.last-f.first))
	f.w = make([]int32, len(f.from)*f.taps)
	tri := make([]float64, f.taps)
	for k := range f.from {
		center, from, to := span(i + k)
		total := 0.0
		for x := range to - from {
			tri[x] = max(0, 1-math.Abs((float64(x+from)-center+0.5)*inverse))
			total += tri[x]
		}
		// A pixel with fewer inputs than others has weights of 0 besides, in
		// front where there are no inputs behind.
		at := max(min(from, f.last-f.taps), f.first)
		f.from[k] = at - f.first
		for x := range to - from {
			f.w[k*f.taps+from-at+x] = int32(tri[x]/total*(1<<weightBits) + 0.5)
		}
	}
	return f
}

// reverse makes the last output pixel the first.
func (f filter) reverse() {
	slices.Reverse(f.from)
	for i, j := 0, len(f.w)-f.taps; i < j; i, j = i+f.taps, j-f.taps {
		for k := range f.taps {
			f.w[i+k], f.w[j+k] = f.w[j+k], f.w[i+k]
		}
	}
}

// minTaps is how many weights a pixel has at least, where there are so many
// inputs.
const minTaps = 3

// rows filters n rows of w bytes each.
func (f filter) rows(dst, src []uint8, w, n int) {
	quads := (f.taps + 3) / 4
	if !avx2.Has || w < 4*quads {
		f.rowsInGo(dst, src, w, n)
		return
	}
	from, weights := f.eights(w, quads)
	avx2.Rows(dst, len(f.from), src, w, n, from, weights, quads)
}

func (f filter) rowsInGo(dst, src []uint8, w, n int) {
	out := len(f.from)
	y := 0
	for ; y+4 <= n && f.taps >= minTaps; y += 4 { // four at once share the weights
		r0, r1, r2, r3 := src[y*w:][:w], src[(y+1)*w:][:w], src[(y+2)*w:][:w], src[(y+3)*w:][:w]
		d0, d1, d2, d3 := dst[y*out:][:out], dst[(y+1)*out:][:out], dst[(y+2)*out:][:out], dst[(y+3)*out:][:out]
		for i, from := range f.from {
			ws := f.w[i*f.taps:][:f.taps]
			// No more than these when a side becomes two thirds as large or more.
			v := (*[minTaps]int32)(ws)
			a, b, c, d := (*[minTaps]uint8)(r0[from:]), (*[minTaps]uint8)(r1[from:]), (*[minTaps]uint8)(r2[from:]), (*[minTaps]uint8)(r3[from:])
			s0 := half + int32(a[0])*v[0] + int32(a[1])*v[1] + int32(a[2])*v[2]
			s1 := half + int32(b[0])*v[0] + int32(b[1])*v[1] + int32(b[2])*v[2]
			s2 := half + int32(c[0])*v[0] + int32(c[1])*v[1] + int32(c[2])*v[2]
			s3 := half + int32(d[0])*v[0] + int32(d[1])*v[1] + int32(d[2])*v[2]
			for k, v := range ws[minTaps:] {
				x := from + minTaps + k
				s0 += int32(r0[x]) * v
				s1 += int32(r1[x]) * v
				s2 += int32(r2[x]) * v
				s3 += int32(r3[x]) * v
			}
			d0[i], d1[i], d2[i], d3[i] = clip(s0), clip(s1), clip(s2), clip(s3)
		}
	}
	for ; y < n; y++ {
		row, to := src[y*w:][:w], dst[y*out:][:out]
		for i, from := range f.from {
			var s int32 = half
			for k, v := range f.w[i*f.taps:][:f.taps] {
				s += int32(row[from+k]) * v
			}
			to[i] = clip(s)
		}
	}
}

// eights returns the filter as [avx2.Rows] takes it, with 4·quads weights for each output, which
// are of inputs before w.
func (f filter) eights(w, quads int) (from, weights []int32) {
	groups := (len(f.from) + 7) / 8
	from, weights = make([]int32, 8*groups), make([]int32, 32*quads*groups)
	for i, at := range f.from {
		first := min(at, w-4*quads)
		from[i] = int32(first)
		to := weights[i/8*quads*32+i%8:]
		for k, v := range f.w[i*f.taps:][:f.taps] {
			to[8*(at-first+k)] = v
		}
	}
	return from, weights
}

// columns filters every column of a plane whose rows are w bytes.
func (f filter) columns(dst, src []uint8, w int) {
	one := column
	if avx2.Has {
		one = avx2.Columns
	}
	for i, from := range f.from {
		one(dst[i*w:][:w], src[from*w:], f.w[i*f.taps:][:f.taps])
	}
}

// column adds up rows of as many bytes as to has, each times its weight.
func column(to, in []uint8, ws []int32) {
	w, x := len(to), 0
	if len(ws) <= maxLanes {
		for ; x+8 <= w; x += 8 {
			lanes(to[x:x+8], in[x:], ws, w)
		}
	}
	for ; x < w; x++ {
		var s int32 = half
		for k, v := range ws {
			s += int32(in[k*w+x]) * v
		}
		to[x] = clip(s)
	}
}

// Up to this number of weights, whose roundings add up to less than half a
// byte, a sum is at most 255 and a half.
const maxLanes = 1 << 12

// lanes filters eight columns at once. A sum has 30 bits and no sign, so two
// of them are added up in one word of 64.
func lanes(to, in []uint8, ws []int32, stride int) {
	const mask, start = 0x000000ff_000000ff, half<<32 | half
	var s0, s1, s2, s3 uint64 = start, start, start, start
	for k, v := range ws {
		b, weight := binary.LittleEndian.Uint64(in[k*stride:]), uint64(v)
		s0 += b & mask * weight
		s1 += b >> 8 & mask * weight
		s2 += b >> 16 & mask * weight
		s3 += b >> 24 & mask * weight
	}
	binary.LittleEndian.PutUint64(to, s0>>weightBits&mask|s1>>weightBits&mask<<8|s2>>weightBits&mask<<16|s3>>weightBits&mask<<24)
}

func clip(sum int32) uint8 { return uint8(min(sum>>weightBits, 255)) }
