package plot

import (
	"math"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/internal/shade"
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
	st, w := style(axisSize, ink, false), vg.Length(0)
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
	colours := shade.Of(m.Values, m.Low, m.High, m.Diverging)
	number := numberStyle(cellHigh)
	for i, row := range m.Values {
		for j, v := range row {
			x, y := left+vg.Length(j)*w, top-vg.Length(i)*h
			fill := colours.At(v)
			gap := vg.Length(0)
			if h >= 12 {
				gap = 0.5
			}
			c.FillPolygon(fill, []vg.Point{{X: x + gap, Y: y - gap}, {X: x + w - gap, Y: y - gap}, {X: x + w - gap, Y: y - h + gap}, {X: x + gap, Y: y - h + gap}})
			if i < len(m.Text) && j < len(m.Text[i]) && m.Text[i][j] != "" {
				number.Color = shade.Letters(fill)
				c.FillText(number, vg.Point{X: x + w/2, Y: y - h/2}, m.Text[i][j])
			}
		}
	}
	name := style(axisSize, ink, false)
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
