package digits

import (
	"fmt"
	"math"
	"sync"

	"codeberg.org/go-fonts/liberation/liberationmonobold"
	"codeberg.org/go-fonts/liberation/liberationmonoitalic"
	"codeberg.org/go-fonts/liberation/liberationmonoregular"
	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansitalic"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	"codeberg.org/go-fonts/liberation/liberationserifbold"
	"codeberg.org/go-fonts/liberation/liberationserifbolditalic"
	"codeberg.org/go-fonts/liberation/liberationserifitalic"
	"codeberg.org/go-fonts/liberation/liberationserifregular"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gobolditalic"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// files are the fonts that package display/plot draws with, which the host has
// in any case.
var files = [][]byte{
	goregular.TTF, gobold.TTF, goitalic.TTF, gobolditalic.TTF,
	liberationsansregular.TTF, liberationsansbold.TTF, liberationsansitalic.TTF,
	liberationserifregular.TTF, liberationserifbold.TTF, liberationserifitalic.TTF, liberationserifbolditalic.TTF,
	liberationmonoregular.TTF, liberationmonobold.TTF, liberationmonoitalic.TTF,
}

type point struct{ x, y float64 }

// glyph is the outline of a digit: closed contours, whose curves are made of
// short lines. Its middle is 0, 0 and its height 1; y points down.
type glyph [][]point

// fonts returns the digits of each font.
var fonts = sync.OnceValues(func() (all [][10]glyph, err error) {
	for _, file := range files {
		f, err := sfnt.Parse(file)
		if err != nil {
			return nil, err
		}
		var of [10]glyph
		for digit := range of {
			if of[digit], err = outline(f, rune('0'+digit)); err != nil {
				return nil, err
			}
		}
		all = append(all, of)
	}
	return all, nil
})

func outline(f *sfnt.Font, r rune) (glyph, error) {
	var buffer sfnt.Buffer
	index, err := f.GlyphIndex(&buffer, r)
	if err != nil {
		return nil, err
	}
	segments, err := f.LoadGlyph(&buffer, index, fixed.I(int(f.UnitsPerEm())), nil)
	if err != nil {
		return nil, err
	}
	if index == 0 || len(segments) == 0 {
		return nil, fmt.Errorf("a font has no outline for %q", r)
	}
	bounds := segments.Bounds()
	at := func(p fixed.Point26_6) point {
		height := float64(bounds.Max.Y - bounds.Min.Y)
		return point{(float64(p.X) - float64(bounds.Min.X+bounds.Max.X)/2) / height, (float64(p.Y) - float64(bounds.Min.Y+bounds.Max.Y)/2) / height}
	}
	var g glyph
	var pen point
	add := func(p point) {
		if last := g[len(g)-1]; math.Hypot(p.x-pen.x, p.y-pen.y) > 1e-6 && p != last[0] { // the contour closes itself
			g[len(g)-1] = append(last, p)
		}
		pen = p
	}
	const steps = 6 // lines for a curve: at 28 pixels no corner is seen
	for _, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			pen = at(s.Args[0])
			g = append(g, []point{pen})
		case sfnt.SegmentOpLineTo:
			add(at(s.Args[0]))
		case sfnt.SegmentOpQuadTo:
			a, b, c := pen, at(s.Args[0]), at(s.Args[1])
			for i := 1; i <= steps; i++ {
				t := float64(i) / steps
				add(point{mix(mix(a.x, b.x, t), mix(b.x, c.x, t), t), mix(mix(a.y, b.y, t), mix(b.y, c.y, t), t)})
			}
		default:
			return nil, fmt.Errorf("the outline of %q has cubic curves, want TrueType's", r)
		}
	}
	return g, nil
}

func mix(a, b, t float64) float64 { return a + (b-a)*t }
