package models_test

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision/models"
)

// BenchmarkTrainStepVGG16Head is one training step of the linear layers of VGG16, whose features stay
// as they are, on 16 pictures of 224×224, plain SGD. With HOLT_ONEDNN=1 there is nothing to wait for:
// the first step has all calls of oneDNN, and 50 steps are minutes.
func BenchmarkTrainStepVGG16Head(b *testing.B) {
	if err := dl.Use("cpu"); err != nil {
		b.Skip(err)
	}
	b.Setenv("HOLT_ONEDNN", "1")
	m := must(dl.Build(models.VGG16(10), dl.Shape{16, 3, 224, 224}))
	if err := m.Freeze("features"); err != nil {
		b.Fatal(err)
	}
	step := dl.TrainStep(m, nil, dl.SGD{LR: 0.001})
	batch := dl.Batch{Inputs: dl.Rand(16, 3, 224, 224), Labels: dl.FromSlice(make([]int64, 16))}
	for range 2 {
		must(step.Run(batch))
	}
	var times []float64
	before := used()
	for b.Loop() {
		start := time.Now()
		must(step.Run(batch))
		times = append(times, float64(time.Since(start))/1e6)
	}
	after := used()
	slices.Sort(times)
	b.ReportMetric(times[len(times)/2], "median-ms/op")
	b.ReportMetric((after.ms-before.ms)/float64(len(times)), "cpu-ms/op")
	b.ReportMetric(after.peak, "peak-MiB")
}

// usage is what the process has used so far.
type usage struct{ ms, peak float64 } // of processor time, and MiB of memory

func used() usage {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return usage{}
	}
	return usage{float64(r.Utime.Nano()+r.Stime.Nano()) / 1e6, float64(r.Maxrss) / 1024}
}
