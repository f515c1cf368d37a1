package vision_test

import (
	_ "image/jpeg"
	"os"
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
	for b.Loop() {
		for batch, err := range loader.Epoch(0) {
			if err != nil {
				b.Fatal(err)
			}
			n += batch.Labels.Size()
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "pictures/s")
}
