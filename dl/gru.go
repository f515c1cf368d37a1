package dl

import "github.com/holt-dl/holt/dl/internal/lower"

// GRU reads sequences with gated recurrent units, as torch.nn.GRU does.
//
//	input         [L N In], or [N L In] with BatchFirst
//	weight_ih_l0  [3·Hidden In]       gates in PyTorch's order: reset, update, new
//	weight_hh_l0  [3·Hidden Hidden]
//	bias_ih_l0    [3·Hidden]          absent when NoBias
//	bias_hh_l0    [3·Hidden]          absent when NoBias
//	output        [L N Hidden], or [L N 2·Hidden] with Bidirectional
//
// With x the input, h the state, and W, U, b and d the matrices and biases of the
// input and of the state, a step is
//
//	r  = σ(Wr·x + br + Ur·h + dr)
//	z  = σ(Wz·x + bz + Uz·h + dz)
//	n  = tanh(Wn·x + bn + r·(Un·h + dn))
//	h' = (1-z)·n + z·h
//
// Layer 1 and on are called …_l1 and read the output of the layer before;
// the backward direction's names end in _reverse. All start uniform in
// ±1/√Hidden. An input of another rank or length is a [*ShapeError].
// [GRUCell] is one step of it.
//
// Cho et al., "Learning Phrase Representations using RNN Encoder–Decoder for
// Statistical Machine Translation", EMNLP 2014; PyTorch multiplies by r after the
// matrix, not before it.
type GRU struct {
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
func (g GRU) Forward(x *Tensor) *Tensor {
	y, _ := g.ForwardState(x, nil)
	return y
}

// ForwardState applies the layer beginning with the state h [Layers N Hidden], or
// [2·Layers N Hidden] with Bidirectional; nil is zeros. It also returns the state
// at the end.
func (g GRU) ForwardState(x, h *Tensor) (output, hn *Tensor) {
	out := runRecurrent(g, x, h)
	return out[0], out[1]
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (g GRU) Output(in Shape) (Shape, error) { return g.recurrent().output(in) }

func (g GRU) recurrent() recurrent {
	return recurrent{kind: "GRU", how: lower.GRU, in: g.In, hidden: g.Hidden, layers: g.Layers, noBias: g.NoBias,
		batchFirst: g.BatchFirst, bidirectional: g.Bidirectional, dropout: g.Dropout, place: g.place}
}
