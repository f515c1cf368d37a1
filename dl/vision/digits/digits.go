// Package digits draws a data set of digits, for notebooks and tests that
// cannot download one:
//
//	train, err := digits.Drawn{Train: true}.Open()
//
// It is not MNIST: fonts drew it, no hand did, and accuracies on it say nothing
// about MNIST. Its pictures have MNIST's size, its ink is bright on black and
// its classes are MNIST's, so that the real data set is this line in place of
// that one, with nothing else changed:
//
//	train, err := vision.MNIST{Train: true, Download: true}.Open()
//
// The fonts are Liberation (SIL Open Font License) and Go (BSD).
package digits

import (
	"fmt"
	"image"
	"image/draw"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"golang.org/x/image/vector"

	"github.com/holt-dl/holt/dl/vision"
)

// Drawn is a data set of digits in 14 fonts, gray pictures of 28×28 pixels,
// each turned by up to 15 degrees, leaned, stretched, bent, moved by up to 2
// pixels and drawn with thinner or thicker strokes of uneven ink. The classes
// are 0 to 9, as many of each, in random order.
type Drawn struct {
	N     int    // how many; 0 means 10,000 with Train and 2,000 without
	Train bool   // the digits for training; false means others for testing
	Seed  uint64 // another seed draws other digits

	Transform vision.Transform // of each picture; nil means ToTensor
}

// side is the width and height of a picture, as MNIST's.
const side = 28

// Open draws the data set, which takes about 0.2 s of one processor for 10,000.
// The same settings draw the same digits.
func (d Drawn) Open() (*vision.Images, error) {
	n, split := d.N, "test"
	if d.Train {
		split = "train"
	}
	switch {
	case n < 0:
		return nil, fmt.Errorf("digits: N is %d, want the number of digits to draw, or 0 for the usual number", n)
	case n == 0 && d.Train:
		n = 10_000
	case n == 0:
		n = 2_000
	}
	outlines, err := fonts()
	if err != nil {
		return nil, fmt.Errorf("digits: %w", err)
	}
	stream := uint64(0)
	if d.Train {
		stream = 1
	}
	labels := make([]int, n)
	for i := range labels {
		labels[i] = i % 10
	}
	rng := rand.New(rand.NewPCG(d.Seed, stream))
	rng.Shuffle(n, func(i, j int) { labels[i], labels[j] = labels[j], labels[i] })

	pictures := make([]*vision.Image, n)
	var wait sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wait.Go(func() {
			for i := n * w / workers; i < n*(w+1)/workers; i++ {
				rng := rand.New(rand.NewPCG(d.Seed, uint64(i)<<1|stream)) // each its own, so that workers change nothing
				glyph := outlines[rng.IntN(len(outlines))][labels[i]]
				pictures[i] = &vision.Image{C: 1, H: side, W: side, Pix: picture(glyph, rng)}
			}
		})
	}
	wait.Wait()
	return vision.InMemory{
		Name: "drawn digits " + split, Pictures: pictures, Labels: labels, Transform: d.Transform,
		Classes: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"},
	}.Open()
}

// picture draws a glyph once, as chance has it.
func picture(g glyph, rng *rand.Rand) []uint8 {
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	height := between(17, 21)
	width := height * between(0.85, 1.2)
	lean := between(-0.2, 0.2)
	sin, cos := math.Sincos(between(-15, 15) * math.Pi / 180)
	dx, dy := between(-2, 2), between(-2, 2)
	bend, phase := between(0, 1), between(0, 2*math.Pi)
	thicker := between(-0.25, 0.75) // pixels on each side of a stroke

	place := func(p point) point {
		x := p.x + lean*p.y
		x, y := x*width+bend*math.Sin(phase+4*p.y), p.y*height+bend*math.Cos(phase+4*p.x)
		return point{x*cos - y*sin, x*sin + y*cos}
	}
	contours := make([][]point, len(g))
	lo, hi := point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for i, c := range g {
		moved := make([]point, len(c))
		for k, p := range c {
			moved[k] = place(p)
		}
		contours[i] = thicken(moved, thicker)
		for _, p := range contours[i] {
			lo, hi = point{min(lo.x, p.x), min(lo.y, p.y)}, point{max(hi.x, p.x), max(hi.y, p.y)}
		}
	}
	// In the middle, then moved, but for what would leave the picture.
	dx = inside(side/2+dx-(lo.x+hi.x)/2, lo.x, hi.x)
	dy = inside(side/2+dy-(lo.y+hi.y)/2, lo.y, hi.y)
	r := vector.NewRasterizer(side, side)
	for _, c := range contours {
		for k, p := range c {
			x, y := float32(p.x+dx), float32(p.y+dy)
			if k == 0 {
				r.MoveTo(x, y)
			} else {
				r.LineTo(x, y)
			}
		}
		r.ClosePath()
	}
	ink := image.NewAlpha(image.Rect(0, 0, side, side))
	r.DrawOp = draw.Src
	r.Draw(ink, ink.Rect, image.Opaque, image.Point{})

	strength := between(0.8, 1)
	for i, v := range ink.Pix {
		if v > 0 { // the ground stays black, as MNIST's does
			grain := strength + 0.06*rng.NormFloat64()
			ink.Pix[i] = uint8(min(255, max(0, float64(v)*grain)))
		}
	}
	return ink.Pix
}

// inside changes a shift by no more than keeps what reaches from lo to hi in the
// picture.
func inside(shift, lo, hi float64) float64 {
	return max(min(shift, side-0.5-hi), 0.5-lo)
}

// thicken moves each point of a closed contour away from the ink by d pixels.
func thicken(c []point, d float64) []point {
	out := make([]point, len(c))
	for i, p := range c {
		before, after := c[(i+len(c)-1)%len(c)], c[(i+1)%len(c)]
		x, y := after.x-before.x, after.y-before.y
		if n := math.Hypot(x, y); n > 0 {
			p.x += d * y / n
			p.y -= d * x / n
		}
		out[i] = p
	}
	return out
}
