package dl

import "fmt"

// HW is a height and a width in pixels, or along height and width.
type HW [2]int

// window is the geometry of what slides over an image: of a convolution or a
// pooling. Height comes first.
type window struct {
	kernel, stride, dilation HW
	padding                  [2][2]int // before and after
}

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
func square(kernel int, kernelHW HW, stride int, strideHW HW, padding int, paddingHW HW, dilation int, dilationHW HW) window {
	w := window{kernel: pair(kernel, kernelHW), stride: pair(max(stride, 1), strideHW), dilation: pair(max(dilation, 1), dilationHW)}
	for i, n := range pair(padding, paddingHW) {
		w.padding[i] = [2]int{n, n}
	}
	return w
}

// valid tells whether all numbers are in range.
func (w window) valid() bool {
	for i := range 2 {
		if w.kernel[i] <= 0 || w.stride[i] <= 0 || w.dilation[i] <= 0 || w.padding[i][0] < 0 || w.padding[i][1] < 0 {
			return false
		}
	}
	return true
}

// span returns how many pixels the window covers along an axis.
func (w window) span(axis int) int { return w.dilation[axis]*(w.kernel[axis]-1) + 1 }

// output returns the number of places of the window along an axis of size
// pixels; 0 or less if it has none.
func (w window) output(axis, size int) int {
	room := size + w.padding[axis][0] + w.padding[axis][1] - w.span(axis)
	if room < 0 {
		return 0
	}
	return room/w.stride[axis] + 1
}

// ceil pads at the end so that a last window hangs over the edge, as
// PyTorch's ceil_mode: unless it would begin in the padding. It returns the
// number of places.
func (w *window) ceil(axis, size int) int {
	room := size + w.padding[axis][0] + w.padding[axis][1] - w.span(axis)
	if room < 0 && room <= -w.stride[axis] {
		return 0
	}
	places := (room+w.stride[axis]-1)/w.stride[axis] + 1
	if (places-1)*w.stride[axis] >= size+w.padding[axis][0] {
		places--
	}
	if more := (places-1)*w.stride[axis] - room; more > 0 {
		w.padding[axis][1] += more
	}
	return places
}

// needs says how large an image must be, for messages.
func (w window) needs(channels string) string {
	h, wide := w.span(0)-w.padding[0][0]-w.padding[0][1], w.span(1)-w.padding[1][0]-w.padding[1][1]
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
