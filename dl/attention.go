package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/lower"
)

// MultiheadAttention lets each place of a sequence look at all places, by
// Heads independent ways, as torch.nn.MultiheadAttention does.
//
//	input            [L N E], or [N L E] with BatchFirst
//	in_proj_weight   [3·E E]   for query, key and value, one above the other
//	in_proj_bias     [3·E]     absent when NoBias
//	out_proj.weight  [E E]
//	out_proj.bias    [E]       absent when NoBias
//	output           as the input
//
// With KeyIn or ValueIn other than E, in_proj_weight is three matrices,
// q_proj_weight, k_proj_weight and v_proj_weight, as in PyTorch.
// in_proj_weight starts uniform in ±√(6/(4·E)), out_proj.weight in ±1/√E, the
// biases at 0. E must be a multiple of Heads; an input of another rank or
// length is a [*ShapeError].
//
// Vaswani et al., "Attention Is All You Need", NeurIPS 2017.
type MultiheadAttention struct {
	In         int     // E, the length of a vector; 0 takes what comes
	Heads      int     // required
	KeyIn      int     // length of a key's vector; 0 means In
	ValueIn    int     // length of a value's vector; 0 means In
	Dropout    float64 // share of the attention weights that training drops
	NoBias     bool    // leave out the biases
	BatchFirst bool    // the first axis is the batch, not the sequence

	xavier bool // out_proj.weight starts uniform in ±√(6/(E+E)); part of a Transformer

	place
}

// Attention says what may look at what, in [MultiheadAttention.Attend]. The
// zero value allows everything.
type Attention struct {
	// Mask [L S], or [N·Heads L S], as attn_mask: of bools, true where a query
	// may not look at a key; of numbers, they are added to the scores.
	Mask *Tensor
	// KeyPadding [N S], as key_padding_mask: true for keys that are only
	// padding, or numbers that are added.
	KeyPadding *Tensor
	// Causal allows each query only the keys up to its own place.
	Causal bool
	// Weights asks for the attention weights, averaged over the heads.
	Weights bool
	// EachHead asks for the attention weights of each head.
	EachHead bool
}

// Forward applies the layer to one sequence as query, key and value: self-attention.
func (m MultiheadAttention) Forward(x *Tensor) *Tensor {
	y, _ := m.Attend(x, x, x, Attention{})
	return y
}

// Attend applies the layer to a query [L N E], key [S N KeyIn] and value
// [S N ValueIn], or with the batch first, and returns the output [L N E]. The
// weights [N L S], or [N Heads L S] with EachHead, are nil unless they are
// asked for.
func (m MultiheadAttention) Attend(query, key, value *Tensor, a Attention) (out, weights *Tensor) {
	more := attentionSettings{
		self: query == key && key == value, mask: a.Mask != nil, padding: a.KeyPadding != nil,
		causal: a.Causal, weights: a.Weights, eachHead: a.EachHead,
	}
	xs := []*Tensor{query, key, value}
	for _, mask := range []*Tensor{a.Mask, a.KeyPadding} {
		if mask != nil {
			xs = append(xs, mask)
		}
	}
	got := runLayer(m, func(m MultiheadAttention, in []*node) []*node {
		a := attending{attentionSettings: more}
		query, key, value, rest := in[0], in[1], in[2], in[3:]
		if more.self {
			key, value = query, query
		}
		if more.mask {
			a.Mask, rest = rest[0], rest[1:]
		}
		if more.padding {
			a.KeyPadding = rest[0]
		}
		out, weights := m.attend(query, key, value, a)
		if weights == nil {
			return []*node{out}
		}
		return []*node{out, weights}
	}, more, xs...)
	if len(got) == 1 {
		return got[0], nil
	}
	return got[0], got[1]
}

// attentionSettings is an [Attention] in a form that is compared by ==.
type attentionSettings struct{ self, mask, padding, causal, weights, eachHead bool }

// attending is an [Attention] inside of a program.
type attending struct {
	attentionSettings
	Mask, KeyPadding *node
}

func (m MultiheadAttention) attend(query, key, value *node, a attending) (out, weights *node) {
	shape := query.Shape()
	if _, err := m.Output(shape); err != nil {
		panic(err)
	}
	e := shape[2]
	if m.KeyIn == 0 {
		m.KeyIn = e
	}
	if m.ValueIn == 0 {
		m.ValueIn = e
	}
	if wanted := query.t.built(m.path, "out_proj.weight"); wanted != nil && wanted[0] != e {
		m.In = wanted[0]
		panic(m.wrong(shape))
	}
	batch, length := 1, 0
	if m.BatchFirst {
		batch, length = 0, 1
	}
	n, l := shape[batch], shape[length]
	for _, other := range []struct {
		name string
		x    *node
		in   int
	}{{"key", key, m.KeyIn}, {"value", value, m.ValueIn}} {
		got, want := other.x.Shape(), key.Shape()
		if len(got) != 3 || got[2] != other.in || got[batch] != n || got[length] != want[length] {
			panic(&ShapeError{Op: m.label("MultiheadAttention"), Got: got,
				Want: fmt.Sprintf("a %s of %d sequences of vectors of %d, as long as the key", other.name, n, other.in), Fix: "set KeyIn and ValueIn where they differ from the query's"})
		}
	}
	s := key.Shape()[length]

	size := e / m.Heads
	drops := m.Dropout > Zero && query.t.training
	var y, probabilities *graph.Node
	var all *graph.Node // query, key and value side by side, where they are one product
	if query == key && key == value && m.KeyIn == e && m.ValueIn == e {
		all = m.projectTogether(query, e)
		if a.plain() && !drops {
			y = m.withoutScores(all, a.causal)
		}
	}
	if y == nil {
		q, k, v := m.project(query, key, value, all, e)
		// [N Heads length Dim]
		split := func(x *graph.Node) *graph.Node {
			d := x.Shape().Dimensions
			x = graph.Reshape(x, d[0], d[1], m.Heads, size)
			return graph.TransposeAllAxes(x, batch, 2, length, 3)
		}
		q, k, v = split(q), split(k), split(v)
		probabilities = graph.Softmax(m.mask(lower.Scores(q, k), a), 3)
		if drops {
			probabilities = query.t.drop(probabilities, m.Dropout)
		}
		y = lower.Weigh(probabilities, v)
		// [N Heads L Dim] to the query's order of axes.
		if m.BatchFirst {
			y = graph.TransposeAllAxes(y, 0, 2, 1, 3)
		} else {
			y = graph.TransposeAllAxes(y, 2, 0, 1, 3)
		}
	}
	y = graph.Reshape(y, shape...)
	first := uniform(e)
	if m.xavier {
		first = xavier(e, e)
	}
	y = m.affine(query, y, query.param(m.place, "MultiheadAttention", "out_proj.weight", Shape{e, e}, first), func() *graph.Node {
		return query.param(m.place, "MultiheadAttention", "out_proj.bias", Shape{e}, constant(0))
	})
	macs := n * (l*e*e + s*(m.KeyIn+m.ValueIn)*e + 2*l*s*e + l*e*e)
	text := fmt.Sprintf("MultiheadAttention(\n  (out_proj): NonDynamicallyQuantizableLinear(in_features=%d, out_features=%[1]d, bias=%s)\n)", e, python(!m.NoBias))
	out = m.seen(text, macs, query.With(y))
	switch {
	case a.eachHead:
		weights = query.With(probabilities)
	case a.weights:
		weights = query.With(graph.MulScalar(graph.ReduceSum(probabilities, 1), 1/float64(m.Heads)))
	}
	return out, weights
}

// plain reports whether neither a mask nor the weights are given or asked for.
func (a attentionSettings) plain() bool { return !a.mask && !a.padding && !a.weights && !a.eachHead }

// inProjection returns the weights and the bias of query, key and value together. Without
// biases, the bias is nil.
func (m MultiheadAttention) inProjection(query *node, e int) (weight, bias *graph.Node) {
	const kind = "MultiheadAttention"
	weight = query.param(m.place, kind, "in_proj_weight", Shape{3 * e, e}, xavier(e, 3*e))
	if !m.NoBias {
		bias = query.param(m.place, kind, "in_proj_bias", Shape{3 * e}, constant(0))
	}
	return weight, bias
}

// projectTogether multiplies a sequence by the matrices of query, key and value: [… 3·E].
func (m MultiheadAttention) projectTogether(x *node, e int) *graph.Node {
	w, bias := m.inProjection(x, e)
	return m.affine(x, x.value(), w, func() *graph.Node { return bias })
}

// withoutScores attends in one call, which leaves no scores, with what projectTogether returns,
// and returns nil where there is no such call.
func (m MultiheadAttention) withoutScores(all *graph.Node, causal bool) *graph.Node {
	if !m.BatchFirst {
		all = graph.TransposeAllAxes(all, 1, 0, 2)
	}
	d := all.Shape().Dimensions
	y, ok := lower.SelfAttention(graph.Reshape(all, d[0], d[1], 3, m.Heads, d[2]/(3*m.Heads)), causal)
	switch {
	case !ok:
		return nil
	case m.BatchFirst:
		return y
	}
	return graph.TransposeAllAxes(y, 1, 0, 2, 3)
}

// project multiplies query, key and value by their matrices. all is not nil where that is done.
func (m MultiheadAttention) project(query, key, value *node, all *graph.Node, e int) (q, k, v *graph.Node) {
	if all != nil {
		cut := func(i int) *graph.Node { return graph.SliceAxis(all, 2, graph.AxisRange(i*e, (i+1)*e)) }
		return cut(0), cut(1), cut(2)
	}
	const kind = "MultiheadAttention"
	var wq, wk, wv, bias *graph.Node
	part := func(w *graph.Node, i int) *graph.Node { return graph.SliceAxis(w, 0, graph.AxisRange(i*e, (i+1)*e)) }
	if m.KeyIn == e && m.ValueIn == e {
		var w *graph.Node
		w, bias = m.inProjection(query, e)
		wq, wk, wv = part(w, 0), part(w, 1), part(w, 2)
	} else {
		wq = query.param(m.place, kind, "q_proj_weight", Shape{e, e}, xavier(e, e))
		wk = query.param(m.place, kind, "k_proj_weight", Shape{e, m.KeyIn}, xavier(m.KeyIn, e))
		wv = query.param(m.place, kind, "v_proj_weight", Shape{e, m.ValueIn}, xavier(m.ValueIn, e))
		if !m.NoBias {
			bias = query.param(m.place, kind, "in_proj_bias", Shape{3 * e}, constant(0))
		}
	}
	one := func(x *node, w *graph.Node, i int) *graph.Node {
		return m.affine(x, x.value(), w, func() *graph.Node { return part(bias, i) })
	}
	return one(query, wq, 0), one(key, wk, 1), one(value, wv, 2)
}

// affine is x·wᵀ plus the bias, where there is one.
func (m MultiheadAttention) affine(_ *node, x, w *graph.Node, bias func() *graph.Node) *graph.Node {
	y := graph.DotGeneral(x, []int{2}, nil, w, []int{1}, nil)
	if m.NoBias {
		return y
	}
	return graph.Add(y, graph.BroadcastToDims(graph.ExpandLeftToRank(bias(), 3), y.Shape().Dimensions...))
}

// mask puts -∞ on scores [N Heads L S] that may not count.
func (m MultiheadAttention) mask(scores *graph.Node, a attending) *graph.Node {
	d := scores.Shape().Dimensions
	n, l, s := d[0], d[2], d[3]
	apply := func(name string, mask *node, want string, fits bool, to ...int) {
		if !fits {
			panic(&ShapeError{Op: m.label("MultiheadAttention"), Got: mask.Shape(), Want: "a " + name + " of " + want})
		}
		raw := graph.BroadcastToDims(graph.Reshape(mask.value(), to...), d...)
		if mask.DType() == Bool {
			scores = lower.Exclude(scores, raw)
			return
		}
		scores = graph.Add(scores, graph.ConvertDType(raw, Float32))
	}
	if mask := a.Mask; mask != nil {
		got := mask.Shape()
		want := fmt.Sprintf("[%d %d] or [%d %d %d]", l, s, n*m.Heads, l, s)
		if len(got) == 3 {
			apply("mask", mask, want, got.Equal(Shape{n * m.Heads, l, s}), n, m.Heads, l, s)
		} else {
			apply("mask", mask, want, got.Equal(Shape{l, s}), 1, 1, l, s)
		}
	}
	if mask := a.KeyPadding; mask != nil {
		apply("key padding", mask, fmt.Sprintf("[%d %d]", n, s), mask.Shape().Equal(Shape{n, s}), n, 1, 1, s)
	}
	if a.causal {
		scores = lower.MaskLater(scores)
	}
	return scores
}

// Output returns the shape that the layer makes of a query, which is the
// query's, or a [*ShapeError].
func (m MultiheadAttention) Output(in Shape) (Shape, error) {
	if m.Heads <= 0 || m.In < 0 || m.Dropout < 0 || m.Dropout > 1 {
		return nil, fmt.Errorf("dl: %s: Heads is %d and Dropout %v, want Heads above 0 and Dropout in [0, 1]; write MultiheadAttention{Heads: 8}", m.label("MultiheadAttention"), m.Heads, m.Dropout)
	}
	if len(in) != 3 || m.In > 0 && in[2] != m.In {
		return nil, m.wrong(in)
	}
	if in[2]%m.Heads != 0 {
		return nil, &ShapeError{Op: m.label("MultiheadAttention"), Got: in, Want: fmt.Sprintf("a last axis that %d heads divide", m.Heads), Fix: "choose Heads that divides it"}
	}
	return in, nil
}

func (m MultiheadAttention) wrong(in Shape) error {
	want, fix := sequences("E", m.In, m.BatchFirst), ""
	switch {
	case len(in) == 2:
		fix = "add the axis of the sequence or the batch with Reshape"
	case len(in) == 3:
		fix = fmt.Sprintf("set In: %d, or leave In out", in[2])
	}
	return &ShapeError{Op: m.label("MultiheadAttention"), Got: in, Want: want, Fix: fix}
}
