package reinforce

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/cartpole"
	"github.com/holt-dl/holt/programs/reference"
)

// episode plays until the pole falls, and learns from that.
func episode(policy *Policy, opt *dl.Optim, env *cartpole.CartPole, random func() float64) (loss float64, steps int) {
	var logProbs []*dl.Tensor
	var rewards []float32
	for done := false; !done; {
		action, logProb := policy.SelectAction(env.State(), random())
		done = env.Step(action)
		logProbs, rewards = append(logProbs, logProb), append(rewards, 1)
	}
	total := Loss(logProbs, Returns(rewards, 0.99))
	opt.ZeroGrad()
	total.Backward()
	opt.Step()
	return total.Item(), len(rewards)
}

func TestLikePyTorch(t *testing.T) {
	policy := NewPolicy()
	model, err := dl.Build(policy, dl.Shape{1, 4})
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	model.Eval() // PyTorch's Dropout draws other numbers
	opt := dl.Adam{LR: 1e-2}.For(model)
	var losses, lengths []float64
	for i := range 10 {
		s := reference.Values(fmt.Sprint("start", i), 0.05, 4)
		env := &cartpole.CartPole{X: float64(s[0]), Speed: float64(s[1]), Angle: float64(s[2]), Swing: float64(s[3])}
		random := reference.Values(fmt.Sprint("random", i), 0.5, 500)
		loss, steps := episode(policy, opt, env, func() float64 { return float64(random[env.Steps]) + 0.5 })
		losses, lengths = append(losses, loss), append(lengths, float64(steps))
	}
	reference.Check(t, map[string][]float64{"losses": losses, "lengths": lengths})
}

// BenchmarkStep is a step of the 60 first episodes of a new policy, with its share of
// the gradients and the optimizer, in the processor's time: make bench compares it with
// PyTorch's.
func BenchmarkStep(b *testing.B) {
	var times []float64
	for seed := range b.N {
		dl.Seed(uint64(seed))
		rng := rand.New(rand.NewPCG(1, uint64(seed)))
		policy := NewPolicy()
		model, err := dl.Build(policy, dl.Shape{1, 4})
		if err != nil {
			b.Fatal(err)
		}
		opt := dl.Adam{LR: 1e-2}.For(model)
		env, steps, began := &cartpole.CartPole{}, 0, used(b)
		for range 60 {
			env.Reset(rng)
			_, n := episode(policy, opt, env, rng.Float64)
			steps += n
		}
		times = append(times, (used(b)-began).Seconds()*1000/float64(steps))
	}
	slices.Sort(times)
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(times[len(times)/2], "median-ms/op")
	b.ReportMetric(float64(r.Maxrss)/1024, "peak-MiB")
}

// used returns the time that the processor worked for the test.
func used(b *testing.B) time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
