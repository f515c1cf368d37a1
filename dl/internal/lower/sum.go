package lower

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
)

// together is how many numbers XLA may add up one after the other.
const together = 1024

// Sum adds up along the axes, all of them if none is named, as graph.ReduceSum does, and keeps the
// digits that it loses: XLA:CPU adds up groups of at most 32 numbers of each axis, one number after
// the other, and then the groups' sums, so that a group of four axes has a million numbers. Here
// few axes are added up at a time.
func Sum(x *graph.Node, axes ...int) *graph.Node {
	if !x.DType().IsFloat() {
		return graph.ReduceSum(x, axes...)
	}
	if len(axes) == 0 {
		for axis := range x.Rank() {
			axes = append(axes, axis)
		}
	}
	axes = slices.Sorted(slices.Values(axes))
	scale := 1.0
	for {
		group := 1
		first := len(axes)
		for first > 0 {
			n := min(x.Shape().Dimensions[axes[first-1]], 32)
			if group *= n; group > together {
				break
			}
			first--
		}
		x = graph.ReduceSum(x, axes[first:]...)
		if axes = axes[:first]; first == 0 {
			break
		}
		// XLA makes one sum of two, but not where something is between them.
		x, scale = graph.MulScalar(x, 0.5), 2*scale
	}
	if scale == 1 {
		return x
	}
	return graph.MulScalar(x, scale)
}
