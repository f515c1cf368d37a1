// Package regression fits a polynomial of degree 4 by gradient descent, as
// pytorch/examples/regression: one linear layer, and the update of its weights
// written by hand.
package regression

import (
	"fmt"
	"strings"

	"github.com/holt-dl/holt/dl"
)

// Features returns x, x², x³ and x⁴ of numbers [N], as [N 4].
func Features(x *dl.Tensor) *dl.Tensor {
	x = x.Unsqueeze(1)
	return dl.Concat(1, x, x.Pow(2), x.Pow(3), x.Pow(4))
}

// Describe writes a polynomial as text.
func Describe(weight, bias *dl.Tensor) string {
	var s strings.Builder
	s.WriteString("y = ")
	for i, w := range weight.Float32s() {
		fmt.Fprintf(&s, "%+.2f x^%d ", w, i+1)
	}
	fmt.Fprintf(&s, "%+.2f", bias.Item())
	return s.String()
}

// Step moves the weights of a layer a little against their gradient, and returns
// the loss before that.
func Step(fc *dl.Linear, x, y *dl.Tensor) *dl.Tensor {
	fc.Weight.ZeroGrad()
	fc.Bias.ZeroGrad()
	loss := fc.Forward(x).Loss(dl.SmoothL1Loss{}, y)
	loss.Backward()
	for _, p := range []*dl.Tensor{fc.Weight, fc.Bias} {
		p.Set(p.Sub(p.Grad().Scale(0.1)))
	}
	return loss
}
