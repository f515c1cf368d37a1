package dl

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"
)

// Training says how [Start] trains a model.
type Training struct {
	Data      Batches   // what to learn from: a loader; required
	Eval      Source    // what to test on after each epoch: a loader or a Dataset; nil for nothing
	Epochs    int       // times through Data; 0 means 1
	Optimizer Optimizer // nil means SGD{LR: 0.01, Momentum: 0.9}
	Loss      Loss      // nil means CrossEntropyLoss

	// Log is told the curves' numbers as they come, by the names that
	// Run.Names lists: each step's "train/loss", each epoch's others. A
	// TensorBoard writer will do: board.Open("runs/cifar"). It is called from
	// the run's goroutine. One with a method Err that returns an error when the
	// run starts ends the run.
	Log interface {
		AddScalar(name string, value float64, step int)
	}
	// OnEpoch, if set, is called after each epoch from the run's goroutine.
	// An error ends the run.
	OnEpoch func(Epoch) error
}

// Epoch is what a run found in one pass through the data.
type Epoch struct {
	N     int           // from 1
	Steps int           // since the run began
	Train Result        // over the epoch's batches, each before its step
	Eval  Result        // after the epoch; N is 0 without Training.Eval
	LR    float64       // at the end of the epoch
	Took  time.Duration // training and evaluation
}

// String writes the epoch on one line.
func (e Epoch) String() string {
	s := fmt.Sprintf("epoch %d: train %v", e.N, e.Train)
	if e.Eval.N > 0 {
		s += fmt.Sprintf("; eval %v", e.Eval)
	}
	return s + fmt.Sprintf("; %v", e.Took.Round(10*time.Millisecond))
}

// Run is a training that goes on in the background. [Start] begins one. Its
// methods may be called from any goroutine.
type Run struct {
	model    *Model
	step     *Step
	training Training
	began    time.Time
	cancel   context.CancelFunc
	done     chan struct{}

	mu      sync.Mutex // guards what follows
	err     error
	stopped bool
	ended   time.Time
	epoch   int // the one going on, from 1
	inEpoch int // steps done in it
	phase   string
	sum     tally // over the epoch so far
	first   int   // steps before the clock of the rate began: the first one compiles
	clock   time.Time
	epochs  []Epoch
	loss    curve // each step's loss against epochs
}

// Start trains a model in the background and returns at once. Weights change
// step by step while it goes on; [Run.Wait] waits for its end. A second Start
// on the same model goes on from the weights that it has then.
//
// Whatever goes wrong, settings included, ends the run and is its error.
// Cancelling the cell that called Start does not end the run.
func Start(model *Model, t Training) *Run {
	if t.Epochs == 0 {
		t.Epochs = 1
	}
	if t.Optimizer == nil {
		t.Optimizer = SGD{LR: 0.01, Momentum: 0.9}
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Run{model: model, training: t, began: time.Now(), clock: time.Now(), cancel: cancel, done: make(chan struct{}), phase: "starting"}
	r.step = TrainStep(model, t.Loss, t.Optimizer)
	go func() {
		defer cancel()
		err := shield(func() error { return r.train(ctx) })
		r.mu.Lock()
		if ctx.Err() != nil && r.stopped {
			err = nil
		}
		r.err, r.ended = err, time.Now()
		r.mu.Unlock()
		close(r.done)
	}()
	return r
}

// Done is closed when the run has ended.
func (r *Run) Done() <-chan struct{} { return r.done }

// Wait waits for the run's end and returns its error. When the cell that
// waits is interrupted, Wait returns that error, and the run goes on.
func (r *Run) Wait() error {
	ctx := callerContext()
	select {
	case <-r.done:
		return r.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Stop ends the run after the step it is at, and waits for that. The weights
// of the last whole step stay. Stopping is not an error.
func (r *Run) Stop() {
	r.mu.Lock()
	select {
	case <-r.done:
	default:
		r.stopped = true
	}
	r.mu.Unlock()
	r.cancel()
	<-r.done
}

// Err returns what ended the run: nil while it goes on, and when it came to
// its end or was stopped.
func (r *Run) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// SetLR changes the learning rate from the next step on.
func (r *Run) SetLR(lr float64) { r.step.SetLR(lr) }

// LR returns the learning rate.
func (r *Run) LR() float64 { return r.step.LR() }

// N returns the number of steps done.
func (r *Run) N() int { return r.step.N() }

// Epochs returns what the epochs done so far found.
func (r *Run) Epochs() []Epoch {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Epoch(nil), r.epochs...)
}

// train is the run's goroutine.
func (r *Run) train(ctx context.Context) error {
	t := r.training
	if r.model == nil {
		return fmt.Errorf("dl: Start: the model is nil, want one that dl.Build made")
	}
	if t.Data == nil {
		return fmt.Errorf("dl: Start: Data is nil, want a loader; write dl.Training{Data: loader, …}")
	}
	if t.Eval != nil {
		if _, err := batchesOf(t.Eval); err != nil {
			return fmt.Errorf("dl: Start: Eval: %w", err)
		}
	}
	if l, ok := t.Log.(interface{ Err() error }); ok && l.Err() != nil {
		return fmt.Errorf("dl: Start: Log: %w", l.Err())
	}
	perEpoch := t.Data.Len()
	for e := range t.Epochs {
		began := time.Now()
		r.mu.Lock()
		r.epoch, r.inEpoch, r.sum, r.phase = e+1, 0, tally{}, "training"
		if e == 0 {
			r.phase = "compiling"
		}
		r.mu.Unlock()
		for batch, err := range t.Data.Epoch(e) {
			if err != nil {
				return fmt.Errorf("dl: Start: epoch %d: %w", e+1, err)
			}
			// A step that has begun is waited for, so that none lands after Stop.
			found, err := r.step.do(ctx, context.Background(), batch)
			if err != nil {
				return err
			}
			r.took(found, perEpoch)
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		r.mu.Lock()
		sum := r.sum
		r.phase = "evaluating"
		r.mu.Unlock()
		if sum.rows == 0 {
			return fmt.Errorf("dl: Start: the data has no batches; use a smaller BatchSize, or leave DropLast out")
		}
		done := Epoch{N: e + 1, Steps: r.step.N(), Train: sum.result(), LR: r.step.LR()}
		if t.Eval != nil {
			var err error
			if done.Eval, err = evaluate(ctx, r.model, t.Eval, r.step.loss); err != nil {
				return err
			}
		}
		done.Took = time.Since(began)
		r.mu.Lock()
		r.epochs = append(r.epochs, done)
		r.mu.Unlock()
		r.log(done)
		if t.OnEpoch != nil {
			if err := t.OnEpoch(done); err != nil {
				return err
			}
		}
	}
	return nil
}

// took notes a step.
func (r *Run) took(found tally, perEpoch int) {
	n := r.step.N()
	loss := found.result().Loss
	r.mu.Lock()
	r.sum.add(found)
	r.inEpoch++
	if r.phase == "compiling" {
		r.phase, r.first, r.clock = "training", n, time.Now()
	}
	r.loss.add(float64(r.epoch-1)+float64(r.inEpoch)/float64(max(perEpoch, r.inEpoch)), loss)
	r.mu.Unlock()
	if r.training.Log != nil {
		r.training.Log.AddScalar("train/loss", loss, n)
	}
}

func (r *Run) log(e Epoch) {
	l := r.training.Log
	if l == nil {
		return
	}
	add := func(name string, v float64) {
		if !math.IsNaN(v) {
			l.AddScalar(name, v, e.Steps)
		}
	}
	add("train/accuracy", e.Train.Accuracy)
	if e.Eval.N > 0 {
		add("eval/loss", e.Eval.Loss)
		add("eval/accuracy", e.Eval.Accuracy)
	}
}

// Names lists the curves that [Run.Curve] knows.
func (r *Run) Names() []string {
	names := []string{"train/loss", "train/accuracy"}
	if r.training.Eval != nil {
		names = append(names, "eval/loss", "eval/accuracy")
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

// Steps returns how many steps are done, and how many the run will have: 0
// when the data does not know its length.
func (r *Run) Steps() (done, total int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	per := r.perEpoch()
	return max(r.epoch-1, 0)*per + r.inEpoch, r.training.Epochs * per
}

// Table has a row for each epoch done so far, and the columns' names. A
// notebook shows it above the curves.
func (r *Run) Table() (head []string, rows [][]any) {
	head = []string{"epoch", "train loss", "train accuracy"}
	eval := r.training.Eval != nil
	if eval {
		head = append(head, "eval loss", "eval accuracy")
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
		}
		rows = append(rows, append(row, e.LR, e.Took))
	}
	return head, rows
}

// String is the run's state on one line: epoch, step, rate, time left, loss
// and accuracy.
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
	case ended:
		s = "done: " + s
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
