package lower

// Window is the geometry of what slides over an image: of a convolution or a
// pooling. Height comes first.
type Window struct {
	Kernel, Stride, Dilation [2]int
	Padding                  [2][2]int // before and after
}

// Valid reports whether all numbers are in range.
func (w Window) Valid() bool {
	for i := range 2 {
		if w.Kernel[i] <= 0 || w.Stride[i] <= 0 || w.Dilation[i] <= 0 || w.Padding[i][0] < 0 || w.Padding[i][1] < 0 {
			return false
		}
	}
	return true
}

// Span returns how many pixels the window covers along an axis.
func (w Window) Span(axis int) int { return w.Dilation[axis]*(w.Kernel[axis]-1) + 1 }

// Places returns the number of places of the window along an axis of size
// pixels; 0 or less if it has none.
func (w Window) Places(axis, size int) int {
	room := size + w.Padding[axis][0] + w.Padding[axis][1] - w.Span(axis)
	if room < 0 {
		return 0
	}
	return room/w.Stride[axis] + 1
}

// Ceil pads at the end so that a last window hangs over the edge, as
// PyTorch's ceil_mode: unless it would begin in the padding. It returns the
// number of places.
func (w *Window) Ceil(axis, size int) int {
	room := size + w.Padding[axis][0] + w.Padding[axis][1] - w.Span(axis)
	if room < 0 && room <= -w.Stride[axis] {
		return 0
	}
	places := (room+w.Stride[axis]-1)/w.Stride[axis] + 1
	if (places-1)*w.Stride[axis] >= size+w.Padding[axis][0] {
		places--
	}
	if more := (places-1)*w.Stride[axis] - room; more > 0 {
		w.Padding[axis][1] += more
	}
	return places
}
