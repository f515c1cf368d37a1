package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Grad returns the gradients of a function's value for the tensors that it is
// given, as torch.autograd.grad does: how much the value grows for each of
// their elements. The function is run once, without numbers, to write the
// program.
//
//	g, err := dl.Grad(func(x ...*dl.Node) *dl.Node { return x[0].Mul(x[0]).Sum() }, x)
//
// A function that does not return a single number is a [*ShapeError]; so is
// what does not fit inside of it. The function is run at every call, and what
// it writes is compiled by XLA when it was not seen before: equal functions on
// equal shapes are one program, also where the function is written anew.
func Grad(f func(x ...*Node) *Node, at ...*Tensor) ([]*Tensor, error) {
	_, gradients, err := ValueAndGrad(f, at...)
	return gradients, err
}

// ValueAndGrad returns a function's value and, as [Grad] does, its gradients.
func ValueAndGrad(f func(x ...*Node) *Node, at ...*Tensor) (value *Tensor, gradients []*Tensor, err error) {
	out, err := calculateAll("", func(xs []*Node) []*Node {
		var inputs []*graph.Node
		for i, x := range xs {
			if !x.DType().IsFloat() {
				panic(fmt.Errorf("dl: Grad: input %d is %s, want a floating-point type, which alone has a gradient; keep it out of the inputs with Constant", i, typeName(x.DType())))
			}
			inputs = append(inputs, x.value())
		}
		y := f(xs...)
		if y == nil {
			panic(fmt.Errorf("dl: Grad: the function returned nil; return the last node"))
		}
		if y.Shape().Size() != 1 || !y.DType().IsFloat() {
			panic(&ShapeError{Op: "Grad", Got: y.Shape(), Want: "one floating-point number from the function", Fix: "end it with Sum() or Mean()"})
		}
		all := []*Node{y.Reshape()}
		for _, g := range graph.Gradient(all[0].value(), inputs...) {
			all = append(all, y.With(g))
		}
		return all
	}, at...)
	if err != nil {
		return nil, nil, err
	}
	return out[0], out[1:], nil
}

// customGradient computes forward of x with another gradient than the one
// that GoMLX derives: backward gets the gradient of forward(x) and returns
// that of x.
func customGradient(x *graph.Node, forward, backward func(*graph.Node) *graph.Node) *graph.Node {
	return customGradients([]*graph.Node{x}, func(x []*graph.Node) *graph.Node { return forward(x[0]) },
		func(v *graph.Node) []*graph.Node { return []*graph.Node{backward(v)} })
}

// customGradients is customGradient for a function of several nodes.
//
// GoMLX's custom gradients are for the identity only. Gradients are made from
// the outputs back, so an identity after forward sees its gradient before the
// identities in front of it ask for theirs. What GoMLX derives between the two
// is left unused, and no compiler keeps it.
func customGradients(xs []*graph.Node, forward func([]*graph.Node) *graph.Node, backward func(v *graph.Node) []*graph.Node) *graph.Node {
	var v *graph.Node
	var gradients []*graph.Node
	ins := make([]*graph.Node, len(xs))
	for i, x := range xs {
		ins[i] = graph.IdentityWithCustomGradient(x, func(_, _ *graph.Node) *graph.Node {
			if gradients == nil {
				gradients = backward(v)
			}
			return gradients[i]
		})
	}
	return graph.IdentityWithCustomGradient(forward(ins), func(_, g *graph.Node) *graph.Node {
		v, gradients = g, nil // a program may ask for gradients more than once
		return g
	})
}
