package lower

import (
	"math"

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
