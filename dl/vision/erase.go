package vision

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// RandomErasing puts a rectangle of one value over a random part of a picture
// by chance (Zhong et al., "Random Erasing Data Augmentation", 2017). It works
// on float32, so it follows [ToTensor], and as a rule [Normalize].
type RandomErasing struct {
	P     float64    // the chance, 0 to 1; 0 means 0.5
	Scale [2]float64 // area of the rectangle as a part of the picture's; zero means 0.02 to 0.33
	Ratio [2]float64 // height over width of the rectangle; zero means 0.3 to 3.3
	Value []float32  // one a channel, or one for all; nil means 0
	Noise bool       // each pixel its own normal random number in place of Value
}

// Apply erases a part of the picture's values in place, or leaves them. The
// choice follows torchvision's get_params: ten tries to fit a rectangle.
func (t RandomErasing) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	scale, ratio, value := t.Scale, t.Ratio, t.Value
	if scale == ([2]float64{}) {
		scale = [2]float64{0.02, 0.33}
	}
	if ratio == ([2]float64{}) {
		ratio = [2]float64{0.3, 3.3}
	}
	if len(value) == 0 {
		value = []float32{0}
	}
	if scale[0] < 0 || scale[1] < scale[0] || scale[1] > 1 || ratio[0] <= 0 || ratio[1] < ratio[0] {
		return nil, fmt.Errorf("vision: RandomErasing: Scale is %v, Ratio %v, want rising ranges, of Scale within 0 to 1", scale, ratio)
	}
	if img.Values == nil {
		return nil, fmt.Errorf("vision: RandomErasing: picture has bytes, want float32; put ToTensor before it")
	}
	if len(value) != 1 && len(value) != img.C {
		return nil, fmt.Errorf("vision: RandomErasing: Value has %d numbers for %d channels, want one a channel", len(value), img.C)
	}
	yes, err := chance("RandomErasing", t.P, 0.5, rng)
	if err != nil || !yes {
		return img, err
	}
	low, high := math.Log(ratio[0]), math.Log(ratio[1])
	for range 10 {
		area := float64(img.H*img.W) * (scale[0] + rng.Float64()*(scale[1]-scale[0]))
		r := math.Exp(low + rng.Float64()*(high-low))
		h, w := int(math.RoundToEven(math.Sqrt(area*r))), int(math.RoundToEven(math.Sqrt(area/r)))
		if h >= img.H || w >= img.W {
			continue
		}
		y, x := rng.IntN(img.H-h+1), rng.IntN(img.W-w+1)
		img.erase(y, x, h, w, func(c int) float32 {
			if t.Noise {
				return float32(rng.NormFloat64())
			}
			return value[c%len(value)]
		})
		break
	}
	return img, nil
}

// erase sets h×w pixels, whose top left corner is at row y and column x, to
// what value gives for each in its channel.
func (m *Image) erase(y, x, h, w int, value func(c int) float32) {
	for c := range m.C {
		for r := range h {
			row := m.Values[(c*m.H+y+r)*m.W+x:][:w]
			for i := range row {
				row[i] = value(c)
			}
		}
	}
}
