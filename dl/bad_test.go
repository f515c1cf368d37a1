package dl_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// bits returns the values of a network's parameters and buffers, and of its
// optimizer's slots, bit by bit.
func bits(dicts ...dl.StateDict) map[string][]uint32 {
	all := map[string][]uint32{}
	for i, d := range dicts {
		for name, t := range d {
			for _, v := range t.Float32s() {
				key := strings.Repeat("'", i) + name
				all[key] = append(all[key], math.Float32bits(v))
			}
		}
	}
	return all
}

// leaked returns a tensor of a program that is over, or of one that still runs.
func leaked() (t *dl.Tensor) {
	dl.Compile(func(x *dl.Tensor) *dl.Tensor { t = x.Scale(2); return t }).Call(dl.Ones(4, 2))
	return t
}

// TestBadInput trains, does what cannot be done, by a training step, at once and in a
// compiled function, and sees what is said and that nothing has changed: weights,
// buffers and the optimizer's state, bit by bit. What comes next is as if it had
// not been.
func TestBadInput(t *testing.T) {
	on(t, "go")
	labels := dl.FromSlice([]int64{0, 1, 0, 1})
	freed := fill(1, 1, 4, 2)
	freed.Free()
	elsewhere, noXLA := fill(1, 1, 4, 2).To("cpu")
	here := must(labels.To("go"))
	for _, tt := range []struct {
		name string
		x, y func() *dl.Tensor
		want string // what each way says, after its own beginning
		step string // where the training step says another thing
	}{
		{"a wrong shape", func() *dl.Tensor { return fill(1, 1, 4, 3) }, nil, "0 Linear: input is [4 3], want [N 2]", ""},
		{"labels of another number", nil, func() *dl.Tensor { return dl.FromSlice([]int64{0, 1, 0}) }, "CrossEntropyLoss: labels are [3] int64, want [4] int64", "the batch has 4 inputs and 3 labels"},
		{"labels that are no classes", nil, func() *dl.Tensor { return dl.FromSlice([]int64{0, 1, 0, 7}) }, "", "label 3 of the batch is 7, want 0 to 1"},
		{"numbers for labels", nil, func() *dl.Tensor { return fill(1, 1, 4) }, "CrossEntropyLoss: target: input is [4], want [4 2] probabilities, or class numbers as int64", ""},
		{"a freed tensor", func() *dl.Tensor { return freed }, nil, "freed", ""},
		{"a tensor of a program that is over", leaked, nil, "a tensor of a compiled function is used after the function has ended", ""},
		{"a tensor of another device", func() *dl.Tensor { return elsewhere }, func() *dl.Tensor { return here }, "tensors are on", ""},
		{"not a number", func() *dl.Tensor { return fill(1, 1, 4, 2).Scale(math.NaN()) }, nil, "the loss is NaN: the input [4 2] of the program is NaN already", ""},
	} {
		if noXLA != nil && tt.name == "a tensor of another device" {
			continue
		}
		x, y := fill(3, 1, 4, 2), labels
		bad := func() (*dl.Tensor, *dl.Tensor) {
			a, b := x, y
			if tt.x != nil {
				a = tt.x()
			}
			if tt.y != nil {
				b = tt.y()
			}
			return a, b
		}
		for _, way := range []string{"training step", "at once", "compiled"} {
			if tt.name == "a tensor of another device" && way == "training step" {
				continue // which takes its batch to the model's device
			}
			dl.Seed(6)
			m := must(dl.Build(dl.Sequential{dl.Linear{Out: 3}, dl.BatchNorm1d{}, dl.Tanh{}, dl.Linear{Out: 2}}, dl.Shape{4, 2}))
			rule := dl.Adam{LR: 0.1}
			var do func(x, y *dl.Tensor) error
			var optimizer func() dl.StateDict
			switch way {
			case "training step":
				step := dl.TrainStep(m, nil, rule).With(dl.Options{StopOnNaN: true})
				do = func(x, y *dl.Tensor) error { _, err := step.Run(dl.Batch{Inputs: x, Labels: y}); return err }
				optimizer = func() dl.StateDict { return dl.StateDict{} }
			default:
				opt := rule.For(m)
				optimizer = opt.StateDict
				learn := func(x, y *dl.Tensor) error {
					loss := m.Call(x).CrossEntropy(y)
					loss.Backward()
					opt.Step()
					opt.ZeroGrad()
					return nil
				}
				if do = learn; way == "compiled" {
					do = dl.Compile(learn).Call
				}
			}
			run := func(x, y *dl.Tensor) (err error) {
				dl.StopOnNaN(true)
				defer dl.StopOnNaN(false)
				defer func() {
					if r := recover(); r != nil {
						err = r.(error)
					}
				}()
				return do(x, y)
			}
			if err := run(x, y); err != nil {
				t.Fatalf("%s, %s: a good step says %v", tt.name, way, err)
			}
			before := bits(m.StateDict(), optimizer())
			err := run(bad())
			want := tt.want
			if way == "training step" && tt.step != "" {
				want = tt.step
			}
			if want == "" {
				continue // it has no way to know
			}
			if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "dl: ") {
				t.Errorf("%s, %s:\n%v\nwant\n… %s …", tt.name, way, err, want)
			}
			t.Logf("%s, %s: %v", tt.name, way, err)
			after := bits(m.StateDict(), optimizer())
			for name := range before {
				if way == "at once" && strings.HasPrefix(name, "1.") && !strings.HasSuffix(name, "t") && !strings.HasSuffix(name, "s") || way == "at once" && name == "1.num_batches_tracked" {
					continue // the forward pass has happened, as in PyTorch
				}
				if !equalBits(before[name], after[name]) {
					t.Errorf("%s, %s: %s changed from %v to %v", tt.name, way, name, before[name], after[name])
				}
			}
		}
	}
}

func equalBits(a, b []uint32) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// TestWrongTypes gives numbers to a network that reads words: it says so, and keeps its
// weights.
func TestWrongTypes(t *testing.T) {
	on(t, "go")
	m := must(dl.Build(dl.Sequential{dl.Embedding{In: 5, Out: 2}, dl.Flatten{}, dl.Linear{Out: 2}}, dl.Shape{4, 3}, dl.Int64))
	before := bits(m.StateDict())
	x, y := fill(1, 1, 4, 3), dl.FromSlice([]int64{0, 1, 0, 1})
	opt := dl.SGD{LR: 1}.For(m)
	for way, do := range map[string]func() error{
		"training step": func() error {
			_, err := dl.TrainStep(m, nil, dl.SGD{LR: 1}).Run(dl.Batch{Inputs: x, Labels: y})
			return err
		},
		"Predict": func() error { _, err := m.Predict(x); return err },
		"at once": func() (err error) {
			defer func() { err, _ = recover().(error) }()
			m.Call(x).CrossEntropy(y).Backward()
			opt.Step()
			return nil
		},
		"compiled": func() error {
			return dl.Compile(func(x *dl.Tensor) error { m.Call(x).CrossEntropy(y).Backward(); opt.Step(); return nil }).Call(x)
		},
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), "input is [4 3] float32, want int64, for which the model was built") {
			t.Errorf("%s: the error is %v", way, err)
		}
	}
	for name, b := range bits(m.StateDict()) {
		if !equalBits(b, before[name]) {
			t.Errorf("%s changed", name)
		}
	}
}

// TestOtherProgram uses a tensor of a program inside of another one.
func TestOtherProgram(t *testing.T) {
	on(t, "go")
	w := dl.NewParam(dl.Ones(2))
	var inside *dl.Tensor
	use := func() { w.Set(w.Add(inside)) }
	got := panics(func() {
		dl.Compile(func(x *dl.Tensor) *dl.Tensor {
			inside = x.Scale(2)
			done := make(chan string)
			go func() { // another goroutine, so another program
				done <- panics(func() { dl.Compile(func(y *dl.Tensor) *dl.Tensor { return y.Add(inside) }).Call(dl.Ones(2)) })
			}()
			panic(errors.New(<-done))
		}).Call(dl.Ones(2))
	})
	if want := "dl: a tensor of another program is used here: return it from the function that made it"; got != want {
		t.Errorf("it says %q, want %q", got, want)
	}
	if got, want := panics(use), "dl: a tensor of a compiled function is used after the function has ended"; !strings.HasPrefix(got, want) {
		t.Errorf("it says %q, want %q", got, want)
	}
	if w.Float32s()[0] != 1 {
		t.Errorf("the parameter is %v", w)
	}
}

type ring struct {
	Linear dl.Linear
	Next   *ring
}

func (r *ring) Forward(x *dl.Tensor) *dl.Tensor {
	if r.Next == nil {
		return x
	}
	return r.Next.Forward(r.Linear.Forward(x))
}

type owner struct{ Part *part }

func (o *owner) Forward(x *dl.Tensor) *dl.Tensor { return o.Part.Forward(x) }

type part struct {
	Linear dl.Linear
	Owner  *owner `dl:"-"`
}

func (p *part) Forward(x *dl.Tensor) *dl.Tensor { return p.Linear.Forward(x) }

// TestCycles builds networks that hold themselves.
func TestCycles(t *testing.T) {
	on(t, "go")
	a := &ring{Linear: dl.Linear{Out: 2}}
	a.Next = &ring{Linear: dl.Linear{Out: 2}, Next: a}
	_, err := dl.Build(a, dl.Shape{1, 2})
	wantError(t, err, "dl: Build: next.next is the ring that holds it, so the layers are a cycle and have no end; take it out, or tag a field that only points back with `dl:\"-\"`")
	s := dl.Sequential{dl.Linear{Out: 2}, nil}
	s[1] = s
	_, err = dl.Build(s, dl.Shape{1, 2})
	wantError(t, err, "dl: Build: 1 is the Sequential that holds it, so the layers are a cycle and have no end; take it out, or tag a field that only points back with `dl:\"-\"`")
	list := &[]dl.Layer{nil}
	(*list)[0] = &holding{list}
	_, err = dl.Build((*list)[0], dl.Shape{1, 2})
	wantError(t, err, "dl: Build: layers.0 is the holding that holds it, so the layers are a cycle and have no end; take it out, or tag a field that only points back with `dl:\"-\"`")
	o := &owner{&part{Linear: dl.Linear{Out: 2}}}
	o.Part.Owner = o
	m := must(dl.Build(o, dl.Shape{1, 2}))
	if got := strings.Join(m.Names(), " "); got != "part.linear.weight part.linear.bias" {
		t.Errorf("a field that points back: the parameters are %s", got)
	}
	// One layer in two places is shared, and no cycle.
	same := &part{Linear: dl.Linear{Out: 2}}
	if m := must(dl.Build(dl.Sequential{same, same}, dl.Shape{1, 2})); len(m.Names()) != 2 {
		t.Errorf("a layer in two places: the parameters are %v", m.Names())
	}
}

type holding struct{ Layers *[]dl.Layer }

func (h *holding) Forward(x *dl.Tensor) *dl.Tensor { return (*h.Layers)[0].Forward(x) }
