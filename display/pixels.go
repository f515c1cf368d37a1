package display

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"slices"

	"github.com/holt-dl/holt/internal/frame"
)

// scale is how many pixels of a PNG make one pixel on the page.
const scale = 2

// pngBundle shows m at width × height pixels.
func pngBundle(m image.Image, width, height int, text string) (frame.Bundle, error) {
	raw, err := encode(m)
	if err != nil {
		return frame.Bundle{}, err
	}
	return frame.PNG(raw, width, height, text), nil
}

// drawn shows what a Plotter drew, which is at twice its size.
func drawn(m image.Image, text string) (frame.Bundle, error) {
	size := m.Bounds().Size()
	return pngBundle(m, (size.X+scale-1)/scale, (size.Y+scale-1)/scale, text)
}

func encode(m image.Image) ([]byte, error) {
	if _, ok := m.(*image.Paletted); !ok {
		if p := paletted(m); p != nil {
			m = p
		}
	}
	var buf bytes.Buffer
	enc := png.Encoder{CompressionLevel: png.DefaultCompression} // the best takes twice as long and saves 7 %
	if err := enc.Encode(&buf, m); err != nil {
		return nil, fmt.Errorf("display: encode PNG of %v: %w", m.Bounds().Size(), err)
	}
	return buf.Bytes(), nil
}

// paletted returns the same pixels with at most 256 colours by index, which is
// a third of the bytes, or nil when there are more colours.
func paletted(m image.Image) *image.Paletted {
	if all := sharedPalette([]image.Image{m}); all != nil {
		return all[0]
	}
	return nil
}

// sharedPalette is [paletted] for several pictures that have one palette.
func sharedPalette(ms []image.Image) []*image.Paletted {
	var colours color.Palette
	var all []*image.Paletted
	index := map[uint32]uint8{}
	for _, m := range ms {
		keys := keysOf(m)
		if len(keys) == 0 {
			return nil
		}
		b := m.Bounds()
		out := image.NewPaletted(image.Rect(0, 0, b.Dx(), b.Dy()), nil)
		last, i := ^keys[0], uint8(0) // neighbours are mostly alike, and a map is slow
		for at, k := range keys {
			if k != last {
				var ok bool
				if i, ok = index[k]; !ok {
					if len(index) == 256 {
						return nil
					}
					i = uint8(len(index))
					index[k] = i
					colours = append(colours, unkey(k))
				}
				last = k
			}
			out.Pix[at] = i
		}
		all = append(all, out)
	}
	for _, out := range all {
		out.Palette = colours
	}
	return all
}

// reduce brings a chart, which is a few colours and their mixtures at edges,
// to the 32 colours that it has most of. That takes two thirds off its bytes,
// and is not for photographs.
func reduce(m image.Image) image.Image {
	const most = 32
	keys := keysOf(m)
	if len(keys) == 0 {
		return m
	}
	count := map[uint32]int{}
	last, run := keys[0], 0
	for _, k := range keys {
		if k != last {
			count[last] += run
			last, run = k, 0
		}
		run++
	}
	count[last] += run
	colours := make([]uint32, 0, len(count))
	for k := range count {
		colours = append(colours, k)
	}
	slices.SortFunc(colours, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b))
	})
	b := m.Bounds()
	out := image.NewPaletted(image.Rect(0, 0, b.Dx(), b.Dy()), nil)
	kept := make([]color.NRGBA, 0, most)
	index := make(map[uint32]uint8, len(colours))
	for i, k := range colours {
		c := unkey(k)
		if i < most {
			kept = append(kept, c)
			out.Palette = append(out.Palette, c)
			index[k] = uint8(i)
			continue
		}
		best := 0
		for j := range kept {
			if distance(c, kept[j]) < distance(c, kept[best]) {
				best = j
			}
		}
		index[k] = uint8(best)
	}
	last, i := keys[0], index[keys[0]]
	for at, k := range keys {
		if k != last {
			last, i = k, index[k]
		}
		out.Pix[at] = i
	}
	return out
}

// keysOf returns the pixels of m in reading order, a number for each colour.
func keysOf(m image.Image) []uint32 {
	b := m.Bounds()
	keys := make([]uint32, 0, b.Dx()*b.Dy())
	for y := b.Min.Y; y < b.Max.Y; y++ {
		if m, ok := m.(*image.RGBA); ok { // what charts are drawn on
			row := m.Pix[m.PixOffset(b.Min.X, y):][:4*b.Dx()]
			for x := 0; x < len(row); x += 4 {
				k := binary.BigEndian.Uint32(row[x:])
				if a := k & 0xff; a != 0xff && a != 0 {
					k = key(at(m, b.Min.X+x/4, y))
				}
				keys = append(keys, k)
			}
			continue
		}
		for x := b.Min.X; x < b.Max.X; x++ {
			keys = append(keys, key(at(m, x, y)))
		}
	}
	return keys
}

func key(c color.NRGBA) uint32 {
	return uint32(c.R)<<24 | uint32(c.G)<<16 | uint32(c.B)<<8 | uint32(c.A)
}

func unkey(k uint32) color.NRGBA {
	return color.NRGBA{uint8(k >> 24), uint8(k >> 16), uint8(k >> 8), uint8(k)}
}

func distance(a, b color.NRGBA) int {
	square := func(x, y uint8) int { return (int(x) - int(y)) * (int(x) - int(y)) }
	return square(a.R, b.R) + square(a.G, b.G) + square(a.B, b.B) + square(a.A, b.A)
}

func at(m image.Image, x, y int) color.NRGBA {
	switch m := m.(type) {
	case *image.NRGBA:
		return m.NRGBAAt(x, y)
	case *image.RGBA:
		if c := m.RGBAAt(x, y); c.A == 255 || c.A == 0 {
			return color.NRGBA(c)
		}
	}
	return color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
}

// enlarge repeats every pixel k times each way, so that edges stay sharp.
func enlarge(m image.Image, k int) image.Image {
	b := m.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, b.Dx()*k, b.Dy()*k))
	for y := range b.Dy() {
		line := out.Pix[y*k*out.Stride : y*k*out.Stride+b.Dx()*k*4]
		for x := range b.Dx() {
			c := at(m, b.Min.X+x, b.Min.Y+y)
			for i := range k {
				copy(line[(x*k+i)*4:], []byte{c.R, c.G, c.B, c.A})
			}
		}
		for i := 1; i < k; i++ {
			copy(out.Pix[(y*k+i)*out.Stride:], line)
		}
	}
	return out
}

// shrink makes m fit into w × h pixels, each the mean of those it covers.
func shrink(m image.Image, w, h int) image.Image {
	b := m.Bounds()
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		y0, y1 := y*b.Dy()/h, max((y+1)*b.Dy()/h, y*b.Dy()/h+1)
		for x := range w {
			x0, x1 := x*b.Dx()/w, max((x+1)*b.Dx()/w, x*b.Dx()/w+1)
			var r, g, bl, a, n int
			for j := y0; j < y1; j++ {
				for i := x0; i < x1; i++ {
					c := at(m, b.Min.X+i, b.Min.Y+j)
					r, g, bl = r+int(c.R)*int(c.A), g+int(c.G)*int(c.A), bl+int(c.B)*int(c.A)
					a += int(c.A)
					n++
				}
			}
			if a > 0 {
				out.SetNRGBA(x, y, color.NRGBA{uint8(r / a), uint8(g / a), uint8(bl / a), uint8(a / n)})
			}
		}
	}
	return out
}

// pixels says how values become the brightness of pixels.
type pixels struct {
	Mean, Std []float32  // one for all channels or one each: x·Std + Mean comes first
	Range     [2]float64 // what is black and what is white; both 0 to choose
}

// blackWhite chooses what is black and what is white. Values in [0, 1] and
// whole numbers in [0, 255] are taken as brightness already; all others are
// spread over their own range, and note says so.
func (p pixels) blackWhite(values []float32) (low, high float64, note string) {
	if p.Range != [2]float64{} {
		return p.Range[0], p.Range[1], ""
	}
	s := measure(values)
	whole := s.high > 1
	for i := 0; whole && i < len(values); i++ {
		v := float64(values[i])
		whole = v == math.Trunc(v)
	}
	bad := ""
	if s.nan+s.inf > 0 {
		bad = fmt.Sprintf(", %d NaN or Inf in black", s.nan+s.inf)
	}
	switch {
	case len(p.Std) > 0 || len(p.Mean) > 0 || s.low >= 0 && s.high <= 1:
		return 0, 1, afterComma(bad)
	case s.low >= 0 && s.high <= 255 && whole:
		return 0, 255, afterComma(bad)
	}
	return s.low, s.high, fmt.Sprintf("black %s, white %s%s", number(s.low), number(s.high), bad)
}

// afterComma is s without the comma that joins it to what comes before.
func afterComma(s string) string {
	if len(s) > 2 && s[0] == ',' {
		return s[2:]
	}
	return s
}

// layout says where the axes of one picture are.
type layout struct{ c, h, w, cStride, hStride, wStride int }

// pictureLayout reads the shape of one picture: [H W], [C H W] or [H W C] with
// 1, 3 or 4 channels. A shape that could be both has its channels first, as
// everywhere in Holt, unless order says "HWC".
func pictureLayout(shape []int, order string) (layout, bool) {
	channels := func(n int) bool { return n == 1 || n == 3 || n == 4 }
	for _, d := range shape {
		if d <= 0 {
			return layout{}, false
		}
	}
	switch {
	case len(shape) == 2 && order == "":
		return layout{1, shape[0], shape[1], 0, shape[1], 1}, true
	case len(shape) == 3 && channels(shape[0]) && order != "HWC":
		return layout{shape[0], shape[1], shape[2], shape[1] * shape[2], shape[2], 1}, true
	case len(shape) == 3 && channels(shape[2]) && order != "CHW":
		return layout{shape[2], shape[0], shape[1], 1, shape[1] * shape[2], shape[2]}, true
	}
	return layout{}, false
}

// denormalise undoes a normalisation by mean and standard deviation.
func (p pixels) denormalise(values []float32, l layout) ([]float32, error) {
	if len(p.Mean) == 0 && len(p.Std) == 0 {
		return values, nil
	}
	for _, s := range [][]float32{p.Mean, p.Std} {
		if len(s) > 1 && len(s) != l.c {
			return nil, fmt.Errorf("Mean and Std have %d and %d values, want 1 or %d: one for each channel", len(p.Mean), len(p.Std), l.c)
		}
	}
	pick := func(s []float32, c int, or float32) float32 {
		switch len(s) {
		case 0:
			return or
		case 1:
			return s[0]
		}
		return s[c]
	}
	out := make([]float32, len(values))
	for c := range l.c {
		mean, std := pick(p.Mean, c, 0), pick(p.Std, c, 1)
		for y := range l.h {
			for x := range l.w {
				i := c*l.cStride + y*l.hStride + x*l.wStride
				out[i] = values[i]*std + mean
			}
		}
	}
	return out, nil
}

// picture turns values into pixels, with low as black and high as white.
func picture(values []float32, l layout, low, high float64) image.Image {
	span := high - low
	if span == 0 {
		span = 1
	}
	level := func(c, y, x int) uint8 {
		v := (float64(values[c*l.cStride+y*l.hStride+x*l.wStride]) - low) / span
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return 0
		}
		return uint8(math.Round(255 * math.Max(0, math.Min(1, v))))
	}
	m := image.NewNRGBA(image.Rect(0, 0, l.w, l.h))
	for y := range l.h {
		for x := range l.w {
			c := color.NRGBA{A: 255}
			c.R = level(0, y, x)
			c.G, c.B = c.R, c.R
			if l.c >= 3 {
				c.G, c.B = level(1, y, x), level(2, y, x)
			}
			if l.c == 4 {
				c.A = level(3, y, x)
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return m
}
