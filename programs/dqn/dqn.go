// Package dqn learns to balance a pole by estimating what each action is worth, as
// PyTorch's tutorial on DQN.
//
// Mnih et al., "Human-level control through deep reinforcement learning", 2015.
package dqn

import (
	"math/rand/v2"

	"github.com/holt-dl/holt/dl"
)

// DQN gives the worth of each of two actions, [N 2], in states [N 4].
type DQN struct{ Layer1, Layer2, Layer3 dl.Linear }

// NewDQN returns a network that is not built yet.
func NewDQN() *DQN {
	return &DQN{dl.Linear{Out: 128}, dl.Linear{Out: 128}, dl.Linear{Out: 2}}
}

// Forward runs the network.
func (q *DQN) Forward(x *dl.Tensor) *dl.Tensor {
	return q.Layer3.Forward(q.Layer2.Forward(q.Layer1.Forward(x).ReLU()).ReLU())
}

// Transition is one step of an episode.
type Transition struct {
	State, Next []float32
	Action      int64
	Reward      float32
	Ended       bool // there is no next state
}

// Memory holds the last transitions.
type Memory struct {
	Capacity int
	all      []Transition
	next     int
}

// Push adds a transition; when the memory is full, the oldest one goes.
func (m *Memory) Push(t Transition) {
	if len(m.all) < m.Capacity {
		m.all = append(m.all, t)
		return
	}
	m.all[m.next] = t
	m.next = (m.next + 1) % m.Capacity
}

// Len returns how many transitions there are.
func (m *Memory) Len() int { return len(m.all) }

// Sample returns n different transitions.
func (m *Memory) Sample(n int, rng *rand.Rand) Batch {
	var b []Transition
	for _, i := range rng.Perm(len(m.all))[:n] {
		b = append(b, m.all[i])
	}
	return Collate(b)
}

// Batch is transitions as tensors.
type Batch struct {
	States, Next   *dl.Tensor // [N 4]
	Actions        *dl.Tensor // [N 1] int64
	Rewards, Alive *dl.Tensor // [N]; 0 in Alive where the episode ended
}

// Collate joins transitions.
func Collate(all []Transition) Batch {
	var states, next, rewards, alive []float32
	var actions []int64
	for _, t := range all {
		states, next = append(states, t.State...), append(next, t.Next...)
		actions, rewards = append(actions, t.Action), append(rewards, t.Reward)
		if t.Ended {
			alive = append(alive, 0)
		} else {
			alive = append(alive, 1)
		}
	}
	n := len(all)
	return Batch{dl.FromSlice(states, n, 4), dl.FromSlice(next, n, 4), dl.FromSlice(actions, n, 1), dl.FromSlice(rewards), dl.FromSlice(alive)}
}

// Loss compares the worth of the actions that were taken with their reward and the
// worth of what came after, in the eyes of another network, target.
func Loss(policy, target *DQN, b Batch) *dl.Tensor {
	worth := policy.Forward(b.States).Gather(1, b.Actions).Squeeze(1)
	after := target.Forward(b.Next).Max(1).Mul(b.Alive).Detach()
	return worth.Loss(dl.SmoothL1Loss{}, after.Scale(0.99).Add(b.Rewards))
}

// Step learns from a batch, and has target follow slowly. Compile makes one program
// of it.
func Step(policy, target *DQN, opt *dl.Optim, b Batch) *dl.Tensor {
	loss := Loss(policy, target, b)
	loss.Backward()
	for _, p := range opt.Params() {
		p.SetGrad(p.Grad().Clamp(-100, 100))
	}
	opt.Step()
	from := []dl.Linear{policy.Layer1, policy.Layer2, policy.Layer3}
	for i, to := range []dl.Linear{target.Layer1, target.Layer2, target.Layer3} {
		Follow(to.Weight, from[i].Weight)
		Follow(to.Bias, from[i].Bias)
	}
	return loss
}

// Follow moves a weight a little towards another.
func Follow(to, from *dl.Tensor) {
	const tau = 0.005
	to.Set(from.Scale(tau).Add(to.Scale(1 - tau)))
}
