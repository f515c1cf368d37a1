// Package visiontransformer classifies pictures by attention between their
// patches, as pytorch/examples/vision_transformer, with the blocks of the paper.
//
// Dosovitskiy et al., "An Image is Worth 16x16 Words: Transformers for Image
// Recognition at Scale", ICLR 2021.
package visiontransformer

import "github.com/holt-dl/holt/dl"

// Embedding makes a vector of each patch, puts that of the class before them, and
// adds where each one stands.
type Embedding struct {
	Patch      int // side of a patch
	Projection dl.Linear
	ClassToken dl.Param `dl:"class_token"` // [1 1 Size]
	Position   dl.Param // [1 1+Patches Size]
}

// Forward takes pictures [N C H W] and returns [N 1+Patches Size].
func (e *Embedding) Forward(x *dl.Tensor) *dl.Tensor {
	n, c, h, w, p := x.Dim(0), x.Dim(1), x.Dim(2), x.Dim(3), e.Patch
	patches := x.Reshape(n, c, h/p, p, w/p, p).Transpose(0, 2, 4, 1, 3, 5).Reshape(n, -1, c*p*p)
	x = e.Projection.Forward(patches)
	token := e.ClassToken.Value().Expand(n, -1, -1)
	return dl.Concat(1, token, x).Add(e.Position.Value())
}

// Block is attention and a network for each vector, both added to what came in.
type Block struct {
	Norm1     dl.LayerNorm
	Attention dl.MultiheadAttention
	Norm2     dl.LayerNorm
	MLP       dl.Sequential
}

// Attend returns the new vectors [N L Size], and how much each attends to each,
// [N L L].
func (b *Block) Attend(x *dl.Tensor) (out, weights *dl.Tensor) {
	h := b.Norm1.Forward(x)
	h, weights = b.Attention.Attend(h, h, h, dl.Attention{Weights: true})
	x = x.Add(h)
	return x.Add(b.MLP.Forward(b.Norm2.Forward(x))), weights
}

// ViT is a vision transformer.
type ViT struct {
	Embedding Embedding
	Encoders  []*Block
	Head      dl.Sequential
}

// New returns a network for square pictures of a side, in patches.
func New(side, patch, size, heads, blocks, classes int) *ViT {
	patches := side / patch * side / patch
	v := &ViT{
		Embedding: Embedding{
			Patch: patch, Projection: dl.Linear{Out: size},
			ClassToken: dl.Param{Shape: dl.Shape{1, 1, size}, Init: dl.Normal(0, 1)},
			Position:   dl.Param{Shape: dl.Shape{1, 1 + patches, size}, Init: dl.Normal(0, 1)},
		},
		Head: dl.Sequential{dl.LayerNorm{}, dl.Linear{Out: size}, dl.Linear{Out: classes}},
	}
	for range blocks {
		v.Encoders = append(v.Encoders, &Block{
			Attention: dl.MultiheadAttention{Heads: heads, Dropout: 0.1, BatchFirst: true},
			MLP: dl.Sequential{
				dl.Linear{Out: 4 * size}, dl.GELU{}, dl.Dropout{P: 0.1}, dl.Linear{Out: size}, dl.Dropout{P: 0.1},
			},
		})
	}
	return v
}

// Forward returns the scores of the classes, [N Classes], of pictures [N C H W].
func (v *ViT) Forward(x *dl.Tensor) *dl.Tensor {
	x, _ = v.Attend(x)
	return v.Head.Forward(x.Narrow(1, 0, 1).Squeeze(1))
}

// Attend returns the last block's vectors, and how much its class token attends to
// each patch, [N Patches].
func (v *ViT) Attend(x *dl.Tensor) (out, weights *dl.Tensor) {
	x = v.Embedding.Forward(x)
	for _, block := range v.Encoders {
		x, weights = block.Attend(x)
	}
	return x, weights.Narrow(1, 0, 1).Squeeze(1).Narrow(1, 1, x.Dim(1)-1)
}
