// Package mnistrnn reads digits row by row with an LSTM, as
// pytorch/examples/mnist_rnn.
package mnistrnn

import "github.com/holt-dl/holt/dl"

// Net gives the logarithms of the probabilities of ten digits, [N 10], for pictures
// [N 1 28 28].
type Net struct {
	RNN                dl.LSTM // reads a row of 28 pixels at a time
	BatchNorm          dl.BatchNorm1d
	Dropout1, Dropout2 dl.Dropout
	FC1, FC2           dl.Linear
}

// New returns a network that is not built yet.
func New() *Net {
	return &Net{
		RNN:      dl.LSTM{Hidden: 64, BatchFirst: true},
		Dropout1: dl.Dropout{P: 0.25}, Dropout2: dl.Dropout{P: 0.5},
		FC1: dl.Linear{Out: 32}, FC2: dl.Linear{Out: 10},
	}
}

// Forward runs the network. It decides by what the LSTM gives after the last row.
func (n *Net) Forward(x *dl.Tensor) *dl.Tensor {
	rows := n.RNN.Forward(x.Reshape(-1, 28, 28))
	last := n.BatchNorm.Forward(rows.Narrow(1, 27, 1).Squeeze(1))
	h := n.FC1.Forward(n.Dropout1.Forward(last)).ReLU()
	return n.FC2.Forward(n.Dropout2.Forward(h)).LogSoftmax(1)
}
