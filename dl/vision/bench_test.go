package vision_test

import (
	"os"
	"syscall"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision"
)

// BenchmarkImageFolder reads photographs as a course trains on them; its peer
// is bench/peers/loader_torch.py. HOLT_IMAGES names the folder.
func BenchmarkImageFolder(b *testing.B) {
	root := os.Getenv("HOLT_IMAGES")
	if root == "" {
		b.Skip("HOLT_IMAGES does not name an image folder of classes")
	}
	d, err := vision.ImageFolder{Root: root, Transform: vision.Compose(
		vision.Resize{Size: 256}, vision.RandomCrop{Size: 224}, vision.RandomHorizontalFlip{}, vision.ToTensor{},
		vision.Normalize{Mean: []float32{0.485, 0.456, 0.406}, Std: []float32{0.229, 0.224, 0.225}},
	)}.Open()
	if err != nil {
		b.Fatal(err)
	}
	loader := dl.DataLoader{Dataset: d, BatchSize: 16, Shuffle: true}
	n := 0
	before := processor()
	for b.Loop() {
		for batch := range loader.Epoch(0) {
			n += batch.Labels.Size()
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "pictures/s")
	used := processor()
	b.ReportMetric(1000*(used.seconds-before.seconds)/float64(n), "cpu-ms/picture")
	b.ReportMetric(used.peak, "peak-MB")
}

// usage is what this process has used so far.
type usage struct {
	seconds float64 // of processor time, user and system
	peak    float64 // MB of memory
}

func processor() usage {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return usage{}
	}
	return usage{float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9, float64(r.Maxrss) / 1024}
}
