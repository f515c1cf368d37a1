// Package plot draws the figures and sheets of package display with
// gonum.org/v1/plot and its fonts.
//
// Importing it registers it:
//
//	import _ "github.com/holt-dl/holt/display/plot"
//
// Holt's host process imports it, and cells do not: it is too large to be
// linked into every one of them. It also teaches display.Show to draw gonum's
// own plots, and display.Image to read GIF, WebP, BMP, TIFF and PPM files.
package plot

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"sync"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/holt-dl/holt/display"
	_ "github.com/holt-dl/holt/internal/bmp"
	_ "github.com/holt-dl/holt/internal/gif"
	"github.com/holt-dl/holt/internal/hooks"
	_ "github.com/holt-dl/holt/internal/pnm"
	_ "github.com/holt-dl/holt/internal/tiff"
	_ "github.com/holt-dl/holt/internal/webp"
)

func init() { hooks.Set(func(h *hooks.Hooks) { h.Plotter = Gonum{} }) }

var _ display.Plotter = Gonum{}

// Gonum is a [display.Plotter] and [display.Drawer].
type Gonum struct{}

// One unit of gonum's canvas is one pixel on the page: a point at 72 dots per
// inch, of which there are two each way in the picture.
const dpi = 2 * 72

// Pictures have no ground: their colours are legible on light and on dark pages.
var (
	ink    = display.Ink
	rule   = pale(display.Ink, 0.25) // grid lines
	ground = color.NRGBA{}
)

// mu is held while drawing: gonum's fonts are shared.
var mu sync.Mutex

// Draw draws a *gonum.org/v1/plot.Plot at 480 × 320.
func (Gonum) Draw(v any) (m image.Image, width, height int, err error) {
	p, ok := v.(*plot.Plot)
	if !ok {
		return nil, 0, 0, errors.ErrUnsupported
	}
	width, height = 480, 320
	m, err = paint(width, height, func(c draw.Canvas) {
		c.SetColor(p.BackgroundColor) // its letters are made for it
		c.Fill(c.Rectangle.Path())
		p.Draw(draw.Crop(c, 4, -8, 4, -4))
	})
	return m, width, height, err
}

// paint calls f with an empty canvas of width × height pixels on the page.
// Gonum panics where it could return an error.
func paint(width, height int, f func(draw.Canvas)) (m image.Image, err error) {
	mu.Lock()
	defer mu.Unlock()
	defer func() {
		if r := recover(); r != nil {
			m, err = nil, fmt.Errorf("plot: drawing panicked: %v", r)
		}
	}()
	if width <= 0 || height <= 0 || width > 1<<14 || height > 1<<14 {
		return nil, fmt.Errorf("plot: the picture would be %d × %d pixels, want 1 to %d each way", width, height, 1<<14)
	}
	c := vgimg.NewWith(vgimg.UseWH(vg.Length(width), vg.Length(height)), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(ground))
	f(draw.New(c))
	return c.Image(), nil
}

// style is how letters look.
func style(size vg.Length, c color.Color, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = xfont.WeightBold
	}
	return text.Style{Font: f, Color: c, Handler: letters{text.Plain{Fonts: font.DefaultCache}}}
}

// shorten cuts s with an ellipsis so that it is at most w wide.
func shorten(s string, st text.Style, w vg.Length) string {
	if st.Width(s) <= w {
		return s
	}
	r := []rune(s)
	low, high := 0, len(r) // r[:low]… fits, r[:high]… does not
	for high-low > 1 {
		if mid := (low + high) / 2; st.Width(string(r[:mid])+"…") <= w {
			low = mid
		} else {
			high = mid
		}
	}
	return string(r[:low]) + "…"
}

// pale is c so far covering what is below it.
func pale(c color.NRGBA, share float64) color.NRGBA {
	c.A = uint8(math.Round(255 * share))
	return c
}
