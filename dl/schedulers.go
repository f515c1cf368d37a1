package dl

import (
	"fmt"
	"math"
)

// Scheduler says how a learning rate changes while training goes on, as the
// classes of torch.optim.lr_scheduler do: [StepLR], [MultiStepLR],
// [ExponentialLR], [CosineAnnealingLR], [OneCycleLR], [LinearLR] for a
// warm-up, [SequentialLR] of these, [LambdaLR] of your own, and
// [ReduceLROnPlateau]. [Step.Schedule] and Training.Scheduler use one.
//
// The base rate is what the optimizer's LR was when the schedule began.
//
// A type of your own is one too, by its method LR. It is asked after each step, and
// anew from the number of steps when a training is resumed, so it keeps no state.
type Scheduler interface {
	// LR returns the learning rate after n steps of the scheduler, for the rate
	// that the optimizer began with: finite, and at least 0.
	LR(base float64, n int) float64
}

// checkScheduler returns an error for settings that cannot work.
func checkScheduler(how Scheduler) error {
	if c, ok := how.(interface{ check() error }); ok {
		return c.check()
	}
	return nil
}

// StepLR multiplies the rate by Gamma every StepSize steps, as
// torch.optim.lr_scheduler.StepLR.
type StepLR struct {
	StepSize int     // steps of the scheduler, usually epochs; required
	Gamma    float64 // 0 means 0.1
}

func (s StepLR) check() error {
	if s.StepSize <= 0 || s.Gamma < 0 {
		return fmt.Errorf("dl: StepLR: StepSize is %d and Gamma %v, want a StepSize above 0 and no negative Gamma; try StepLR{StepSize: 30, Gamma: 0.1}", s.StepSize, s.Gamma)
	}
	return nil
}

// LR returns the rate after n steps.
func (s StepLR) LR(base float64, n int) float64 {
	fallback(&s.Gamma, 0.1)
	return base * math.Pow(s.Gamma, float64(n/s.StepSize))
}

// MultiStepLR multiplies the rate by Gamma at each milestone, as
// torch.optim.lr_scheduler.MultiStepLR.
type MultiStepLR struct {
	Milestones []int   // steps of the scheduler; required
	Gamma      float64 // 0 means 0.1
}

func (s MultiStepLR) check() error {
	if len(s.Milestones) == 0 || s.Gamma < 0 {
		return fmt.Errorf("dl: MultiStepLR: Milestones are %v and Gamma is %v, want at least one milestone and no negative Gamma; try MultiStepLR{Milestones: []int{30, 80}}", s.Milestones, s.Gamma)
	}
	return nil
}

// LR returns the rate after n steps.
func (s MultiStepLR) LR(base float64, n int) float64 {
	fallback(&s.Gamma, 0.1)
	for _, m := range s.Milestones {
		if n >= m {
			base *= s.Gamma
		}
	}
	return base
}

// ExponentialLR multiplies the rate by Gamma at every step, as
// torch.optim.lr_scheduler.ExponentialLR.
type ExponentialLR struct {
	Gamma float64 // required
}

func (s ExponentialLR) check() error {
	if !(s.Gamma > 0) {
		return fmt.Errorf("dl: ExponentialLR: Gamma is %v, want it above 0; try 0.95", s.Gamma)
	}
	return nil
}

// LR returns the rate after n steps.
func (s ExponentialLR) LR(base float64, n int) float64 { return base * math.Pow(s.Gamma, float64(n)) }

// CosineAnnealingLR lets the rate fall to MinLR along half a cosine, and rise
// again afterwards, as torch.optim.lr_scheduler.CosineAnnealingLR. Loshchilov
// and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR
// 2017.
type CosineAnnealingLR struct {
	TMax  int     // steps of the scheduler until MinLR; required
	MinLR float64 // PyTorch's eta_min
}

func (s CosineAnnealingLR) check() error {
	if s.TMax <= 0 || s.MinLR < 0 {
		return fmt.Errorf("dl: CosineAnnealingLR: TMax is %d and MinLR %v, want TMax above 0 and no negative MinLR; set TMax to the number of epochs", s.TMax, s.MinLR)
	}
	return nil
}

// LR returns the rate after n steps.
func (s CosineAnnealingLR) LR(base float64, n int) float64 {
	return s.MinLR + (base-s.MinLR)*(1+math.Cos(math.Pi*float64(n)/float64(s.TMax)))/2
}

// OneCycleLR lets the rate rise to MaxLR and then fall to almost nothing, as
// torch.optim.lr_scheduler.OneCycleLR. Against it, the momentum falls from
// MaxMomentum to BaseMomentum and rises again: the Momentum of [SGD] and
// [RMSprop], which need none of their own, and Beta1 of [Adam] and [AdamW].
// Step it after each batch (Training.EachStep), and begin it before the first
// step. Smith and Topin, "Super-Convergence", arXiv:1708.07120.
type OneCycleLR struct {
	MaxLR      float64 // the optimizer's LR does not matter; required
	TotalSteps int     // of the scheduler: epochs × batches; required
	PctStart   float64 // share of the steps in which the rate rises; 0 means 0.3
	DivFactor  float64 // the rate begins at MaxLR/DivFactor; 0 means 25
	FinalDiv   float64 // and ends at the beginning's/FinalDiv; 0 means 1e4
	Linear     bool    // straight lines, not cosines
	ThreePhase bool    // falls to the beginning's rate first, as fast as it rose

	KeepMomentum bool    // leaves the momentum as it is: PyTorch's cycle_momentum=False
	BaseMomentum float64 // the momentum where the rate is highest; 0 means 0.85
	MaxMomentum  float64 // and in the beginning and the end; 0 means 0.95
}

func (s OneCycleLR) check() error {
	if s.DivFactor == Zero || s.FinalDiv == Zero {
		return fmt.Errorf("dl: OneCycleLR: DivFactor or FinalDiv is Zero, want a number above 0, since rates are divided by it; leave it out for 25 and 1e4")
	}
	if !(s.MaxLR > 0) || s.TotalSteps <= 0 || s.PctStart < 0 || s.PctStart > 1 || s.DivFactor < 0 || s.FinalDiv < 0 || !(s.BaseMomentum >= 0 && s.BaseMomentum < 1) || !(s.MaxMomentum >= 0 && s.MaxMomentum < 1) {
		return fmt.Errorf("dl: OneCycleLR: settings are %+v, want MaxLR and TotalSteps above 0, PctStart in [0, 1], momenta in [0, 1) and nothing negative; set TotalSteps to epochs × loader.Len()", s)
	}
	return nil
}

// LR returns the rate after n steps.
func (s OneCycleLR) LR(_ float64, n int) float64 {
	fallback(&s.DivFactor, 25)
	fallback(&s.FinalDiv, 1e4)
	first := s.MaxLR / s.DivFactor
	return s.between(n, first, s.MaxLR, first, first/s.FinalDiv)
}

func (s OneCycleLR) momentum(n int) (float64, bool) {
	fallback(&s.BaseMomentum, 0.85)
	fallback(&s.MaxMomentum, 0.95)
	return s.between(n, s.MaxMomentum, s.BaseMomentum, s.MaxMomentum, s.MaxMomentum), !s.KeepMomentum
}

// between goes from first to top, and from there to last; with ThreePhase by
// way of middle.
func (s OneCycleLR) between(n int, first, top, middle, last float64) float64 {
	fallback(&s.PctStart, 0.3)
	type phase struct{ end, from, to float64 }
	peak, end := s.PctStart*float64(s.TotalSteps), float64(s.TotalSteps)-1
	phases := []phase{{peak - 1, first, top}, {end, top, last}}
	if s.ThreePhase {
		phases = []phase{{peak - 1, first, top}, {2*peak - 2, top, middle}, {end, middle, last}}
	}
	at, begin := min(float64(n), end), 0.0
	for i, p := range phases {
		if at > p.end && i < len(phases)-1 {
			begin = p.end
			continue
		}
		share := (at - begin) / (p.end - begin)
		if s.Linear {
			return (p.to-p.from)*share + p.from
		}
		return p.to + (p.from-p.to)/2*(1+math.Cos(math.Pi*share))
	}
	return last
}

// LinearLR brings the rate from a part of it to all of it along a straight
// line: a warm-up, as torch.optim.lr_scheduler.LinearLR.
type LinearLR struct {
	StartFactor float64 // 0 means 1/3
	EndFactor   float64 // 0 means 1
	TotalIters  int     // steps of the scheduler until EndFactor; 0 means 5
}

func (s LinearLR) check() error {
	if s.StartFactor < 0 || s.StartFactor > 1 || s.EndFactor < 0 || s.EndFactor > 1 || s.TotalIters < 0 {
		return fmt.Errorf("dl: LinearLR: settings are %+v, want factors in (0, 1] and no negative TotalIters; try LinearLR{StartFactor: 0.1, TotalIters: 5}", s)
	}
	return nil
}

// LR returns the rate after n steps.
func (s LinearLR) LR(base float64, n int) float64 {
	fallback(&s.StartFactor, 1.0/3)
	fallback(&s.EndFactor, 1)
	if s.TotalIters == 0 {
		s.TotalIters = 5
	}
	return base * (s.StartFactor + (s.EndFactor-s.StartFactor)*float64(min(n, s.TotalIters))/float64(s.TotalIters))
}

// LambdaLR multiplies the base rate by what a function returns for the number
// of steps, as torch.optim.lr_scheduler.LambdaLR.
type LambdaLR func(n int) float64

func (s LambdaLR) check() error {
	if s == nil {
		return fmt.Errorf("dl: LambdaLR: the function is nil; try func(n int) float64 { return math.Pow(0.95, float64(n)) }")
	}
	return nil
}

// LR returns the rate after n steps.
func (s LambdaLR) LR(base float64, n int) float64 { return base * s(n) }

// SequentialLR uses one scheduler after the other, as
// torch.optim.lr_scheduler.SequentialLR: a warm-up and then the rest.
//
//	dl.SequentialLR{
//		Schedulers: []dl.Scheduler{dl.LinearLR{TotalIters: 5}, dl.CosineAnnealingLR{TMax: 95}},
//		Milestones: []int{5},
//	}
type SequentialLR struct {
	Schedulers []Scheduler // at least one; each counts its own steps
	Milestones []int       // the steps at which the next one takes over, one fewer, growing
}

func (s SequentialLR) check() error {
	if len(s.Schedulers) == 0 || len(s.Milestones) != len(s.Schedulers)-1 {
		return fmt.Errorf("dl: SequentialLR: %d schedulers and %d milestones, want one milestone fewer than schedulers", len(s.Schedulers), len(s.Milestones))
	}
	for i, m := range s.Milestones {
		if m <= 0 || i > 0 && m <= s.Milestones[i-1] {
			return fmt.Errorf("dl: SequentialLR: Milestones are %v, want growing numbers above 0", s.Milestones)
		}
	}
	for i, part := range s.Schedulers {
		if part == nil {
			return fmt.Errorf("dl: SequentialLR: scheduler %d is nil; leave it out", i)
		}
		if _, ok := part.(ReduceLROnPlateau); ok {
			return fmt.Errorf("dl: SequentialLR: scheduler %d is ReduceLROnPlateau, which needs a metric at every step; use it alone", i)
		}
		if err := checkScheduler(part); err != nil {
			return during(fmt.Sprintf("SequentialLR: scheduler %d", i), err)
		}
	}
	return nil
}

// LR returns the rate after n steps.
func (s SequentialLR) LR(base float64, n int) float64 {
	part, n := s.now(n)
	return part.LR(base, n)
}

func (s SequentialLR) momentum(n int) (float64, bool) {
	part, n := s.now(n)
	if c, ok := part.(cycler); ok {
		return c.momentum(n)
	}
	return 0, false
}

// now returns the scheduler whose turn it is, and how many steps it took.
func (s SequentialLR) now(n int) (Scheduler, int) {
	i, begin := 0, 0
	for i < len(s.Milestones) && n >= s.Milestones[i] {
		begin = s.Milestones[i]
		i++
	}
	return s.Schedulers[i], n - begin
}
