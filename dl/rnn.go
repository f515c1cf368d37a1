package dl

// RNN reads sequences with a plain recurrent network, as torch.nn.RNN does.
//
//	input         [L N In], or [N L In] with BatchFirst
//	weight_ih_l0  [Hidden In]
//	weight_hh_l0  [Hidden Hidden]
//	bias_ih_l0    [Hidden]         absent when NoBias
//	bias_hh_l0    [Hidden]         absent when NoBias
//	output        [L N Hidden], or [L N 2·Hidden] with Bidirectional
//
// A step makes tanh(weight_ih·x + bias_ih + weight_hh·h + bias_hh) of the input x
// and the state h. Layer 1 and on are called …_l1 and read the output of the layer
// before; the backward direction's names end in _reverse. All start uniform in
// ±1/√Hidden. An input of another rank or length is a [*ShapeError].
// [RNNCell] is one step of it.
//
// Elman, "Finding Structure in Time", Cognitive Science 1990.
type RNN struct {
	In            int     // length of an input vector; 0 takes what comes
	Hidden        int     // length of the state; required
	Layers        int     // 0 means 1
	Nonlinearity  string  // "tanh" or "relu"; "" means "tanh"
	NoBias        bool    // leave out the biases
	BatchFirst    bool    // the first axis is the batch, not the sequence
	Dropout       float64 // share of each layer's output, but the last's, that training drops
	Bidirectional bool    // also read from the end

	place
}

// Forward applies the layer, beginning with a state of zeros, and returns the
// output of each place of the sequence.
func (r RNN) Forward(x *Tensor) *Tensor {
	y, _ := r.ForwardState(x, nil)
	return y
}

// ForwardState applies the layer beginning with the state h [Layers N Hidden], or
// [2·Layers N Hidden] with Bidirectional; nil is zeros. It also returns the state
// at the end.
func (r RNN) ForwardState(x, h *Tensor) (output, hn *Tensor) {
	out := runRecurrent(r, x, h)
	return out[0], out[1]
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (r RNN) Output(in Shape) (Shape, error) { return r.recurrent().output(in) }

func (r RNN) recurrent() recurrent {
	how, err := r.nonlinear("RNN", r.Nonlinearity)
	return recurrent{kind: "RNN", how: how, in: r.In, hidden: r.Hidden, layers: r.Layers, noBias: r.NoBias,
		batchFirst: r.BatchFirst, bidirectional: r.Bidirectional, dropout: r.Dropout, err: err, place: r.place}
}
