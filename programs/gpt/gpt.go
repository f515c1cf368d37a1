// Package gpt is a small GPT: a Transformer that writes text letter by letter. It
// learns from whole texts at once, and writes with a cache of keys and values, which
// makes each letter cost the same.
//
// Radford et al., "Language Models are Unsupervised Multitask Learners", 2019.
package gpt

import (
	"math"

	"github.com/holt-dl/holt/dl"
)

// Attention lets each place look at itself and the places before.
type Attention struct {
	Heads int

	CAttn   dl.Linear `dl:"c_attn"` // query, key and value
	CProj   dl.Linear `dl:"c_proj"`
	Dropout dl.Dropout
}

// heads returns query, key and value of x [N T Size], each [N Heads T Size/Heads].
func (a *Attention) heads(x *dl.Tensor) (q, k, v *dl.Tensor) {
	n, t, size := x.Dim(0), x.Dim(1), x.Dim(2)
	qkv := a.CAttn.Forward(x).Reshape(n, t, 3, a.Heads, size/a.Heads).Transpose(2, 0, 3, 1, 4)
	return qkv.Index(0), qkv.Index(1), qkv.Index(2)
}

// look returns what queries find at those keys that are not hidden, [N T Size].
func (a *Attention) look(q, k, v, hidden *dl.Tensor) *dl.Tensor {
	scores := q.MatMul(k.Transpose(0, 1, 3, 2)).Scale(1 / math.Sqrt(float64(q.Dim(-1))))
	weights := a.Dropout.Forward(scores.MaskedFill(hidden, math.Inf(-1)).Softmax(-1))
	y := weights.MatMul(v).Transpose(0, 2, 1, 3)
	return a.Dropout.Forward(a.CProj.Forward(y.Reshape(y.Dim(0), y.Dim(1), -1)))
}

// Block is attention and a network for each place, both added to what came in.
type Block struct {
	LN1  dl.LayerNorm `dl:"ln_1"`
	Attn Attention
	LN2  dl.LayerNorm `dl:"ln_2"`
	MLP  dl.Sequential
}

// GPT foresees the next letter.
type GPT struct {
	Length int // the longest text it can look at

	WTE     dl.Embedding // of letters, and in reverse their scores
	WPE     dl.Embedding // of places
	Dropout dl.Dropout
	Blocks  []*Block     `dl:"h"`
	LNF     dl.LayerNorm `dl:"ln_f"`
}

// New returns a network that is not built yet, for texts of some letters.
func New(letters, length, size, heads, blocks int, dropout float64) *GPT {
	drop := dl.Dropout{P: dropout}
	g := &GPT{Length: length, WTE: dl.Embedding{In: letters, Out: size}, WPE: dl.Embedding{In: length, Out: size}, Dropout: drop}
	for range blocks {
		g.Blocks = append(g.Blocks, &Block{
			Attn: Attention{Heads: heads, CAttn: dl.Linear{Out: 3 * size}, CProj: dl.Linear{Out: size}, Dropout: drop},
			MLP:  dl.Sequential{dl.Linear{Out: 4 * size}, dl.GELU{}, dl.Linear{Out: size}, drop},
		})
	}
	return g
}

// Forward returns the scores of the next letter after each place, [N T Letters], of
// texts [N T].
func (g *GPT) Forward(text *dl.Tensor) *dl.Tensor {
	t := text.Dim(1)
	x := g.Dropout.Forward(g.WTE.Forward(text).Add(g.WPE.Forward(dl.Arange(t))))
	later := dl.Ones(t, t).Triu(1).As(dl.Bool)
	for _, b := range g.Blocks {
		q, k, v := b.Attn.heads(b.LN1.Forward(x))
		x = x.Add(b.Attn.look(q, k, v, later))
		x = x.Add(b.MLP.Forward(b.LN2.Forward(x)))
	}
	return g.LNF.Forward(x).Linear(g.WTE.Weight, nil)
}

// Loss is how badly the letters of texts [N T] are foreseen, from the second on.
func (g *GPT) Loss(text *dl.Tensor) *dl.Tensor {
	t := text.Dim(1) - 1
	scores := g.Forward(text.Narrow(1, 0, t))
	return scores.Reshape(-1, scores.Dim(-1)).CrossEntropy(text.Narrow(1, 1, t).Reshape(-1))
}

// Cache is what the blocks know of the letters so far.
type Cache struct {
	Keys, Values []*dl.Tensor // of each block, [N Heads Length Size/Heads]
	N            *dl.Tensor   // how many letters there are
}

// NewCache returns a cache for n texts that have not begun.
func (g *GPT) NewCache(n int) Cache {
	c := Cache{N: dl.Scalar(int64(0))}
	for _, b := range g.Blocks {
		empty := dl.Zeros(n, b.Attn.Heads, g.Length, g.WTE.Out/b.Attn.Heads)
		c.Keys, c.Values = append(c.Keys, empty), append(c.Values, empty)
	}
	return c
}

// Step takes one letter of each text [N], and returns the scores of the next one
// [N Letters] and the cache for it.
func (g *GPT) Step(letter *dl.Tensor, c Cache) (*dl.Tensor, Cache) {
	x := g.WTE.Forward(letter).Add(g.WPE.Forward(c.N)).Unsqueeze(1) // [N 1 Size]
	places := dl.Arange(g.Length)
	here, later := places.Equal(c.N).Unsqueeze(1), places.Greater(c.N)
	next := Cache{N: c.N.Add(dl.Scalar(int64(1)))}
	for i, b := range g.Blocks {
		q, k, v := b.Attn.heads(b.LN1.Forward(x))
		keys, values := dl.Where(here, k, c.Keys[i]), dl.Where(here, v, c.Values[i])
		next.Keys, next.Values = append(next.Keys, keys), append(next.Values, values)
		x = x.Add(b.Attn.look(q, keys, values, later))
		x = x.Add(b.MLP.Forward(b.LN2.Forward(x)))
	}
	return g.LNF.Forward(x).Linear(g.WTE.Weight, nil).Squeeze(1), next
}

// Sample draws one of the k letters with the highest scores [N Letters], as [N]. A
// temperature below 1 keeps to the best ones.
func Sample(scores *dl.Tensor, k int, temperature float64) *dl.Tensor {
	best, letters := scores.TopK(k, -1)
	choice := best.Scale(1 / temperature).Softmax(-1).Multinomial(1)
	return letters.Gather(1, choice).Squeeze(1)
}
