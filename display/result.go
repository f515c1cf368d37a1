package display

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/holt-dl/holt/internal/classify"
	"github.com/holt-dl/holt/internal/frame"
)

// Confusion is the confusion matrix of a classifier: how many examples of each
// class (rows) were taken for each class (columns), and in colour the share of
// the row.
type Confusion struct {
	Labels    any      // as in [Grid]
	Predicted any      // as in [Grid]
	Classes   []string // as in [Grid]
	Title     string
}

func (c Confusion) bundle() (frame.Bundle, error) {
	j, err := judge(c.Labels, c.Predicted, c.Classes)
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Confusion: %w", err)
	}
	return confusionBundle(c.Title, j.names, j.counts())
}

// ConfusionMatrix is a confusion matrix that was counted elsewhere, such as Holt's
// dl.Confusion: the names of the classes, and how many examples of each (rows) were taken
// for each (columns). It is shown as [Confusion] is.
type ConfusionMatrix interface {
	Matrix() (classes []string, counts [][]int)
}

// countedBundle draws a matrix that was counted elsewhere. One of nothing has its text alone.
func countedBundle(v ConfusionMatrix) (frame.Bundle, error) {
	classes, counts := v.Matrix()
	for i, row := range counts {
		if len(row) != len(counts) || len(classes) != len(counts) {
			return frame.Bundle{}, fmt.Errorf("display: %T has %d classes, %d rows, and %d columns in row %d, want as many of each", v, len(classes), len(counts), len(row), i)
		}
	}
	if len(counts) == 0 {
		return frame.Text(text(v)), nil
	}
	names := make([]string, len(classes))
	for i, name := range classes {
		names[i] = oneLine(name, 80)
	}
	return confusionBundle("", names, counts)
}

// confusionBundle draws a confusion matrix under a title, which may be empty.
func confusionBundle(title string, names []string, counts classify.Counts) (frame.Bundle, error) {
	shares := make([][]float64, len(counts))
	texts := make([][]string, len(counts))
	for i, row := range counts {
		shares[i], texts[i] = make([]float64, len(row)), make([]string, len(row))
		there := counts.Class(i).There
		for k, n := range row {
			shares[i][k], _ = classify.Share(n, there)
			if n > 0 {
				texts[i][k] = fmt.Sprint(n)
			}
		}
	}
	right, n := counts.Right()
	score := fmt.Sprintf("%d of %d right (%.1f%%)", right, n, 100*counts.Accuracy())
	if title != "" {
		score = title + " · " + score
	}
	matrix := &Matrix{Rows: names, Columns: names, Values: shares, Text: texts, What: "share of the row", High: 1}
	if len(names) > 25 { // the numbers could not be read
		matrix.Text = nil
	}
	text := score + "\n" + matrixText(names, counts)
	return figureBundle("Confusion", Figure{Panels: []Panel{{Title: score, X: "predicted", Y: "label", Matrix: matrix}}}, text)
}

// matrixText writes counts under the names of their columns.
func matrixText(names []string, counts [][]int) string {
	rows := [][]any{}
	head := []string{"label \\ predicted"}
	for i, row := range counts {
		line := []any{names[i]}
		for _, n := range row {
			line = append(line, n)
		}
		rows, head = append(rows, line), append(head, names[i])
	}
	b, err := Table{Rows: rows, Head: head, Max: 200}.bundle()
	if err != nil {
		return err.Error()
	}
	return b.Data["text/plain"].(string)
}

// Report is a table of precision, recall and F1 for each class, as
// scikit-learn's classification_report computes them: precision is the share
// of a class's predictions that are right, recall the share of its examples
// that are found, and F1 their harmonic mean. A share of nothing is left empty, and
// counts as 0 in the averages: the macro one is over the classes that occur, the
// weighted one over their examples.
type Report struct {
	Labels    any      // as in [Grid]
	Predicted any      // as in [Grid]
	Classes   []string // as in [Grid]
	Title     string
}

func (r Report) bundle() (frame.Bundle, error) {
	j, err := judge(r.Labels, r.Predicted, r.Classes)
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Report: %w", err)
	}
	counts := j.counts()
	rows := [][]any{}
	values := []func(classify.Class) (float64, bool){classify.Class.Precision, classify.Class.Recall, classify.Class.F1}
	_, n := counts.Right()
	macro, weighted := []any{"macro average"}, []any{"weighted average"}
	for _, value := range values {
		macro = append(macro, fixed3(counts.Mean(value, false)))
		weighted = append(weighted, fixed3(counts.Mean(value, true)))
	}
	for i, name := range j.names {
		row := []any{name}
		for _, value := range values {
			if share, ok := value(counts.Class(i)); ok {
				row = append(row, fixed3(share))
			} else {
				row = append(row, nil)
			}
		}
		rows = append(rows, append(row, counts.Class(i).There))
	}
	rows = append(rows, []any{"accuracy", nil, nil, fixed3(counts.Accuracy()), n}, append(macro, n), append(weighted, n))
	return Table{Title: r.Title, Head: []string{"class", "precision", "recall", "F1", "examples"}, Rows: rows, Max: len(rows)}.bundle()
}

// judgement is labels beside predictions, as positions in names.
type judgement struct {
	names             []string
	labels, predicted []int
}

func judge(labels, predicted any, classes []string) (judgement, error) {
	n := count(labels)
	want, err := classesOf("Labels", labels, n, classes)
	if err != nil {
		return judgement{}, err
	}
	if len(want) == 0 {
		return judgement{}, fmt.Errorf("Labels are empty, want one for each example")
	}
	got, err := classesOf("Predicted", predicted, n, classes)
	if err != nil {
		return judgement{}, err
	}
	if got == nil {
		return judgement{}, fmt.Errorf("Predicted is nil, want one class for each of %d examples, or a tensor of scores [%d K]", n, n)
	}
	j := judgement{}
	for _, name := range classes {
		j.names = append(j.names, oneLine(name, 80))
	}
	// Classes without a name come after the others: numbers in order.
	var rest []class
	for _, c := range append(slices.Clone(want), got...) {
		if !slices.Contains(j.names, c.name) && !slices.ContainsFunc(rest, func(r class) bool { return r.name == c.name }) {
			rest = append(rest, c)
		}
	}
	slices.SortStableFunc(rest, func(a, b class) int { return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.name, b.name)) })
	for _, c := range rest {
		j.names = append(j.names, c.name)
	}
	place := make(map[string]int, len(j.names))
	for i, name := range slices.Backward(j.names) {
		place[name] = i
	}
	for i := range want {
		j.labels = append(j.labels, place[want[i].name])
		j.predicted = append(j.predicted, place[got[i].name])
	}
	return j, nil
}

func (j judgement) counts() classify.Counts {
	counts := classify.New(len(j.names))
	for i := range j.labels {
		counts[j.labels[i]][j.predicted[i]]++
	}
	return counts
}

// ROC is the receiver operating characteristic of a classifier, one curve for
// each class against the others: the share of the class that is found, over
// the share of the others taken for it, as the least score that counts as the
// class falls. The legend gives the area below each curve.
type ROC struct {
	Labels  any      // whole numbers: class 0, 1, …
	Scores  Tensor   // [N K] for K classes, or [N] or [N 1] for class 1 of two
	Classes []string // their names; empty shows numbers
	Title   string
}

// PrecisionRecall is the share of what a classifier takes for a class that is
// right, over the share of the class that is found; the legend gives the
// average precision. Its fields are those of [ROC].
type PrecisionRecall struct {
	Labels  any
	Scores  Tensor
	Classes []string
	Title   string
}

func (r ROC) bundle() (frame.Bundle, error) {
	return threshold("ROC", r, Panel{Title: cmp.Or(r.Title, "ROC, area"), X: "false positive rate", Y: "true positive rate",
		Lines: []Line{{X: []float64{0, 1}, Y: []float64{0, 1}, Color: Gray, Dashed: true}}}, "area", rocCurve)
}

func (r PrecisionRecall) bundle() (frame.Bundle, error) {
	return threshold("PrecisionRecall", ROC(r), Panel{Title: cmp.Or(r.Title, "precision and recall"), X: "recall", Y: "precision"}, "average precision", precisionCurve)
}

// threshold draws a curve for each class.
func threshold(name string, r ROC, p Panel, what string, of func([]ranked) (x, y []float64, area float64)) (frame.Bundle, error) {
	classes, err := r.split()
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: %s: %w", name, err)
	}
	p.Square, p.XRange, p.Range = true, [2]float64{0, 1}, [2]float64{0, 1.02}
	text := p.Title
	type line struct {
		Line
		area float64
	}
	var lines []line
	for _, c := range classes {
		x, y, area := of(c.ranked)
		paint := palette[len(lines)%len(palette)]
		lines = append(lines, line{Line{Name: fmt.Sprintf("%s %.3f", c.name, area), X: x, Y: y, Color: paint}, area})
		text += fmt.Sprintf("\n%s: %s %.4f", c.name, what, area)
	}
	f := Figure{Panels: []Panel{p}}
	if len(lines) > 3 { // more do not fit into a legend: the three worst are what a person looks for
		slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.area, b.area) })
		for i := range lines {
			lines[i].Color = palette[min(i, 2)]
			if i >= 3 {
				lines[i].Name, lines[i].Faint, lines[i].Color = "", true, Gray
			}
		}
		f.Width, f.Height = 440, 440
		f.Panels[0].Title += fmt.Sprintf(" · lowest 3 of %d", len(lines))
	}
	for _, l := range slices.Backward(lines) {
		f.Panels[0].Lines = append(f.Panels[0].Lines, thin(l.Line, maxPoints))
	}
	return figureBundle(name, f, text)
}

// ranked is one example: its score for a class and whether it is of it.
type ranked struct {
	score float32
	in    bool
}

type scored struct {
	name   string
	ranked []ranked // highest score first
}

// split looks at each class against the others, but at one of two only once.
func (r ROC) split() ([]scored, error) {
	if r.Scores == nil || isNil(r.Scores) {
		return nil, fmt.Errorf("Scores is nil, want a tensor of shape [N K]")
	}
	shape, scores := r.Scores.Shape(), r.Scores.Float32s()
	k := 1
	if len(shape) == 2 {
		k = shape[1]
	}
	if len(shape) < 1 || len(shape) > 2 || k < 1 || len(scores) != shape[0]*k || shape[0] == 0 {
		return nil, fmt.Errorf("Scores has shape %v, want [N K]", shape)
	}
	labels, err := classesOf("Labels", r.Labels, shape[0], nil)
	if err != nil {
		return nil, err
	}
	if labels == nil || labels[0].index < 0 {
		return nil, fmt.Errorf("Labels is a %s, want whole numbers: class 0, 1, …", kindName(r.Labels))
	}
	first := 0
	if k == 2 {
		first = 1
	}
	var out []scored
	for c := first; c < k; c++ {
		class := c
		if k == 1 {
			class = 1
		}
		s := scored{name: fmt.Sprint(class)}
		if class < len(r.Classes) {
			s.name = r.Classes[class]
		}
		in := 0
		for i, l := range labels {
			s.ranked = append(s.ranked, ranked{scores[i*k+c], l.index == class})
			if l.index == class {
				in++
			}
		}
		if in == 0 || in == len(labels) {
			continue // no curve without examples on both sides
		}
		slices.SortStableFunc(s.ranked, func(a, b ranked) int { return cmp.Compare(b.score, a.score) })
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("all %d examples are of one class, want examples of at least two", len(labels))
	}
	return out, nil
}

// rocCurve steps through the scores; examples of equal score come together.
// The area is by the trapezoidal rule (Fawcett, 2006, algorithms 1 and 2).
func rocCurve(examples []ranked) (x, y []float64, area float64) {
	in, out := sides(examples)
	x, y = []float64{0}, []float64{0}
	hit, miss := 0, 0
	for i, e := range examples {
		if e.in {
			hit++
		} else {
			miss++
		}
		if i+1 < len(examples) && examples[i+1].score == e.score {
			continue
		}
		x, y = append(x, float64(miss)/float64(out)), append(y, float64(hit)/float64(in))
		n := len(x) - 1
		area += (x[n] - x[n-1]) * (y[n] + y[n-1]) / 2
	}
	return x, y, area
}

// precisionCurve steps through the scores. The average precision is the sum of
// precisions weighted by the increase of recall, without interpolation, as
// scikit-learn's average_precision_score.
func precisionCurve(examples []ranked) (x, y []float64, area float64) {
	in, _ := sides(examples)
	x, y = []float64{0}, []float64{1}
	hit, before := 0, 0.0
	for i, e := range examples {
		if e.in {
			hit++
		}
		if i+1 < len(examples) && examples[i+1].score == e.score {
			continue
		}
		recall, precision := float64(hit)/float64(in), float64(hit)/float64(i+1)
		x, y = append(x, recall), append(y, precision)
		area += (recall - before) * precision
		before = recall
	}
	return x, y, area
}

func sides(examples []ranked) (in, out int) {
	for _, e := range examples {
		if e.in {
			in++
		}
	}
	return in, len(examples) - in
}
