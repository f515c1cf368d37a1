package vision

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// RandomCrop cuts a window out of a picture at a random place.
type RandomCrop struct {
	Size    int   // side of the window, in pixels; required unless H and W are given
	H, W    int   // sides of a window that is not square
	Padding int   // black pixels added on each side before
	Fill    uint8 // another value for these pixels
}

// Apply cuts the window. A picture that is smaller is an error.
func (t RandomCrop) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	y, x, h, w, err := t.choose(img.H, img.W, rng)
	if err != nil {
		return nil, err
	}
	return img.window(y, x, h, w, t.Fill), nil
}

func (t RandomCrop) view(v view, rng *rand.Rand) (view, bool, error) {
	if t.Padding > 0 {
		return v, false, nil
	}
	fromH, fromW := v.visible()
	y, x, h, w, err := t.choose(fromH, fromW, rng)
	if err != nil {
		return v, false, err
	}
	return v.crop(y, x, h, w), true, nil
}

// choose draws the window in a picture of fromH×fromW.
func (t RandomCrop) choose(fromH, fromW int, rng *rand.Rand) (y, x, h, w int, err error) {
	h, w = t.H, t.W
	if t.Size != 0 {
		h, w = t.Size, t.Size
	}
	if h < 1 || w < 1 || t.Padding < 0 {
		return 0, 0, 0, 0, fmt.Errorf("vision: RandomCrop: window is %d×%d with padding %d, want Size of at least 1", h, w, t.Padding)
	}
	top, left := fromH+2*t.Padding-h, fromW+2*t.Padding-w
	if top < 0 || left < 0 {
		return 0, 0, 0, 0, fmt.Errorf("vision: RandomCrop: picture is %d×%d with padding %d, want at least %d×%d; add Padding, or Resize before", fromH, fromW, t.Padding, h, w)
	}
	y, x = rng.IntN(top+1)-t.Padding, rng.IntN(left+1)-t.Padding
	return y, x, h, w, nil
}

// CenterCrop cuts a window out of the middle of a picture. A picture that is
// smaller gets black edges, as in torchvision.
type CenterCrop struct {
	Size int // side of the window, in pixels; required unless H and W are given
	H, W int // sides of a window that is not square
}

// Apply cuts the window.
func (t CenterCrop) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	h, w, err := t.sides()
	if err != nil {
		return nil, err
	}
	return img.window(middle(img.H, h), middle(img.W, w), h, w, 0), nil
}

func (t CenterCrop) view(v view, _ *rand.Rand) (view, bool, error) {
	h, w, err := t.sides()
	fromH, fromW := v.visible()
	if err != nil || h > fromH || w > fromW {
		return v, false, err
	}
	return v.crop(middle(fromH, h), middle(fromW, w), h, w), true, nil
}

func (t CenterCrop) sides() (h, w int, err error) {
	h, w = t.H, t.W
	if t.Size != 0 {
		h, w = t.Size, t.Size
	}
	if h < 1 || w < 1 || h > maxSide || w > maxSide {
		err = fmt.Errorf("vision: CenterCrop: window is %d×%d, want Size of 1 to %d", h, w, maxSide)
	}
	return h, w, err
}

// middle is where a window of size begins in n pixels. Torchvision rounds
// half to even in a picture, and pads the smaller half first.
func middle(n, size int) int {
	if size > n {
		return -((size - n) / 2)
	}
	return int(math.RoundToEven(float64(n-size) / 2))
}

// window cuts h×w pixels whose top left corner is at row y and column x.
// Pixels outside of the picture are fill.
func (m *Image) window(y, x, h, w int, fill uint8) *Image {
	if y == 0 && x == 0 && h == m.H && w == m.W {
		return m
	}
	out := &Image{C: m.C, H: h, W: w}
	if m.Pix != nil {
		out.Pix = cut(m.Pix, m, y, x, h, w, fill)
	} else {
		out.Values = cut(m.Values, m, y, x, h, w, unit[fill])
	}
	return out
}

func cut[T uint8 | float32](src []T, m *Image, y, x, h, w int, fill T) []T {
	out := make([]T, m.C*h*w)
	if fill != 0 {
		for i := range out {
			out[i] = fill
		}
	}
	x0, x1 := max(0, -x), min(w, m.W-x) // columns of the window inside the picture
	for c := range m.C {
		for r := max(0, -y); r < min(h, m.H-y) && x0 < x1; r++ {
			from := (c*m.H+y+r)*m.W + x
			copy(out[(c*h+r)*w+x0:(c*h+r)*w+x1], src[from+x0:from+x1])
		}
	}
	return out
}
