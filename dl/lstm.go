package dl

import "github.com/holt-dl/holt/dl/internal/lower"

// LSTM reads sequences with a long short-term memory, as torch.nn.LSTM does.
//
//	input         [L N In], or [N L In] with BatchFirst
//	weight_ih_l0  [4·Hidden In]       gates in PyTorch's order: input, forget, cell, output
//	weight_hh_l0  [4·Hidden Hidden]
//	bias_ih_l0    [4·Hidden]          absent when NoBias
//	bias_hh_l0    [4·Hidden]          absent when NoBias
//	output        [L N Hidden], or [L N 2·Hidden] with Bidirectional
//
// Layer 1 and on are called …_l1 and read the output of the layer before;
// the backward direction's names end in _reverse. All start uniform in
// ±1/√Hidden. An input of another rank or length is a [*ShapeError].
// [LSTMCell] is one step of it.
//
// Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 1997.
type LSTM struct {
	In            int     // length of an input vector; 0 takes what comes
	Hidden        int     // length of the state; required
	Layers        int     // 0 means 1
	NoBias        bool    // leave out the biases
	BatchFirst    bool    // the first axis is the batch, not the sequence
	Dropout       float64 // share of each layer's output, but the last's, that training drops
	Bidirectional bool    // also read from the end

	place
}

// Forward applies the layer, beginning with a state of zeros, and returns the
// output of each place of the sequence.
func (l LSTM) Forward(x *Tensor) *Tensor {
	y, _, _ := l.ForwardState(x, nil, nil)
	return y
}

// ForwardState applies the layer beginning with the hidden state h and the
// cell state c, both [Layers N Hidden], or [2·Layers N Hidden] with
// Bidirectional; nil is zeros. It also returns the states at the end.
func (l LSTM) ForwardState(x, h, c *Tensor) (output, hn, cn *Tensor) {
	out := runRecurrent(l, x, h, c)
	return out[0], out[1], out[2]
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (l LSTM) Output(in Shape) (Shape, error) { return l.recurrent().output(in) }

func (l LSTM) recurrent() recurrent {
	return recurrent{kind: "LSTM", how: lower.LSTM, in: l.In, hidden: l.Hidden, layers: l.Layers, noBias: l.NoBias,
		batchFirst: l.BatchFirst, bidirectional: l.Bidirectional, dropout: l.Dropout, place: l.place}
}
