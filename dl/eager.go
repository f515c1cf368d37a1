package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// The methods below run at once on a tensor that has values, and become a part
// of the program inside of a compiled function, of a model's Forward in a
// training step, and the like. Shapes that do not fit panic with a
// [*ShapeError].

// ReLU returns max(x, 0).
func (t *Tensor) ReLU() *Tensor {
	return t.unary("relu", (*node).ReLU)
}

// LeakyReLU returns t where it is above 0, else t·slope.
func (t *Tensor) LeakyReLU(slope float64) *Tensor {
	return t.with("leakyrelu", slope, func(x *node) *node { return x.LeakyReLU(slope) })
}

// ELU returns t where it is above 0, else alpha·(eᵗ - 1); alpha is 1 in most
// networks.
func (t *Tensor) ELU(alpha float64) *Tensor {
	return t.with("elu", alpha, func(x *node) *node { return x.ELU(alpha) })
}

// GELU returns t·Φ(t), with Φ the normal distribution.
func (t *Tensor) GELU() *Tensor {
	return t.unary("gelu", (*node).GELU)
}

// GELUTanh returns the approximation of GELU by tanh.
func (t *Tensor) GELUTanh() *Tensor {
	return t.unary("gelutanh", (*node).GELUTanh)
}

// SiLU returns t·sigmoid(t).
func (t *Tensor) SiLU() *Tensor {
	return t.unary("silu", (*node).SiLU)
}

// Sigmoid returns 1/(1+e⁻ˣ).
func (t *Tensor) Sigmoid() *Tensor {
	return t.unary("sigmoid", (*node).Sigmoid)
}

// Tanh returns the hyperbolic tangent.
func (t *Tensor) Tanh() *Tensor {
	return t.unary("tanh", (*node).Tanh)
}

// Exp returns eˣ.
func (t *Tensor) Exp() *Tensor {
	return t.unary("exp", (*node).Exp)
}

// Log returns the natural logarithm.
func (t *Tensor) Log() *Tensor {
	return t.unary("log", (*node).Log)
}

// Sqrt returns the square root.
func (t *Tensor) Sqrt() *Tensor {
	return t.unary("sqrt", (*node).Sqrt)
}

// Neg returns -t.
func (t *Tensor) Neg() *Tensor {
	return t.unary("neg", (*node).Neg)
}

// Abs returns |t|.
func (t *Tensor) Abs() *Tensor {
	return t.unary("abs", (*node).Abs)
}

// Square returns t².
func (t *Tensor) Square() *Tensor {
	return t.unary("square", (*node).Square)
}

// Pow returns t to a power.
func (t *Tensor) Pow(exponent float64) *Tensor {
	return t.with("pow", exponent, func(x *node) *node { return x.Pow(exponent) })
}

// Scale returns t multiplied by a number.
func (t *Tensor) Scale(by float64) *Tensor {
	return t.number("scale", func(t *trace, x *graph.Node) *graph.Node { return t.times(x, 0) }, by)
}

// Shift returns t plus a number.
func (t *Tensor) Shift(by float64) *Tensor {
	return t.number("shift", func(t *trace, x *graph.Node) *graph.Node { return t.plus(x, 0) }, by)
}

// Clamp returns t, but low where it is below that and high where above.
func (t *Tensor) Clamp(low, high float64) *Tensor {
	return t.with("clamp", [2]float64{low, high}, func(x *node) *node { return x.Clamp(low, high) })
}

// Softmax returns eˣ over its sum along an axis; -1 is the last.
func (t *Tensor) Softmax(axis int) *Tensor {
	return t.with("softmax", axis, func(x *node) *node { return x.Softmax(axis) })
}

// LogSoftmax returns the logarithm of Softmax.
func (t *Tensor) LogSoftmax(axis int) *Tensor {
	return t.with("logsoftmax", axis, func(x *node) *node { return x.LogSoftmax(axis) })
}

// Argmax returns where along an axis the largest value is, as int64; -1 is
// the last axis.
func (t *Tensor) Argmax(axis int) *Tensor {
	return t.with("argmax", axis, func(x *node) *node { return x.Argmax(axis) })
}

// Sum adds up along the axes; all of them if none is named.
func (t *Tensor) Sum(axes ...int) *Tensor {
	return t.with("sum", intsOf(axes), func(x *node) *node { return x.Sum(axes...) })
}

// Mean averages along the axes; all of them if none is named.
func (t *Tensor) Mean(axes ...int) *Tensor {
	return t.with("mean", intsOf(axes), func(x *node) *node { return x.Mean(axes...) })
}

// Var is the variance along the axes, divided by n-1; all of them if none is
// named.
func (t *Tensor) Var(axes ...int) *Tensor {
	return t.with("var", intsOf(axes), func(x *node) *node { return x.Var(axes...) })
}

// Max takes the largest along the axes; all of them if none is named. What is not a
// number counts as the largest, and as the smallest of Min.
func (t *Tensor) Max(axes ...int) *Tensor {
	return t.with("max", intsOf(axes), func(x *node) *node { return x.Max(axes...) })
}

// Min takes the smallest along the axes; all of them if none is named.
func (t *Tensor) Min(axes ...int) *Tensor {
	return t.with("min", intsOf(axes), func(x *node) *node { return x.Min(axes...) })
}

// Transpose puts the axes in the given order.
func (t *Tensor) Transpose(axes ...int) *Tensor {
	return t.with("transpose", intsOf(axes), func(x *node) *node { return x.Transpose(axes...) })
}

// Reshape gives the values another shape with as many elements. One axis may
// be -1, which takes what is left.
func (t *Tensor) Reshape(shape ...int) *Tensor {
	return t.with("reshape", intsOf(shape), func(x *node) *node { return x.Reshape(shape...) })
}

// Flatten joins all axes after the first into one.
func (t *Tensor) Flatten() *Tensor {
	return t.unary("flatten", (*node).Flatten)
}

// Narrow takes n elements along an axis, beginning with the one at from.
func (t *Tensor) Narrow(axis, from, n int) *Tensor {
	return t.with("narrow", [3]int{axis, from, n}, func(x *node) *node { return x.Narrow(axis, from, n) })
}

// Unsqueeze adds an axis of length 1; -1 makes it the last.
func (t *Tensor) Unsqueeze(axis int) *Tensor {
	return t.with("unsqueeze", axis, func(x *node) *node { return x.Unsqueeze(axis) })
}

// Squeeze removes an axis of length 1.
func (t *Tensor) Squeeze(axis int) *Tensor {
	return t.with("squeeze", axis, func(x *node) *node { return x.Squeeze(axis) })
}

// MaxPool2d pools images [N C H W] as the layer p does.
func (t *Tensor) MaxPool2d(p MaxPool2d) *Tensor {
	return layerFunc(t, p, func(p MaxPool2d, x *node) *node { return x.MaxPool2d(p) })
}

// AvgPool2d pools images [N C H W] as the layer p does.
func (t *Tensor) AvgPool2d(p AvgPool2d) *Tensor {
	return layerFunc(t, p, func(p AvgPool2d, x *node) *node { return x.AvgPool2d(p) })
}

// AdaptiveAvgPool2d pools images [N C H W] to a height and width.
func (t *Tensor) AdaptiveAvgPool2d(height, width int) *Tensor {
	return t.with("adaptiveavgpool2d", HW{height, width}, func(x *node) *node { return x.AdaptiveAvgPool2d(height, width) })
}

// Dropout sets a share p of the values to 0 and makes the rest larger.
func (t *Tensor) Dropout(p float64) *Tensor {
	if p < 0 || p > 1 {
		panic(fmt.Errorf("dl: Dropout: p is %v, want 0 to 1; try 0.5", p))
	}
	if p == 0 || !t.Training() {
		return t
	}
	out, _ := do(opKey{name: "dropout", settings: p}, nil, func(tr *trace, in []*node) []*node {
		return []*node{in[0].each(func(raw *graph.Node) *graph.Node { return tr.drop(raw, p) })}
	}, []*Tensor{t}, nil, nil)
	return out[0]
}

// Add returns t + u; axes of length 1, or missing ones, repeat.
func (t *Tensor) Add(u *Tensor) *Tensor {
	return t.binary("add", u, (*node).Add)
}

// Sub returns t - u, with shapes as for Add.
func (t *Tensor) Sub(u *Tensor) *Tensor {
	return t.binary("sub", u, (*node).Sub)
}

// Mul returns t · u value by value, with shapes as for Add.
func (t *Tensor) Mul(u *Tensor) *Tensor {
	return t.binary("mul", u, (*node).Mul)
}

// Div returns t / u value by value, with shapes as for Add.
func (t *Tensor) Div(u *Tensor) *Tensor {
	return t.binary("div", u, (*node).Div)
}

// MatMul multiplies matrices as torch.matmul does: [… M K] by [K N] gives
// [… M N], by a vector [K] gives [… M]. Axes in front of the second one's [K N]
// number further matrices, and repeat as for Add: [B H M K] by [B H K N] gives
// [B H M N].
func (t *Tensor) MatMul(u *Tensor) *Tensor {
	return t.binary("matmul", u, (*node).MatMul)
}

// Conv2d slides filters weight [O I/Groups KH KW] over images t [N I H W] and
// adds bias [O], which may be nil. Of c count stride, padding, dilation and
// groups.
func (t *Tensor) Conv2d(weight, bias *Tensor, c Conv2d) *Tensor {
	return layerOfSeveral(c, func(c Conv2d, x []*node) *node { return x[0].Conv2d(x[1], x[2], c) }, t, weight, bias)
}

// ConvTranspose2d paints filters weight [I O/Groups KH KW] into larger images,
// for t [N I H W], and adds bias [O], which may be nil. Of c count stride,
// padding, output padding, dilation and groups.
func (t *Tensor) ConvTranspose2d(weight, bias *Tensor, c ConvTranspose2d) *Tensor {
	return layerOfSeveral(c, func(c ConvTranspose2d, x []*node) *node { return x[0].ConvTranspose2d(x[1], x[2], c) }, t, weight, bias)
}

// Linear is t·weightᵀ + bias, for weight [O I] and bias [O], which may be nil.
func (t *Tensor) Linear(weight, bias *Tensor) *Tensor {
	return several("linear", nil, func(x []*node) []*node { return []*node{x[0].Linear(x[1], x[2])} }, t, weight, bias)[0]
}

// Embedding looks up a row of weight [In Out] for each integer of t. A number
// outside of 0 to In-1 panics.
func (t *Tensor) Embedding(weight *Tensor) *Tensor {
	return t.binary("embedding", weight, (*node).Embedding)
}

// Loss returns the value of a loss for an output t and what it should be, as
// dl.CrossEntropyLoss{} for scores and class numbers: one number, or the terms
// where the loss's Reduction is "none".
func (t *Tensor) Loss(loss Loss, target *Tensor) *Tensor {
	how, err := reductionOf(loss)
	if err != nil {
		panic(err)
	}
	terms, weights := loss.Terms(t, target)
	switch {
	case how == "none":
		return terms
	case weights == nil:
		return terms.Sum()
	}
	return terms.Sum().Div(weights.Sum())
}

// CrossEntropy is the mean [CrossEntropyLoss] of scores t [N C …] against
// class numbers [N …], or against probabilities [N C …].
func (t *Tensor) CrossEntropy(labels *Tensor) *Tensor { return t.Loss(CrossEntropyLoss{}, labels) }

// layerFunc runs what a layer's function does with a tensor, by the layer's
// settings.
func layerFunc[L any, P layerOf[L]](t *Tensor, l L, f func(l L, x *node) *node) *Tensor {
	P(&l).take()
	l = settled(l)
	return t.with("function", settingsOf(l), func(x *node) *node { return f(l, x) })
}

// layerOfSeveral is layerFunc for several tensors, of which some may be nil.
func layerOfSeveral[L any, P layerOf[L]](l L, f func(l L, x []*node) *node, xs ...*Tensor) *Tensor {
	P(&l).take()
	l = settled(l)
	return several("function", settingsOf(l), func(x []*node) []*node { return []*node{f(l, x)} }, xs...)[0]
}

// Training reports whether what is calculated from the tensor is for training:
// whether dropout drops, say. It is so at once and in compiled functions, and not
// in [Model.Predict], [Evaluate] and a model in evaluation mode.
func (t *Tensor) Training() bool {
	r := recordingOf([]*Tensor{t})
	return r == nil || r.training && (r.model == nil || !r.model.evaluates.Load())
}

// as converts the elements: integer pictures to float32, say.
func (t *Tensor) as(dtype DType) *Tensor {
	if t.dtype == dtype {
		return t
	}
	return t.with("convert", dtype, func(x *node) *node { return x.to(dtype) })
}

// Concat joins tensors along an axis; their other axes must be equal.
func Concat(axis int, xs ...*Tensor) *Tensor {
	if len(xs) == 0 {
		panic(&ShapeError{Op: "Concat", Want: "at least one tensor"})
	}
	out, _ := do(opKey{name: "concat", settings: axis}, nil, func(_ *trace, in []*node) []*node { return []*node{concat(axis, in...)} }, xs, nil, nil)
	return out[0]
}

// Rank returns the number of axes.
func (t *Tensor) Rank() int { return len(t.shape) }

// Dim returns the length of an axis; negative axes count from the last.
func (t *Tensor) Dim(axis int) int {
	n := len(t.shape)
	if axis < -n || axis >= n {
		panic(&ShapeError{Op: "Dim", Got: t.shape, Want: fmt.Sprintf("at least %d axes", max(axis+1, -axis)), Fix: fmt.Sprintf("axis %d does not exist", axis)})
	}
	return t.shape[(axis+n)%n]
}

// Index returns element i along the first axis, as x[i] in PyTorch: picture i of a
// batch. It panics with a [*ShapeError] outside of the axis.
func (t *Tensor) Index(i int) *Tensor {
	if len(t.shape) == 0 || i < 0 || i >= t.shape[0] {
		panic(&ShapeError{Op: fmt.Sprintf("Index(%d)", i), Got: t.shape, Want: fmt.Sprintf("a first axis longer than %d", i)})
	}
	if recordingOf([]*Tensor{t}) != nil || (t.learns() || t.tape != nil) && !gradientsOff() {
		return t.with("index", i, func(x *node) *node { return x.Narrow(0, i, 1).Squeeze(0) })
	}
	n := t.Size() / t.shape[0] // without a program, so that a loop over a data set compiles nothing
	return hostTensor(t.dtype, append(Shape{}, t.shape[1:]...), cut(t.flat(), i*n, (i+1)*n))
}
