package display_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"strings"

	"github.com/holt-dl/holt/display"
)

// What a type of one's own needs to be shown as it likes.

// recipe is shown as a list, by its method HTML.
type recipe []string

func (r recipe) HTML() string {
	var b strings.Builder
	for _, step := range r {
		b.WriteString("<li>" + display.Escape(step) + "</li>")
	}
	return "<ol>" + b.String() + "</ol>"
}

func ExampleHTMLer() {
	display.Show(recipe{"whisk < 3 eggs", "fry"})
	// Output:
	// whisk < 3 eggs
	// fry
}

type heading string

func (h heading) Markdown() string { return "# " + string(h) }

func ExampleMarkdowner() {
	display.Show(heading("Otters"))
	// Output: # Otters
}

// dot draws itself.
type dot struct{}

func (dot) PNG() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		panic(err)
	}
	return b.Bytes()
}
func (dot) String() string { return "a black dot" }

func ExamplePNGer() {
	display.Show(dot{})
	fmt.Println(display.Render(dot{}).Metadata)
	// Output:
	// a black dot
	// map[image/png:map[alt:a black dot]]
}

// place says all that it can be shown as.
type place struct{ Lat, Lon float64 }

func (p place) Bundle() map[string]any {
	return map[string]any{
		"application/geo+json": map[string]any{"type": "Point", "coordinates": []float64{p.Lon, p.Lat}},
		"text/plain":           fmt.Sprintf("%.1f° N %.1f° E", p.Lat, p.Lon),
	}
}

func ExampleBundler() {
	display.Show(place{54.1, 10.3})
	// Output: 54.1° N 10.3° E
}

// stock is best read as a table.
type stock map[string]int

func (s stock) Table() (head []string, rows [][]any) {
	for _, name := range []string{"eggs", "milk"} {
		rows = append(rows, []any{name, s[name]})
	}
	return []string{"what", "how many"}, rows
}

func ExampleTabler() {
	display.Show(stock{"eggs": 12, "milk": 1})
	// Output:
	// what  how many
	// eggs        12
	// milk         1
}

// votes are counted elsewhere: which animals were taken for which.
type votes map[[2]string]int

func (v votes) Matrix() (classes []string, counts [][]int) {
	return []string{"ant", "bee"}, [][]int{
		{v[[2]string{"ant", "ant"}], v[[2]string{"ant", "bee"}]},
		{v[[2]string{"bee", "ant"}], v[[2]string{"bee", "bee"}]},
	}
}

func ExampleConfusionMatrix() {
	display.Show(votes{{"ant", "ant"}: 3, {"ant", "bee"}: 1, {"bee", "bee"}: 4})
	// Output:
	// 7 of 8 right (87.5%)
	// label \ predicted  ant  bee
	// ant                  3    1
	// bee                  0    4
}

func ExampleTensor() {
	var t display.Tensor = tensor{shape: []int{1, 3}, values: []float32{1, 2, 4}}
	display.Show(t)
	// Output:
	// [1 3] x∈[1, 4] μ=2.33 σ=1.25
	// 1 2 4
}

func ExampleParameters() {
	var model display.Parameters[tensor] = net{}
	display.Show(display.Histogram{Of: model.Param("0.weight")})
	// Output: x∈[1, 6] μ=3.5 σ=1.71, 6 values
}

func ExampleLoader() {
	var l display.Loader[batch] = loader{batches: []batch{{gray(2), tensor{[]int{2}, []float32{4, 7}}}}}
	display.ShowBatch(l)
	// Output:
	// 2 pictures
	// 4 | 7
}

func ExampleExamples() {
	var data display.Examples[example] = &shelf{examples: []example{{tensor{[]int{1, 2, 2}, make([]float32, 4)}, 3}}}
	display.ShowExamples(data)
	// Output:
	// 1 picture
	// 3
}

func ExampleGrapher() {
	var model display.Grapher[graphNode] = residual{}
	n := display.Graph(model)
	n.Title = "a way around"
	fmt.Println(len(n.Nodes), "nodes")
	// Output: 7 nodes
}

func ExampleRun() {
	r := newRun()
	r.step(0.5)
	close(r.done) // one that goes on says the time of day
	var any display.Run = r
	display.Show(any)
	// Output: step 1
}

func ExampleLatest() {
	r := &staged{run: newRun(), open: 0.25}
	r.step(0.5)
	var now display.Latest = r
	fmt.Println(now.Latest("train/loss"))
	// Output: 1 0.25 true
}

func ExampleStepper() {
	r := &staged{run: newRun()}
	r.step(0.5)
	close(r.done)
	var far display.Stepper = r
	fmt.Println(far.Steps())
	fmt.Println(display.Render(r).Data["text/html"])
	// Output:
	// 1 4
	// <div><progress value="1" max="4"></progress> step 1</div>
}

func ExampleGauge() {
	r := &staged{run: newRun(), used: 3 << 30}
	close(r.done)
	var memory display.Gauge = r
	fmt.Println(memory.Memory())
	display.Show(r)
	// Output:
	// 3221225472 17179869184
	// starting  memory 3.0 of 16.0 GiB
}

func ExampleSteerer() {
	r := &steered{run: newRun(), lr: 0.1} // in a notebook: dl.Start(…)
	var run display.Steerer = r
	run.Pause() // as the page's buttons do
	run.SetLR(0.01)
	fmt.Println(run.Paused(), run.LR())
	run.Resume()
	run.Stop()
	display.Show(r)
	// Output: true 0.01
	// pause lr resume stop
}

func ExampleReplay() {
	r := newRun() // in a notebook: board.Read("runs/cifar")
	r.step(0.5)
	r.step(0.25)
	display.Replay(r)
	// Output:
	// step 2
	// train/loss  0.2500  best 0.2500 at 1
}

func ExampleClear() {
	for i := range 3 {
		display.Clear(true) // in a notebook, only the last number stays
		fmt.Println(i)
	}
	// Output:
	// 0
	// 1
	// 2
}

func ExampleLivePlot_Add() {
	var plot display.LivePlot
	plot.Add("train/loss", 0, 2)
	plot.Add("eval/loss", 0, 2.5)
	display.Show(plot)
	// Output:
	// train/loss  2.0000
	// eval/loss   2.5000
}

func ExampleLivePlot_Status() {
	var plot display.LivePlot
	plot.Status("epoch 1 of 3")
	plot.Add("loss", 0, 2)
	display.Show(plot)
	// Output:
	// epoch 1 of 3
	// loss  2.0000
}

func ExampleLivePlot_Close() {
	var plot display.LivePlot
	plot.Add("loss", 0, 2)
	plot.Add("loss", 1, 1)
	plot.Close()
	// Output: loss  1.0000  best 1.0000 at 1
}

func ExampleProgressBar_Add() {
	bar := display.ProgressBar{Title: "pictures"} // how many is not known
	bar.Add(2)
	bar.Add(3)
}

func ExampleProgressBar_Close() {
	bar := display.ProgressBar{Total: 10}
	defer bar.Close() // work that is left early is shown as stopped
	bar.Add(3)
}

func ExampleLRFinder_Suggest() {
	var f display.LRFinder
	for lr := 1e-5; lr < 1; lr *= 1.2 {
		f.LR = append(f.LR, lr)
		f.Loss = append(f.Loss, 2-1/(1+0.01/lr))
	}
	fmt.Printf("%.3f\n", f.Suggest())
	// Output: 0.023
}
