package display_test

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"time"

	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/internal/hooks"
)

// These examples run without a kernel, so each shows its text. In a notebook
// they show the pictures and tables of the documentation.

func ExampleShow() {
	type point struct{ X, Y float64 }
	display.Show(point{1, 2.5}, map[string]int{"b": 2, "a": 1})
	// Output:
	// point{X:1 Y:2.5}
	// map["a":1 "b":2]
}

func ExampleRender() {
	b := display.Render([]string{"a", "b"})
	fmt.Println(b.Data["text/plain"])
	// Output: ["a" "b"]
}

func ExampleSummary() {
	fmt.Println(display.Summary(tensor{shape: []int{2, 2}, values: []float32{1, 2, 3, 4}}))
	// Output: [2 2] x∈[1, 4] μ=2.5 σ=1.12
}

func ExampleImage() {
	m := image.NewGray(image.Rect(0, 0, 28, 28))
	display.Show(display.Image(m))
	// Output: picture of 28 × 28 pixels
}

func ExamplePicture() {
	normalised := tensor{shape: []int{3, 1, 2}, values: []float32{-2, 2, -2, 2, -2, 2}}
	display.Show(display.Picture{Of: normalised, Zoom: 8})
	display.Show(display.Picture{Of: normalised, Mean: []float32{0.5}, Std: []float32{0.25}, Title: "as it was"})
	// Output:
	// picture of 2 × 1 pixels; black -2, white 2
	// as it was: picture of 2 × 1 pixels
}

func ExampleGrid() {
	batch := tensor{shape: []int{3, 1, 2, 2}, values: make([]float32, 12)}
	scores := tensor{shape: []int{3, 2}, values: []float32{0.9, 0.1, 0.2, 0.8, 0.7, 0.3}}
	display.Show(display.Grid{
		Of:        batch,
		Labels:    []int{0, 1, 1},
		Predicted: scores,
		Classes:   []string{"ant", "bee"},
	})
	// Output:
	// 3 pictures, 2 of 3 right
	// ant 90% | bee 80% | ant 70%, not bee
}

func ExamplePlot() {
	x := []float64{0, 1, 2, 3}
	p := display.Plot(x, math.Sqrt, []float64{3, 2, 1, 0})
	p.Title, p.X, p.Y = "two curves", "x", "y"
	display.Show(p)
	display.Show(display.Plot(nil, map[string][]float64{"train": {2, 1}, "valid": {2, 1.5}}))
	// Output:
	// two curves
	// curve 1: 4 points from 0 to 1.7321
	// curve 2: 4 points from 0 to 3
	// train: 2 points from 1 to 2
	// valid: 2 points from 1.5 to 2
}

func ExampleScatter() {
	x, y := []float64{0, 1, 2}, []float64{1, 0, 2}
	display.Show(display.Scatter(x, y, []string{"ant", "bee", "ant"}))
	// Output:
	// ant: 2 points from 1 to 2
	// bee: 1 point from 0 to 0
}

func ExampleBar() {
	display.Show(display.Bar([]string{"ants", "bees"}, []int{123, 121}))
	// Output:
	// ants: 123
	// bees: 121
}

func ExampleHist() {
	h := display.Hist([]float64{1, 2, 2, 3})
	h.Title, h.Bins = "weights", 3
	display.Show(h)
	// Output: weights: x∈[1, 3] μ=2 σ=0.707, 4 values
}

func ExampleImshow() {
	display.Show(display.Imshow(image.NewGray(image.Rect(0, 0, 28, 28))))
	// Output: picture of 28 × 28 pixels
}

func ExampleRow() {
	display.Show(display.Row(display.Plot([]float64{3, 2, 1}), "loss falls"))
	// Output:
	// 3 points from 1 to 3
	// loss falls
}

func ExampleMovie() {
	var frames []any
	for _, v := range []float32{0, 0.5, 1} {
		frames = append(frames, display.Picture{Of: tensor{shape: []int{1, 1}, values: []float32{v}}})
	}
	display.Show(display.Movie{Frames: frames, Each: 200 * time.Millisecond})
	// Output:
	// moving picture of 3 frames
	// picture of 1 × 1 pixels
}

func ExampleWindows() {
	input := tensor{shape: []int{3, 3}, values: []float32{1, 2, 0, 0, 1, 2, 1, 2, 1}}
	largest := tensor{shape: []int{2, 2}, values: []float32{2, 2, 2, 2}}
	display.Show(display.Windows{Of: input, Result: largest, Kernel: 2, At: []int{0, 3}, Title: "the largest of each window"})
	// Output:
	// the largest of each window
	// window 0, from row 0 and column 0: 2
	// window 3, from row 1 and column 1: 2
}

func ExampleDiagram() {
	display.Show(display.Diagram{Boxes: []display.Box{
		{Name: "here", Place: "browser"},
		{Name: "there", Place: "kernel", Color: display.Blue, From: []int{0}},
	}})
	// Output:
	// here  browser
	// there  kernel
}

func ExampleColumns() {
	four := []any{1, 2, 3, 4}
	display.Show(display.Columns(2, four...))
	// Output:
	// 1
	// 2
	// 3
	// 4
}

func ExampleArrangement() {
	display.Show(display.Arrangement{Columns: 2, Of: []any{"left", "right"}})
	// Output:
	// left
	// right
}

func ExampleTable() {
	display.Show(display.Table{
		Head: []string{"optimizer", "accuracy"},
		Rows: [][]any{{"SGD", 0.612}, {"Adam", 0.6875}},
	})
	// Output:
	// optimizer  accuracy
	// SGD           0.612
	// Adam         0.6875
}

func ExampleHTML() {
	name := "<bees & ants>"
	h := display.HTML("<b>" + display.Escape(name) + "</b>")
	fmt.Println(string(h))
	display.Show(h)
	// Output:
	// <b>&lt;bees &amp; ants&gt;</b>
	// <bees & ants>
}

func ExampleEscape() {
	fmt.Println(display.Escape(`<img src=x onerror="alert(1)">`))
	// Output: &lt;img src=x onerror=&#34;alert(1)&#34;&gt;
}

func ExampleMarkdown() {
	display.Show(display.Markdown("The loss is $-\\log p_y$."))
	// Output: The loss is $-\log p_y$.
}

func ExampleLatex() {
	display.Show(display.Latex(`$\nabla_\theta L$`))
	// Output: $\nabla_\theta L$
}

func ExampleLivePlot() {
	var plot display.LivePlot
	for step := range 5 {
		plot.Add("train/loss", float64(step), 1/float64(step+1))
	}
	plot.Close() // only a program outside a notebook needs it
	// Output: train/loss  0.2000  best 0.2000 at 4
}

func ExampleLive() {
	run := newRun() // in a notebook: dl.Start(…)
	display.Live(run)
	run.step(0.5)
	run.step(0.25) // the curve follows, also when the cell has ended
	close(run.done)
}

func ExampleProgress() {
	sum := 0
	for x := range display.Progress(slices.Values([]int{1, 2, 3}), 3) {
		sum += x
	}
	fmt.Println(sum)
}

func ExampleProgressBar() {
	bar := display.ProgressBar{Title: "download", Total: 2048, Unit: "B"}
	for range 4 {
		bar.Add(512)
	}
	bar.Close()
}

// outline is a Plotter that draws boxes instead of charts.
type outline struct{}

func (outline) Plot(f display.Figure) (image.Image, error) {
	m := image.NewNRGBA(image.Rect(0, 0, 40*len(f.Panels), 30))
	m.SetNRGBA(0, 0, color.NRGBA{A: 255})
	return m, nil
}

func (outline) Sheet(s display.Sheet) (image.Image, error) {
	return image.NewNRGBA(image.Rect(0, 0, 10*len(s.Tiles), 10)), nil
}

func (outline) Diagram(d display.Diagram) (image.Image, error) {
	return image.NewNRGBA(image.Rect(0, 0, 10, 10*len(d.Boxes))), nil
}

// The program that a cell runs in says what draws.
func ExamplePlotter() {
	var p display.Plotter = outline{}
	defer hooks.Set(func(h *hooks.Hooks) { h.Plotter = p })()
	plot := display.LivePlot{Title: "by hand"}
	plot.Add("loss", 0, 2.3)
	fmt.Println(display.Render(plot).Metadata)
	// Output: map[image/png:map[alt:by hand; loss 2.3000 height:15 width:20]]
}

func ExamplePanel_LogAxes() {
	panel := display.Panel{LogX: true, LogY: true, Lines: []display.Line{{X: []float64{1, 10, 100}, Y: []float64{0, 1, 2}}}}
	x, y := panel.LogAxes()
	fmt.Println(x, y) // a 0 has no logarithm
	// Output: true false
}

// In a notebook there are controls above the result. Elsewhere it is that of the first values.
func ExampleInteract() {
	grow := func(rate float64, years int, name string, rounded bool, seed int) any {
		sum := math.Pow(1+rate, float64(years))
		if rounded {
			sum = math.Round(sum)
		}
		return fmt.Sprintf("%s: %.2f", name, sum)
	}
	controls := []display.Control{
		display.Slider{Start: 0.5}, display.Menu{Choices: []int{2, 4, 8}, Start: 1}, display.Field{Start: "a sum"},
		display.Checkbox{On: true}, display.Button{Name: "seed"},
	}
	display.Interact(display.Func{Of: grow, Names: []string{"rate", "years", "name", "rounded", "seed"}}, controls...)
	// Output:
	// rate = 0.5, years = 4, name = "a sum", rounded = true, seed = 0
	// a sum: 5.00
}
