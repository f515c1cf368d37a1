package vision

import (
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
)

// A training picture is scaled and then cut, or cut and then scaled, and most
// of it is thrown away. So transforms that only choose pixels and scale them
// do not do so at once: each changes a view, which says where the result comes
// from, and the view makes it in one step. Pixels that it does not show are
// neither scaled nor, in a JPEG file, decoded. Random numbers are drawn in the
// same order as one by one, and all bytes are the same.

// picture is one whose pixels may still lie in a file.
type picture interface {
	size() (h, w int)
	// cut returns the pixels of a part, which must lie inside.
	cut(part image.Rectangle) (*Image, error)
}

func (m *Image) size() (h, w int) { return m.H, m.W }

func (m *Image) cut(r image.Rectangle) (*Image, error) {
	return m.window(r.Min.Y, r.Min.X, r.Dy(), r.Dx(), 0), nil
}

// view is a part of a picture, scaled to h×w pixels, of which window is seen.
type view struct {
	part   image.Rectangle
	h, w   int
	window image.Rectangle
	scaler string // the transform that scaled, by name; "" while none did
	flip   bool   // in the end, left to right
}

// viewer is a transform that can be told as a change of a view. ok is false
// where it cannot; then nothing was drawn from rng.
type viewer interface {
	view(v view, rng *rand.Rand) (next view, ok bool, err error)
}

// whole is the view of all of a picture.
func whole(h, w int) view {
	return view{part: image.Rect(0, 0, w, h), h: h, w: w, window: image.Rect(0, 0, w, h)}
}

// visible returns the sides of what is seen.
func (v view) visible() (h, w int) { return v.window.Dy(), v.window.Dx() }

// crop cuts a window out of what is seen, which must lie inside.
func (v view) crop(y, x, h, w int) view {
	if _, all := v.visible(); v.flip {
		x = all - x - w
	}
	r := image.Rect(x, y, x+w, y+h)
	if v.scaler == "" {
		v.part = r.Add(v.part.Min)
		v.h, v.w, v.window = h, w, image.Rect(0, 0, w, h)
		return v
	}
	v.window = r.Add(v.window.Min)
	return v
}

// scale makes what is seen h×w pixels. A second time it cannot: bytes are
// rounded in between. Nor can it after a flip, since the filter's weights are
// not rounded alike from both sides.
func (v view) scale(by string, h, w int) (view, bool) {
	if v.scaler != "" || v.flip {
		return v, false
	}
	v.scaler, v.h, v.w, v.window = by, h, w, image.Rect(0, 0, w, h)
	return v, true
}

// of returns what is seen of p.
func (v view) of(p picture) (*Image, error) {
	if m, ok := p.(*Image); ok && v.scaler != "" && m.Pix == nil {
		return nil, fmt.Errorf("vision: %s: picture has float32 values, want bytes; put ToTensor after it", v.scaler)
	}
	across := weights(v.part.Dx(), v.w, v.window.Min.X, v.window.Max.X)
	down := weights(v.part.Dy(), v.h, v.window.Min.Y, v.window.Max.Y)
	part := image.Rect(across.first, down.first, across.last, down.last).Add(v.part.Min)
	img, err := p.cut(part)
	if err != nil {
		return nil, err
	}
	if v.flip && !across.same { // costs nothing there
		across.reverse()
	}
	img = img.resize(across, down, downFirst(v.part.Dx(), v.part.Dy(), v.w, v.h))
	if v.flip && across.same {
		img = img.mirrored()
	}
	return img, nil
}

// through applies one transform after the other, as far as possible in views.
func (c chain) through(p picture, rng *rand.Rand) (*Image, error) {
	if i := slices.Index(c, nil); i >= 0 {
		return nil, fmt.Errorf("vision: Compose: transform %d is nil; leave it out", i)
	}
	for {
		v := whole(p.size())
		for len(c) > 0 {
			t, ok := c[0].(viewer)
			if !ok {
				break
			}
			next, ok, err := t.view(v, rng)
			if err != nil {
				return nil, err
			}
			if !ok {
				break
			}
			v, c = next, c[1:]
		}
		img, err := v.of(p)
		if err != nil || len(c) == 0 {
			return img, err
		}
		n := 1
		if norm, ok := c.tensor(); ok && img.Pix != nil {
			img, err = norm.bytes(img)
			n = 2
		} else {
			img, err = c[0].Apply(img, rng)
		}
		if err != nil {
			return nil, err
		}
		if err := img.check(); err != nil {
			return nil, fmt.Errorf("vision: %T: %w", c[0], err)
		}
		p, c = img, c[n:]
	}
}

// tensor reports whether the next two are ToTensor and Normalize, which a table
// of 256 numbers does at once.
func (c chain) tensor() (Normalize, bool) {
	if len(c) < 2 {
		return Normalize{}, false
	}
	_, first := c[0].(ToTensor)
	norm, second := c[1].(Normalize)
	return norm, first && second
}
