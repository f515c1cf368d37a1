package display_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/display"
)

// batch, loader and shelf stand for dl.Batch, dl.DataLoader and a data set.
type batch struct{ Inputs, Labels tensor }

type loader struct {
	Dataset any
	batches []batch
	err     error
}

func (l loader) First() (batch, error) {
	if l.err != nil {
		return batch{}, l.err
	}
	return l.batches[0], nil
}

type example struct {
	Input tensor
	Label int
}

// joined names its classes by a method, as dl's parts of data sets do.
type joined struct{}

func (joined) Classes() []string { return []string{"ant", "bee"} }

type shelf struct {
	Classes  []string
	examples []example
}

func (s *shelf) Len() int                   { return len(s.examples) }
func (s *shelf) Get(i int) (example, error) { return s.examples[i], nil }

func gray(n int) tensor { return tensor{[]int{n, 1, 2, 2}, make([]float32, 4*n)} }

// shown returns the texts that f shows.
func shown(t *testing.T, f func() error) (string, error) {
	t.Helper()
	n := connect(t)
	err := f()
	var texts []string
	for _, m := range n.messages {
		texts = append(texts, m.Bundle.Data["text/plain"].(string))
	}
	return strings.Join(texts, "\n"), err
}

func TestShowBatch(t *testing.T) {
	set := &shelf{Classes: []string{"ant", hostile}, examples: []example{{tensor{[]int{1, 2, 2}, make([]float32, 4)}, 1}}}
	one := batch{gray(2), tensor{[]int{2}, []float32{1, 0}}}
	tests := []struct {
		name      string
		show      func() error
		text, err string
	}{
		{name: "names from the data set", show: func() error { return display.ShowBatch(loader{Dataset: set, batches: []batch{one}}) },
			text: "2 pictures\n" + hostile + " | ant"},
		{name: "names by a method", show: func() error { return display.ShowBatch(loader{Dataset: joined{}, batches: []batch{one}}) },
			text: "2 pictures\nbee | ant"},
		{name: "pointer and settings", show: func() error {
			return display.Show(display.Grid{Of: &loader{batches: []batch{one}}, Classes: []string{"a", "b"}, Max: 1, Title: "T"})
		}, text: "T: 2 pictures, the first 1 shown\nb"},
		{name: "examples", show: func() error { return display.ShowExamples(set) }, text: "1 picture\n" + hostile},
		{name: "no batches", show: func() error { return display.ShowExamples(&shelf{}) },
			err: "display: ShowExamples: the data set is empty"},
		{name: "broken", show: func() error { return display.ShowBatch(loader{err: errors.New("vision: a.jpg: truncated")}) },
			err: "display: ShowBatch: vision: a.jpg: truncated"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, err := shown(t, tt.show)
			if text != tt.text || fmt.Sprint(err) != fmt.Sprint(errOrNil(tt.err)) {
				t.Errorf("got  %q, %v\nwant %q, %v", text, err, tt.text, tt.err)
			}
		})
	}
	if got, want := plainText(display.Render(display.Grid{Of: one})), "2 pictures\n1 | 0"; got != want {
		t.Errorf("a batch in a grid is %q, want %q", got, want)
	}
}

func errOrNil(s string) error {
	if s == "" {
		return nil
	}
	return errors.New(s)
}

func TestWorst(t *testing.T) {
	g := display.Grid{Of: gray(4), Labels: []int{0, 0, 1, 1}, Classes: []string{"a", "b"}, Worst: true, Max: 3,
		Predicted: tensor{[]int{4, 2}, []float32{0.9, 0.1, 0.4, 0.6, 0.8, 0.2, 0.45, 0.55}}}
	want := "4 pictures, the worst 3 shown, 2 of 4 right\na 80%, not b | b 60%, not a | b 55%"
	if got := plainText(display.Render(g)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// counted is a confusion matrix of another package.
type counted struct {
	classes []string
	counts  [][]int
}

func (c counted) Matrix() ([]string, [][]int) { return c.classes, c.counts }
func (c counted) String() string              { return "nothing yet" }

func TestResults(t *testing.T) {
	labels, predicted := []int{0, 1, 2, 2, 2}, []int{0, 0, 2, 2, 1}
	classes := []string{"class 0", "class 1", "class 2"}
	// The example of sklearn.metrics.roc_auc_score and average_precision_score
	// (scikit-learn 1.7 documentation): 0.75 and 0.83.
	y, scores := []int{0, 0, 1, 1}, tensor{[]int{4}, []float32{0.1, 0.4, 0.35, 0.8}}
	three := tensor{[]int{3, 3}, []float32{2, 1, 0, 0, 3, 1, 1, 0, 5}}
	tests := []struct {
		name string
		v    any
		want string
	}{
		{"confusion", display.Confusion{Labels: labels, Predicted: predicted, Classes: classes},
			"3 of 5 right (60.0%)\nlabel \\ predicted  class 0  class 1  class 2\nclass 0                  1        0        0\nclass 1                  1        0        0\nclass 2                  0        1        2"},
		// The example of sklearn.metrics.classification_report.
		{"report", display.Report{Labels: labels, Predicted: predicted, Classes: classes},
			"class             precision  recall     F1  examples\nclass 0               0.500   1.000  0.667         1\nclass 1               0.000   0.000  0.000         1\n" +
				"class 2               1.000   0.667  0.800         3\naccuracy                             0.600         5\nmacro average         0.500   0.556  0.489         5\nweighted average      0.700   0.600  0.613         5"},
		{"unnamed classes", display.Confusion{Labels: []int{10, 9}, Predicted: []int{9, 9}},
			"1 of 2 right (50.0%)\nlabel \\ predicted  9  10\n9                  1   0\n10                 1   0"},
		{"counted elsewhere", counted{[]string{"a", "b"}, [][]int{{3, 1}, {0, 4}}}, "7 of 8 right (87.5%)\nlabel \\ predicted  a  b\na                  3  1\nb                  0  4"},
		{"nothing counted", counted{}, "nothing yet"},
		{"a name too few", counted{[]string{"a"}, [][]int{{3, 1}, {0, 4}}}, "display: display_test.counted has 1 classes, 2 rows, and 2 columns in row 0, want as many of each"},
		{"a column too few", counted{[]string{"a", "b"}, [][]int{{3, 1}, {0}}}, "display: display_test.counted has 2 classes, 2 rows, and 1 columns in row 1, want as many of each"},
		{"ROC", display.ROC{Labels: y, Scores: scores}, "ROC, area\n1: area 0.7500"},
		{"precision", display.PrecisionRecall{Labels: y, Scores: scores}, "precision and recall\n1: average precision 0.8333"},
		{"ROC of equal scores", display.ROC{Labels: y, Scores: tensor{[]int{4, 1}, []float32{1, 1, 1, 1}}, Title: "T"}, "T\n1: area 0.5000"},
		{"ROC of three", display.ROC{Labels: []int{0, 1, 2}, Scores: three, Classes: []string{"a", "b"}}, "ROC, area\na: area 1.0000\nb: area 1.0000\n2: area 1.0000"},
		{"no predictions", display.Confusion{Labels: labels}, "display: Confusion: Predicted is nil, want one class for each of 5 examples, or a tensor of scores [5 K]"},
		{"no labels", display.Report{Labels: []int{}}, "display: Report: Labels are empty, want one for each example"},
		{"one class", display.ROC{Labels: []int{1, 1}, Scores: tensor{[]int{2}, []float32{1, 2}}}, "display: ROC: all 2 examples are of one class, want examples of at least two"},
		{"names for ROC", display.ROC{Labels: []string{"a"}, Scores: tensor{[]int{1}, []float32{1}}}, "display: ROC: Labels is a []string, want whole numbers: class 0, 1, …"},
		{"no scores", display.PrecisionRecall{Labels: y}, "display: PrecisionRecall: Scores is nil, want a tensor of shape [N K]"},
		{"scores of a picture", display.ROC{Labels: y, Scores: gray(4)}, "display: ROC: Scores has shape [4 1 2 2], want [N K]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := plainText(display.Render(tt.v)); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// net is a model with two parameters.
type net struct{}

func (net) Names() []string { return []string{"0.weight", "0.bias"} }
func (net) Param(name string) tensor {
	if name == "0.bias" {
		return tensor{[]int{2}, []float32{1, float32(math.NaN())}}
	}
	return tensor{[]int{2, 3}, []float32{1, 2, 3, 4, 5, 6}}
}

// A steep fall behind an explosion is the loss coming back from it, and no rate
// to train with.
func TestSuggestBeforeExplosion(t *testing.T) {
	curve := func(loss func(i int) float64) (f display.LRFinder) {
		for i := range 100 {
			f.LR = append(f.LR, math.Pow(10, -4+float64(i)/20)) // a step is a factor of 1.12
			f.Loss = append(f.Loss, loss(i)+0.02*math.Sin(float64(7*i)))
		}
		return f
	}
	rate := func(i int) float64 { return math.Pow(10, -4+float64(i)/20) }
	for _, tt := range []struct {
		name     string
		f        display.LRFinder
		from, to float64
	}{
		{"a spike that comes back", curve(func(i int) float64 {
			switch {
			case i == 70 || i == 71: // all units die
				return 3.39
			case i > 71:
				return 2.303
			}
			return 2.3 - 0.15/(1+math.Exp(-float64(i-60)/3))
		}), rate(40), rate(65)},
		{"a minimum behind the explosion", curve(func(i int) float64 {
			switch {
			case i >= 60 && i < 75:
				return 5
			case i >= 75:
				return 1.5 // another weight than before won by chance
			}
			return 2.3 - 0.3/(1+math.Exp(-float64(i-50)/3))
		}), rate(35), rate(58)},
		{"no number", curve(func(i int) float64 {
			if i >= 60 {
				return math.NaN()
			}
			return 2.3 - 0.3/(1+math.Exp(-float64(i-45)/3))
		}), rate(35), rate(58)},
		{"only up", curve(func(i int) float64 { return 2.3 + float64(i) }), 0, 0},
	} {
		if got := tt.f.Suggest(); got < tt.from || got > tt.to {
			t.Errorf("%s: suggested %g, want %g to %g", tt.name, got, tt.from, tt.to)
		}
	}
}

func TestCharts(t *testing.T) {
	f := display.LRFinder{}
	for i := range 100 {
		f.LR = append(f.LR, math.Pow(10, -5+float64(i)/25))
		f.Loss = append(f.Loss, 2-1/(1+math.Exp(-float64(i-50)/4))) // has fallen by nine tenths at step 59, 2.3e-3
	}
	if rate := f.Suggest(); rate < 0.5e-3 || rate > 0.8e-3 { // and smoothing makes the fall longer
		t.Errorf("suggested %g, want about a quarter of 2.3e-3", rate)
	}
	r := newRun()
	r.step(2)
	tests := []struct {
		name string
		v    any
		want string
	}{
		{"figure", display.Figure{Title: "T", Panels: []display.Panel{{Title: "left"}, {Title: "right"}}}, "T\nleft\nright"},
		{"figure of curves", display.Figure{Panels: []display.Panel{{Lines: []display.Line{{Name: "a", X: []float64{0, 1}, Y: []float64{2, 1}}}}}}, "a: 2 points from 1 to 2"},
		{"bars of a map", display.Bars{Of: map[string]int{"b": 2, "a": 1}, Title: "T"}, "T\na: 1\nb: 2"},
		{"bars of a slice", display.Bars{Of: []float64{0.5, 2}, Names: []string{hostile}}, hostile + ": 0.5\n1: 2"},
		{"histogram", display.Histogram{Of: []int{1, 2, 3, 4}}, "x∈[1, 4] μ=2.5 σ=1.12, 4 values"},
		{"histograms", display.Histograms{Of: []display.Tensor{gray(1), gray(2)}, Names: []string{"a"}}, "a: x∈[0, 0] μ=0 σ=0, 4 values\n1: x∈[0, 0] μ=0 σ=0, 8 values"},
		{"heatmap", display.Heatmap{Of: tensor{[]int{1, 2}, []float32{1, -2}}}, "[1 2] x∈[-2, 1] μ=-0.5 σ=1.5\n 1 -2"},
		{"weights", display.Weights(net{}), "2 tensors, 8 values\nparameter  shape  values  mean   std  min  max  not finite\n0.weight   [2 3]       6   3.5  1.71    1    6           0\n0.bias     [2]         2     1     0    1    1           1"},
		{"weight histograms", display.WeightHistograms(net{}), "0.weight: x∈[1, 6] μ=3.5 σ=1.71, 6 values"},
		{"filters", display.Filters{Of: tensor{[]int{2, 3, 1, 1}, []float32{1, 2, 3, 4, 5, 6}}, Title: "conv"}, "conv: 2 planes of 1 × 1; values 1 to 6, each spread over its own range"},
		{"maps", display.FeatureMaps{Of: tensor{[]int{4, 1, 2}, make([]float32, 8)}, Max: 3}, "4 planes of 1 × 2; the first 3 of 4; values 0 to 0, each spread over its own range"},
		{"curves", display.Curves{Of: r, Title: "T"}, "T\ntrain/loss  2.0000"},
		{"range test", f, "learning-rate range test: the suggested learning rate is " + fmt.Sprintf("%.3g", f.Suggest())},
		{"too many bars", display.Bars{Of: make([]int, 201)}, "display: Bars: there are 201 values, want 1 to 200; for the distribution of many use display.Histogram"},
		{"bars of texts", display.Bars{Of: []string{"a"}}, "display: Bars: Of is a []string, want a tensor or a slice of numbers"},
		{"nothing", display.Histogram{}, "display: Histogram: Of is nil, want a tensor or a slice of numbers"},
		{"large heatmap", display.Heatmap{Of: tensor{[]int{600, 2}, make([]float32, 1200)}}, "display: Heatmap: the tensor has 600 rows and 2 columns, want at most 512; show a part of it, or display.Histogram"},
		{"too many numbers", display.Heatmap{Of: tensor{[]int{65, 2}, make([]float32, 130)}, Numbers: true}, "display: Heatmap: the tensor has 65 rows and 2 columns, want at most 64 for Numbers to be read; leave Numbers out, or show a part of it"},
		{"two examples", display.FeatureMaps{Of: gray(2)}, "display: FeatureMaps: the tensor has shape [2 1 2 2]: 2 examples, want one"},
		{"flat filters", display.Filters{Of: tensor{[]int{2}, []float32{1, 2}}}, "display: Filters: the tensor has shape [2], want [N C H W] or [C H W]"},
		{"short test", display.LRFinder{LR: []float64{1}}, "display: LRFinder: there are 1 rates and 0 losses, want as many of each, at least 10"},
		{"no run", display.Curves{}, "display: Curves: Of is nil, want a run"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := plainText(display.Render(tt.v)); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// inventory is a value that is best read as a table, and summed one that also
// has a text.
type inventory struct{}

func (inventory) Table() (head []string, rows [][]any) {
	return []string{"layer", "parameters"}, [][]any{{hostile, "1,234"}, {"sum", "20"}}
}
func (inventory) Note() string { return "1 & 2" }

type summed struct{ inventory }

func (summed) String() string { return "as text" }

func TestTabler(t *testing.T) {
	b := display.Render(inventory{})
	if got, want := plainText(b), "layer                         parameters\n"+hostile+"       1,234\nsum                                   20\n1 & 2"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	want := `<table><thead><tr><th style="text-align:left">layer</th><th style="text-align:right">parameters</th></tr></thead><tbody>` +
		`<tr><td style="text-align:left">&lt;img src=x onerror=alert(1)&gt;</td><td style="text-align:right">1,234</td></tr>` +
		`<tr><td style="text-align:left">sum</td><td style="text-align:right">20</td></tr></tbody></table><div>1 &amp; 2</div>`
	if got := b.Data["text/html"]; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	long := display.Render(display.Table{Rows: []any{"a.b layer1.0.bn1.num_batches", strings.Repeat("<", 26)}}).Data["text/html"].(string)
	for _, want := range []string{">a.b layer1.<wbr>0.<wbr>bn1.<wbr>num_<wbr>batches<", ">" + strings.Repeat("&lt;", 24) + "<wbr>&lt;&lt;<"} {
		if !strings.Contains(long, want) {
			t.Errorf("the table has no %s: %s", want, long)
		}
	}
	if got := plainText(display.Render(summed{})); got != "as text" {
		t.Errorf("a value with a text of its own is %q", got)
	}
	// A run by itself is its state: what Live shows above the curves.
	r := &staged{run: newRun(), epochs: [][]any{{1, 0.5}}}
	r.step(0.5)
	r.line = "step 1  loss 0.5"
	close(r.done)
	b = display.Render(r)
	if got, want := plainText(b), "step 1  loss 0.5\nepoch  loss\n    1   0.5"; got != want || !strings.HasPrefix(b.Data["text/html"].(string), `<div><progress value="1" max="4"></progress> step 1 · loss 0.5</div>`) {
		t.Errorf("a run is %q and %v, want %q and a bar", got, b.Data["text/html"], want)
	}
}

func TestTableOfEpochs(t *testing.T) {
	type result struct{ Loss, Accuracy float64 }
	type epoch struct {
		N           int
		Train, Eval result
		Took        time.Duration
	}
	got := plainText(display.Render(display.Table{Rows: []epoch{{1, result{1.5, 0.4}, result{1.25, math.NaN()}, 2362120815}}}))
	if want := "N  Train.Loss  Train.Accuracy  Eval.Loss  Eval.Accuracy  Took\n1         1.5             0.4       1.25            NaN  2.4s"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func ExampleShowBatch() {
	set := &shelf{Classes: []string{"ant", "bee"}}
	display.ShowBatch(loader{Dataset: set, batches: []batch{{gray(3), tensor{[]int{3}, []float32{0, 1, 1}}}}})
	// Output:
	// 3 pictures
	// ant | bee | bee
}

func ExampleShowExamples() {
	set := &shelf{Classes: []string{"ant", "bee"}, examples: []example{{tensor{[]int{1, 2, 2}, make([]float32, 4)}, 1}}}
	display.ShowExamples(set)
	// Output:
	// 1 picture
	// bee
}

func ExampleConfusion() {
	display.Show(display.Confusion{Labels: []int{0, 1, 1}, Predicted: []int{0, 1, 0}, Classes: []string{"ant", "bee"}})
	// Output:
	// 2 of 3 right (66.7%)
	// label \ predicted  ant  bee
	// ant                  1    0
	// bee                  1    1
}

func ExampleReport() {
	display.Show(display.Report{Labels: []int{0, 1, 1}, Predicted: []int{0, 1, 0}, Classes: []string{"ant", "bee"}})
	// Output:
	// class             precision  recall     F1  examples
	// ant                   0.500   1.000  0.667         1
	// bee                   1.000   0.500  0.667         2
	// accuracy                             0.667         3
	// macro average         0.750   0.750  0.667         3
	// weighted average      0.833   0.667  0.667         3
}

func ExampleROC() {
	display.Show(display.ROC{Labels: []int{0, 0, 1, 1}, Scores: tensor{[]int{4}, []float32{0.1, 0.4, 0.35, 0.8}}})
	// Output:
	// ROC, area
	// 1: area 0.7500
}

func ExamplePrecisionRecall() {
	display.Show(display.PrecisionRecall{Labels: []int{0, 0, 1, 1}, Scores: tensor{[]int{4}, []float32{0.1, 0.4, 0.35, 0.8}}})
	// Output:
	// precision and recall
	// 1: average precision 0.8333
}

func ExampleBars() {
	display.Show(display.Bars{Of: map[string]int{"ants": 123, "bees": 121}})
	// Output:
	// ants: 123
	// bees: 121
}

func ExampleHistogram() {
	display.Show(display.Histogram{Of: []float64{1, 2, 2, 3}})
	// Output: x∈[1, 3] μ=2 σ=0.707, 4 values
}

func ExampleHistograms() {
	display.Show(display.Histograms{Of: []display.Tensor{tensor{[]int{2}, []float32{1, 3}}}, Names: []string{"bias"}})
	// Output: bias: x∈[1, 3] μ=2 σ=1, 2 values
}

func ExampleHeatmap() {
	display.Show(display.Heatmap{Of: tensor{[]int{2, 2}, []float32{1, -1, 0, 2}}})
	// Output:
	// [2 2] x∈[-1, 2] μ=0.5 σ=1.12
	//  1 -1
	//  0  2
}

func ExampleWeights() {
	display.Show(display.Weights(net{})) // in a notebook: a model that dl.Build made
	// Output:
	// 2 tensors, 8 values
	// parameter  shape  values  mean   std  min  max  not finite
	// 0.weight   [2 3]       6   3.5  1.71    1    6           0
	// 0.bias     [2]         2     1     0    1    1           1
}

func ExampleWeightHistograms() {
	display.Show(display.WeightHistograms(net{}))
	// Output: 0.weight: x∈[1, 6] μ=3.5 σ=1.71, 6 values
}

func ExampleFilters() {
	display.Show(display.Filters{Of: tensor{[]int{8, 3, 5, 5}, make([]float32, 600)}})
	// Output: 8 planes of 5 × 5; values 0 to 0, each spread over its own range
}

func ExampleFeatureMaps() {
	display.Show(display.FeatureMaps{Of: tensor{[]int{1, 32, 4, 4}, make([]float32, 512)}})
	// Output: 32 planes of 4 × 4; values 0 to 0, each spread over its own range
}

func ExampleCurves() {
	run := newRun() // in a notebook: a run that has ended
	run.step(0.5)
	run.step(0.25)
	display.Show(display.Curves{Of: run})
	// Output: train/loss  0.2500  best 0.2500 at 1
}

func ExampleLRFinder() {
	var f display.LRFinder
	for lr := 1e-5; lr < 1; lr *= 1.2 {
		f.LR = append(f.LR, lr)
		f.Loss = append(f.Loss, 2-1/(1+math.Pow(0.01/lr, 2)))
	}
	display.Show(f)
	// Output: learning-rate range test: the suggested learning rate is 0.011
}

// aBatch, anExample and aSet are shaped as those of dl.
type aBatch struct{ Inputs, Labels tensor }
type anExample struct {
	Input tensor
	Label int
}
type aSet struct {
	Classes []string
	of      tensor
}

func (s aSet) Len() int                     { return s.of.shape[0] }
func (s aSet) Get(i int) (anExample, error) { return anExample{s.of.one(), i % 2}, nil }
func (s aSet) String() string               { return "a set" }

func (t tensor) one() tensor {
	n := len(t.values) / t.shape[0]
	return tensor{shape: t.shape[1:], values: t.values[:n]}
}

// query has a method First that is not a loader's, and must not be called to show it.
type query struct{ calls *int }

func (q query) First() (int, error) { *q.calls++; return 0, nil }
func (q query) String() string      { return "a query" }

// brokenSet panics where it is read.
type brokenSet struct{ aSet }

func (brokenSet) Get(int) (anExample, error) { panic("no data") }

// TestFaces shows values as a cell's last expression: pictures or a table, and the text of before.
func TestFaces(t *testing.T) {
	pictures := tensor{shape: []int{3, 1, 4, 4}, values: make([]float32, 48)}
	numbers := tensor{shape: []int{3, 4}, values: make([]float32, 12)}
	calls := 0
	three := tensor{shape: []int{3}, values: []float32{0, 1, 1}}
	tests := []struct {
		name, kind, text, holds string
		v                       any
	}{
		{"batch", "image/png", "aBatch{", "3 pictures", aBatch{pictures, three}},
		{"batch of rows", "", "aBatch{", "", aBatch{numbers, three}},
		{"example", "image/png", "anExample{", "1 picture", anExample{pictures.one(), 1}},
		{"data set", "image/png", "a set", "3 pictures", aSet{[]string{"ant", "bee"}, pictures}},
		{"data set of rows", "", "a set", "", aSet{nil, numbers}},
		{"empty data set", "", "a set", "", aSet{nil, tensor{shape: []int{0, 1, 4, 4}}}},
		{"a query", "", "a query", "", query{&calls}},
		{"broken data set", "", "a set", "", brokenSet{aSet{nil, pictures}}},
		{"map of numbers", "text/html", `map["a":0.5 "b":2]`, "<td style=\"text-align:right\">0.5</td>", map[string]float64{"b": 2, "a": 0.5}},
		{"map of tensors", "text/html", "map[", "<td style=\"text-align:left;white-space:nowrap\">[3 4]</td>", map[string]tensor{"fc.weight": numbers}},
		{"map of structs", "", "map[", "", map[string]point{"a": {1, 2}}},
		{"empty map", "", "map[]", "", map[string]int{}},
	}
	for _, tt := range tests {
		b := display.Render(tt.v)
		text := plainText(b)
		if !strings.HasPrefix(text, tt.text) {
			t.Errorf("%s: the text is %q, want %q first", tt.name, text, tt.text)
		}
		if tt.kind == "" {
			if len(b.Data) != 1 {
				t.Errorf("%s is shown as %d kinds, want its text only", tt.name, len(b.Data))
			}
			continue
		}
		all := text
		if html, ok := b.Data["text/html"].(string); ok {
			all += html
		}
		if b.Data[tt.kind] == nil || !strings.Contains(all, tt.holds) {
			t.Errorf("%s has no %s that says %q: %s", tt.name, tt.kind, tt.holds, all)
		}
	}
	if calls != 0 {
		t.Errorf("First of a query was called %d times", calls)
	}
}
