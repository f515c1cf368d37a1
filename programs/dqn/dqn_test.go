package dqn

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

func TestLikePyTorch(t *testing.T) {
	policy, target := NewDQN(), NewDQN()
	var optimised *dl.Model
	for _, net := range []*DQN{policy, target} {
		model, err := dl.Build(net, dl.Shape{1, 4})
		if err != nil {
			t.Fatal(err)
		}
		if err := reference.Fill(model); err != nil {
			t.Fatal(err)
		}
		if net == policy {
			optimised = model
		}
	}
	opt := dl.AdamW{LR: 3e-3, AMSGrad: true}.For(optimised)
	step := dl.Compile(func(b Batch) *dl.Tensor { return Step(policy, target, opt, b) })
	var losses []float64
	for i := range 10 {
		states, next := reference.Values(fmt.Sprint("state", i), 1, 4*32), reference.Values(fmt.Sprint("next", i), 1, 4*32)
		actions := reference.Labels(fmt.Sprint("action", i), 2, 32).Int64s()
		var all []Transition
		for k := range 32 {
			all = append(all, Transition{State: states[4*k : 4*k+4], Next: next[4*k : 4*k+4], Action: actions[k], Reward: 1, Ended: k%5 == 0})
		}
		losses = append(losses, step.Call(Collate(all)).Item())
	}
	reference.Check(t, map[string][]float64{"losses": losses, "target": target.Layer2.Bias.Float64s()[:8]})
}

// TestMemory fills a memory beyond its capacity.
func TestMemory(t *testing.T) {
	m := &Memory{Capacity: 3}
	for i := range 5 {
		m.Push(Transition{State: make([]float32, 4), Next: make([]float32, 4), Reward: float32(i)})
	}
	if sum := m.Sample(3, rand.New(rand.NewPCG(1, 1))).Rewards.Sum().Item(); m.Len() != 3 || sum != 2+3+4 {
		t.Errorf("%d transitions with rewards of %v, want 3 with 9", m.Len(), sum)
	}
}
