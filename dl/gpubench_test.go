package dl_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision/models"
)

// BenchmarkTrainStepLarge is one training step of torchvision's ResNets in bfloat16, which
// bench/gpu.py times on a GPU. HOLT_BENCH_BATCH is how many pictures, HOLT_BENCH_SIDE their
// height and width; without them the benchmark is left out, because it takes a
// processor minutes.
func BenchmarkTrainStepLarge(b *testing.B) {
	size, _ := strconv.Atoi(os.Getenv("HOLT_BENCH_BATCH"))
	side, _ := strconv.Atoi(os.Getenv("HOLT_BENCH_SIDE"))
	if size < 1 || side < 32 {
		b.Skip("HOLT_BENCH_BATCH and HOLT_BENCH_SIDE do not say how many pictures, and how large")
	}
	for name, build := range map[string]func(classes int) *models.ResNet{"ResNet18": models.ResNet18, "ResNet50": models.ResNet50} {
		b.Run(name, func(b *testing.B) {
			on(b, "cpu")
			m := must(dl.Build(build(10), dl.Shape{size, 3, side, side}))
			step := dl.TrainStep(m, nil, dl.SGD{LR: 0.01}).With(dl.Options{Precision: dl.BFloat16})
			batch := dl.Batch{Inputs: fill(1, 1, size, 3, side, side), Labels: dl.FromSlice(make([]int64, size))}
			for range 3 {
				must(step.Run(batch))
			}
			timed(b, func() { must(step.Run(batch)) })
		})
	}
}
