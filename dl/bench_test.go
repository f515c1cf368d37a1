package dl_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/holt-dl/holt/dl"
)

// warm is how many runs come before those that are timed: from the 11th on,
// oneDNN is called.
const warm = 12

// BenchmarkTrainStepCIFARNet is one training step of the tutorial network,
// batch 64, plain SGD, the batch on the host: what the peers' scripts time.
func BenchmarkTrainStepCIFARNet(b *testing.B) {
	for _, backend := range []string{"cuda", "cpu", "go"} {
		b.Run(backend, func(b *testing.B) {
			on(b, backend)
			step, batch := cifarStep()
			must(step.Run(batch)) // compiles
			if backend != "go" {
				for range warm {
					must(step.Run(batch))
				}
			}
			timed(b, func() { must(step.Run(batch)) })
		})
	}
}

// BenchmarkPredictCIFARNet is one forward pass of the tutorial network, batch
// 64.
func BenchmarkPredictCIFARNet(b *testing.B) {
	on(b, "cpu")
	m := must(dl.Build(cifarNet(), dl.Shape{64, 3, 32, 32}))
	x := fill(1, 1, 64, 3, 32, 32)
	for range warm {
		must(m.Predict(x)).Free()
	}
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
	b.ReportMetric(peak(), "peak-MiB")
}

// peak is the most memory that the process ever held, in MiB: of one
// benchmark, where it runs alone.
func peak() float64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return float64(r.Maxrss) / 1024
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

// BenchmarkTrainStepResNet18 is one training step of ResNet18 on 64×64
// pictures, batch 16, plain SGD: torchvision's network, on PyTorch's side.
func BenchmarkTrainStepResNet18(b *testing.B) {
	on(b, "cpu")
	m := must(dl.Build(resnet18(64, 10), dl.Shape{16, 3, 64, 64}))
	step := dl.TrainStep(m, nil, dl.SGD{LR: 0.01})
	batch := dl.Batch{Inputs: fill(1, 1, 16, 3, 64, 64), Labels: dl.FromSlice(make([]int64, 16))}
	for range warm {
		must(step.Run(batch))
	}
	timed(b, func() { must(step.Run(batch)) })
}

// Encoder is PyTorch's TransformerEncoderLayer with its defaults, batch first,
// without dropout.
type Encoder struct {
	Attention    dl.MultiheadAttention `dl:"self_attn"`
	Up           dl.Linear             `dl:"linear1"`
	Down         dl.Linear             `dl:"linear2"`
	Norm1, Norm2 dl.LayerNorm
}

func (e *Encoder) Forward(x *dl.Tensor) *dl.Tensor {
	x = e.Norm1.Forward(x.Add(e.Attention.Forward(x)))
	return e.Norm2.Forward(x.Add(e.Down.Forward(e.Up.Forward(x).ReLU())))
}

// transformer classifies sequences of words with two encoder layers.
func transformer() dl.Sequential {
	net := dl.Sequential{dl.Embedding{In: 1000, Out: 128}}
	for range 2 {
		net = append(net, &Encoder{Attention: dl.MultiheadAttention{Heads: 4, BatchFirst: true}, Up: dl.Linear{Out: 512}, Down: dl.Linear{Out: 128}})
	}
	return append(net, dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Mean(1) }), dl.Linear{Out: 10})
}

// BenchmarkTrainStepTransformer is one training step of two encoder layers of
// 128, four heads, 64 words, batch 32, Adam.
func BenchmarkTrainStepTransformer(b *testing.B) {
	on(b, "cpu")
	m := must(dl.Build(transformer(), dl.Shape{32, 64}, dl.Int64))
	step := dl.TrainStep(m, nil, dl.Adam{})
	batch := dl.Batch{Inputs: whole(fill(1, 1, 32, 64), 1000), Labels: dl.FromSlice(make([]int64, 32))}
	for range warm {
		must(step.Run(batch))
	}
	timed(b, func() { must(step.Run(batch)) })
}

// BenchmarkTrainStepLSTM is one training step of an LSTM of 128 that reads 128 sequences of 200
// vectors of 64 and classifies each by the mean of its outputs, plain SGD. By the last output alone,
// the gradients of the first places are below normal numbers, and PyTorch takes more than twice as long.
func BenchmarkTrainStepLSTM(b *testing.B) {
	on(b, "cpu")
	m := must(dl.Build(dl.Sequential{
		dl.LSTM{Hidden: 128, BatchFirst: true},
		dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Mean(1) }),
		dl.Linear{Out: 10},
	}, dl.Shape{128, 200, 64}))
	step := dl.TrainStep(m, nil, dl.SGD{LR: 0.01})
	batch := dl.Batch{Inputs: fill(1, 1, 128, 200, 64), Labels: dl.FromSlice(make([]int64, 128))}
	for range warm {
		must(step.Run(batch))
	}
	timed(b, func() { must(step.Run(batch)) })
}

// block is one of GPT-2's.
type block struct {
	Norm1, Norm2 dl.LayerNorm
	Attention    dl.MultiheadAttention
	Up, Down     dl.Linear
}

func (b *block) Forward(x *dl.Tensor) *dl.Tensor {
	y := b.Norm1.Forward(x)
	y, _ = b.Attention.Attend(y, y, y, dl.Attention{Causal: true})
	x = x.Add(y)
	return x.Add(b.Down.Forward(dl.GELU{Tanh: true}.Forward(b.Up.Forward(b.Norm2.Forward(x)))))
}

// BenchmarkTrainStepGPT is one training step of a block of GPT-2's of 256, eight heads, which tells
// each of the 64 letters in 8 texts of 256, Adam.
func BenchmarkTrainStepGPT(b *testing.B) {
	on(b, "cpu")
	net := dl.Sequential{
		dl.Embedding{In: 64, Out: 256},
		&block{Attention: dl.MultiheadAttention{Heads: 8, BatchFirst: true}, Up: dl.Linear{Out: 1024}, Down: dl.Linear{Out: 256}},
		dl.LayerNorm{}, dl.Linear{Out: 64},
		dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Transpose(0, 2, 1) }),
	}
	m := must(dl.Build(net, dl.Shape{8, 256}, dl.Int64))
	step := dl.TrainStep(m, nil, dl.Adam{})
	letters := whole(fill(1, 1, 8, 256), 64)
	batch := dl.Batch{Inputs: letters, Labels: letters}
	for range warm {
		must(step.Run(batch))
	}
	timed(b, func() { must(step.Run(batch)) })
}

// BenchmarkRecord is the recording of an operation: its shapes are checked, and its
// part of the key that finds the program is made.
func BenchmarkRecord(b *testing.B) {
	on(b, "cpu")
	x, y := fill(1, 1, 64, 128), fill(2, 1, 64, 128)
	recorded(b, func() int {
		return dl.Record(func(xs []*dl.Tensor) {
			z := xs[0]
			for range 1000 {
				z = z.Add(xs[1])
			}
		}, x, y)
	})
}

// recorded times a recording, which returns how many operations it has.
func recorded(b *testing.B, record func() int) {
	n, best, before := 0, time.Hour, processorTime()
	for b.Loop() {
		began := time.Now()
		n = record()
		best = min(best, time.Since(began))
	}
	b.ReportMetric(float64((processorTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(best.Microseconds()), "min-µs/op")
	b.ReportMetric(float64(best.Nanoseconds())/float64(n), "min-ns/operation")
	b.ReportMetric(float64(n), "operations")
}

// BenchmarkRecordTransformer is the recording of a training step of a transformer of
// twelve layers: forward pass, gradients and optimizer.
func BenchmarkRecordTransformer(b *testing.B) {
	on(b, "cpu")
	net := dl.Sequential{dl.Embedding{In: 1000, Out: 128}}
	for range 12 {
		net = append(net, &Encoder{Attention: dl.MultiheadAttention{Heads: 4, BatchFirst: true}, Up: dl.Linear{Out: 512}, Down: dl.Linear{Out: 128}})
	}
	net = append(net, dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Mean(1) }), dl.Linear{Out: 10})
	m := must(dl.Build(net, dl.Shape{32, 64}, dl.Int64))
	opt := dl.Adam{}.For(m)
	x, labels := whole(fill(1, 1, 32, 64), 1000), dl.FromSlice(make([]int64, 32))
	recorded(b, func() int {
		return dl.Record(func(xs []*dl.Tensor) {
			m.Call(xs[0]).CrossEntropy(xs[1]).Backward()
			opt.Step()
		}, x, labels)
	})
}
