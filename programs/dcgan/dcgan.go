// Package dcgan draws pictures like given ones, as pytorch/examples/dcgan: a generator
// learns to draw what a discriminator takes for real.
//
// Radford, Metz and Chintala, "Unsupervised Representation Learning with Deep
// Convolutional Generative Adversarial Networks", ICLR 2016.
package dcgan

import "github.com/holt-dl/holt/dl"

// Generator draws pictures [N channels size size], from -1 to 1, of random numbers
// [N 100 1 1].
type Generator struct {
	Main dl.Sequential
}

// NewGenerator returns a generator of pictures with a side of 16, 32, 64 or another
// power of two.
func NewGenerator(size, channels int) *Generator {
	const features = 64
	n := size / 8
	main := dl.Sequential{dl.ConvTranspose2d{Out: features * n, Kernel: 4, NoBias: true}, dl.BatchNorm2d{}, dl.ReLU{}}
	for ; n > 1; n /= 2 {
		main = append(main, dl.ConvTranspose2d{Out: features * n / 2, Kernel: 4, Stride: 2, Padding: 1, NoBias: true}, dl.BatchNorm2d{}, dl.ReLU{})
	}
	return &Generator{append(main, dl.ConvTranspose2d{Out: channels, Kernel: 4, Stride: 2, Padding: 1, NoBias: true}, dl.Tanh{})}
}

// Forward runs the network.
func (g *Generator) Forward(z *dl.Tensor) *dl.Tensor { return g.Main.Forward(z) }

// Discriminator says how likely pictures [N channels size size] are real, [N].
type Discriminator struct {
	Main dl.Sequential
}

// NewDiscriminator returns a discriminator of pictures with a side of size.
func NewDiscriminator(size int) *Discriminator {
	const features = 64
	main := dl.Sequential{dl.Conv2d{Out: features, Kernel: 4, Stride: 2, Padding: 1, NoBias: true}, dl.LeakyReLU{Slope: 0.2}}
	for n := 2; n <= size/8; n *= 2 {
		main = append(main, dl.Conv2d{Out: features * n, Kernel: 4, Stride: 2, Padding: 1, NoBias: true}, dl.BatchNorm2d{}, dl.LeakyReLU{Slope: 0.2})
	}
	return &Discriminator{append(main, dl.Conv2d{Out: 1, Kernel: 4, NoBias: true}, dl.Sigmoid{})}
}

// Forward runs the network.
func (d *Discriminator) Forward(x *dl.Tensor) *dl.Tensor { return d.Main.Forward(x).Reshape(-1) }

// InitWeights starts the layers as the paper does.
func InitWeights(layers dl.Sequential) {
	for _, layer := range layers {
		switch l := layer.(type) {
		case dl.Conv2d:
			l.Weight.Init(dl.Normal(0, 0.02))
		case dl.ConvTranspose2d:
			l.Weight.Init(dl.Normal(0, 0.02))
		case dl.BatchNorm2d:
			l.Weight.Init(dl.Normal(1, 0.02))
			l.Bias.Init(dl.Constant(0))
		}
	}
}

// BCE is the loss of probabilities p [N] that should all be label.
func BCE(p *dl.Tensor, label float64) *dl.Tensor {
	return p.Loss(dl.BCELoss{}, dl.Full(label, p.Dim(0)))
}

// Step trains both networks once, and returns their losses.
func Step(g *Generator, d *Discriminator, optG, optD *dl.Optim, real, z *dl.Tensor) (lossD, lossG *dl.Tensor) {
	// The discriminator learns to tell real pictures from drawn ones.
	fake := g.Forward(z)
	lossD = BCE(d.Forward(real), 1).Add(BCE(d.Forward(fake.Detach()), 0))
	lossD.Backward()
	optD.Step()
	// The generator learns to draw what it takes for real.
	lossG = BCE(d.Forward(fake), 1)
	lossG.Backward()
	optG.Step()
	return lossD, lossG
}
