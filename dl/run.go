package dl

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holt-dl/holt/dl/internal/xla"
	"github.com/holt-dl/holt/internal/hooks"
)

// Training says how [Start] trains a model.
type Training struct {
	Data      Batches   // what to learn from: a loader; required
	Eval      Source    // what to test on after each epoch: a loader or a Dataset; nil for nothing
	Epochs    int       // times through Data; 0 means 1
	Optimizer Optimizer // nil means SGD{LR: 0.01, Momentum: 0.9}
	Loss      Loss      // nil means CrossEntropyLoss

	// Log gets the curves' numbers as they come, by the names that
	// Run.Names lists: each step's "train/loss", each epoch's others. A
	// TensorBoard writer will do: board.Open("runs/cifar"). It is called from
	// the run's goroutine. One with a method Err that returns an error when the
	// run starts ends the run.
	Log interface {
		AddScalar(name string, value float64, step int)
	}
	// OnStep and OnEpoch, if set, are called after each step and each epoch
	// from the run's goroutine. An error ends the run.
	OnStep  func(StepDone) error
	OnEpoch func(Epoch) error

	Options   Options   // how steps are computed: clipping, accumulation, precision, devices
	Metrics   []Metric  // what Eval finds beside loss and accuracy, as "eval/" and their names
	Scheduler Scheduler // changes the learning rate after each epoch; nil keeps it
	EachStep  bool      // the Scheduler counts steps, not epochs: OneCycleLR

	// Watch is the curve that tells how good an epoch is, for the fields below
	// and [ReduceLROnPlateau], by a name that Run.Names lists. Empty means
	// "eval/loss", or "train/loss" without Eval. Of a name that ends with
	// "loss" less is better, of others more.
	Watch string
	// Patience, if above 0, ends the run after so many epochs in which Watch
	// did not get better by more than MinDelta.
	Patience int
	MinDelta float64
	// RestoreBest gives the model the weights of the best epoch when the run
	// ends without an error. A copy of them is kept on the host meanwhile.
	RestoreBest bool

	Checkpoint Checkpoint // keeps the whole state in files, to go on from
}

// StepDone is what a run's OnStep gets.
type StepDone struct {
	N        int     // steps since the training began
	Epoch    int     // from 1
	Result   Result  // of the step's examples, before the step
	LR       float64 // of the step
	GradNorm float64 // as Step.GradNorm; NaN without Options.GradNorms or ClipNorm
}

// Epoch is what a run found in one pass through the data.
type Epoch struct {
	N     int           // from 1
	Steps int           // since the run began
	Train Result        // over the epoch's batches, each before its step
	Eval  Result        // after the epoch; N is 0 without Training.Eval
	LR    float64       // at the end of the epoch
	Took  time.Duration // training and evaluation, without the time in which the run was paused
}

// String writes the epoch on one line.
func (e Epoch) String() string {
	s := fmt.Sprintf("epoch %d: train %v", e.N, e.Train)
	if e.Eval.N > 0 {
		s += fmt.Sprintf("; eval %v", e.Eval)
	}
	return s + fmt.Sprintf("; %v", e.Took.Round(10*time.Millisecond))
}

// Epochs are epochs in their order, which a notebook shows as a table.
type Epochs []Epoch

// Run is a training that goes on in the background. [Start] begins one. Its
// methods may be called from any goroutine.
type Run struct {
	model    *Model
	step     *Step
	training Training
	began    time.Time
	cancel   context.CancelFunc
	done     chan struct{}

	now       progress                 // of the run's goroutine alone
	whole     progress                 // likewise, after the last whole step
	unsaved   bool                     // likewise: an epoch's end is not in a file, where it is to be
	published atomic.Pointer[progress] // a copy of it, which all others read
	stop      atomic.Bool              // Stop was called
	pause     pause
	compiler  compiling
	memory    xla.Gauge // of the device
}

// publish shows all others how far the run is.
func (r *Run) publish() {
	at := r.now
	r.published.Store(&at)
}

// enter begins a stage.
func (r *Run) enter(s stage) {
	r.now.stage = s
	r.publish()
}

// compiling is what a run waits for the compiler to do. Any goroutine may compile.
type compiling struct {
	mu     sync.Mutex
	what   string        // empty while nothing is compiled
	waited time.Duration // in all
}

func (c *compiling) begin(what string) (end func(time.Duration)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.what = what
	return func(took time.Duration) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.what = ""
		c.waited += took
	}
}

func (c *compiling) get() (what string, waited time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.what, c.waited
}

// Start trains a model in the background and returns at once. Weights change
// step by step while it goes on; [Run.Wait] waits for its end. A second Start
// on the same model goes on from the weights that it has then.
//
// Whatever goes wrong, settings included, ends the run and is its error.
// Cancelling the cell that called Start does not end the run, unless the run is in a function of
// that cell, such as OnStep, or comes to one while the cell is interrupted: that is its error.
func Start(model *Model, t Training) *Run {
	if t.Epochs == 0 {
		t.Epochs = 1
	}
	if t.Optimizer == nil {
		t.Optimizer = SGD{LR: 0.01, Momentum: 0.9}
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &Run{model: model, training: t, began: time.Now(), cancel: cancel, done: make(chan struct{})}
	r.step = TrainStep(model, t.Loss, t.Optimizer).With(t.Options)
	r.publish()
	remove := func() {}
	if t.Checkpoint.Dir != "" { // where the state of the end is saved
		remove = hooks.OnLeave(r.Stop)
	}
	go func() {
		defer remove()
		defer close(r.done)
		defer cancel()
		// An interrupt ends this goroutine where it is in a function of the cell that began the run.
		end, err := stageFailed, error(errCellEnded)
		defer func() { r.end(end, err) }()
		ctx := xla.WatchedBy(ctx, r.compiler.begin)
		err = xla.Shield(func() (err error) { end, err = r.train(ctx); return err })
	}()
	return r
}

// errCellEnded is the error of a run and a loader of which a function of a cell was ended in its
// goroutine, as an interrupt of the cell does.
var errCellEnded = fmt.Errorf("dl: a function of the cell that began this was interrupted with it: %w", context.Canceled)

// end is what follows when the run's training has ended.
func (r *Run) end(how stage, err error) {
	if err != nil && r.training.Options.severalProcesses() {
		// As of the data, of OnStep, or of Stop. The others may have no step left to come to.
		thisJob().fail(ended(err), err)
		_, seen := r.step.counts()
		r.step.part(seen)
	}
	if r.stop.Load() && (err == nil || isStop(err)) {
		how, err = stageStopped, nil
	}
	if err = xla.Shield(func() error { return r.finish(err) }); err != nil {
		how = stageFailed
	}
	r.now.err, r.now.ended = err, time.Now()
	r.enter(how)
}

// Done is closed when the run has ended.
func (r *Run) Done() <-chan struct{} { return r.done }

// Wait waits for the run's end and returns its error. When the cell that
// waits is interrupted, Wait returns that error, and the run goes on. A run of
// several processes is stopped then: they run the same cells, and would wait for
// one that has left them.
func (r *Run) Wait() error {
	ctx := xla.Context()
	select {
	case <-r.done:
		return r.Err()
	case <-ctx.Done():
		if r.training.Options.severalProcesses() {
			defer hooks.Hold()()
			r.Stop()
		}
		return ctx.Err()
	}
}

// Stop ends the run after the step it is at, and waits for that. The weights
// of the last whole step stay. Stopping is not an error. A paused run ends too.
// Where several processes share each batch, Stop in one of them ends the run of
// all after the same step; it is an error of the others.
func (r *Run) Stop() {
	r.stop.Store(true)
	r.cancel()
	<-r.done
}

// Err returns what ended the run: nil while it goes on, and when it came to
// its end or was stopped.
func (r *Run) Err() error { return r.published.Load().err }

// SetLR changes the learning rate from the next step on.
func (r *Run) SetLR(lr float64) { r.step.SetLR(lr) }

// LR returns the learning rate.
func (r *Run) LR() float64 { return r.step.LR() }

// N returns the number of steps done.
func (r *Run) N() int { return r.step.N() }

// Epochs returns what the epochs done so far found.
func (r *Run) Epochs() Epochs { return slices.Clone(r.published.Load().Epochs) }

// Memory returns how much of the memory of the run's GPU is in use, by this
// process, and how much it may take, in bytes. Both are 0 before the first look, where they are
// not known, and where the device is a processor, whose memory is the machine's and shared by all.
// They are some seconds old, and stay as they are when the run has
// ended.
func (r *Run) Memory() (used, all int64) {
	ask := func() (all, free int64) {
		on, err := r.model.on()
		if err != nil || on.Kind != "cuda" {
			return 0, 0
		}
		return on.Memory()
	}
	select {
	case <-r.done:
		ask = nil
	default:
	}
	return r.memory.Read(ask)
}
