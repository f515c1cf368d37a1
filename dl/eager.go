package dl

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// eager holds the small programs of tensor methods, one for each operation
// and shape.
var eager programs

// Apply runs a layer that has no weights on a tensor, at once: an activation,
// a pooling, a Func. The layer's settings and the shape are compiled once. A
// layer with weights is an error; build a model of it.
func Apply(layer Layer, x *Tensor) (*Tensor, error) {
	return calculate(keyOf(layer), func(xs []*Node) *Node { return layer.Forward(xs[0]) }, x)
}

// keyOf identifies the program of a layer or loss of this package. Any other
// type may hold pointers and functions, which do not identify it: "".
func keyOf(v any) string {
	if t := reflect.TypeOf(v); t.Kind() == reflect.Struct && t.PkgPath() == sequentialType.PkgPath() {
		return settings(v)
	}
	return ""
}

// calculate runs f on tensors, with a program kept under key.
func calculate(key string, f func([]*Node) *Node, xs ...*Tensor) (*Tensor, error) {
	out, err := calculateAll(key, func(xs []*Node) []*Node { return []*Node{f(xs)} }, xs...)
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// calculateAll is calculate for a function with several results. An empty key
// keeps nothing. Layers are in training mode, as in PyTorch when nobody said
// otherwise: dropout drops.
func calculateAll(key string, f func([]*Node) []*Node, xs ...*Tensor) ([]*Tensor, error) {
	on, placed, err := together(xs)
	if err != nil {
		return nil, err
	}
	var first Shape
	if len(xs) > 0 {
		first = xs[0].shape
	}
	build := func() (*program, error) {
		t := &trace{training: true}
		p, err := compile(callerContext(), on, "tensor operation", first, func(g *graph.Graph) []*graph.Node {
			t.graph = g
			var nodes []*Node
			for _, x := range xs {
				nodes = append(nodes, t.input(x.dtype, x.shape))
			}
			var out []*graph.Node
			for _, y := range f(nodes) {
				out = append(out, y.value())
			}
			return out
		})
		if err == nil {
			p.keyed = t.asks
		}
		return p, err
	}
	var p *program
	if key == "" {
		p, err = build()
	} else {
		key += " " + on.label()
		for _, x := range xs {
			key += fmt.Sprintf(" %v%s", x.shape, x.dtype)
		}
		p, err = eager.get(key, build)
	}
	if err != nil {
		return nil, err
	}
	if p.keyed {
		xs = append(slices.Clone(xs), randomKey(nextSeed(), 0))
	}
	var out []*Tensor
	err = await(callerContext(), func() error {
		var err error
		out, err = p.run(xs...)
		return err
	})
	for _, y := range out {
		y.placed = placed
	}
	return out, err
}

// now is calculate for methods, which panic.
func now(key string, f func([]*Node) *Node, xs ...*Tensor) *Tensor {
	y, err := calculate(key, f, xs...)
	if err != nil {
		panic(err)
	}
	return y
}

// The methods below run at once, on the device in use, what the methods of
// [Node] with the same names do inside a program. They panic with the same
// [*ShapeError], or with the error of the cell's interrupt.

// ReLU returns max(x, 0).
func (t *Tensor) ReLU() *Tensor {
	return now("relu", func(x []*Node) *Node { return x[0].ReLU() }, t)
}

// LeakyReLU returns t where it is above 0, else t·slope.
func (t *Tensor) LeakyReLU(slope float64) *Tensor {
	return now(fmt.Sprint("leakyrelu ", []any{slope}), func(x []*Node) *Node { return x[0].LeakyReLU(slope) }, t)
}

// GELU returns t·Φ(t), with Φ the normal distribution.
func (t *Tensor) GELU() *Tensor {
	return now("gelu", func(x []*Node) *Node { return x[0].GELU() }, t)
}

// GELUTanh returns the approximation of GELU by tanh.
func (t *Tensor) GELUTanh() *Tensor {
	return now("gelutanh", func(x []*Node) *Node { return x[0].GELUTanh() }, t)
}

// SiLU returns t·sigmoid(t).
func (t *Tensor) SiLU() *Tensor {
	return now("silu", func(x []*Node) *Node { return x[0].SiLU() }, t)
}

// Sigmoid returns 1/(1+e⁻ˣ).
func (t *Tensor) Sigmoid() *Tensor {
	return now("sigmoid", func(x []*Node) *Node { return x[0].Sigmoid() }, t)
}

// Tanh returns the hyperbolic tangent.
func (t *Tensor) Tanh() *Tensor {
	return now("tanh", func(x []*Node) *Node { return x[0].Tanh() }, t)
}

// Exp returns eˣ.
func (t *Tensor) Exp() *Tensor {
	return now("exp", func(x []*Node) *Node { return x[0].Exp() }, t)
}

// Log returns the natural logarithm.
func (t *Tensor) Log() *Tensor {
	return now("log", func(x []*Node) *Node { return x[0].Log() }, t)
}

// Sqrt returns the square root.
func (t *Tensor) Sqrt() *Tensor {
	return now("sqrt", func(x []*Node) *Node { return x[0].Sqrt() }, t)
}

// Neg returns -t.
func (t *Tensor) Neg() *Tensor {
	return now("neg", func(x []*Node) *Node { return x[0].Neg() }, t)
}

// Abs returns |t|.
func (t *Tensor) Abs() *Tensor {
	return now("abs", func(x []*Node) *Node { return x[0].Abs() }, t)
}

// Square returns t².
func (t *Tensor) Square() *Tensor {
	return now("square", func(x []*Node) *Node { return x[0].Square() }, t)
}

// Pow returns t to a power.
func (t *Tensor) Pow(exponent float64) *Tensor {
	return now(fmt.Sprint("pow ", []any{exponent}), func(x []*Node) *Node { return x[0].Pow(exponent) }, t)
}

// Scale returns t multiplied by a number.
func (t *Tensor) Scale(by float64) *Tensor {
	return now(fmt.Sprint("scale ", []any{by}), func(x []*Node) *Node { return x[0].Scale(by) }, t)
}

// Shift returns t plus a number.
func (t *Tensor) Shift(by float64) *Tensor {
	return now(fmt.Sprint("shift ", []any{by}), func(x []*Node) *Node { return x[0].Shift(by) }, t)
}

// Clamp returns t, but low where it is below that and high where above.
func (t *Tensor) Clamp(low, high float64) *Tensor {
	return now(fmt.Sprint("clamp ", []any{low, high}), func(x []*Node) *Node { return x[0].Clamp(low, high) }, t)
}

// Softmax returns eˣ over its sum along an axis; -1 is the last.
func (t *Tensor) Softmax(axis int) *Tensor {
	return now(fmt.Sprint("softmax ", []any{axis}), func(x []*Node) *Node { return x[0].Softmax(axis) }, t)
}

// LogSoftmax returns the logarithm of Softmax.
func (t *Tensor) LogSoftmax(axis int) *Tensor {
	return now(fmt.Sprint("logsoftmax ", []any{axis}), func(x []*Node) *Node { return x[0].LogSoftmax(axis) }, t)
}

// Argmax returns where along an axis the largest value is, as int64; -1 is
// the last axis.
func (t *Tensor) Argmax(axis int) *Tensor {
	return now(fmt.Sprint("argmax ", []any{axis}), func(x []*Node) *Node { return x[0].Argmax(axis) }, t)
}

// Sum adds up along the axes; all of them if none is named.
func (t *Tensor) Sum(axes ...int) *Tensor {
	return now(fmt.Sprint("sum ", axes), func(x []*Node) *Node { return x[0].Sum(axes...) }, t)
}

// Mean averages along the axes; all of them if none is named.
func (t *Tensor) Mean(axes ...int) *Tensor {
	return now(fmt.Sprint("mean ", axes), func(x []*Node) *Node { return x[0].Mean(axes...) }, t)
}

// Var is the variance along the axes, divided by n-1; all of them if none is
// named.
func (t *Tensor) Var(axes ...int) *Tensor {
	return now(fmt.Sprint("var ", axes), func(x []*Node) *Node { return x[0].Var(axes...) }, t)
}

// Max takes the largest along the axes; all of them if none is named.
func (t *Tensor) Max(axes ...int) *Tensor {
	return now(fmt.Sprint("max ", axes), func(x []*Node) *Node { return x[0].Max(axes...) }, t)
}

// Min takes the smallest along the axes; all of them if none is named.
func (t *Tensor) Min(axes ...int) *Tensor {
	return now(fmt.Sprint("min ", axes), func(x []*Node) *Node { return x[0].Min(axes...) }, t)
}

// Transpose puts the axes in the given order.
func (t *Tensor) Transpose(axes ...int) *Tensor {
	return now(fmt.Sprint("transpose ", axes), func(x []*Node) *Node { return x[0].Transpose(axes...) }, t)
}

// Reshape gives the values another shape with as many elements. One axis may
// be -1, which takes what is left.
func (t *Tensor) Reshape(shape ...int) *Tensor {
	return now(fmt.Sprint("reshape ", shape), func(x []*Node) *Node { return x[0].Reshape(shape...) }, t)
}

// Flatten joins all axes after the first into one.
func (t *Tensor) Flatten() *Tensor {
	return now("flatten", func(x []*Node) *Node { return x[0].Flatten() }, t)
}

// Narrow takes n elements along an axis, beginning with the one at from.
func (t *Tensor) Narrow(axis, from, n int) *Tensor {
	return now(fmt.Sprint("narrow ", []any{axis, from, n}), func(x []*Node) *Node { return x[0].Narrow(axis, from, n) }, t)
}

// Unsqueeze adds an axis of length 1; -1 makes it the last.
func (t *Tensor) Unsqueeze(axis int) *Tensor {
	return now(fmt.Sprint("unsqueeze ", []any{axis}), func(x []*Node) *Node { return x[0].Unsqueeze(axis) }, t)
}

// Squeeze removes an axis of length 1.
func (t *Tensor) Squeeze(axis int) *Tensor {
	return now(fmt.Sprint("squeeze ", []any{axis}), func(x []*Node) *Node { return x[0].Squeeze(axis) }, t)
}

// MaxPool2d pools images [N C H W] as the layer p does.
func (t *Tensor) MaxPool2d(p MaxPool2d) *Tensor {
	return now("maxpool2d "+settings(p), func(x []*Node) *Node { return x[0].MaxPool2d(p) }, t)
}

// AvgPool2d pools images [N C H W] as the layer p does.
func (t *Tensor) AvgPool2d(p AvgPool2d) *Tensor {
	return now("avgpool2d "+settings(p), func(x []*Node) *Node { return x[0].AvgPool2d(p) }, t)
}

// AdaptiveAvgPool2d pools images [N C H W] to a height and width.
func (t *Tensor) AdaptiveAvgPool2d(height, width int) *Tensor {
	return now(fmt.Sprint("adaptiveavgpool2d ", []any{height, width}), func(x []*Node) *Node { return x[0].AdaptiveAvgPool2d(height, width) }, t)
}

// Dropout sets a share p of the values to 0 and makes the rest larger.
func (t *Tensor) Dropout(p float64) *Tensor {
	return now(fmt.Sprint("dropout ", []any{p}), func(x []*Node) *Node { return x[0].Dropout(p) }, t)
}

// Add returns t + u; axes of length 1, or missing ones, repeat.
func (t *Tensor) Add(u *Tensor) *Tensor {
	return now("add", func(x []*Node) *Node { return x[0].Add(x[1]) }, t, u)
}

// Sub returns t - u, with shapes as for Add.
func (t *Tensor) Sub(u *Tensor) *Tensor {
	return now("sub", func(x []*Node) *Node { return x[0].Sub(x[1]) }, t, u)
}

// Mul returns t · u value by value, with shapes as for Add.
func (t *Tensor) Mul(u *Tensor) *Tensor {
	return now("mul", func(x []*Node) *Node { return x[0].Mul(x[1]) }, t, u)
}

// Div returns t / u value by value, with shapes as for Add.
func (t *Tensor) Div(u *Tensor) *Tensor {
	return now("div", func(x []*Node) *Node { return x[0].Div(x[1]) }, t, u)
}

// MatMul multiplies matrices: [… M K] by [K N] gives [… M N].
func (t *Tensor) MatMul(u *Tensor) *Tensor {
	return now("matmul", func(x []*Node) *Node { return x[0].MatMul(x[1]) }, t, u)
}

// Conv2d slides filters weight [O I/Groups KH KW] over images t [N I H W] and
// adds bias [O], which may be nil. Of c count stride, padding, dilation and
// groups.
func (t *Tensor) Conv2d(weight, bias *Tensor, c Conv2d) *Tensor {
	return now("conv2d "+settings(c), func(x []*Node) *Node { return x[0].Conv2d(x[1], optional(x, 2), c) }, some(t, weight, bias)...)
}

// ConvTranspose2d paints filters weight [I O/Groups KH KW] into larger images,
// for t [N I H W], and adds bias [O], which may be nil. Of c count stride,
// padding, output padding, dilation and groups.
func (t *Tensor) ConvTranspose2d(weight, bias *Tensor, c ConvTranspose2d) *Tensor {
	return now("convtranspose2d "+settings(c), func(x []*Node) *Node { return x[0].ConvTranspose2d(x[1], optional(x, 2), c) }, some(t, weight, bias)...)
}

// Linear is t·weightᵀ + bias, for weight [O I] and bias [O], which may be nil.
func (t *Tensor) Linear(weight, bias *Tensor) *Tensor {
	return now("linear", func(x []*Node) *Node { return x[0].Linear(x[1], optional(x, 2)) }, some(t, weight, bias)...)
}

// Embedding looks up a row of weight [In Out] for each integer of t. A number
// outside of 0 to In-1 panics.
func (t *Tensor) Embedding(weight *Tensor) *Tensor {
	if len(weight.shape) == 2 {
		if err := (limits{ids: weight.shape[0]}).inputs(t); err != nil {
			panic(fmt.Errorf("dl: Embedding: %w", err))
		}
	}
	return now("embedding", func(x []*Node) *Node { return x[0].Embedding(x[1]) }, t, weight)
}

// Loss returns the value of a loss for an output t and what it should be, as
// dl.CrossEntropyLoss{} for scores and class numbers: one number, or the terms
// where the loss's Reduction is "none".
func (t *Tensor) Loss(loss Loss, target *Tensor) *Tensor {
	return now(keyOf(loss), func(x []*Node) *Node { return x[0].Loss(loss, x[1]) }, t, target)
}

// CrossEntropy is the mean [CrossEntropyLoss] of scores t [N C …] against
// class numbers [N …], or against probabilities [N C …].
func (t *Tensor) CrossEntropy(labels *Tensor) *Tensor { return t.Loss(CrossEntropyLoss{}, labels) }

// some leaves out a last tensor that is nil.
func some(ts ...*Tensor) []*Tensor {
	if ts[len(ts)-1] == nil {
		ts = ts[:len(ts)-1]
	}
	return ts
}

// optional returns element i, or nil if there is none.
func optional(xs []*Node, i int) *Node {
	if i < len(xs) {
		return xs[i]
	}
	return nil
}

// Index returns element i along the first axis: picture i of a batch. It
// panics with a [*ShapeError] outside of the axis.
func (t *Tensor) Index(i int) *Tensor {
	if len(t.shape) == 0 || i < 0 || i >= t.shape[0] {
		panic(&ShapeError{Op: fmt.Sprintf("Index(%d)", i), Got: t.shape, Want: fmt.Sprintf("a first axis longer than %d", i)})
	}
	n := t.Size() / t.shape[0]
	return &Tensor{shape: append(Shape{}, t.shape[1:]...), dtype: t.dtype, host: cut(t.flat(), i*n, (i+1)*n)}
}
