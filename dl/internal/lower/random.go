package lower

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// RandomBits returns evenly distributed uint32 in a shape, which follow from
// the key, two uint32, from the salt, which sets apart what draws with the same
// key, and from the element's position.
func RandomBits(key *graph.Node, salt uint64, shape []int) *graph.Node {
	g, size := key.Graph(), 1
	for _, n := range shape {
		size *= n
	}
	word := func(v uint32) *graph.Node { return graph.Const(g, v) }
	half := func(i int) *graph.Node { return graph.Reshape(graph.Slice(key, graph.AxisElem(i))) }
	v := graph.Iota(g, shapes.Make(dtypes.Uint32, size), 0)
	broadcast := func(v *graph.Node) *graph.Node { return graph.BroadcastToDims(v, size) }
	// Two rounds of lowbias32, https://nullprogram.com/blog/2018/07/31/.
	for i, s := range []uint32{uint32(salt), uint32(salt >> 32)} {
		v = graph.BitwiseXor(graph.Add(v, broadcast(half(i))), broadcast(word(s)))
		v = graph.BitwiseXor(v, graph.BitwiseShiftRightLogical(v, broadcast(word(16))))
		v = graph.Mul(v, broadcast(word(0x7feb352d)))
		v = graph.BitwiseXor(v, graph.BitwiseShiftRightLogical(v, broadcast(word(15))))
		v = graph.Mul(v, broadcast(word(0x846ca68b)))
		v = graph.BitwiseXor(v, graph.BitwiseShiftRightLogical(v, broadcast(word(16))))
	}
	return graph.Reshape(v, shape...)
}

// Drop sets to 0 the values of x whose bits are among the lowest share, below
// 1, and divides the others by what is left.
func Drop(x, bits *graph.Node, share float64) *graph.Node {
	keep := graph.GreaterOrEqual(bits, graph.BroadcastToDims(graph.Const(x.Graph(), uint32(share*(1<<32))), x.Shape().Dimensions...))
	return graph.Where(keep, graph.MulScalar(x, 1/(1-share)), graph.ZerosLike(x))
}

// KeyOfStep is where the random numbers of a loop's step begin.
func KeyOfStep(key *graph.Node, salt uint64, step *graph.Node) *graph.Node {
	g := key.Graph()
	word := func(v uint64) *graph.Node { return graph.Const(g, uint32(v)) }
	mix := func(v *graph.Node, by uint64) *graph.Node {
		// lowbias32, https://nullprogram.com/blog/2018/07/31/.
		v = graph.BitwiseXor(v, word(by))
		v = graph.BitwiseXor(v, graph.BitwiseShiftRightLogical(v, word(16)))
		v = graph.Mul(v, word(0x7feb352d))
		v = graph.BitwiseXor(v, graph.BitwiseShiftRightLogical(v, word(15)))
		v = graph.Mul(v, word(0x846ca68b))
		return graph.BitwiseXor(v, graph.BitwiseShiftRightLogical(v, word(16)))
	}
	t := graph.ConvertDType(step, dtypes.Uint32)
	half := func(i int) *graph.Node { return graph.Reshape(graph.Slice(key, graph.AxisElem(i))) }
	first := mix(graph.Add(half(0), mix(t, salt)), salt>>32)
	second := mix(graph.Add(half(1), first), salt&0xffffffff)
	return graph.Stack([]*graph.Node{first, second}, 0)
}
