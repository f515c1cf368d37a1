// Package timesequence foresees sine waves, as
// pytorch/examples/time_sequence_prediction: it reads 999 values of a wave one after
// the other, and goes on with its own.
package timesequence

import "github.com/holt-dl/holt/dl"

// Sequence says at each value of a wave what the next one will be.
type Sequence struct {
	LSTM1, LSTM2 dl.LSTMCell
	Linear       dl.Linear
}

// New returns a network that is not built yet.
func New() *Sequence {
	return &Sequence{dl.LSTMCell{Hidden: 51}, dl.LSTMCell{Hidden: 51}, dl.Linear{Out: 1}}
}

// Memory is what the network knows after some values: the states of its cells,
// [N 51], and the value that it expects next, [N 1].
type Memory struct{ H1, C1, H2, C2, Next *dl.Tensor }

// Begin returns what the network knows before it has seen n waves.
func (s *Sequence) Begin(n int) Memory {
	zero := dl.Zeros(n, 51)
	return Memory{zero, zero, zero, zero, dl.Zeros(n, 1)}
}

// Step takes one value of each wave, [N 1].
func (s *Sequence) Step(m Memory, x *dl.Tensor) Memory {
	m.H1, m.C1 = s.LSTM1.Forward(x, m.H1, m.C1)
	m.H2, m.C2 = s.LSTM2.Forward(m.H1, m.H2, m.C2)
	m.Next = s.Linear.Forward(m.H2)
	return m
}

// Read takes waves [N L], and returns what was expected after each value, [N L], and
// what the network knows in the end. The program holds a step once.
func (s *Sequence) Read(waves *dl.Tensor) (*dl.Tensor, Memory) {
	end, next := dl.Scan(func(m Memory, x *dl.Tensor) (Memory, *dl.Tensor) {
		m = s.Step(m, x)
		return m, m.Next
	}, s.Begin(waves.Dim(0)), waves.Transpose(1, 0).Unsqueeze(2))
	return next.Squeeze(2).Transpose(1, 0), end
}

// Forward returns what was expected after each value of waves, both [N L].
func (s *Sequence) Forward(waves *dl.Tensor) *dl.Tensor {
	next, _ := s.Read(waves)
	return next
}

// Future goes on with waves [N L] for n more values, [N n]: each one that was
// expected is taken for the next.
func (s *Sequence) Future(waves *dl.Tensor, n int) *dl.Tensor {
	_, m := s.Read(waves)
	_, more := dl.Scan(func(m Memory, _ *dl.Tensor) (Memory, *dl.Tensor) {
		return s.Step(m, m.Next), m.Next
	}, m, dl.Arange(n))
	return more.Squeeze(2).Transpose(1, 0)
}

// Loss is how far what was expected is from what came, for waves [N L].
func (s *Sequence) Loss(waves *dl.Tensor) *dl.Tensor {
	n := waves.Dim(1) - 1
	return s.Forward(waves.Narrow(1, 0, n)).Loss(dl.MSELoss{}, waves.Narrow(1, 1, n))
}
