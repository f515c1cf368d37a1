package languagetranslation

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

// sentences makes n sentences of some length as [length n], the k-th of which ends
// k%3 words earlier.
func sentences(name string, words, length, n int) *dl.Tensor {
	values := reference.Labels(name, words-End-1, length*n).Int64s()
	for i := range values {
		place, k := i/n, i%n
		switch last := length - 1 - k%3; {
		case place == 0:
			values[i] = Begin
		case place < last:
			values[i] += End + 1
		case place == last:
			values[i] = End
		default:
			values[i] = Padding
		}
	}
	return dl.FromSlice(values, length, n)
}

func TestLikePyTorch(t *testing.T) {
	translator := New(20, 23, 16, 4, 1, 32)
	model, err := dl.Build(translator, dl.Shape{7, 4}, dl.Int64, dl.Shape{6, 4}, dl.Int64)
	if err != nil {
		t.Fatal(err)
	}
	position := model.Param("position").Detach()
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	translator.Position.Value().Set(position)
	model.Eval() // without dropout, whose random numbers are others in PyTorch
	opt := dl.Adam{LR: 1e-4, Beta2: 0.98, Epsilon: 1e-9}.For(model)
	step := dl.Compile(func(source, target *dl.Tensor) *dl.Tensor {
		loss := translator.Loss(source, target)
		loss.Backward()
		opt.Step()
		return loss
	})
	var losses []float64
	for i := range 10 {
		losses = append(losses, step.Call(sentences(fmt.Sprint("source", i), 20, 7, 4), sentences(fmt.Sprint("target", i), 23, 6, 4)).Item())
	}
	reference.Check(t, map[string][]float64{"losses": losses})
}
