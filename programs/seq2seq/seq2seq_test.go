package seq2seq

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

// TestLikePyTorch compares the first ten losses, with the teacher at some calls of one
// compiled function and without at others, and then where the network looks.
func TestLikePyTorch(t *testing.T) {
	const n, length, from, to, written = 4, 6, 9, 8, 5
	s := New(from, to, 16, dl.Zero) // drops nothing: PyTorch draws other numbers
	model, err := dl.Build(s, dl.Shape{n, length}, dl.Int64, dl.Shape{n, written}, dl.Int64)
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	opt := dl.Adam{LR: 0.01}.For(model)
	falls := []float64{0.1, 0.9, 0.4, 0.6, 0.6, 0.2, 0.3, 0.7, 0.8, 0.1}
	call := -1
	random := func() float64 { return falls[call] }
	step := dl.Compile(func(x, y *dl.Tensor) *dl.Tensor { return Step(s, opt, x, y, random) })
	x := reference.Labels("x", from, n*length).Reshape(n, length)
	y := reference.Labels("y", to, n*written).Reshape(n, written)
	var losses []float64
	for i := range falls {
		call = i
		losses = append(losses, step.Call(x, y).Item())
	}
	var weights *dl.Tensor
	dl.NoGrad(func() { _, weights = s.Write(x, written, nil) })
	reference.Check(t, map[string][]float64{"losses": losses, "weights": weights.Index(1).Reshape(-1).Float64s()})
	for i, sum := range weights.Sum(2).Reshape(-1).Float64s() {
		if sum < 0.9999 || sum > 1.0001 {
			t.Error(fmt.Sprint("the weights of symbol ", i, " add up to ", sum))
		}
	}
}
