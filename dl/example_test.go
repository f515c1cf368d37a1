package dl_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/holt-dl/holt/dl"
)

func ExampleConv2d() {
	conv := dl.Conv2d{In: 3, Out: 8, Kernel: 3, Stride: 2, Padding: 1}
	fmt.Println(conv.Output(dl.Shape{32, 3, 28, 28}))
	fmt.Println(conv.Output(dl.Shape{32, 28, 28, 3}))
	// Output:
	// [32 8 14 14] <nil>
	// [] dl: Conv2d: input is [32 28 28 3], want [N 3 H W]; channels come second: use Transpose(0, 3, 1, 2)
}

func ExampleMaxPool2d() {
	x := dl.FromSlice([]float32{
		1, 2, 0, 3, 1,
		0, 1, 2, 3, 1,
		1, 2, 1, 0, 0,
		5, 2, 3, 1, 1,
		2, 1, 0, 1, 1}, 1, 1, 5, 5)
	y := dl.MaxPool2d{Kernel: 2}.Forward(x)
	fmt.Println(y.Shape(), y.Float32s())
	// Output: [1 1 2 2] [2 3 5 3]
}

func ExampleLinear() {
	fmt.Println(dl.Linear{Out: 10}.Output(dl.Shape{64, 1024}))
	// Output: [64 10] <nil>
}

func ExampleReLU() {
	fmt.Println(dl.FromSlice([]float32{-1, 0, 2}).ReLU().Float32s())
	// Output: [0 0 2]
}

func ExampleFlatten() {
	fmt.Println(dl.Flatten{}.Forward(dl.FromSlice(make([]float32, 24), 2, 3, 2, 2)).Shape())
	// Output: [2 12]
}

// A struct of layers with a Forward method is a network. Sizes that are left
// out are inferred.
func ExampleBuild() {
	// type Net struct {
	//	Features dl.Sequential
	//	Head     dl.Linear
	// }
	//
	// func (n *Net) Forward(x *dl.Tensor) *dl.Tensor {
	//	return n.Head.Forward(n.Features.Forward(x).Flatten())
	// }
	model, err := dl.Build(&Net{
		Features: dl.Sequential{dl.Conv2d{Out: 32, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2}},
		Head:     dl.Linear{Out: 10},
	}, dl.Shape{64, 3, 32, 32})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(model)
	// Output:
	//                                                                                      output         params
	// Net(                                                                                 [64 10]
	//   (features): Sequential(                                                            [64 32 16 16]
	//     (0): Conv2d(3, 32, kernel_size=(5, 5), stride=(1, 1), padding=(2, 2))            [64 32 32 32]   2,432
	//     (1): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)  [64 32 16 16]
	//   )
	//   (head): Linear(in_features=8192, out_features=10, bias=True)                       [64 10]        81,930
	// )
	// Input [64 3 32 32], 84,362 parameters
}

func ExampleStep() {
	if err := dl.Use("go"); err != nil {
		log.Fatal(err)
	}
	dl.Seed(1)
	model, err := dl.Build(dl.Linear{Out: 2}, dl.Shape{4, 2})
	if err != nil {
		log.Fatal(err)
	}
	batch := dl.Batch{
		Inputs: dl.FromSlice([]float32{-1, 0, 1, 0, -2, 1, 2, 1}, 4, 2),
		Labels: dl.FromSlice([]int64{0, 1, 0, 1}),
	}
	step := dl.TrainStep(model, dl.CrossEntropyLoss{}, dl.SGD{LR: 0.5, Momentum: 0.9})
	first, err := step.Run(batch)
	for err == nil && step.N() < 20 {
		_, err = step.Run(batch)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("learned:", step.Last().Loss < first.Loss/4, step.Last().Accuracy)
	// Output: learned: true 1
}

func ExampleModel_Save() {
	model, err := dl.Build(dl.Sequential{dl.Linear{Out: 4}, dl.ReLU{}, dl.Linear{Out: 2}}, dl.Shape{1, 3})
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "net.safetensors")
	if err := model.Save(path); err != nil {
		log.Fatal(err)
	}
	fmt.Println(model.Names(), model.Load(path))
	// Output: [0.weight 0.bias 2.weight 2.bias] <nil>
}
