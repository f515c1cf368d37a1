package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// PixelShuffle makes images larger by laying the values of Upscale² channels out
// as a square of pixels, as torch.nn.PixelShuffle does.
//
//	input   [N C·Upscale² H W]
//	output  [N C H·Upscale W·Upscale]
//
// A number of channels that Upscale² does not divide is a [*ShapeError].
//
// Shi et al., "Real-Time Single Image and Video Super-Resolution Using an
// Efficient Sub-Pixel Convolutional Neural Network", CVPR 2016.
type PixelShuffle struct {
	Upscale int // required

	place
}

// Forward applies the layer.
func (p PixelShuffle) Forward(x *Tensor) *Tensor { return forward(p, x) }

func (p PixelShuffle) forward(x *node) *node {
	return p.seen(fmt.Sprintf("PixelShuffle(upscale_factor=%d)", p.Upscale), 0, p.of(x))
}

func (p PixelShuffle) of(x *node) *node {
	in := x.Shape()
	out, err := p.Output(in)
	if err != nil {
		panic(err)
	}
	r := p.Upscale
	parts := graph.Reshape(x.value(), out[0], out[1], r, r, in[2], in[3])
	return x.With(graph.Reshape(graph.TransposeAllAxes(parts, 0, 1, 4, 2, 5, 3), out...))
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (p PixelShuffle) Output(in Shape) (Shape, error) {
	if p.Upscale <= 0 {
		return nil, fmt.Errorf("dl: %s: Upscale is %d, want above 0; write PixelShuffle{Upscale: 2}", p.label("PixelShuffle"), p.Upscale)
	}
	square := p.Upscale * p.Upscale
	if len(in) != 4 {
		return nil, wrongPool(p.label("PixelShuffle"), in)
	}
	if in[1]%square != 0 {
		return nil, &ShapeError{Op: p.label("PixelShuffle"), Got: in, Want: fmt.Sprintf("[N %d·C H W]", square),
			Fix: fmt.Sprintf("make the layer before it give %d channels for each channel of the result", square)}
	}
	return Shape{in[0], in[1] / square, in[2] * p.Upscale, in[3] * p.Upscale}, nil
}

// PixelUnshuffle is the inverse of [PixelShuffle], as torch.nn.PixelUnshuffle.
//
//	input   [N C H·Downscale W·Downscale]
//	output  [N C·Downscale² H W]
type PixelUnshuffle struct {
	Downscale int // required

	place
}

// Forward applies the layer.
func (p PixelUnshuffle) Forward(x *Tensor) *Tensor { return forward(p, x) }

func (p PixelUnshuffle) forward(x *node) *node {
	return p.seen(fmt.Sprintf("PixelUnshuffle(downscale_factor=%d)", p.Downscale), 0, p.of(x))
}

func (p PixelUnshuffle) of(x *node) *node {
	in := x.Shape()
	out, err := p.Output(in)
	if err != nil {
		panic(err)
	}
	r := p.Downscale
	parts := graph.Reshape(x.value(), in[0], in[1], out[2], r, out[3], r)
	return x.With(graph.Reshape(graph.TransposeAllAxes(parts, 0, 1, 3, 5, 2, 4), out...))
}

// Output returns the shape that the layer makes of an input, or a
// [*ShapeError].
func (p PixelUnshuffle) Output(in Shape) (Shape, error) {
	r := p.Downscale
	if r <= 0 {
		return nil, fmt.Errorf("dl: %s: Downscale is %d, want above 0; write PixelUnshuffle{Downscale: 2}", p.label("PixelUnshuffle"), r)
	}
	if len(in) != 4 {
		return nil, wrongPool(p.label("PixelUnshuffle"), in)
	}
	if in[2]%r != 0 || in[3]%r != 0 {
		return nil, &ShapeError{Op: p.label("PixelUnshuffle"), Got: in, Want: fmt.Sprintf("[N C H W] with H and W divisible by %d", r)}
	}
	return Shape{in[0], in[1] * r * r, in[2] / r, in[3] / r}, nil
}

// PixelShuffle makes images [N C·r² H W] larger, to [N C H·r W·r], as the layer
// [PixelShuffle] does.
func (t *Tensor) PixelShuffle(r int) *Tensor {
	return layerFunc(t, PixelShuffle{Upscale: r}, func(p PixelShuffle, x *node) *node { return p.of(x) })
}

// PixelUnshuffle is the inverse of [Tensor.PixelShuffle].
func (t *Tensor) PixelUnshuffle(r int) *Tensor {
	return layerFunc(t, PixelUnshuffle{Downscale: r}, func(p PixelUnshuffle, x *node) *node { return p.of(x) })
}
