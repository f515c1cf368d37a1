package plot

import (
	"image"
	imagedraw "image/draw"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/holt-dl/holt/display"
)

// Measures of a sheet, in pixels on the page.
const (
	margin     = 10
	gapX       = 10
	gapY       = 8
	labelSize  = 11
	labelLine  = 14 // from one line of a label to the next
	titleSize  = 13
	titleLine  = 22
	noteSize   = 10.5
	noteLine   = 18
	leastLabel = 72 // a narrower column is made so wide for its labels
)

// Sheet draws pictures over their labels.
func (Gonum) Sheet(s display.Sheet) (image.Image, error) {
	columns := max(1, min(s.Columns, len(s.Tiles)))
	rows := (len(s.Tiles) + columns - 1) / columns
	w, h, lines := 0, 0, 0 // of the largest tile
	for _, t := range s.Tiles {
		size := t.Picture.Bounds().Size()
		w, h = max(w, (size.X+1)/2), max(h, (size.Y+1)/2)
		if t.Label != "" {
			lines = max(lines, 1+strings.Count(t.Label, "\n"))
		}
	}
	if lines > 0 {
		w = max(w, leastLabel)
	}
	rowHeight := h + gapY
	if lines > 0 {
		rowHeight += lines*labelLine + 4
	}
	width, height := 2*margin+columns*(w+gapX)-gapX, 2*margin+rows*rowHeight-gapY
	title, note := style(titleSize, ink, true), style(noteSize, ink, false)
	top := margin
	if s.Title != "" {
		top += titleLine
		height += titleLine
	}
	if s.Note != "" {
		height += noteLine
	}
	for _, line := range []struct {
		text string
		w    vg.Length
	}{{s.Title, title.Width(s.Title)}, {s.Note, note.Width(s.Note)}} {
		if line.text != "" { // a small picture makes room for what is said about it
			width = max(width, min(600, int(line.w)+2*margin+1))
		}
	}
	left := (width - (columns*(w+gapX) - gapX)) / 2

	m, err := paint(width, height, func(c draw.Canvas) {
		room := vg.Length(width - 2*margin)
		if s.Title != "" {
			c.FillText(title, vg.Point{X: margin, Y: vg.Length(height - margin - titleSize)}, shorten(s.Title, title, room))
		}
		if s.Note != "" {
			c.FillText(note, vg.Point{X: margin, Y: margin}, shorten(s.Note, note, room))
		}
		for i, t := range s.Tiles {
			if t.Label == "" {
				continue
			}
			paint := ink
			if t.Color.A > 0 {
				paint = t.Color
			}
			st := style(labelSize, paint, t.Color.A > 0)
			st.XAlign = draw.XCenter
			x := vg.Length(left+i%columns*(w+gapX)) + vg.Length(w)/2
			y := top + i/columns*rowHeight + h + 3 + labelSize
			for _, line := range strings.Split(t.Label, "\n") {
				c.FillText(st, vg.Point{X: x, Y: vg.Length(height - y)}, shorten(line, st, vg.Length(w+gapX-4)))
				y += labelLine
			}
		}
	})
	if err != nil {
		return nil, err
	}
	out := m.(imagedraw.Image)
	for i, t := range s.Tiles {
		b := t.Picture.Bounds()
		x := 2*(left+i%columns*(w+gapX)) + (2*w-b.Dx())/2
		y := 2*(top+i/columns*rowHeight) + (2*h-b.Dy())/2
		imagedraw.Draw(out, image.Rect(x, y, x+b.Dx(), y+b.Dy()), t.Picture, b.Min, imagedraw.Over)
	}
	return out, nil
}
