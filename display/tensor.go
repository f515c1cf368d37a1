package display

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/thousands"
)

// Tensor is what this package needs of a tensor. Shape is its axes, outermost
// first, and Float32s its values in row-major order. When the type also has a
// String method, that is its one-line summary; else [Summary] is.
type Tensor interface {
	Shape() []int
	Float32s() []float32
}

// maxNumbers is how many values a tensor may have for all of them to be shown.
const maxNumbers = 144

// Summary describes a tensor in one line: its shape, and the range, mean and
// standard deviation of its finite values, then how many are NaN or infinite.
//
//	[3 32 32] x∈[-2.1, 2.6] μ=0.02 σ=1
func Summary(t Tensor) string {
	s := measure(t.Float32s())
	line := fmt.Sprint(t.Shape())
	switch {
	case s.n == 0 && s.nan+s.inf == 0:
		return line + " empty"
	case s.n == 1 && s.nan+s.inf == 0:
		return line + " " + number(s.low)
	case s.n > 0:
		line += fmt.Sprintf(" x∈[%s, %s] μ=%s σ=%s", number(s.low), number(s.high), number(s.mean), number(s.std))
	}
	if s.nan > 0 {
		line += fmt.Sprintf(" %d NaN", s.nan)
	}
	if s.inf > 0 {
		line += fmt.Sprintf(" %d Inf", s.inf)
	}
	return line
}

// stats is what a summary says of many values.
type stats struct {
	n, nan, inf          int // how many values are finite, NaN, infinite
	low, high, mean, std float64
}

func measure(values []float32) stats {
	s := stats{low: math.Inf(1), high: math.Inf(-1)}
	sum := 0.0
	for _, x := range values {
		v := float64(x)
		switch {
		case math.IsNaN(v):
			s.nan++
			continue
		case math.IsInf(v, 0):
			s.inf++
			continue
		}
		s.n++
		sum += v
		s.low, s.high = min(s.low, v), max(s.high, v)
	}
	if s.n == 0 {
		s.low, s.high = 0, 0
		return s
	}
	s.mean = sum / float64(s.n)
	squares := 0.0
	for _, x := range values {
		if v := float64(x) - s.mean; !math.IsNaN(v) && !math.IsInf(v, 0) {
			squares += v * v
		}
	}
	s.std = math.Sqrt(squares / float64(s.n))
	return s
}

// number writes v in about three significant digits.
func number(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return strings.TrimPrefix(fmt.Sprint(v), "+")
	case a == math.Trunc(a) && a < 1e6:
		return strconv.FormatFloat(v+0, 'f', -1, 64)
	case a >= 1e6 || a < 1e-3:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return trimZeros(strconv.FormatFloat(v, 'g', 3, 64))
}

func trimZeros(s string) string {
	if strings.ContainsRune(s, '.') && !strings.ContainsRune(s, 'e') {
		return strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// maxCells is how many rows and columns a tensor may have to be shown as a
// heatmap by itself, and maxBars how many values to be shown as bars.
const (
	maxCells = 128
	maxBars  = 512
)

// tensorBundle shows a tensor: its line; the numbers of a small one; a picture
// of a larger one with one or two axes, or of a convolution's filters; and
// folded below the line, how the values of any other lie.
func tensorBundle(t Tensor) frame.Bundle {
	line, values := tensorLine(t)
	if len(values) < 2 {
		return frame.Text(line)
	}
	shape := t.Shape()
	if columns := fewColumns(shape, values); columns > 0 {
		return frame.Bundle{Data: map[string]any{
			"text/plain": line + "\n" + numbersText(values, columns),
			"text/html":  "<div>" + Escape(line) + "</div>" + numbersHTML(values, columns) + "<details><summary>details</summary>" + detailsHTML(values) + "</details>",
		}}
	}
	if b, ok := tensorPicture(line, shape, values); ok {
		b.Data["text/plain"] = line
		return b
	}
	return frame.Bundle{Data: map[string]any{
		"text/plain": line,
		"text/html":  "<details><summary>" + Escape(line) + "</summary>" + detailsHTML(values) + "</details>",
	}}
}

// tensorLine is a tensor's summary and its values; none when it was freed, or
// is not a tensor after all.
func tensorLine(t Tensor) (line string, values []float32) {
	if s, is := t.(fmt.Stringer); is {
		line = s.String()
	} else {
		line = Summary(t)
	}
	size := 1
	for _, d := range t.Shape() {
		size *= d
	}
	if size == 0 {
		return line, nil
	}
	if values = t.Float32s(); len(values) != size {
		return line, nil
	}
	return line, values
}

// fewColumns is in how many columns all of a tensor's values are shown, or 0
// where they are too many.
func fewColumns(shape []int, values []float32) int {
	switch {
	case len(values) > maxNumbers || len(values) < 2:
		return 0
	case len(shape) == 1:
		return min(len(values), 12)
	case len(shape) == 2:
		return shape[1]
	}
	return 0
}

// tensorText is a tensor's line, and below it the values of a small one.
func tensorText(t Tensor) string {
	line, values := tensorLine(t)
	if columns := fewColumns(t.Shape(), values); columns > 0 {
		line += "\n" + numbersText(values, columns)
	}
	return line
}

// tensorPicture draws filters, heatmaps and bars; ok is false for what is
// none of these.
func tensorPicture(line string, shape []int, values []float32) (b frame.Bundle, ok bool) {
	t := plainTensor{shape, values}
	err := errors.ErrUnsupported
	switch {
	case isFilters(shape):
		b, err = Filters{Of: t, Title: line}.bundle()
	case plotter() == nil:
	case len(shape) == 2 && max(shape[0], shape[1]) <= maxCells:
		var p Panel
		if p, err = heatmap(Heatmap{Of: t}); err == nil {
			p.Title = line
			b, err = figureBundle("Heatmap", Figure{Panels: []Panel{p}}, line)
		}
	case len(shape) == 1 && shape[0] <= maxBars:
		p := Panel{Title: line}
		for i, v := range values {
			p.Bars = append(p.Bars, PanelBar{Value: float64(v), From: float64(i) - 0.5, To: float64(i) + 0.5, Color: Blue})
		}
		b, err = figureBundle("Bars", Figure{Panels: []Panel{p}}, line)
	}
	return b, err == nil
}

// plainTensor is a tensor whose values were read already.
type plainTensor struct {
	shape  []int
	values []float32
}

func (t plainTensor) Shape() []int        { return t.shape }
func (t plainTensor) Float32s() []float32 { return t.values }

// maxSorted is how many values are sorted for a tensor's details. Of more,
// values at equal distances stand for all.
const maxSorted = 1 << 20

// detailsHTML says how the values of a tensor lie.
func detailsHTML(values []float32) string {
	step := (len(values) + maxSorted - 1) / maxSorted
	var sorted []float32
	zero, below := 0, 0
	for i, v := range values {
		switch {
		case v == 0:
			zero++
		case v < 0:
			below++
		}
		if i%step == 0 && finite(float64(v)) {
			sorted = append(sorted, v)
		}
	}
	s := measure(values)
	slices.Sort(sorted)
	var head []string
	var row []any
	if n := len(sorted); n > 0 {
		at := func(share float64) float64 { return float64(sorted[int(math.Round(share*float64(n-1)))]) }
		for _, q := range []struct {
			name  string
			value float64
		}{{"min", s.low}, {"5 %", at(0.05)}, {"25 %", at(0.25)}, {"median", at(0.5)}, {"75 %", at(0.75)}, {"95 %", at(0.95)}, {"max", s.high}, {"mean", s.mean}, {"std", s.std}} {
			// Three digits, or the table is wider than most pages.
			rounded, err := strconv.ParseFloat(number(q.value), 64)
			if err != nil {
				rounded = q.value
			}
			head, row = append(head, q.name), append(row, rounded)
		}
	}
	share := func(n int) string { return fmt.Sprintf("%.3g %%", 100*float64(n)/float64(len(values))) }
	head = append(head, "zero", "below zero", "NaN", "Inf")
	row = append(row, share(zero), share(below), s.nan, s.inf)
	b, err := Table{Head: head, Rows: [][]any{row}}.bundle()
	if err != nil {
		return Escape(err.Error())
	}
	note := thousands.Text(len(values)) + " values, first"
	for _, v := range values[:min(len(values), 8)] {
		note += " " + number(float64(v))
	}
	if len(values) > 8 {
		note += " …"
	}
	if step > 1 {
		note += fmt.Sprintf("; quantiles of one value in %d", step)
	}
	return b.Data["text/html"].(string) + "<div>" + Escape(note) + "</div>"
}

// isFilters reports whether a shape is that of a convolution's weights, which
// are worth a picture: [Out In K K] with a K of 2 to 11.
func isFilters(shape []int) bool {
	return len(shape) == 4 && shape[2] == shape[3] && shape[2] >= 2 && shape[2] <= 11
}

// numbersText writes values in aligned columns.
func numbersText(values []float32, columns int) string {
	cells := make([]string, len(values))
	widest := 0
	for i, v := range values {
		cells[i] = number(float64(v))
		widest = max(widest, len(cells[i]))
	}
	var b strings.Builder
	for i, cell := range cells {
		switch {
		case i == 0:
		case i%columns == 0:
			b.WriteByte('\n')
		default:
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%*s", widest, cell)
	}
	return b.String()
}

// numbersHTML writes values as a table whose cells are the redder the greater,
// the bluer the smaller below zero.
func numbersHTML(values []float32, columns int) string {
	s := measure(values)
	reach := max(math.Abs(s.low), math.Abs(s.high))
	var b strings.Builder
	b.WriteString("<table><tbody>")
	for i, v := range values {
		if i%columns == 0 {
			b.WriteString("<tr>")
		}
		fmt.Fprintf(&b, `<td style="text-align:right;color:#222222;background-color:%s">%s</td>`, heat(float64(v), reach), number(float64(v)))
		if i%columns == columns-1 || i == len(values)-1 {
			b.WriteString("</tr>")
		}
	}
	b.WriteString("</tbody></table>")
	return b.String()
}

// heat is the colour of v where values lie in ±reach: white at zero, always
// light enough for dark letters.
func heat(v, reach float64) string {
	if math.IsNaN(v) {
		return "#dddddd"
	}
	if reach == 0 {
		return "#ffffff"
	}
	f := math.Max(-1, math.Min(1, v/reach))
	fade := func(to, f float64) int { return int(math.Round(255 + (to-255)*f)) }
	if f < 0 {
		return fmt.Sprintf("#%02x%02x%02x", fade(120, -f), fade(170, -f), fade(230, -f))
	}
	return fmt.Sprintf("#%02x%02x%02x", fade(240, f), fade(140, f), fade(120, f))
}
