package plot

import (
	"errors"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/holt-dl/holt/display"
)

// Measures of a diagram, in pixels on the page.
const (
	boxHigh    = 24
	boxGap     = 16 // between ranks
	boxBeside  = 22 // between boxes of a rank
	bendBeside = 16 // the room of an arrow that passes by
	boxLeast   = 150
	boxMost    = 460
	boxInside  = 9 // from the edge to the letters
)

// Diagram draws boxes with arrows between them.
func (Gonum) Diagram(d display.Diagram) (image.Image, error) {
	if len(d.Boxes) == 0 {
		return nil, errors.New("plot: the diagram has no boxes, want at least one")
	}
	mu.Lock() // to measure letters
	wide := boxWidth(d.Boxes)
	titleWide := float64(style(titleSize, ink, true).Width(d.Title))
	mu.Unlock()
	l := layOut(d.Boxes, wide+boxBeside, bendBeside)
	left, right := l.span()
	width := int(math.Max(right-left, titleWide)) + 2*margin
	height := len(l.ranks)*(boxHigh+boxGap) - boxGap + 2*margin
	if d.Title != "" {
		height += titleLine
	}
	return paint(width, height, func(c draw.Canvas) {
		if d.Title != "" {
			st := style(titleSize, ink, true)
			st.YAlign = draw.YTop
			c.FillText(st, vg.Point{X: margin, Y: c.Max.Y - margin}, d.Title)
		}
		// The middle of a rank's upper edge at x.
		at := func(x float64, rank int) vg.Point {
			return vg.Point{X: margin + vg.Length(x-left), Y: margin + vg.Length((len(l.ranks)-1-rank)*(boxHigh+boxGap)+boxHigh)}
		}
		for _, wire := range l.wires {
			arrow(c, l, wire, at)
		}
		for i, b := range d.Boxes {
			box(c, b, at(l.spots[i].x, l.spots[i].rank), vg.Length(wide))
		}
	})
}

// boxWidth is the width of all boxes: what the widest needs.
func boxWidth(boxes []display.Box) float64 {
	bold, plain := style(labelSize, ink, true), style(labelSize, ink, false)
	wide := vg.Length(boxLeast)
	for _, b := range boxes {
		w := 2*boxInside + bold.Width(b.Name) + plain.Width(b.Note) + 24
		if b.Place != "" {
			w += 8 + plain.Width(b.Place)
		}
		wide = max(wide, w)
	}
	return math.Ceil(float64(min(wide, boxMost)))
}

func box(c draw.Canvas, b display.Box, top vg.Point, wide vg.Length) {
	left, right, bottom := top.X-wide/2, top.X+wide/2, top.Y-boxHigh
	fill := func(paint color.Color, from, to vg.Length) {
		c.FillPolygon(paint, []vg.Point{{X: from, Y: top.Y}, {X: to, Y: top.Y}, {X: to, Y: bottom}, {X: from, Y: bottom}})
	}
	fill(pale(b.Color, 0.12), left, right)
	fill(b.Color, left, left+3)
	bold, plain := style(labelSize, ink, true), style(labelSize, ink, false)
	bold.YAlign, plain.YAlign = draw.YCenter, draw.YCenter
	y := top.Y - boxHigh/2
	from, to := left+boxInside, right-boxInside
	name, place, note := boxText(b, to-from)
	end := plain
	end.XAlign = draw.XRight
	c.FillText(end, vg.Point{X: to, Y: y}, note)
	c.FillText(bold, vg.Point{X: from, Y: y}, name)
	c.FillText(plain, vg.Point{X: from + bold.Width(name) + 8, Y: y}, place)
}

// boxText returns the text for a box with so much room for letters. A box has room for all of it, unless
// that is more than boxMost: then the place gives way, and a long name; numbers that are cut would
// mean something else.
func boxText(b display.Box, room vg.Length) (name, place, note string) {
	bold, plain := style(labelSize, ink, true), style(labelSize, ink, false)
	note = shorten(b.Note, plain, max(room/2, room-12-bold.Width(b.Name)))
	room -= plain.Width(note) + 12
	name = shorten(b.Name, bold, room)
	room -= bold.Width(name) + 8
	if b.Place != "" && room > 0 {
		place = shorten(b.Place, plain, room)
	}
	return name, place, note
}

// arrow goes from the lower edge of its first box, past others, to the upper
// edge of its last.
func arrow(c draw.Canvas, l layout, wire []int, at func(x float64, rank int) vg.Point) {
	const head = 5
	spots := make([]spot, len(wire))
	for i, s := range wire {
		spots[i] = l.spots[s]
	}
	var path vg.Path
	p := at(spots[0].x, spots[0].rank)
	p.Y -= boxHigh
	path.Move(p)
	for i, s := range spots[1:] {
		to := at(s.x, s.rank)
		last := i == len(spots)-2
		if last {
			to.Y += head - 1
		}
		if to.X == p.X {
			path.Line(to)
		} else { // upright at both ends
			half := (p.Y - to.Y) / 2
			path.CubeTo(vg.Point{X: p.X, Y: p.Y - half}, vg.Point{X: to.X, Y: to.Y + half}, to)
		}
		if !last {
			to.Y -= boxHigh
			path.Line(to)
		}
		p = to
	}
	c.SetLineStyle(draw.LineStyle{Color: ink, Width: 1.2})
	c.Stroke(path)
	tip := at(spots[len(spots)-1].x, spots[len(spots)-1].rank)
	c.FillPolygon(ink, []vg.Point{tip, {X: tip.X - 3.2, Y: tip.Y + head + 1}, {X: tip.X + 3.2, Y: tip.Y + head + 1}})
}
