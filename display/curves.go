package display

import (
	"encoding/base64"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"github.com/holt-dl/holt/internal/frame"
)

// maxPoints is how many points of a curve are drawn. A panel is less than 800
// pixels wide, and one point in two of them is all that an eye can tell apart.
const maxPoints = 400

// maxBytes is how large a picture may be that is sent every second. Noise is
// what makes it larger: then it is drawn again with fewer points.
const maxBytes = 60_000

// curve is one series of points and what its name says.
type curve struct {
	name   string
	metric string // "loss", "accuracy", …
	split  string // "train", "eval", …; empty when the name does not say
	x, y   []float64
}

func newCurve(name string, x, y []float64) curve {
	n := min(len(x), len(y))
	c := curve{name: name, x: x[:n], y: y[:n]}
	// TensorBoard's AddScalars writes the curves of one diagram to folders TAG_LINE, under TAG.
	if folder, tag, ok := strings.Cut(name, "/"); ok {
		if line, ok := strings.CutPrefix(folder, strings.ReplaceAll(tag, "/", "_")+"_"); ok && line != "" {
			inner := newCurve(line+"/"+tag, c.x, c.y)
			if inner.split == "" { // no word such as train
				inner.metric, inner.split = strings.ToLower(tag), line
			}
			inner.name = name
			return inner
		}
	}
	var metric []string
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("/_-. ", r) }) {
		switch lower := strings.ToLower(word); lower {
		case "train", "training":
			c.split = "train"
		case "eval", "val", "valid", "validation", "test":
			c.split = lower
		case "acc":
			metric = append(metric, "accuracy")
		default:
			metric = append(metric, lower)
		}
	}
	c.metric = strings.Join(metric, " ")
	if c.metric == "" {
		c.metric, c.split = name, ""
	}
	return c
}

func (c curve) rises() bool { return strings.Contains(c.metric, "accuracy") }

// last and best describe the curve's values; ok is false without finite ones.
func (c curve) last() (v float64, ok bool) {
	for i := len(c.y) - 1; i >= 0; i-- {
		if finite(c.y[i]) {
			return c.y[i], true
		}
	}
	return 0, false
}

func (c curve) best() (v, x float64, ok bool) {
	for i := range c.y {
		if finite(c.y[i]) && (!ok || c.rises() && c.y[i] > v || !c.rises() && c.y[i] < v) {
			v, x, ok = c.y[i], c.x[i], true
		}
	}
	return v, x, ok
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// chart is how curves are drawn.
type chart struct {
	title, status string
	x             string
	logY          bool
	smooth        int
	still         bool    // nothing more is to come: the chart is Vega-Lite too
	end           float64 // where the X axis will end one day; 0 where that is not known
}

func (c chart) bundle(curves []curve) (b frame.Bundle, err error) {
	text := c.text(curves)
	b = frame.Text(text)
	if p := plotter(); p != nil {
		if b, err = c.picture(p, curves, text); err != nil {
			return b, err
		}
	}
	if c.still {
		if spec := c.figure(curves, maxPoints).vega(text); spec != nil {
			b.Data[vegaType] = spec
		}
	}
	return b, nil
}

// picture draws all panels as one picture.
func (c chart) picture(p Plotter, curves []curve, text string) (frame.Bundle, error) {
	drawn, err := fitting(func(points int) ([]frame.Bundle, error) {
		b, err := plotted(p, c.figure(curves, points), text)
		return []frame.Bundle{b}, err
	})
	if err != nil {
		return frame.Bundle{}, err
	}
	return drawn[0], nil
}

// panels draws each panel as a picture of its own, without the title, so that a narrow page
// can put one below the other.
func (c chart) panels(p Plotter, curves []curve) ([]frame.Bundle, error) {
	names := metrics(curves)
	width := 400 // in pixels; three of them, or more, are narrower
	if len(names) > 2 {
		width = 320
	}
	c.title, c.status = "", ""
	return fitting(func(points int) (drawn []frame.Bundle, err error) {
		for i, panel := range c.figure(curves, points).Panels {
			text := panel.Title
			if i < len(names) {
				text = c.text(slices.DeleteFunc(slices.Clone(curves), func(s curve) bool { return s.metric != names[i] }))
			}
			b, err := plotted(p, Figure{Panels: []Panel{panel}, Width: width}, text)
			if err != nil {
				return nil, err
			}
			drawn = append(drawn, b)
		}
		return drawn, nil
	})
}

func plotted(p Plotter, f Figure, text string) (frame.Bundle, error) {
	m, err := p.Plot(f)
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: LivePlot: %w", err)
	}
	return drawn(reduce(m), text)
}

// fitting draws with as many points as PNGs of maxBytes can have.
func fitting(draw func(points int) ([]frame.Bundle, error)) ([]frame.Bundle, error) {
	for points := maxPoints; ; points = points * 3 / 4 {
		drawn, err := draw(points)
		bytes := 0
		for _, b := range drawn {
			if png, ok := b.Data["image/png"].(string); ok {
				bytes += base64.StdEncoding.DecodedLen(len(png))
			}
		}
		if err != nil || points < 50 || bytes <= maxBytes {
			return drawn, err
		}
	}
}

// text says where each curve is.
func (c chart) text(curves []curve) string {
	var lines []string
	for _, s := range []string{c.title, c.status} {
		if s != "" {
			lines = append(lines, s)
		}
	}
	widest := 0
	for _, s := range curves {
		widest = max(widest, width(s.name))
	}
	for _, s := range curves {
		line := s.name + strings.Repeat(" ", widest-width(s.name))
		last, ok := s.last()
		switch {
		case len(s.y) == 0:
			lines = append(lines, line+"  no points yet")
			continue
		case !ok:
			lines = append(lines, line+fmt.Sprintf("  none of %d values is finite", len(s.y)))
			continue
		}
		line += "  " + decimal4(last)
		if window := c.window(s); window > 1 {
			smooth, _ := curve{y: average(s.y, window)}.last()
			line += fmt.Sprintf(" (smoothed %s)", decimal4(smooth))
		}
		if best, at, _ := s.best(); len(s.y) > 1 && judged(s) {
			line += fmt.Sprintf("  best %s at %s", decimal4(best), number(at))
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return "no points yet"
	}
	return strings.Join(lines, "\n")
}

// judged reports whether one end of a curve is better than the other.
func judged(c curve) bool { return c.rises() || strings.Contains(c.metric, "loss") }

func decimal4(v float64) string {
	if a := math.Abs(v); a >= 0.001 && a < 10 {
		return fmt.Sprintf("%.4f", v)
	}
	return number(v)
}

// figure has a panel for each metric.
func (c chart) figure(curves []curve, points int) Figure {
	f := Figure{Title: c.title}
	if f.Title != "" && c.status != "" {
		f.Title += " · "
	}
	f.Title += c.status
	x := c.x
	if x == "" {
		x = "step"
	}
	reach := xRange(curves)
	if c.end > 0 {
		reach = [2]float64{0, axisEnd(reach[1], c.end)}
	}
	for _, metric := range metrics(curves) {
		p := Panel{Title: metric, X: x, XRange: reach, LogY: c.logY && metric != "accuracy"}
		var used []color.NRGBA
		for _, s := range curves {
			if s.metric != metric {
				continue
			}
			paint := colour(s, used)
			used = append(used, paint)
			p.Lines = append(p.Lines, c.lines(s, paint, points)...)
		}
		if !p.LogY {
			p.Range = span(p.Lines)
		}
		// Pale lines come first, so that no smoothed one is under them.
		slices.SortStableFunc(p.Lines, func(a, b Line) int { return rank(a) - rank(b) })
		f.Panels = append(f.Panels, p)
	}
	if len(f.Panels) == 0 {
		f.Panels = []Panel{{Title: "loss", X: x}}
	}
	return f
}

// xRange is shared by all panels, so that they can be compared.
func xRange(curves []curve) [2]float64 {
	low, high := math.Inf(1), math.Inf(-1)
	for _, c := range curves {
		for _, x := range c.x {
			if finite(x) {
				low, high = min(low, x), max(high, x)
			}
		}
	}
	if low >= high {
		return [2]float64{}
	}
	return [2]float64{low, high}
}

// noisy reports whether a curve, but for a few peaks, goes up and down far
// more than it gets on: a schedule of learning rates is not to be smoothed.
func noisy(y []float64) bool {
	var sorted []float64
	for _, v := range y {
		if finite(v) {
			sorted = append(sorted, v)
		}
	}
	if len(sorted) == 0 {
		return false
	}
	slices.Sort(sorted)
	low, high := sorted[len(sorted)/100], sorted[len(sorted)-1-len(sorted)/100]
	way, before := 0.0, math.NaN()
	for _, v := range y {
		if !finite(v) {
			continue
		}
		v = max(low, min(high, v))
		if finite(before) {
			way += math.Abs(v - before)
		}
		before = v
	}
	return way > 3*(high-low)
}

func rank(l Line) int {
	if l.Faint {
		return 0
	}
	return 1
}

// metrics are in the order of their panels: loss, accuracy, the others.
func metrics(curves []curve) []string {
	var out []string
	for _, c := range curves {
		if !slices.Contains(out, c.metric) {
			out = append(out, c.metric)
		}
	}
	place := func(metric string) int {
		switch {
		case metric == "loss":
			return 0
		case strings.Contains(metric, "loss"):
			return 1
		case strings.Contains(metric, "accuracy"):
			return 2
		}
		return 3
	}
	slices.SortStableFunc(out, func(a, b string) int { return place(a) - place(b) })
	return out[:min(len(out), 6)]
}

// colour is blue for training and orange for evaluation in every panel.
func colour(c curve, used []color.NRGBA) color.NRGBA {
	want := slices.Clone(palette[:])
	switch c.split {
	case "train":
	case "":
	default:
		want[0], want[1] = want[1], want[0]
	}
	for _, paint := range want {
		if !slices.Contains(used, paint) {
			return paint
		}
	}
	return want[len(used)%len(want)]
}

// window is how many points a smoothed curve averages over; 1 for none.
func (c chart) window(s curve) int {
	switch {
	case len(s.y) < 2:
		return 1
	case c.smooth == 0 && len(s.y) >= 50 && noisy(s.y):
		return max(5, len(s.y)/40)
	}
	return max(1, c.smooth)
}

// lines are a curve as it is and, when it is long, smoothed, which the legend
// says with its value.
func (c chart) lines(s curve, paint color.NRGBA, points int) []Line {
	name := s.split
	if name == "" {
		name = s.name
	}
	label := func(y []float64) string {
		if last, ok := (curve{y: y}).last(); ok {
			return name + " " + decimal4(last)
		}
		return name
	}
	window := c.window(s)
	raw := thin(Line{Name: label(s.y), X: s.x, Y: s.y, Color: paint, Points: len(s.y) <= 30}, points)
	if window <= 1 {
		return []Line{raw}
	}
	raw.Name, raw.Faint = "", true
	smooth := average(s.y, window)
	return []Line{raw, thin(Line{Name: label(smooth) + " smoothed", X: s.x, Y: smooth, Color: paint}, max(points, maxPoints/2))}
}

// average is the exponential moving average over about window values, freed of
// its bias towards zero as in Adam (Kingma and Ba, 2015, section 3). Values
// that are not finite are passed over.
func average(y []float64, window int) []float64 {
	keep := 1 - 1/float64(window)
	out := make([]float64, len(y))
	sum, weight := 0.0, 0.0
	for i, v := range y {
		if finite(v) {
			sum = keep*sum + (1-keep)*v
			weight = keep*weight + (1 - keep)
		}
		if weight == 0 {
			out[i] = math.NaN()
			continue
		}
		out[i] = sum / weight
	}
	return out
}

// thin keeps the lowest and the highest point of each of points/2 equal
// parts, so that peaks stay where they are, and both ends.
func thin(l Line, points int) Line {
	n := len(l.Y)
	if n <= points {
		return l
	}
	parts := points/2 - 1
	out := l
	out.X, out.Y = []float64{l.X[0]}, []float64{l.Y[0]}
	keep := func(i int) { out.X, out.Y = append(out.X, l.X[i]), append(out.Y, l.Y[i]) }
	for part := range parts {
		from, to := 1+part*(n-2)/parts, 1+(part+1)*(n-2)/parts
		low, high := from, from
		for i := from; i < to; i++ {
			if l.Y[i] < l.Y[low] || math.IsNaN(l.Y[low]) {
				low = i
			}
			if l.Y[i] > l.Y[high] || math.IsNaN(l.Y[high]) {
				high = i
			}
		}
		keep(min(low, high))
		if low != high {
			keep(max(low, high))
		}
	}
	keep(n - 1)
	return out
}

// span is a Y range that a few high peaks of raw values do not stretch. The
// zero value leaves it to the plotter.
func span(lines []Line) [2]float64 {
	var all, shown []float64
	for _, l := range lines {
		for _, v := range l.Y {
			if finite(v) {
				all = append(all, v)
				if !l.Faint {
					shown = append(shown, v)
				}
			}
		}
	}
	if len(all) < 100 {
		return [2]float64{}
	}
	slices.Sort(all)
	low := min(all[len(all)/100], slices.Min(shown))
	high := max(all[len(all)-1-len(all)/100], slices.Max(shown))
	if low == high {
		return [2]float64{}
	}
	margin := (high - low) * 0.04
	return [2]float64{low - margin, high + margin}
}
