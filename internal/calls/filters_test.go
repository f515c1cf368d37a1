//go:build cgo && unix

package calls

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// plain is the gradient by its definition.
func (c convolution) plain(x, v []float32) []float64 {
	g := make([]float64, c.out*c.in*c.kernel[0]*c.kernel[1])
	for n := range c.images {
		for a := range c.places[0] {
			for b := range c.places[1] {
				for ky := range c.kernel[0] {
					for kx := range c.kernel[1] {
						y, z := a*c.stride[0]+ky*c.dilation[0]-c.before[0], b*c.stride[1]+kx*c.dilation[1]-c.before[1]
						if y < 0 || y >= c.size[0] || z < 0 || z >= c.size[1] {
							continue
						}
						for i := range c.in {
							for o := range c.out {
								g[((o*c.in+i)*c.kernel[0]+ky)*c.kernel[1]+kx] += float64(x[((n*c.size[0]+y)*c.size[1]+z)*c.in+i]) * float64(v[((n*c.places[0]+a)*c.places[1]+b)*c.out+o])
							}
						}
					}
				}
			}
		}
	}
	return g
}

func numbers(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// inAllForms compares what the forms that the processor has compute in one part with the
// definition, and in several parts with that.
func inAllForms(t *testing.T, name string, want []float64, compute func(f form, parts int) ([]float32, error)) {
	for f, of := range map[form]string{portable: "portable", avx2: "AVX2", avx512: "AVX-512"} {
		if !f.here() {
			continue
		}
		t.Run(fmt.Sprintf("%s, %s", name, of), func(t *testing.T) {
			got, err := compute(f, 1)
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if d := math.Abs(float64(got[i]) - want[i]); !(d <= 1e-5*(1+math.Abs(want[i]))) {
					t.Fatalf("number %d is %v, want %v", i, got[i], want[i])
				}
			}
			for _, parts := range []int{2, 5, 100} {
				if other, err := compute(f, parts); err != nil || !slices.Equal(other, got) {
					t.Errorf("in %d parts the bits are others, or %v", parts, err)
				}
			}
		})
	}
}

// random returns x and the gradient of the output.
func (c convolution) random(r *rand.Rand) (x, v []float32) {
	return numbers(r, c.images*c.size[0]*c.size[1]*c.in), numbers(r, c.images*c.places[0]*c.places[1]*c.out)
}

// square is a convolution that is the same in height and width.
func square(images, size, in, out, kernel, stride, dilation, before, after int) convolution {
	places := (size+before+after-dilation*(kernel-1)-1)/stride + 1
	two := func(n int) [2]int { return [2]int{n, n} }
	return convolution{images, two(size), in, two(places), out, two(kernel), two(stride), two(dilation), two(before)}
}

// TestGradient compares all forms that the processor has with the definition, in one part
// and in several.
func TestGradient(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	cases := map[string]convolution{
		"three channels":            square(3, 16, 3, 32, 5, 1, 1, 2, 2),
		"one channel":               square(3, 16, 1, 8, 3, 1, 1, 1, 1),
		"32 channels":               square(2, 8, 32, 64, 5, 1, 1, 2, 2),
		"stride 2":                  square(2, 17, 5, 20, 3, 2, 1, 1, 1),
		"stride 3, no padding":      square(2, 16, 4, 9, 2, 3, 1, 0, 0),
		"dilation 2":                square(2, 12, 7, 16, 3, 1, 2, 2, 2),
		"dilation and stride":       square(2, 13, 3, 33, 3, 2, 2, 1, 1),
		"1×1":                       square(4, 6, 40, 24, 1, 1, 1, 0, 0),
		"1×1, stride 2":             square(4, 7, 40, 24, 1, 2, 1, 0, 0),
		"smaller than the filter":   square(3, 2, 50, 40, 3, 1, 1, 1, 1),
		"more padding than filter":  square(2, 5, 6, 7, 2, 1, 1, 3, 3),
		"one point":                 square(5, 1, 20, 33, 3, 1, 1, 1, 1),
		"2×2 points":                square(17, 2, 35, 19, 3, 1, 1, 1, 1),
		"padding after alone":       square(2, 5, 6, 7, 3, 1, 1, 0, 2),
		"long rows":                 {1, [2]int{2, 700}, 2, [2]int{2, 700}, 3, [2]int{1, 3}, [2]int{1, 1}, [2]int{1, 1}, [2]int{0, 1}},
		"padding beyond the places": {2, [2]int{3, 1}, 2, [2]int{3, 1}, 4, [2]int{1, 2}, [2]int{1, 7}, [2]int{1, 1}, [2]int{0, 5}},
		"less than no padding":      {2, [2]int{3, 9}, 2, [2]int{3, 6}, 4, [2]int{1, 2}, [2]int{1, 1}, [2]int{1, 1}, [2]int{0, -2}},
		"height and width differ":   {2, [2]int{9, 11}, 3, [2]int{5, 9}, 4, [2]int{2, 3}, [2]int{2, 1}, [2]int{1, 1}, [2]int{1, 0}},
	}
	for name, c := range cases {
		x, v := c.random(r)
		want := c.plain(x, v)
		most := 0.0
		for _, w := range want {
			most = max(most, math.Abs(w))
		}
		for f, of := range map[form]string{portable: "portable", avx2: "AVX2", avx512: "AVX-512"} {
			if !f.here() {
				continue
			}
			t.Run(name+", "+of, func(t *testing.T) {
				got, err := c.gradient(x, v, f, 1)
				if err != nil {
					t.Fatal(err)
				}
				for i := range want {
					if d := math.Abs(float64(got[i]) - want[i]); !(d <= 2e-6*most) {
						t.Fatalf("number %d is %v, want %v", i, got[i], want[i])
					}
				}
				for _, parts := range []int{2, 5, 1000} {
					if other, err := c.gradient(x, v, f, parts); err != nil || !slices.Equal(other, got) {
						t.Errorf("in %d parts the bits are others, or %v", parts, err)
					}
				}
			})
		}
	}
	for _, f := range []form{portable, avx2, avx512} {
		if f.here() {
			return
		}
	}
	t.Error("there is no form for this processor")
}

// processorTime returns the thread's.
func processorTime() time.Duration {
	var t syscall.Timespec
	const threadClock = 3 // CLOCK_THREAD_CPUTIME_ID
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&t)), 0)
	return time.Duration(t.Nano())
}

// least runs f as a benchmark in one thread, and reports and returns the least processor time.
func least(b *testing.B, f func() error) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	best := time.Hour
	for b.Loop() {
		began := processorTime()
		if err := f(); err != nil {
			b.Fatal(err)
		}
		best = min(best, processorTime()-began)
	}
	b.ReportMetric(best.Seconds()*1e3, "min-ms/op")
	return best
}

// BenchmarkGradient times the convolutions of the tutorial network, batch 64, and some of
// ResNet18 with 16 pictures of 64×64, in one thread,
// by the least processor time.
func BenchmarkGradient(b *testing.B) {
	for f, of := range map[form]string{portable: "portable", avx2: "AVX2", avx512: "AVX-512"} {
		if !f.here() {
			continue
		}
		for _, c := range []convolution{square(64, 32, 3, 32, 5, 1, 1, 2, 2), square(64, 16, 32, 32, 5, 1, 1, 2, 2), square(64, 8, 32, 64, 5, 1, 1, 2, 2),
			square(16, 64, 3, 64, 7, 2, 1, 3, 3), square(16, 16, 64, 64, 3, 1, 1, 1, 1), square(16, 8, 128, 128, 3, 1, 1, 1, 1), square(16, 4, 256, 256, 3, 1, 1, 1, 1), square(16, 2, 512, 512, 3, 1, 1, 1, 1)} {
			b.Run(fmt.Sprintf("%s/%d×%d²×%d-%d", of, c.images, c.size[0], c.in, c.out), func(b *testing.B) {
				x, v := c.random(rand.New(rand.NewPCG(1, 2)))
				best := least(b, func() error {
					_, err := c.gradient(x, v, f, 1)
					return err
				})
				operations := 2 * c.images * c.places[0] * c.places[1] * c.out * c.in * c.kernel[0] * c.kernel[1]
				b.ReportMetric(float64(operations)/best.Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
