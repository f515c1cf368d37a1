package actorcritic

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/cartpole"
	"github.com/holt-dl/holt/programs/reference"
)

func TestLikePyTorch(t *testing.T) {
	policy := NewPolicy()
	model, err := dl.Build(policy, dl.Shape{1, 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	opt := dl.Adam{LR: 3e-2}.For(model)
	var losses, lengths []float64
	for i := range 10 {
		s := reference.Values(fmt.Sprint("start", i), 0.05, 4)
		env := &cartpole.CartPole{X: float64(s[0]), Speed: float64(s[1]), Angle: float64(s[2]), Swing: float64(s[3])}
		random := reference.Values(fmt.Sprint("random", i), 0.5, 500)
		var saved []SavedAction
		var rewards []float32
		for done := false; !done; {
			action, s := policy.SelectAction(env.State(), float64(random[env.Steps])+0.5)
			done = env.Step(action)
			saved, rewards = append(saved, s), append(rewards, 1)
		}
		loss := Loss(saved, Returns(rewards, 0.99))
		opt.ZeroGrad()
		loss.Backward()
		opt.Step()
		losses, lengths = append(losses, loss.Item()), append(lengths, float64(len(rewards)))
	}
	reference.Check(t, map[string][]float64{"losses": losses, "lengths": lengths})
}
