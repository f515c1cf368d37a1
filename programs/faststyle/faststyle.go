// Package faststyle paints photographs in the style of a picture, as
// pytorch/examples/fast_neural_style: a network is trained to do in one pass what
// styletransfer does in hundreds of steps for every photograph.
//
// Johnson, Alahi and Fei-Fei, "Perceptual Losses for Real-Time Style Transfer and
// Super-Resolution", ECCV 2016.
package faststyle

import "github.com/holt-dl/holt/dl"

// ConvLayer is a convolution with reflection padding. If Scale is not 0, its input is
// enlarged first.
type ConvLayer struct {
	Scale  float64
	Pad    dl.ReflectionPad2d
	Conv2d dl.Conv2d
}

// Conv returns a layer with an odd kernel that keeps the size of a picture at stride 1.
func Conv(out, kernel, stride int) *ConvLayer {
	return &ConvLayer{Pad: dl.ReflectionPad2d{Padding: kernel / 2}, Conv2d: dl.Conv2d{Out: out, Kernel: kernel, Stride: stride}}
}

// Forward applies the layer.
func (c *ConvLayer) Forward(x *dl.Tensor) *dl.Tensor {
	if c.Scale != 0 {
		x = x.Upsample(dl.Upsample{Scale: c.Scale})
	}
	return c.Conv2d.Forward(c.Pad.Forward(x))
}

// ResidualBlock adds two convolutions to its input.
type ResidualBlock struct {
	Conv1 *ConvLayer
	IN1   dl.InstanceNorm2d `dl:"in1"`
	Conv2 *ConvLayer
	IN2   dl.InstanceNorm2d `dl:"in2"`
}

// Forward applies the block.
func (r *ResidualBlock) Forward(x *dl.Tensor) *dl.Tensor {
	y := r.IN1.Forward(r.Conv1.Forward(x)).ReLU()
	return r.IN2.Forward(r.Conv2.Forward(y)).Add(x)
}

// TransformerNet paints photographs [N 3 H W] with values from 0 to 1 and sides that are
// multiples of 4. It has no attention.
type TransformerNet struct {
	Conv1, Conv2, Conv3          *ConvLayer
	IN1                          dl.InstanceNorm2d `dl:"in1"`
	IN2                          dl.InstanceNorm2d `dl:"in2"`
	IN3                          dl.InstanceNorm2d `dl:"in3"`
	Res1, Res2, Res3, Res4, Res5 *ResidualBlock
	Deconv1                      *ConvLayer
	IN4                          dl.InstanceNorm2d `dl:"in4"`
	Deconv2                      *ConvLayer
	IN5                          dl.InstanceNorm2d `dl:"in5"`
	Deconv3                      *ConvLayer
}

// New returns a network whose first convolution has width channels. The example has 32.
func New(width int) *TransformerNet {
	norm := dl.InstanceNorm2d{Affine: true}
	block := func() *ResidualBlock {
		return &ResidualBlock{Conv1: Conv(4*width, 3, 1), IN1: norm, Conv2: Conv(4*width, 3, 1), IN2: norm}
	}
	larger := func(out int) *ConvLayer {
		c := Conv(out, 3, 1)
		c.Scale = 2
		return c
	}
	return &TransformerNet{
		Conv1: Conv(width, 9, 1), IN1: norm, Conv2: Conv(2*width, 3, 2), IN2: norm, Conv3: Conv(4*width, 3, 2), IN3: norm,
		Res1: block(), Res2: block(), Res3: block(), Res4: block(), Res5: block(),
		Deconv1: larger(2 * width), IN4: norm, Deconv2: larger(width), IN5: norm, Deconv3: Conv(3, 9, 1),
	}
}

// Forward returns paintings [N 3 H W]. The sigmoid keeps them from 0 to 1, as the scaled tanh
// of the paper does; the example ends without one.
func (n *TransformerNet) Forward(x *dl.Tensor) *dl.Tensor {
	x = n.IN1.Forward(n.Conv1.Forward(x)).ReLU()
	x = n.IN2.Forward(n.Conv2.Forward(x)).ReLU()
	x = n.IN3.Forward(n.Conv3.Forward(x)).ReLU()
	for _, block := range []*ResidualBlock{n.Res1, n.Res2, n.Res3, n.Res4, n.Res5} {
		x = block.Forward(x)
	}
	x = n.IN4.Forward(n.Deconv1.Forward(x)).ReLU()
	x = n.IN5.Forward(n.Deconv2.Forward(x)).ReLU()
	return n.Deconv3.Forward(x).Sigmoid()
}

// Features is the network whose features the losses compare. It is built like the first
// layers of the example's VGG.
type Features struct {
	Main dl.Sequential
}

// NewFeatures returns a network whose first convolution has width channels. VGG has 64.
func NewFeatures(width int) *Features {
	conv := func(out int) dl.Conv2d { return dl.Conv2d{Out: out, Kernel: 3, Padding: 1} }
	half := dl.AvgPool2d{Kernel: 2}
	return &Features{dl.Sequential{
		conv(width), dl.ReLU{}, conv(width), dl.ReLU{}, half,
		conv(2 * width), dl.ReLU{}, conv(2 * width), dl.ReLU{}, half,
		conv(4 * width), dl.ReLU{},
	}}
}

// Maps returns the feature maps of pictures x [N 3 H W] after each ReLU.
func (f *Features) Maps(x *dl.Tensor) []*dl.Tensor {
	var maps []*dl.Tensor
	x = x.Shift(-0.5).Scale(4) // about mean 0 and variance 1
	for _, layer := range f.Main {
		x = layer.Forward(x)
		if _, ok := layer.(dl.ReLU); ok {
			maps = append(maps, x)
		}
	}
	return maps
}

// Forward returns the means of the last feature maps, for a classifier: [N D].
func (f *Features) Forward(x *dl.Tensor) *dl.Tensor {
	maps := f.Maps(x)
	return maps[len(maps)-1].Mean(2, 3)
}

// Gram returns the Gram matrices [N C C] of feature maps [N C H W]: the mean products of
// every two channels, divided by C.
func Gram(maps *dl.Tensor) *dl.Tensor {
	n, c := maps.Dim(0), maps.Dim(1)
	f := maps.Reshape(n, c, -1)
	return f.BMM(f.Transpose(0, 2, 1)).Scale(1 / float64(c*f.Dim(2)))
}

// Style returns the Gram matrices [1 C C] of all feature maps of a picture [1 3 H W].
func (f *Features) Style(picture *dl.Tensor) []*dl.Tensor {
	var grams []*dl.Tensor
	dl.NoGrad(func() {
		for _, m := range f.Maps(picture) {
			grams = append(grams, Gram(m))
		}
	})
	return grams
}

// Losses compares paintings y with a style, given by its Gram matrices, and with their
// photographs x, both [N 3 H W]. The content loss is that of the first two feature maps,
// which have all of a picture's pixels. Each difference is relative to what it is compared
// with, because the feature maps of a small network differ more in size than VGG's.
func (f *Features) Losses(y, x *dl.Tensor, grams []*dl.Tensor) (style, content *dl.Tensor) {
	maps, wanted := f.Maps(y), f.Maps(x)
	content = relative(maps[0], wanted[0].Detach()).Add(relative(maps[1], wanted[1].Detach()))
	style = relative(Gram(maps[0]), grams[0])
	for i := range maps[1:] {
		style = style.Add(relative(Gram(maps[i+1]), grams[i+1]))
	}
	return style, content
}

// relative returns the mean squared difference of x from want, divided by want's mean square.
func relative(x, want *dl.Tensor) *dl.Tensor {
	return x.Sub(want).Square().Mean().Div(want.Square().Mean())
}
