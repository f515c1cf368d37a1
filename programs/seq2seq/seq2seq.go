// Package seq2seq translates sequences with attention, as PyTorch's tutorial
// "Translation with a Sequence to Sequence Network and Attention".
//
// Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align
// and Translate", ICLR 2015.
package seq2seq

import "github.com/holt-dl/holt/dl"

// Encoder reads a sequence.
type Encoder struct {
	Embedding dl.Embedding
	GRU       dl.GRU
	Dropout   dl.Dropout
}

// Forward returns what is known at each place of sequences [N L], [N L Hidden], and
// at their ends, [N Hidden].
func (e *Encoder) Forward(x *dl.Tensor) (places, end *dl.Tensor) {
	places, state := e.GRU.ForwardState(e.Dropout.Forward(e.Embedding.Forward(x)), nil)
	return places, state.Index(0)
}

// Attention looks for the places of the input that matter now.
type Attention struct {
	Wa dl.Linear `dl:"Wa"` // of the question
	Ua dl.Linear `dl:"Ua"` // of the places
	Va dl.Linear `dl:"Va"`
}

// Forward takes the decoder's state [N Hidden] and the places [N L Hidden], and
// returns their mean by weights, [N Hidden], and the weights, [N L].
func (a *Attention) Forward(state, places *dl.Tensor) (context, weights *dl.Tensor) {
	scores := a.Va.Forward(a.Wa.Forward(state).Unsqueeze(1).Add(a.Ua.Forward(places)).Tanh())
	weights = scores.Squeeze(2).Softmax(1)
	return weights.Unsqueeze(1).BMM(places).Squeeze(1), weights
}

// Decoder writes a sequence.
type Decoder struct {
	Embedding dl.Embedding
	Attention Attention
	GRU       dl.GRUCell
	Out       dl.Linear
	Dropout   dl.Dropout
}

// Step takes the last symbol [N] and the state [N Hidden], and returns the scores of
// the next symbol [N Symbols], the state for it, and where it looked, [N L].
func (d *Decoder) Step(last, state, places *dl.Tensor) (scores, next, weights *dl.Tensor) {
	context, weights := d.Attention.Forward(state, places)
	next = d.GRU.Forward(dl.Concat(1, d.Dropout.Forward(d.Embedding.Forward(last)), context), state)
	return d.Out.Forward(next), next, weights
}

// Seq2Seq translates sequences of one alphabet into those of another. The symbol 0
// begins what it writes.
type Seq2Seq struct {
	Encoder Encoder
	Decoder Decoder
}

// New returns a network that is not built yet.
func New(from, to, hidden int, dropout float64) *Seq2Seq {
	drop := dl.Dropout{P: dropout}
	return &Seq2Seq{
		Encoder{dl.Embedding{In: from, Out: hidden}, dl.GRU{Hidden: hidden, BatchFirst: true}, drop},
		Decoder{
			Embedding: dl.Embedding{In: to, Out: hidden},
			Attention: Attention{dl.Linear{Out: hidden}, dl.Linear{Out: hidden}, dl.Linear{Out: 1}},
			GRU:       dl.GRUCell{Hidden: hidden}, Out: dl.Linear{Out: to}, Dropout: drop,
		},
	}
}

// Write translates sequences x [N L] into n symbols each, and returns the scores
// [N n Symbols] and where it looked, [N n L]. Each next symbol follows the one that
// teacher [N n] has, or, where that is nil, the one that the network chose.
func (s *Seq2Seq) Write(x *dl.Tensor, n int, teacher *dl.Tensor) (scores, weights *dl.Tensor) {
	places, state := s.Encoder.Forward(x)
	last := dl.Zeros(x.Dim(0)).As(dl.Int64)
	var all, looked []*dl.Tensor
	for i := range n {
		var next, at *dl.Tensor
		next, state, at = s.Decoder.Step(last, state, places)
		all, looked = append(all, next.Unsqueeze(1)), append(looked, at.Unsqueeze(1))
		if teacher != nil {
			last = teacher.Narrow(1, i, 1).Squeeze(1)
		} else {
			last = next.Argmax(1)
		}
	}
	return dl.Concat(1, all...), dl.Concat(1, looked...)
}

// Forward returns the scores of translations y [N n] of x [N L], [N n Symbols].
func (s *Seq2Seq) Forward(x, y *dl.Tensor) *dl.Tensor {
	scores, _ := s.Write(x, y.Dim(1), y)
	return scores
}

// Loss compares what is written for x [N L] with y [N n]. With forced, the network
// goes on from what is right; without, from what it wrote.
func (s *Seq2Seq) Loss(x, y *dl.Tensor, forced bool) *dl.Tensor {
	var teacher *dl.Tensor
	if forced {
		teacher = y
	}
	scores, _ := s.Write(x, y.Dim(1), teacher)
	return scores.Reshape(-1, scores.Dim(2)).CrossEntropy(y.Reshape(-1))
}

// Step learns from x and y, with the teacher at one call and without at another, as
// random, a number from 0 to 1, falls.
func Step(s *Seq2Seq, opt *dl.Optim, x, y *dl.Tensor, random func() float64) *dl.Tensor {
	const ratio = 0.5
	loss := s.Loss(x, y, random() < ratio)
	loss.Backward()
	opt.Step()
	return loss
}
