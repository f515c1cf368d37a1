package vision

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Resize scales a picture with a triangle filter that widens when it shrinks
// (bilinear with antialiasing), as torchvision does with PIL pictures: bytes
// are equal to Pillow 13's, which chooses the order of its two passes by the
// sizes. It works on bytes, so it comes before [ToTensor].
type Resize struct {
	Size int // the shorter side becomes this, in pixels; the other keeps the ratio
	H, W int // or both sides
}

// Apply scales the picture.
func (t Resize) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	return chain{t}.through(img, rng)
}

func (t Resize) view(v view, _ *rand.Rand) (view, bool, error) {
	h, w := t.H, t.W
	fromH, fromW := v.visible()
	if t.Size > 0 && h == 0 && w == 0 { // torchvision rounds the longer side down
		if fromW <= fromH {
			h, w = t.Size*fromH/fromW, t.Size
		} else {
			h, w = t.Size, t.Size*fromW/fromH
		}
	}
	if h < 1 || w < 1 || h > maxSide || w > maxSide {
		return v, false, fmt.Errorf("vision: Resize: picture of %d×%d would become %d×%d, want sides of 1 to %d; set Size, or H and W", fromH, fromW, h, w, maxSide)
	}
	v, ok := v.scale("Resize", h, w)
	return v, ok, nil
}

// A picture of more pixels a side is refused: it would be a mistake.
const maxSide = 1 << 16

// RandomResizedCrop cuts a random window of random size and shape and scales
// it: the usual augmentation of ImageNet.
type RandomResizedCrop struct {
	Size  int        // side of the result, in pixels; required
	Scale [2]float64 // area of the window as a part of the picture's; zero means 0.08 to 1
	Ratio [2]float64 // width over height of the window; zero means 3/4 to 4/3
}

// Apply cuts and scales. The choice follows torchvision's get_params: ten
// tries, then the largest window in the middle with an allowed shape.
func (t RandomResizedCrop) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	return chain{t}.through(img, rng)
}

func (t RandomResizedCrop) view(v view, rng *rand.Rand) (view, bool, error) {
	scale, ratio := t.Scale, t.Ratio
	if scale == ([2]float64{}) {
		scale = [2]float64{0.08, 1}
	}
	if ratio == ([2]float64{}) {
		ratio = [2]float64{3. / 4, 4. / 3}
	}
	if t.Size < 1 || t.Size > maxSide || scale[0] <= 0 || scale[1] < scale[0] || ratio[0] <= 0 || ratio[1] < ratio[0] {
		return v, false, fmt.Errorf("vision: RandomResizedCrop: Size is %d, Scale %v, Ratio %v, want a size of 1 to %d and rising positive ranges", t.Size, scale, ratio, maxSide)
	}
	if v.scaler != "" {
		return v, false, nil
	}
	fromH, fromW := v.visible()
	low, high := math.Log(ratio[0]), math.Log(ratio[1])
	area := float64(fromH * fromW)
	for range 10 {
		target := area * (scale[0] + rng.Float64()*(scale[1]-scale[0]))
		r := math.Exp(low + rng.Float64()*(high-low))
		w := int(math.RoundToEven(math.Sqrt(target * r)))
		h := int(math.RoundToEven(math.Sqrt(target / r)))
		if w > 0 && w <= fromW && h > 0 && h <= fromH {
			y, x := rng.IntN(fromH-h+1), rng.IntN(fromW-w+1)
			v, ok := v.crop(y, x, h, w).scale("RandomResizedCrop", t.Size, t.Size)
			return v, ok, nil
		}
	}
	h, w := fromH, fromW
	switch whole := float64(w) / float64(h); {
	case whole < ratio[0]:
		h = int(math.RoundToEven(float64(w) / ratio[0]))
	case whole > ratio[1]:
		w = int(math.RoundToEven(float64(h) * ratio[1]))
	}
	v, ok := v.crop((fromH-h)/2, (fromW-w)/2, h, w).scale("RandomResizedCrop", t.Size, t.Size)
	return v, ok, nil
}
