package dl

import (
	"fmt"

	"github.com/holt-dl/holt/dl/internal/lower"
)

// HW is a height and a width in pixels, or along height and width.
type HW [2]int

// pair returns the setting for both axes: both, where it is not zero, else
// one for each.
func pair(one int, both HW) HW {
	if both != (HW{}) {
		return both
	}
	return HW{one, one}
}

// square is a window from the fields that layers have in common, with 1 for a
// Stride or Dilation left out.
func square(kernel int, kernelHW HW, stride int, strideHW HW, padding int, paddingHW HW, dilation int, dilationHW HW) lower.Window {
	w := lower.Window{Kernel: pair(kernel, kernelHW), Stride: pair(max(stride, 1), strideHW), Dilation: pair(max(dilation, 1), dilationHW)}
	for i, n := range pair(padding, paddingHW) {
		w.Padding[i] = [2]int{n, n}
	}
	return w
}

// needs says how large an image must be, for messages.
func needs(w lower.Window, channels string) string {
	h, wide := w.Span(0)-w.Padding[0][0]-w.Padding[0][1], w.Span(1)-w.Padding[1][0]-w.Padding[1][1]
	if h == wide {
		return fmt.Sprintf("[N %s H W] with H and W at least %d", channels, h)
	}
	return fmt.Sprintf("[N %s H W] with H at least %d and W at least %d", channels, h, wide)
}

// String writes a pair as Python does.
func (p HW) String() string { return fmt.Sprintf("(%d, %d)", p[0], p[1]) }

// brief writes one number for a square, as PyTorch prints poolings.
func (p HW) brief() string {
	if p[0] == p[1] {
		return fmt.Sprint(p[0])
	}
	return p.String()
}
