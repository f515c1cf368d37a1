package dl

import (
	"fmt"
	"reflect"

	"github.com/gomlx/gomlx/core/graph"
)

// eager holds the small programs of tensor methods, one for each operation
// and shape.
var eager programs

// Apply runs a layer that has no weights on a tensor, at once: an activation,
// a pooling, a Func. The layer's settings and the shape are compiled once. A
// layer with weights is an error; build a model of it.
func Apply(layer Layer, x *Tensor) (*Tensor, error) {
	key := ""
	if t := reflect.TypeOf(layer); t.Kind() == reflect.Struct && t.PkgPath() == sequentialType.PkgPath() {
		key = fmt.Sprintf("%T%+v", layer, layer) // any other type may hold pointers, which do not identify it
	}
	return calculate(key, func(xs []*Node) *Node { return layer.Forward(xs[0]) }, x)
}

// calculate runs f on tensors, with a program kept under key.
func calculate(key string, f func([]*Node) *Node, xs ...*Tensor) (*Tensor, error) {
	on, err := current()
	if err != nil {
		return nil, err
	}
	build := func() (*program, error) {
		return compile(callerContext(), on, "tensor operation", func(g *graph.Graph) []*graph.Node {
			t := &trace{graph: g}
			var nodes []*Node
			for _, x := range xs {
				nodes = append(nodes, t.input(x.dtype, x.shape))
			}
			return []*graph.Node{f(nodes).value()}
		})
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
	var out []*Tensor
	err = await(callerContext(), func() error {
		var err error
		out, err = p.run(xs...)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out[0], nil
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

// Sigmoid returns 1/(1+e⁻ˣ).
func (t *Tensor) Sigmoid() *Tensor {
	return now("sigmoid", func(x []*Node) *Node { return x[0].Sigmoid() }, t)
}

// Tanh returns the hyperbolic tangent.
func (t *Tensor) Tanh() *Tensor {
	return now("tanh", func(x []*Node) *Node { return x[0].Tanh() }, t)
}

// Softmax returns eˣ over its sum along an axis; -1 is the last.
func (t *Tensor) Softmax(axis int) *Tensor {
	return now(fmt.Sprint("softmax", axis), func(x []*Node) *Node { return x[0].Softmax(axis) }, t)
}

// Argmax returns where along an axis the largest value is, as int64; -1 is
// the last axis.
func (t *Tensor) Argmax(axis int) *Tensor {
	return now(fmt.Sprint("argmax", axis), func(x []*Node) *Node { return x[0].Argmax(axis) }, t)
}

// Sum adds up along the axes; all of them if none is named.
func (t *Tensor) Sum(axes ...int) *Tensor {
	return now(fmt.Sprint("sum", axes), func(x []*Node) *Node { return x[0].Sum(axes...) }, t)
}

// Mean averages along the axes; all of them if none is named.
func (t *Tensor) Mean(axes ...int) *Tensor {
	return now(fmt.Sprint("mean", axes), func(x []*Node) *Node { return x[0].Mean(axes...) }, t)
}

// Max takes the largest along the axes; all of them if none is named.
func (t *Tensor) Max(axes ...int) *Tensor {
	return now(fmt.Sprint("max", axes), func(x []*Node) *Node { return x[0].Max(axes...) }, t)
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

// Scale returns t multiplied by a number.
func (t *Tensor) Scale(by float64) *Tensor {
	return now(fmt.Sprint("scale", by), func(x []*Node) *Node { return x[0].Scale(by) }, t)
}

// MatMul multiplies matrices: [… M K] by [K N] gives [… M N].
func (t *Tensor) MatMul(u *Tensor) *Tensor {
	return now("matmul", func(x []*Node) *Node { return x[0].MatMul(x[1]) }, t, u)
}

// Transpose puts the axes in the given order.
func (t *Tensor) Transpose(axes ...int) *Tensor {
	return now(fmt.Sprint("transpose", axes), func(x []*Node) *Node { return x[0].Transpose(axes...) }, t)
}

// Reshape gives the values another shape with as many elements. One axis may
// be -1, which takes what is left.
func (t *Tensor) Reshape(shape ...int) *Tensor {
	return now(fmt.Sprint("reshape", shape), func(x []*Node) *Node { return x[0].Reshape(shape...) }, t)
}

// Flatten joins all axes after the first into one.
func (t *Tensor) Flatten() *Tensor {
	return now("flatten", func(x []*Node) *Node { return x[0].Flatten() }, t)
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
