package dl

import (
	"hash/fnv"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
	"github.com/holt-dl/holt/dl/internal/xla"
)

// Random numbers inside a program are a function of three things: a key of 64
// bits that is an input of the program, the layer's place, and the element's
// position. So a step that is done again, after a crash or on another backend
// or on several devices at once, draws the same numbers, and the whole state
// of the generator is the seed and the number of the step.

// randomKey is the key of draw n from a seed, two uint32: splitmix64.
// Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators",
// OOPSLA 2014.
func randomKey(seed, n uint64) *Tensor {
	z := seed + (n+1)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return FromSlice([]uint32{uint32(z), uint32(z >> 32)})
}

// nextSeed returns a seed for something new that draws random numbers, the
// next after [Seed].
func nextSeed() uint64 {
	seeds.Lock()
	defer seeds.Unlock()
	seeds.drawn++
	return seeds.seed ^ seeds.drawn<<40
}

// keyType is the type of a key's two elements.
const keyType = dtypes.Uint32

// saltOf sets what draws random numbers at a place apart from all other places.
func saltOf(place string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(place))
	return h.Sum64()
}

// random returns evenly distributed uint32 in the shape of x. Each call in an
// operation gives others.
func (t *trace) random(x *graph.Node) *graph.Node {
	if t.key == nil {
		t.key, t.asks = xla.Parameter(t.graph, keyType, Shape{2}), true
	}
	salt := t.salt + t.drawn*0xd1342543de82ef95
	t.drawn++
	return lower.RandomBits(t.key, salt, x.Shape().Dimensions)
}

// drop sets a share of the values of x to 0 and makes the rest larger.
func (t *trace) drop(x *graph.Node, share float64) *graph.Node {
	if share >= 1 {
		return graph.ZerosLike(x)
	}
	return lower.Drop(x, t.random(x), share)
}
