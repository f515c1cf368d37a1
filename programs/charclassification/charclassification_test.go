package charclassification

import (
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

// TestLikePyTorch compares the losses of ten steps of four names each.
func TestLikePyTorch(t *testing.T) {
	c := New(32, 3)
	model, err := dl.Build(c, dl.Shape{5, 1, len(Letters)})
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	names := []Name{{"rossi", 0}, {"ivanov", 1}, {"yamada", 2}, {"conti", 0}, {"popov", 1}, {"tanaka", 2}, {"bruno", 0}, {"orlov", 1}}
	opt := dl.SGD{LR: 0.15}.For(model)
	var losses []float64
	for i := range 10 {
		losses = append(losses, Step(c, opt, names[i%2*4:i%2*4+4]))
	}
	reference.Check(t, map[string][]float64{"losses": losses})
}
