package dl_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// optimReference is what testdata/ref/optim.py writes.
type optimReference struct {
	Optimizers map[string]struct {
		Losses []float64
		Norms  [][]float64
		Total  []float64
		Params map[string][]float64
	}
	Schedulers map[string][]float64
	Momenta    map[string][]float64 // of the schedulers that change it
	Metrics    struct {
		Top                    []float64
		Confusion              [][]int
		Macro, Micro, Weighted []float64
	}
}

func readOptim(t *testing.T) (ref optimReference) {
	b, err := os.ReadFile("testdata/ref/optim.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &ref); err != nil {
		t.Fatal(err)
	}
	return ref
}

// optimNet is optim.py's network with its weights.
func optimNet() *dl.Model {
	m := must(dl.Build(dl.Sequential{dl.Linear{Out: 5}, dl.Tanh{}, dl.Linear{Out: 3}}, dl.Shape{8, 6}))
	for i, name := range m.Names() {
		m.Param(name).Set(fill(20+i, 0.5, m.Param(name).Shape()...))
	}
	return m
}

func optimBatch(step int) dl.Batch {
	labels := make([]int64, 8)
	for i := range labels {
		labels[i] = int64((i*3 + step) % 3)
	}
	return dl.Batch{Inputs: fill(40+step%7, 1, 8, 6), Labels: dl.FromSlice(labels)}
}

// TestOptimizersLikePyTorch takes 100 steps with each optimizer.
func TestOptimizersLikePyTorch(t *testing.T) {
	on(t, "cpu")
	ref := readOptim(t)
	optimizers := map[string]dl.Optimizer{
		"sgd":              dl.SGD{LR: 0.1},
		"momentum":         dl.SGD{LR: 0.1, Momentum: 0.9, WeightDecay: 0.01},
		"dampening":        dl.SGD{LR: 0.1, Momentum: 0.9, Dampening: 0.4},
		"nesterov":         dl.SGD{LR: 0.1, Momentum: 0.9, Nesterov: true, WeightDecay: 0.01},
		"adam":             dl.Adam{LR: 0.01},
		"adam decay":       dl.Adam{LR: 0.01, Beta1: 0.8, Beta2: 0.99, Epsilon: 1e-6, WeightDecay: 0.1},
		"amsgrad":          dl.Adam{LR: 0.01, AMSGrad: true, Beta2: 0.9},
		"adamw":            dl.AdamW{},
		"adamw amsgrad":    dl.AdamW{LR: 0.01, WeightDecay: 0.3, AMSGrad: true},
		"rmsprop":          dl.RMSprop{},
		"rmsprop centered": dl.RMSprop{LR: 0.003, Alpha: 0.9, Centered: true, Momentum: 0.8, WeightDecay: 0.01},
		"rmsprop momentum": dl.RMSprop{LR: 0.003, Momentum: 0.5},
		"adagrad":          dl.Adagrad{LR: 0.1},
		"adagrad decay":    dl.Adagrad{LR: 0.1, LRDecay: 0.02, WeightDecay: 0.01, InitialAccumulator: 0.1},
		"adadelta":         dl.Adadelta{},
		"adadelta decay":   dl.Adadelta{LR: 0.5, Rho: 0.8, Epsilon: 1e-5, WeightDecay: 0.01},
		"groups": dl.ParamGroups{
			{Params: []string{"2"}, Optimizer: dl.SGD{LR: 0.2}},
			{Params: []string{"0.weight"}, Optimizer: dl.SGD{LR: 0.05, Momentum: 0.9}},
		},
		"clip norm":  dl.SGD{LR: 0.5},
		"clip value": dl.SGD{LR: 0.5},
		"scheduled":  dl.SGD{LR: 0.5},

		"cycled sgd":      dl.SGD{LR: 0.1},
		"cycled nesterov": dl.SGD{LR: 0.1, Momentum: 0.9, Nesterov: true},
		"cycled rmsprop":  dl.RMSprop{},
		"cycled adamw":    dl.AdamW{},
	}
	schedulers := map[string]dl.Scheduler{
		"scheduled":       dl.StepLR{StepSize: 10, Gamma: 0.5},
		"cycled sgd":      dl.OneCycleLR{MaxLR: 0.3, TotalSteps: 101},
		"cycled nesterov": dl.OneCycleLR{MaxLR: 0.3, TotalSteps: 101},
		"cycled rmsprop":  dl.OneCycleLR{MaxLR: 0.003, TotalSteps: 101, ThreePhase: true, BaseMomentum: 0.6, MaxMomentum: 0.9},
		"cycled adamw":    dl.OneCycleLR{MaxLR: 0.02, TotalSteps: 101, Linear: true},
	}
	train := func(name string, xla bool) {
		want := ref.Optimizers[name]
		t.Run(fmt.Sprintf("%s, XLA %t", name, xla), func(t *testing.T) {
			dl.AlwaysXLA(xla)
			defer dl.AlwaysXLA(false)
			options := map[string]dl.Options{"clip norm": {ClipNorm: 0.1}, "clip value": {ClipValue: 0.02}}[name]
			m := optimNet()
			step := dl.TrainStep(m, nil, optimizers[name]).With(options)
			var schedule *dl.Schedule
			if how := schedulers[name]; how != nil {
				schedule = must(step.Schedule(how))
			}
			var losses, totals []float64
			for n := range want.Losses {
				losses = append(losses, must(step.Run(optimBatch(n))).Loss)
				if schedule != nil {
					schedule.Step()
				}
				if options.ClipNorm > 0 {
					totals = append(totals, step.GradNorm())
					norms := step.GradNorms()
					for i, name := range m.Names() {
						if n < len(want.Norms) {
							near(t, fmt.Sprintf("norm of %s at step %d", name, n), []float64{norms[name]}, []float64{want.Norms[n][i]}, 1e-5) // float32
						}
					}
				}
			}
			near(t, "losses", losses, want.Losses, 2e-5) // 100 steps add up roundings of float32
			if options.ClipNorm > 0 {
				near(t, "total norms", totals, want.Total, 1e-4) // as above
			}
			for name, p := range want.Params {
				near(t, name, m.Param(name).Float64s(), p, 1e-4) // as above
			}
		})
	}
	for name := range ref.Optimizers {
		train(name, false)
		train(name, true)
	}
}

// TestOptimSchedule trains with optimizers of one's own program on a schedule, as
// TestOptimizersLikePyTorch does with steps.
func TestOptimSchedule(t *testing.T) {
	on(t, "cpu")
	ref := readOptim(t)
	for _, c := range []struct {
		name string
		make func(m *dl.Model) *dl.Optim
		how  dl.Scheduler
	}{
		{"scheduled", func(m *dl.Model) *dl.Optim { return dl.SGD{LR: 0.5}.For(m) }, dl.StepLR{StepSize: 10, Gamma: 0.5}},
		{"cycled sgd", func(m *dl.Model) *dl.Optim { return dl.SGD{LR: 0.1}.For(m) }, dl.OneCycleLR{MaxLR: 0.3, TotalSteps: 101}},
		{"cycled rmsprop", func(m *dl.Model) *dl.Optim { return dl.RMSprop{}.For(m) }, dl.OneCycleLR{MaxLR: 0.003, TotalSteps: 101, ThreePhase: true, BaseMomentum: 0.6, MaxMomentum: 0.9}},
		{"cycled adamw", func(m *dl.Model) *dl.Optim { return dl.AdamW{}.For(m) }, dl.OneCycleLR{MaxLR: 0.02, TotalSteps: 101, Linear: true}},
	} {
		m := optimNet()
		opt := c.make(m)
		schedule := must(opt.Schedule(c.how))
		step := dl.Compile(func(x, y *dl.Tensor) *dl.Tensor {
			loss := m.Call(x).CrossEntropy(y)
			loss.Backward()
			opt.Step()
			return loss
		})
		var losses []float64
		for n := range 100 {
			b := optimBatch(n)
			losses = append(losses, step.Call(b.Inputs, b.Labels).Item())
			schedule.Step()
		}
		near(t, c.name+" losses", losses, ref.Optimizers[c.name].Losses, 2e-5) // 100 steps add up roundings of float32
		if schedule.N() != 100 || schedule.LR() != opt.LR() {
			t.Errorf("%s: the schedule took %d steps to %v, the optimizer has %v", c.name, schedule.N(), schedule.LR(), opt.LR())
		}
	}
	want := "dl: OneCycleLR: dl.Adadelta has no momentum to change, want SGD, RMSprop, Adam or AdamW; set KeepMomentum"
	_, err := dl.Adadelta{}.For(optimNet()).Schedule(dl.OneCycleLR{MaxLR: 1, TotalSteps: 5})
	wantError(t, err, want)
}

// TestSchedulersLikePyTorch compares a hundred rates of each scheduler.
func TestSchedulersLikePyTorch(t *testing.T) {
	on(t, "go")
	schedulers := map[string]dl.Scheduler{
		"step":            dl.StepLR{StepSize: 7, Gamma: 0.5},
		"multistep":       dl.MultiStepLR{Milestones: []int{10, 30, 31, 80}, Gamma: 0.3},
		"exponential":     dl.ExponentialLR{Gamma: 0.97},
		"cosine":          dl.CosineAnnealingLR{TMax: 40, MinLR: 0.01},
		"onecycle":        dl.OneCycleLR{MaxLR: 0.8, TotalSteps: 101},
		"onecycle linear": dl.OneCycleLR{MaxLR: 0.8, TotalSteps: 101, PctStart: 0.2, Linear: true, DivFactor: 10, FinalDiv: 100},
		"onecycle three":  dl.OneCycleLR{MaxLR: 0.8, TotalSteps: 101, ThreePhase: true},
		"linear":          dl.LinearLR{},
		"warmup": dl.SequentialLR{Schedulers: []dl.Scheduler{dl.LinearLR{StartFactor: 0.1, TotalIters: 10}, dl.CosineAnnealingLR{TMax: 90}},
			Milestones: []int{10}},
		"three in a row": dl.SequentialLR{Schedulers: []dl.Scheduler{dl.LinearLR{StartFactor: 0.5, TotalIters: 3}, dl.StepLR{StepSize: 4, Gamma: 0.7}, dl.CosineAnnealingLR{TMax: 30, MinLR: 0.001}},
			Milestones: []int{5, 40}},
		"lambda":      dl.LambdaLR(func(n int) float64 { return math.Pow(0.9, float64(n/3)) }),
		"plateau":     dl.ReduceLROnPlateau{Patience: 3},
		"plateau max": dl.ReduceLROnPlateau{Max: true, Factor: 0.5, Patience: 2, Threshold: 0.01, Absolute: true, Cooldown: 4, MinLR: 0.02},
	}
	ref := readOptim(t)
	for name, want := range ref.Schedulers {
		t.Run(name, func(t *testing.T) {
			step := dl.TrainStep(smallNet(), nil, dl.SGD{LR: 0.4, Momentum: 0.9})
			schedule := must(step.Schedule(schedulers[name]))
			got, momenta := []float64{step.LR()}, []float64{dl.Momentum(step)}
			for n := range 100 {
				metric := 1 - 0.7*float64(min(n, 30))/30 + 0.01*float64((n*37)%11)/11
				if _, ok := schedulers[name].(dl.ReduceLROnPlateau); ok {
					schedule.StepMetric(metric)
				} else {
					schedule.Step()
				}
				got, momenta = append(got, schedule.LR()), append(momenta, dl.Momentum(step))
			}
			if m := ref.Momenta[name]; m != nil {
				near(t, "momenta", momenta, m, 1e-12) // as below
			} else if momenta[0] != 0.9 || momenta[100] != 0.9 {
				t.Errorf("the momentum went from %v to %v, want 0.9", momenta[0], momenta[100])
			}
			near(t, "rates", got, want, 1e-12) // PyTorch multiplies step by step
		})
	}
}

func TestScheduleFollowsSetLR(t *testing.T) {
	on(t, "go")
	step := dl.TrainStep(smallNet(), nil, dl.ParamGroups{
		{Params: []string{"0"}, Optimizer: dl.SGD{LR: 0.1}},
		{Params: []string{"2"}, Optimizer: dl.SGD{LR: 0.4}},
	})
	schedule := must(step.Schedule(dl.StepLR{StepSize: 2, Gamma: 0.5}))
	schedule.Step()
	step.SetLR(0.2)
	near(t, "rates after SetLR", step.LRs(), []float64{0.2, 0.8}, 1e-12) // one multiplication
	schedule.Step()
	near(t, "rates after the schedule's step", step.LRs(), []float64{0.1, 0.4}, 1e-12)
	if schedule.N() != 2 {
		t.Errorf("the schedule counts %d steps, want 2", schedule.N())
	}
}

func TestSettingsErrors(t *testing.T) {
	on(t, "go")
	sgd := dl.SGD{LR: 0.1}
	batch := dl.Batch{Inputs: fill(1, 1, 4, 2), Labels: dl.FromSlice([]int64{0, 1, 0, 1})}
	tests := []struct {
		name      string
		optimizer dl.Optimizer
		options   dl.Options
		err       string
	}{
		{"adam", dl.Adam{Beta1: 1}, dl.Options{}, "dl: Adam: settings are {LR:0.001 Beta1:1 Beta2:0.999 Epsilon:1e-08 WeightDecay:0 AMSGrad:false}, want LR above 0, nothing negative, and shares in [0, 1); try Adam{LR: 1e-3}"},
		{"nesterov", dl.SGD{LR: 1, Nesterov: true, Momentum: 0.9, Dampening: 0.1}, dl.Options{}, "dl: SGD: Nesterov is set, Momentum is 0.9 and Dampening 0.1, want a Momentum and no Dampening; try Momentum: 0.9"},
		{"rmsprop", dl.RMSprop{Alpha: -1}, dl.Options{}, "dl: RMSprop: settings are {LR:0.01 Alpha:-1 Epsilon:1e-08 WeightDecay:0 Momentum:0 Centered:false}, want LR above 0, nothing negative, and shares in [0, 1); try RMSprop{LR: 0.01}"},
		{"typo", dl.ParamGroups{{Params: []string{"clasifier"}, Optimizer: sgd}}, dl.Options{}, `dl: ParamGroups: no parameter is named by "clasifier", want a name, path or pattern of 0.weight, 0.bias, 2.weight, 2.bias`},
		{"no params", dl.ParamGroups{{Optimizer: sgd}}, dl.Options{}, `dl: ParamGroups: group 0 names no Params, want at least one; "*" means all`},
		{"nothing", dl.ParamGroups{{Params: []string{"0"}}}, dl.Options{}, "dl: ParamGroups: no group has an Optimizer, so nothing would be trained; give one an SGD or Adam"},
		{"nested", dl.ParamGroups{{Params: []string{"0"}, Optimizer: dl.ParamGroups{}}}, dl.Options{}, "dl: ParamGroups: the Optimizer of group 0 is dl.ParamGroups, want one that is no group; list all groups in one ParamGroups"},
		{"in a group", dl.ParamGroups{{Params: []string{"0"}, Optimizer: dl.SGD{LR: 1, Dampening: 2}}}, dl.Options{}, "dl: ParamGroups: group 0: SGD: Dampening is 2, want it in [0, 1); leave it out"},
		{"options", sgd, dl.Options{ClipNorm: -1}, "dl: Options: ClipNorm is -1, ClipValue 0, Accumulate 0 and Devices 0, want nothing negative; 0 means off"},
		{"float64", sgd, dl.Options{Precision: dl.Float64}, "dl: Options: Precision is float64, want float32 or bfloat16; XLA has no float16 on every device"},
		{"devices", sgd, dl.Options{Devices: 2}, "dl: training step: Options: Devices is 2, and go has 1 to share a batch from go:0 on, want as many or fewer; see dl.Devices()"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := dl.TrainStep(smallNet(), nil, test.optimizer).With(test.options).Run(batch); err == nil || err.Error() != test.err {
				t.Errorf("error is %v, want %s", err, test.err)
			}
		})
	}
	for _, test := range []struct {
		how dl.Scheduler
		err string
	}{
		{nil, "dl: Schedule: the scheduler is nil; try dl.StepLR{StepSize: 30}"},
		{dl.StepLR{}, "dl: StepLR: StepSize is 0 and Gamma 0, want a StepSize above 0 and no negative Gamma; try StepLR{StepSize: 30, Gamma: 0.1}"},
		{dl.SequentialLR{Schedulers: []dl.Scheduler{dl.LinearLR{}}, Milestones: []int{1}}, "dl: SequentialLR: 1 schedulers and 1 milestones, want one milestone fewer than schedulers"},
		{dl.SequentialLR{Schedulers: []dl.Scheduler{dl.CosineAnnealingLR{}}}, "dl: SequentialLR: scheduler 0: CosineAnnealingLR: TMax is 0 and MinLR 0, want TMax above 0 and no negative MinLR; set TMax to the number of epochs"},
	} {
		if _, err := dl.TrainStep(smallNet(), nil, sgd).Schedule(test.how); fmt.Sprint(err) != test.err {
			t.Errorf("Schedule(%v) returns %v, want %s", test.how, err, test.err)
		}
	}
	plateau := must(dl.TrainStep(smallNet(), nil, sgd).Schedule(dl.ReduceLROnPlateau{}))
	if err, want := plateau.Step(), "dl: Schedule: ReduceLROnPlateau got no metric, want one, such as the loss on the test data: schedule.StepMetric(result.Loss)"; fmt.Sprint(err) != want {
		t.Errorf("a plateau without a metric returns %v, want %s", err, want)
	}
}

func panicText(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

// TestGroupsKeepNothingElse trains a part of a model only.
func TestGroupsKeepNothingElse(t *testing.T) {
	on(t, "go")
	batch := dl.Batch{Inputs: fill(1, 1, 4, 2), Labels: dl.FromSlice([]int64{0, 1, 0, 1})}
	m := smallNet()
	before := m.StateDict()
	step := dl.TrainStep(m, nil, dl.ParamGroups{{Params: []string{"2.*"}, Optimizer: dl.Adam{}}})
	must(step.Run(batch))
	for name, old := range before {
		changed := !slices.Equal(old.Float32s(), m.Param(name).Float32s())
		if want := name[0] == '2'; changed != want {
			t.Errorf("%s changed: %v, want %v", name, changed, want)
		}
	}
	if got := fmt.Sprint(dl.Kept(step)); got != "[2.bias 2.weight]" {
		t.Errorf("the optimizer keeps state for %s, want that of layer 2", got)
	}
	m.Freeze("2")
	_, err := step.Run(batch)
	wantError(t, err, "dl: training step: every parameter of the groups is frozen, want one that learns; call model.Unfreeze, or name others in ParamGroups")
}

// TestAccumulate takes one step by three batches and by one that holds them
// all, of different sizes.
func TestAccumulate(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		full := dl.Batch{Inputs: fill(3, 1, 12, 2), Labels: dl.FromSlice([]int64{0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0})}
		part := func(from, to int) dl.Batch {
			var xs []*dl.Tensor
			for i := from; i < to; i++ {
				xs = append(xs, full.Inputs.Index(i))
			}
			return dl.Batch{Inputs: dl.Stack(xs), Labels: dl.FromSlice(full.Labels.Int64s()[from:to])}
		}
		for _, loss := range []dl.Loss{nil, dl.CrossEntropyLoss{Weight: []float64{1, 3}}, dl.CrossEntropyLoss{Reduction: "sum"}} {
			dl.Seed(1)
			whole := smallNet()
			dl.Seed(1)
			parts := smallNet()
			rule := dl.Adam{LR: 0.1}
			a := dl.TrainStep(whole, loss, rule).With(dl.Options{ClipNorm: 0.5})
			b := dl.TrainStep(parts, loss, rule).With(dl.Options{ClipNorm: 0.5, Accumulate: 3})
			for range 2 {
				must(a.Run(full))
				for _, p := range []dl.Batch{part(0, 5), part(5, 10), part(10, 12)} {
					b.Run(p)
				}
			}
			if a.N() != 2 || b.N() != 2 {
				t.Fatalf("%d and %d steps, want 2", a.N(), b.N())
			}
			near(t, "norm", []float64{b.GradNorm()}, []float64{a.GradNorm()}, 1e-5) // sums in another order
			for _, name := range whole.Names() {
				near(t, name, parts.Param(name).Float64s(), whole.Param(name).Float64s(), 1e-4) // Adam divides by small numbers
			}
			b.Run(part(0, 5))
			if b.N() != 2 {
				t.Error("one batch of three made a step")
			}
			if err := b.Flush(); err != nil || b.N() != 3 {
				t.Errorf("after Flush there are %d steps, want 3; error %v", b.N(), err)
			}
			if err := b.Flush(); err != nil || b.N() != 3 {
				t.Errorf("Flush of nothing made a step, or failed: %v", err)
			}
		}
	})
}

func TestGradients(t *testing.T) {
	on(t, "cpu")
	m := optimNet()
	before := m.StateDict()
	want := readOptim(t).Optimizers["clip norm"]
	g, err := m.Gradients(optimBatch(0), nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "norm", []float64{g.Norm()}, want.Total[:1], 1e-6) // float32
	for i, name := range m.Names() {
		near(t, name, []float64{g.Norms()[name]}, []float64{want.Norms[0][i]}, 1e-6) // float32
		if !slices.Equal(before[name].Float32s(), m.Param(name).Float32s()) {
			t.Errorf("%s changed", name)
		}
	}
}

// TestBFloat16 trains in mixed precision: weights stay float32, and the loss
// falls as in float32, but for rounding to 8 bits.
func TestBFloat16(t *testing.T) {
	on(t, "cpu")
	nets := map[string]func() (dl.Layer, dl.Batch, []any){
		"images": func() (dl.Layer, dl.Batch, []any) {
			return dl.Sequential{dl.Conv2d{Out: 8, Kernel: 3}, dl.BatchNorm2d{}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2}, dl.Flatten{}, dl.LayerNorm{}, dl.Linear{Out: 3}},
				dl.Batch{Inputs: fill(1, 1, 8, 3, 8, 8), Labels: dl.FromSlice([]int64{0, 1, 2, 0, 1, 2, 0, 1})}, nil
		},
		"words": func() (dl.Layer, dl.Batch, []any) {
			return dl.Sequential{dl.Embedding{In: 11, Out: 8}, dl.Flatten{}, dl.Linear{Out: 3}},
				dl.Batch{Inputs: dl.FromSlice([]int64{1, 2, 3, 4, 5, 6, 7, 8}, 4, 2), Labels: dl.FromSlice([]int64{0, 1, 2, 0})}, []any{dl.Int64}
		},
	}
	for name, make := range nets {
		t.Run(name, func(t *testing.T) {
			losses := map[dl.DType][]float64{}
			for _, precision := range []dl.DType{dl.Float32, dl.BFloat16} {
				dl.Seed(2)
				net, batch, kind := make()
				m := must(dl.Build(net, append([]any{batch.Inputs.Shape()}, kind...)...))
				step := dl.TrainStep(m, nil, dl.Adam{LR: 0.01}).With(dl.Options{Precision: precision})
				for range 20 {
					losses[precision] = append(losses[precision], must(step.Run(batch)).Loss)
				}
				for _, name := range m.Names() {
					if kind := m.Param(name).DType(); kind != dl.Float32 && kind != dl.Int64 {
						t.Errorf("%s is %s", name, kind)
					}
				}
			}
			full, half := losses[dl.Float32], losses[dl.BFloat16]
			if slices.Equal(full, half) {
				t.Error("bfloat16 gives the losses of float32 to the last bit")
			}
			near(t, "losses", half, full, 0.03) // bfloat16 has 8 bits, 0.4 % a number
		})
	}
}

// TestDataParallel trains on several devices that share each batch, also one
// that does not divide evenly, as on one.
func TestDataParallel(t *testing.T) {
	fourDevices(t)
	for _, accumulate := range []int{1, 3} {
		t.Run(fmt.Sprintf("accumulate %d", accumulate), func(t *testing.T) { dataParallel(t, accumulate) })
	}
}

func dataParallel(t *testing.T, accumulate int) {
	curves := map[int][]float64{}
	for _, n := range []int{1, 4} {
		dl.Seed(4)
		m := must(dl.Build(dl.Sequential{dl.Conv2d{Out: 4, Kernel: 3}, dl.BatchNorm2d{}, dl.ReLU{}, dl.Dropout{P: 0.2}, dl.Flatten{}, dl.Linear{Out: 3}}, dl.Shape{8, 2, 6, 6}))
		step := dl.TrainStep(m, nil, dl.SGD{LR: 0.05, Momentum: 0.9}).With(dl.Options{Devices: n, ClipNorm: 1, Accumulate: accumulate})
		for i := range 10 {
			rows := 8 - 2*(i%2)
			labels := make([]int64, rows)
			for k := range labels {
				labels[k] = int64((k + i) % 3)
			}
			curves[n] = append(curves[n], must(step.Run(dl.Batch{Inputs: fill(50+i, 1, rows, 2, 6, 6), Labels: dl.FromSlice(labels)})).Loss)
		}
		curves[n] = append(curves[n], must(m.Predict(fill(9, 1, 2, 2, 6, 6))).Float64s()...)
	}
	near(t, "losses and outputs", curves[4], curves[1], 1e-4) // sums in another order
}
