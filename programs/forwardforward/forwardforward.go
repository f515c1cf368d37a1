// Package forwardforward trains a network layer by layer, without a backward pass
// through it, as pytorch/examples/mnist_forward_forward.
//
// Hinton, "The Forward-Forward Algorithm: Some Preliminary Investigations", 2022.
package forwardforward

import "github.com/holt-dl/holt/dl"

// Layer learns by itself to answer strongly to pictures with their own label, and
// weakly to those with a wrong one.
type Layer struct {
	FC dl.Linear
}

// Forward returns the answers [N Out] to x [N In], of which only the direction
// counts: how strongly the layer before answered is hidden from this one.
func (l *Layer) Forward(x *dl.Tensor) *dl.Tensor {
	direction := x.Div(x.Norm(1).Unsqueeze(1).Shift(1e-4))
	return l.FC.Forward(direction).ReLU()
}

// Goodness is how strong answers [N D] are, [N].
func Goodness(h *dl.Tensor) *dl.Tensor { return h.Square().Mean(1) }

// Loss is small where the goodness of pos is above 2 and that of neg below.
func (l *Layer) Loss(pos, neg *dl.Tensor) *dl.Tensor {
	const threshold = 2
	low := Goodness(l.Forward(pos)).Neg().Shift(threshold)
	high := Goodness(l.Forward(neg)).Shift(-threshold)
	return dl.Concat(0, low, high).Softplus().Mean()
}

// Train takes steps with all of the pictures at once, and gives each loss to report.
func (l *Layer) Train(pos, neg *dl.Tensor, steps int, report func(step int, loss float64)) {
	opt := dl.Adam{LR: 0.03}.For(l)
	step := dl.Compile(func(pos, neg *dl.Tensor) *dl.Tensor {
		loss := l.Loss(pos, neg)
		loss.Backward()
		opt.Step()
		return loss
	})
	for i := range steps {
		report(i, step.Call(pos, neg).Item())
	}
}

// Net is some layers that are trained one after the other.
type Net struct {
	Layers []*Layer
}

// New returns a network with the given numbers of outputs, which is not built yet.
func New(sizes ...int) *Net {
	n := &Net{}
	for _, size := range sizes {
		n.Layers = append(n.Layers, &Layer{FC: dl.Linear{Out: size}})
	}
	return n
}

// Forward returns the answers of the last layer.
func (n *Net) Forward(x *dl.Tensor) *dl.Tensor {
	for _, layer := range n.Layers {
		x = layer.Forward(x)
	}
	return x
}

// Train trains each layer on what the layers before it give.
func (n *Net) Train(pos, neg *dl.Tensor, steps int, report func(layer, step int, loss float64)) {
	for i, layer := range n.Layers {
		layer.Train(pos, neg, steps, func(step int, loss float64) { report(i, step, loss) })
		pos, neg = layer.Forward(pos).Detach(), layer.Forward(neg).Detach()
	}
}

// Predict returns the labels [N] with which the layers answer most strongly to x,
// [N 784].
func (n *Net) Predict(x *dl.Tensor) *dl.Tensor {
	var all []*dl.Tensor
	for label := range 10 {
		h := Overlay(x, dl.Full(float64(label), x.Dim(0)).As(dl.Int64))
		sum := dl.Zeros(x.Dim(0))
		for _, layer := range n.Layers {
			h = layer.Forward(h)
			sum = sum.Add(Goodness(h))
		}
		all = append(all, sum.Unsqueeze(1))
	}
	return dl.Concat(1, all...).Argmax(1)
}

// Overlay writes labels [N] into the first ten pixels of pictures [N 784].
func Overlay(x, labels *dl.Tensor) *dl.Tensor {
	return dl.Concat(1, labels.OneHot(10).Mul(x.Max()), x.Narrow(1, 10, x.Dim(1)-10))
}
