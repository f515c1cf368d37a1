package plot_test

import (
	"encoding/base64"
	"fmt"
	"image"
	"image/gif"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	gonum "gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/display/plot"
	"github.com/holt-dl/holt/internal/golden"
)

// rounding is the tolerance of pictures with curves and letters: processors
// that fuse multiplications and additions move an edge by a few parts of 255.
const rounding = 6

// tensor is the smallest thing that display takes for a tensor.
type tensor struct {
	shape  []int
	values []float32
}

func (t tensor) Shape() []int        { return t.shape }
func (t tensor) Float32s() []float32 { return t.values }

// pngOf is the PNG of a value as a notebook gets it, checked for its size.
func pngOf(t *testing.T, v any) []byte {
	t.Helper()
	b := display.Render(v)
	s, ok := b.Data["image/png"].(string)
	if !ok {
		t.Fatalf("no picture: %v", b.Data["text/plain"])
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, shown at %v", len(raw), b.Metadata["image/png"])
	return raw
}

// shapes are n made-up pictures of size 3 × side × side in [0, 1]: a disc, a
// square and a cross in turn.
func shapes(n, side int) tensor {
	t := tensor{shape: []int{n, 3, side, side}}
	for i := range n {
		rng := rand.New(rand.NewPCG(1, uint64(i)))
		ink := [3]float64{rng.Float64(), rng.Float64(), rng.Float64()}
		for c := range 3 {
			for y := range side {
				for x := range side {
					u, v := 2*float64(x)/float64(side-1)-1, 2*float64(y)/float64(side-1)-1
					in := []bool{u*u+v*v < 0.5, math.Abs(u) < 0.6 && math.Abs(v) < 0.6, math.Abs(u) < 0.2 || math.Abs(v) < 0.2}[i%3]
					value := 0.9 - 0.2*v*rng.Float64()
					if in {
						value = ink[c]*0.8 + 0.1*v
					}
					t.values = append(t.values, float32(max(0, min(1, value))))
				}
			}
		}
	}
	return t
}

var names = []string{"disc", "square", "cross"}

// training adds the curves of a made-up run of so many steps to p.
func training(p *display.LivePlot, steps int) {
	rng := rand.New(rand.NewPCG(3, 4))
	for step := range steps {
		x := float64(step)
		loss := 0.35 + 1.9*math.Exp(-x/300) + 0.18*rng.NormFloat64()*math.Exp(-x/1500)
		p.Add("train/loss", x, max(0.02, loss))
		if step%100 == 99 {
			p.Add("eval/loss", x, 0.5+1.8*math.Exp(-x/320))
			p.Add("train/accuracy", x, 0.9-0.75*math.Exp(-x/350))
			p.Add("eval/accuracy", x, 0.82-0.7*math.Exp(-x/330))
		}
	}
}

func TestLivePlot(t *testing.T) {
	var p display.LivePlot
	training(&p, 1500)
	p.Status("epoch 3/10 · step 1500 · 118 pictures/s · 2m10s left")
	raw := pngOf(t, p)
	golden.CheckPNG(t, "liveplot", raw, rounding)
	if len(raw) > 60_000 {
		t.Errorf("the picture has %d bytes, want at most 60000: it is sent once a second", len(raw))
	}
}

func TestLivePlotFirstPoints(t *testing.T) {
	var p display.LivePlot
	p.Add("loss", 0, 2.31)
	golden.CheckPNG(t, "liveplot-one", pngOf(t, p), rounding)
}

func TestLivePlotThreePanels(t *testing.T) {
	p := display.LivePlot{Title: "five optimizers <b>&amp;</b>", LogY: true}
	training(&p, 400)
	for step := range 400 {
		p.Add("lr", float64(step), 0.1*math.Pow(0.5, float64(step/100)))
	}
	p.Add("train/loss", 400, math.NaN())
	golden.CheckPNG(t, "liveplot-three", pngOf(t, p), rounding)
}

// A logarithmic axis for values that are not all above 0 is a linear one, and
// says so.
func TestNoLogarithm(t *testing.T) {
	p := display.LivePlot{LogY: true}
	for step := range 5 {
		p.Add("gap", float64(step), float64(2-step))
	}
	golden.CheckPNG(t, "liveplot-linear", pngOf(t, p), rounding)
}

func TestGrid(t *testing.T) {
	of := shapes(12, 32)
	labels := make([]int, 12)
	for i := range labels {
		labels[i] = i % 3
	}
	scores := tensor{shape: []int{12, 3}}
	for i := range 12 {
		row := []float32{0.05, 0.05, 0.05}
		row[i*i%5%3] = 0.9
		scores.values = append(scores.values, row...)
	}
	golden.CheckPNG(t, "grid", pngOf(t, display.Grid{Of: of, Labels: labels, Classes: names}), rounding)
	golden.CheckPNG(t, "grid-predicted", pngOf(t, display.Grid{
		Of: of, Labels: labels, Predicted: scores, Classes: names, Title: "Shapes of the test set",
	}), rounding)
	hostile := []string{`<img src=x onerror=alert(1)>`, "ein sehr langer Klassenname, der nicht passt", "Фок & 'cat'"}
	golden.CheckPNG(t, "grid-hostile", pngOf(t, display.Grid{Of: of, Labels: labels, Classes: hostile, Max: 3}), rounding)
}

func TestPicture(t *testing.T) {
	one := shapes(1, 32)
	golden.CheckPNG(t, "picture", pngOf(t, display.Image(one)), 0)
	normalised := tensor{shape: []int{3, 32, 32}}
	for _, v := range one.values {
		normalised.values = append(normalised.values, (v-0.5)/0.25)
	}
	golden.CheckPNG(t, "picture-range", pngOf(t, display.Picture{Of: normalised, Title: "as the network sees it"}), rounding)
}

func TestGonumPlot(t *testing.T) {
	p := gonum.New()
	p.Title.Text = "a plot of gonum's own"
	line, err := plotter.NewLine(plotter.XYs{{X: 0, Y: 1}, {X: 1, Y: 3}, {X: 2, Y: 2}})
	if err != nil {
		t.Fatal(err)
	}
	p.Add(line)
	golden.CheckPNG(t, "gonum", pngOf(t, p), rounding)
}

// TestDecoders opens a file of a format that display alone does not know.
func TestDecoders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.gif")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := gif.Encode(f, image.NewGray(image.Rect(0, 0, 3, 2)), nil); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := display.Render(display.Image(path)).Data["text/plain"], "picture of 3 × 2 pixels, "+path; got != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// TestSameBytes draws everything twice, by several goroutines at once.
func TestSameBytes(t *testing.T) {
	var p display.LivePlot
	training(&p, 300)
	g := display.Grid{Of: shapes(3, 16), Labels: []int{0, 1, 2}, Classes: names}
	want := fmt.Sprint(display.Render(p), display.Render(g))
	results := make(chan string)
	for range 4 {
		go func() { results <- fmt.Sprint(display.Render(p), display.Render(g)) }()
	}
	for range 4 {
		if got := <-results; got != want {
			t.Error("the same value gave other bytes")
		}
	}
}

func TestErrors(t *testing.T) {
	big := image.NewNRGBA(image.Rect(0, 0, 40000, 2))
	tests := []struct {
		name string
		draw func() (image.Image, error)
		err  string
	}{
		{"no panels", func() (image.Image, error) { return plot.Gonum{}.Plot(display.Figure{}) },
			"plot: the figure has no panels, want at least one"},
		{"too wide", func() (image.Image, error) {
			return plot.Gonum{}.Sheet(display.Sheet{Tiles: []display.Tile{{Picture: big}}})
		}, "plot: the picture would be 20020 × 21 pixels, want 1 to 16384 each way"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tt.draw(); err == nil || err.Error() != tt.err {
				t.Errorf("got %v\nwant %s", err, tt.err)
			}
		})
	}
}

func BenchmarkLivePlot(b *testing.B) {
	var p display.LivePlot
	training(&p, 1500)
	for b.Loop() {
		display.Render(p)
	}
}

// judged is 200 made-up examples of five classes with scores that are mostly
// right.
func judged() (labels []int, scores tensor, classes []string) {
	classes = []string{"ant", "bee", "cat", "dog", `<b>eel</b>`}
	rng := rand.New(rand.NewPCG(5, 6))
	scores.shape = []int{200, 5}
	for i := range 200 {
		label := i % 5
		labels = append(labels, label)
		for k := range 5 {
			s := rng.NormFloat64()
			if k == label {
				s += 1.2 + 0.4*float64(k)
			}
			scores.values = append(scores.values, float32(s))
		}
	}
	return labels, scores, classes
}

func TestResults(t *testing.T) {
	labels, scores, classes := judged()
	golden.CheckPNG(t, "confusion", pngOf(t, display.Confusion{Labels: labels, Predicted: scores, Classes: classes}), rounding)
	golden.CheckPNG(t, "roc", pngOf(t, display.ROC{Labels: labels, Scores: scores, Classes: classes}), rounding)
	two := tensor{shape: []int{4}, values: []float32{0.1, 0.4, 0.35, 0.8}}
	golden.CheckPNG(t, "precision-recall", pngOf(t, display.PrecisionRecall{Labels: []int{0, 0, 1, 1}, Scores: two}), rounding)
}

func TestCharts(t *testing.T) {
	golden.CheckPNG(t, "bars", pngOf(t, display.Bars{Title: "pictures of a class", Of: map[string]int{"airplane": 5000, "automobile": 4100, "bird": 300, "cat": 2500, "deer": 5000, hostile: 1234}}), rounding)
	rng := rand.New(rand.NewPCG(7, 8))
	weights := tensor{shape: []int{8, 3, 5, 5}}
	for range 600 {
		weights.values = append(weights.values, float32(0.1*rng.NormFloat64()))
	}
	golden.CheckPNG(t, "histogram", pngOf(t, display.Histogram{Of: weights, Title: "features.0.weight"}), rounding)
	golden.CheckPNG(t, "histograms", pngOf(t, display.Histograms{Of: []display.Tensor{weights, weights, weights, weights}, Names: []string{"features.0.weight", "features.3.weight", "features.6.weight", "classifier.weight"}, Title: "after one epoch"}), rounding)
	golden.CheckPNG(t, "heatmap", pngOf(t, display.Heatmap{Of: tensor{shape: []int{6, 10}, values: weights.values[:60]}, Title: "classifier.weight"}), rounding)
	golden.CheckPNG(t, "heatmap-numbers", pngOf(t, display.Heatmap{Of: tensor{shape: []int{2, 3}, values: []float32{1, -2, 0.5, 0, 0.25, -1}}, Numbers: true, Rows: []string{"a", "b"}, Columns: []string{"x", "y", "z"}}), rounding)
	wide := tensor{shape: []int{2, 4}, values: []float32{-0.0123, 123456, -1.25e-7, float32(math.NaN()), 5, -98765, 1, 0}}
	golden.CheckPNG(t, "heatmap-wide", pngOf(t, display.Heatmap{Of: wide, Numbers: true}), rounding)
	numbers := tensor{shape: []int{1, 1, 3, 3}, values: []float32{1, 2, 0, 0, 1, 2, 1, 2, 1}}
	sums := tensor{shape: []int{3, 3}, values: []float32{4, 8, 4, 7, 10, 8, 4, 7, 6}}
	golden.CheckPNG(t, "windows", pngOf(t, display.Windows{Of: numbers, Result: sums, Kernel: 3, Padding: 1, Title: "sums"}), rounding)
	golden.CheckPNG(t, "windows-moving", pngOf(t, display.Windows{Of: numbers, Result: sums, Kernel: 3, Padding: 1, Moving: true}), rounding)
	golden.CheckPNG(t, "tensor-matrix", pngOf(t, tensor{shape: []int{15, 40}, values: weights.values}), rounding)
	golden.CheckPNG(t, "tensor-zeros", pngOf(t, tensor{shape: []int{10, 20}, values: make([]float32, 200)}), rounding)
	golden.CheckPNG(t, "tensor-row", pngOf(t, tensor{shape: []int{200}, values: weights.values[:200]}), rounding)
	golden.CheckPNG(t, "filters", pngOf(t, display.Filters{Of: weights, Title: "features.0.weight"}), rounding)
	golden.CheckPNG(t, "maps", pngOf(t, display.FeatureMaps{Of: tensor{shape: []int{1, 24, 5, 5}, values: weights.values}}), rounding)
	var f display.LRFinder
	for i := range 120 {
		x := float64(i) / 119
		f.LR = append(f.LR, math.Pow(10, -6+6*x))
		f.Loss = append(f.Loss, 2.3-1.4/(1+math.Exp(-18*(x-0.55)))+6*math.Pow(max(0, x-0.8), 1.5)*10+0.04*rng.NormFloat64())
	}
	golden.CheckPNG(t, "lrfinder", pngOf(t, f), rounding)
}

const hostile = `<img src=x onerror=alert(1)>`
