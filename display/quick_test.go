package display_test

import (
	"errors"
	"image"
	"image/color"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/display"
)

// TestQuick reads the texts of charts of all that can be plotted, and the errors of what
// cannot.
func TestQuick(t *testing.T) {
	two := tensor{shape: []int{3, 2}, values: []float32{1, 10, 2, 20, 3, 30}}
	one := tensor{shape: []int{3}, values: []float32{1, 2, 3}}
	titled := display.Plot([]float64{3, 2, 1})
	titled.Title = "loss"
	tests := map[string]struct {
		of   any
		want string
	}{
		"a slice":             {display.Plot([]float64{0.5, 2, 1}), "3 points from 0.5 to 2"},
		"whole numbers":       {display.Plot([]int{4, 5}), "2 points from 4 to 5"},
		"a tensor":            {display.Plot(one), "3 points from 1 to 3"},
		"a tensor [N K]":      {display.Plot(two), "curve 1: 3 points from 1 to 3\ncurve 2: 3 points from 10 to 30"},
		"x and y":             {display.Plot([]int{1, 2, 3}, one), "3 points from 1 to 3"},
		"functions":           {display.Plot([]float64{0, math.Pi / 2}, math.Sin, math.Cos), "curve 1: 2 points from 0 to 1\ncurve 2: 2 points from 6.1232e-17 to 1"},
		"a map":               {display.Plot(nil, map[string][]float64{"valid": {2, 1}, "train": {1, 0}}), "train: 2 points from 0 to 1\nvalid: 2 points from 1 to 2"},
		"a line":              {display.Plot(display.Line{Name: "own", Y: []float64{1, 2}}), "own: 2 points from 1 to 2"},
		"what is not finite":  {display.Plot([]float64{1, math.NaN(), math.Inf(1)}), "1 point from 1 to 1, 2 more not finite"},
		"a title":             {titled, "loss\n3 points from 1 to 3"},
		"points":              {display.Scatter(one, one), "3 points from 1 to 3"},
		"points of classes":   {display.Scatter([]int{1, 2, 3}, []int{4, 5, 6}, []int{10, 9, 10}), "9: 1 point from 5 to 5\n10: 2 points from 4 to 6"},
		"bars":                {display.Bar(map[string]int{"bees": 2, "ants": 1}), "ants: 1\nbees: 2"},
		"bars with names":     {display.Bar([]string{"a", "b"}, one.values[:2]), "a: 1\nb: 2"},
		"a histogram":         {display.Hist([]float64{1, 2, 3}), "x∈[1, 3] μ=2 σ=0.816, 3 values"},
		"a picture":           {display.Imshow(image.NewGray(image.Rect(0, 0, 4, 3))), "picture of 4 × 3 pixels"},
		"rows of numbers":     {display.Imshow([][]float64{{0, 1, 0}, {1, 0, 1}}), "picture of 3 × 2 pixels"},
		"an array of rows":    {display.Imshow([2][3]uint8{{0, 1, 0}, {1, 0, 1}}), "picture of 3 × 2 pixels"},
		"a row":               {display.Row(display.Plot(one), "text", display.Bar(one)), "3 points from 1 to 3\ntext\n0: 1\n1: 2\n2: 3"},
		"windows":             {display.Windows{Of: two, Result: tensor{shape: []int{2, 1}, values: []float32{20, 30}}, Kernel: 2, Title: "largest"}, "largest\nwindow 0, from row 0 and column 0: 20\nwindow 1, from row 1 and column 0: 30"},
		"a window of nothing": {display.Windows{Of: two, Result: two}, "display: Windows: Kernel is 0, Stride 0 and Padding 0, want a window of at least 1"},
		"windows of a row":    {display.Windows{Of: one, Result: two, Kernel: 2}, "display: Windows: Of has shape [3], want [H W] of at most 16 by 16 numbers"},
		"windows of others":   {display.Windows{Of: two, Result: two, Kernel: 1, Stride: 2}, "display: Windows: Result is 3 by 2, which windows with a stride of 2 in 3 by 2 numbers do not give; want Stride and Padding of the layer"},
		"a window too many":   {display.Windows{Of: two, Result: two, Kernel: 1, At: []int{6}}, "display: Windows: At has window 6, want 0 to 5"},
		"four windows":        {display.Windows{Of: two, Result: two, Kernel: 1, At: []int{0, 1, 2, 3}}, "display: Windows: At has 4 windows, want at most 3"},
		"too many windows":    {display.Windows{Of: tensor{shape: []int{11, 11}, values: make([]float32, 121)}, Result: tensor{shape: []int{11, 11}, values: make([]float32, 121)}, Kernel: 1, Moving: true}, "display: Windows: there are 121 windows to move over, want at most 100"},
		"a movie of nothing":  {display.Movie{}, "display: Movie: there are 0 frames, want 1 to 200"},
		"a movie of a text":   {display.Movie{Frames: []any{"a text"}}, "display: Movie: frame 0, a string, is not drawn as a picture; want one that is"},
		"a movie of an error": {display.Movie{Frames: []any{display.Image("nowhere.png")}}, "display: Movie: frame 0: display: Image: open nowhere.png: no such file or directory"},
		"a movie too fast":    {display.Movie{Frames: []any{image.NewGray(image.Rect(0, 0, 1, 1))}, Each: time.Microsecond}, "display: Movie: Each is 1µs, want a hundredth of a second to a minute"},
		"a movie":             {display.Movie{Frames: []any{image.NewGray(image.Rect(0, 0, 4, 3)), image.NewGray(image.Rect(0, 0, 4, 3))}}, "moving picture of 2 frames\npicture of 4 × 3 pixels"},
		"a diagram":           {display.Diagram{Title: "a loss", Boxes: []display.Box{{Name: "x"}, {Name: "w", Note: "2"}, {Name: "y", From: []int{0, 1}}, {Name: "loss", Place: "(y - t)²", From: []int{2}}}}, "a loss\nx\nw  2\ny  ← x, w\nloss  (y - t)²"},
		"an empty diagram":    {display.Diagram{}, "display: Diagram: there are no boxes"},
		"an arrow from below": {display.Diagram{Boxes: []display.Box{{Name: "x", From: []int{0}}}}, "display: Diagram: box 0, x, has an arrow from box 0, want one before it"},
		"nothing":             {display.Plot(), "display: Plot: there is nothing to plot, want a curve, or x and curves; write Plot(y) or Plot(x, y)"},
		"nil":                 {display.Plot(nil), "display: Plot: the curve is nil, want a slice of numbers or a tensor [N]"},
		"a text":              {display.Plot("losses"), "display: Plot: the curve is a string, want a slice of numbers or a tensor [N]"},
		"other lengths":       {display.Plot([]int{1, 2}, []int{1, 2, 3}), "display: Plot: x has 2 values and the curve 3, want as many"},
		"a function alone":    {display.Plot(math.Sin), "display: Plot: the curve is a function, want an x before it; write Plot(x, f)"},
		"three axes":          {display.Plot(one, tensor{shape: []int{1, 1, 1}, values: []float32{1}}), "display: Plot: the curve is a tensor [1 1 1], want a slice of numbers or a tensor [N]"},
		"texts in a map":      {display.Plot(map[string]string{"a": "b"}), "display: Plot: the curve a is a string, want a slice of numbers or a tensor [N]"},
		"classes of others":   {display.Scatter(one, one, []int{1}), "display: Scatter: there are 3 points and 1 classes, want as many"},
		"names of others":     {display.Bar([]string{"a"}, one), "display: Bars: there are 1 names and 3 values, want as many"},
		"an empty row":        {display.Row(), "display: Row: there are no values, want at least one"},
		"a column too few":    {display.Columns(-1, one), "display: Columns: there are -1 columns, want above 0"},
		"a wrong one in many": {display.Row(one, display.Plot(1)), "display: Plot: the curve is an int, want a slice of numbers or a tensor [N]"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := display.Render(tt.of).Data["text/plain"]; got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestRow finds each value's own HTML, picture and text in a row, escaped, and the rows
// of Columns.
func TestRow(t *testing.T) {
	m := image.NewNRGBA(image.Rect(0, 0, 2, 2))
	m.Set(0, 0, color.White)
	b := display.Render(display.Columns(2, m, display.HTML("<b>bold</b>"), "a < b", errors.New("wrong")))
	got := b.Data["text/html"].(string)
	for _, want := range []string{`<img src="data:image/png;base64,`, `alt="picture of 2 × 2 pixels"`, "<div><b>bold</b></div></div>", "<pre>a &lt; b</pre>", "<pre>wrong</pre>"} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in %s", want, got)
		}
	}
	if n := strings.Count(got, "display:flex"); n != 2 {
		t.Errorf("there are %d rows, want 2", n)
	}
}

// TestFigureColumns finds the columns of a figure in its Vega-Lite, and none of that
// where shades are no values.
func TestFigureColumns(t *testing.T) {
	const vega = "application/vnd.vegalite.v5+json"
	p := display.Plot([]float64{1, 2})
	spec, ok := display.Render(display.Figure{Panels: []display.Panel{p, p, p, p}, Columns: 4}).Data[vega].(map[string]any)
	if !ok || spec["columns"] != 4 {
		t.Errorf("the specification has %v columns, want 4", spec["columns"])
	}
	one := tensor{shape: []int{1, 1}, values: []float32{7}}
	if _, ok := display.Render(display.Windows{Of: one, Result: one, Kernel: 1}).Data[vega]; ok {
		t.Error("windows have a specification, whose tooltips show shades for values")
	}
}
