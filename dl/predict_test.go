package dl_test

import (
	"testing"

	"github.com/holt-dl/holt/dl"
)

// picks has two inputs: numbers, and the words that choose among them.
type picks struct {
	Words dl.Embedding
	Scale dl.Param
}

func (a *picks) Forward(x, words *dl.Tensor) *dl.Tensor {
	return a.Words.Forward(words).Mul(x).Mul(a.Scale.Value())
}

// TestPredictSeveralInputs predicts with a model of two inputs as it is called, converts
// them to the types that it was built for, and says what is wrong with others.
func TestPredictSeveralInputs(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		net := &picks{Words: dl.Embedding{In: 5, Out: 2}, Scale: dl.Param{Shape: dl.Shape{2}, Init: dl.Constant(3)}}
		m := must(dl.Build(net, dl.Shape{4, 2}, dl.Shape{4}, dl.Int64))
		m.Param("words.weight").Set(dl.FromSlice([]float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 5, 2))
		x := dl.FromSlice([]int64{1, 2, -1, 0}, 2, 2) // the model wants float32
		words := dl.FromSlice([]int64{4, 1})
		want := []float64{24, 54, -6, 0}
		near(t, "Predict", must(m.Predict(x, words)).Float64s(), want, 0)
		near(t, "Call", m.Call(x, words).Float64s(), want, 0)
		for _, c := range []struct {
			inputs []*dl.Tensor
			err    string
		}{
			{nil, "dl: Predict: got 0 inputs, want 2, as Forward of picks has"},
			{[]*dl.Tensor{x}, "dl: Predict: got 1 inputs, want 2, as Forward of picks has"},
			{[]*dl.Tensor{x, words, words}, "dl: Predict: got 3 inputs, want 2, as Forward of picks has"},
			{[]*dl.Tensor{x, nil}, "dl: Predict: input 1 is nil, want a tensor"},
			{[]*dl.Tensor{x, words.As(dl.Float32)}, "dl: Predict: input is [2] float32, want int64, for which the model was built; numbers of words are integers, as x.As(dl.Int64) has them"},
			{[]*dl.Tensor{x, dl.FromSlice([]int64{1, 2, 3})}, "dl: Predict: picks: Mul: input is [3 2], want a shape that fits [2 2]; axes must be equal or 1, from the last on"},
		} {
			_, err := m.Predict(c.inputs...)
			wantError(t, err, c.err)
		}
		_, err := must(dl.Build(dl.Linear{Out: 1}, dl.Shape{2, 2})).Predict(x, x)
		wantError(t, err, "dl: Predict: got 2 inputs, want 1, as Forward of Linear has")
		_, err = m.Features("words", x)
		wantError(t, err, "dl: Features: got 1 inputs, want 2, as Forward of picks has")
	})
}

// keeps has a parameter and a buffer that Forward uses, and a layer and a parameter that
// it does not.
type keeps struct {
	Scale, Spare dl.Param
	Mean         dl.Buffer
	Unused       dl.Linear
}

func (k *keeps) Forward(x *dl.Tensor) *dl.Tensor { return x.Sub(k.Mean.Value()).Mul(k.Scale.Value()) }

// TestPrintParam prints a Param and a Buffer with their shapes where Forward uses them, in
// a second model of the same network too.
func TestPrintParam(t *testing.T) {
	on(t, "go")
	net := &keeps{Scale: dl.Param{Shape: dl.Shape{1, 3}}, Spare: dl.Param{Shape: dl.Shape{2}}, Mean: dl.Buffer{Shape: dl.Shape{3}}}
	for range 2 {
		m := must(dl.Build(net, dl.Shape{4, 3}))
		if got, want := m.String(), `                           output    params
keeps(                     [4 3]
  (scale): Param(1, 3)                    3
  (spare): Param()         not used
  (mean): Buffer(3)
  (unused): Linear()       not used
)
Input [4 3], 3 parameters`; got != want {
			t.Errorf("the model prints\n%s\nwant\n%s", got, want)
		}
	}
}
