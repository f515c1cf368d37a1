package vision

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// ColorJitter changes brightness, contrast, saturation and hue by chance, in
// a random order, as torchvision does with PIL pictures. It works on bytes,
// so it comes before [ToTensor].
//
// A factor is drawn from max(0, 1-x) to 1+x for the first three, where 1
// changes nothing, and from -Hue to Hue of the colour circle for the last.
type ColorJitter struct {
	Brightness, Contrast, Saturation float64 // at least 0; 0 leaves it as it is
	Hue                              float64 // 0 to 0.5
}

// Apply changes the colours.
func (t ColorJitter) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	if t.Brightness < 0 || t.Contrast < 0 || t.Saturation < 0 || t.Hue < 0 || t.Hue > 0.5 {
		return nil, fmt.Errorf("vision: ColorJitter: %+v, want no negative number and Hue of at most 0.5", t)
	}
	if img.Pix == nil {
		return nil, fmt.Errorf("vision: ColorJitter: picture has float32 values, want bytes; put ToTensor after it")
	}
	around := func(x float64) float64 {
		low := max(0, 1-x)
		return low + rng.Float64()*(1+x-low)
	}
	for _, k := range rng.Perm(4) {
		switch {
		case k == 0 && t.Brightness > 0:
			img = img.brighten(around(t.Brightness))
		case k == 1 && t.Contrast > 0:
			img = img.contrast(around(t.Contrast))
		case k == 2 && t.Saturation > 0:
			img = img.saturate(around(t.Saturation))
		case k == 3 && t.Hue > 0:
			img = img.turnHue((2*rng.Float64() - 1) * t.Hue)
		}
	}
	return img, nil
}

// blend is Pillow's Image.blend of one byte: from a towards b, and beyond.
func blend(a, b uint8, alpha float32) uint8 {
	v := float32(a) + float32(alpha*float32(int(b)-int(a))) // the conversion keeps the two roundings apart
	return uint8(min(max(v, 0), 255))
}

// brighten blends from black (ImageEnhance.Brightness).
func (m *Image) brighten(factor float64) *Image {
	out := &Image{C: m.C, H: m.H, W: m.W, Pix: make([]uint8, len(m.Pix))}
	for i, b := range m.Pix {
		out.Pix[i] = blend(0, b, float32(factor))
	}
	return out
}

// contrast blends from the mean gray (ImageEnhance.Contrast).
func (m *Image) contrast(factor float64) *Image {
	sum := 0
	for i := range m.H * m.W {
		sum += int(m.gray(i))
	}
	mean := uint8(float64(sum)/float64(m.H*m.W) + 0.5)
	out := &Image{C: m.C, H: m.H, W: m.W, Pix: make([]uint8, len(m.Pix))}
	for i, b := range m.Pix {
		out.Pix[i] = blend(mean, b, float32(factor))
	}
	return out
}

// saturate blends from the gray picture (ImageEnhance.Color).
func (m *Image) saturate(factor float64) *Image {
	if m.C != 3 {
		return m
	}
	n := m.H * m.W
	out := &Image{C: m.C, H: m.H, W: m.W, Pix: make([]uint8, len(m.Pix))}
	for i := range n {
		g := m.gray(i)
		for c := range 3 {
			out.Pix[c*n+i] = blend(g, m.Pix[c*n+i], float32(factor))
		}
	}
	return out
}

// gray is the luma of pixel i, with Pillow's weights (ITU-R 601-2, 16 bits).
func (m *Image) gray(i int) uint8 {
	if m.C != 3 {
		return m.Pix[i]
	}
	n := m.H * m.W
	return uint8((int(m.Pix[i])*19595 + int(m.Pix[n+i])*38470 + int(m.Pix[2*n+i])*7471 + 0x8000) >> 16)
}

// turnHue turns the colours by a part of the circle, through Pillow's HSV of
// bytes (libImaging/Convert.c).
func (m *Image) turnHue(by float64) *Image {
	if m.C != 3 {
		return m
	}
	n := m.H * m.W
	turn := uint8(int(by * 255)) // wraps for negative numbers, as numpy's cast
	out := &Image{C: m.C, H: m.H, W: m.W, Pix: make([]uint8, len(m.Pix))}
	for i := range n {
		h, s, v := toHSV(m.Pix[i], m.Pix[n+i], m.Pix[2*n+i])
		out.Pix[i], out.Pix[n+i], out.Pix[2*n+i] = toRGB(h+turn, s, v)
	}
	return out
}

func toHSV(r, g, b uint8) (h, s, v uint8) {
	low, high := min(r, g, b), max(r, g, b)
	if low == high {
		return 0, 0, high
	}
	span := float32(high - low)
	rc, gc, bc := float32(high-r)/span, float32(high-g)/span, float32(high-b)/span
	var hue float32
	switch high {
	case r:
		hue = bc - gc
	case g:
		hue = float32(2 + float64(rc) - float64(bc))
	default:
		hue = float32(4 + float64(gc) - float64(rc))
	}
	hue = float32(math.Mod(float64(hue)/6+1, 1))
	return uint8(float64(hue) * 255), uint8(float64(span/float32(high)) * 255), high
}

func toRGB(h, s, v uint8) (r, g, b uint8) {
	if s == 0 {
		return v, v, v
	}
	hue := float32(float64(float32(h)*6) / 255)
	i := math.Floor(float64(hue))
	f := float32(float64(hue) - i)
	sat := float32(float64(float32(s)) / 255)
	level := float64(v)
	round := func(x float64) uint8 { return uint8(min(max(math.Round(x), 0), 255)) }
	p := round(level * (1 - float64(sat)))
	q := round(level * (1 - float64(float32(sat*f))))
	t := round(level * (1 - float64(float64(sat)*(1-float64(f)))))
	switch int(i) % 6 {
	case 0:
		return v, t, p
	case 1:
		return q, v, p
	case 2:
		return p, v, t
	case 3:
		return p, q, v
	case 4:
		return t, p, v
	}
	return v, p, q
}
