package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
)

// Operations that give or take tensors of bools. [Tensor.As] makes numbers of
// them: x.Equal(y).As(dl.Float32).Mean() is the share of equal values.

// As returns the values as another element type: whole numbers are rounded
// towards zero, and of bools true is 1.
func (t *Tensor) As(dtype DType) *Tensor { return t.as(dtype) }

// NotEqual tells where t and u differ, as a tensor of bools, with shapes as for
// Add.
func (t *Tensor) NotEqual(u *Tensor) *Tensor { return t.compare("NotEqual", u, graph.NotEqual) }

// GreaterEqual tells where t is at least u, as a tensor of bools, with shapes as
// for Add.
func (t *Tensor) GreaterEqual(u *Tensor) *Tensor {
	return t.compare("GreaterEqual", u, graph.GreaterOrEqual)
}

// LessEqual tells where t is at most u, as a tensor of bools, with shapes as for
// Add.
func (t *Tensor) LessEqual(u *Tensor) *Tensor { return t.compare("LessEqual", u, graph.LessOrEqual) }

// LogicalAnd tells where both t and u are true, or not 0, with shapes as for Add.
func (t *Tensor) LogicalAnd(u *Tensor) *Tensor {
	return t.logical("LogicalAnd", u, graph.LogicalAnd)
}

// LogicalOr tells where t or u is true, or not 0, with shapes as for Add.
func (t *Tensor) LogicalOr(u *Tensor) *Tensor { return t.logical("LogicalOr", u, graph.LogicalOr) }

// LogicalNot tells where t is false, or 0.
func (t *Tensor) LogicalNot() *Tensor {
	return t.unary("logicalnot", func(x *node) *node {
		return x.truth().each(graph.LogicalNot)
	})
}

// Any reports whether one value at least is true, or not 0, along the axes, which go
// away; among all values if none is named.
func (t *Tensor) Any(axes ...int) *Tensor {
	return t.with("any", intsOf(axes), func(x *node) *node {
		return x.With(graph.ReduceLogicalOr(x.truth().value(), x.axes("Any", axes)...))
	})
}

// All reports whether all values are true, or not 0, along the axes, which go away;
// all values at all if none is named.
func (t *Tensor) All(axes ...int) *Tensor {
	return t.with("all", intsOf(axes), func(x *node) *node {
		return x.With(graph.ReduceLogicalAnd(x.truth().value(), x.axes("All", axes)...))
	})
}

// IsNaN tells where t is not a number, as a tensor of bools.
func (t *Tensor) IsNaN() *Tensor {
	return t.unary("isnan", func(x *node) *node {
		return x.each(func(raw *graph.Node) *graph.Node { return graph.NotEqual(raw, raw) })
	})
}

// MaskedFill returns t with one value where mask, a tensor of bools whose shape
// spreads over that of t, is true.
func (t *Tensor) MaskedFill(mask *Tensor, value float64) *Tensor {
	if mask.dtype != Bool {
		panic(fmt.Errorf("dl: MaskedFill: the mask is %v %s, want bools; make them with x.Greater(y), x.Equal(y) or x.Less(y)", mask.shape, typeName(mask.dtype)))
	}
	return Where(mask, Full(value).As(t.dtype), t)
}

func (t *Tensor) logical(name string, u *Tensor, f func(a, b *graph.Node) *graph.Node) *Tensor {
	return t.binary(name, u, func(x, y *node) *node { return x.truth().binary(name, y.truth(), f) })
}

// truth returns where a node is not 0, as bools.
func (x *node) truth() *node {
	if x.DType() == Bool {
		return x
	}
	return x.each(func(raw *graph.Node) *graph.Node { return graph.NotEqual(raw, graph.ZerosLike(raw)) })
}

// Maximum returns the larger of t and u, value by value, with shapes as for Add.
func (t *Tensor) Maximum(u *Tensor) *Tensor {
	return t.binary("maximum", u, func(x, y *node) *node { return x.binary("Maximum", y, lower.Max) })
}

// Minimum returns the smaller of t and u, value by value, with shapes as for Add.
func (t *Tensor) Minimum(u *Tensor) *Tensor {
	return t.binary("minimum", u, func(x, y *node) *node { return x.binary("Minimum", y, lower.Min) })
}

// Equal tells where t and u are equal, as a tensor of bools, with shapes as for
// Add.
func (t *Tensor) Equal(u *Tensor) *Tensor { return t.compare("Equal", u, graph.Equal) }

// Greater tells where t is greater than u, as a tensor of bools, with shapes as
// for Add.
func (t *Tensor) Greater(u *Tensor) *Tensor { return t.compare("Greater", u, graph.GreaterThan) }

// Less tells where t is less than u, as a tensor of bools, with shapes as for Add.
func (t *Tensor) Less(u *Tensor) *Tensor { return t.compare("Less", u, graph.LessThan) }

func (t *Tensor) compare(name string, u *Tensor, f func(a, b *graph.Node) *graph.Node) *Tensor {
	return t.binary(name, u, func(x, y *node) *node {
		return x.binary(name, y, func(a, b *graph.Node) *graph.Node { return graph.StopGradient(f(a, b)) })
	})
}

// Where takes the values of a where cond, a tensor of bools, is true, and those of
// b elsewhere. Shapes spread over one another as for Add.
func Where(cond, a, b *Tensor) *Tensor {
	if cond.dtype != Bool {
		panic(fmt.Errorf("dl: Where: the condition is %v %s, want bools; make them with x.Greater(y), x.Equal(y) or x.Less(y)", cond.shape, typeName(cond.dtype)))
	}
	return several("where", nil, func(in []*node) []*node {
		cond, a, b := in[0], in[1], in[2]
		a, b = alike(a, b)
		shape := a.spread("Where", a.Shape(), b.Shape(), b.Shape())
		shape = a.spread("Where", shape, cond.Shape(), cond.Shape())
		like := func(x *node) *graph.Node {
			return graph.BroadcastToDims(graph.ExpandLeftToRank(x.value(), len(shape)), shape...)
		}
		return []*node{a.With(graph.Where(like(cond), like(a), like(b)))}
	}, cond, a, b)[0]
}
