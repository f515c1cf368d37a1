package dl_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

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
			timed(b, func() { step.Run(batch) })
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
	timed(b, func() {
		y := must(m.Predict(x))
		y.Float32s()
		y.Free()
	})
}

// timed runs f as a benchmark, and reports beside the mean the quickest and
// the median run, and the processor's time, which other programs on the
// machine disturb least.
func timed(b *testing.B, f func()) {
	var times []float64
	before := processorTime()
	for b.Loop() {
		start := time.Now()
		f()
		times = append(times, float64(time.Since(start))/1e6)
	}
	used := processorTime() - before
	slices.Sort(times)
	b.ReportMetric(times[0], "min-ms/op")
	b.ReportMetric(times[len(times)/2], "median-ms/op")
	b.ReportMetric(float64(used)/1e6/float64(len(times)), "cpu-ms/op")
}

func processorTime() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
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
