package dl

import (
	"fmt"
	"math"
)

// Result is what [Evaluate] or a step found on some examples.
type Result struct {
	Loss     float64 // mean over the examples
	Accuracy float64 // share of examples whose class is right, in [0, 1]; NaN where there are no classes
	N        int     // examples
	LossName string  // the loss, such as "MSELoss"; "" for that of a step

	Metrics   []MetricValue // of the metrics that Evaluate was given, in their order
	Confusion *Confusion    // of a ConfusionMatrix among them, else nil
}

// Metric returns the value of a metric by its name, NaN if it was not asked
// for.
func (r Result) Metric(name string) float64 {
	for _, m := range r.Metrics {
		if m.Name == name {
			return m.Value
		}
	}
	return math.NaN()
}

// String writes the result on one line.
func (r Result) String() string {
	s := fmt.Sprintf("loss %.4f", r.Loss)
	if r.LossName != "" && r.LossName != lossName(CrossEntropyLoss{}) {
		s += " (" + r.LossName + ")"
	}
	if r.Accuracy == r.Accuracy {
		s += fmt.Sprintf("  accuracy %.2f %%", 100*r.Accuracy)
	}
	for _, m := range r.Metrics {
		s += fmt.Sprintf("  %s %.4f", m.Name, m.Value)
	}
	return s + fmt.Sprintf("  on %s examples", thousands(r.N))
}

// tally adds up what programs found, so that batches of different sizes give
// exact means.
type tally struct {
	loss, weight float64 // sums over the examples
	right        float64 // examples whose class is right; negative where there are no classes
	labels       float64 // examples whose label counts
	rows         int
}

func tallyOf(score []float32, rows int) tally {
	return tally{float64(score[0]), float64(score[1]), float64(score[2]), float64(score[3]), rows}
}

func (t *tally) add(u tally) {
	t.loss, t.weight, t.right = t.loss+u.loss, t.weight+u.weight, t.right+u.right
	t.labels, t.rows = t.labels+u.labels, t.rows+u.rows
}

func (t tally) result() Result {
	r := Result{Loss: t.loss / t.weight, Accuracy: t.right / t.labels, N: t.rows}
	if t.right < 0 {
		r.Accuracy = math.NaN()
	}
	return r
}
