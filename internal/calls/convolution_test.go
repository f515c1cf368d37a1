//go:build cgo && unix

package calls

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// plain is the convolution by its definition.
func (s sliding) plain(x, w []float32) []float64 {
	taps := s.kernel[0] * s.kernel[1]
	y := make([]float64, s.images*s.places[0]*s.places[1]*s.out)
	for at := range y {
		o, b := at%s.out, at/s.out%s.places[1]
		a, n := at/s.out/s.places[1]%s.places[0], at/s.out/s.places[1]/s.places[0]
		for tap := range taps {
			above := a*s.stride[0] + tap/s.kernel[1]*s.dilation[0] - s.before[0]
			beside := b*s.stride[1] + tap%s.kernel[1]*s.dilation[1] - s.before[1]
			if above < 0 || above%s.spread[0] != 0 || beside < 0 || beside%s.spread[1] != 0 {
				continue
			}
			above, beside = above/s.spread[0], beside/s.spread[1]
			if above >= s.size[0] || beside >= s.size[1] {
				continue
			}
			if s.turned {
				tap = taps - 1 - tap
			}
			for i := range s.in {
				filter := o*s.in + i
				if s.first {
					filter = i*s.out + o
				}
				y[at] += float64(x[((n*s.size[0]+above)*s.size[1]+beside)*s.in+i]) * float64(w[filter*taps+tap])
			}
		}
	}
	return y
}

// TestConvolution compares all forms that the processor has with the definition, in one part and
// in several.
func TestConvolution(t *testing.T) {
	none := [2]int{1, 1}
	cases := map[string]sliding{
		"three channels, 7×7, stride 2": {square(2, 17, 3, 40, 7, 2, 1, 3, 3), none, false, false},
		"3×3":                           {square(3, 8, 16, 32, 3, 1, 1, 1, 1), none, false, false},
		"1×1":                           {square(2, 5, 20, 7, 1, 1, 1, 0, 0), none, false, false},
		"1×1, stride 2":                 {square(2, 5, 20, 33, 1, 2, 1, 0, 0), none, false, false},
		"dilation 2":                    {square(2, 9, 5, 12, 3, 1, 2, 2, 2), none, false, false},
		"no padding":                    {square(1, 9, 5, 12, 3, 1, 1, 0, 0), none, false, false},
		"[I O K K], turned":             {square(2, 6, 12, 9, 3, 1, 1, 1, 1), none, true, true},
		"[I O K K]":                     {square(2, 6, 12, 9, 3, 1, 1, 1, 1), none, true, false},
		"turned, dilation":              {square(2, 9, 4, 9, 3, 1, 2, 1, 1), none, false, true},
		"zeros between the points":      {convolution{2, [2]int{4, 5}, 6, [2]int{8, 13}, 10, [2]int{3, 3}, none, none, [2]int{1, 1}}, [2]int{2, 3}, true, true},
		"cut away":                      {convolution{2, [2]int{7, 8}, 6, [2]int{4, 3}, 10, [2]int{2, 3}, none, none, [2]int{-1, -2}}, none, false, false},
		"padding on one side":           {convolution{2, [2]int{6, 7}, 5, [2]int{6, 7}, 10, [2]int{3, 3}, none, none, [2]int{2, 2}}, none, false, false},
		"cut on one side":               {convolution{2, [2]int{6, 7}, 5, [2]int{4, 9}, 10, [2]int{3, 3}, none, none, [2]int{1, -2}}, none, false, false},
		"one place":                     {square(1, 3, 4, 5, 3, 1, 1, 0, 0), none, false, false},
	}
	for name, c := range cases {
		r := rand.New(rand.NewPCG(1, 2))
		x, w := numbers(r, c.images*c.size[0]*c.size[1]*c.in), numbers(r, c.in*c.out*c.kernel[0]*c.kernel[1])
		inAllForms(t, name, c.plain(x, w), func(f form, parts int) ([]float32, error) { return c.compute(x, w, f, parts) })
	}
}

// BenchmarkConvolution times convolutions of the tutorial network, batch 64, and of ResNet18 with
// 16 pictures of 64×64, and gradients for the picture, in one thread, by the least processor time.
func BenchmarkConvolution(b *testing.B) {
	none := [2]int{1, 1}
	for f, of := range map[form]string{portable: "portable", avx2: "AVX2", avx512: "AVX-512"} {
		if !f.here() {
			continue
		}
		for _, c := range []sliding{{square(64, 32, 3, 32, 5, 1, 1, 2, 2), none, false, false}, {square(64, 16, 32, 32, 5, 1, 1, 2, 2), none, false, false},
			{square(16, 64, 3, 64, 7, 2, 1, 3, 3), none, false, false}, {square(16, 16, 64, 64, 3, 1, 1, 1, 1), none, false, false},
			{square(16, 4, 256, 256, 3, 1, 1, 1, 1), none, false, false}, {square(16, 4, 256, 256, 3, 1, 1, 1, 1), none, true, true}} {
			b.Run(fmt.Sprintf("%s/%d×%d²×%d-%d/%v", of, c.images, c.size[0], c.in, c.out, c.first), func(b *testing.B) {
				r := rand.New(rand.NewPCG(1, 2))
				x, w := numbers(r, c.images*c.size[0]*c.size[1]*c.in), numbers(r, c.in*c.out*c.kernel[0]*c.kernel[1])
				best := least(b, func() error {
					_, err := c.compute(x, w, f, 1)
					return err
				})
				operations := 2 * c.images * c.places[0] * c.places[1] * c.out * c.in * c.kernel[0] * c.kernel[1]
				b.ReportMetric(float64(operations)/best.Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
