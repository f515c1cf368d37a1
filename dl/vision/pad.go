package vision

import (
	"fmt"
	"math/rand/v2"
)

// Pad adds pixels around a picture.
type Pad struct {
	Padding                  int // on each side, in pixels
	Left, Top, Right, Bottom int // in place of Padding, on one side each

	Fill uint8   // the value of the pixels; of float32 values, Fill/255
	Mode PadMode // where they come from instead
}

// PadMode says what [Pad] puts around a picture, in NumPy's words.
type PadMode string

// The modes. In a row of pixels a b c, two are added before it.
const (
	PadConstant  PadMode = "constant"  // Fill Fill | a b c; also the empty PadMode
	PadEdge      PadMode = "edge"      // a a | a b c
	PadReflect   PadMode = "reflect"   // c b | a b c
	PadSymmetric PadMode = "symmetric" // b a | a b c
)

// Apply adds the pixels. PadReflect and PadSymmetric go to and fro where there
// are fewer pixels than are asked for.
func (t Pad) Apply(img *Image, _ *rand.Rand) (*Image, error) {
	left, top, right, bottom := t.Left, t.Top, t.Right, t.Bottom
	if left == 0 && top == 0 && right == 0 && bottom == 0 {
		left, top, right, bottom = t.Padding, t.Padding, t.Padding, t.Padding
	}
	h, w := img.H+top+bottom, img.W+left+right
	if min(left, top, right, bottom) < 0 || h > maxSide || w > maxSide {
		return nil, fmt.Errorf("vision: Pad: picture of %d×%d and padding of %d, %d, %d and %d, want no negative padding and sides of at most %d",
			img.H, img.W, left, top, right, bottom, maxSide)
	}
	switch t.Mode {
	case "", PadConstant:
		return img.window(-top, -left, h, w, t.Fill), nil
	case PadEdge, PadReflect, PadSymmetric:
	default:
		return nil, fmt.Errorf("vision: Pad: Mode is %q, want %q, %q, %q or %q", t.Mode, PadConstant, PadEdge, PadReflect, PadSymmetric)
	}
	rows, columns := t.Mode.sources(img.H, top, h), t.Mode.sources(img.W, left, w)
	out := &Image{C: img.C, H: h, W: w}
	if img.Pix != nil {
		out.Pix = take(img.Pix, img, rows, columns)
	} else {
		out.Values = take(img.Values, img, rows, columns)
	}
	return out, nil
}

// sources tells for each of size pixels along a side which of n it shows, when
// before are added in front.
func (mode PadMode) sources(n, before, size int) []int {
	from := make([]int, size)
	for i := range from {
		k := i - before
		switch mode {
		case PadEdge:
			k = min(max(k, 0), n-1)
		case PadReflect: // the same again after 2n-2, there and back without the ends
			period := max(2*n-2, 1)
			k = (k%period + period) % period
			k = min(k, period-k)
			if n == 1 {
				k = 0
			}
		case PadSymmetric:
			k = (k%(2*n) + 2*n) % (2 * n)
			k = min(k, 2*n-1-k)
		}
		from[i] = k
	}
	return from
}

// take returns the pixels at rows and columns of each channel.
func take[T any](src []T, m *Image, rows, columns []int) []T {
	out := make([]T, 0, m.C*len(rows)*len(columns))
	for c := range m.C {
		for _, y := range rows {
			row := src[(c*m.H+y)*m.W:][:m.W]
			for _, x := range columns {
				out = append(out, row[x])
			}
		}
	}
	return out
}
