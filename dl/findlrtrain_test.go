package dl_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision"
	_ "github.com/holt-dl/holt/dl/vision/cifarsample"
)

// lrNetwork is a network whose learning rate is looked for.
type lrNetwork struct {
	name      string
	steps     int // of the test
	optimizer func(lr float64) dl.Optimizer
	layers    func() dl.Sequential
}

func momentum(lr float64) dl.Optimizer { return dl.SGD{LR: lr, Momentum: 0.9} }

func adam(lr float64) dl.Optimizer { return dl.Adam{LR: lr} }

// lrNetworks are of different kinds: with and without normalization, with saturating activations,
// deep and shallow. The deep one falls late and little, which takes more steps to be seen.
var lrNetworks = []lrNetwork{
	{"chapter 15", 100, momentum, func() dl.Sequential {
		return dl.Sequential{
			dl.Conv2d{Out: 8, Kernel: 5, Stride: 2, Padding: 2}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2},
			dl.Flatten{}, dl.Linear{Out: 32}, dl.ReLU{}, dl.Linear{Out: 10},
		}
	}},
	{"perceptron, Adam", 100, adam, func() dl.Sequential {
		return dl.Sequential{dl.Flatten{}, dl.Linear{Out: 64}, dl.ReLU{}, dl.Linear{Out: 10}}
	}},
	{"batch norm", 100, momentum, func() dl.Sequential {
		return dl.Sequential{
			dl.Conv2d{Out: 8, Kernel: 3, Stride: 2, Padding: 1}, dl.BatchNorm2d{}, dl.ReLU{},
			dl.Conv2d{Out: 16, Kernel: 3, Stride: 2, Padding: 1}, dl.BatchNorm2d{}, dl.ReLU{},
			dl.Flatten{}, dl.Linear{Out: 10},
		}
	}},
	{"tanh, plain SGD", 100, func(lr float64) dl.Optimizer { return dl.SGD{LR: lr} }, func() dl.Sequential {
		return dl.Sequential{dl.Flatten{}, dl.Linear{Out: 64}, dl.Tanh{}, dl.Linear{Out: 32}, dl.Tanh{}, dl.Linear{Out: 10}}
	}},
	{"deep, Adam", 300, adam, func() dl.Sequential {
		return dl.Sequential{
			dl.Conv2d{Out: 8, Kernel: 3, Stride: 2, Padding: 1}, dl.ReLU{},
			dl.Conv2d{Out: 16, Kernel: 3, Stride: 2, Padding: 1}, dl.ReLU{},
			dl.Conv2d{Out: 16, Kernel: 3, Stride: 2, Padding: 1}, dl.ReLU{},
			dl.Flatten{}, dl.Linear{Out: 64}, dl.ReLU{}, dl.Linear{Out: 32}, dl.ReLU{}, dl.Linear{Out: 10},
		}
	}},
}

// TestFindLRTrains trains with the rate that is suggested, which has to beat guessing. With
// HOLT_TEST_LRFINDER=1 it takes all networks and twenty seeds of each, from 1 on, which is minutes.
func TestFindLRTrains(t *testing.T) {
	on(t, "cpu")
	const margin = 0.01 // a network that learns nothing stays at 2.303 or above
	networks, first, seeds, epochs := lrNetworks[:4], 1, 1, 6
	if os.Getenv("HOLT_TEST_LRFINDER") != "" {
		networks, seeds = lrNetworks, 20
		fmt.Sscan(os.Getenv("HOLT_TEST_LRFINDER"), &first)
	}
	train := must(vision.CIFAR10{Root: t.TempDir(), Train: true, OrSample: true}.Open())
	for _, net := range networks {
		for seed := first; seed < first+seeds; seed++ {
			model := func() *dl.Model {
				dl.Seed(uint64(seed))
				return must(dl.Build(net.layers(), dl.Shape{64, 3, 32, 32}))
			}
			loader := dl.DataLoader{
				Dataset:   dl.Subset{Dataset: train, Indices: rand.New(rand.NewPCG(uint64(seed), 1)).Perm(train.Len())[:1280]},
				BatchSize: 64, Shuffle: true, Seed: uint64(seed), Workers: -1,
			}
			curve := must(dl.FindLR(model(), dl.LRTest{Data: loader, Optimizer: net.optimizer(0.01), From: 1e-5, Steps: net.steps}))
			rate := display.LRFinder(curve).Suggest()
			run := dl.Start(model(), dl.Training{Data: loader, Epochs: epochs, Optimizer: net.optimizer(rate)})
			loss := math.NaN()
			if err := run.Wait(); err == nil {
				all := run.Epochs()
				loss = all[len(all)-1].Train.Loss
			}
			t.Logf("%-16s seed %2d: %3d steps, suggests %.3g, loss %.3f after %d epochs", net.name, seed, len(curve.LR), rate, loss, epochs)
			if !(loss < math.Log(10)-margin) {
				t.Errorf("%s, seed %d: with the suggested rate of %.3g the loss is %.3f after %d epochs, want less than guessing's %.3f by %g",
					net.name, seed, rate, loss, epochs, math.Log(10), margin)
			}
		}
	}
}
