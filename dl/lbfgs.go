package dl

import (
	"fmt"
	"math"
	"slices"
	"sync"
)

// LBFGS is the quasi-Newton method L-BFGS, as torch.optim.LBFGS, with PyTorch's
// defaults. It needs the loss many times for a step, so its Step takes a function,
// and it is no [Optimizer] for [TrainStep] and [Start]:
//
//	opt := dl.LBFGS{LR: 0.8}.For(model)
//	for range 15 {
//		loss := opt.Step(func() *dl.Tensor {
//			opt.ZeroGrad()
//			loss := model.Call(x).Loss(dl.MSELoss{}, y)
//			loss.Backward()
//			return loss
//		})
//	}
//
// It is meant for a loss that is the same at each call: all examples at once, no
// dropout. HistorySize vectors as long as all parameters are kept twice, in the
// memory of the processor.
//
// Nocedal and Wright, "Numerical Optimization", 2006, algorithms 7.4 and 3.5.
type LBFGS struct {
	LR              float64 // of each iteration; with a line search, where it begins; 0 means 1
	MaxIter         int     // iterations in a step; 0 means 20
	MaxEval         int     // calls of the function in a step; 0 means 1.25·MaxIter, rounded down
	ToleranceGrad   float64 // a step ends where no gradient is larger; 0 means 1e-7
	ToleranceChange float64 // a step ends where nothing changes by more; 0 means 1e-9
	HistorySize     int     // iterations that the curvature is estimated from; 0 means 100
	LineSearchFn    string  // "strong_wolfe"; "" goes LR in each direction, whatever comes of it
}

func (l LBFGS) defaults() LBFGS {
	fallback(&l.LR, 1)
	fallback(&l.ToleranceGrad, 1e-7)
	fallback(&l.ToleranceChange, 1e-9)
	for _, n := range []struct {
		at *int
		to int
	}{{&l.MaxIter, 20}, {&l.HistorySize, 100}} {
		if *n.at == 0 {
			*n.at = n.to
		}
	}
	if l.MaxEval == 0 {
		l.MaxEval = l.MaxIter * 5 / 4
	}
	return l
}

// For returns the optimizer for some parameters, as [SGD.For].
func (l LBFGS) For(of ...any) *LBFGSOptim {
	l = l.defaults()
	if !(l.LR > 0 && l.ToleranceGrad >= 0 && l.ToleranceChange >= 0) || l.MaxIter < 0 || l.MaxEval < 0 || l.HistorySize < 0 {
		panic(fmt.Errorf("dl: LBFGS: settings are %+v, want LR above 0 and nothing negative; try LBFGS{LR: 0.8}", l))
	}
	if l.LineSearchFn != "" && l.LineSearchFn != "strong_wolfe" {
		panic(fmt.Errorf("dl: LBFGS: LineSearchFn is %q, want \"strong_wolfe\", or \"\" for none", l.LineSearchFn))
	}
	var found Optim
	found.collect("LBFGS", groups{{[]string{"*"}, SGD{LR: 1}}}, of)
	return &LBFGSOptim{settings: l, params: found.params, models: found.models}
}

// LBFGSOptim is an optimizer that [LBFGS.For] made.
type LBFGSOptim struct {
	settings LBFGS
	params   []*Tensor
	models   []built

	mu    sync.Mutex // guards the state; one step at a time
	state lbfgsState
}

// lbfgsState is what a step leaves to the next.
type lbfgsState struct {
	iterations, evaluations int
	direction               []float32
	length                  float64 // of the last iteration, in directions
	scale                   float64 // of the first guess of the inverse Hessian
	gradient                []float32
	past                    []lbfgsPair // oldest first
}

// lbfgsPair is how the parameters and their gradient changed in an iteration.
type lbfgsPair struct {
	gradient, step []float32
	inverse        float64 // 1 over their product
}

// Params returns the optimizer's parameters.
func (o *LBFGSOptim) Params() []*Tensor { return slices.Clone(o.params) }

// ZeroGrad forgets the gradients of the parameters.
func (o *LBFGSOptim) ZeroGrad() {
	for _, p := range o.params {
		p.ZeroGrad()
	}
}

// LR returns the learning rate.
func (o *LBFGSOptim) LR() float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.settings.LR
}

// SetLR changes the learning rate from the next step on.
func (o *LBFGSOptim) SetLR(lr float64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.settings.LR = lr
}

// Step makes up to MaxIter iterations and returns the loss that was there before
// them. loss calculates it for the parameters as they are, gives them their
// gradients by Backward, and returns it.
//
// A loss or a gradient that is not finite panics with an error, and so does what
// goes wrong in loss; the parameters then are as they were before the step. Step
// reads the values of the loss, so it cannot be inside of a function that [Compile]
// made; loss may call one.
func (o *LBFGSOptim) Step(loss func() *Tensor) *Tensor {
	if goroutineRecording() != nil {
		panic(fmt.Errorf("dl: LBFGS: Step is called inside of a compiled function, where the loss has no value yet to decide by; call it outside, and compile what its function does"))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, b := range o.models {
		if b.model.root != b.root {
			panic(fmt.Errorf("dl: LBFGS: a layer of the model was replaced after the optimizer was made, so it lacks the new parameters; make it again with For"))
		}
	}
	s := &lbfgsStep{o: o, LBFGS: o.settings, lbfgsState: o.state, loss: loss}
	s.past = slices.Clone(s.past)
	s.at = o.read()
	before := s.at
	done := false
	defer func() {
		if !done {
			o.write(before)
		}
	}()
	first := s.run()
	done = true
	o.state = s.lbfgsState
	return first
}

// read returns the values of all parameters, one after the other.
func (o *LBFGSOptim) read() []float32 {
	var all []float32
	for _, p := range o.params {
		all = append(all, p.Float32s()...)
	}
	return all
}

// write gives all parameters their values.
func (o *LBFGSOptim) write(all []float32) {
	values := make([]*Tensor, len(o.params))
	for i, p := range o.params {
		n := p.shape.Size()
		values[i] = newTensor(slices.Clone(all[:n]), p.shape).as(p.dtype)
		all = all[n:]
	}
	unlock := lockVariables(o.params)
	defer unlock()
	install(o.params, values)
}

// lbfgsStep is a step at work. It calculates as torch.optim.LBFGS does, with
// products in float64.
type lbfgsStep struct {
	o *LBFGSOptim
	LBFGS
	lbfgsState
	loss func() *Tensor
	at   []float32 // the parameters
	evs  int       // calls of loss in this step
	last *Tensor   // what the last call returned
}

// point is a loss and its gradient.
type point struct {
	loss     float64
	gradient []float32
}

// here returns the loss for the parameters as they are.
func (s *lbfgsStep) here() point {
	s.evs++
	s.evaluations++
	s.last = s.loss()
	if s.last == nil || s.last.Size() != 1 || !s.last.dtype.IsFloat() {
		panic(fmt.Errorf("dl: LBFGS: the function of Step returned %s, want the loss, one floating-point number", describeTensor(s.last)))
	}
	p := point{loss: s.last.Item()}
	any := false
	for _, w := range s.o.params {
		if g := w.Grad(); g != nil && w.learns() {
			p.gradient, any = append(p.gradient, g.Float32s()...), true
		} else {
			p.gradient = append(p.gradient, make([]float32, w.shape.Size())...)
		}
	}
	if !any {
		panic(fmt.Errorf("dl: LBFGS: none of the optimizer's %d parameters has a gradient; call loss.Backward() in the function of Step", len(s.o.params)))
	}
	what := ""
	if math.IsNaN(p.loss) || math.IsInf(p.loss, 0) {
		what = fmt.Sprintf("the loss is %v", p.loss)
	} else if size := largest(p.gradient); !(size <= math.MaxFloat32) {
		what = fmt.Sprintf("a gradient is %v", size)
	}
	if what != "" {
		panic(fmt.Errorf("dl: LBFGS: %s at call %d of the function of Step, want finite numbers; the parameters are as before the step; try a smaller LR, or LineSearchFn: \"strong_wolfe\"", what, s.evs))
	}
	return p
}

// away returns the loss at a distance of length directions, and moves there.
func (s *lbfgsStep) away(length float64) point {
	s.o.write(plusScaled(s.at, length, s.direction))
	return s.here()
}

func (s *lbfgsStep) run() *Tensor {
	now := s.here()
	first := s.last
	if largest(now.gradient) <= s.ToleranceGrad {
		return first
	}
	for n := 1; n <= s.MaxIter; n++ {
		s.iterations++
		before := now
		length := s.LR
		if s.iterations == 1 {
			s.direction, s.scale = plusScaled(make([]float32, len(now.gradient)), -1, now.gradient), 1
			sum := 0.0
			for _, g := range now.gradient {
				sum += math.Abs(float64(g))
			}
			length *= min(1, 1/sum)
		} else {
			s.remember(now.gradient)
			s.direction = s.newton(now.gradient)
		}
		s.gradient, s.length = now.gradient, length
		slope := dot32(now.gradient, s.direction)
		if slope > -s.ToleranceChange {
			break
		}
		switch {
		case s.LineSearchFn != "":
			now, s.length = s.strongWolfe(now, length, slope)
			s.at = plusScaled(s.at, s.length, s.direction)
			s.o.write(s.at)
		case n < s.MaxIter:
			now = s.away(length)
			s.at = plusScaled(s.at, length, s.direction)
		default: // the last loss is the next step's first
			s.at = plusScaled(s.at, length, s.direction)
			s.o.write(s.at)
		}
		if s.evs >= s.MaxEval || largest(now.gradient) <= s.ToleranceGrad ||
			largest(s.direction)*s.length <= s.ToleranceChange || n < s.MaxIter && math.Abs(now.loss-before.loss) < s.ToleranceChange {
			break
		}
	}
	return first
}

// remember adds the last iteration to those that the curvature is estimated from.
func (s *lbfgsStep) remember(gradient []float32) {
	changed := plusScaled(gradient, -1, s.gradient)
	step := plusScaled(make([]float32, len(gradient)), s.length, s.direction)
	product := dot32(changed, step)
	if !(product > 1e-10) {
		return
	}
	if len(s.past) > 0 && len(s.past) >= s.HistorySize {
		s.past = s.past[1:]
	}
	s.past = append(s.past, lbfgsPair{changed, step, 1 / product})
	s.scale = product / dot32(changed, changed)
}

// newton returns the direction of Newton's method by the estimated curvature:
// Nocedal and Wright, algorithm 7.4.
func (s *lbfgsStep) newton(gradient []float32) []float32 {
	q := make([]float64, len(gradient))
	for i, g := range gradient {
		q[i] = -float64(g)
	}
	add := func(by float64, x []float32) {
		for i, v := range x {
			q[i] += by * float64(v)
		}
	}
	times := func(x []float32) (sum float64) {
		for i, v := range x {
			sum += float64(v) * q[i]
		}
		return sum
	}
	alpha := make([]float64, len(s.past))
	for i, p := range slices.Backward(s.past) {
		alpha[i] = times(p.step) * p.inverse
		add(-alpha[i], p.gradient)
	}
	for i := range q {
		q[i] *= s.scale
	}
	for i, p := range s.past {
		add(alpha[i]-times(p.gradient)*p.inverse, p.step)
	}
	out := make([]float32, len(q))
	for i, v := range q {
		out[i] = float32(v)
	}
	return out
}

// side is a place on the way of a line search.
type side struct {
	point
	length, slope float64
}

// strongWolfe looks along the direction for a place where the loss has fallen
// enough and its slope is flat enough, from one that is length away; slope is that
// at the start. It is torch.optim.LBFGS's, after minFunc: Nocedal and Wright,
// algorithm 3.5.
func (s *lbfgsStep) strongWolfe(start point, length, slope float64) (point, float64) {
	const fall, flat = 1e-4, 0.9
	most := s.MaxEval - s.evs
	look := func(length float64) side {
		p := s.away(length)
		return side{p, length, dot32(p.gradient, s.direction)}
	}
	enough := func(x side) bool { return x.loss <= start.loss+fall*x.length*slope }
	begin := side{start, 0, slope}

	// Go on until two places have a good one between them.
	before, now := begin, look(length)
	low, high, done := now, begin, false
	tries := 0
	for ; ; tries++ {
		if tries >= most {
			low, high = begin, now
			break
		}
		if !enough(now) || tries > 1 && now.loss >= before.loss {
			low, high = before, now
			break
		}
		if math.Abs(now.slope) <= -flat*slope {
			return now.point, now.length
		}
		if now.slope >= 0 {
			low, high = before, now
			break
		}
		next := cubicMinimum(before, now, now.length+0.01*(now.length-before.length), now.length*10)
		before, now = now, look(next)
	}
	if high.loss < low.loss {
		low, high = high, low
	}

	// Narrow the two.
	stuck := false
	size := largest(s.direction)
	for !done && tries < most && math.Abs(high.length-low.length)*size >= s.ToleranceChange {
		left, right := min(low.length, high.length), max(low.length, high.length)
		length := cubicMinimum(low, high, left, right)
		edge := 0.1 * (right - left)
		if min(right-length, length-left) >= edge {
			stuck = false
		} else if stuck || length >= right || length <= left {
			if length = left + edge; math.Abs(length-right) < math.Abs(length-left) {
				length = right - edge
			}
			stuck = false
		} else {
			stuck = true
		}
		now := look(length)
		tries++
		if !enough(now) || now.loss >= low.loss {
			if high = now; high.loss < low.loss {
				low, high = high, low
			}
			continue
		}
		if math.Abs(now.slope) <= -flat*slope {
			done = true
		} else if now.slope*(high.length-low.length) >= 0 {
			high = low
		}
		low = now
	}
	return low.point, low.length
}

// cubicMinimum returns where the cubic through two places with their slopes is
// smallest, between two bounds.
func cubicMinimum(a, b side, low, high float64) float64 {
	if a.length > b.length {
		a, b = b, a
	}
	d := a.slope + b.slope - 3*(a.loss-b.loss)/(a.length-b.length)
	square := d*d - a.slope*b.slope
	if !(square >= 0) {
		return (low + high) / 2
	}
	root := math.Sqrt(square)
	at := b.length - (b.length-a.length)*((b.slope+root-d)/(b.slope-a.slope+2*root))
	return min(max(at, low), high)
}

// plusScaled returns x + by·y.
func plusScaled(x []float32, by float64, y []float32) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(float64(v) + by*float64(y[i]))
	}
	return out
}

func dot32(x, y []float32) (sum float64) {
	for i, v := range x {
		sum += float64(v) * float64(y[i])
	}
	return sum
}

// largest returns the largest absolute value, or NaN where there is one.
func largest(x []float32) (most float64) {
	for _, v := range x {
		most = max(most, math.Abs(float64(v)))
	}
	return most
}

// StateDict returns what the optimizer keeps, as torch.optim's state_dict, by
// PyTorch's names: old_dirs and old_stps are [M P], for the last M iterations and
// all P numbers of the parameters. [SaveStateDict] writes it.
func (o *LBFGSOptim) StateDict() StateDict {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := &o.state
	dict := StateDict{
		"n_iter": Scalar(int64(s.iterations)), "func_evals": Scalar(int64(s.evaluations)),
		"t": Scalar(s.length), "H_diag": Scalar(s.scale), "lr": Scalar(o.settings.LR),
	}
	if s.direction == nil {
		return dict
	}
	dict["d"], dict["prev_flat_grad"] = FromSlice(slices.Clone(s.direction)), FromSlice(slices.Clone(s.gradient))
	var gradients, steps []float32
	for _, p := range s.past {
		gradients, steps = append(gradients, p.gradient...), append(steps, p.step...)
	}
	dict["old_dirs"] = newTensor(gradients, Shape{len(s.past), len(s.direction)})
	dict["old_stps"] = newTensor(steps, Shape{len(s.past), len(s.direction)})
	return dict
}

// LoadStateDict takes up what [LBFGSOptim.StateDict] returned for the same
// parameters. What does not fit is an error, and changes nothing.
func (o *LBFGSOptim) LoadStateDict(dict StateDict) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	size := 0
	for _, p := range o.params {
		size += p.shape.Size()
	}
	past := 0
	if t := dict["old_dirs"]; t != nil && t.Rank() == 2 {
		past = t.shape[0]
	}
	type entry struct {
		name  string
		shape Shape
	}
	want := []entry{{"n_iter", nil}, {"func_evals", nil}, {"t", nil}, {"H_diag", nil}, {"lr", nil}}
	if len(dict) > len(want) {
		want = append(want, entry{"d", Shape{size}}, entry{"prev_flat_grad", Shape{size}}, entry{"old_dirs", Shape{past, size}}, entry{"old_stps", Shape{past, size}})
	}
	for _, e := range want {
		t := dict[e.name]
		if t == nil {
			return fmt.Errorf("dl: LBFGS: the state lacks %s, want the state dict of an LBFGS for the same parameters", e.name)
		}
		if !t.shape.Equal(e.shape) {
			return &ShapeError{Op: "LBFGS: " + e.name, Got: t.shape, Want: fmt.Sprint([]int(e.shape)), Fix: "the state is of other parameters"}
		}
	}
	if len(dict) != len(want) {
		return fmt.Errorf("dl: LBFGS: the state has %d entries, want %d; it is of another optimizer", len(dict), len(want))
	}
	lr := dict["lr"].Item()
	if !(lr > 0) || dict["n_iter"].Item() < 0 {
		return fmt.Errorf("dl: LBFGS: the state has the learning rate %v and %v iterations: %w", lr, dict["n_iter"].Item(), ErrCorrupt)
	}
	s := lbfgsState{iterations: int(dict["n_iter"].Item()), evaluations: int(dict["func_evals"].Item()), length: dict["t"].Item(), scale: dict["H_diag"].Item()}
	if dict["d"] != nil {
		s.direction, s.gradient = dict["d"].Float32s(), dict["prev_flat_grad"].Float32s()
		gradients, steps := dict["old_dirs"].Float32s(), dict["old_stps"].Float32s()
		for i := range past {
			p := lbfgsPair{gradient: gradients[i*size : (i+1)*size], step: steps[i*size : (i+1)*size]}
			p.inverse = 1 / dot32(p.gradient, p.step)
			s.past = append(s.past, p)
		}
	} else if s.iterations > 0 {
		return fmt.Errorf("dl: LBFGS: the state is of %d iterations and has no direction: %w", s.iterations, ErrCorrupt)
	}
	o.state, o.settings.LR = s, lr
	return nil
}
