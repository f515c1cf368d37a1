package dl

import (
	"fmt"
	"math"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// LRCurve is what a learning-rate range test saw: the loss of each step and
// the rate of that step. A notebook draws it by display.LRFinder(curve).
type LRCurve struct {
	LR, Loss []float64 // one of each for every step
	Title    string
}

// LRTest says how [FindLR] tests. From, To and Steps have the defaults of
// fastai's lr_find where they are 0.
type LRTest struct {
	Data      Source    // what to train on; required
	Loss      Loss      // nil means CrossEntropyLoss
	Optimizer Optimizer // its own rate is not used; nil means SGD with Momentum 0.9

	From  float64 // first learning rate; default 1e-7
	To    float64 // last learning rate; default 10
	Steps int     // default 100
}

// FindLR is the learning-rate range test (Smith, 2017, "Cyclical Learning
// Rates for Training Neural Networks", section 3.3): it trains with a rate
// that grows by the same factor from step to step, over the data as often as
// it takes, and ends when the loss is no number, four times the lowest one, or more than a
// quarter above the first ten, and above them by more than chance. Ten steps are done in any case.
//
//	curve := dl.FindLR(model, dl.LRTest{Data: loader, Optimizer: dl.Adam{}})
//	display.LRFinder(curve)
//
// The model stays as it is: what trains is a copy. The cell's interrupt ends
// it with an error.
func FindLR(model *Model, r LRTest) (LRCurve, error) {
	if r.Optimizer == nil {
		r.Optimizer = SGD{LR: 0.01, Momentum: 0.9}
	}
	if r.From == 0 {
		r.From = 1e-7
	}
	if r.To == 0 {
		r.To = 10
	}
	if r.Steps == 0 {
		r.Steps = 100
	}
	switch {
	case model == nil:
		return LRCurve{}, fmt.Errorf("dl: FindLR: the model is nil, want one that dl.Build made")
	case !(r.From > 0 && r.To > r.From) || math.IsInf(r.To, 0) || r.Steps < leastLRSteps:
		return LRCurve{}, fmt.Errorf("dl: FindLR: the rates go from %g to %g in %d steps, want 0 < From < To and at least %d Steps", r.From, r.To, r.Steps, leastLRSteps)
	}
	batches, err := batchesOf(r.Data)
	if err != nil {
		return LRCurve{}, during("FindLR", err)
	}
	ctx := xla.Context()
	step := TrainStep(model.clone(), r.Loss, r.Optimizer)
	step.trial = true
	factor := math.Pow(r.To/r.From, 1/float64(r.Steps-1))
	found, lowest, calm := LRCurve{}, math.Inf(1), math.Inf(1)
	for epoch := 0; ; epoch++ {
		before := len(found.LR)
		for batch, err := range from(batches, epoch, 0) {
			if err != nil {
				return LRCurve{}, during("FindLR", err)
			}
			lr := r.From * math.Pow(factor, float64(len(found.LR)))
			step.SetLR(lr)
			t, err := step.do(ctx, ctx, batch)
			if err != nil {
				return LRCurve{}, during("FindLR", err)
			}
			now := t.result().Loss
			found.LR, found.Loss = append(found.LR, lr), append(found.Loss, now)
			lowest = min(lowest, now)
			n := len(found.LR)
			if n == leastLRSteps {
				calm = calmLoss(found.Loss)
			}
			if n == r.Steps || n >= leastLRSteps && !(now <= min(4*lowest, calm)) {
				return found, nil
			}
		}
		if len(found.LR) == before {
			return LRCurve{}, fmt.Errorf("dl: FindLR: the data has no batches; check its folder, or DropLast of the loader")
		}
	}
}

// leastLRSteps is how many steps make a curve that display.LRFinder draws.
const leastLRSteps = 10

// calmLoss is the highest loss that is not yet an explosion, by the first ones of
// a test: a quarter above their mean, or five times their standard deviation.
func calmLoss(first []float64) float64 {
	mean, spread := 0.0, 0.0
	for _, v := range first {
		mean += v / float64(len(first))
	}
	for _, v := range first {
		spread += (v - mean) * (v - mean) / float64(len(first))
	}
	return mean + max(mean/4, 5*math.Sqrt(spread))
}
