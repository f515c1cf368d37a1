// Package reference compares the programs of this folder with the same programs
// in PyTorch, which need not be installed: each program's script has written the
// numbers that PyTorch gives to torch.json beside it.
//
// Both sides begin with the same weights and data, made by one formula, which is
// written here and in reference.py.
package reference

import (
	"encoding/json"
	"hash/fnv"
	"math"
	"os"
	"strings"
	"testing"

	_ "github.com/gomlx/go-xla/compute/xla" // the backend
	"github.com/holt-dl/holt/dl"
)

// Values returns n numbers between -bound and bound. They depend on the name alone.
func Values(name string, bound float32, n int) []float32 {
	h := fnv.New64a()
	h.Write([]byte(name))
	seed := h.Sum64()
	values := make([]float32, n)
	for i := range values {
		// SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
		x := seed + uint64(i+1)*0x9E3779B97F4A7C15
		x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
		x = (x ^ x>>27) * 0x94D049BB133111EB
		x ^= x >> 31
		values[i] = (float32(x>>40)/(1<<23) - 1) * bound // 24 bits: exact
	}
	return values
}

// Tensor returns a tensor of [Values].
func Tensor(name string, bound float32, shape ...int) *dl.Tensor {
	return dl.FromSlice(Values(name, bound, dl.Shape(shape).Size()), shape...)
}

// Labels returns n class numbers below classes. They depend on the name alone.
func Labels(name string, classes, n int) *dl.Tensor {
	labels := make([]int64, n)
	for i, v := range Values(name, 1, n) {
		labels[i] = min(int64((v+1)/2*float32(classes)), int64(classes)-1)
	}
	return dl.FromSlice(labels)
}

// Fill gives every parameter of a network its values by name: those with one axis
// up to 0.1, around 1 where it scales a normalised value; others up to one over
// the square root of the number of inputs, as PyTorch's layers begin.
func Fill(m *dl.Model) error {
	for _, name := range m.Names() {
		shape := dl.Shape(m.Param(name).Shape())
		var values *dl.Tensor
		switch {
		case strings.HasSuffix(name, "running_mean"), strings.HasSuffix(name, "running_var"), strings.HasSuffix(name, "num_batches_tracked"):
			continue
		case len(shape) > 1:
			values = Tensor(name, float32(1/math.Sqrt(float64(shape.Size()/shape[0]))), shape...)
		case strings.HasSuffix(name, "weight"):
			values = Tensor(name, 0.1, shape...).Shift(1)
		default:
			values = Tensor(name, 0.1, shape...)
		}
		m.Param(name).Set(values)
	}
	return nil
}

// Check compares lists of numbers by name with those of the file torch.json of the
// test's folder, each within 1e-4 of its size. All lists of the file must be given.
func Check(t *testing.T, got map[string][]float64) {
	t.Helper()
	CheckWithin(t, got, 1e-4)
}

// CheckWithin is [Check] with another relative tolerance, for which the caller has
// a reason.
func CheckWithin(t *testing.T, got map[string][]float64, tolerance float64) {
	t.Helper()
	text, err := os.ReadFile("torch.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Torch string
		Lists map[string][]float64
	}
	if err := json.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	if file.Torch == "" || len(file.Lists) == 0 {
		t.Fatal("torch.json holds no numbers or no version of PyTorch")
	}
	for name, want := range file.Lists {
		have, ok := got[name]
		if !ok || len(have) != len(want) {
			t.Errorf("%s: %d numbers, PyTorch has %d", name, len(have), len(want))
			continue
		}
		for i := range want {
			if !(math.Abs(have[i]-want[i]) <= tolerance*math.Max(math.Abs(want[i]), 1e-3)) {
				t.Errorf("%s: number %d is %.8g, PyTorch %s has %.8g\nall:     %.7g\nPyTorch: %.7g", name, i, have[i], file.Torch, want[i], have, want)
				break
			}
		}
	}
}
