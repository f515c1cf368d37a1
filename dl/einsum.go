package dl

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
)

// Einsum multiplies tensors and adds up, as torch.einsum: the equation gives each
// axis a letter, "bij,bjk->bik" for a product of batches of matrices. Letters that
// the result has not are summed over; a letter that one tensor has twice takes its
// diagonal. Without "->" the result has the letters that occur once, in the order
// of the alphabet. An equation that does not fit the shapes panics.
func Einsum(equation string, xs ...*Tensor) *Tensor {
	if len(xs) == 0 {
		panic(fmt.Errorf("dl: Einsum(%q): there are no tensors", equation))
	}
	left, result, given := strings.Cut(strings.ReplaceAll(equation, " ", ""), "->")
	terms := strings.Split(left, ",")
	fail := func(format string, args ...any) {
		panic(fmt.Errorf("dl: Einsum(%q): %s", equation, fmt.Sprintf(format, args...)))
	}
	if len(terms) != len(xs) {
		fail("the equation is for %d tensors, got %d", len(terms), len(xs))
	}
	size, count := map[rune]int{}, map[rune]int{}
	for i, term := range terms {
		if len(term) != len(xs[i].shape) {
			fail("tensor %d is %v, want %d axes, for %s", i+1, xs[i].shape, len(term), term)
		}
		for j, l := range term {
			if (l < 'a' || l > 'z') && (l < 'A' || l > 'Z') {
				fail("%q is no letter; write one letter for each axis, … is not known", l)
			}
			if n, ok := size[l]; ok && n != xs[i].shape[j] {
				fail("axis %c is %d in one tensor and %d in tensor %d", l, n, xs[i].shape[j], i+1)
			}
			size[l] = xs[i].shape[j]
			count[l]++
		}
	}
	if !given {
		var once []rune
		for l, n := range count {
			if n == 1 {
				once = append(once, l)
			}
		}
		slices.Sort(once)
		result = string(once)
	}
	for i, l := range result {
		if count[l] == 0 || strings.ContainsRune(result[:i], l) {
			fail("axis %c of the result is in no tensor, or twice in the result", l)
		}
	}
	out, _ := do(opKey{name: "einsum", settings: equation}, nil, func(_ *trace, in []*node) []*node {
		letters := slices.Clone(terms)
		var raw []*graph.Node
		for i, x := range in {
			if i > 0 {
				in[0], in[i] = alike(in[0], x)
			}
		}
		for i, x := range in {
			x, _ = alike(x, in[0])
			y, l := diagonals(x.value(), letters[i])
			raw, letters[i] = append(raw, y), l
		}
		y, l := raw[0], letters[0]
		for i := 1; i <= len(raw); i++ {
			// What no later tensor and not the result needs is summed over now.
			needed := result + strings.Join(letters[i:], "")
			if i == len(raw) {
				y, l = summed(y, l, result)
				break
			}
			y, l = summed(y, l, needed)
			z, m := summed(raw[i], letters[i], result+strings.Join(letters[i+1:], "")+l)
			y, l = contracted(y, z, l, m, result+strings.Join(letters[i+1:], ""))
		}
		order := make([]int, len(result))
		for i, c := range result {
			order[i] = strings.IndexRune(l, c)
		}
		return []*node{in[0].With(graph.TransposeAllAxes(y, order...))}
	}, xs, nil, nil)
	return out[0]
}

// diagonals takes the diagonal of axes with the same letter.
func diagonals(x *graph.Node, letters string) (*graph.Node, string) {
	for i := 0; i < len(letters); i++ {
		j := strings.IndexByte(letters[i+1:], letters[i])
		if j < 0 {
			continue
		}
		j += i + 1
		shape := x.Shape().Clone()
		shape.DType = Int64
		on := graph.Equal(graph.Iota(x.Graph(), shape, i), graph.Iota(x.Graph(), shape, j))
		x = graph.ReduceSum(graph.Where(on, x, graph.ZerosLike(x)), j)
		letters = letters[:j] + letters[j+1:]
		i--
	}
	return x, letters
}

// summed adds up along the axes that are not needed.
func summed(x *graph.Node, letters, needed string) (*graph.Node, string) {
	var axes []int
	var kept strings.Builder
	for i, l := range letters {
		if strings.ContainsRune(needed, l) {
			kept.WriteRune(l)
		} else {
			axes = append(axes, i)
		}
	}
	if len(axes) == 0 {
		return x, letters
	}
	return graph.ReduceSum(x, axes...), kept.String()
}

// contracted multiplies two tensors: it sums over the letters that both have and
// that are not needed, and goes along those that both have and that are.
func contracted(x, y *graph.Node, a, b, needed string) (*graph.Node, string) {
	var sumX, sumY, alongX, alongY []int
	var along, rest strings.Builder
	for i, l := range a {
		switch j := strings.IndexRune(b, l); {
		case j < 0:
			rest.WriteRune(l)
		case strings.ContainsRune(needed, l):
			alongX, alongY = append(alongX, i), append(alongY, j)
			along.WriteRune(l)
		default:
			sumX, sumY = append(sumX, i), append(sumY, j)
		}
	}
	for _, l := range b {
		if !strings.ContainsRune(a, l) {
			rest.WriteRune(l)
		}
	}
	return graph.DotGeneral(x, sumX, alongX, y, sumY, alongY), along.String() + rest.String()
}

// Outer multiplies each value of t [M] by each of u [N], which gives [M N].
func (t *Tensor) Outer(u *Tensor) *Tensor {
	if len(t.shape) != 1 || len(u.shape) != 1 {
		panic(&ShapeError{Op: "Outer", Got: t.shape, Want: fmt.Sprintf("[M], for a [N] of %v", u.shape)})
	}
	return t.Reshape(-1, 1).Mul(u.Reshape(1, -1))
}

// Dot is the sum of the products of t [N] and u [N].
func (t *Tensor) Dot(u *Tensor) *Tensor {
	if len(t.shape) != 1 || !Shape(t.shape).Equal(u.shape) {
		panic(&ShapeError{Op: "Dot", Got: t.shape, Want: fmt.Sprintf("[N], as the other tensor, which is %v", u.shape)})
	}
	return t.Mul(u).Sum()
}

// Normalize divides by the Euclidean length along an axis, which becomes 1, as
// torch.nn.functional.normalize does.
func (t *Tensor) Normalize(axis int) *Tensor {
	return t.with("normalize", axis, func(x *node) *node {
		at := x.axis(x.t.where("Normalize"), axis)
		raw := x.value()
		square := graph.ReduceAndKeep(graph.Square(raw), graph.ReduceSum, at)
		// The root of 0 has no gradient: what is below the limit does not count.
		small := graph.LessThan(square, graph.Scalar(raw.Graph(), raw.DType(), 1e-24))
		length := graph.Where(small, graph.Scalar(raw.Graph(), raw.DType(), 1e-12), graph.Sqrt(graph.Where(small, graph.OnesLike(square), square)))
		return x.With(graph.Div(raw, graph.BroadcastToDims(length, raw.Shape().Dimensions...)))
	})
}

// CosineSimilarity is the cosine of the angle between t and u along an axis, which
// goes away.
func (t *Tensor) CosineSimilarity(u *Tensor, axis int) *Tensor {
	return t.Normalize(axis).Mul(u.Normalize(axis)).Sum(axis)
}
