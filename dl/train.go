package dl

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// train is the run's goroutine.
func (r *Run) train(ctx context.Context) error {
	if err := r.ready(); err != nil {
		return err
	}
	t := r.training
	for e := r.epoch; e < t.Epochs; e++ {
		began := time.Now()
		r.mu.Lock()
		first := r.inEpoch
		r.epoch, r.phase, r.begun, r.closed = e+1, "training", true, false
		r.mu.Unlock()
		if err := r.pass(ctx, e, first); err != nil {
			return err
		}
		if err := r.step.flush(ctx, context.Background()); err != nil {
			return err
		}
		if err := r.took(); err != nil {
			return err
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
			if done.Eval, err = evaluate(ctx, r.model, t.Eval, r.step.loss, t.Metrics); err != nil {
				return err
			}
		}
		done.Took = time.Since(began)
		if ended, err := r.close(done); ended || err != nil {
			return err
		}
	}
	return nil
}

// compiling notes that the run waits for the compiler.
func (r *Run) compiling(what string) (end func(time.Duration)) {
	r.mu.Lock()
	r.waits = what
	r.mu.Unlock()
	return func(took time.Duration) {
		r.mu.Lock()
		r.waits = ""
		r.waited += took
		r.mu.Unlock()
	}
}

// ready checks the settings, and takes up a saved state.
func (r *Run) ready() error {
	t := r.training
	if r.model == nil {
		return fmt.Errorf("dl: Start: the model is nil, want one that dl.Build made")
	}
	if t.Data == nil {
		return fmt.Errorf("dl: Start: Data is nil, want a loader; write dl.Training{Data: loader, …}")
	}
	if t.Epochs < 0 || t.Patience < 0 {
		return fmt.Errorf("dl: Start: Epochs is %d and Patience %d, want nothing negative", t.Epochs, t.Patience)
	}
	if t.Eval != nil {
		if _, err := batchesOf(t.Eval); err != nil {
			return fmt.Errorf("dl: Start: Eval: %w", err)
		}
	}
	if l, ok := t.Log.(interface{ Err() error }); ok && l.Err() != nil {
		return fmt.Errorf("dl: Start: Log: %w", l.Err())
	}
	if err := r.step.wrong(); err != nil {
		return err
	}
	if err := r.watches(); err != nil {
		return err
	}
	if t.Scheduler != nil {
		if _, plateau := t.Scheduler.(ReduceLROnPlateau); plateau && t.EachStep {
			return fmt.Errorf("dl: Start: EachStep is set and the Scheduler is ReduceLROnPlateau, which looks at epochs; leave EachStep out")
		}
		if _, err := r.step.Schedule(t.Scheduler); err != nil {
			return err
		}
	}
	return r.resume()
}

// pass trains on an epoch's batches, but for the first ones, which were used
// before the run was stopped.
func (r *Run) pass(ctx context.Context, epoch, first int) error {
	t := r.training
	perEpoch := t.Data.Len()
	for batch, err := range prefetch(from(t.Data, epoch, first), r.step.ready) {
		if err != nil {
			return during(fmt.Sprintf("Start: epoch %d", epoch+1), err)
		}
		// A step that has begun is waited for, so that none lands after Stop.
		found, err := r.step.do(ctx, context.Background(), batch)
		if err != nil {
			return err
		}
		r.mu.Lock()
		r.sum.add(found)
		r.part.add(found)
		r.inEpoch++
		if r.clock.Equal(r.began) { // the first step, which was compiled
			r.first, r.clock = r.step.N(), time.Now()
		}
		r.loss.add(float64(r.epoch-1)+float64(r.inEpoch)/float64(max(perEpoch, r.inEpoch)), found.result().Loss)
		r.mu.Unlock()
		if !r.step.pending() {
			if err := r.took(); err != nil {
				return err
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return nil
}

// from yields an epoch's batches from the first one on, and at the end the error
// that the data panics with. A loader need not read those before the first.
func from(data Batches, epoch, first int) iter.Seq2[Batch, error] {
	switch l := data.(type) { // not what only embeds one, whose Epoch may be its own
	case DataLoader:
		return l.epochFrom(epoch, first)
	case *DataLoader:
		return l.epochFrom(epoch, first)
	}
	batches := guarded(data.Epoch(epoch))
	if first == 0 {
		return batches
	}
	return func(yield func(Batch, error) bool) {
		n := 0
		for batch, err := range batches {
			if n++; n <= first && err == nil {
				continue
			}
			if !yield(batch, err) {
				return
			}
		}
	}
}

// guarded yields what seq does, and the error that it panics with. What the loop
// itself panics with goes on.
func guarded(seq iter.Seq[Batch]) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		var inLoop any // what the loop's body panicked with
		err := xla.Guard(func() {
			for batch := range seq {
				more := false
				func() {
					defer func() {
						if inLoop = recover(); inLoop != nil {
							more = false
						}
					}()
					more = yield(batch, nil)
				}()
				if !more {
					return
				}
			}
		})
		if inLoop != nil {
			panic(inLoop)
		}
		if err != nil {
			yield(Batch{}, err)
		}
	}
}

// took tells about the step that was done, if there was one, and saves the
// state where it is time.
func (r *Run) took() error {
	n := r.step.N()
	r.mu.Lock()
	part, epoch := r.part, r.epoch
	r.part = tally{}
	r.mu.Unlock()
	if part.rows == 0 {
		return nil
	}
	t := r.training
	done := StepDone{N: n, Epoch: epoch, Result: part.result(), LR: r.step.LR(), GradNorm: r.step.GradNorm()}
	if t.Scheduler != nil && t.EachStep {
		if err := r.step.schedule.Step(); err != nil {
			return err
		}
	}
	if t.Log != nil {
		t.Log.AddScalar("train/loss", done.Result.Loss, n)
		if !math.IsNaN(done.GradNorm) {
			t.Log.AddScalar("train/grad norm", done.GradNorm, n)
		}
	}
	if every := t.Checkpoint.Every; every > 0 && n%every == 0 {
		if err := r.save(); err != nil {
			return err
		}
	}
	if t.OnStep != nil {
		return t.OnStep(done)
	}
	return nil
}

// close ends an epoch: notes it, steps the scheduler, saves the state and
// tells. It reports whether the run is to end.
func (r *Run) close(done Epoch) (ended bool, err error) {
	t := r.training
	value := r.value(done)
	if t.Scheduler != nil && !t.EachStep {
		if err := r.step.schedule.StepMetric(value); err != nil {
			return false, err
		}
	}
	better := r.best.better(value, t.less(), t.MinDelta)
	var weights StateDict
	if better && t.RestoreBest {
		weights = r.model.StateDict()
	}
	r.mu.Lock()
	r.epochs = append(r.epochs, done)
	if better {
		r.best = watched{value, done.N, weights}
	}
	ended = t.Patience > 0 && done.N-r.best.epoch >= t.Patience
	// From here on the run is at the beginning of the next epoch, so that a
	// state that is saved says so. The status shows this one until then.
	r.closed = true
	r.early = ended
	r.mu.Unlock()
	if t.Checkpoint.Dir != "" {
		if err := r.save(); err != nil {
			return false, err
		}
	}
	r.log(done)
	if t.OnEpoch != nil {
		if err := t.OnEpoch(done); err != nil {
			return false, err
		}
	}
	if !ended && done.N < t.Epochs {
		r.mu.Lock()
		r.inEpoch, r.sum = 0, tally{}
		r.mu.Unlock()
	}
	return ended, nil
}

// finish is what follows after the last step, however the run ended.
func (r *Run) finish(ctx context.Context, err error) error {
	r.mu.Lock()
	stopped := ctx.Err() != nil && r.stopped
	begun, saved, best := r.begun, r.closed, r.best.weights
	r.mu.Unlock()
	if stopped && errors.Is(err, context.Canceled) {
		err = nil
	}
	if begun && !saved && r.training.Checkpoint.Dir != "" {
		if e := r.save(); e != nil && err == nil {
			err = e
		}
	}
	if err == nil && best != nil {
		return r.model.LoadStateDict(best)
	}
	return err
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
		for _, m := range e.Eval.Metrics {
			add("eval/"+m.Name, m.Value)
		}
	}
}

// watched is the best epoch so far.
type watched struct {
	value   float64
	epoch   int       // 0 where there was none
	weights StateDict // with RestoreBest
}

// better tells whether a value improves on the best so far.
func (w watched) better(value float64, less bool, delta float64) bool {
	switch {
	case math.IsNaN(value):
		return false
	case w.epoch == 0:
		return true
	case less:
		return value < w.value-delta
	}
	return value > w.value+delta
}

// watch is the name of the curve that says how good an epoch is.
func (t Training) watch() string {
	switch {
	case t.Watch != "":
		return t.Watch
	case t.Eval != nil:
		return "eval/loss"
	}
	return "train/loss"
}

// less tells whether less of it is better.
func (t Training) less() bool { return strings.HasSuffix(t.watch(), "loss") }

// watches checks the settings about the best epoch.
func (r *Run) watches() error {
	t := r.training
	for _, name := range r.Names() {
		if name == t.watch() {
			if t.Patience < 0 || t.MinDelta < 0 {
				return fmt.Errorf("dl: Start: Patience is %d and MinDelta %v, want nothing negative", t.Patience, t.MinDelta)
			}
			return nil
		}
	}
	return fmt.Errorf("dl: Start: Watch is %q, want one of %s", t.Watch, strings.Join(r.Names(), ", "))
}

// value returns an epoch's value on the watched curve.
func (r *Run) value(e Epoch) float64 {
	switch name := r.training.watch(); name {
	case "train/loss":
		return e.Train.Loss
	case "train/accuracy":
		return e.Train.Accuracy
	case "eval/loss":
		return e.Eval.Loss
	case "eval/accuracy":
		return e.Eval.Accuracy
	default:
		return e.Eval.Metric(strings.TrimPrefix(name, "eval/"))
	}
}
