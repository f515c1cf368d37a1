package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Dropout sets values to 0 with probability P and divides the others by 1-P,
// as torch.nn.Dropout does. Any shape. It does so in training only; what it
// drops follows from [Seed], the step and the layer's place.
//
// Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
// Overfitting", JMLR 2014.
type Dropout struct {
	P float64 // in [0, 1]; 0 means 0.5

	place
}

// Forward applies the layer.
func (d Dropout) Forward(x *Tensor) *Tensor { return forward(d, x) }

func (d Dropout) forward(x *node) *node {
	if d.P == 0 {
		d.P = 0.5
	}
	if d.P < 0 || d.P > 1 {
		panic(fmt.Errorf("dl: %s: P is %v, want 0 to 1; try Dropout{P: 0.5}", d.label("Dropout"), d.P))
	}
	y := x
	if x.t.training {
		y = x.each(func(raw *graph.Node) *graph.Node { return x.t.drop(raw, d.P) })
	}
	return d.seen(fmt.Sprintf("Dropout(p=%s, inplace=False)", float(d.P)), 0, y)
}
