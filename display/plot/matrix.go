package plot

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/holt-dl/holt/display"
)

// cellSize is how wide and high one cell of a matrix is on the page: square,
// unless what is written into the cells is wider.
func cellSize(m display.Matrix) (w, h int) {
	rows, columns := matrixSize(m)
	least := 1
	if m.Text != nil {
		least = 26
	}
	h = max(least, min(34, 360/max(1, rows, columns)))
	w = h
	st := numberStyle(h)
	for _, row := range m.Text {
		for _, text := range row {
			w = max(w, int(math.Ceil(float64(st.Width(text))))+6)
		}
	}
	return w, h
}

// numberStyle is how a cell so high is written into.
func numberStyle(h int) text.Style {
	st := style(min(11, vg.Length(h)*0.42), ink, false)
	st.XAlign, st.YAlign = draw.XCenter, draw.YCenter
	return st
}

func matrixSize(m display.Matrix) (rows, columns int) {
	for _, row := range m.Values {
		columns = max(columns, len(row))
	}
	return len(m.Values), columns
}

// rowNames and columnNames are the room that names and the axis's label need
// beside and below.
func rowNames(p display.Panel) int {
	w := 0
	if len(p.Matrix.Rows) > 0 {
		w = namesWidth(p.Matrix.Rows, 130)
	}
	if p.Y != "" {
		w += 20
	}
	return w
}

func columnNames(p display.Panel) int {
	h := 0
	if len(p.Matrix.Columns) > 0 {
		h = namesWidth(p.Matrix.Columns, 90)
	}
	if p.X != "" {
		h += 20
	}
	return h
}

func namesWidth(names []string, most vg.Length) int {
	st, w := style(axisSize, soft, false), vg.Length(0)
	for _, name := range names {
		w = max(w, st.Width(name))
	}
	return int(math.Ceil(float64(min(w, most)))) + 8
}

func matrixWidth(p display.Panel) int {
	_, columns := matrixSize(*p.Matrix)
	cell, _ := cellSize(*p.Matrix)
	title := int(style(panelTitle, ink, true).Width(p.Title)) + 1
	return max(title, columns*cell+rowNames(p)) + 2*margin
}

func matrixHeight(p display.Panel) int {
	rows, _ := matrixSize(*p.Matrix)
	_, cell := cellSize(*p.Matrix)
	return headHeight + rows*cell + columnNames(p)
}

// matrix draws coloured cells with names beside and below them.
func matrix(c draw.Canvas, p display.Panel) {
	m := *p.Matrix
	rows, columns := matrixSize(m)
	if rows == 0 || columns == 0 {
		return
	}
	cellWide, cellHigh := cellSize(m)
	w, h := vg.Length(cellWide), vg.Length(cellHigh)
	left, top := c.Min.X+vg.Length(rowNames(p)), c.Max.Y
	low, high := m.Low, m.High
	if low == 0 && high == 0 {
		low, high = valueRange(m.Values)
		if m.Diverging {
			high = max(math.Abs(low), math.Abs(high))
			low = -high
		}
	}
	number := numberStyle(cellHigh)
	for i, row := range m.Values {
		for j, v := range row {
			x, y := left+vg.Length(j)*w, top-vg.Length(i)*h
			paint := shade(v, low, high, m.Diverging)
			gap := vg.Length(0)
			if h >= 12 {
				gap = 0.5
			}
			c.FillPolygon(paint, []vg.Point{{X: x + gap, Y: y - gap}, {X: x + w - gap, Y: y - gap}, {X: x + w - gap, Y: y - h + gap}, {X: x + gap, Y: y - h + gap}})
			if i < len(m.Text) && j < len(m.Text[i]) && m.Text[i][j] != "" {
				number.Color = ink
				if luminance(paint) < 0.5 {
					number.Color = color.White
				}
				c.FillText(number, vg.Point{X: x + w/2, Y: y - h/2}, m.Text[i][j])
			}
		}
	}
	name := style(axisSize, soft, false)
	name.XAlign, name.YAlign = draw.XRight, draw.YCenter
	for i, n := range m.Rows[:min(rows, len(m.Rows))] {
		c.FillText(name, vg.Point{X: left - 5, Y: top - (vg.Length(i)+0.5)*h}, shorten(n, name, 130))
	}
	bottom := top - vg.Length(rows)*h
	name.Rotation = math.Pi / 2
	for j, n := range m.Columns[:min(columns, len(m.Columns))] {
		c.FillText(name, vg.Point{X: left + (vg.Length(j)+0.5)*w, Y: bottom - 5}, shorten(n, name, 90))
	}
	axis := style(axisSize, ink, false)
	axis.XAlign, axis.YAlign = draw.XCenter, draw.YBottom
	c.FillText(axis, vg.Point{X: left + vg.Length(columns)*w/2, Y: c.Min.Y}, p.X)
	axis.Rotation, axis.YAlign = math.Pi/2, draw.YTop
	c.FillText(axis, vg.Point{X: c.Min.X, Y: top - vg.Length(rows)*h/2}, p.Y)
}

func valueRange(values [][]float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, row := range values {
		for _, v := range row {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	return low, high
}

// shade is the colour of v: from near white to dark blue, or from blue over
// white to red.
func shade(v, low, high float64, diverging bool) color.NRGBA {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return color.NRGBA{0xee, 0xee, 0xee, 0xff}
	}
	f := 0.0
	switch {
	case high > low:
		f = max(0, min(1, (v-low)/(high-low)))
	case diverging: // all are zero
		f = 0.5
	}
	stops := []color.NRGBA{{0xf4, 0xf7, 0xfb, 0xff}, {0xa9, 0xcc, 0xe9, 0xff}, {0x3f, 0x87, 0xc2, 0xff}, {0x0c, 0x3b, 0x75, 0xff}}
	if diverging {
		stops = []color.NRGBA{{0x1f, 0x5a, 0x9e, 0xff}, {0x9a, 0xc3, 0xe4, 0xff}, {0xfa, 0xfa, 0xfa, 0xff}, {0xf0, 0xad, 0x96, 0xff}, {0xa9, 0x22, 0x2f, 0xff}}
	}
	at := f * float64(len(stops)-1)
	i := min(int(at), len(stops)-2)
	t := at - float64(i)
	mix := func(a, b uint8) uint8 { return uint8(math.Round(float64(a)*(1-t) + float64(b)*t)) }
	a, b := stops[i], stops[i+1]
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}

// luminance is how bright a colour looks, from 0 to 1 (Rec. 601 weights).
func luminance(c color.NRGBA) float64 {
	return (0.299*float64(c.R) + 0.587*float64(c.G) + 0.114*float64(c.B)) / 255
}
