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

// figureBundle shows a figure as a picture and as Vega-Lite, where it can be drawn, and
// as its text.
func figureBundle(name string, f Figure, text string) (frame.Bundle, error) {
	b, err := pictureBundle(name, f, text)
	if err != nil {
		return b, err
	}
	if spec := f.vega(text); spec != nil {
		b.Data[vegaType] = spec
	}
	return b, nil
}

// pictureBundle shows a figure as a picture where it can be drawn, else its text.
func pictureBundle(name string, f Figure, text string) (frame.Bundle, error) {
	for _, p := range f.Panels {
		if p.err != nil {
			return frame.Bundle{}, p.err
		}
	}
	p := plotter()
	if p == nil {
		return frame.Text(text), nil
	}
	m, err := p.Plot(f)
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: %s: %w", name, err)
	}
	if !slices.ContainsFunc(f.Panels, func(p Panel) bool { return p.Matrix != nil }) { // whose shades are what it says
		m = reduce(m)
	}
	return drawn(m, text)
}

func (f Figure) bundle() (frame.Bundle, error) {
	lines := []string{f.Title}
	for _, p := range f.Panels {
		lines = append(lines, p.text())
	}
	const unknown = "chart" // of a matrix without a title
	lines = slices.DeleteFunc(lines, func(t string) bool { return t == "" || t == unknown })
	return figureBundle("Figure", f, cmp.Or(strings.Join(lines, "\n"), unknown))
}

// Bars is one bar for each value.
//
//	display.Bars{Of: map[string]int{"ants": 123, "bees": 121}, Title: "pictures"}
type Bars struct {
	Of    any      // a map from names to numbers, shown by name; a slice of numbers; or a tensor
	Names []string // of a slice's or tensor's values; empty shows positions
	Title string
	X, Y  string // the axes' labels

	strict bool // there must be a name for each value
	err    error
}

func (b Bars) bundle() (frame.Bundle, error) {
	names, values, err := b.values()
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Bars: %w", err)
	}
	p := Panel{Title: b.Title, X: b.X, Y: b.Y}
	text := b.Title
	for i, v := range values {
		p.Bars = append(p.Bars, PanelBar{Name: names[i], Value: v, Color: Blue})
		text += fmt.Sprintf("\n%s: %s", names[i], decimal(v))
	}
	return figureBundle("Bars", Figure{Panels: []Panel{p}, Width: min(900, max(360, 30*len(values)))}, strings.TrimPrefix(text, "\n"))
}

func (b Bars) values() (names []string, values []float64, err error) {
	if b.err != nil {
		return nil, nil, b.err
	}
	if v := reflect.ValueOf(b.Of); b.Of != nil && v.Kind() == reflect.Map {
		keys := v.MapKeys()
		slices.SortStableFunc(keys, compare)
		for _, key := range keys {
			x, ok := float(v.MapIndex(key))
			if !ok {
				return nil, nil, fmt.Errorf("Of is a %s, want a map to numbers", kindName(b.Of))
			}
			names, values = append(names, cellOf(key).text), append(values, x)
		}
	} else if values, err = floats(b.Of); err != nil {
		return nil, nil, err
	}
	if b.strict && len(b.Names) != len(values) {
		return nil, nil, fmt.Errorf("there are %d names and %d values, want as many", len(b.Names), len(values))
	}
	if len(values) == 0 || len(values) > 200 {
		return nil, nil, fmt.Errorf("there are %d values, want 1 to 200; for the distribution of many use display.Histogram", len(values))
	}
	for i := len(names); i < len(values); i++ {
		if i < len(b.Names) {
			names = append(names, b.Names[i])
		} else {
			names = append(names, fmt.Sprint(i))
		}
	}
	return names, values, nil
}

// floats reads numbers from a tensor or a slice.
func floats(v any) ([]float64, error) {
	if v == nil || isNil(v) {
		return nil, errors.New("Of is nil, want a tensor or a slice of numbers")
	}
	var out []float64
	if t, ok := v.(Tensor); ok {
		for _, x := range t.Float32s() {
			out = append(out, float64(x))
		}
		return out, nil
	}
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Slice && rv.Kind() != reflect.Array {
		return nil, fmt.Errorf("Of is a %s, want a tensor or a slice of numbers", kindName(v))
	}
	for i := range rv.Len() {
		x, ok := float(rv.Index(i))
		if !ok {
			return nil, fmt.Errorf("Of is a %s, want a tensor or a slice of numbers", kindName(v))
		}
		out = append(out, x)
	}
	return out, nil
}

func float(v reflect.Value) (float64, bool) {
	for v.Kind() == reflect.Interface && !v.IsNil() {
		v = v.Elem()
	}
	switch {
	case v.CanFloat():
		return v.Float(), true
	case v.CanInt():
		return float64(v.Int()), true
	case v.CanUint():
		return float64(v.Uint()), true
	}
	return 0, false
}

// Histogram is how many values lie in each of several equal ranges. Values
// that are not finite are counted in the text.
type Histogram struct {
	Of    any // a tensor or a slice of numbers
	Bins  int // 0 means 40
	Title string
	X, Y  string // the axes' labels
}

func (h Histogram) bundle() (frame.Bundle, error) {
	values, err := floats(h.Of)
	if err == nil && len(values) == 0 {
		err = errors.New("there are no values: Of is empty")
	}
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Histogram: %w", err)
	}
	p, text := histogram(h.Title, values, h.Bins)
	p.X, p.Y = h.X, h.Y
	return figureBundle("Histogram", Figure{Panels: []Panel{p}}, text)
}

func histogram(title string, values []float64, bins int) (Panel, string) {
	if bins <= 0 {
		bins = 40
	}
	single := make([]float32, len(values))
	for i, v := range values {
		single[i] = float32(v)
	}
	s := measure(single)
	p := Panel{Title: title}
	text := strings.TrimSpace(strings.Replace(Summary(numbers(single)), fmt.Sprint([]int{len(single)}), "", 1))
	if title != "" {
		text = title + ": " + text
	}
	text = fmt.Sprintf("%s, %d values", text, len(values))
	if s.n == 0 {
		p.Bars = []PanelBar{{Value: 0, From: 0, To: 1}}
		return p, text
	}
	low, high := s.low, s.high
	if low == high {
		low, high = low-0.5, high+0.5
	}
	counts := make([]int, bins)
	for _, v := range values {
		if finite(v) {
			counts[max(0, min(bins-1, int(float64(bins)*(v-low)/(high-low))))]++
		}
	}
	edge := func(i int) float64 { return low + (high-low)*float64(i)/float64(bins) }
	for i, n := range counts {
		p.Bars = append(p.Bars, PanelBar{Value: float64(n), From: edge(i), To: edge(i + 1), Color: Blue})
	}
	return p, text
}

// numbers is a tensor of one axis.
type numbers []float32

func (n numbers) Shape() []int        { return []int{len(n)} }
func (n numbers) Float32s() []float32 { return n }

// maxWritten is how many rows and columns a heatmap with numbers may have.
const maxWritten = 64

// Heatmap is a tensor of shape [H W] as coloured cells, blue below zero and
// red above. Other shapes are shown as a matrix whose columns are the last
// axis.
type Heatmap struct {
	Of      Tensor
	Rows    []string // names; empty for none
	Columns []string
	Numbers bool // write the values into the cells
	Title   string
}

func (h Heatmap) bundle() (frame.Bundle, error) {
	p, err := heatmap(h)
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Heatmap: %w", err)
	}
	s := measure(h.Of.Float32s())
	reach := max(math.Abs(s.low), math.Abs(s.high))
	p.Title = strings.TrimSpace(h.Title + fmt.Sprintf("  %v  ±%s", h.Of.Shape(), number(reach)))
	return figureBundle("Heatmap", Figure{Panels: []Panel{p}}, tensorText(h.Of))
}

// heatmap is the panel of a heatmap, still without a title.
func heatmap(h Heatmap) (Panel, error) {
	if h.Of == nil || isNil(h.Of) {
		return Panel{}, errors.New("Of is nil, want a tensor")
	}
	shape, values := h.Of.Shape(), h.Of.Float32s()
	if len(shape) == 0 || len(values) == 0 {
		return Panel{}, fmt.Errorf("the tensor has shape %v and %d values, want at least one axis", shape, len(values))
	}
	columns := shape[len(shape)-1]
	rows := len(values) / columns
	if rows > 512 || columns > 512 {
		return Panel{}, fmt.Errorf("the tensor has %d rows and %d columns, want at most 512; show a part of it, or display.Histogram", rows, columns)
	}
	if h.Numbers && max(rows, columns) > maxWritten {
		return Panel{}, fmt.Errorf("the tensor has %d rows and %d columns, want at most %d for Numbers to be read; leave Numbers out, or show a part of it", rows, columns, maxWritten)
	}
	m := &Matrix{Rows: h.Rows, Columns: h.Columns, Diverging: true}
	for i := range rows {
		var row []float64
		var texts []string
		for _, v := range values[i*columns : (i+1)*columns] {
			row, texts = append(row, float64(v)), append(texts, number(float64(v)))
		}
		m.Values = append(m.Values, row)
		if h.Numbers {
			m.Text = append(m.Text, texts)
		}
	}
	return Panel{Matrix: m}, nil
}

// Curves draws curves once, arranged as [LivePlot] arranges them: a run that
// has ended, or one read back from its log.
//
//	display.Curves{Of: run, LogY: true}
type Curves struct {
	// Of is anything with the methods Names and Curve of a [Run].
	Of interface {
		Names() []string
		Curve(name string) (x, y []float64)
	}
	Title  string
	X      string // label of the X axis; empty means "epoch"
	LogY   bool   // as in [LivePlot]
	Smooth int    // as in [LivePlot]
}

func (c Curves) bundle() (frame.Bundle, error) {
	if c.Of == nil || isNil(c.Of) {
		return frame.Bundle{}, errors.New("display: Curves: Of is nil, want a run")
	}
	x := c.X
	if x == "" {
		x = "epoch"
	}
	var curves []curve
	for _, name := range c.Of.Names() {
		x, y := c.Of.Curve(name)
		curves = append(curves, newCurve(name, x, y))
	}
	return chart{title: c.Title, x: x, logY: c.LogY, smooth: c.Smooth, still: true}.bundle(curves)
}

// LRFinder is the curve of a learning-rate range test (Smith, 2017, "Cyclical
// Learning Rates for Training Neural Networks", section 3.3): the loss while
// the rate grows from step to step. A dashed line marks what [LRFinder.Suggest] returns.
type LRFinder struct {
	LR, Loss []float64 // one of each for every step
	Title    string
}

// Suggest returns a good first learning rate: a quarter of the one at which the
// smoothed loss has fallen by nine tenths of its way down, since the test does one step
// with each rate and a training many; and at most a tenth of the rate with which the loss
// exploded. What comes after an explosion is not looked at, whatever it is. Suggest
// returns 0 where the loss does not fall by more than chance: more steps show more.
func (f LRFinder) Suggest() float64 {
	n := min(len(f.LR), len(f.Loss))
	if n < 3 {
		return 0
	}
	settled := min(10, (n+2)/3) // losses of rates with which nothing is learned yet
	start, spread := meanAndSpread(f.Loss[:settled])
	exploded := n
	limit := start + max(start/4, 5*spread)
	for i, v := range f.Loss[settled:n] {
		if !(v <= limit) {
			exploded = settled + i
			break
		}
	}
	if exploded == settled {
		return 0
	}
	window := max(2, n/20)
	smooth := centred(f.Loss[:exploded], window)
	lowest, end := settled, exploded
	for i := settled; i < end; i++ {
		if smooth[i] < smooth[lowest] {
			lowest = i
		}
		// A loss that has clearly fallen and comes half the way back has exploded too.
		if fall := start - smooth[lowest]; fall > 4*spread && smooth[i]-smooth[lowest] > fall/2 {
			end, exploded = i, i
		}
	}
	// Of minima that differ by no more than the smoothing leaves to chance, the last.
	chance := spread / math.Sqrt(2*float64(window))
	for i, least := lowest, smooth[lowest]; i < end; i++ {
		if smooth[i] <= least+chance && smooth[i] < start {
			lowest = i
		}
	}
	for lowest > settled && smooth[lowest-1] < smooth[lowest] {
		lowest--
	}
	fall := start - smooth[lowest]
	if !(fall > chance) {
		return 0
	}
	down := lowest // where nine tenths of the fall are done
	for down > settled && smooth[down-1] < start-0.9*fall {
		down--
	}
	rate := f.LR[down] / 4
	if exploded < n {
		rate = min(rate, f.LR[exploded]/10)
	}
	return rate
}

func meanAndSpread(values []float64) (mean, spread float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		spread += (v - mean) * (v - mean) / float64(len(values))
	}
	return mean, math.Sqrt(spread)
}

// centred averages forwards and then backwards, so that the result does not
// come late, as a moving average does.
func centred(y []float64, window int) []float64 {
	out := average(y, window)
	slices.Reverse(out)
	out = average(out, window)
	slices.Reverse(out)
	return out
}

func (f LRFinder) bundle() (frame.Bundle, error) {
	if len(f.LR) != len(f.Loss) || len(f.LR) < 10 {
		return frame.Bundle{}, fmt.Errorf("display: LRFinder: there are %d rates and %d losses, want as many of each, at least 10", len(f.LR), len(f.Loss))
	}
	smooth := centred(f.Loss, max(2, len(f.Loss)/20))
	lowest := math.Inf(1)
	for _, v := range smooth {
		if finite(v) {
			lowest = min(lowest, v)
		}
	}
	// What comes after the loss has exploded would press the rest flat.
	end := len(smooth)
	for i, v := range smooth {
		if i > len(smooth)/10 && v > 4*math.Max(lowest, smooth[0]/4) {
			end = i
			break
		}
	}
	title := f.Title
	if title == "" {
		title = "learning-rate range test"
	}
	p := Panel{Title: title, X: "learning rate", Y: "loss", LogX: true, Lines: []Line{
		{X: f.LR[:end], Y: f.Loss[:end], Color: Blue, Faint: true},
		{X: f.LR[:end], Y: smooth[:end], Color: Blue},
	}}
	text := title + ": the loss does not fall by more than chance; try more steps, or other rates"
	if rate := f.Suggest(); rate > 0 {
		low, high := math.Inf(1), math.Inf(-1)
		for _, v := range smooth[:end] {
			if finite(v) {
				low, high = min(low, v), max(high, v)
			}
		}
		p.Lines = append(p.Lines, Line{Name: "suggested: " + number(rate), X: []float64{rate, rate}, Y: []float64{low, high}, Color: Orange, Dashed: true})
		text = title + ": the suggested learning rate is " + number(rate)
	}
	return figureBundle("LRFinder", Figure{Panels: []Panel{p}}, text)
}
