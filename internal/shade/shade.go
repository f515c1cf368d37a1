// Package shade has the colours of a matrix's cells, for who draws it as a picture and who
// describes it to a page, and the contrast of colours.
package shade

import (
	"image/color"
	"math"
)

// Colours from the lowest value to the highest: from near white to dark blue, or from blue
// over white to red. They are the same on light and dark pages.
var (
	sequential = []color.NRGBA{{0xf4, 0xf7, 0xfb, 0xff}, {0xa9, 0xcc, 0xe9, 0xff}, {0x3f, 0x87, 0xc2, 0xff}, {0x0c, 0x3b, 0x75, 0xff}}
	diverging  = []color.NRGBA{{0x1f, 0x5a, 0x9e, 0xff}, {0x9a, 0xc3, 0xe4, 0xff}, {0xfa, 0xfa, 0xfa, 0xff}, {0xf0, 0xad, 0x96, 0xff}, {0xa9, 0x22, 0x2f, 0xff}}
	noValue    = color.NRGBA{0xee, 0xee, 0xee, 0xff} // not finite
)

// Letters on light and on dark cells.
var (
	Dark  = color.NRGBA{0x24, 0x29, 0x2f, 0xff}
	White = color.NRGBA{0xff, 0xff, 0xff, 0xff}
)

// Scale is colours of values between Low and High.
type Scale struct {
	Low, High float64
	Stops     []color.NRGBA // at equal distances
	diverges  bool
}

// Of returns the scale of a matrix's values. Where low and high are both 0 it covers the
// values, a diverging one with white at 0.
func Of(values [][]float64, low, high float64, diverges bool) Scale {
	s := Scale{low, high, sequential, diverges}
	if diverges {
		s.Stops = diverging
	}
	if low != 0 || high != 0 {
		return s
	}
	s.Low, s.High = math.Inf(1), math.Inf(-1)
	for _, row := range values {
		for _, v := range row {
			if finite(v) {
				s.Low, s.High = min(s.Low, v), max(s.High, v)
			}
		}
	}
	switch {
	case s.Low > s.High: // there are none
		s.Low, s.High = 0, 0
	case diverges:
		s.High = max(math.Abs(s.Low), math.Abs(s.High))
		s.Low = -s.High
	}
	return s
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// At is the colour of a value.
func (s Scale) At(v float64) color.NRGBA {
	if !finite(v) {
		return noValue
	}
	f := 0.0
	switch {
	case s.High > s.Low:
		f = max(0, min(1, (v-s.Low)/(s.High-s.Low)))
	case s.diverges: // all are zero
		f = 0.5
	}
	at := f * float64(len(s.Stops)-1)
	i := min(int(at), len(s.Stops)-2)
	t := at - float64(i)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-t) + float64(b)*t)) }
	a, b := s.Stops[i], s.Stops[i+1]
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}

// Letters is the colour of letters on a cell: [Dark], or [White] on a dark one.
func Letters(cell color.NRGBA) color.NRGBA {
	if Contrast(White, cell) > Contrast(Dark, cell) {
		return White
	}
	return Dark
}

// Contrast is the contrast ratio of two opaque colours, from 1 to 21
// (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).
func Contrast(a, b color.NRGBA) float64 {
	x, y := luminance(a)+0.05, luminance(b)+0.05
	return max(x, y) / min(x, y)
}

func luminance(c color.NRGBA) float64 {
	part := func(v uint8) float64 {
		f := float64(v) / 255
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*part(c.R) + 0.7152*part(c.G) + 0.0722*part(c.B)
}
