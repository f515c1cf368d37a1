package lower

import "github.com/gomlx/gomlx/core/graph"

// CustomGradient computes forward of x with another gradient than the one
// that GoMLX derives: backward gets the gradient of forward(x) and returns
// that of x.
func CustomGradient(x *graph.Node, forward, backward func(*graph.Node) *graph.Node) *graph.Node {
	return CustomGradients([]*graph.Node{x}, func(x []*graph.Node) *graph.Node { return forward(x[0]) },
		func(v *graph.Node) []*graph.Node { return []*graph.Node{backward(v)} })
}

// CustomGradients is CustomGradient for a function of several nodes.
//
// GoMLX's custom gradients are for the identity only. Gradients are made from
// the outputs back, so an identity after forward sees its gradient before the
// identities in front of it ask for theirs. What GoMLX derives between the two
// is left unused, and no compiler keeps it.
//
// Of what forward calculated, backward may use only what no gradient goes
// through, such as the place of a maximum. All else it calculates from the xs:
// a gradient of a gradient would not find its way from inside of forward.
func CustomGradients(xs []*graph.Node, forward func([]*graph.Node) *graph.Node, backward func(v *graph.Node) []*graph.Node) *graph.Node {
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
