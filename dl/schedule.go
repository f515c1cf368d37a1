package dl

import (
	"fmt"
	"math"
	"slices"
)

// ReduceLROnPlateau multiplies the rate by Factor when a metric, usually the
// loss on the test data, stops getting better, as
// torch.optim.lr_scheduler.ReduceLROnPlateau.
type ReduceLROnPlateau struct {
	Max       bool    // larger is better: an accuracy
	Factor    float64 // 0 means 0.1
	Patience  int     // steps without improvement that are let pass; 0 means 10, -1 none
	Threshold float64 // how much better counts, as a share of the best; 0 means 1e-4
	Absolute  bool    // Threshold is a difference, not a share
	Cooldown  int     // steps after a reduction that do not count
	MinLR     float64 // the rate falls no lower
	Epsilon   float64 // smaller changes of the rate are not made; 0 means 1e-8
}

func (s ReduceLROnPlateau) check() error {
	if s.Factor < 0 || s.Factor >= 1 || s.Patience < -1 || s.Threshold < 0 || s.Cooldown < 0 || s.MinLR < 0 || s.Epsilon < 0 {
		return fmt.Errorf("dl: ReduceLROnPlateau: settings are %+v, want Factor in (0, 1) and nothing negative but Patience -1 for none; try ReduceLROnPlateau{Factor: 0.1, Patience: 10}", s)
	}
	return nil
}

// at is not used: the rate depends on the metrics.
func (s ReduceLROnPlateau) at(base float64, _ int) float64 { return base }

func (s ReduceLROnPlateau) defaults() ReduceLROnPlateau {
	fallback(&s.Factor, 0.1)
	fallback(&s.Threshold, 1e-4)
	fallback(&s.Epsilon, 1e-8)
	switch s.Patience {
	case 0:
		s.Patience = 10
	case -1:
		s.Patience = 0
	}
	return s
}

// better tells whether a metric improves on the best so far.
func (s ReduceLROnPlateau) better(metric, best float64) bool {
	switch {
	case s.Absolute && s.Max:
		return metric > best+s.Threshold
	case s.Absolute:
		return metric < best-s.Threshold
	case s.Max:
		return metric > best*(1+s.Threshold)
	}
	return metric < best*(1-s.Threshold)
}

// Schedule is a [Scheduler] at work on a [Step]'s learning rate.
// [Step.Schedule] makes one. Goroutines may share it.
type Schedule struct {
	step *Step
	how  Scheduler

	// The step's mu guards what follows.
	state scheduleState
}

// scheduleState is what a saved training keeps of a schedule.
type scheduleState struct {
	N     int     // steps done
	Base  []exact // rates when it began, by group
	Scale []exact // what SetLR multiplied them by
	Set   []exact // the rates that the schedule set last
	Best  exact   // of a plateau's metric
	Bad   int     // steps without improvement
	Wait  int     // steps of a cooldown that are left
}

// Schedule lets a scheduler set the learning rate from now on, in place of one
// before it; its first rate is set at once. Call [Schedule.Step] after each
// epoch, or after each batch where the scheduler counts batches:
//
//	schedule := step.Schedule(dl.StepLR{StepSize: 30})
//	for range epochs {
//		for batch := range loader.Batches() {
//			step.Run(batch)
//		}
//		schedule.Step()
//	}
//
// Settings that cannot work panic with an error.
func (s *Step) Schedule(how Scheduler) *Schedule {
	c, err := s.newSchedule(how)
	if err != nil {
		panic(err)
	}
	return c
}

func (s *Step) newSchedule(how Scheduler) (*Schedule, error) {
	if how == nil {
		return nil, fmt.Errorf("dl: Schedule: the scheduler is nil; try dl.StepLR{StepSize: 30}")
	}
	if err := how.check(); err != nil {
		return nil, err
	}
	c := &Schedule{step: s, how: how}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.state.Best = exact(math.Inf(1))
	if p, ok := how.(ReduceLROnPlateau); ok && p.Max {
		c.state.Best = exact(math.Inf(-1))
	}
	for _, lr := range s.rates {
		c.state.Base = append(c.state.Base, exact(lr))
		c.state.Scale = append(c.state.Scale, 1)
	}
	if cycles(how) {
		if err := s.cycle(); err != nil {
			return nil, err
		}
	}
	c.set()
	s.schedule = c
	return c, nil
}

// Step counts one step of the scheduler and sets the learning rate for what
// follows. [ReduceLROnPlateau] needs the metric, and panics without it; the
// others take none.
func (c *Schedule) Step(metric ...float64) {
	if err := c.next(metric...); err != nil {
		panic(err)
	}
}

func (c *Schedule) next(metric ...float64) error {
	c.step.mu.Lock()
	defer c.step.mu.Unlock()
	st := &c.state
	st.N++
	p, ok := c.how.(ReduceLROnPlateau)
	if !ok {
		c.follow()
		c.set()
		return nil
	}
	if len(metric) == 0 {
		return fmt.Errorf("dl: Schedule: ReduceLROnPlateau got no metric, want one, such as the loss on the test data: schedule.Step(result.Loss)")
	}
	p = p.defaults()
	if v := metric[0]; p.better(v, float64(st.Best)) {
		st.Best, st.Bad = exact(v), 0
	} else {
		st.Bad++
	}
	if st.Wait > 0 {
		st.Wait--
		st.Bad = 0
	}
	if st.Bad > p.Patience {
		for i, old := range c.step.rates {
			if now := max(old*p.Factor, p.MinLR); old-now > p.Epsilon {
				c.step.rates[i] = now
			}
		}
		st.Wait, st.Bad = p.Cooldown, 0
	}
	return nil
}

// LR returns the learning rate that the schedule arrived at.
func (c *Schedule) LR() float64 { return c.step.LR() }

// N returns how many steps the schedule took.
func (c *Schedule) N() int {
	c.step.mu.Lock()
	defer c.step.mu.Unlock()
	return c.state.N
}

// follow takes what SetLR did since the last step into the schedule. The
// caller holds the step's mu.
func (c *Schedule) follow() {
	for i, lr := range c.step.rates {
		if set := float64(c.state.Set[i]); lr != set && set != 0 {
			c.state.Scale[i] *= exact(lr / set)
		}
	}
}

// set gives the step the rates and momenta of now. The caller holds the step's mu.
func (c *Schedule) set() {
	if _, ok := c.how.(ReduceLROnPlateau); ok {
		return
	}
	c.state.Set = slices.Clone(c.state.Base)
	for i, g := range c.step.groups {
		if g.rule() == nil {
			continue
		}
		lr := float64(c.state.Scale[i]) * c.how.at(float64(c.state.Base[i]), c.state.N)
		c.step.rates[i], c.state.Set[i] = lr, exact(lr)
	}
	if how, ok := c.how.(cycler); ok {
		if m, ok := how.momentum(c.state.N); ok {
			for i := range c.step.momenta {
				c.step.momenta[i] = m
			}
		}
	}
}
