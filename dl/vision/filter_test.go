package vision

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/holt-dl/holt/internal/avx2"
)

// TestAVX2 checks that the loops in C give the bytes of those in Go.
func TestAVX2(t *testing.T) {
	if !avx2.Has {
		t.Skip("the processor has no AVX2")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for _, sizes := range [][2]int{{500, 341}, {3, 8}, {4, 1}, {5, 3}, {17, 16}, {64, 7}, {301, 9}, {40, 300}, {900, 100}} {
		in, out := sizes[0], sizes[1]
		src := make([]uint8, in*in)
		for i := range src {
			src[i] = uint8(rng.Uint32() >> rng.IntN(8))
		}
		for _, part := range [][2]int{{0, out}, {out / 3, out/3 + 1}, {out / 2, out}} {
			f := weights(in, out, part[0], part[1])
			w, n := f.last-f.first, len(f.from)
			rows := min(in, len(src)/w)
			got, want := make([]uint8, rows*n), make([]uint8, rows*n)
			f.rows(got, src, w, rows)
			f.rowsInGo(want, src, w, rows)
			if !slices.Equal(got, want) {
				t.Errorf("rows of %d pixels as %d, of which %v, have other bytes", in, out, part)
			}
			got, want = make([]uint8, in), make([]uint8, in)
			for i, from := range f.from {
				ws := f.w[i*f.taps:][:f.taps]
				column(want, src[from*in:], ws)
				avx2.Columns(got, src[from*in:], ws)
				if !slices.Equal(got, want) {
					t.Errorf("columns of %d pixels as %d have other bytes", in, out)
				}
			}
		}
	}
}
