package jpeg

import (
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/holt-dl/holt/internal/avx2"
)

// TestAVX2 checks that the loops in C give the bytes of those in Go, also for coefficients that no
// picture has.
func TestAVX2(t *testing.T) {
	if !avx2.Has {
		t.Skip("the processor has no AVX2")
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 20 {
		for _, size := range []int{3, 200, 2000, 1 << 16} {
			blocks, used := make([][64]int16, n), make([]uint64, n)
			for i := range blocks {
				blocks[i][0] = int16(rng.IntN(size) - size/2)
				used[i] = rng.Uint64() & rng.Uint64() >> rng.IntN(64) &^ 1
				for rest := used[i]; rest != 0; rest &= rest - 1 {
					blocks[i][bits.TrailingZeros64(rest)] = int16(rng.IntN(size) - size/2)
				}
			}
			stride := 8*n + 3
			got, want := make([]uint8, 8*stride), make([]uint8, 8*stride)
			for i := range blocks {
				inverse(&blocks[i], used[i], want[8*i:], stride)
			}
			avx2.Inverse(blocks, used, got, stride)
			if !slices.Equal(got, want) {
				t.Errorf("%d blocks of numbers up to %d have other samples", n, size/2)
			}
			if slices.ContainsFunc(blocks, func(b [64]int16) bool { return b != [64]int16{} }) {
				t.Errorf("%d blocks are not cleared", n)
			}
		}
	}

	var got, want [3][]uint8
	for n := range 40 {
		var in [3][]uint8
		for c := range in {
			in[c], got[c], want[c] = make([]uint8, n), make([]uint8, n), make([]uint8, n)
			for i := range in[c] {
				in[c][i] = uint8(rng.Uint32())
			}
		}
		rgb(in[0], in[1], in[2], want[0], want[1], want[2])
		avx2.RGB(in[0], in[1], in[2], got[0], got[1], got[2])
		for c := range got {
			if !slices.Equal(got[c], want[c]) {
				t.Errorf("%d pixels have other values in channel %d: %v, want %v", n, c, got[c], want[c])
			}
		}
	}
}
