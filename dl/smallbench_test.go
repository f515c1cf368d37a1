package dl_test

import (
	"slices"
	"testing"
	"time"

	"github.com/holt-dl/holt/dl"
)

// BenchmarkSmall is operations at once on tensors of a few thousand numbers, which run in Go.
// bench/peers/small_torch.py is PyTorch's side.
func BenchmarkSmall(b *testing.B) {
	on(b, "cpu")
	x, y, w := fill(1, 1, 64, 128), fill(2, 1, 64, 128), fill(3, 1, 128, 128)
	row := fill(4, 1, 128)
	for _, c := range []struct {
		name string
		f    func()
	}{
		{"Add", func() { x.Add(y) }},
		{"AddRow", func() { x.Add(row) }},
		{"ReLU", func() { x.ReLU() }},
		{"Scale", func() { x.Scale(2) }},
		{"SumItem", func() { x.Sum().Item() }},
		{"SumRows", func() { x.Sum(0) }},
		{"MatMul", func() { x.MatMul(w) }},
	} {
		b.Run(c.name, func(b *testing.B) { manyTimed(b, c.f) })
	}
}

// manyTimed times what takes microseconds, a hundred at a time.
func manyTimed(b *testing.B, f func()) {
	const n = 100
	var times []float64
	before := processorTime()
	for b.Loop() {
		start := time.Now()
		for range n {
			f()
		}
		times = append(times, float64(time.Since(start).Nanoseconds())/1e3/n)
	}
	used := processorTime() - before
	slices.Sort(times)
	b.ReportMetric(times[0], "min-µs/call")
	b.ReportMetric(times[len(times)/2], "median-µs/call")
	b.ReportMetric(float64(used.Nanoseconds())/1e3/n/float64(len(times)), "cpu-µs/call")
	b.ReportMetric(0, "ns/op")
}

// BenchmarkStepMLP is one training step of 784-128-10, SGD, batch 64: as a program that
// is compiled once, and with Backward at once.
func BenchmarkStepMLP(b *testing.B) {
	on(b, "cpu")
	net := dl.Sequential{dl.Flatten{}, dl.Linear{Out: 128}, dl.ReLU{}, dl.Linear{Out: 10}}
	m := must(dl.Build(net, dl.Shape{64, 1, 28, 28}))
	labels := make([]int64, 64)
	for i := range labels {
		labels[i] = int64(i % 10)
	}
	batch := dl.Batch{Inputs: fill(1, 1, 64, 1, 28, 28), Labels: dl.FromSlice(labels)}
	b.Run("step", func(b *testing.B) {
		step := dl.TrainStep(m, dl.CrossEntropyLoss{}, dl.SGD{LR: 0.01})
		for range 20 {
			must(step.Run(batch))
		}
		timed(b, func() { must(step.Run(batch)) })
	})
	b.Run("backward", func(b *testing.B) {
		opt := dl.SGD{LR: 0.01}.For(m)
		run := func() {
			loss := m.Call(batch.Inputs).CrossEntropy(batch.Labels)
			loss.Backward()
			opt.Step()
			loss.Item()
		}
		for range 20 {
			run()
		}
		timed(b, run)
	})
}
