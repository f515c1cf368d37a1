package dl

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Steps returns how many steps are done, and how many the run will have: 0
// when the data does not know its length.
func (r *Run) Steps() (done, total int) {
	at, per := r.published.Load(), r.perEpoch()
	return max(at.Epoch-1, 0)*per + at.InEpoch, r.training.Epochs * per
}

// Rows returns how many rows Table will have when no one stops the run early.
func (r *Run) Rows() int { return r.training.Epochs }

// Table has a row for each epoch done so far, and the columns' names. A
// notebook shows it below the curves. Losses and accuracies are means over the epoch.
func (r *Run) Table() (head []string, rows [][]any) {
	var metrics []string
	for _, m := range r.training.Metrics {
		metrics = append(metrics, m.Name())
	}
	return r.Epochs().table(r.training.Eval != nil, metrics)
}

// Table has a row for each epoch. A notebook shows it in place of the text.
func (e Epochs) Table() (head []string, rows [][]any) {
	var metrics []string
	eval := slices.IndexFunc(e, func(e Epoch) bool { return e.Eval.N > 0 })
	if eval >= 0 {
		for _, m := range e[eval].Eval.Metrics {
			metrics = append(metrics, m.Name)
		}
	}
	return e.table(eval >= 0, metrics)
}

// table has columns for what an evaluation found where there was one.
func (e Epochs) table(eval bool, metrics []string) (head []string, rows [][]any) {
	head = []string{"epoch", "train loss (mean)", "train accuracy"}
	if eval {
		head = append(append(head, "eval loss", "eval accuracy"), metrics...)
	}
	head = append(head, "lr", "time")
	for _, e := range e {
		row := []any{e.N, e.Train.Loss, percent(e.Train.Accuracy)}
		if eval {
			row = append(row, e.Eval.Loss, percent(e.Eval.Accuracy))
			for _, name := range metrics {
				row = append(row, e.Eval.Metric(name))
			}
		}
		rows = append(rows, append(row, e.LR, e.Took))
	}
	return head, rows
}

// String is the run's state on one line: epoch, step, what is compiled now or that it is paused,
// rate, time left, loss and accuracy.
func (r *Run) String() string {
	n, lr := r.step.N(), r.step.LR()
	at := r.published.Load()
	compiles, waited := r.compiler.get()
	s := fmt.Sprintf("epoch %d/%d  step %d", at.Epoch, r.training.Epochs, n)
	ended := at.stage >= stageDone
	paused := at.held || r.Paused()
	switch {
	case at.stage == stageFailed:
		s = "failed at " + s
	case at.stage == stageStopped:
		s = "stopped at " + s
	case at.stage == stageStoppedEarly:
		s = "stopped early at " + s
	case at.stage == stageDone:
		s = "done: " + s
	case compiles != "":
		s += "  compiling " + compiles + " …"
	case paused && at.stage == stageTraining:
		s += "  paused"
	case at.stage == stageStarting:
		s += "  starting"
	case at.stage != stageTraining:
		s += "  evaluating"
	}
	if steps := n - at.skipped; !ended && steps > 0 && !at.clock.IsZero() && !paused {
		rate := float64(steps) / time.Since(at.clock).Seconds()
		s += fmt.Sprintf("  %.1f steps/s", rate)
		if per := r.perEpoch(); per > 0 {
			left := float64(r.training.Epochs*per-(at.Epoch-1)*per-at.InEpoch) / rate
			s += fmt.Sprintf("  %v left", (time.Duration(left)*time.Second + time.Second/2).Round(time.Second))
		}
	} else if ended {
		s += fmt.Sprintf("  %v", at.ended.Sub(r.began).Round(10*time.Millisecond))
	}
	if waited >= xla.NoticeAfter && (ended || at.Epoch <= 1) {
		s += fmt.Sprintf(" (compiling took %v)", waited.Round(100*time.Millisecond))
	}
	if at.Sum.Rows > 0 {
		found := at.Sum.result()
		s += fmt.Sprintf("  loss %.4f", found.Loss)
		if !math.IsNaN(found.Accuracy) {
			s += fmt.Sprintf("  accuracy %.2f %%", 100*found.Accuracy)
		}
	}
	if len(at.Epochs) > 0 {
		if e := at.Epochs[len(at.Epochs)-1].Eval; e.N > 0 {
			s += fmt.Sprintf("  eval loss %.4f", e.Loss)
			if !math.IsNaN(e.Accuracy) {
				s += fmt.Sprintf("  accuracy %.2f %%", 100*e.Accuracy)
			}
		}
	}
	s += fmt.Sprintf("  lr %g", lr)
	if at.err != nil {
		s += ": " + at.err.Error()
	}
	return s
}

func (r *Run) perEpoch() int {
	if r.training.Data == nil {
		return 0
	}
	return r.training.Data.Len()
}

// Names lists the curves that [Run.Curve] knows.
func (r *Run) Names() []string {
	names := []string{"train/loss", "train/accuracy"}
	if r.training.Eval != nil {
		names = append(names, "eval/loss", "eval/accuracy")
		for _, m := range r.training.Metrics {
			names = append(names, "eval/"+m.Name())
		}
	}
	return names
}

// Curve returns the points of a curve so far: x in epochs, y the loss, or the
// accuracy in [0, 1]. The "train/loss" has a point for a step, or for the
// mean of a few when the run is long; the others have one for an epoch. An
// unknown name has no points.
func (r *Run) Curve(name string) (x, y []float64) {
	at := r.published.Load()
	pick := map[string]func(Epoch) float64{
		"train/accuracy": func(e Epoch) float64 { return e.Train.Accuracy },
		"eval/loss":      func(e Epoch) float64 { return e.Eval.Loss },
		"eval/accuracy":  func(e Epoch) float64 { return e.Eval.Accuracy },
	}[name]
	for _, m := range r.training.Metrics {
		if name == "eval/"+m.Name() {
			pick = func(e Epoch) float64 { return e.Eval.Metric(m.Name()) }
		}
	}
	switch {
	case name == "train/loss":
		return at.Loss.points()
	case pick == nil, r.training.Eval == nil && name != "train/accuracy":
		return nil, nil
	}
	for _, e := range at.Epochs {
		if v := pick(e); !math.IsNaN(v) {
			x, y = append(x, float64(e.N)), append(y, v)
		}
	}
	return x, y
}

// Latest returns where "train/accuracy" is inside an epoch: the accuracy of what was seen of it so far.
// The other curves know no more than their points.
func (r *Run) Latest(name string) (x, y float64, ok bool) {
	at, per := r.published.Load(), r.perEpoch()
	if name != "train/accuracy" || per == 0 || at.Sum.Rows == 0 || at.Epoch <= len(at.Epochs) {
		return 0, 0, false
	}
	y = at.Sum.result().Accuracy
	return float64(at.Epoch-1) + float64(at.InEpoch)/float64(per), y, !math.IsNaN(y)
}
