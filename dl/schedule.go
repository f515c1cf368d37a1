package dl

import (
	"fmt"
	"math"
	"slices"
	"sync"
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

// LR returns the base rate: what follows depends on the metrics.
func (s ReduceLROnPlateau) LR(base float64, _ int) float64 { return base }

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

// better reports whether a metric improves on the best so far.
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

// Schedule is a [Scheduler] at work on the learning rate of a [Step] or an
// [Optim]. [Step.Schedule] and [Optim.Schedule] make one. Goroutines may share it.
type Schedule struct {
	of  scheduled
	how Scheduler

	// The lock of what is scheduled guards what follows.
	state scheduleState
}

// scheduled is what a schedule changes. All but Lock and Unlock want the lock.
type scheduled interface {
	sync.Locker
	// pace returns where the learning rate and the momentum of each group are. The
	// rate is nil where a group has no optimizer.
	pace() (rates, momenta []*float64)
	// cycle prepares for a scheduler that changes the momentum.
	cycle() error
}

// scheduledStep is a step that is scheduled.
type scheduledStep struct{ *Step }

func (s scheduledStep) Lock()   { s.mu.Lock() }
func (s scheduledStep) Unlock() { s.mu.Unlock() }

func (s scheduledStep) pace() (rates, momenta []*float64) {
	for i, g := range s.groups {
		rate := &s.rates[i]
		if g.rule == nil {
			rate = nil
		}
		rates, momenta = append(rates, rate), append(momenta, &s.momenta[i])
	}
	return rates, momenta
}

// scheduledOptim is an optimizer that is scheduled.
type scheduledOptim struct{ *Optim }

func (o scheduledOptim) Lock()   { o.mu.Lock() }
func (o scheduledOptim) Unlock() { o.mu.Unlock() }

func (o scheduledOptim) pace() (rates, momenta []*float64) {
	for i := range o.groups {
		rates, momenta = append(rates, &o.groups[i].rate), append(momenta, &o.groups[i].momentum)
	}
	return rates, momenta
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
func (s *Step) Schedule(how Scheduler) (*Schedule, error) {
	c, err := newSchedule(scheduledStep{s}, how)
	if err == nil {
		s.mu.Lock()
		s.schedule = c
		s.mu.Unlock()
	}
	return c, err
}

// Schedule lets a scheduler set the learning rate from now on, as
// [Step.Schedule]. Nothing is compiled anew when the rate changes.
func (o *Optim) Schedule(how Scheduler) (*Schedule, error) {
	c, err := newSchedule(scheduledOptim{o}, how)
	if err == nil {
		o.mu.Lock()
		o.schedule = c
		o.mu.Unlock()
	}
	return c, err
}

func newSchedule(of scheduled, how Scheduler) (*Schedule, error) {
	if how == nil {
		return nil, fmt.Errorf("dl: Schedule: the scheduler is nil; try dl.StepLR{StepSize: 30}")
	}
	if err := checkScheduler(how); err != nil {
		return nil, err
	}
	c := &Schedule{of: of, how: how}
	of.Lock()
	defer of.Unlock()
	c.state.Best = exact(math.Inf(1))
	if p, ok := how.(ReduceLROnPlateau); ok && p.Max {
		c.state.Best = exact(math.Inf(-1))
	}
	rates, _ := of.pace()
	for _, lr := range rates {
		base := exact(0)
		if lr != nil {
			base = exact(*lr)
		}
		c.state.Base, c.state.Scale = append(c.state.Base, base), append(c.state.Scale, 1)
	}
	if cycles(how) {
		if err := of.cycle(); err != nil {
			return nil, err
		}
	}
	return c, c.set()
}

// Step counts one step of the scheduler and sets the learning rate for what
// follows. [ReduceLROnPlateau] takes StepMetric in its place.
func (c *Schedule) Step() error {
	if _, ok := c.how.(ReduceLROnPlateau); ok {
		return fmt.Errorf("dl: Schedule: ReduceLROnPlateau got no metric, want one, such as the loss on the test data: schedule.StepMetric(result.Loss)")
	}
	return c.StepMetric(0)
}

// StepMetric is Step for a scheduler that looks at a metric, such as the loss on
// the test data. The others do not look at it.
func (c *Schedule) StepMetric(metric float64) error {
	c.of.Lock()
	defer c.of.Unlock()
	st := &c.state
	st.N++
	p, ok := c.how.(ReduceLROnPlateau)
	if !ok {
		c.follow()
		if err := c.set(); err != nil {
			st.N--
			return err
		}
		return nil
	}
	p = p.defaults()
	if v := metric; p.better(v, float64(st.Best)) {
		st.Best, st.Bad = exact(v), 0
	} else {
		st.Bad++
	}
	if st.Wait > 0 {
		st.Wait--
		st.Bad = 0
	}
	if st.Bad > p.Patience {
		rates, _ := c.of.pace()
		for _, lr := range rates {
			if lr == nil {
				continue
			}
			if now := max(*lr*p.Factor, p.MinLR); *lr-now > p.Epsilon {
				*lr = now
			}
		}
		st.Wait, st.Bad = p.Cooldown, 0
	}
	return nil
}

// LR returns the learning rate that the schedule arrived at, that of the first
// group.
func (c *Schedule) LR() float64 {
	c.of.Lock()
	defer c.of.Unlock()
	rates, _ := c.of.pace()
	for _, lr := range rates {
		if lr != nil {
			return *lr
		}
	}
	return 0
}

// N returns how many steps the schedule took.
func (c *Schedule) N() int {
	c.of.Lock()
	defer c.of.Unlock()
	return c.state.N
}

// follow takes what SetLR did since the last step into the schedule. The
// caller holds the lock.
func (c *Schedule) follow() {
	rates, _ := c.of.pace()
	for i, lr := range rates {
		if set := float64(c.state.Set[i]); lr != nil && *lr != set && set != 0 {
			c.state.Scale[i] *= exact(*lr / set)
		}
	}
}

// set sets the rates and momenta of now, or returns an error and changes nothing.
// The caller holds the lock.
func (c *Schedule) set() error {
	if _, ok := c.how.(ReduceLROnPlateau); ok {
		return nil
	}
	rates, momenta := c.of.pace()
	next := slices.Clone(c.state.Base)
	for i, at := range rates {
		if at == nil {
			continue
		}
		lr := c.how.LR(float64(c.state.Base[i]), c.state.N)
		if !(lr >= 0) || math.IsInf(lr, 0) {
			return fmt.Errorf("dl: Schedule: %T gives the learning rate %v after %d steps, want a finite number of at least 0", c.how, lr, c.state.N)
		}
		next[i] = exact(float64(c.state.Scale[i]) * lr)
	}
	c.state.Set = next
	for i, at := range rates {
		if at != nil {
			*at = float64(next[i])
		}
	}
	if how, ok := c.how.(cycler); ok {
		if m, ok := how.momentum(c.state.N); ok {
			for _, at := range momenta {
				*at = m
			}
		}
	}
	return nil
}

// A schedule may change the momentum too, SGD's and RMSprop's Momentum and
// Adam's Beta1, which are inputs of the compiled step as the learning rate is.

// cycler is a [Scheduler] that also says what the momentum is after n of its
// steps; not, where it leaves it alone.
type cycler interface {
	momentum(n int) (value float64, ok bool)
}

// cycles reports whether a scheduler changes the momentum at some time.
func cycles(how Scheduler) bool {
	switch s := how.(type) {
	case OneCycleLR:
		return !s.KeepMomentum
	case SequentialLR:
		return slices.ContainsFunc(s.Schedulers, cycles)
	}
	return false
}

// swinging is a rule that can do without momentum: with it, it keeps a slot
// more.
type swinging interface {
	rule
	withMomentum(m float64) rule
}

// cycle prepares the groups for a scheduler that changes the momentum: as
// PyTorch's OneCycleLR, it gives one to optimizers that had none. The caller
// holds mu.
func (s *Step) cycle() error {
	groups := slices.Clone(s.groups)
	for i, g := range groups {
		if g.rule == nil {
			continue
		}
		with, err := swing(g.rule)
		if err != nil {
			return err
		}
		groups[i].rule = with
	}
	s.groups = groups
	return nil
}

// cycle gives the optimizer a momentum where it has none. The caller holds mu.
func (o *Optim) cycle() error {
	for k, g := range o.groups {
		with, err := swing(g.rule)
		if err != nil {
			return err
		}
		for _, s := range with.slots()[len(g.rule.slots()):] { // that of the momentum is the last
			for i, p := range o.params {
				if o.in[i] == k {
					o.slots[i] = append(o.slots[i], newVariable(filled(p.shape, float32(s.start)), false))
				}
			}
		}
		o.groups[k].rule = with
	}
	return nil
}

// swing returns a rule that has a momentum.
func swing(r rule) (rule, error) {
	if r.momentum() > 0 {
		return r, nil
	}
	if w, ok := r.(swinging); ok {
		return w.withMomentum(0.5), nil // any; the schedule sets it
	}
	of := any(r)
	if own, ok := r.(ownRule); ok {
		of = own.own
	}
	return nil, fmt.Errorf("dl: OneCycleLR: %T has no momentum to change, want SGD, RMSprop, Adam or AdamW; set KeepMomentum", of)
}

func (s SGD) momentum() float64           { return s.Momentum }
func (s SGD) withMomentum(m float64) rule { s.Momentum = m; return s }

func (r RMSprop) momentum() float64           { return r.Momentum }
func (r RMSprop) withMomentum(m float64) rule { r.Momentum = m; return r }

func (a Adam) momentum() float64  { return a.defaults().Beta1 }
func (a AdamW) momentum() float64 { return a.adam().momentum() }

func (Adagrad) momentum() float64 { return 0 }
