package vision

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// Transform changes one picture. It must allow calls from several goroutines
// at once, take all its randomness from rng, and leave img.Pix as it is.
type Transform interface {
	Apply(img *Image, rng *rand.Rand) (*Image, error)
}

// Func makes a [Transform] of a function of one's own.
type Func func(img *Image, rng *rand.Rand) (*Image, error)

// Apply calls the function.
func (f Func) Apply(img *Image, rng *rand.Rand) (*Image, error) { return f(img, rng) }

// Compose applies transforms one after the other.
func Compose(ts ...Transform) Transform { return chain(ts) }

type chain []Transform

func (c chain) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	for i, t := range c {
		if t == nil {
			return nil, fmt.Errorf("vision: Compose: transform %d is nil; leave it out", i)
		}
		var err error
		if img, err = t.Apply(img, rng); err != nil {
			return nil, err
		}
		if err := img.check(); err != nil {
			return nil, fmt.Errorf("vision: %T: %w", t, err)
		}
	}
	return img, nil
}

// String lists the transforms, one a line, as PyTorch prints them.
func (c chain) String() string {
	var b strings.Builder
	b.WriteString("Compose(\n")
	for _, t := range c {
		name := strings.TrimPrefix(fmt.Sprintf("%T", t), "vision.")
		if s, ok := t.(fmt.Stringer); ok {
			name = strings.ReplaceAll(s.String(), "\n", "\n    ")
		} else if fields := fmt.Sprintf("%+v", t); strings.HasPrefix(fields, "{") && fields != "{}" {
			name += fields
		}
		fmt.Fprintf(&b, "    %s\n", name)
	}
	return b.String() + ")"
}

// ToTensor turns bytes of 0 to 255 into float32 of 0 to 1, as
// torchvision.transforms.ToTensor does. A picture that has been through it
// stays as it is.
type ToTensor struct{}

// Apply scales the picture.
func (ToTensor) Apply(img *Image, _ *rand.Rand) (*Image, error) {
	if img.Values != nil {
		return img, nil
	}
	return &Image{C: img.C, H: img.H, W: img.W, Values: scale(img.Pix)}, nil
}

// Normalize subtracts a mean from each channel and divides by a standard
// deviation: v' = (v - Mean[c]) / Std[c]. It follows [ToTensor]. One number
// serves all channels.
type Normalize struct {
	Mean, Std []float32 // one a channel, or one for all; required
}

// Apply normalizes the picture's values in place.
func (t Normalize) Apply(img *Image, _ *rand.Rand) (*Image, error) {
	if img.Values == nil {
		return nil, fmt.Errorf("vision: Normalize: picture has bytes, want float32; put ToTensor before it")
	}
	for _, s := range [...]struct {
		name string
		list []float32
	}{{"Mean", t.Mean}, {"Std", t.Std}} {
		if len(s.list) != 1 && len(s.list) != img.C {
			return nil, fmt.Errorf("vision: Normalize: %s has %d numbers for %d channels, want one a channel", s.name, len(s.list), img.C)
		}
	}
	n := img.H * img.W
	for c := range img.C {
		mean, std := t.Mean[c%len(t.Mean)], t.Std[c%len(t.Std)]
		if std == 0 {
			return nil, fmt.Errorf("vision: Normalize: Std[%d] is 0, want a number to divide by", c)
		}
		plane := img.Values[c*n : (c+1)*n]
		for i, v := range plane {
			plane[i] = (v - mean) / std
		}
	}
	return img, nil
}

// RandomHorizontalFlip mirrors a picture, left to right, by chance.
type RandomHorizontalFlip struct {
	P float64 // the chance, 0 to 1; 0 means 0.5
}

// Apply mirrors the picture or leaves it.
func (t RandomHorizontalFlip) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	p := t.P
	if p == 0 {
		p = 0.5
	}
	if p < 0 || p > 1 {
		return nil, fmt.Errorf("vision: RandomHorizontalFlip: P is %v, want 0 to 1", p)
	}
	if rng.Float64() >= p {
		return img, nil
	}
	out := &Image{C: img.C, H: img.H, W: img.W}
	if img.Pix != nil {
		out.Pix = mirror(img.Pix, img.W)
	} else {
		out.Values = mirror(img.Values, img.W)
	}
	return out, nil
}

func mirror[T any](pix []T, w int) []T {
	out := make([]T, len(pix))
	for y := 0; y < len(pix); y += w {
		from, to := pix[y:y+w], out[y:y+w]
		for x, v := range from {
			to[w-1-x] = v
		}
	}
	return out
}

// RandomCrop cuts a window out of a picture at a random place.
type RandomCrop struct {
	Size    int   // side of the window, in pixels; required unless H and W are given
	H, W    int   // sides of a window that is not square
	Padding int   // black pixels added on each side before
	Fill    uint8 // another value for these pixels
}

// Apply cuts the window. A picture that is smaller is an error.
func (t RandomCrop) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	h, w := t.H, t.W
	if t.Size != 0 {
		h, w = t.Size, t.Size
	}
	if h < 1 || w < 1 || t.Padding < 0 {
		return nil, fmt.Errorf("vision: RandomCrop: window is %d×%d with padding %d, want Size of at least 1", h, w, t.Padding)
	}
	top, left := img.H+2*t.Padding-h, img.W+2*t.Padding-w
	if top < 0 || left < 0 {
		return nil, fmt.Errorf("vision: RandomCrop: picture is %d×%d with padding %d, want at least %d×%d; add Padding, or Resize before", img.H, img.W, t.Padding, h, w)
	}
	y, x := rng.IntN(top+1)-t.Padding, rng.IntN(left+1)-t.Padding
	return img.window(y, x, h, w, t.Fill), nil
}

// window cuts h×w pixels whose top left corner is at row y and column x;
// what lies outside of the picture is fill.
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
