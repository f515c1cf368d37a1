// Package wordlanguagemodel foresees the next word of a text, as
// pytorch/examples/word_language_model: by an LSTM or a GRU that carries its state
// from one piece of the text to the next, or by a Transformer.
package wordlanguagemodel

import (
	"math"

	"github.com/holt-dl/holt/dl"
)

// Model reads with a recurrent network.
type Model struct {
	Drop    dl.Dropout
	Encoder dl.Embedding
	RNN     dl.Layer // a *dl.LSTM or a *dl.GRU
	Decoder dl.Linear
}

// NewLSTM returns a network that is not built yet, for a vocabulary of some words.
func NewLSTM(words, size, layers int, dropout float64) *Model {
	return newModel(words, size, dropout, &dl.LSTM{Hidden: size, Layers: layers, Dropout: dropout})
}

// NewGRU is NewLSTM with a GRU.
func NewGRU(words, size, layers int, dropout float64) *Model {
	return newModel(words, size, dropout, &dl.GRU{Hidden: size, Layers: layers, Dropout: dropout})
}

func newModel(words, size int, dropout float64, rnn dl.Layer) *Model {
	return &Model{dl.Dropout{P: dropout}, dl.Embedding{In: words, Out: size}, rnn, dl.Linear{Out: words}}
}

// Hidden is what the network remembers of the text so far, [Layers N Size]. A GRU has
// no C.
type Hidden struct{ H, C *dl.Tensor }

// Begin is what the network remembers before n texts begin.
func (m *Model) Begin(n int) Hidden {
	if rnn, ok := m.RNN.(*dl.LSTM); ok {
		zeros := dl.Zeros(rnn.Layers, n, rnn.Hidden)
		return Hidden{zeros, zeros}
	}
	rnn := m.RNN.(*dl.GRU)
	return Hidden{H: dl.Zeros(rnn.Layers, n, rnn.Hidden)}
}

// Read returns the logarithms of the probabilities of the word after each word of
// texts [L N], [L·N Words], and what the network then remembers.
func (m *Model) Read(text *dl.Tensor, h Hidden) (*dl.Tensor, Hidden) {
	x := m.Drop.Forward(m.Encoder.Forward(text))
	switch rnn := m.RNN.(type) {
	case *dl.LSTM:
		x, h.H, h.C = rnn.ForwardState(x, h.H, h.C)
	case *dl.GRU:
		x, h.H = rnn.ForwardState(x, h.H)
	}
	scores := m.Decoder.Forward(m.Drop.Forward(x))
	return scores.Reshape(-1, scores.Dim(2)).LogSoftmax(1), h
}

// Forward reads texts from their beginning.
func (m *Model) Forward(text *dl.Tensor) *dl.Tensor {
	y, _ := m.Read(text, m.Begin(text.Dim(1)))
	return y
}

// InitWeights starts the embedding and the scores anew, as the example does.
func (m *Model) InitWeights() {
	m.Encoder.Weight.Init(dl.Uniform(-0.1, 0.1))
	m.Decoder.Weight.Init(dl.Uniform(-0.1, 0.1))
	m.Decoder.Bias.Init(dl.Constant(0))
}

// Step learns from texts [L N] and the words that come next, [L·N], and goes on with
// what the network remembers of the text before. Gradients end where the piece begins.
func Step(m *Model, opt *dl.Optim, text, next *dl.Tensor, h Hidden) (*dl.Tensor, Hidden) {
	y, h := m.Read(text, h)
	loss := y.Loss(dl.NLLLoss{}, next)
	loss.Backward()
	dl.ClipGradNorm(opt, 0.25)
	opt.Step()
	return loss, h
}

// Transformer foresees words without a memory: each word looks at those before it.
type Transformer struct {
	Embedding dl.Embedding `dl:"input_emb"`
	Drop      dl.Dropout
	Encoder   dl.TransformerEncoder
	Decoder   dl.Linear
}

// NewTransformer returns a network that is not built yet.
func NewTransformer(words, size, heads, hidden, layers int, dropout float64) *Transformer {
	t := &Transformer{Embedding: dl.Embedding{In: words, Out: size}, Drop: dl.Dropout{P: dropout}, Decoder: dl.Linear{Out: words}}
	for range layers {
		t.Encoder.Layers = append(t.Encoder.Layers, dl.TransformerEncoderLayer{Heads: heads, Hidden: hidden, Dropout: dropout})
	}
	return t
}

// Forward returns the logarithms of the probabilities of the word after each word of
// texts [L N], [L·N Words].
func (t *Transformer) Forward(text *dl.Tensor) *dl.Tensor {
	size := t.Embedding.Out
	x := t.Embedding.Forward(text).Scale(math.Sqrt(float64(size))).Add(Waves(text.Dim(0), size))
	x = t.Encoder.Attend(t.Drop.Forward(x), dl.Attention{Causal: true})
	scores := t.Decoder.Forward(x)
	return scores.Reshape(-1, scores.Dim(2)).LogSoftmax(1)
}

// InitWeights starts the embedding and the scores anew, as the example does.
func (t *Transformer) InitWeights() {
	t.Embedding.Weight.Init(dl.Uniform(-0.1, 0.1))
	t.Decoder.Weight.Init(dl.Uniform(-0.1, 0.1))
	t.Decoder.Bias.Init(dl.Constant(0))
}

// Waves tells n places apart, [n 1 size]: sines and cosines whose wavelengths grow
// along a vector.
func Waves(n, size int) *dl.Tensor {
	values := make([]float32, n*size)
	for i := range values {
		place, k := i/size, i%size
		angle := float64(place) * math.Exp(-float64(k-k%2)*math.Log(10000)/float64(size))
		if k%2 == 0 {
			values[i] = float32(math.Sin(angle))
		} else {
			values[i] = float32(math.Cos(angle))
		}
	}
	return dl.FromSlice(values, n, 1, size)
}

// Batchify makes n texts of one, side by side, [L n]. What is left over goes.
func Batchify(words []int64, n int) *dl.Tensor {
	l := len(words) / n
	return dl.FromSlice(words[:l*n], n, l).Transpose(1, 0)
}

// Piece returns up to n rows of texts [L N] from row i on, and the words that come
// next, [n·N].
func Piece(texts *dl.Tensor, i, n int) (text, next *dl.Tensor) {
	n = min(n, texts.Dim(0)-1-i)
	return texts.Narrow(0, i, n), texts.Narrow(0, i+1, n).Reshape(-1)
}
