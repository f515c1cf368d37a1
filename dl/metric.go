package dl

import (
	"fmt"
	"slices"

	"github.com/holt-dl/holt/internal/classify"
)

// Metric is a number that [Evaluate] finds beside the loss: [TopK],
// [Precision], [Recall], [F1], [ConfusionMatrix], or a type of your own.
type Metric interface {
	Name() string // in [Result.Metrics] and the curves, such as "top-5 accuracy"
	Start() Meter // counts from nothing
}

// Meter counts a [Metric] over the examples of a data set.
type Meter interface {
	// Add counts some examples: the model's output, such as the scores
	// [N classes], and the labels, such as [N]. Only examples that count are
	// there, also of a last batch that was filled up.
	Add(output, labels *Tensor) error
	// Value returns the metric over all that was added.
	Value() float64
}

// Score returns a metric of a model's output for the labels:
//
//	dl.Score(dl.F1{}, model.Predict(batch.Inputs), batch.Labels)
func Score(m Metric, output, labels *Tensor) (float64, error) {
	meter := m.Start()
	if err := meter.Add(output, labels); err != nil {
		return 0, during("Score: "+m.Name(), err)
	}
	return meter.Value(), nil
}

// MetricValue is a metric of a [Result].
type MetricValue struct {
	Name  string
	Value float64
}

// TopK is the share of examples whose class is among the K highest scores. Of
// equal scores the lower class counts as higher.
type TopK struct {
	K int // 0 means 5
}

func (t TopK) k() int {
	if t.K == 0 {
		return 5
	}
	return t.K
}

// Name returns "top-5 accuracy".
func (t TopK) Name() string { return fmt.Sprintf("top-%d accuracy", t.k()) }

// Start returns a meter that has counted nothing.
func (t TopK) Start() Meter { return &topK{k: t.k()} }

type topK struct{ k, hits, n int }

func (t *topK) Add(output, labels *Tensor) error {
	scores, wanted, classes, err := classified(output, labels)
	if err != nil {
		return err
	}
	if t.k < 1 || t.k > classes {
		return fmt.Errorf("K is %d, want 1 to %d, the number of classes", t.k, classes)
	}
	for i, label := range wanted {
		row := scores[i*classes : (i+1)*classes]
		higher := 0
		for c, v := range row {
			if v > row[label] || v == row[label] && c < int(label) || v != v {
				higher++
			}
		}
		if higher < t.k && row[label] == row[label] {
			t.hits++
		}
		t.n++
	}
	return nil
}

func (t *topK) Value() float64 { return float64(t.hits) / float64(t.n) }

// classified checks scores [N classes] and labels [N].
func classified(output, labels *Tensor) (scores []float32, wanted []int64, classes int, err error) {
	if len(output.shape) != 2 || len(labels.shape) != 1 || labels.shape[0] != output.shape[0] || !labels.dtype.IsInt() {
		return nil, nil, 0, fmt.Errorf("output is %v and labels %v %s, want scores [N classes] and integers [N]; use a metric of your own for other shapes", output.shape, labels.shape, typeName(labels.dtype))
	}
	classes = output.shape[1]
	scores, wanted = output.Float32s(), labels.Int64s()
	for i, l := range wanted {
		if l < 0 || l >= int64(classes) {
			return nil, nil, 0, fmt.Errorf("label %d is %d, want 0 to %d", i, l, classes-1)
		}
	}
	return scores, wanted, classes, nil
}

// Average says how [Precision], [Recall] and [F1] make one number of several
// classes, as scikit-learn's average: "macro" (or nothing) is the mean over
// the classes, "weighted" that mean weighted by the classes' examples, "micro"
// counts all examples together.
type Average string

func (a Average) check() error {
	if !slices.Contains([]Average{"", "macro", "weighted", "micro"}, a) {
		return fmt.Errorf("Average is %q, want macro, weighted or micro", string(a))
	}
	return nil
}

func (a Average) word() string {
	if a == "" {
		return "macro"
	}
	return string(a)
}

// Precision is the share of the examples taken for a class that are of it. A
// class that nothing is taken for counts 0, as with scikit-learn's
// zero_division=0.
type Precision struct{ Average Average }

// Name returns "macro precision".
func (p Precision) Name() string { return p.Average.word() + " precision" }

// Start returns a meter that has counted nothing.
func (p Precision) Start() Meter {
	return &averaged{average: p.Average, value: (*Confusion).Precision}
}

// Recall is the share of a class's examples that are taken for it. A class
// without examples counts 0.
type Recall struct{ Average Average }

// Name returns "macro recall".
func (r Recall) Name() string { return r.Average.word() + " recall" }

// Start returns a meter that has counted nothing.
func (r Recall) Start() Meter { return &averaged{average: r.Average, value: (*Confusion).Recall} }

// F1 is the harmonic mean of [Precision] and [Recall], class by class.
type F1 struct{ Average Average }

// Name returns "macro F1".
func (f F1) Name() string { return f.Average.word() + " F1" }

// Start returns a meter that has counted nothing.
func (f F1) Start() Meter { return &averaged{average: f.Average, value: (*Confusion).F1} }

// averaged is a meter that reads a confusion matrix.
type averaged struct {
	Confusion
	average Average
	value   func(*Confusion, Average) float64
}

func (a *averaged) Add(output, labels *Tensor) error {
	if err := a.average.check(); err != nil {
		return err
	}
	return a.Confusion.Add(output, labels)
}

func (a *averaged) Value() float64 { return a.value(&a.Confusion, a.average) }

// ConfusionMatrix is the [Metric] that fills [Result.Confusion]. Its value is
// the accuracy.
type ConfusionMatrix struct {
	Classes []string // names for showing; nil means those that the data set has, or numbers
}

// Name returns "confusion accuracy".
func (c ConfusionMatrix) Name() string { return "confusion accuracy" }

// Start returns a [*Confusion] that has counted nothing.
func (c ConfusionMatrix) Start() Meter { return &Confusion{Classes: c.Classes} }

// Confusion counts how many examples of each class were taken for each class.
// The zero value has counted nothing. It is a [Meter].
type Confusion struct {
	Classes []string
	Counts  [][]int // [label][prediction]
}

// Add counts examples: scores [N classes], of which the highest is the
// prediction, and labels [N].
func (c *Confusion) Add(output, labels *Tensor) error {
	scores, wanted, classes, err := classified(output, labels)
	if err != nil {
		return err
	}
	if c.Counts == nil {
		c.Counts = classify.New(classes)
	}
	if len(c.Counts) != classes {
		return fmt.Errorf("output has %d classes, want %d as before", classes, len(c.Counts))
	}
	for i, label := range wanted {
		best := 0
		row := scores[i*classes : (i+1)*classes]
		for k, v := range row {
			if v > row[best] {
				best = k
			}
		}
		c.Counts[label][best]++
	}
	return nil
}

// Value returns the accuracy.
func (c *Confusion) Value() float64 { return c.Accuracy() }

// Accuracy returns the share of the examples that are right.
func (c *Confusion) Accuracy() float64 { return classify.Counts(c.Counts).Accuracy() }

// Precision returns the average of all classes' precision. Classes that are
// neither among the labels nor the predictions do not count, as in
// scikit-learn.
func (c *Confusion) Precision(a Average) float64 { return c.mean(a, classify.Class.Precision) }

// Recall returns the average of all classes' recall, as Precision.
func (c *Confusion) Recall(a Average) float64 { return c.mean(a, classify.Class.Recall) }

// F1 returns the average of all classes' F1, as Precision.
func (c *Confusion) F1(a Average) float64 { return c.mean(a, classify.Class.F1) }

func (c *Confusion) mean(a Average, value func(classify.Class) (float64, bool)) float64 {
	if a == "micro" {
		return c.Accuracy() // each example has one label and one prediction
	}
	return classify.Counts(c.Counts).Mean(value, a == "weighted")
}

// name returns what a class is called.
func (c *Confusion) name(k int) string {
	if k < len(c.Classes) {
		return c.Classes[k]
	}
	return fmt.Sprint(k)
}

// String writes the matrix as a table: a row for each label, a column for
// each prediction.
func (c *Confusion) String() string {
	names, counts := c.Matrix()
	head, rows := []string{"label \\ predicted"}, make([][]any, len(counts))
	for i, row := range counts {
		head, rows[i] = append(head, names[i]), []any{names[i]}
		for _, n := range row {
			rows[i] = append(rows[i], n)
		}
	}
	return tableText(head, rows, len(counts))
}

// Matrix returns the names of the classes, all of them, and Counts. Holt's notebooks draw
// what has this method as display.Confusion.
func (c *Confusion) Matrix() (classes []string, counts [][]int) {
	for k := range c.Counts {
		classes = append(classes, c.name(k))
	}
	return classes, c.Counts
}
