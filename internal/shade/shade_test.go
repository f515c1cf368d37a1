package shade

import (
	"image/color"
	"math"
	"testing"
)

func TestScale(t *testing.T) {
	blue, white, red := color.NRGBA{0x1f, 0x5a, 0x9e, 0xff}, color.NRGBA{0xfa, 0xfa, 0xfa, 0xff}, color.NRGBA{0xa9, 0x22, 0x2f, 0xff}
	tests := []struct {
		name     string
		scale    Scale
		v        float64
		want     color.NRGBA
		low, top float64
	}{
		{"lowest", Of([][]float64{{-2, 1}}, 0, 0, true), -2, blue, -2, 2},
		{"zero", Of([][]float64{{-2, 1}}, 0, 0, true), 0, white, -2, 2},
		{"beyond", Of(nil, 0, 1, true), 7, red, 0, 1},
		{"all zero", Of([][]float64{{0, 0}}, 0, 0, true), 0, white, 0, 0},
		{"not finite", Of([][]float64{{1, math.NaN()}}, 0, 0, false), math.NaN(), noValue, 1, 1},
		{"no values", Of([][]float64{{math.Inf(1)}}, 0, 0, false), 0, sequential[0], 0, 0},
		{"between", Of(nil, 0, 3, false), 0.5, color.NRGBA{0xcf, 0xe2, 0xf2, 0xff}, 0, 3},
	}
	for _, tt := range tests {
		if got := tt.scale.At(tt.v); got != tt.want || tt.scale.Low != tt.low || tt.scale.High != tt.top {
			t.Errorf("%s: %v of %v to %v, want %v of %v to %v", tt.name, got, tt.scale.Low, tt.scale.High, tt.want, tt.low, tt.top)
		}
	}
}

// TestLetters reads the numbers in cells of every shade. On the middle ones neither dark nor
// white letters reach a contrast of 3.9.
func TestLetters(t *testing.T) {
	for _, diverges := range []bool{false, true} {
		s := Of(nil, 0, 1, diverges)
		for i := range 101 {
			cell := s.At(float64(i) / 100)
			if c := Contrast(Letters(cell), cell); c < 3.6 {
				t.Errorf("letters on %v have a contrast of %.2f", cell, c)
			}
		}
	}
	black, white := color.NRGBA{A: 0xff}, color.NRGBA{0xff, 0xff, 0xff, 0xff}
	if c := Contrast(black, white); math.Abs(c-21) > 1e-9 {
		t.Errorf("black on white has a contrast of %v, want 21", c)
	}
}
