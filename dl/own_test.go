package dl_test

import (
	"fmt"
	"log"
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/hooks"
)

// lion is an optimizer that dl does not have. Chen et al., "Symbolic Discovery of
// Optimization Algorithms", 2023.
type lion struct{ LR, Beta1, Beta2, WeightDecay float64 }

func (l lion) For(of ...any) *dl.Optim { return dl.NewOptim(l, of...) }
func (l lion) Rate() float64           { return l.LR }
func (l lion) Slots() []string         { return []string{"exp_avg"} }

func (l lion) Update(u dl.Update) (*dl.Tensor, []*dl.Tensor) {
	m := u.Slots[0]
	direction := m.Scale(l.Beta1).Add(u.Grad.Scale(1 - l.Beta1)).Sign()
	w := u.Param.Scale(1 - u.LR*l.WeightDecay).Sub(direction.Scale(u.LR))
	return w, []*dl.Tensor{m.Scale(l.Beta2).Add(u.Grad.Scale(1 - l.Beta2))}
}

func ExampleUpdateRule() {
	opt := lion{LR: 0.1, Beta1: 0.9, Beta2: 0.99}.For(pointNet())
	fmt.Println(opt.LR(), len(opt.Params()))

	model := pointNet()
	step := dl.TrainStep(model, nil, lion{LR: 0.1, Beta1: 0.9, Beta2: 0.99})
	first, err := step.Run(pointBatch())
	for err == nil && step.N() < 20 {
		_, err = step.Run(pointBatch())
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("it learns:", step.Last().Loss < first.Loss/2)
	// Output:
	// 0.1 2
	// it learns: true
}

// expected is Lion's weights calculated in Go.
func (l lion) expected(w, m, g []float64, lr float64) {
	sign := func(v float64) float64 {
		switch {
		case v > 0:
			return 1
		case v < 0:
			return -1
		}
		return 0
	}
	for i := range w {
		d := sign(l.Beta1*m[i] + (1-l.Beta1)*g[i])
		w[i] = w[i]*(1-lr*l.WeightDecay) - lr*d
		m[i] = l.Beta2*m[i] + (1-l.Beta2)*g[i]
	}
}

// halving is a scheduler of one's own.
type halving struct{ each int }

func (h halving) LR(base float64, n int) float64 { return base / math.Pow(2, float64(n/h.each)) }

func ExampleScheduler() {
	step := dl.TrainStep(pointNet(), nil, dl.SGD{LR: 0.8})
	schedule, err := step.Schedule(halving{each: 2})
	if err != nil {
		log.Fatal(err)
	}
	for range 4 {
		if err := schedule.Step(); err != nil {
			log.Fatal(err)
		}
		fmt.Print(step.LR(), " ")
	}
	// Output: 0.8 0.4 0.4 0.2
}

// TestOwnOptimizer trains by an optimizer and a scheduler of one's own in every way
// there is, and compares with the formula in Go; all give the same numbers.
func TestOwnOptimizer(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		l := lion{LR: 0.1, Beta1: 0.9, Beta2: 0.99, WeightDecay: 0.1}
		x := dl.FromSlice([]float32{1, -2, 0.5, 3}, 2, 2)
		y := dl.FromSlice([]float32{1, 2}, 2, 1)
		batch := dl.Batch{Inputs: x, Labels: y}
		build := func() *dl.Model {
			m := must(dl.Build(dl.Linear{Out: 1, NoBias: true}, dl.Shape{2, 2}))
			m.Param("weight").Set(dl.FromSlice([]float32{0.5, -0.5}, 1, 2))
			return m
		}
		const steps = 6
		how := halving{each: 2}
		w, m := []float64{0.5, -0.5}, []float64{0, 0}
		for n := range steps {
			a, b := w[0]*1+w[1]*-2-1, w[0]*0.5+w[1]*3-2
			l.expected(w, m, []float64{a*1 + b*0.5, a*-2 + b*3}, how.LR(l.LR, n))
		}
		for name, train := range map[string]func(*dl.Model){
			"TrainStep": func(m *dl.Model) {
				step := dl.TrainStep(m, dl.MSELoss{}, l)
				schedule := must(step.Schedule(how))
				for range steps {
					must(step.Run(batch))
					schedule.Step()
				}
			},
			"groups, clipped above": func(m *dl.Model) {
				step := dl.TrainStep(m, dl.MSELoss{}, dl.ParamGroups{{Params: []string{"weight"}, Optimizer: l}}).With(dl.Options{ClipNorm: 1e6, GradNorms: true})
				schedule := must(step.Schedule(how))
				for range steps {
					must(step.Run(batch))
					schedule.Step()
				}
				if n := step.GradNorm(); !(n > 0) {
					t.Errorf("the length of the gradient is %v", n)
				}
			},
			"saved and resumed": func(m *dl.Model) {
				path := filepath.Join(t.TempDir(), "state.safetensors")
				step := dl.TrainStep(m, dl.MSELoss{}, l)
				schedule := must(step.Schedule(how))
				for range 3 {
					must(step.Run(batch))
					schedule.Step()
				}
				if err := step.Save(path); err != nil {
					t.Fatal(err)
				}
				m.Param("weight").Set(dl.Full(9, 1, 2))
				step = dl.TrainStep(m, dl.MSELoss{}, l)
				schedule = must(step.Schedule(how))
				if err := step.Load(path); err != nil {
					t.Fatal(err)
				}
				for range steps - 3 {
					must(step.Run(batch))
					schedule.Step()
				}
			},
			"Start": func(m *dl.Model) {
				if err := dl.Start(m, dl.Training{Data: oneBatch{batch}, Epochs: steps, Optimizer: l, Loss: dl.MSELoss{}, Scheduler: how}).Wait(); err != nil {
					t.Fatal(err)
				}
			},
			"Start, resumed": func(m *dl.Model) {
				training := dl.Training{Data: oneBatch{batch}, Epochs: 3, Optimizer: l, Loss: dl.MSELoss{}, Scheduler: how, Checkpoint: dl.Checkpoint{Dir: t.TempDir()}}
				if err := dl.Start(m, training).Wait(); err != nil {
					t.Fatal(err)
				}
				m.Param("weight").Set(dl.Full(9, 1, 2))
				training.Epochs, training.Checkpoint.Resume = steps, true
				if err := dl.Start(m, training).Wait(); err != nil {
					t.Fatal(err)
				}
			},
			"Compile, saved": func(m *dl.Model) {
				opt := l.For(m)
				schedule := must(opt.Schedule(how))
				step := dl.Compile(func(x, y *dl.Tensor) {
					m.Call(x).Loss(dl.MSELoss{}, y).Backward()
					opt.Step()
				})
				for range 4 {
					step.Call(x, y)
					schedule.Step()
				}
				state := opt.StateDict()
				if got := slices.Sorted(maps(state)); !slices.Equal(got, []string{"momenta", "rates", "schedule.json", "steps", "weight.exp_avg"}) {
					t.Errorf("the state has %v", got)
				}
				next := l.For(m)
				wantError(t, next.LoadStateDict(state), "dl: Optim: one of the state and this optimizer has a schedule and the other none; call Schedule with the same scheduler before")
				schedule = must(next.Schedule(how))
				if err := next.LoadStateDict(state); err != nil {
					t.Fatal(err)
				}
				if schedule.N() != 4 {
					t.Errorf("the schedule goes on at step %d, want 4", schedule.N())
				}
				for n := 4; n < steps; n++ { // at once
					next.ZeroGrad()
					m.Call(x).Loss(dl.MSELoss{}, y).Backward()
					next.Step()
					schedule.Step()
				}
				if next.N() != steps {
					t.Errorf("the optimizer counts %d steps, want %d", next.N(), steps)
				}
			},
		} {
			m := build()
			train(m)
			near(t, name, m.Param("weight").Float64s(), w, 1e-5) // rounding of float32
		}
	})
}

func maps[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// wrongRule returns what its fields say.
type wrongRule struct {
	rate  float64
	names []string
	give  func(u dl.Update) (*dl.Tensor, []*dl.Tensor)
}

func (r wrongRule) For(of ...any) *dl.Optim { return dl.NewOptim(r, of...) }
func (r wrongRule) Rate() float64           { return r.rate }
func (r wrongRule) Slots() []string         { return r.names }
func (r wrongRule) Update(u dl.Update) (*dl.Tensor, []*dl.Tensor) {
	return r.give(u)
}

// TestOwnWrong has rules and schedulers that return what cannot be: an error, and
// the weights as they were.
func TestOwnWrong(t *testing.T) {
	on(t, "go")
	good := func(u dl.Update) (*dl.Tensor, []*dl.Tensor) { return u.Param, u.Slots }
	for _, c := range []struct {
		rule wrongRule
		want string
	}{
		{wrongRule{rate: -1, give: good}, "dl: dl_test.wrongRule: Rate is -1, want a finite number of at least 0"},
		{wrongRule{names: []string{"a", "a"}, give: good}, `dl: dl_test.wrongRule: Slots are ["a" "a"], want a different name without dots and spaces for each, such as momentum_buffer`},
		{wrongRule{give: func(u dl.Update) (*dl.Tensor, []*dl.Tensor) { return u.Param.Sum(), nil }}, "dl: training step: dl_test.wrongRule: Update returned the parameter [] float32, want [2 2] float32"},
		{wrongRule{give: func(u dl.Update) (*dl.Tensor, []*dl.Tensor) { return nil, nil }}, "dl: training step: dl_test.wrongRule: Update returned the parameter nil, want [2 2] float32"},
		{wrongRule{names: []string{"m"}, give: func(u dl.Update) (*dl.Tensor, []*dl.Tensor) { return u.Param, nil }}, `dl: training step: dl_test.wrongRule: Update returned 0 slots, want 1, as Slots names: ["m"]`},
		{wrongRule{names: []string{"m"}, give: func(u dl.Update) (*dl.Tensor, []*dl.Tensor) { return u.Param, []*dl.Tensor{u.Param.Sum()} }}, "dl: training step: dl_test.wrongRule: Update returned the slot m [] float32, want [2 2] float32"},
	} {
		m := pointNet()
		before := m.Param("weight").Detach()
		_, err := dl.TrainStep(m, nil, c.rule).Run(pointBatch())
		wantError(t, err, c.want)
		if !slices.Equal(before.Float32s(), m.Param("weight").Float32s()) {
			t.Errorf("the weights changed in a step with %q", c.want)
		}
	}
	step := dl.TrainStep(pointNet(), nil, dl.SGD{LR: 1})
	_, err := step.Schedule(dl.LambdaLR(func(n int) float64 { return math.NaN() }))
	wantError(t, err, "dl: Schedule: dl.LambdaLR gives the learning rate NaN after 0 steps, want a finite number of at least 0")
	schedule := must(step.Schedule(dl.LambdaLR(func(n int) float64 { return float64(1 - n) })))
	if err := schedule.Step(); err != nil || step.LR() != 0 {
		t.Errorf("a rate of 0 gives %v, %v", step.LR(), err)
	}
	wantError(t, schedule.Step(), "dl: Schedule: dl.LambdaLR gives the learning rate -1 after 2 steps, want a finite number of at least 0")
	if schedule.N() != 1 || step.LR() != 0 {
		t.Errorf("after an error the schedule is at step %d and the rate %v, want 1 and 0", schedule.N(), step.LR())
	}
	opt := dl.Adam{}.For(pointNet())
	state := opt.StateDict()
	delete(state, "bias.exp_avg")
	wantError(t, opt.LoadStateDict(state), "dl: Optim: the state lacks bias.exp_avg, want the state of the same optimizer and network")
	wantError(t, dl.SGD{LR: 1}.For(pointNet()).LoadStateDict(opt.StateDict()), "dl: Optim: the state has 7 entries, want 3; it is of another optimizer or network")
}

// TestInNoGroup tells of parameters that nothing trains, and of a model whose layer
// was replaced behind the optimizer's back.
func TestInNoGroup(t *testing.T) {
	on(t, "go")
	var told []string
	defer hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { told = append(told, s) } })()
	only := dl.ParamGroups{{Params: []string{"0"}, Optimizer: dl.SGD{LR: 0.1}}}
	m := smallNet()
	must(dl.TrainStep(m, nil, only).Run(dl.Batch{Inputs: fill(1, 1, 4, 2), Labels: dl.FromSlice([]int64{0, 1, 0, 1})}))
	want := `no group names 2.weight, 2.bias, so nothing trains it; add a group for "*", one without an Optimizer if that is meant, or freeze it`
	if len(told) != 1 || told[0] != "TrainStep: "+want {
		t.Errorf("told %q, want %s", told, want)
	}
	told = nil
	opt := only.For(m)
	if len(told) != 1 || told[0] != "ParamGroups.For: "+want || len(opt.Params()) != 2 {
		t.Errorf("told %q of %d parameters", told, len(opt.Params()))
	}
	told = nil
	dl.TrainStep(m, nil, append(only, dl.ParamGroup{Params: []string{"2"}}))
	if err := m.Freeze("2"); err != nil {
		t.Fatal(err)
	}
	dl.TrainStep(m, nil, only)
	if len(told) > 0 {
		t.Errorf("told %q where it is meant", told)
	}

	m = smallNet()
	opt = dl.SGD{LR: 0.1}.For(m)
	if err := m.Replace("2", dl.Linear{Out: 2}); err != nil {
		t.Fatal(err)
	}
	m.Call(fill(1, 1, 4, 2)).Sum().Backward()
	if got, want := panicText(opt.Step), "dl: Step: a layer of the model was replaced after the optimizer was made, so it lacks the new parameters; make it again with For"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestGroupsFor trains two groups in a loop of one's own as TrainStep does.
func TestGroupsFor(t *testing.T) {
	on(t, "go")
	groups := dl.ParamGroups{
		{Params: []string{"*.bias"}, Optimizer: dl.SGD{LR: 0.5, Momentum: 0.9}},
		{Params: []string{"0"}, Optimizer: lion{LR: 0.01, Beta1: 0.9, Beta2: 0.99}},
		{Params: []string{"*"}, Optimizer: dl.Adam{LR: 0.1}},
	}
	a, b := smallNet(), smallNet()
	if err := b.LoadStateDict(a.StateDict()); err != nil {
		t.Fatal(err)
	}
	batch := dl.Batch{Inputs: fill(1, 1, 4, 2), Labels: dl.FromSlice([]int64{0, 1, 0, 1})}
	step, opt := dl.TrainStep(a, nil, groups), groups.For(b)
	compiled := dl.Compile(func(x, y *dl.Tensor) {
		b.Call(x).CrossEntropy(y).Backward()
		opt.Step()
	})
	for n := range 4 {
		if n == 2 {
			step.SetLR(0.25)
			opt.SetLR(0.25)
		}
		must(step.Run(batch))
		compiled.Call(batch.Inputs, batch.Labels)
	}
	for _, name := range a.Names() {
		near(t, name, b.Param(name).Float64s(), a.Param(name).Float64s(), 1e-6)
	}
	wantError(t, step.SetLRs(1), "dl: SetLRs: 1 rates, want 3, one for each group")
	if opt.LR() != 0.25 || !slices.Equal(step.LRs(), []float64{0.25, 0.005, 0.05}) {
		t.Errorf("the rates are %v and %v", opt.LR(), step.LRs())
	}
}
