// Package actorcritic learns to balance a pole with a network that acts and judges, as
// pytorch/examples/reinforcement_learning/actor_critic.py.
//
// Konda and Tsitsiklis, "Actor-Critic Algorithms", 1999.
package actorcritic

import "github.com/holt-dl/holt/dl"

// Policy has two heads: an actor, which gives the probabilities of the two actions, and
// a critic, which says how much reward a state is worth.
type Policy struct {
	Affine1    dl.Linear
	ActionHead dl.Linear `dl:"action_head"`
	ValueHead  dl.Linear `dl:"value_head"`
}

// NewPolicy returns a policy that is not built yet.
func NewPolicy() *Policy {
	return &Policy{Affine1: dl.Linear{Out: 128}, ActionHead: dl.Linear{Out: 2}, ValueHead: dl.Linear{Out: 1}}
}

// Forward returns probabilities [N 2] and values [N 1] of states [N 4].
func (p *Policy) Forward(x *dl.Tensor) (probs, value *dl.Tensor) {
	x = p.Affine1.Forward(x).ReLU()
	return p.ActionHead.Forward(x).Softmax(-1), p.ValueHead.Forward(x)
}

// SavedAction is what is learned from: the logarithm of the probability of the action
// that was taken, and the critic's value of the state, both [1 1].
type SavedAction struct{ LogProb, Value *dl.Tensor }

// SelectAction draws an action by its probability, with a random number in [0, 1).
func (p *Policy) SelectAction(state []float32, random float64) (action int, saved SavedAction) {
	probs, value := p.Forward(dl.FromSlice(state, 1, 4))
	if random >= probs.Float64s()[0] {
		action = 1
	}
	return action, SavedAction{probs.Narrow(1, action, 1).Log(), value}
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

// Loss has the actor prefer actions that went better than the critic expected, and the
// critic come nearer to the returns.
func Loss(saved []SavedAction, returns *dl.Tensor) *dl.Tensor {
	var logProbs, values []*dl.Tensor
	for _, s := range saved {
		logProbs, values = append(logProbs, s.LogProb), append(values, s.Value)
	}
	value := dl.Concat(0, values...).Squeeze(1)
	advantage := returns.Sub(value.Detach())
	actor := dl.Concat(0, logProbs...).Squeeze(1).Mul(advantage).Sum().Neg()
	return actor.Add(value.Loss(dl.SmoothL1Loss{Reduction: "sum"}, returns))
}
