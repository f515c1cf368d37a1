package plot

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/hajimehoshi/bitmapfont/v3"
	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
	"golang.org/x/text/unicode/runenames"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// letters is a text handler that draws every character somehow, the same on
// every machine. Names of classes and files come in all scripts, and the
// Liberation fonts have the Latin, Greek, Cyrillic and Hebrew ones. What they
// lack is drawn dot by dot from a bitmap font, which has Chinese, Japanese,
// Korean and Arabic. What that lacks too is spelled out: :otter: for an emoji,
// U+0915 for a letter.
type letters struct{ text.Plain }

// A font of the system would look better, but the same notebook would then
// have other bytes on another machine.
var bitmaps = []xfont.Face{bitmapfont.Face, bitmapfont.FaceSC, bitmapfont.FaceTC}

func init() {
	// A person's own gonum plots get these letters too.
	if p, ok := plot.DefaultTextHandler.(text.Plain); ok {
		plot.DefaultTextHandler = letters{p}
	}
}

// Box is the room for one line, as text.Handler wants it.
func (l letters) Box(txt string, fnt font.Font) (width, height, depth vg.Length) {
	face := l.Fonts.Lookup(fnt, fnt.Size)
	e := face.Extents()
	return lineWidth(pieces(txt, face), face), e.Ascent, e.Descent
}

// Draw is text.Plain's, but for the way in which a line is drawn.
func (l letters) Draw(c vg.Canvas, txt string, sty text.Style, pt vg.Point) {
	txt = strings.TrimRight(txt, "\n")
	if txt == "" {
		return
	}
	face := l.Fonts.Lookup(sty.Font, sty.Font.Size)
	c.SetColor(sty.Color)
	if sty.Rotation != 0 {
		c.Push()
		defer c.Pop()
		c.Rotate(sty.Rotation)
	}
	sin, cos := math.Sincos(sty.Rotation)
	pt.X, pt.Y = pt.Y*vg.Length(sin)+pt.X*vg.Length(cos), pt.Y*vg.Length(cos)-pt.X*vg.Length(sin)
	lines := l.Lines(txt)
	pt.Y += sty.Height(txt)*vg.Length(sty.YAlign) - face.Extents().Ascent
	for i, line := range lines {
		parts := pieces(line, face)
		at := pt.Add(vg.Point{X: vg.Length(sty.XAlign) * lineWidth(parts, face), Y: vg.Length(len(lines)-i) * sty.Font.Size})
		for _, p := range parts {
			if p.dots {
				c.Fill(dotted(p.text, at, face.Font.Size))
			} else {
				c.FillString(face, at, p.text)
			}
			at.X += p.width(face)
		}
	}
}

// piece is a part of a line in one font.
type piece struct {
	text string
	dots bool // in the bitmap font
}

func (p piece) width(f font.Face) vg.Length {
	if !p.dots {
		return f.Width(p.text)
	}
	w := 0
	for _, r := range p.text {
		w += glyph(r).Rect.Dx()
	}
	return vg.Length(w) * dot(f.Font.Size)
}

func lineWidth(parts []piece, f font.Face) (w vg.Length) {
	for _, p := range parts {
		w += p.width(f)
	}
	return w
}

// pieces splits a line by font, from left to right as it is read on the page.
func pieces(s string, f font.Face) (parts []piece) {
	add := func(s string, dots bool) {
		if n := len(parts); n > 0 && parts[n-1].dots == dots {
			parts[n-1].text += s
		} else {
			parts = append(parts, piece{s, dots})
		}
	}
	if plain(s) {
		return []piece{{text: s}}
	}
	s = norm.NFC.String(s) // files' names may be decomposed
	if strings.ContainsFunc(s, rightToLeft) {
		s = bitmapfont.PresentationForms(s, bitmapfont.DirectionLeftToRight, language.Und)
	}
	var buf sfnt.Buffer
	code := false // the last one was spelled as U+…
	for _, r := range s {
		index, err := f.Face.GlyphIndex(&buf, r)
		switch {
		case unicode.IsSpace(r):
			add(" ", false)
		case unicode.In(r, unicode.Cf, unicode.Cc, unicode.Variation_Selector) || r >= 0x1f3fb && r <= 0x1f3ff:
			// Joiners, directions and colours of skin are not seen by themselves.
		case err == nil && index != 0:
			add(string(r), false)
		case !glyph(r).Rect.Empty():
			add(string(r), true)
		default:
			name := spell(r)
			if code && strings.HasPrefix(name, "U+") {
				name = " " + name
			}
			code = true
			add(name, false)
			continue
		}
		code = false
	}
	return parts
}

// plain reports whether s has nothing but ASCII's visible characters, as most
// of what is drawn.
func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

func rightToLeft(r rune) bool {
	p, _ := bidi.LookupRune(r)
	return p.Class() == bidi.R || p.Class() == bidi.AL
}

// spell names a character for which there is no glyph.
func spell(r rune) string {
	if r >= 0x1f1e6 && r <= 0x1f1ff { // a flag is a country's two letters
		return string('A' + r - 0x1f1e6)
	}
	if name := runenames.Name(r); unicode.In(r, unicode.So, unicode.Sk) && name != "" {
		return ":" + strings.ReplaceAll(strings.ToLower(name), " ", "-") + ":"
	}
	return fmt.Sprintf("U+%04X", r)
}

// dot is the side of one dot of the bitmap font, whose characters are twelve
// dots high: whole pixels of the picture, of which there are two each way.
func dot(size vg.Length) vg.Length { return max(1, vg.Length(math.Round(float64(size)/6))) / 2 }

// glyph is a character of the bitmap font; its bounds are relative to the
// baseline, and empty when it has none.
func glyph(r rune) *image.Alpha {
	for _, face := range bitmaps {
		area, mask, from, _, ok := face.Glyph(fixed.Point26_6{}, r)
		if !ok {
			continue
		}
		m := image.NewAlpha(area)
		for y := range area.Dy() {
			for x := range area.Dx() {
				m.Set(area.Min.X+x, area.Min.Y+y, mask.At(from.X+x, from.Y+y))
			}
		}
		if slices.ContainsFunc(m.Pix, func(a uint8) bool { return a > 0 }) {
			return m
		}
	}
	return image.NewAlpha(image.Rectangle{})
}

// dotted is the outline of a text in the bitmap font. It is never bold, for
// thicker dots run together.
func dotted(s string, at vg.Point, size vg.Length) (path vg.Path) {
	d := dot(size)
	snap := func(v vg.Length) vg.Length { return vg.Length(math.Round(float64(2*v))) / 2 }
	at = vg.Point{X: snap(at.X), Y: snap(at.Y)}
	for _, r := range s {
		g := glyph(r)
		for y := g.Rect.Min.Y; y < g.Rect.Max.Y; y++ {
			for x := g.Rect.Min.X; x < g.Rect.Max.X; x++ {
				from := x
				for x < g.Rect.Max.X && g.AlphaAt(x, y) != (color.Alpha{}) {
					x++
				}
				if from == x {
					continue
				}
				left, right := at.X+vg.Length(from)*d, at.X+vg.Length(x)*d
				top, bottom := at.Y-vg.Length(y)*d, at.Y-vg.Length(y+1)*d
				path.Move(vg.Point{X: left, Y: bottom})
				path.Line(vg.Point{X: right, Y: bottom})
				path.Line(vg.Point{X: right, Y: top})
				path.Line(vg.Point{X: left, Y: top})
				path.Close()
			}
		}
		at.X += vg.Length(g.Rect.Dx()) * d
	}
	return path
}
