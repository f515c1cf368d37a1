package dl_test

import (
	"testing"

	"github.com/holt-dl/holt/dl"
)

// BenchmarkTrainStepCIFARNet is one training step of the tutorial network,
// batch 64, plain SGD, the batch on the host: what the peers' scripts time.
func BenchmarkTrainStepCIFARNet(b *testing.B) {
	for _, backend := range []string{"cuda", "cpu", "go"} {
		b.Run(backend, func(b *testing.B) {
			on(b, backend)
			step, batch := cifarStep()
			step.Run(batch) // compiles
			if backend != "go" {
				for range 9 {
					step.Run(batch)
				}
			}
			for b.Loop() {
				step.Run(batch)
			}
		})
	}
}

// BenchmarkPredictCIFARNet is one forward pass of the tutorial network, batch
// 64.
func BenchmarkPredictCIFARNet(b *testing.B) {
	on(b, "cpu")
	m := must(dl.Build(cifarNet(), dl.Shape{64, 3, 32, 32}))
	x := fill(1, 1, 64, 3, 32, 32)
	must(m.Predict(x))
	for b.Loop() {
		must(m.Predict(x)).Float32s()
	}
}

func cifarStep() (*dl.Step, dl.Batch) {
	m := must(dl.Build(cifarNet(), dl.Shape{64, 3, 32, 32}))
	labels := make([]int64, 64)
	for i := range labels {
		labels[i] = int64(i % 10)
	}
	return dl.TrainStep(m, dl.CrossEntropyLoss{}, dl.SGD{LR: 0.01}),
		dl.Batch{Inputs: fill(1, 1, 64, 3, 32, 32), Labels: dl.FromSlice(labels)}
}
