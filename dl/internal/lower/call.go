package lower

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// caller is a backend that writes a program with calls of Holt's own internal/calls: for
// self-attention, which there reads queries, keys and values where they stand, in place of
// moving them about, and keeps the scores in the processor's cache; and for recurrences.
type caller interface {
	Calls() bool
}

func hasCalls(g *graph.Graph) bool {
	b, is := g.Backend().(caller)
	return is && b.Calls()
}

// The marks of calls among the nodes of GoMLX's attention: GoMLX has no node for any call, and
// no attention has a negative scale. Package xla has the same (dl/internal/xla/calls.go).
const (
	selfAttentionMark = -1
	lstmMark          = -2
	gruMark           = -3
)

// calls is the key under which a graph keeps the gradients of its calls.
type calls struct{}

func rememberCall(y *graph.Node, gradient func(v *graph.Node) []*graph.Node) {
	known, _ := y.Graph().State(calls{}).(map[*graph.Node]func(*graph.Node) []*graph.Node)
	if known == nil {
		known = map[*graph.Node]func(*graph.Node) []*graph.Node{}
		y.Graph().AttachState(calls{}, known)
	}
	known[y] = gradient
}

// attentionsGradient is GoMLX's own gradient of its attention.
var attentionsGradient = graph.VJPRegistration[graph.NodeTypeFusedScaledDotProductAttention]

func init() {
	graph.VJPRegistration[graph.NodeTypeFusedScaledDotProductAttention] = func(node *graph.Node, v []*graph.Node, shape shapes.Shape) []*graph.Node {
		known, _ := node.Graph().State(calls{}).(map[*graph.Node]func(*graph.Node) []*graph.Node)
		gradient, ok := known[node]
		if !ok {
			return attentionsGradient(node, v, shape)
		}
		return gradient(v[0])
	}
}
