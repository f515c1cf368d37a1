package vision

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// RandomRotation turns a picture around its middle by a random angle. The
// picture keeps its size; corners that nothing covers are black, and each
// pixel is its nearest, as torchvision does by default.
type RandomRotation struct {
	Degrees  float64 // the angle is drawn from -Degrees to Degrees, counter-clockwise; required
	From, To float64 // or from this range
}

// Apply turns the picture.
func (t RandomRotation) Apply(img *Image, rng *rand.Rand) (*Image, error) {
	from, to := t.From, t.To
	if from == 0 && to == 0 {
		from, to = -t.Degrees, t.Degrees
	}
	if to < from || t.Degrees < 0 {
		return nil, fmt.Errorf("vision: RandomRotation: angle is %v to %v degrees, want a rising range", from, to)
	}
	return img.rotate(from + rng.Float64()*(to-from)), nil
}

// rotate is Pillow's Image.rotate with NEAREST: the inverse turn, in 16 bits
// after the point (libImaging/Geometry.c, affine_fixed).
func (m *Image) rotate(degrees float64) *Image {
	degrees = math.Mod(degrees, 360)
	if degrees < 0 {
		degrees += 360
	}
	if degrees == 0 {
		return m
	}
	angle := -degrees * math.Pi / 180
	digits := func(v float64) float64 { return math.RoundToEven(v*1e15) / 1e15 } // Pillow rounds to 15 digits
	cos, sin := digits(math.Cos(angle)), digits(math.Sin(angle))
	x, y := float64(m.W)/2, float64(m.H)/2
	fix := func(v float64) int { return int(math.Floor(float64(v*65536) + 0.5)) }
	// Conversions keep the roundings apart where a processor could join them.
	a := [6]float64{cos, sin, x - (float64(cos*x) + float64(sin*y)), -sin, cos, y - (float64(-sin*x) + float64(cos*y))}
	dx, dy := fix(a[0]), fix(a[3])
	rowX, rowY := fix(a[2]+float64(a[0]*0.5)+float64(a[1]*0.5)), fix(a[5]+float64(a[3]*0.5)+float64(a[4]*0.5))
	nextX, nextY := fix(a[1]), fix(a[4])
	from := make([]int, m.H*m.W) // which pixel each one shows, -1 for none
	for i := range m.H {
		px, py := rowX, rowY
		for k := range m.W {
			from[i*m.W+k] = -1
			if sx, sy := px>>16, py>>16; sx >= 0 && sx < m.W && sy >= 0 && sy < m.H {
				from[i*m.W+k] = sy*m.W + sx
			}
			px, py = px+dx, py+dy
		}
		rowX, rowY = rowX+nextX, rowY+nextY
	}
	out := &Image{C: m.C, H: m.H, W: m.W}
	if m.Pix != nil {
		out.Pix = gather(m.Pix, from)
	} else {
		out.Values = gather(m.Values, from)
	}
	return out
}

func gather[T any](src []T, from []int) []T {
	out := make([]T, len(src))
	for at := 0; at < len(src); at += len(from) {
		for i, k := range from {
			if k >= 0 {
				out[at+i] = src[at+k]
			}
		}
	}
	return out
}
