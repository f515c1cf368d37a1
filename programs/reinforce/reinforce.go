// Package reinforce learns to balance a pole by its own tries, as
// pytorch/examples/reinforcement_learning/reinforce.py.
//
// Williams, "Simple Statistical Gradient-Following Algorithms for Connectionist
// Reinforcement Learning", 1992.
package reinforce

import "github.com/holt-dl/holt/dl"

// Policy gives the probabilities of the two actions, [N 2], in states [N 4].
type Policy struct {
	Affine1 dl.Linear
	Dropout dl.Dropout
	Affine2 dl.Linear
}

// NewPolicy returns a policy that is not built yet.
func NewPolicy() *Policy {
	return &Policy{Affine1: dl.Linear{Out: 128}, Dropout: dl.Dropout{P: 0.6}, Affine2: dl.Linear{Out: 2}}
}

// Forward runs the network.
func (p *Policy) Forward(x *dl.Tensor) *dl.Tensor {
	x = p.Dropout.Forward(p.Affine1.Forward(x)).ReLU()
	return p.Affine2.Forward(x).Softmax(1)
}

// SelectAction draws an action by its probability, with a random number in [0, 1),
// and returns the logarithm of that probability, [1 1].
func (p *Policy) SelectAction(state []float32, random float64) (action int, logProb *dl.Tensor) {
	probs := p.Forward(dl.FromSlice(state, 1, 4))
	if random >= probs.Float64s()[0] {
		action = 1
	}
	return action, probs.Narrow(1, action, 1).Log()
}

// Returns are the sums of the rewards from each step on, later ones counting less
// and less, moved and scaled to mean 0 and deviation 1.
func Returns(rewards []float32, gamma float32) *dl.Tensor {
	returns := make([]float32, len(rewards))
	var sum float32
	for i := len(rewards) - 1; i >= 0; i-- {
		sum = rewards[i] + gamma*sum
		returns[i] = sum
	}
	r := dl.FromSlice(returns)
	return r.Sub(r.Mean()).Div(r.Std().Shift(1e-7))
}

// Loss falls as actions with high returns become more probable.
func Loss(logProbs []*dl.Tensor, returns *dl.Tensor) *dl.Tensor {
	return dl.Concat(0, logProbs...).Squeeze(1).Mul(returns).Sum().Neg()
}
