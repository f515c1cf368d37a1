package dl_test

import (
	"fmt"
	"log"

	"github.com/holt-dl/holt/dl"
)

// A quantized weight is -1 or 1 in the forward pass, and learns as if it were the
// number behind it.
func ExampleCustomGrad() {
	if err := dl.Use("go"); err != nil {
		log.Fatal(err)
	}
	sign := dl.CustomGrad(
		func(x *dl.Tensor) *dl.Tensor { return x.Sign() },
		func(grad, x *dl.Tensor) *dl.Tensor { return grad.Clamp(-1, 1) },
	)
	w := dl.NewParam(dl.FromSlice([]float32{0.3, -2}))
	y := sign(w)
	y.Mul(dl.FromSlice([]float32{0.5, 7})).Sum().Backward()
	fmt.Println(y.Float32s(), w.Grad().Float32s())
	// Output: [1 -1] [0.5 1]
}

// The straight-through gradient needs no function of its own: what is detached has
// none, and the rest is x.
func ExampleTensor_Detach() {
	if err := dl.Use("go"); err != nil {
		log.Fatal(err)
	}
	x := dl.FromSlice([]float32{0.4, 2.7}).RequiresGrad()
	y := x.Add(x.Floor().Sub(x).Detach())
	y.Sum().Backward()
	fmt.Println(y.Float32s(), x.Grad().Float32s())
	// Output: [0 2] [1 1]
}

// Gradients are looked at, and cut, before the optimizer uses them.
func ExampleTensor_OnGrad() {
	if err := dl.Use("go"); err != nil {
		log.Fatal(err)
	}
	w := dl.NewParam(dl.FromSlice([]float32{1, 2}))
	w.OnGrad(func(g *dl.Tensor) *dl.Tensor {
		fmt.Println("found", g.Float32s())
		return g.Clamp(-3, 3)
	})
	opt := dl.SGD{LR: 1}.For(w)
	w.Square().Sum().Backward()
	opt.Step()
	fmt.Println("used", w.Grad().Float32s(), "weights", w.Float32s())
	// Output:
	// found [2 4]
	// used [2 3] weights [-1 -1]
}

// The step fails, says where the first NaN comes from, and leaves the weights as
// they were.
func ExampleStopOnNaN() {
	if err := dl.Use("go"); err != nil {
		log.Fatal(err)
	}
	dl.StopOnNaN(true)
	defer dl.StopOnNaN(false)
	net := dl.Sequential{dl.Linear{Out: 1}, dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Square().Neg().Log() })}
	m, err := dl.Build(net, dl.Shape{2, 3})
	if err != nil {
		log.Fatal(err)
	}
	x := dl.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	_, err = dl.TrainStep(m, dl.MSELoss{}, dl.SGD{LR: 0.1}).Run(dl.Batch{Inputs: x, Labels: dl.Full(0, 2, 1)})
	fmt.Println(err)
	// Output:
	// dl: training step: the loss is NaN: Log in 1 Func is the first that gives NaN; it is for numbers above 0: try x.Clamp(1e-8, 1) for shares, or LogSoftmax; nothing was changed
}
