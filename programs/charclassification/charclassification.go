// Package charclassification says which language a surname is of, letter by letter,
// as PyTorch's tutorial "Classifying Names with a Character-Level RNN".
package charclassification

import (
	"strings"

	"github.com/holt-dl/holt/dl"
)

// Letters are those that names consist of.
const Letters = "abcdefghijklmnopqrstuvwxyz"

// OneHot makes a sequence of the letters of a name, [L 1 26]. A letter that is not
// among Letters is zeros.
func OneHot(name string) *dl.Tensor {
	values := make([]float32, len(name)*len(Letters))
	for i := range name {
		if k := strings.IndexByte(Letters, name[i]); k >= 0 {
			values[i*len(Letters)+k] = 1
		}
	}
	return dl.FromSlice(values, len(name), 1, len(Letters))
}

// CharRNN gives the logarithms of the probabilities of the languages, [1 Languages],
// for a name [L 1 26].
type CharRNN struct {
	RNN dl.RNN
	H2O dl.Linear // from the state after the last letter
}

// New returns a network that is not built yet.
func New(hidden, languages int) *CharRNN {
	return &CharRNN{dl.RNN{Hidden: hidden}, dl.Linear{Out: languages}}
}

// Forward runs the network.
func (c *CharRNN) Forward(name *dl.Tensor) *dl.Tensor {
	_, state := c.RNN.ForwardState(name, nil)
	return c.H2O.Forward(state.Index(0)).LogSoftmax(1)
}

// Name is a surname and the number of its language.
type Name struct {
	Text     string
	Language int64
}

// Step learns from some names, whose gradients add up from Backward to Backward, and
// returns their mean loss. Names of one length share a program.
func Step(c *CharRNN, opt *dl.Optim, names []Name) float64 {
	sum := 0.0
	for _, n := range names {
		loss := c.Forward(OneHot(n.Text)).Loss(dl.NLLLoss{}, dl.FromSlice([]int64{n.Language}))
		loss.Scale(1 / float64(len(names))).Backward()
		sum += loss.Item()
	}
	dl.ClipGradNorm(opt, 3)
	opt.Step()
	opt.ZeroGrad()
	return sum / float64(len(names))
}
