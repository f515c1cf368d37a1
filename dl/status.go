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
	r.mu.Lock()
	defer r.mu.Unlock()
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
		return r.loss.points()
	case pick == nil, r.training.Eval == nil && name != "train/accuracy":
		return nil, nil
	}
	for _, e := range r.epochs {
		if v := pick(e); !math.IsNaN(v) {
			x, y = append(x, float64(e.N)), append(y, v)
		}
	}
	return x, y
}

// Latest returns where "train/accuracy" is inside an epoch: the accuracy of what was seen of it so far.
// The other curves know no more than their points.
func (r *Run) Latest(name string) (x, y float64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	per := r.perEpoch()
	if name != "train/accuracy" || per == 0 || r.sum.rows == 0 || r.epoch <= len(r.epochs) {
		return 0, 0, false
	}
	y = r.sum.result().Accuracy
	return float64(r.epoch-1) + float64(r.inEpoch)/float64(per), y, !math.IsNaN(y)
}

// curve keeps at most curvePoints points, each the mean of so many steps as
// that takes.
type curve struct {
	x, y    []float64
	each    int // steps in a point
	pending int // steps in the sums
	sx, sy  float64
}

const curvePoints = 2048

func (c *curve) add(x, y float64) {
	c.each = max(c.each, 1)
	c.sx, c.sy, c.pending = c.sx+x, c.sy+y, c.pending+1
	if c.pending < c.each {
		return
	}
	n := float64(c.pending)
	c.x, c.y = append(c.x, c.sx/n), append(c.y, c.sy/n)
	c.sx, c.sy, c.pending = 0, 0, 0
	if len(c.x) < curvePoints {
		return
	}
	for i := range curvePoints / 2 {
		c.x[i], c.y[i] = (c.x[2*i]+c.x[2*i+1])/2, (c.y[2*i]+c.y[2*i+1])/2
	}
	c.x, c.y, c.each = c.x[:curvePoints/2], c.y[:curvePoints/2], 2*c.each
}

func (c *curve) points() (x, y []float64) {
	return append([]float64(nil), c.x...), append([]float64(nil), c.y...)
}
