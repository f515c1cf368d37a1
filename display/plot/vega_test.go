package plot_test

import (
	"bytes"
	"encoding/json"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/golden"
	"github.com/holt-dl/holt/internal/shade"
)

// specs are charts of every kind that is sent as Vega-Lite. tests/vega checks their golden
// files against its schema, and draws them.
func specs() map[string]any {
	labels, scores, classes := judged()
	few := tensor{shape: []int{40, 5}, values: scores.values[:200]}
	rng := rand.New(rand.NewPCG(9, 10))
	var curves display.LivePlot
	training(&curves, 200)
	curves.Status("epoch 3/10 · step 1500")
	var x, y []float64
	var of []string
	var finder display.LRFinder
	for i := range 60 {
		x, y, of = append(x, rng.NormFloat64()), append(y, rng.NormFloat64()), append(of, []string{"ant", "bee", hostile}[i%3])
		at := float64(i) / 59
		finder.LR = append(finder.LR, math.Pow(10, -6+6*at))
		finder.Loss = append(finder.Loss, 2.3-1.4/(1+math.Exp(-18*(at-0.55)))+6*math.Pow(max(0, at-0.8), 1.5)*10+0.04*rng.NormFloat64())
	}
	gap := display.Plot([]float64{3, 1, 2, 1}, display.Line{Name: "a", Y: []float64{1, math.NaN(), 4, math.Inf(1)}, Dashed: true}, []float64{4, 3, 2, 1})
	gap.Title, gap.LogY = "not in order", true
	weights := tensor{shape: []int{4, 6}}
	for range 24 {
		weights.values = append(weights.values, float32(rng.NormFloat64()))
	}
	return map[string]any{
		"curves":     curves,
		"plot":       gap,
		"scatter":    display.Scatter(x, y, of),
		"histogram":  display.Histogram{Of: y, Title: "normal", X: "value", Y: "count"},
		"histograms": display.Histograms{Of: []display.Tensor{weights, weights}, Names: []string{"a", "b"}, Title: "after one epoch"},
		"bars":       display.Bars{Of: map[string]int{"ants": 123, "bees": 121, hostile: 5}, Title: "pictures"},
		"confusion":  display.Confusion{Labels: labels, Predicted: scores, Classes: classes},
		"heatmap":    display.Heatmap{Of: weights, Title: "fc.weight"},
		"matrices": display.Figure{Panels: []display.Panel{
			{Title: "a", Matrix: &display.Matrix{Values: [][]float64{{1, math.NaN()}, {0, 2}}}},
			{Title: "b", Matrix: &display.Matrix{Values: [][]float64{{1}}}}, {Title: "c", Matrix: &display.Matrix{Values: [][]float64{{3, 4}}}},
		}},
		"zeros":     display.Heatmap{Of: tensor{shape: []int{2, 2}, values: make([]float32, 4)}, Numbers: true},
		"roc":       display.ROC{Labels: labels[:40], Scores: few, Classes: classes},
		"precision": display.PrecisionRecall{Labels: labels[:40], Scores: few, Classes: classes},
		"lrfinder":  finder,
	}
}

func TestVega(t *testing.T) {
	for name, v := range specs() {
		b := display.Render(v)
		spec, ok := b.Data[vegaLite]
		if !ok {
			t.Errorf("%s has no specification: %v", name, b.Data["text/plain"])
			continue
		}
		if b.Data["image/png"] == nil {
			t.Errorf("%s has no PNG beside it, for pages that do not draw Vega-Lite", name)
		}
		raw, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.ReplaceAll(raw, []byte("},{"), []byte("},\n{")) // a difference can be read
		golden.Check(t, name+".vl.json", append(lines, '\n'))
	}
}

// A chart of very many points is a picture only: each would be an element of the page.
func TestVegaTooLarge(t *testing.T) {
	x := make([]float64, 20_000)
	if b := display.Render(display.Scatter(x, x)); b.Data[vegaLite] != nil || b.Data["image/png"] == nil {
		t.Errorf("20000 points are shown as %v, want a PNG and a text", b.Data["text/plain"])
	}
}

// grounds are those of pages: of JupyterLab and VS Code, light and dark.
var grounds = []color.NRGBA{{0xff, 0xff, 0xff, 0xff}, {0x11, 0x11, 0x11, 0xff}, {0x1e, 0x1e, 0x1e, 0xff}}

// TestContrast compares the colours of pictures, which have no ground, with those of pages. WCAG asks
// for 3 for lines; of letters, one colour can have 4.1 with white and with #1e1e1e.
func TestContrast(t *testing.T) {
	least := func(name string, c color.NRGBA, want float64) {
		for _, ground := range grounds {
			if got := shade.Contrast(c, ground); got < want {
				t.Errorf("%s has a contrast of %.2f with %v, want %.1f", name, got, ground, want)
			}
		}
	}
	least("Ink", display.Ink, 4)
	for name, c := range map[string]color.NRGBA{"Blue": display.Blue, "Orange": display.Orange, "Green": display.Green,
		"Red": display.Red, "Purple": display.Purple, "Gray": display.Gray} {
		least(name, c, 3.5)
	}
}

// TestAlternativeTexts reads what screen readers say: of each picture all of its text, and of
// the chart that takes its place the same.
func TestAlternativeTexts(t *testing.T) {
	for name, v := range specs() {
		b := display.Render(v)
		alt, _ := b.Metadata["image/png"].(map[string]any)["alt"].(string)
		if want := frame.Alt(b.Data["text/plain"].(string)); alt == "" || alt != want {
			t.Errorf("%s: the alternative text is %q, want %q", name, alt, want)
		}
		if got := b.Data[vegaLite].(map[string]any)["description"]; got != alt {
			t.Errorf("%s: the description is %q, want %q", name, got, alt)
		}
	}
}

// TestTransparent looks at the corners of every picture that is drawn: the page's ground is seen there.
func TestTransparent(t *testing.T) {
	for name, v := range specs() {
		m, err := png.Decode(bytes.NewReader(pngOf(t, v)))
		if err != nil {
			t.Fatal(err)
		}
		if _, _, _, a := m.At(0, 0).RGBA(); a != 0 {
			t.Errorf("%s has a ground of its own", name)
		}
	}
}
