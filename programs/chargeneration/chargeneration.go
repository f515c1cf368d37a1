// Package chargeneration invents surnames of a language, letter by letter, as
// PyTorch's tutorial "Generating Names with a Character-Level RNN".
package chargeneration

import (
	"strings"

	"github.com/holt-dl/holt/dl"
)

// Letters are those that names consist of. Behind them comes the end of a name.
const Letters = "abcdefghijklmnopqrstuvwxyz"

// End is the number of the end of a name.
const End = len(Letters)

// RNN says which letter is next, [1 27], as logarithms of probabilities.
type RNN struct {
	I2H, I2O, O2O dl.Linear
	Dropout       dl.Dropout
}

// New returns a network that is not built yet, with a state of some length.
func New(hidden int) *RNN {
	return &RNN{dl.Linear{Out: hidden}, dl.Linear{Out: End + 1}, dl.Linear{Out: End + 1}, dl.Dropout{P: 0.1}}
}

// Forward takes a language [1 Languages], a letter [1 27] and the state [1 Hidden],
// and returns the scores of the next letter and the state for it.
func (r *RNN) Forward(language, letter, hidden *dl.Tensor) (next, state *dl.Tensor) {
	all := dl.Concat(1, language, letter, hidden)
	state = r.I2H.Forward(all)
	next = r.O2O.Forward(dl.Concat(1, state, r.I2O.Forward(all)))
	return r.Dropout.Forward(next).LogSoftmax(1), state
}

// Begin is the state before the first letter.
func (r *RNN) Begin() *dl.Tensor { return dl.Zeros(1, r.I2H.Out) }

// OneHot is 1 at a number below n, [1 n].
func OneHot(i, n int) *dl.Tensor {
	values := make([]float32, n)
	values[i] = 1
	return dl.FromSlice(values, 1, n)
}

// Loss is how badly the letters of a name are foreseen, from the second one to its
// end, summed up. A Go loop takes the letters one after the other.
func (r *RNN) Loss(language *dl.Tensor, name string) *dl.Tensor {
	sum, state := dl.Scalar(float32(0)), r.Begin()
	for i := range name {
		var scores *dl.Tensor
		scores, state = r.Forward(language, OneHot(strings.IndexByte(Letters, name[i]), End+1), state)
		next := End
		if i+1 < len(name) {
			next = strings.IndexByte(Letters, name[i+1])
		}
		sum = sum.Add(scores.Loss(dl.NLLLoss{}, dl.FromSlice([]int64{int64(next)})))
	}
	return sum
}

// Step learns from a name, and returns the loss of a letter.
func Step(r *RNN, opt *dl.Optim, language *dl.Tensor, name string) float64 {
	opt.ZeroGrad()
	loss := r.Loss(language, name)
	loss.Backward()
	opt.Step()
	return loss.Item() / float64(len(name))
}

// Write goes on from the first letter of a name of a language, until it ends or is as
// long as most. choose picks the next letter by the scores [1 27].
func (r *RNN) Write(language *dl.Tensor, first byte, most int, choose func(scores *dl.Tensor) int) string {
	name, state := []byte{first}, r.Begin()
	for len(name) < most {
		var scores *dl.Tensor
		scores, state = r.Forward(language, OneHot(strings.IndexByte(Letters, name[len(name)-1]), End+1), state)
		next := choose(scores)
		if next == End {
			break
		}
		name = append(name, Letters[next])
	}
	return string(name)
}
