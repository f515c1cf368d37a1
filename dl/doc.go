// Package dl builds and trains neural networks on GoMLX.
//
// A [Layer] is a plain struct whose fields are its settings. It holds no
// weights: [Build] makes a [Model] of a layer, or of a struct of layers with
// a Forward method, and the weights live there under PyTorch's names. A
// [Tensor] is an array of numbers; a [Node] stands for one inside a program
// that is being written.
//
//	model, err := dl.Build(dl.Sequential{
//		dl.Conv2d{Out: 32, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2},
//		dl.Flatten{}, dl.Linear{Out: 10},
//	}, dl.Shape{64, 3, 32, 32})
//	run := dl.Start(model, dl.Training{Data: loader, Epochs: 10, Optimizer: dl.SGD{LR: 0.01}})
//	err = run.Wait()
//
// # Shapes
//
// Shapes are written outermost axis first, one letter per axis: N batch,
// C channels, H height, W width, D features. Images are [N C H W], top row
// first; filters are [Out In H W]. What the device computes with is dl's
// choice.
//
// # Two ways in
//
// A method of a Tensor ([Tensor.Softmax]) runs at once, as a small program
// that is compiled once for a shape. The method of the same name of a Node
// ([Node.Softmax]) becomes a part of the program being written: of a model's
// forward pass or training step, which is one program. Layers and functions
// do not share a name: the layer is [ReLU]{}, the function x.ReLU().
//
// # Errors
//
// A layer that is given the wrong shape panics with a [*ShapeError], because
// chained calls cannot return errors. [Build], [Step.Do], [Evaluate] and
// [Model.Predict] return it; a [Run] ends with it.
//
// # Backends
//
// Programs run on CUDA, on XLA for the processor, or on GoMLX's own slow
// backend, the first of them that works ([Use], HOLT_BACKEND). Like
// database/sql, this package links none of them; the program that uses it
// imports them:
//
//	import (
//		_ "github.com/gomlx/compute/gobackend"
//		_ "github.com/gomlx/go-xla/compute/xla"
//	)
//
// # Goroutines
//
// All types may be shared by goroutines. A model that is being trained can be
// looked at, evaluated and saved at any time: readers see the last whole
// training step.
package dl
