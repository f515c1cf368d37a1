package chargeneration

import (
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

// TestLikePyTorch compares the losses of ten names, and the five letters that then
// follow an m, where none is the end.
func TestLikePyTorch(t *testing.T) {
	r := New(32)
	model, err := dl.Build(r, dl.Shape{1, 3}, dl.Shape{1, End + 1}, dl.Shape{1, 32})
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	model.Eval("dropout") // PyTorch draws other numbers
	opt := dl.SGD{LR: 0.02}.For(model)
	var losses, letters []float64
	for i, name := range []string{"rossi", "ivanov", "yamada", "conti", "popov", "tanaka", "bruno", "orlov", "abe", "marino"} {
		losses = append(losses, Step(r, opt, OneHot(i%3, 3), name))
	}
	dl.NoGrad(func() {
		for _, c := range r.Write(OneHot(0, 3), 'm', 6, func(scores *dl.Tensor) int {
			return int(scores.Narrow(1, 0, End).Argmax(1).Item())
		}) {
			letters = append(letters, float64(c))
		}
	})
	reference.Check(t, map[string][]float64{"losses": losses, "letters": letters})
}
