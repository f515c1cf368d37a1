// Package dl builds and trains neural networks on GoMLX.
//
// A [Tensor] is an array of numbers. A [Layer] is a plain struct whose fields
// are its settings and, once [Build] has seen it, its weights. A network is a
// struct of layers with a Forward method, or any Go code that calls layers and
// methods of tensors. A [Model] is a network that Build has checked, with all
// its weights under PyTorch's names.
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
// # At once, or in one program
//
// The same code runs in two ways. On a tensor that has numbers, x.ReLU() and
// layer.Forward(x) run at once. In a model's training step, in Predict and
// Evaluate, and in a function that [Compile] made, they become parts of one
// program, which XLA compiles as a whole; there a tensor has a shape and no
// numbers yet.
//
// Go code runs at every call in both ways. What it does finds the program, so a
// network may read variables, loop and decide as it likes, and a program is never
// out of date. Something that was not done before is compiled first, but for
// operations at once on few numbers, which run in Go.
//
// Gradients are PyTorch's: loss.Backward(), p.Grad(), opt.Step(), where
// opt := dl.Adam{LR: 1e-3}.For(model); or [Grad] for those of a function.
// [CustomGrad] makes an operation with a gradient of its own, and
// [Tensor.OnGrad] changes a gradient on its way.
//
// # Errors
//
// What builds, loads, saves, changes or runs a model or a training returns an
// error: [Build], [Model.Load], [Model.Freeze], [Model.Predict], [Evaluate],
// [Step.Run], [Run.Wait]. What is part of a chain of calls, in a Forward or at the
// head of a loop cannot, and panics with the error: the operations of tensors and
// all that is used among them (layers, [Model.Call], [Model.Param], Backward,
// [Compile], an optimizer's For and Step), with a [*ShapeError] where a shape does not fit; and
// [DataLoader.Batches], where an example cannot be read. The functions that
// return errors also return what your own code inside of them panics with; so
// does a function that [Compile] made, if its last result is an error. A bug,
// which is a [runtime.Error], goes on as a panic. At the top level of a cell, in
// its loops too, either kind ends the cell with the error; in a function of
// yours an error that is returned is yours to look at.
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
