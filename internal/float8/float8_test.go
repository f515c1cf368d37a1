package float8_test

import (
	"math"
	"testing"

	"github.com/holt-dl/holt/internal/float8"
)

// TestEnds looks at the largest numbers, the smallest, and what is none. Package
// pth compares every number with PyTorch's.
func TestEnds(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, tt := range []struct {
		name  string
		widen func(uint8) float32
		code  uint8
		want  float32
	}{
		{"E4M3FN", float8.E4M3FN, 0x7e, 448},
		{"E4M3FN", float8.E4M3FN, 0xff, nan},
		{"E4M3FN", float8.E4M3FN, 0x01, 0x1p-9},
		{"E5M2", float8.E5M2, 0x7b, 57344},
		{"E5M2", float8.E5M2, 0x7c, inf},
		{"E5M2", float8.E5M2, 0xfc, -inf},
		{"E5M2", float8.E5M2, 0x7d, nan},
		{"E4M3FNUZ", float8.E4M3FNUZ, 0x7f, 240},
		{"E4M3FNUZ", float8.E4M3FNUZ, 0x80, nan},
		{"E5M2FNUZ", float8.E5M2FNUZ, 0xff, -57344},
		{"E8M0", float8.E8M0, 0, 0x1p-127},
		{"E8M0", float8.E8M0, 0xff, nan},
	} {
		got := tt.widen(tt.code)
		if got != tt.want && !(got != got && tt.want != tt.want) {
			t.Errorf("%s of %#x is %v, want %v", tt.name, tt.code, got, tt.want)
		}
	}
}
