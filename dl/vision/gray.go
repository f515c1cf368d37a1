package vision

import (
	"fmt"
	"math/rand/v2"
)

// Grayscale takes the colour out of a picture, with the weights of PIL's
// convert("L"). It works on bytes, so it comes before [ToTensor].
type Grayscale struct {
	Channels int // 1, or 3 that are equal; 0 means 1
}

// Apply takes the colour out.
func (t Grayscale) Apply(img *Image, _ *rand.Rand) (*Image, error) {
	n := t.Channels
	if n == 0 {
		n = 1
	}
	if n != 1 && n != 3 {
		return nil, fmt.Errorf("vision: Grayscale: Channels is %d, want 1 or 3", n)
	}
	return img.grayscale("Grayscale", n)
}

// RandomGrayscale takes the colour out of a picture by chance. The number of
// channels stays. It works on bytes, so it comes before [ToTensor].
type RandomGrayscale struct {
	P float64 // the chance, 0 to 1; 0 means 0.1
}

// Apply takes the colour out or leaves it.
func (t RandomGrayscale) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	yes, err := chance("RandomGrayscale", t.P, 0.1, rng)
	if err != nil || !yes {
		return img, err
	}
	return img.grayscale("RandomGrayscale", img.C)
}

func (m *Image) grayscale(op string, channels int) (*Image, error) {
	if m.Pix == nil {
		return nil, fmt.Errorf("vision: %s: picture has float32 values, want bytes; put ToTensor after it", op)
	}
	out := &Image{C: 1, H: m.H, W: m.W, Pix: make([]uint8, m.H*m.W)}
	for i := range out.Pix {
		out.Pix[i] = m.gray(i)
	}
	if channels == 3 {
		return out.rgb(), nil
	}
	return out, nil
}
