package display

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/internal/frame"
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

// tensorBundle shows a tensor: its line, its numbers when they are few, and a
// picture when they are a convolution's filters.
func tensorBundle(t Tensor) frame.Bundle {
	line, ok := "", false
	if s, is := t.(fmt.Stringer); is {
		line, ok = s.String(), true
	}
	shape := t.Shape()
	size := 1
	for _, d := range shape {
		size *= d
	}
	if !ok {
		line = Summary(t)
	}
	if isFilters(shape) {
		if b, err := (Filters{Of: t, Title: line}).bundle(); err == nil {
			b.Data["text/plain"] = line
			return b
		}
	}
	if size > maxNumbers || size < 2 || len(shape) > 2 {
		return frame.Text(line)
	}
	values := t.Float32s()
	if len(values) != size { // freed, or not a tensor after all
		return frame.Text(line)
	}
	columns := shape[len(shape)-1]
	if len(shape) == 1 {
		columns = min(size, 12)
	}
	return frame.Bundle{Data: map[string]any{
		"text/plain": line + "\n" + numbersText(values, columns),
		"text/html":  numbersHTML(line, values, columns),
	}}
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
func numbersHTML(line string, values []float32, columns int) string {
	s := measure(values)
	reach := max(math.Abs(s.low), math.Abs(s.high))
	var b strings.Builder
	b.WriteString("<div>" + Escape(line) + "</div><table><tbody>")
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
