package dl

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Step trains a model by hand, a batch at a time:
//
//	step := dl.TrainStep(model, dl.CrossEntropyLoss{}, dl.SGD{LR: 0.01})
//	for batch := range loader.Batches() {
//		result := step.Run(batch)
//	}
//
// A step is one compiled program: forward, backward and update. It either
// happens or does not: the new weights take the old ones' place when all of
// them are there, so a step that fails, runs out of memory or is interrupted
// leaves the model as it was, or as it is after the step. For that moment the
// weights, and what the optimizer keeps, are in memory twice.
//
// A Step keeps the optimizer's state (momentum); the weights are the model's.
// Another Step on the same model goes on from them with fresh momentum, as a
// new torch.optim optimizer does. [Step.Save] keeps both. Goroutines may share
// a Step.
type Step struct {
	model   *Model
	loss    Loss
	groups  groups
	rule    string // the optimizer's settings
	options Options
	err     error // of the settings

	turn          sync.Mutex // held from the recording of a step to the end of its program
	mu            sync.Mutex // guards what follows
	rates         []float64  // of the groups
	momenta       []float64  // likewise
	n             int
	seen          int                  // batches; n where none are accumulated
	kept          map[string][]*Tensor // the optimizer's slots by parameter
	inPieces      map[string]Shape     // parameters of whose slots this process has a piece, and their shapes
	sums          gradientSums
	trial         bool  // it is to show what happens, so a loss that is not finite is no error
	onlyGradients bool  // only gradients are wanted: nothing of the model changes
	synced        bool  // the weights are the same in all processes of the job
	adds          adder // over these; nil before
	size          int   // rows of the compiled program; smaller batches are filled up
	inGo          bool  // the last batch's program ran in Go, which needs nothing on a device
	last          Result
	norms         map[string]float64 // of the last step's gradients
	seed          uint64             // with seen, where a step's random numbers begin
	schedule      *Schedule
}

// TrainStep returns a [Step] that trains the model. A nil loss means
// [CrossEntropyLoss]. The program is compiled at the first [Step.Run], which
// also returns the error of settings that cannot work; that of a small network
// runs in Go, and is not compiled.
//
//	step := dl.TrainStep(model, nil, dl.Adam{}).With(dl.Options{ClipNorm: 1})
func TrainStep(model *Model, loss Loss, optimizer Optimizer) *Step {
	s := &Step{model: model, loss: loss, seed: nextSeed(), kept: map[string][]*Tensor{}}
	if loss == nil {
		s.loss = CrossEntropyLoss{}
	}
	if s.err = s.prepare(optimizer); s.err == nil {
		model.loss.Store(&s.loss)
	}
	return s
}

// With says how the steps are computed, in place of what it was before, and
// returns the step. It is called between steps, best before the first. Options
// that cannot work are the error of [Step.Run].
func (s *Step) With(options Options) *Step {
	s.options = options
	return s
}

// wrong returns the error of settings that cannot work.
func (s *Step) wrong() error {
	if s.err != nil {
		return s.err
	}
	return s.options.check()
}

// prepare checks the settings.
func (s *Step) prepare(o Optimizer) error {
	switch {
	case s.model == nil:
		return fmt.Errorf("dl: TrainStep: the model is nil, want one that dl.Build made")
	case o == nil:
		return fmt.Errorf("dl: TrainStep: the optimizer is nil; try dl.SGD{LR: 0.01, Momentum: 0.9}")
	}
	var err error
	if s.groups, err = groupsOf(o); err != nil {
		return err
	}
	s.rule = s.groups.settings()
	for _, g := range s.groups {
		rate, momentum := 0.0, 0.0
		if g.rule != nil {
			rate, momentum = g.rule.rate(), g.rule.momentum()
		}
		s.rates, s.momenta = append(s.rates, rate), append(s.momenta, momentum)
	}
	member, err := s.groups.of(s.model)
	if err != nil {
		return err
	}
	var out []string
	for i, learns := range s.model.learning() {
		if learns && member[i] < 0 {
			out = append(out, s.model.specs[i].name)
		}
	}
	noticeUngrouped("TrainStep", out)
	how, err := reductionOf(s.loss)
	if err == nil && how == "none" {
		err = fmt.Errorf("dl: TrainStep: the loss has Reduction none, want one number to train on; use mean or sum")
	}
	return err
}

// N returns the number of steps done.
func (s *Step) N() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// counts returns the number of steps done and of batches seen.
func (s *Step) counts() (n, seen int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n, s.seen
}

// pending reports whether batches wait for the step that they are added up for.
func (s *Step) pending() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sums.batches > 0
}

// LR returns the learning rate; of [ParamGroups], that of the first group
// that has one.
func (s *Step) LR() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, lr := range s.rates {
		if lr != 0 {
			return lr
		}
	}
	return 0
}

// LRs returns the learning rate of each group.
func (s *Step) LRs() []float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rates)
}

// SetLR changes the learning rate from the next step on, without compiling.
// With [ParamGroups], the rates of all groups change in the same proportion.
// A [Schedule] goes on from the new rate: what it sets later is as many times
// larger.
func (s *Step) SetLR(lr float64) {
	now := s.LR()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, old := range s.rates {
		switch {
		case now == 0 || len(s.rates) == 1:
			s.rates[i] = lr
		case old == now:
			s.rates[i] = lr // exactly
		default:
			s.rates[i] = old * (lr / now)
		}
	}
}

// SetLRs changes the learning rates of the groups, in their order. Another
// number of rates than groups is an error, and changes nothing.
func (s *Step) SetLRs(lrs ...float64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(lrs) != len(s.rates) {
		return fmt.Errorf("dl: SetLRs: %d rates, want %d, one for each group", len(lrs), len(s.rates))
	}
	copy(s.rates, lrs)
	return nil
}

// Last returns the loss and accuracy of the last batch, before its step
// changed the weights.
func (s *Step) Last() Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Run does one step and returns the batch's loss and accuracy before it.
// Shapes that do not fit are a [*ShapeError]; labels outside of the classes
// and the cell's interrupt are errors too. After an interrupt the step may
// still come to its end, whole.
func (s *Step) Run(batch Batch) (Result, error) {
	ctx := xla.Context()
	t, err := s.do(ctx, ctx, batch)
	if err == nil && ctx.Err() != nil && s.options.severalProcesses() {
		// The step was done by all, and the others are not to wait for this process at the next.
		err = during("training step", s.sharing(ctx, ctx.Err))
	}
	if err != nil {
		return Result{}, err
	}
	return t.result(), nil
}

// do does a step. Two contexts end its waits, for the compiler and for the
// step itself.
func (s *Step) do(ctx, running context.Context, batch Batch) (t tally, err error) {
	err = s.sharing(ctx, func() error { t, err = s.doBatch(ctx, running, batch); return err })
	return t, err
}

func (s *Step) doBatch(ctx, running context.Context, batch Batch) (tally, error) {
	if err := s.wrong(); err != nil {
		return tally{}, err
	}
	on, err := s.model.on()
	if err != nil {
		return tally{}, err
	}
	rows, err := batch.rows()
	if err != nil {
		return tally{}, during("training step", err)
	}
	switch g, err := s.group(ctx); {
	case err != nil:
		return tally{}, during("training step", err)
	case g != nil:
		t, err := s.distributed(ctx, running, g, on, batch, rows)
		if err != nil {
			return tally{}, during("training step", err)
		}
		return t, nil
	}
	if err := errPart(batch); err != nil {
		return tally{}, during("training step", err)
	}
	s.mu.Lock()
	size := s.options.padded(max(s.size, rows), on)
	s.mu.Unlock()
	record := s.whole
	if s.options.Accumulate > 1 {
		record = s.gather
	}
	t, err := s.attempt(ctx, running, on, batch, rows, size, record)
	if err == nil && s.options.Accumulate > 1 && s.readyToStep() {
		err = s.apply(ctx, running)
	}
	if err != nil {
		return tally{}, during("training step", err)
	}
	return t, nil
}

// GradNorm returns the length of the last step's gradients, all taken as one
// vector, before they were clipped: what torch.nn.utils.clip_grad_norm_
// returns. It is NaN before the first step, and without Options.GradNorms or
// ClipNorm.
func (s *Step) GradNorm() float64 {
	norms := s.GradNorms()
	if norms == nil {
		return math.NaN()
	}
	return total(norms)
}

// GradNorms returns the length of the last step's gradient for each trained
// parameter, before clipping. It is nil before the first step, and without
// Options.GradNorms or ClipNorm.
func (s *Step) GradNorms() map[string]float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.norms // replaced as a whole
}

// ready copies a batch to the device that the next step runs on, where the
// step takes it as it is. What goes wrong here goes wrong in the step again,
// which says so.
func (s *Step) ready(batch Batch) (Batch, error) {
	on, err := s.model.on()
	rows, e := batch.rows()
	s.mu.Lock()
	size, inGo := s.size, s.inGo
	s.mu.Unlock()
	if err != nil || e != nil || rows < size || inGo || s.options.Devices > 1 || s.options.Devices == All {
		return batch, nil
	}
	for _, t := range []*Tensor{batch.Inputs, batch.Labels} {
		values, release := t.values()
		values.Prepare(on)
		release()
	}
	return batch, nil
}
