package plot

import (
	"cmp"
	"errors"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/holt-dl/holt/display"
)

// Measures of a figure, in pixels on the page.
const (
	panelWidth  = 400
	panelHeight = 250
	perRow      = 3
	rowGap      = 12 // between rows of panels
	headHeight  = 28 // of a panel's title and legend
	panelTitle  = 12
	axisSize    = 10.5
)

// Plot draws charts side by side.
func (Gonum) Plot(f display.Figure) (image.Image, error) {
	n := len(f.Panels)
	if n == 0 {
		return nil, errors.New("plot: the figure has no panels, want at least one")
	}
	columns := min(n, perRow)
	if f.Columns > 0 {
		columns = min(n, f.Columns)
	}
	rows := (n + columns - 1) / columns
	width, height := f.Width, f.Height
	if width == 0 {
		width = columns*panelWidth + 2*margin
		if columns == 1 && f.Panels[0].Matrix == nil && !f.Panels[0].Square {
			width = 520
		}
		if columns == perRow {
			width = columns*320 + 2*margin
		}
		if n == 1 && f.Panels[0].Square {
			width = 360
		}
		if n == 1 && f.Panels[0].Matrix != nil {
			width = matrixWidth(f.Panels[0])
		}
	}
	if height == 0 {
		one := 0
		for _, p := range f.Panels {
			switch {
			case p.Matrix != nil:
				one = max(one, matrixHeight(p))
			case p.Square:
				one = max(one, (width-2*margin)/columns)
			default:
				one = max(one, panelHeight)
			}
		}
		height = rows*one + (rows-1)*rowGap + 2*margin
		if f.Title != "" {
			height += titleLine
		}
	}
	return paint(width, height, func(c draw.Canvas) {
		c = draw.Crop(c, margin, -margin, margin, -margin)
		if f.Title != "" {
			st := style(titleSize, ink, true)
			st.YAlign = draw.YTop
			c.FillText(st, vg.Point{X: c.Min.X, Y: c.Max.Y}, shorten(f.Title, st, c.Max.X-c.Min.X))
			c = draw.Crop(c, 0, 0, 0, -titleLine)
		}
		w, h := (c.Max.X-c.Min.X)/vg.Length(columns), (c.Max.Y-c.Min.Y-rowGap*vg.Length(rows-1))/vg.Length(rows)
		for i, p := range f.Panels {
			left, top := vg.Length(i%columns)*w, vg.Length(i/columns)*(h+rowGap)
			part := draw.Crop(c, left, left+w-(c.Max.X-c.Min.X), c.Max.Y-c.Min.Y-top-h, -top)
			if i%columns > 0 {
				part = draw.Crop(part, 10, 0, 0, 0)
			}
			if i%columns < columns-1 {
				part = draw.Crop(part, 0, -10, 0, 0)
			}
			panel(part, p)
		}
	})
}

// panel draws a title, a legend, and the chart below them.
func panel(c draw.Canvas, p display.Panel) {
	title := style(panelTitle, ink, true)
	title.YAlign = draw.YTop
	right := c.Max.X
	entry := style(11, ink, false)
	entry.YAlign = draw.YTop
	// The legend is right of the title, its last entry at the edge.
	for i := len(p.Lines) - 1; i >= 0; i-- {
		l := p.Lines[i]
		if l.Name == "" {
			continue
		}
		name := shorten(l.Name, entry, 160)
		x := right - entry.Width(name)
		if x-40 < c.Min.X+title.Width(p.Title) {
			break // no room
		}
		c.FillText(entry, vg.Point{X: x, Y: c.Max.Y}, name)
		y := c.Max.Y - 7
		c.StrokeLine2(draw.LineStyle{Color: l.Color, Width: 2, Dashes: dashes(l)}, x-21, y, x-5, y)
		right = x - 32
	}
	c.FillText(title, vg.Point{X: c.Min.X, Y: c.Max.Y}, shorten(p.Title, title, right-c.Min.X))
	c = draw.Crop(c, 0, 0, 0, -headHeight)
	if p.Matrix != nil {
		matrix(c, p)
		return
	}
	chart(p).Draw(c)
}

func dashes(l display.Line) []vg.Length {
	if l.Dashed {
		return []vg.Length{4, 3}
	}
	return nil
}

// chart is the gonum plot of a panel with lines or bars.
func chart(p display.Panel) *plot.Plot {
	g := plot.New()
	g.BackgroundColor = ground
	for _, a := range []*plot.Axis{&g.X, &g.Y} {
		a.Padding = 0
		a.LineStyle = draw.LineStyle{Color: rule, Width: 1}
		a.Tick.LineStyle = draw.LineStyle{Color: rule, Width: 1}
		a.Tick.Length = 4
		tick, label := style(axisSize, ink, false), style(axisSize, ink, false)
		tick.XAlign, tick.YAlign = a.Tick.Label.XAlign, a.Tick.Label.YAlign
		label.XAlign, label.YAlign = a.Label.TextStyle.XAlign, a.Label.TextStyle.YAlign
		label.Rotation = a.Label.TextStyle.Rotation
		a.Tick.Label, a.Label.TextStyle = tick, label
		a.Tick.Marker = plot.TickerFunc(ticks)
	}
	g.X.Label.Text, g.Y.Label.Text = p.X, p.Y
	logX, logY := p.LogAxes()
	if logX {
		g.X.Scale = plot.LogScale{}
		g.X.Tick.Marker = plot.TickerFunc(logTicks)
	}
	if logY {
		g.Y.Scale = plot.LogScale{}
		g.Y.Label.Text = cmp.Or(p.Y, "log scale")
		g.Y.Tick.Marker = plot.TickerFunc(logTicks)
	}
	if p.LogY && !logY && len(p.Lines) > 0 {
		g.Y.Label.Text = cmp.Or(p.Y, "linear: not all above 0")
	}
	grid := plotter.NewGrid()
	grid.Horizontal = draw.LineStyle{Color: rule, Width: 1}
	grid.Vertical = draw.LineStyle{Color: rule, Width: 1}
	if len(p.Bars) > 0 {
		grid.Vertical.Width = 0
	}
	g.Add(grid)
	for _, l := range p.Lines {
		addLine(g, l)
	}
	addBars(g, p.Bars)
	fitAxes(g, p, logY)
	return g
}

// addLine adds a curve, in pieces where it has points that are not finite.
func addLine(g *plot.Plot, l display.Line) {
	var pieces []plotter.XYs
	open := false
	for i := range min(len(l.X), len(l.Y)) {
		x, y := l.X[i], l.Y[i]
		if math.IsNaN(x) || math.IsInf(x, 0) || math.IsNaN(y) || math.IsInf(y, 0) {
			open = false
			continue
		}
		if !open {
			pieces, open = append(pieces, nil), true
		}
		last := len(pieces) - 1
		pieces[last] = append(pieces[last], plotter.XY{X: x, Y: y})
	}
	paint, thick := l.Color, vg.Length(2)
	if l.Faint {
		paint, thick = pale(paint, 0.4), 1
	}
	for _, xys := range pieces {
		if len(xys) > 1 && !l.NoLine {
			line := &plotter.Line{XYs: xys, LineStyle: draw.LineStyle{Color: paint, Width: thick, Dashes: dashes(l)}}
			g.Add(line)
		}
		if l.Points || l.NoLine || len(xys) == 1 {
			g.Add(&plotter.Scatter{XYs: xys, GlyphStyle: draw.GlyphStyle{Color: paint, Radius: 2.8, Shape: draw.CircleGlyph{}}})
		}
	}
}

// addBars adds bars on the axis's ranges, or side by side over their names.
func addBars(g *plot.Plot, bars []display.PanelBar) {
	var names []string
	for i, b := range bars {
		from, to := b.From, b.To
		if from == 0 && to == 0 {
			from, to = float64(i)-0.36, float64(i)+0.36
			names = append(names, b.Name)
		}
		paint := b.Color
		if paint.A == 0 {
			paint = display.Blue
		}
		if math.IsNaN(b.Value) || math.IsInf(b.Value, 0) {
			continue
		}
		g.Add(&plotter.Polygon{
			XYs:       []plotter.XYs{{{X: from, Y: 0}, {X: from, Y: b.Value}, {X: to, Y: b.Value}, {X: to, Y: 0}}},
			Color:     paint,
			LineStyle: draw.LineStyle{Color: ground, Width: 0.5},
		})
	}
	if len(names) > 0 {
		g.X.Tick.Marker = plot.TickerFunc(func(low, high float64) []plot.Tick {
			var out []plot.Tick
			for i, name := range names {
				out = append(out, plot.Tick{Value: float64(i), Label: shorten(name, style(axisSize, ink, false), 100)})
			}
			return out
		})
		g.X.Tick.Length, g.X.Tick.LineStyle.Color = 4, color.Transparent // only a distance
		g.X.Min, g.X.Max = -0.6, float64(len(names))-0.4
		longest := 0
		for _, name := range names {
			longest = max(longest, len([]rune(name)))
		}
		if longest*len(names) > 55 { // they would run into each other
			g.X.Tick.Label.Rotation = math.Pi / 2
			g.X.Tick.Length = 10 // or the letters reach into the axis
			g.X.Tick.Label.XAlign, g.X.Tick.Label.YAlign = draw.XRight, draw.YCenter
		}
	}
}

// fitAxes widens the axes to what is drawn, never to nothing.
func fitAxes(g *plot.Plot, p display.Panel, logY bool) {
	if math.IsInf(g.X.Min, 0) || math.IsInf(g.X.Max, 0) {
		g.X.Min, g.X.Max = 0, 1
	}
	if math.IsInf(g.Y.Min, 0) || math.IsInf(g.Y.Max, 0) {
		g.Y.Min, g.Y.Max = 0, 1
	}
	if p.XRange != [2]float64{} {
		g.X.Min, g.X.Max = p.XRange[0], p.XRange[1]
	}
	if g.X.Min == g.X.Max {
		g.X.Min, g.X.Max = g.X.Min-1, g.X.Max+1
	}
	switch {
	case p.Range != [2]float64{}:
		g.Y.Min, g.Y.Max = p.Range[0], p.Range[1]
	case logY:
		g.Y.Min, g.Y.Max = g.Y.Min/1.15, g.Y.Max*1.15
	case len(p.Bars) > 0:
		g.Y.Min, g.Y.Max = min(0, g.Y.Min*1.06), max(0, g.Y.Max*1.06)
		if g.Y.Min == g.Y.Max {
			g.Y.Max = 1
		}
	case g.Y.Min == g.Y.Max:
		reach := max(math.Abs(g.Y.Min)*0.1, 1e-6)
		g.Y.Min, g.Y.Max = g.Y.Min-reach, g.Y.Max+reach
	default:
		more := (g.Y.Max - g.Y.Min) * 0.05
		low := g.Y.Min
		g.Y.Min, g.Y.Max = g.Y.Min-more, g.Y.Max+more
		if low >= 0 && g.Y.Min < 0 {
			g.Y.Min = 0
		}
	}
}
