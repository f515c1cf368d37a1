package dl_test

import (
	"math/rand/v2"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision"
	_ "github.com/holt-dl/holt/dl/vision/cifarsample"
)

// TestDoctorHealthy shows the doctor networks and data of the course, as they
// are before training, and wants no complaint: a false alarm costs more trust
// than a fault that is missed.
func TestDoctorHealthy(t *testing.T) {
	on(t, "cpu")
	t.Setenv("HOLT_DATA", "")
	tf := vision.Compose(vision.ToTensor{}, vision.Normalize{Mean: []float32{0.4914, 0.4822, 0.4465}, Std: []float32{0.247, 0.2435, 0.2616}})
	cifar := must(vision.CIFAR10{Root: t.TempDir(), Train: true, OrSample: true, Transform: tf}.Open())
	words := made{96, func(i int) dl.Example {
		r := rand.New(rand.NewPCG(5, uint64(i)))
		ids := make([]int64, 12)
		for k := range ids {
			ids[k] = int64(10*(i%4) + r.IntN(10)) // each class has words of its own
		}
		return dl.Example{Input: dl.FromSlice(ids), Label: i % 4}
	}}
	line := made{64, func(i int) dl.Example { // y = 3x₀ - x₁ + noise
		r := rand.New(rand.NewPCG(6, uint64(i)))
		a, b := r.NormFloat64(), r.NormFloat64()
		return dl.Example{Input: dl.FromSlice([]float32{float32(a), float32(b)}), Target: dl.FromSlice([]float32{float32(3*a - b + 0.1*r.NormFloat64())})}
	}}
	tests := []struct {
		name  string
		net   dl.Layer
		shape dl.Shape
		dtype dl.DType
		data  dl.Dataset
		loss  dl.Loss
	}{
		{name: "the tutorial's network", data: cifar, shape: dl.Shape{1, 3, 32, 32}, net: dl.Sequential{
			dl.Conv2d{Out: 32, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2}, dl.Conv2d{Out: 32, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2},
			dl.Conv2d{Out: 64, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2}, dl.Flatten{}, dl.Linear{Out: 64}, dl.Linear{Out: 10}}},
		{name: "convolutions with BatchNorm and Dropout", data: cifar, shape: dl.Shape{2, 3, 32, 32}, net: dl.Sequential{
			dl.Conv2d{Out: 16, Kernel: 3, NoBias: true}, dl.BatchNorm2d{}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2}, dl.Conv2d{Out: 32, Kernel: 3}, dl.BatchNorm2d{}, dl.ReLU{},
			dl.AdaptiveAvgPool2d{Out: 1}, dl.Flatten{}, dl.Dropout{P: 0.5}, dl.Linear{Out: 10}}},
		// ResNet18 is healthy too, but takes a minute.
		{name: "a residual network", data: cifar, shape: dl.Shape{2, 3, 32, 32}, net: dl.Sequential{
			dl.Conv2d{Out: 16, Kernel: 3, Stride: 2}, dl.BatchNorm2d{}, dl.ReLU{}, &residual{dl.Conv2d{Out: 16, Kernel: 3, Padding: 1}}, dl.BatchNorm2d{}, dl.ReLU{},
			&residual{dl.Conv2d{Out: 16, Kernel: 3, Padding: 1}}, dl.BatchNorm2d{}, dl.ReLU{}, dl.AdaptiveAvgPool2d{Out: 2}, dl.Flatten{}, dl.Linear{Out: 10}}},
		{name: "a multilayer perceptron with GELU", data: cifar, shape: dl.Shape{1, 3, 32, 32}, net: dl.Sequential{dl.Flatten{}, dl.Linear{Out: 128}, dl.GELU{}, dl.Linear{Out: 10}}},
		{name: "a transformer", data: words, shape: dl.Shape{2, 12}, dtype: dl.Int64, net: dl.Sequential{transformer(), dl.ReLU{}, dl.Linear{Out: 4}}},
		{name: "an LSTM", data: words, shape: dl.Shape{2, 12}, dtype: dl.Int64, net: dl.Sequential{dl.Embedding{In: 40, Out: 16}, dl.LSTM{Hidden: 32, BatchFirst: true},
			dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Mean(1) }), dl.Linear{Out: 4}}},
		{name: "a regression", data: line, shape: dl.Shape{1, 2}, loss: dl.MSELoss{}, net: dl.Sequential{dl.Linear{Out: 32}, dl.Tanh{}, dl.Linear{Out: 1}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dl.Seed(1)
			input := []any{test.shape}
			if test.dtype != 0 {
				input = append(input, test.dtype)
			}
			m := must(dl.Build(test.net, input...))
			d, err := dl.Doctor(m, dl.DataLoader{Dataset: test.data, BatchSize: 16, Shuffle: true}, test.loss)
			if err != nil {
				t.Fatal(err)
			}
			if !d.Healthy() {
				t.Errorf("a healthy network has findings:\n%v", d)
			}
		})
	}
}
