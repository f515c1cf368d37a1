package display

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/holt-dl/holt/internal/frame"
)

// Plot is a chart of curves. With one argument that is the curve, over its positions;
// with more, the first is x and each other is a curve over it. An x that is nil is
// the positions: 0, 1, 2, …
//
//	display.Plot(losses)
//	display.Plot(x, math.Sin, math.Cos)
//	display.Plot(nil, map[string][]float64{"train": a, "valid": b})
//
// A curve is
//
//   - a slice of numbers, or a tensor [N]
//   - a tensor [N K], which is K curves
//   - a map from names to slices or tensors, in the order of the names, which the
//     legend shows
//   - a func(float64) float64, at each x
//   - a [Line], with a look and an x of its own
//
// Titles, labels and ranges are fields of the result:
//
//	p := display.Plot(losses)
//	p.Title, p.X, p.Y, p.LogY = "training", "step", "loss", true
//	p
//
// Several charts are one picture in a [Figure], and go beside anything else in a
// [Row]. What cannot be drawn, such as an x and a curve of other lengths, is an
// error where the chart is shown.
func Plot(values ...any) Panel {
	p, err := plotOf(values, Line{})
	if err != nil {
		return Panel{err: fmt.Errorf("display: Plot: %w", err)}
	}
	return p
}

// Scatter is a chart of points at x and y, each a slice of numbers or a tensor [N].
// With classes, a slice of N names or numbers, each class has a colour, which the
// legend shows.
//
//	display.Scatter(x, y)
//	display.Scatter(x, y, labels)
//
// Titles, labels and ranges are fields of the result, as those of [Plot].
func Scatter(x, y any, classes ...any) Panel {
	p, err := plotOf([]any{x, y}, Line{Points: true, NoLine: true})
	switch {
	case err != nil:
	case len(classes) > 1:
		err = fmt.Errorf("there are %d arguments, want x, y, and the classes or nothing", 2+len(classes))
	case len(classes) == 1 && len(p.Lines) > 1:
		err = fmt.Errorf("y is %d curves, want one of the points that the classes are of", len(p.Lines))
	case len(classes) == 1:
		p.Lines, err = byClass(p.Lines[0], classes[0])
	}
	if err != nil {
		return Panel{err: fmt.Errorf("display: Scatter: %w", err)}
	}
	return p
}

// Hist is how many values of a tensor or a slice lie in each of 40 equal ranges: a
// [Histogram], whose fields say more.
//
//	display.Hist(model.Param("fc.weight"))
func Hist(values any) Histogram { return Histogram{Of: values} }

// Bar is one bar for each value: [Bars], whose fields say more. With one argument that
// is a map from names to numbers, a slice or a tensor; with two, names and values.
//
//	display.Bar(map[string]int{"ants": 123, "bees": 121})
//	display.Bar(classes, probabilities)
func Bar(values ...any) Bars {
	switch len(values) {
	case 1:
		return Bars{Of: values[0]}
	case 2:
		names, err := texts(values[0])
		if err != nil {
			return Bars{err: fmt.Errorf("the names are %w", err)}
		}
		return Bars{Of: values[1], Names: names, strict: true}
	}
	return Bars{err: fmt.Errorf("there are %d arguments, want the values, or names and values", len(values))}
}

// Imshow is a picture: [Image] by the name that matplotlib has for it. A tensor [H W], or rows
// of numbers such as a [][]float64, is gray; [Heatmap] colours a tensor.
func Imshow(v any) Picture { return Image(v) }

// Arrangement is values side by side. See [Row] and [Columns].
type Arrangement struct {
	Columns int // in one row; 0 means as many as fit, and at least one
	Of      []any
}

// Row shows values side by side, each as [Render] would show it: pictures, charts,
// tables, texts. Where the page is too narrow for all, the rest goes below. A row is
// HTML; GitHub's view of notebooks leaves out the pictures in it.
//
//	display.Row(display.Plot(losses), display.Hist(weights), "ants.jpg 93 %")
func Row(values ...any) Arrangement { return Arrangement{Of: values} }

// Columns shows values side by side, n in a row.
//
//	display.Columns(2, a, b, c, d)
func Columns(n int, values ...any) Arrangement { return Arrangement{Columns: n, Of: values} }

// maxMarks is how many points a chart may have that are drawn one by one.
const maxMarks = 100_000

func (p Panel) bundle() (frame.Bundle, error) {
	text := p.text()
	marks := 0
	p.Lines = slices.Clone(p.Lines)
	for i, l := range p.Lines {
		if l.NoLine {
			marks += len(l.Y)
		} else if slices.IsSorted(l.X) && !slices.ContainsFunc(l.Y, func(y float64) bool { return !finite(y) }) {
			p.Lines[i] = thin(l, 4*maxPoints)
		}
	}
	if marks > maxMarks {
		return frame.Bundle{}, fmt.Errorf("display: Scatter: there are %d points, want at most %d; take a part of them", marks, maxMarks)
	}
	return figureBundle("Plot", Figure{Panels: []Panel{p}}, text)
}

// text says in a line for each curve what a chart shows, for consoles and screen
// readers.
func (p Panel) text() string {
	var lines []string
	if p.Title != "" {
		lines = append(lines, p.Title)
	}
	for i, l := range p.Lines {
		name := l.Name
		if name == "" && len(p.Lines) > 1 {
			name = fmt.Sprintf("curve %d", i+1)
		}
		low, high, n := math.Inf(1), math.Inf(-1), 0
		for _, y := range l.Y {
			if finite(y) {
				low, high, n = min(low, y), max(high, y), n+1
			}
		}
		kind := "points"
		if n == 1 {
			kind = "point"
		}
		text := fmt.Sprintf("%d %s", n, kind)
		if n > 0 {
			text += fmt.Sprintf(" from %s to %s", decimal(low), decimal(high))
		}
		if left := len(l.Y) - n; left > 0 {
			text += fmt.Sprintf(", %d more not finite", left)
		}
		lines = append(lines, strings.TrimPrefix(name+": "+text, ": "))
	}
	for _, b := range p.Bars {
		lines = append(lines, fmt.Sprintf("%s: %s", cmp.Or(b.Name, decimal(b.From)), decimal(b.Value)))
	}
	return cmp.Or(strings.Join(lines, "\n"), "chart")
}

// plotOf is the panel of Plot's arguments, with the look of a line.
func plotOf(values []any, look Line) (Panel, error) {
	if len(values) == 0 {
		return Panel{}, errors.New("there is nothing to plot, want a curve, or x and curves; write Plot(y) or Plot(x, y)")
	}
	var x []float64
	if len(values) > 1 {
		if values[0] != nil {
			var err error
			if x, err = vector(values[0]); err != nil {
				return Panel{}, fmt.Errorf("x is %w", err)
			}
		}
		values = values[1:]
	}
	var p Panel
	for i, v := range values {
		name := "the curve"
		if len(values) > 1 {
			name = fmt.Sprintf("curve %d", i+1)
		}
		lines, err := linesOf(v, x)
		if err != nil {
			return Panel{}, fmt.Errorf("%s %w", name, err)
		}
		p.Lines = append(p.Lines, lines...)
	}
	for i := range p.Lines {
		l := &p.Lines[i]
		if l.X == nil {
			if l.X = x; x == nil {
				l.X = positions(len(l.Y))
			}
		}
		if len(l.X) != len(l.Y) {
			return Panel{}, fmt.Errorf("x has %d values and %s %d, want as many", len(l.X), cmp.Or(l.Name, "the curve"), len(l.Y))
		}
		l.Points, l.NoLine = l.Points || look.Points, l.NoLine || look.NoLine
		if l.Color.A == 0 {
			l.Color = palette[i%len(palette)]
		}
	}
	return p, nil
}

// linesOf reads the curves of one argument of Plot. The error begins with a verb.
func linesOf(v any, x []float64) ([]Line, error) {
	switch v := v.(type) {
	case Line:
		return []Line{v}, nil
	case func(float64) float64:
		if x == nil {
			return nil, errors.New("is a function, want an x before it; write Plot(x, f)")
		}
		y := make([]float64, len(x))
		for i := range x {
			y[i] = v(x[i])
		}
		return []Line{{X: x, Y: y}}, nil
	case Tensor:
		if shape := shapeOf(v); len(shape) == 2 {
			all, lines := v.Float32s(), make([]Line, shape[1])
			for i, y := range all {
				lines[i%shape[1]].Y = append(lines[i%shape[1]].Y, float64(y))
			}
			return lines, nil
		}
	}
	if rv := reflect.ValueOf(v); v != nil && rv.Kind() == reflect.Map {
		keys := rv.MapKeys()
		slices.SortStableFunc(keys, compare)
		var lines []Line
		for _, k := range keys {
			y, err := vector(rv.MapIndex(k).Interface())
			if err != nil {
				return nil, fmt.Errorf("%v is %w", k, err)
			}
			lines = append(lines, Line{Name: cellOf(k).text, Y: y})
		}
		if len(lines) == 0 {
			return nil, errors.New("is a map without entries")
		}
		return lines, nil
	}
	y, err := vector(v)
	if err != nil {
		return nil, fmt.Errorf("is %w", err)
	}
	return []Line{{Y: y}}, nil
}

// vector reads the numbers of a slice, or of a tensor of one axis. The error goes on
// with what is wrong: "a string, want …".
func vector(v any) ([]float64, error) {
	const want = "want a slice of numbers or a tensor [N]"
	if v == nil || isNil(v) {
		return nil, errors.New("nil, " + want)
	}
	if t, ok := v.(Tensor); ok {
		if shape := shapeOf(t); len(shape) != 1 {
			return nil, fmt.Errorf("a tensor %v, %s", shape, want)
		}
	}
	values, err := floats(v)
	if err != nil {
		return nil, fmt.Errorf("%s, %s", withArticle(kindName(v)), want)
	}
	return values, nil
}

// withArticle is "a string" or "an int".
func withArticle(kind string) string {
	if strings.ContainsAny(kind[:1], "aeiou") {
		return "an " + kind
	}
	return "a " + kind
}

// texts reads names from a slice: strings as they are, anything else as it prints.
func texts(v any) ([]string, error) {
	const want = "want a slice of names or numbers"
	if v == nil || isNil(v) {
		return nil, errors.New("nil, " + want)
	}
	if t, ok := v.(Tensor); ok {
		var names []string
		for _, x := range t.Float32s() {
			names = append(names, decimal(float64(x)))
		}
		return names, nil
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Slice && rv.Kind() != reflect.Array {
		return nil, fmt.Errorf("%s, %s", withArticle(kindName(v)), want)
	}
	names := make([]string, rv.Len())
	for i := range names {
		names[i] = fmt.Sprint(rv.Index(i).Interface())
	}
	return names, nil
}

// byClass parts points by their classes, in the order in which these sort.
func byClass(all Line, classes any) ([]Line, error) {
	names, err := texts(classes)
	if err != nil {
		return nil, fmt.Errorf("the classes are %w", err)
	}
	if len(names) != len(all.X) {
		return nil, fmt.Errorf("there are %d points and %d classes, want as many", len(all.X), len(names))
	}
	byName := map[string]*Line{}
	var order []string
	for i, name := range names {
		l := byName[name]
		if l == nil {
			l = &Line{Name: name, Points: true, NoLine: true}
			byName[name], order = l, append(order, name)
		}
		l.X, l.Y = append(l.X, all.X[i]), append(l.Y, all.Y[i])
	}
	slices.SortFunc(order, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b))*numeric(a, b), cmp.Compare(a, b)) })
	var lines []Line
	for i, name := range order {
		byName[name].Color = palette[i%len(palette)]
		lines = append(lines, *byName[name])
	}
	return lines, nil
}

// numeric is 1 where both texts are digits, whose length then counts first, else 0.
func numeric(a, b string) int {
	if strings.Trim(a+b, "0123456789") == "" {
		return 1
	}
	return 0
}

func positions(n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(i)
	}
	return x
}

func shapeOf(t Tensor) []int {
	if isNil(t) {
		return nil
	}
	return t.Shape()
}

func (a Arrangement) bundle() (frame.Bundle, error) {
	if len(a.Of) == 0 {
		return frame.Bundle{}, errors.New("display: Row: there are no values, want at least one")
	}
	if a.Columns < 0 {
		return frame.Bundle{}, fmt.Errorf("display: Columns: there are %d columns, want above 0", a.Columns)
	}
	var b strings.Builder
	var all []string
	for row := range slices.Chunk(a.Of, cmp.Or(a.Columns, len(a.Of))) {
		b.WriteString(`<div style="display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start">`)
		for _, v := range row {
			one, err := render(v)
			if err != nil {
				return frame.Bundle{}, err
			}
			b.WriteString("<div>" + markup(one) + "</div>")
			all = append(all, fmt.Sprint(one.Data["text/plain"]))
		}
		b.WriteString("</div>")
	}
	return frame.Bundle{Data: map[string]any{"text/html": b.String(), "text/plain": strings.Join(all, "\n")}}, nil
}

// markup is a value as HTML: its own, its picture, or its text. Markdown stays as it
// is written, since a page sets it only by itself.
func markup(b frame.Bundle) string {
	if s, ok := b.Data["text/html"].(string); ok {
		return s
	}
	for _, kind := range []string{"image/png", "image/jpeg", "image/gif"} {
		data, ok := b.Data[kind].(string)
		if !ok {
			continue
		}
		size := ""
		meta, _ := b.Metadata[kind].(map[string]any)
		for _, side := range []string{"width", "height"} {
			if n, ok := meta[side].(int); ok {
				size += fmt.Sprintf(` %s="%d"`, side, n)
			}
		}
		alt, _ := meta["alt"].(string)
		return fmt.Sprintf(`<img src="data:%s;base64,%s"%s alt="%s">`, kind, data, size, Escape(alt))
	}
	if s, ok := b.Data["text/latex"].(string); ok {
		return Escape(s)
	}
	return "<pre>" + Escape(fmt.Sprint(b.Data["text/plain"])) + "</pre>"
}
