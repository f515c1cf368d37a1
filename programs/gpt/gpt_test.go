package gpt

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

func build(t *testing.T) (*GPT, *dl.Model) {
	gpt := New(17, 8, 24, 4, 2, 0.1)
	model, err := dl.Build(gpt, dl.Shape{3, 8}, dl.Int64)
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	model.Eval() // without dropout, whose random numbers are others in PyTorch
	return gpt, model
}

func TestLikePyTorch(t *testing.T) {
	gpt, model := build(t)
	opt := dl.AdamW{LR: 1e-3, Beta2: 0.95, WeightDecay: 0.1}.For(model)
	step := dl.Compile(func(text *dl.Tensor) *dl.Tensor {
		loss := gpt.Loss(text)
		loss.Backward()
		dl.ClipGradNorm(opt, 1)
		opt.Step()
		return loss
	})
	var losses []float64
	for i := range 10 {
		losses = append(losses, step.Call(reference.Labels(fmt.Sprint("text", i), 17, 3*9).Reshape(3, 9)).Item())
	}
	reference.Check(t, map[string][]float64{"losses": losses})
}

// TestCache writes a text by one program, letter by letter, and compares the scores
// with those of the whole text at once.
func TestCache(t *testing.T) {
	gpt, _ := build(t)
	text := reference.Labels("text", 17, 2*8).Reshape(2, 8)
	want := dl.Compile(gpt.Forward).Call(text)
	step := dl.Compile(gpt.Step)
	cache := gpt.NewCache(2)
	for at := range 8 {
		var scores *dl.Tensor
		scores, cache = step.Call(text.Narrow(1, at, 1).Squeeze(1), cache)
		got, want := scores.Float64s(), want.Narrow(1, at, 1).Float64s()
		for i := range want {
			if math.Abs(got[i]-want[i]) > 1e-5 { // float32, sums in another order
				t.Fatalf("letter %d, score %d is %v with the cache and %v without", at, i, got[i], want[i])
			}
		}
	}
	if got := cache.N.Item(); got != 8 {
		t.Errorf("the cache holds %v letters", got)
	}
}

func TestSample(t *testing.T) {
	scores := dl.FromSlice([]float32{1, 5, 2, 4, 4, 1, 1, 5}, 2, 4)
	seen := map[int64]bool{}
	for range 30 {
		letters := Sample(scores, 2, 1).Int64s()
		if !slices.Contains([]int64{1, 3}, letters[0]) || !slices.Contains([]int64{0, 3}, letters[1]) {
			t.Fatalf("letters %v are not among the best two", letters)
		}
		seen[letters[0]] = true
		if got := Sample(scores, 4, 0.01).Int64s(); !slices.Equal(got, []int64{1, 3}) {
			t.Fatalf("at a low temperature %v are drawn", got)
		}
	}
	if len(seen) != 2 {
		t.Errorf("in 30 draws only %v came up", seen)
	}
}
