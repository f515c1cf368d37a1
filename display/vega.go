package display

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/shade"
)

// vegaType is the MIME type of a Vega-Lite specification of version 5
// (https://vega.github.io/schema/vega-lite/v5.json). JupyterLab draws it without an
// extension, and takes it before a PNG: points are read by hovering, and axes are moved by
// dragging. What does not draw it, such as nbconvert, GitHub and consoles, shows the PNG or
// the text beside it.
const vegaType = "application/vnd.vegalite.v5+json"

// maxVega is how many points, bars and cells a chart may have to be sent as Vega-Lite:
// each is an element of the page. A chart of more is a PNG only.
const maxVega = 10_000

// Measures of Vega-Lite charts, in pixels. Two charts beside each other fit into a
// JupyterLab page of 760 pixels.
const (
	vegaWide = 480 // one chart, with its axes
	vegaHalf = 215 // each of several, without axes
	vegaHigh = 190 // without axes
)

type object = map[string]any

// vega is the figure as a Vega-Lite specification, or nil when it is too large for
// one. The colours of letters are those of the page: it has no ground of its own.
func (f Figure) vega(text string) object {
	marks := 0
	for _, p := range f.Panels {
		for _, l := range p.Lines {
			for _, y := range l.Y {
				if finite(y) {
					marks++
				}
			}
		}
		marks += len(p.Bars)
		if p.Matrix != nil {
			for _, row := range p.Matrix.Values {
				marks += len(row)
			}
		}
	}
	if marks == 0 || marks > maxVega {
		return nil
	}
	spec := object{}
	var views []any
	var params []any
	for i, p := range f.Panels {
		view, names := p.vega(i, len(f.Panels) == 1)
		views, params = append(views, view), append(params, names...)
	}
	if len(views) == 1 {
		spec = views[0].(object)
		if f.Title != "" && spec["title"] != nil {
			spec["title"] = object{"text": f.Title, "subtitle": spec["title"]}
		} else if f.Title != "" {
			spec["title"] = f.Title
		}
	} else {
		columns := 2
		if slices.ContainsFunc(f.Panels, func(p Panel) bool { return p.Matrix != nil }) {
			columns = 3 // as in the picture: rows of matrices may belong together
		}
		if f.Columns > 0 {
			columns = f.Columns
		}
		spec["concat"], spec["columns"] = views, columns
		if f.Title != "" {
			spec["title"] = f.Title
		}
		// Each panel has lines of its own names.
		spec["resolve"] = object{"scale": object{"color": "independent"}, "legend": object{"color": "independent"}}
	}
	if len(params) > 0 {
		spec["params"] = params
	}
	spec["$schema"] = "https://vega.github.io/schema/vega-lite/v5.json"
	spec["description"] = frame.Alt(text)
	spec["background"] = "transparent"
	const letters = "currentColor" // of the page around the chart, be it light or dark
	rule := hex(Gray)
	spec["config"] = object{
		"axis": object{
			"labelColor": letters, "titleColor": letters, "titleFontWeight": "normal",
			"domainColor": rule, "tickColor": rule, "gridColor": rule, "gridOpacity": 0.25,
		},
		"legend": object{"labelColor": letters, "orient": "top", "title": nil, "labelLimit": 260, "columns": 3},
		"title":  object{"color": letters, "subtitleColor": letters, "anchor": "start", "fontSize": 13, "subtitleFontSize": 12, "subtitleFontWeight": "bold"},
		"view":   object{"stroke": nil},
	}
	// On a canvas JupyterLab's dark theme lays a gray ground of its own. SVG takes the colour of the page's letters.
	spec["usermeta"] = object{"embedOptions": object{"renderer": "svg"}}
	return spec
}

// vega is one chart, which is the only one or one of several, and the parameters that
// a specification must have at its top for it.
func (p Panel) vega(i int, only bool) (view object, params []any) {
	var rows []any
	var layers []object
	switch {
	case p.Matrix != nil:
		rows, layers, params = p.vegaMatrix(i)
	case len(p.Bars) > 0:
		rows, layers, params = p.vegaBars(i)
	}
	if len(p.Lines) > 0 {
		more, lines := p.vegaLines(i)
		rows, layers = append(rows, more...), append(layers, lines...)
	}
	if len(layers) == 0 { // nothing is known yet: only the axes
		layers = []object{{"mark": "point", "encoding": object{"x": p.axisX(object{"field": "x"}), "y": p.axisY(object{"field": "y"})}}}
	}
	if rows == nil {
		rows = []any{}
	}
	view = object{"data": object{"values": rows}, "layer": layers}
	if p.Title != "" {
		view["title"] = p.Title
	}
	if slices.ContainsFunc(p.Lines, func(l Line) bool { return l.Name != "" }) {
		view["transform"] = vegaNames(p)
	}
	switch {
	case p.Matrix != nil:
		w, h := p.Matrix.cells()
		view["width"], view["height"] = object{"step": w}, object{"step": h}
	case !only && p.Square:
		view["width"], view["height"] = vegaHalf, vegaHalf
	case !only:
		view["width"], view["height"] = vegaHalf, vegaHigh
	case p.Square:
		view["width"], view["height"] = 300, 300
	default:
		view["width"], view["height"] = vegaWide, 260
		view["autosize"] = object{"type": "fit", "contains": "padding"}
	}
	return view, params
}

// axisX completes the encoding of the X axis by what the panel says of it.
func (p Panel) axisX(e object) object {
	log, _ := p.LogAxes()
	return vegaAxis(e, p.X, log, p.XRange)
}

func (p Panel) axisY(e object) object {
	_, log := p.LogAxes()
	title := p.Y
	switch {
	case title == "" && log:
		title = "log scale"
	case title == "" && p.LogY && len(p.Lines) > 0:
		title = "linear: not all above 0"
	}
	return vegaAxis(e, title, log, p.Range)
}

func vegaAxis(e object, title string, log bool, reach [2]float64) object {
	scale := object{"zero": false}
	if log {
		scale = object{"type": "log"}
	}
	if reach != [2]float64{} {
		scale["domain"], scale["nice"] = reach, false
	}
	e["type"], e["scale"] = "quantitative", scale
	e["title"] = nil
	if title != "" {
		e["title"] = title
	}
	return e
}

// vegaLines draws the panel's lines, over them a mark at the point that is nearest to
// the pointer, whose numbers a tooltip says.
func (p Panel) vegaLines(i int) (rows []any, layers []object) {
	var names, colours []string // of the legend
	for _, l := range p.Lines {
		if l.Name != "" && !slices.Contains(names, l.Name) {
			names, colours = append(names, l.Name), append(colours, hex(l.Color))
		}
	}
	var all []string // the colour of each line
	for k, l := range p.Lines {
		sorted := slices.IsSorted(l.X)
		for j := range min(len(l.X), len(l.Y)) {
			row := object{"k": k, "x": vegaNumber(l.X[j]), "y": vegaNumber(l.Y[j])}
			if !sorted && !l.NoLine {
				row["i"] = j
			}
			rows = append(rows, row)
		}
		mark := object{"type": "line", "clip": true, "strokeWidth": 2}
		if l.Faint {
			mark["opacity"], mark["strokeWidth"] = 0.4, 1
		}
		if l.Dashed {
			mark["strokeDash"] = []int{4, 3}
		}
		if l.Points || alone(l.Y) {
			mark["point"] = object{"size": 30}
		}
		if l.NoLine {
			mark = object{"type": "circle", "clip": true, "size": 30, "opacity": 0.8}
		}
		colour := object{"value": hex(l.Color)}
		if l.Name != "" {
			colour = object{"field": "line", "type": "nominal", "scale": object{"domain": names, "range": colours}}
		}
		encoding := object{"x": p.axisX(object{"field": "x"}), "y": p.axisY(object{"field": "y"}), "color": colour}
		if !sorted && !l.NoLine {
			encoding["order"] = object{"field": "i"}
		}
		layers = append(layers, object{"transform": vegaOf(k), "mark": mark, "encoding": encoding})
		all = append(all, hex(l.Color))
	}
	layers[0]["params"] = []any{vegaZoom(i)}
	near := object{
		"transform": []any{object{"filter": "isNumber(datum.k) && isValid(datum.y)"}},
		"mark":      object{"type": "point", "filled": true, "size": 70, "clip": true},
		"params": []any{object{
			"name": fmt.Sprintf("near%d", i), "select": object{"type": "point", "on": "pointerover", "nearest": true, "clear": "pointerout"},
		}},
		"encoding": object{
			"x": p.axisX(object{"field": "x"}), "y": p.axisY(object{"field": "y"}),
			"color":   object{"field": "k", "type": "nominal", "legend": nil, "scale": object{"domain": positionsOf(len(all)), "range": all}},
			"opacity": object{"value": 0, "condition": object{"param": fmt.Sprintf("near%d", i), "empty": false, "value": 1}},
			"tooltip": []any{
				object{"field": "x", "type": "quantitative", "title": cmp.Or(p.X, "x"), "format": ".6~g"},
				object{"field": "y", "type": "quantitative", "title": cmp.Or(p.Y, "y"), "format": ".4~g"},
			},
		},
	}
	if len(names) > 0 {
		encoding := near["encoding"].(object)
		encoding["tooltip"] = append([]any{object{"field": "line", "type": "nominal", "title": "line"}}, encoding["tooltip"].([]any)...)
	}
	// The scale of the marks' colours is theirs: the legend is of the lines.
	return rows, append(layers, object{"layer": []any{near}, "resolve": object{"scale": object{"color": "independent"}}})
}

// alone reports whether a value is between two that are not finite: there is no line to it.
func alone(y []float64) bool {
	for i := range y {
		if finite(y[i]) && (i == 0 || !finite(y[i-1])) && (i+1 == len(y) || !finite(y[i+1])) {
			return true
		}
	}
	return false
}

// vegaNames gives each row of a panel the name of its line.
func vegaNames(p Panel) []any {
	var rows []any
	for k, l := range p.Lines {
		name := l.Name
		for _, other := range p.Lines { // a pale line is that of the smoothed one over it
			if name == "" && other.Color == l.Color {
				name = other.Name
			}
		}
		rows = append(rows, object{"k": k, "line": cmp.Or(name, p.Y, fmt.Sprintf("curve %d", k+1))})
	}
	return []any{object{"lookup": "k", "from": object{"data": object{"values": rows}, "key": "k", "fields": []string{"line"}}}}
}

func positionsOf(n int) []int {
	at := make([]int, n)
	for i := range at {
		at[i] = i
	}
	return at
}

// vegaOf takes the rows of line k.
func vegaOf(k int) []any { return []any{object{"filter": fmt.Sprintf("datum.k === %d", k)}} }

// vegaZoom moves the axes: by dragging, and by the wheel with Ctrl or ⌘, since the
// wheel alone moves the page. A double click puts them back.
func vegaZoom(i int) object {
	return object{
		"name": fmt.Sprintf("zoom%d", i), "bind": "scales",
		"select": object{"type": "interval", "zoom": "wheel![event.ctrlKey || event.metaKey]"},
	}
}

// vegaBars draws bars between From and To, or side by side over their names.
func (p Panel) vegaBars(i int) (rows []any, layers []object, params []any) {
	names, longest := []string{}, 0
	for k, b := range p.Bars {
		row := object{"b": k, "v": vegaNumber(b.Value), "c": hex(paintOf(b))}
		if b.From != 0 || b.To != 0 {
			row["from"], row["to"] = vegaNumber(b.From), vegaNumber(b.To)
		} else {
			row["name"] = b.Name
		}
		rows, names, longest = append(rows, row), append(names, b.Name), max(longest, width(b.Name))
	}
	y := p.axisY(object{"field": "v"})
	y["scale"].(object)["zero"] = true
	value := object{"field": "v", "type": "quantitative", "title": cmp.Or(p.Y, "value"), "format": ".4~g"}
	encoding := object{"y": y, "color": object{"field": "c", "type": "nominal", "scale": nil}}
	layer := object{"transform": []any{object{"filter": "isNumber(datum.b)"}}, "encoding": encoding}
	if b := p.Bars[0]; b.From != 0 || b.To != 0 {
		layer["mark"] = object{"type": "rect", "clip": true}
		layer["params"] = []any{vegaZoom(i)}
		encoding["x"], encoding["x2"], encoding["y2"] = p.axisX(object{"field": "from"}), object{"field": "to"}, object{"datum": 0}
		encoding["tooltip"] = []any{
			object{"field": "from", "type": "quantitative", "title": "from", "format": ".4~g"},
			object{"field": "to", "type": "quantitative", "title": "to", "format": ".4~g"}, value,
		}
		return rows, []object{layer}, nil
	}
	name := fmt.Sprintf("names%d", i)
	axis := object{"labelExpr": name + "[datum.value]", "labelAngle": 0, "labelLimit": 100, "grid": false}
	if longest*len(names) > 55 { // they would run into each other
		axis["labelAngle"] = -90
	}
	layer["mark"] = object{"type": "bar", "clip": true}
	encoding["x"] = object{"field": "b", "type": "ordinal", "title": orNull(p.X), "axis": axis}
	encoding["tooltip"] = []any{object{"field": "name", "type": "nominal", "title": cmp.Or(p.X, "name")}, value}
	return rows, []object{layer}, []any{object{"name": name, "value": names}}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// paintOf is the colour of a bar.
func paintOf(b PanelBar) color.NRGBA {
	if b.Color.A == 0 {
		return Blue
	}
	return b.Color
}

// cells is the size of a matrix's cells on the page.
func (m Matrix) cells() (w, h int) {
	columns := 0
	for _, row := range m.Values {
		columns = max(columns, len(row))
	}
	side := max(2, min(34, 360/max(1, len(m.Values), columns)))
	if m.Text == nil {
		return side, side
	}
	longest := 0
	for _, row := range m.Text {
		for _, text := range row {
			longest = max(longest, width(text))
		}
	}
	side = max(26, side)
	return max(side, 6*longest+8), side
}

// vegaMatrix draws coloured cells, what is written in them, and their names.
func (p Panel) vegaMatrix(i int) (rows []any, layers []object, params []any) {
	m := p.Matrix
	colours := shade.Of(m.Values, m.Low, m.High, m.Diverging)
	for r, values := range m.Values {
		for c, v := range values {
			row := object{"r": r, "c": c, "v": vegaNumber(v)}
			if r < len(m.Text) && c < len(m.Text[r]) && m.Text[r][c] != "" {
				row["t"] = m.Text[r][c]
				if shade.Letters(colours.At(v)) == shade.White {
					row["w"] = 1
				}
			}
			rows = append(rows, row)
		}
	}
	names := func(which string, of []string, title string) object {
		axis := object{"labels": false, "ticks": false, "domain": false, "grid": false}
		if len(of) > 0 {
			name := fmt.Sprintf("%s%d", which, i)
			params = append(params, object{"name": name, "value": of})
			axis = object{"labelExpr": name + "[datum.value]", "labelLimit": 130, "ticks": false, "domain": false, "grid": false, "labelOverlap": true}
		}
		axis["title"] = orNull(title)
		return axis
	}
	x := object{"field": "c", "type": "ordinal", "axis": names("columns", m.Columns, p.X)}
	if len(m.Columns) > 0 {
		x["axis"].(object)["labelAngle"] = -90
	}
	y := object{"field": "r", "type": "ordinal", "axis": names("rows", m.Rows, p.Y)}
	transform := []any{object{"filter": "isNumber(datum.r)"}}
	tooltip := []any{}
	for _, side := range []struct {
		names        []string
		which, field string
		title        string
	}{{m.Rows, "rows", "r", cmp.Or(p.Y, "row")}, {m.Columns, "columns", "c", cmp.Or(p.X, "column")}} {
		if len(side.names) == 0 {
			tooltip = append(tooltip, object{"field": side.field, "type": "ordinal", "title": side.title})
			continue
		}
		transform = append(transform, object{"calculate": fmt.Sprintf("%s%d[datum.%s]", side.which, i, side.field), "as": side.which})
		tooltip = append(tooltip, object{"field": side.which, "type": "nominal", "title": side.title})
	}
	tooltip = append(tooltip, object{"field": "v", "type": "quantitative", "title": cmp.Or(m.What, "value"), "format": ".4~g"})
	layers = []object{{
		"transform": transform, "mark": object{"type": "rect", "invalid": nil},
		"encoding": object{"x": x, "y": y, "color": object{
			"field": "v", "type": "quantitative", "legend": nil, "scale": vegaColours(colours),
			"condition": object{"test": "!isValid(datum.v)", "value": hex(colours.At(math.NaN()))},
		}, "tooltip": tooltip},
	}}
	if m.Text != nil {
		layers = append(layers, object{
			"transform": []any{object{"filter": "isString(datum.t)"}}, "mark": object{"type": "text", "fontSize": 10},
			"encoding": object{
				"x": object{"field": "c", "type": "ordinal"}, "y": object{"field": "r", "type": "ordinal"}, "text": object{"field": "t", "type": "nominal"},
				"color": object{"value": hex(shade.Dark), "condition": object{"test": "datum.w === 1", "value": hex(shade.White)}},
			},
		})
	}
	return rows, layers, params
}

// vegaColours is the scale of a matrix's colours.
func vegaColours(s shade.Scale) object {
	if s.Low == s.High { // a domain must not be empty
		one := hex(s.At(s.Low))
		return object{"range": []string{one, one}}
	}
	var domain []float64
	var colours []string
	for k, stop := range s.Stops {
		domain = append(domain, s.Low+(s.High-s.Low)*float64(k)/float64(len(s.Stops)-1))
		colours = append(colours, hex(stop))
	}
	return object{"domain": domain, "range": colours, "interpolate": "rgb", "clamp": true}
}

// vegaNumber is v with as many digits as a chart can show, or null when it is not finite.
func vegaNumber(v float64) any {
	if !finite(v) {
		return nil
	}
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	if err != nil {
		return v
	}
	return short
}

func hex(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }
