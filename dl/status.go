package dl

import (
	"fmt"
	"math"
	"time"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Steps returns how many steps are done, and how many the run will have: 0
// when the data does not know its length.
func (r *Run) Steps() (done, total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	per := r.perEpoch()
	return max(r.epoch-1, 0)*per + r.inEpoch, r.training.Epochs * per
}

// Rows returns how many rows Table will have when no one stops the run early.
func (r *Run) Rows() int { return r.training.Epochs }

// Table has a row for each epoch done so far, and the columns' names. A
// notebook shows it below the curves. Losses and accuracies are means over the epoch.
func (r *Run) Table() (head []string, rows [][]any) {
	head = []string{"epoch", "train loss (mean)", "train accuracy"}
	eval := r.training.Eval != nil
	if eval {
		head = append(head, "eval loss", "eval accuracy")
		for _, m := range r.training.Metrics {
			head = append(head, m.Name())
		}
	}
	head = append(head, "lr", "time")
	percent := func(part float64) string {
		if math.IsNaN(part) {
			return ""
		}
		return fmt.Sprintf("%.2f %%", 100*part)
	}
	for _, e := range r.Epochs() {
		row := []any{e.N, e.Train.Loss, percent(e.Train.Accuracy)}
		if eval {
			row = append(row, e.Eval.Loss, percent(e.Eval.Accuracy))
			for _, m := range r.training.Metrics {
				row = append(row, e.Eval.Metric(m.Name()))
			}
		}
		rows = append(rows, append(row, e.LR, e.Took))
	}
	return head, rows
}

// String is the run's state on one line: epoch, step, what is compiled now,
// rate, time left, loss and accuracy.
func (r *Run) String() string {
	n, lr := r.step.N(), r.step.LR()
	r.mu.Lock()
	defer r.mu.Unlock()
	s := fmt.Sprintf("epoch %d/%d  step %d", r.epoch, r.training.Epochs, n)
	ended := !r.ended.IsZero()
	switch {
	case ended && r.err != nil:
		s = "failed at " + s
	case ended && r.stopped:
		s = "stopped at " + s
	case ended && r.early:
		s = "stopped early at " + s
	case ended:
		s = "done: " + s
	case r.waits != "":
		s += "  compiling " + r.waits + " …"
	case r.phase != "training":
		s += "  " + r.phase
	}
	if steps := n - r.first; !ended && steps > 0 {
		rate := float64(steps) / time.Since(r.clock).Seconds()
		s += fmt.Sprintf("  %.1f steps/s", rate)
		if per := r.perEpoch(); per > 0 {
			left := float64(r.training.Epochs*per-(r.epoch-1)*per-r.inEpoch) / rate
			s += fmt.Sprintf("  %v left", (time.Duration(left)*time.Second + time.Second/2).Round(time.Second))
		}
	} else if ended {
		s += fmt.Sprintf("  %v", r.ended.Sub(r.began).Round(10*time.Millisecond))
	}
	if r.waited >= xla.NoticeAfter && (ended || r.epoch <= 1) {
		s += fmt.Sprintf(" (compiling took %v)", r.waited.Round(100*time.Millisecond))
	}
	if r.sum.rows > 0 {
		found := r.sum.result()
		s += fmt.Sprintf("  loss %.4f", found.Loss)
		if !math.IsNaN(found.Accuracy) {
			s += fmt.Sprintf("  accuracy %.2f %%", 100*found.Accuracy)
		}
	}
	if len(r.epochs) > 0 {
		if e := r.epochs[len(r.epochs)-1].Eval; e.N > 0 {
			s += fmt.Sprintf("  eval loss %.4f", e.Loss)
			if !math.IsNaN(e.Accuracy) {
				s += fmt.Sprintf("  accuracy %.2f %%", 100*e.Accuracy)
			}
		}
	}
	s += fmt.Sprintf("  lr %g", lr)
	if r.err != nil {
		s += ": " + r.err.Error()
	}
	return s
}

func (r *Run) perEpoch() int {
	if r.training.Data == nil {
		return 0
	}
	return r.training.Data.Len()
}
