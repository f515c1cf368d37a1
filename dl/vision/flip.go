package vision

import (
	"fmt"
	"math/rand/v2"

	"github.com/holt-dl/holt/dl"
)

// RandomHorizontalFlip mirrors a picture, left to right, by chance.
type RandomHorizontalFlip struct {
	P float64 // the chance, 0 to 1; 0 means 0.5
}

// Apply mirrors the picture or leaves it.
func (t RandomHorizontalFlip) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	return chain{t}.through(img, rng)
}

func (t RandomHorizontalFlip) view(v view, rng *rand.Rand) (view, bool, error) {
	yes, err := chance("RandomHorizontalFlip", t.P, 0.5, rng)
	if yes {
		v.flip = !v.flip
	}
	return v, err == nil, err
}

// chance draws whether something happens whose probability is p, or usual
// where p is 0.
func chance(op string, p, usual float64, rng *rand.Rand) (bool, error) {
	if p == 0 {
		p = usual
	}
	if p < 0 || p > 1 {
		return false, fmt.Errorf("vision: %s: P is %v, want 0 to 1", op, p)
	}
	return rng.Float64() < p && p != dl.Zero, nil
}

// mirrored is the picture, left to right.
func (m *Image) mirrored() *Image {
	out := &Image{C: m.C, H: m.H, W: m.W}
	if m.Pix != nil {
		out.Pix = mirror(m.Pix, m.W)
	} else {
		out.Values = mirror(m.Values, m.W)
	}
	return out
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

// RandomVerticalFlip mirrors a picture, top to bottom, by chance.
type RandomVerticalFlip struct {
	P float64 // the chance, 0 to 1; 0 means 0.5
}

// Apply mirrors the picture or leaves it.
func (t RandomVerticalFlip) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	yes, err := chance("RandomVerticalFlip", t.P, 0.5, rng)
	if err != nil || !yes {
		return img, err
	}
	out := &Image{C: img.C, H: img.H, W: img.W}
	if img.Pix != nil {
		out.Pix = overturn(img.Pix, img)
	} else {
		out.Values = overturn(img.Values, img)
	}
	return out, nil
}

func overturn[T any](src []T, m *Image) []T {
	out := make([]T, 0, len(src))
	for c := range m.C {
		for y := m.H - 1; y >= 0; y-- {
			out = append(out, src[(c*m.H+y)*m.W:][:m.W]...)
		}
	}
	return out
}
