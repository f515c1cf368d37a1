package wordlanguagemodel

import (
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

const words, size, length, texts = 30, 16, 7, 4

// text is that of the test: 71 rows of four texts, so that ten pieces of seven words
// follow one another.
func text() *dl.Tensor {
	return Batchify(reference.Labels("text", words, 71*texts).Int64s(), texts)
}

// carried returns the first ten losses of a network whose state is carried on.
func carried(t *testing.T, m *Model) (losses []float64) {
	model, err := dl.Build(m, dl.Shape{length, texts}, dl.Int64)
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	opt := dl.SGD{LR: 5}.For(model)
	step := dl.Compile(func(text, next *dl.Tensor, h Hidden) (*dl.Tensor, Hidden) { return Step(m, opt, text, next, h) })
	all := text()
	h := m.Begin(texts)
	for i := range 10 {
		var loss *dl.Tensor
		text, next := Piece(all, i*length, length)
		loss, h = step.Call(text, next, h)
		losses = append(losses, loss.Item())
	}
	return losses
}

// TestLikePyTorch compares the first ten losses of an LSTM and a GRU that carry their
// state on, and of a Transformer. None drops anything: PyTorch draws other numbers.
func TestLikePyTorch(t *testing.T) {
	tr := NewTransformer(words, size, 2, 24, 2, dl.Zero)
	model, err := dl.Build(tr, dl.Shape{length, texts}, dl.Int64)
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	opt := dl.SGD{LR: 1}.For(model)
	step := dl.Compile(func(text, next *dl.Tensor) *dl.Tensor {
		loss := model.Call(text).Loss(dl.NLLLoss{}, next)
		loss.Backward()
		dl.ClipGradNorm(opt, 0.25)
		opt.Step()
		return loss
	})
	all := text()
	var losses []float64
	for i := range 10 {
		text, next := Piece(all, i*length, length)
		losses = append(losses, step.Call(text, next).Item())
	}
	reference.Check(t, map[string][]float64{
		"lstm": carried(t, NewLSTM(words, size, 2, dl.Zero)), "gru": carried(t, NewGRU(words, size, 2, dl.Zero)), "transformer": losses,
	})
}
