package dl_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// translates is a network of two inputs with a Transformer and masks.
type translates struct {
	Transformer dl.Transformer
	masks       dl.TransformerMasks
}

func (n *translates) Forward(x, y *dl.Tensor) *dl.Tensor {
	return n.Transformer.Attend(x, y, n.masks)
}

func TestTransformerLikePyTorch(t *testing.T) {
	ref := readLayers(t).Transformer
	eachBackend(t, func(t *testing.T) {
		padding := dl.FromSlice([]bool{false, false, false, true, true, false, false, false, false, true}, 2, 5)
		net := &translates{
			Transformer: dl.Transformer{Heads: 2, EncoderLayers: 2, DecoderLayers: 2, Hidden: 5, BatchFirst: true},
			masks: dl.TransformerMasks{
				Source: dl.Attention{KeyPadding: padding}, Target: dl.Attention{Causal: true}, Memory: dl.Attention{KeyPadding: padding},
			},
		}
		m := must(dl.Build(net, dl.Shape{2, 5, 6}, dl.Shape{2, 4, 6}))
		if got, want := strings.ReplaceAll(strings.Join(m.Names(), " "), "transformer.", ""), strings.Join(ref.Names, " "); got != want {
			t.Fatalf("names are %s\nwant %s", got, want)
		}
		for i, n := range m.Names() {
			m.Param(n).Set(fill(20+i, 0.5, m.Param(n).Shape()...))
		}
		m.Eval()
		params := dl.SGD{LR: 1}.For(m).Params()
		both := dl.Compile(func(x, y *dl.Tensor) (*dl.Tensor, []*dl.Tensor) {
			x.RequiresGrad()
			y.RequiresGrad()
			z := m.Call(x, y)
			z.Mul(fill(9, 1, z.Shape()...)).Sum().Backward()
			gradients := []*dl.Tensor{x.Grad(), y.Grad()}
			for _, p := range params {
				gradients = append(gradients, p.Grad())
			}
			return z, gradients
		})
		z, gradients := both.Call(fill(1, 1, 2, 5, 6), fill(2, 1, 2, 4, 6))
		near(t, "output", brief(z), ref.Output, 1e-5)                                                 // float32, normalized ten times
		near(t, "at once", brief(m.Call(fill(1, 1, 2, 5, 6), fill(2, 1, 2, 4, 6))), ref.Output, 1e-5) // as above
		for i, g := range gradients {
			near(t, fmt.Sprint("gradient ", i), brief(g), ref.Grads[i], 1e-4) // normalization makes rounding larger on the way back
		}
	})
}

// TestTransformerStart checks that all weights of more than one axis start within
// Xavier's bound, and reach it, as torch.nn.Transformer has them.
func TestTransformerStart(t *testing.T) {
	on(t, "go")
	net := &translates{Transformer: dl.Transformer{Heads: 2, EncoderLayers: 1, DecoderLayers: 1, Hidden: 64}}
	m := must(dl.Build(net, dl.Shape{3, 2, 32}, dl.Shape{4, 2, 32}))
	for _, n := range m.Names() {
		w := m.Param(n)
		if w.Rank() < 2 {
			continue
		}
		bound := math.Sqrt(6 / float64(w.Dim(0)+w.Dim(1)))
		if most := w.Abs().Max().Item(); most > bound || most < 0.98*bound {
			t.Errorf("%s of %v starts with values up to %v, want %v", n, w.Shape(), most, bound)
		}
	}
}

func TestTransformerErrors(t *testing.T) {
	on(t, "go")
	encoder := dl.TransformerEncoder{Layers: slices.Repeat([]dl.TransformerEncoderLayer{{Heads: 4, Hidden: 8}}, 2), Norm: &dl.LayerNorm{}}
	for _, c := range []struct {
		net   any
		shape dl.Shape
		want  string
	}{
		{encoder, dl.Shape{5, 2, 6}, "dl: Build: layers.0.self_attn MultiheadAttention: input is [5 2 6], want a last axis that 4 heads divide; choose Heads that divides it"},
		{encoder, dl.Shape{5, 8}, "dl: Build: layers.0.self_attn MultiheadAttention: input is [5 8], want [L N 8]; add the axis of the sequence or the batch with Reshape"},
		{dl.TransformerEncoderLayer{}, dl.Shape{5, 2, 8}, "dl: Build: self_attn MultiheadAttention: Heads is 0 and Dropout 0.1, want Heads above 0 and Dropout in [0, 1]; write MultiheadAttention{Heads: 8}"},
	} {
		_, err := dl.Build(c.net, c.shape)
		if err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	if m := must(dl.Build(encoder, dl.Shape{5, 2, 8})); len(m.Names()) != 2*12+2 {
		t.Errorf("names are %v", m.Names())
	}
}
