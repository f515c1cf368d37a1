package regression

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

func TestLikePyTorch(t *testing.T) {
	fc := &dl.Linear{Out: 1}
	model, err := dl.Build(fc, dl.Shape{32, 4})
	if err != nil {
		t.Fatal(err)
	}
	weight, bias := reference.Tensor("target", 5, 4, 1), reference.Tensor("offset", 5, 1)
	train := func(step func(fc *dl.Linear, x, y *dl.Tensor) *dl.Tensor) (losses []float64) {
		if err := reference.Fill(model); err != nil {
			t.Fatal(err)
		}
		for i := range 10 {
			x := Features(reference.Tensor(fmt.Sprint("x", i), 1.5, 32))
			y := x.MatMul(weight).Add(bias)
			losses = append(losses, step(fc, x, y).Item())
		}
		return losses
	}
	reference.Check(t, map[string][]float64{"losses": train(Step)})
	reference.Check(t, map[string][]float64{"losses": train(dl.Compile(Step).Call)})
}

func TestDescribe(t *testing.T) {
	got := Describe(dl.FromSlice([]float32{1, -2.5}), dl.Scalar(float32(3)))
	if want := "y = +1.00 x^1 -2.50 x^2 +3.00"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
