package dl

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"strings"
	"time"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// train is all that the run's goroutine does until the last step. It returns how the run ended,
// stageDone or stageStoppedEarly, where there is no error.
func (r *Run) train(ctx context.Context) (stage, error) {
	if err := r.ready(); err != nil {
		return stageFailed, err
	}
	for len(r.now.Epochs) < r.training.Epochs {
		found, err := r.epoch(ctx)
		if err != nil {
			return stageFailed, err
		}
		if err := r.note(found); err != nil {
			return stageFailed, err
		}
		if p := r.training.Patience; p > 0 && found.N-r.now.Best.Epoch >= p {
			return stageStoppedEarly, nil
		}
	}
	return stageDone, nil
}

// epoch trains on the data once, or on what a resumed run has left of it, and evaluates.
func (r *Run) epoch(ctx context.Context) (Epoch, error) {
	began, waited := time.Now(), r.now.waited
	if r.now.stage == stageBetween {
		r.now = r.now.atEpochEnd()
	}
	r.now.Epoch = len(r.now.Epochs) + 1
	r.enter(stageTraining)
	if err := r.pass(ctx); err != nil {
		return Epoch{}, err
	}
	if err := r.step.flush(ctx, context.Background()); err != nil {
		return Epoch{}, err
	}
	if err := r.afterStep(); err != nil {
		return Epoch{}, err
	}
	r.enter(stageEvaluating)
	if r.now.Sum.Rows == 0 {
		return Epoch{}, fmt.Errorf("dl: Start: the data has no batches; use a smaller BatchSize, or leave DropLast out")
	}
	found := Epoch{N: r.now.Epoch, Steps: r.step.N(), Train: r.now.Sum.result(), LR: r.step.LR()}
	if t := r.training; t.Eval != nil {
		var err error
		if found.Eval, err = evaluate(ctx, r.model, t.Eval, r.step.loss, t.Metrics); err != nil {
			return Epoch{}, err
		}
	}
	found.Took = time.Since(began) - (r.now.waited - waited)
	return found, nil
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
func (r *Run) pass(ctx context.Context) error {
	data, at := r.step.ownPart(r.training.Data), &r.now
	r.whole = r.now
	perEpoch := data.Len()
	for batch, err := range prefetch(from(data, at.Epoch-1, at.InEpoch), r.step.ready) {
		if err != nil {
			return during(fmt.Sprintf("Start: epoch %d", at.Epoch), err)
		}
		// A step that has begun is waited for, so that none lands after Stop.
		found, err := r.step.do(ctx, context.Background(), batch)
		if err != nil {
			return err
		}
		at.Sum.add(found)
		at.Part.add(found)
		at.InEpoch++
		if at.clock.IsZero() { // the first step, which was compiled
			at.skipped, at.clock = r.step.N(), time.Now()
		}
		at.Loss.add(float64(at.Epoch-1)+float64(at.InEpoch)/float64(max(perEpoch, at.InEpoch)), found.result().Loss)
		r.publish()
		if !r.step.pending() {
			if err := r.afterStep(); err != nil {
				return err
			}
		}
		if r.pause.waits() != nil {
			at.held = true
			r.publish()
			waited := r.pause.wait(ctx)
			at.held = false
			at.waited += waited
			at.clock = at.clock.Add(waited) // the rate is that of the time at work
			r.publish()
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

// afterStep tells about the step that was done, if there was one, and saves the
// state where it is time.
func (r *Run) afterStep() error {
	part := r.now.Part
	r.now.Part = tally{}
	r.whole = r.now
	if part.Rows == 0 {
		return nil
	}
	t, n := r.training, r.step.N()
	done := StepDone{N: n, Epoch: r.now.Epoch, Result: part.result(), LR: r.step.LR(), GradNorm: r.step.GradNorm()}
	if t.Scheduler != nil && t.EachStep {
		if err := r.step.schedule.Step(); err != nil {
			return err
		}
	}
	if t.Log != nil && thisJob().writes() {
		t.Log.AddScalar("train/loss", done.Result.Loss, n)
		if !math.IsNaN(done.GradNorm) {
			t.Log.AddScalar("train/grad norm", done.GradNorm, n)
		}
	}
	if every := t.Checkpoint.Every; every > 0 && n%every == 0 {
		if err := r.save(context.Background()); err != nil {
			return err
		}
	}
	if t.OnStep != nil {
		return t.OnStep(done)
	}
	return nil
}

// note takes down what an epoch found, steps the scheduler, saves the state and tells.
func (r *Run) note(found Epoch) error {
	t := r.training
	value := r.value(found)
	if t.Scheduler != nil && !t.EachStep {
		if err := r.step.schedule.StepMetric(value); err != nil {
			return err
		}
	}
	if r.now.Best.beatenBy(value, t.less(), t.MinDelta) {
		r.now.Best = best{Value: exact(value), Epoch: found.N}
		if t.RestoreBest {
			r.now.Best.weights = r.model.StateDict()
		}
	}
	r.now.Epochs = append(r.now.Epochs, found)
	r.enter(stageBetween)
	if t.Checkpoint.Dir != "" {
		r.unsaved = t.Options.severalProcesses() // until no other has stopped
		if err := r.save(context.Background()); err != nil {
			return err
		}
		r.unsaved = false
	}
	r.log(found)
	if t.OnEpoch != nil {
		return t.OnEpoch(found)
	}
	return nil
}

// finish is what follows after the last step, however the run ended.
func (r *Run) finish(err error) error {
	unsaved := r.now.stage == stageTraining || r.now.stage == stageEvaluating || r.unsaved
	if unsaved && r.training.Checkpoint.Dir != "" {
		err = r.saveLast(err)
	}
	if weights := r.now.Best.weights; err == nil && weights != nil {
		return r.model.LoadStateDict(weights)
	}
	return err
}

// saveLast saves the state of a run that ends before its last step, by an error or without one, and
// returns the run's error.
func (r *Run) saveLast(err error) error {
	several := r.training.Options.severalProcesses()
	ctx := context.Background()
	if several {
		ctx = ended(context.Canceled)
		if r.now.stage == stageTraining && r.training.Options.Accumulate > 1 {
			// Gradients that were added up for the next step are gone.
			r.whole.stage, r.whole.clock, r.whole.skipped = r.now.stage, r.now.clock, r.now.skipped
			r.now = r.whole
		}
	}
	e := r.save(ctx)
	if several {
		// Rank 0 writes, and a launcher may end all processes when the first one has ended.
		thisJob().wait(ctx, "the end of the run")
	}
	if e == nil {
		return err
	}
	err = cmp.Or(err, e)
	if several {
		return fmt.Errorf("%w; the state after step %d is not saved, %s", err, r.step.N(), r.training.Checkpoint.newest())
	}
	return err
}

func (r *Run) log(e Epoch) {
	l := r.training.Log
	if l == nil || !thisJob().writes() {
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

// less reports whether less of it is better.
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
