package lower

import (
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// Attention is, in this order: [Scores], what must not count set to -∞, softmax
// over the last axis, and [Weigh].

// Scores returns how much each query [N Heads L Dim] fits each key
// [N Heads S Dim], as float32 [N Heads L S].
func Scores(query, key *graph.Node) *graph.Node {
	size := query.Shape().Dimensions[3]
	scores := graph.DotGeneral(graph.MulScalar(query, 1/math.Sqrt(float64(size))), []int{3}, []int{0, 1}, key, []int{3}, []int{0, 1})
	return graph.ConvertDType(scores, dtypes.Float32)
}

// Exclude sets scores to -∞ where which, of the same shape, is true.
func Exclude(scores, which *graph.Node) *graph.Node {
	low := graph.Infinity(scores.Graph(), dtypes.Float32, -1)
	return graph.Where(which, graph.BroadcastToDims(low, scores.Shape().Dimensions...), scores)
}

// MaskLater excludes from the scores [N Heads L S] of each query the keys that
// come after it.
func MaskLater(scores *graph.Node) *graph.Node {
	d := scores.Shape().Dimensions
	later := graph.LogicalNot(graph.ShapedLowerTriangular(scores.Graph(), d[2], d[3], 0))
	return Exclude(scores, graph.BroadcastToDims(graph.Reshape(later, 1, 1, d[2], d[3]), d...))
}

// Weigh adds up the values [N Heads S Dim] by the probabilities [N Heads L S]:
// [N Heads L Dim].
func Weigh(probabilities, values *graph.Node) *graph.Node {
	return graph.DotGeneral(graph.ConvertDType(probabilities, values.DType()), []int{3}, []int{0, 1}, values, []int{2}, []int{0, 1})
}

// attentionFrom is from how many scores on it is called.
const attentionFrom = 1 << 12

// SelfAttention is what Scores, softmax and Weigh make of queries, keys and values that stand
// side by side, x [N L 3 Heads Dim], as [N L Heads Dim]; with causal each place looks at those
// up to its own alone. ok is false where there is no call for it, and nothing is written.
func SelfAttention(x *graph.Node, causal bool) (y *graph.Node, ok bool) {
	d := x.Shape().Dimensions
	if !hasCalls(x.Graph()) || x.DType() != dtypes.Float32 || d[4]%16 != 0 || d[0]*d[1]*d[1]*d[3] < attentionFrom {
		return nil, false
	}
	s := selfAttention{causal}
	return s.output(graph.Reshape(x, d[0], d[1], 3*d[3], d[4])), true
}

type selfAttention struct{ causal bool }

// output is the output for x [N L 3·Heads Dim].
func (s selfAttention) output(x *graph.Node) *graph.Node {
	y := s.call(x, x)
	rememberCall(y, func(v *graph.Node) []*graph.Node { return []*graph.Node{s.gradient(x, v), nil, nil} })
	return y
}

// gradient is the gradient for x, where that for the output is v. Its own gradients are those
// of the same written as products and a softmax.
func (s selfAttention) gradient(x, v *graph.Node) *graph.Node {
	g := s.call(x, v)
	rememberCall(g, func(u *graph.Node) []*graph.Node {
		product := func(a, b *graph.Node) *graph.Node { return graph.ReduceAllSum(graph.Mul(a, b)) }
		x, v := graph.Identity(x), graph.Identity(v) // v comes of x, and that way is not part of these
		first := graph.Gradient(product(s.plain(x), v), x)[0]
		second := graph.Gradient(product(first, u), x, v)
		return []*graph.Node{second[0], nil, second[1]}
	})
	return g
}

// call writes the call of the output, where v is x, or of the gradient.
func (s selfAttention) call(x, v *graph.Node) *graph.Node {
	y, _ := graph.BackendFusedScaledDotProductAttention(x, x, v, compute.AttentionAxesLayoutBSHD,
		&compute.ScaledDotProductAttentionConfig{Scale: selfAttentionMark, Causal: s.causal})
	return y
}

// plain is the output without a call.
func (s selfAttention) plain(x *graph.Node) *graph.Node {
	heads := x.Shape().Dimensions[2] / 3
	part := func(i int) *graph.Node {
		return graph.TransposeAllAxes(graph.SliceAxis(x, 2, graph.AxisRange(i*heads, (i+1)*heads)), 0, 2, 1, 3)
	}
	scores := Scores(part(0), part(1))
	if s.causal {
		scores = MaskLater(scores)
	}
	return graph.TransposeAllAxes(Weigh(graph.Softmax(scores, 3), part(2)), 0, 2, 1, 3)
}
