// Package vae is a variational autoencoder, as pytorch/examples/vae: digits in, digits
// of the same kind out, and new ones drawn from random numbers.
//
// Kingma and Welling, "Auto-Encoding Variational Bayes", 2013.
package vae

import "github.com/holt-dl/holt/dl"

// VAE encodes pictures of 28 × 28 as 20 means and variances, and decodes samples of them.
type VAE struct {
	FC1      dl.Linear // 784 → 400
	FC21     dl.Linear // 400 → 20, the means
	FC22     dl.Linear // 400 → 20, the logarithms of the variances
	FC3, FC4 dl.Linear // 20 → 400 → 784
}

// New returns a network that is not built yet.
func New() *VAE {
	return &VAE{FC1: dl.Linear{Out: 400}, FC21: dl.Linear{Out: 20}, FC22: dl.Linear{Out: 20}, FC3: dl.Linear{Out: 400}, FC4: dl.Linear{Out: 784}}
}

// Encode returns the distribution of pictures x, [N 784]: means and logarithms of
// variances, both [N 20].
func (v *VAE) Encode(x *dl.Tensor) (mu, logVar *dl.Tensor) {
	h := v.FC1.Forward(x).ReLU()
	return v.FC21.Forward(h), v.FC22.Forward(h)
}

// Decode returns the logits of the pixels, [N 784], of z, [N 20].
func (v *VAE) Decode(z *dl.Tensor) *dl.Tensor { return v.FC4.Forward(v.FC3.Forward(z).ReLU()) }

// Forward returns the logits of pictures drawn like x, [N 784].
func (v *VAE) Forward(x *dl.Tensor) *dl.Tensor {
	mu, logVar := v.Encode(x)
	return v.Decode(Sample(mu, logVar, dl.RandnLike(mu)))
}

// Sample moves standard normal noise to a distribution.
func Sample(mu, logVar, noise *dl.Tensor) *dl.Tensor {
	return mu.Add(noise.Mul(logVar.Scale(0.5).Exp()))
}

// Loss is what training lowers: how unlike x its reconstruction is, and how far the
// distributions are from the standard normal, summed over the batch.
func (v *VAE) Loss(x, noise *dl.Tensor) *dl.Tensor {
	mu, logVar := v.Encode(x)
	pixels := v.Decode(Sample(mu, logVar, noise)).Loss(dl.BCEWithLogitsLoss{Reduction: "sum"}, x)
	far := logVar.Shift(1).Sub(mu.Square()).Sub(logVar.Exp()).Sum().Scale(-0.5)
	return pixels.Add(far)
}
