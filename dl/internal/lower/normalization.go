package lower

import "github.com/gomlx/gomlx/core/graph"

// Normalization is the mathematics of batch normalization over all axes but
// one, in float32.
type Normalization struct {
	Epsilon      float64
	Axis         int         // the channels'
	Weight, Bias *graph.Node // [C]; nil without
	Count, Mask  *graph.Node // values of a channel that count; which those are, nil for all

	Mean, Variance *graph.Node // of the batch, [C]; set by OfBatch
}

// With normalizes x by a given mean and variance.
func (n *Normalization) With(x, mean, variance *graph.Node) *graph.Node {
	factor := graph.Reciprocal(graph.Sqrt(graph.AddScalar(variance, n.Epsilon)))
	y := graph.Mul(graph.Sub(x, n.broadcast(mean, x)), n.broadcast(factor, x))
	if n.Weight != nil {
		y = graph.Mul(y, n.broadcast(n.Weight, x))
	}
	if n.Bias != nil {
		y = graph.Add(y, n.broadcast(n.Bias, x))
	}
	return y
}

// OfBatch normalizes x by its own mean and variance. Its gradient is written
// out: what GoMLX derives passes over x more often.
func (n *Normalization) OfBatch(x *graph.Node) *graph.Node {
	inputs := []*graph.Node{x}
	if n.Weight != nil {
		inputs = append(inputs, n.Weight)
	}
	if n.Bias != nil {
		inputs = append(inputs, n.Bias)
	}
	normalized := func(x *graph.Node) (unit, factor *graph.Node) {
		n.Mean = graph.Div(n.sum(n.counted(x)), n.Count)
		away := graph.Sub(x, n.broadcast(n.Mean, x))
		n.Variance = graph.Div(n.sum(n.counted(graph.Square(away))), n.Count)
		factor = graph.Reciprocal(graph.Sqrt(graph.AddScalar(n.Variance, n.Epsilon)))
		return graph.Mul(away, n.broadcast(factor, x)), factor
	}
	// What forward calculated depends on its own inputs. For a gradient that can
	// itself be differentiated it is written once more; the compiler merges the two.
	unit, factor := normalized(x)
	forward := func(in []*graph.Node) *graph.Node {
		y, _ := normalized(in[0])
		if n.Weight != nil {
			y = graph.Mul(y, n.broadcast(in[1], y))
		}
		if n.Bias != nil {
			y = graph.Add(y, n.broadcast(in[2], y))
		}
		return y
	}
	backward := func(v *graph.Node) []*graph.Node {
		sum, along := n.sum(v), n.sum(graph.Mul(v, unit))
		common := graph.Add(n.broadcast(graph.Div(sum, n.Count), v), graph.Mul(unit, n.broadcast(graph.Div(along, n.Count), v)))
		scale := factor
		if n.Weight != nil {
			scale = graph.Mul(factor, n.Weight)
		}
		forX := graph.Mul(graph.Sub(v, n.counted(common)), n.broadcast(scale, v))
		return []*graph.Node{forX, along, sum}[:len(inputs)]
	}
	return CustomGradients(inputs, forward, backward)
}

// counted sets to 0 what does not count.
func (n *Normalization) counted(x *graph.Node) *graph.Node {
	if n.Mask == nil {
		return x
	}
	return graph.Where(graph.BroadcastToDims(n.Mask, x.Shape().Dimensions...), x, graph.ZerosLike(x))
}

// sum adds up each channel.
func (n *Normalization) sum(x *graph.Node) *graph.Node {
	var axes []int
	for i := range x.Rank() {
		if i != n.Axis {
			axes = append(axes, i)
		}
	}
	return graph.ReduceSum(x, axes...)
}

// broadcast repeats a number for each channel over x.
func (n *Normalization) broadcast(v, x *graph.Node) *graph.Node {
	dims := make([]int, x.Rank())
	for i := range dims {
		dims[i] = 1
	}
	dims[n.Axis] = -1
	return graph.BroadcastToDims(graph.Reshape(v, dims...), x.Shape().Dimensions...)
}
