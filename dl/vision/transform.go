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

// Compose applies transforms one after the other. Those that scale and cut
// are done together where they follow one another, so that of a picture only
// the pixels are worked on, and of a JPEG file decoded, that are left in the
// end; the result is the same.
func Compose(ts ...Transform) Transform { return chain(ts) }

type chain []Transform

func (c chain) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	return c.through(img, rng)
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
	if err := t.fits(img.C); err != nil {
		return nil, err
	}
	n := img.H * img.W
	for c := range img.C {
		t.channel(c, img.Values[c*n:(c+1)*n])
	}
	return img, nil
}

// bytes is ToTensor and Normalize at once.
func (t Normalize) bytes(img *Image) (*Image, error) {
	if err := t.fits(img.C); err != nil {
		return nil, err
	}
	out := &Image{C: img.C, H: img.H, W: img.W, Values: make([]float32, len(img.Pix))}
	n := img.H * img.W
	for c := range img.C {
		table := unit
		t.channel(c, table[:])
		to := out.Values[c*n:][:n]
		for i, b := range img.Pix[c*n:][:n] {
			to[i] = table[b]
		}
	}
	return out, nil
}

// channel normalizes values of channel c.
func (t Normalize) channel(c int, values []float32) {
	mean, std := t.Mean[c%len(t.Mean)], t.Std[c%len(t.Std)]
	for i, v := range values {
		values[i] = (v - mean) / std
	}
}

// fits tells what is wrong with the numbers for that many channels.
func (t Normalize) fits(channels int) error {
	for _, s := range [...]struct {
		name string
		list []float32
	}{{"Mean", t.Mean}, {"Std", t.Std}} {
		if len(s.list) != 1 && len(s.list) != channels {
			return fmt.Errorf("vision: Normalize: %s has %d numbers for %d channels, want one a channel", s.name, len(s.list), channels)
		}
	}
	for c, std := range t.Std {
		if std == 0 {
			return fmt.Errorf("vision: Normalize: Std[%d] is 0, want a number to divide by", c)
		}
	}
	return nil
}
