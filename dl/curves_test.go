package dl_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision/models"
)

// resnet18 is torchvision's, with a width to choose.
func resnet18(width, classes int) *models.ResNet {
	stage := func(out, stride int) dl.Sequential {
		var stage dl.Sequential
		for i := range 2 {
			b := &models.BasicBlock{
				Conv1: dl.Conv2d{Out: out, Kernel: 3, Padding: 1, NoBias: true},
				Conv2: dl.Conv2d{Out: out, Kernel: 3, Padding: 1, NoBias: true},
			}
			if i == 0 && stride > 1 {
				b.Conv1.Stride = stride
				b.Downsample = dl.Sequential{dl.Conv2d{Out: out, Kernel: 1, Stride: stride, NoBias: true}, dl.BatchNorm2d{}}
			}
			stage = append(stage, b)
		}
		return stage
	}
	return &models.ResNet{
		Conv1:   dl.Conv2d{Out: width, Kernel: 7, Stride: 2, Padding: 3, NoBias: true},
		MaxPool: dl.MaxPool2d{Kernel: 3, Stride: 2, Padding: 1},
		Layer1:  stage(width, 1), Layer2: stage(2*width, 2), Layer3: stage(4*width, 2), Layer4: stage(8*width, 2),
		AvgPool: dl.AdaptiveAvgPool2d{Out: 1}, FC: dl.Linear{Out: classes},
	}
}

// TestCurvesLikePyTorch starts from the weights of a file that PyTorch wrote,
// and takes 50 steps.
func TestCurvesLikePyTorch(t *testing.T) {
	on(t, "cpu")
	b, err := os.ReadFile("testdata/ref/curves.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		ResNet, Tutorial struct{ Losses, Eval []float64 }
	}
	if err := json.Unmarshal(b, &ref); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name         string
		net          dl.Layer
		batch, side  int
		lr           float64
		losses, eval []float64
		oneDNN       string
	}{
		{"resnet", resnet18(8, 10), 16, 64, 0.001, ref.ResNet.Losses, ref.ResNet.Eval, ""},
		{"tutorial", cifarNet(), 8, 32, 0.01, ref.Tutorial.Losses, ref.Tutorial.Eval, "0"},
		{"tutorial", cifarNet(), 8, 32, 0.01, ref.Tutorial.Losses, ref.Tutorial.Eval, ""},
	} {
		m := must(dl.Build(c.net, dl.Shape{c.batch, 3, c.side, c.side}))
		if err := m.Load(fmt.Sprintf("testdata/ref/%s.safetensors", c.name)); err != nil {
			t.Fatal(err)
		}
		step := dl.TrainStep(m, nil, dl.SGD{LR: c.lr, Momentum: 0.9})
		// Roundings grow in the tutorial network, from 1e-7 of the loss at the 18th step: in a
		// near-tie of a pool another number is the largest. PyTorch's own losses on a processor
		// with AVX-512 are up to 2.8e-4 from the reference, and its evaluation 7.3e-3. With
		// oneDNN from the 11th step on ours are 7.1e-5 and 2.1e-2, on an H200 2.3e-4.
		bound, after, worst := 1e-4, 1e-3, 0.0
		if c.name == "tutorial" && (c.oneDNN != "0" || onGPU()) {
			bound, after = 4e-4, 5e-2
		}
		t.Setenv("HOLT_ONEDNN", c.oneDNN)
		for n, want := range c.losses {
			labels := make([]int64, c.batch)
			for i := range labels {
				labels[i] = int64((i*3 + n) % 10)
			}
			got := must(step.Run(dl.Batch{Inputs: fill(40+n, 1, c.batch, 3, c.side, c.side), Labels: dl.FromSlice(labels)})).Loss
			worst = max(worst, math.Abs(got-want)/want)
			if math.Abs(got-want) > bound*want {
				t.Errorf("%s: loss of step %d is %v, want %v", c.name, n, got, want)
			}
		}
		t.Logf("%s: the losses of 50 steps differ by at most %.1e of PyTorch's", c.name, worst)
		near(t, c.name+" evaluated", must(m.Predict(fill(7, 1, 2, 3, c.side, c.side))).Float64s(), c.eval, after) // 50 steps add up roundings
	}
}
