package dl_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// These are programs that PyTorch users wrote for themselves: a loss of two outputs,
// models evaluated by the loss they were trained with, and code edited between calls.

// heads has two outputs, scores of classes and the numbers of a box.
type heads struct{ Body, Classes, Box dl.Linear }

func (h *heads) Forward(x *dl.Tensor) (scores, box *dl.Tensor) {
	x = h.Body.Forward(x).ReLU()
	return h.Classes.Forward(x), h.Box.Forward(x)
}

// losses returns the two losses of batch i.
func (h *heads) losses(x, label, want *dl.Tensor) (class, box *dl.Tensor) {
	scores, place := h.Forward(x)
	return scores.CrossEntropy(label), place.Loss(dl.SmoothL1Loss{Reduction: "sum"}, want).Scale(1.0 / 8)
}

// TestTwoHeads trains a network with two outputs and a loss of each, beside PyTorch: by
// the gradients of four batches clipped together, and by two optimizers in turn.
func TestTwoHeads(t *testing.T) {
	var ref struct {
		Torch    string
		Together headsWant
		InTurn   headsWant `json:"in turn"`
	}
	if err := json.Unmarshal(must(os.ReadFile("testdata/ref/heads.json")), &ref); err != nil {
		t.Fatal(err)
	}
	build := func() (*heads, *dl.Model) {
		net := &heads{dl.Linear{Out: 32}, dl.Linear{Out: 5}, dl.Linear{Out: 4}}
		m := must(dl.Build(net, dl.Shape{8, 10}))
		for i, name := range m.Names() {
			m.Param(name).Set(fill(20+i, 0.3, m.Param(name).Shape()...))
		}
		return net, m
	}
	batch := func(i int) (x, label, want *dl.Tensor) {
		labels := make([]int64, 8)
		for k := range labels {
			labels[k] = int64(k*3+i) % 5
		}
		return fill(40+i, 1, 8, 10), dl.FromSlice(labels), fill(60+i, 2, 8, 4)
	}
	eachBackend(t, func(t *testing.T) {
		four := func(net *heads, m *dl.Model, opt *dl.Optim) func(x, label, want []*dl.Tensor) (class, box []*dl.Tensor, norm *dl.Tensor) {
			return func(x, label, want []*dl.Tensor) (classes, boxes []*dl.Tensor, norm *dl.Tensor) {
				for i := range x {
					class, box := net.losses(x[i], label[i], want[i])
					class.Add(box.Scale(0.5)).Scale(1.0 / 4).Backward()
					classes, boxes = append(classes, class), append(boxes, box)
				}
				norm = dl.ClipGradNorm(m, 1)
				opt.Step()
				opt.ZeroGrad()
				return classes, boxes, norm
			}
		}
		for _, how := range []string{"at once", "compiled"} {
			net, m := build()
			step := four(net, m, dl.Adam{LR: 0.01}.For(m))
			if how == "compiled" {
				step = dl.Compile(step).Call
			}
			var got headsWant
			for _, first := range []int{0, 4} {
				var xs, labels, wants []*dl.Tensor
				for i := range 4 {
					x, label, want := batch(first + i)
					xs, labels, wants = append(xs, x), append(labels, label), append(wants, want)
				}
				classes, boxes, norm := step(xs, labels, wants)
				for i := range classes {
					got.add(classes[i], boxes[i])
				}
				got.Norms = append(got.Norms, norm.Item())
			}
			got.compare(t, how, m, ref.Together)
		}

		net, m := build()
		turns := []*dl.Optim{dl.SGD{LR: 0.1, Momentum: 0.9}.For(net.Body), dl.Adam{LR: 0.01}.For(net.Classes, net.Box)}
		steps := make([]*dl.Compiled[func(x, label, want *dl.Tensor) (class, box *dl.Tensor)], 2)
		for i, opt := range turns {
			steps[i] = dl.Compile(func(x, label, want *dl.Tensor) (class, box *dl.Tensor) {
				class, box = net.losses(x, label, want)
				class.Add(box.Scale(0.5)).Backward()
				opt.Step()
				return class, box
			})
		}
		var got headsWant
		for i := range 8 {
			for _, name := range m.Names() {
				m.Param(name).ZeroGrad()
			}
			got.add(steps[i%2].Call(batch(i)))
		}
		got.compare(t, "in turn", m, ref.InTurn)
	})
}

// headsWant is what a training of heads gives.
type headsWant struct {
	Classes, Boxes, Norms []float64
	Params                map[string][]float64
}

func (w *headsWant) add(class, box *dl.Tensor) {
	w.Classes, w.Boxes = append(w.Classes, class.Item()), append(w.Boxes, box.Item())
}

func (w *headsWant) compare(t *testing.T, what string, m *dl.Model, want headsWant) {
	t.Helper()
	near(t, what+": losses of classes", w.Classes, want.Classes, 1e-5) // float32
	near(t, what+": losses of boxes", w.Boxes, want.Boxes, 1e-5)
	near(t, what+": norms", w.Norms, want.Norms, 1e-5)
	for name, p := range want.Params {
		near(t, what+": "+name, brief(m.Param(name)), p, 1e-4) // Adam divides by small numbers
	}
}

// plane is a data set with targets 1 + 2a - b + c, each a tensor of the shape target.
type plane struct {
	n      int
	target dl.Shape
}

func (p plane) Len() int { return p.n }
func (p plane) Get(i int) (dl.Example, error) {
	a, b, c := float32(i%7)/7, float32(i%5)/5, float32(i%3)/3
	return dl.Example{Input: dl.FromSlice([]float32{a, b, c}), Target: dl.FromSlice([]float32{1 + 2*a - b + c}).Reshape(p.target...)}, nil
}

// TestEvaluationHasTargets evaluates a regression by its own loss and targets: given as a
// data set or a loader, while it trains and afterwards, with targets of one number in an
// axis or without.
func TestEvaluationHasTargets(t *testing.T) {
	on(t, "go")
	for name, c := range map[string]struct {
		net    dl.Layer
		target dl.Shape
	}{
		"targets [N 1]": {dl.Linear{Out: 1}, dl.Shape{1}},
		"targets [N]":   {dl.Sequential{dl.Linear{Out: 1}, dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Reshape(-1) })}, dl.Shape{}},
	} {
		t.Run(name, func(t *testing.T) {
			dl.Seed(1)
			m := must(dl.Build(c.net, dl.Shape{16, 3}))
			train, eval := dl.DataLoader{Dataset: plane{320, c.target}, BatchSize: 16, Shuffle: true}, plane{64, c.target}
			loader := dl.DataLoader{Dataset: eval, BatchSize: 24} // the last batch has 16
			for _, source := range []dl.Source{eval, loader} {
				run := dl.Start(m, dl.Training{Data: train, Eval: source, Epochs: 3, Optimizer: dl.SGD{LR: 0.1}, Loss: dl.MSELoss{}})
				if err := run.Wait(); err != nil {
					t.Fatal(err)
				}
				want := 0.0
				for i := range eval.n {
					e := must(eval.Get(i))
					y := must(m.Predict(e.Input.Reshape(1, 3))).Item()
					want += (y - e.Target.Item()) * (y - e.Target.Item()) / float64(eval.n)
				}
				last := run.Epochs()[2].Eval
				near(t, fmt.Sprintf("the loss of %T", source), []float64{last.Loss, must(dl.Evaluate(m, eval)).Loss, must(dl.Evaluate(m, loader)).Loss},
					[]float64{want, want, want}, 1e-5)
				if want == 0 || last.LossName != "MSELoss" || last.N != 64 {
					t.Errorf("the evaluation of %T is %v, want MSELoss of 64 examples, not 0", source, last)
				}
			}
		})
	}
	binary := must(dl.Build(dl.Linear{Out: 1}, dl.Shape{4, 3}))
	_, err := dl.Evaluate(binary, dl.DataLoader{Dataset: plane{64, dl.Shape{1}}, BatchSize: 16})
	wantError(t, err, "dl: Evaluate: CrossEntropyLoss: input is [16 1], want [N C …] of two classes or more: the loss of one is always 0; for numbers use MSELoss, for yes or no BCEWithLogitsLoss; Evaluate takes the loss of the model's last training")
}

// TestModelsShareANetwork makes two models of one struct, and a third of a struct that
// has it: they have the same weights, and any of them can be used with another batch.
func TestModelsShareANetwork(t *testing.T) {
	on(t, "go")
	net := &wrapped{dl.Linear{Out: 2}}
	first := must(dl.Build(net, dl.Shape{4, 3}))
	second := must(dl.Build(net, dl.Shape{4, 3}))
	outer := must(dl.Build(dl.Sequential{net, dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Scale(10) })}, dl.Shape{4, 3}))
	x := fill(1, 1, 5, 3)
	want := must(first.Predict(x)).Float64s()
	step := dl.TrainStep(second, dl.MSELoss{}, dl.SGD{LR: 0.1})
	for range 2 {
		near(t, "the second model", must(second.Predict(x)).Float64s(), want, 0)
		near(t, "a tenth of the outer model", must(outer.Predict(x)).Scale(0.1).Float64s(), want, 1e-6)
		must(step.Run(dl.Batch{Inputs: x, Labels: fill(2, 1, 5, 2)}))
		before := want[0]
		if want = must(first.Predict(x)).Float64s(); want[0] == before {
			t.Fatal("a step of the second model left the first as it was")
		}
	}
}

type wrapped struct{ L dl.Linear }

func (w *wrapped) Forward(x *dl.Tensor) *dl.Tensor { return w.L.Forward(x) }

// squares and distances return two types of one name, as a cell that is edited and run
// again makes them.
func squares() dl.Loss {
	type myLoss struct{ squareTerms }
	return myLoss{}
}

func distances() dl.Loss {
	type myLoss struct{ distanceTerms }
	return myLoss{}
}

type squareTerms struct{}

func (squareTerms) Terms(out, target *dl.Tensor) (terms, weights *dl.Tensor) {
	d := out.Sub(target).Square().Mean(1)
	return d, d.Scale(0).Shift(1)
}

type distanceTerms struct{}

func (distanceTerms) Terms(out, target *dl.Tensor) (terms, weights *dl.Tensor) {
	d := out.Sub(target).Abs().Mean(1).Scale(1000)
	return d, d.Scale(0).Shift(1)
}

// TestEditedLoss has an edited loss take the old one's place in steps, gradients and runs
// of a model that stays.
func TestEditedLoss(t *testing.T) {
	on(t, "go")
	m := must(dl.Build(dl.Linear{Out: 1}, dl.Shape{4, 1}))
	m.Param("weight").Set(dl.FromSlice([]float32{0.5}, 1, 1))
	m.Param("bias").Set(dl.FromSlice([]float32{1}))
	x, y := column([]float64{1, 2, 3, 4}), column([]float64{2, 4, 6, 8})
	batch := dl.Batch{Inputs: x, Labels: y}
	// The outputs are 1.5, 2, 2.5 and 3: wrong by 0.5, 2, 3.5 and 5.
	for _, c := range []struct {
		name       string
		loss       dl.Loss
		want, grad float64 // for the weight
	}{
		{"squares", squares(), (0.25 + 4 + 12.25 + 25) / 4, -2 * (0.5 + 4 + 10.5 + 20) / 4},
		{"distances", distances(), 1000 * 11.0 / 4, -1000 * 10.0 / 4},
	} {
		for _, rule := range []dl.Optimizer{dl.SGD{LR: 1e-12}, dl.SGD{LR: 1e-12, Momentum: 0.1}} {
			step := dl.TrainStep(m, c.loss, rule)
			near(t, c.name+": a step", []float64{must(step.Run(batch)).Loss, must(step.Run(batch)).Loss}, []float64{c.want, c.want}, 1e-6)
		}
		run := dl.Start(m, dl.Training{Data: oneBatch{batch}, Eval: oneBatch{batch}, Loss: c.loss, Optimizer: dl.SGD{LR: 1e-12}})
		if err := run.Wait(); err != nil {
			t.Fatal(err)
		}
		epoch := run.Epochs()[0]
		near(t, c.name+": at once, a run, its evaluation, Evaluate", []float64{must(m.Predict(x)).Loss(c.loss, y).Item(), epoch.Train.Loss, epoch.Eval.Loss, must(dl.Evaluate(m, oneBatch{batch})).Loss},
			[]float64{c.want, c.want, c.want, c.want}, 1e-6)
		near(t, c.name+": gradient", must(m.Gradients(batch, c.loss))["weight"].Float64s(), []float64{c.grad}, 1e-6)
	}
}

// TestCapturedNumbers changes a number that a function of the network captures, and puts
// another function in its place.
func TestCapturedNumbers(t *testing.T) {
	on(t, "go")
	scale := 1.0
	m := must(dl.Build(dl.Sequential{dl.Linear{Out: 1, NoBias: true}, dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Scale(scale) })}, dl.Shape{1, 1}))
	m.Param("0.weight").Set(dl.FromSlice([]float32{1}, 1, 1))
	one := column([]float64{1})
	predict := func(x *dl.Tensor, want ...float64) {
		t.Helper()
		near(t, "prediction", must(m.Predict(x)).Float64s(), want, 0)
	}
	predict(one, 1)
	scale = 10
	predict(one, 10)
	predict(column([]float64{1, 1}), 10, 10)
	if err := m.Replace("1", dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Scale(7) })); err != nil {
		t.Fatal(err)
	}
	predict(one, 7)
	for _, k := range []float64{2, 3} {
		g := must(dl.Grad(func(x ...*dl.Tensor) *dl.Tensor { return x[0].Scale(k).Sum() }, one))
		near(t, "dl.Grad", g[0].Float64s(), []float64{k}, 0)
	}
	batch := dl.Batch{Inputs: one, Labels: column([]float64{3})}
	near(t, "2·7·(7 - 3)", must(m.Gradients(batch, squares()))["0.weight"].Float64s(), []float64{56}, 1e-6)
	near(t, "1000·7", must(m.Gradients(batch, distances()))["0.weight"].Float64s(), []float64{7000}, 1e-6)
	for _, c := range []struct {
		loss dl.Loss
		want float64
	}{{squares(), 16}, {distances(), 4000}} {
		run := dl.Start(m, dl.Training{Data: oneBatch{batch}, Loss: c.loss, Optimizer: dl.SGD{LR: 1e-12}})
		if err := run.Wait(); err != nil {
			t.Fatal(err)
		}
		near(t, "a run", []float64{run.Epochs()[0].Train.Loss}, []float64{c.want}, 1e-6)
	}
}

// changing has as many layers as depth says at the call, writes in Forward, and subtracts
// a mean that it keeps.
type changing struct {
	A     dl.Linear
	Mean  dl.Buffer
	depth int
	wrote strings.Builder
}

func (c *changing) Forward(x *dl.Tensor) *dl.Tensor {
	for range c.depth {
		x = c.A.Forward(x).ReLU()
	}
	fmt.Fprintln(&c.wrote, "in forward:", x.Shape())
	x = x.Sub(c.Mean.Value())
	c.Mean.Value().Set(x.Mean(0))
	return x
}

// TestForwardThatChanges has a depth of its own at each call, what Forward writes, and a
// buffer that Forward sets, compiled and at once.
func TestForwardThatChanges(t *testing.T) {
	on(t, "go")
	net := &changing{A: dl.Linear{Out: 1}, Mean: dl.Buffer{Shape: dl.Shape{1}}, depth: 1}
	m := must(dl.Build(net, dl.Shape{2, 1}))
	m.Param("a.weight").Set(dl.FromSlice([]float32{2}, 1, 1))
	m.Param("a.bias").Set(dl.FromSlice([]float32{1}))
	x := column([]float64{1, 3})
	for how, call := range map[string]func(...*dl.Tensor) *dl.Tensor{"compiled": dl.Compile(func(x ...*dl.Tensor) *dl.Tensor { return m.Call(x...) }).Call, "at once": m.Call} {
		m.Param("mean").Set(dl.FromSlice([]float32{0}))
		net.wrote.Reset()
		mean := 0.0
		for _, net.depth = range []int{2, 1, 3, 3, 2} {
			a, b := 1.0, 3.0
			for range net.depth {
				a, b = 2*a+1, 2*b+1
			}
			a, b = a-mean, b-mean
			near(t, fmt.Sprintf("%s, depth %d", how, net.depth), call(x).Float64s(), []float64{a, b}, 1e-6)
			mean = (a + b) / 2
			near(t, how+": the buffer", m.Param("mean").Float64s(), []float64{mean}, 1e-6)
		}
		if want := strings.Repeat("in forward: [2 1]\n", 5); net.wrote.String() != want {
			t.Errorf("%s: Forward wrote %q, want %q", how, net.wrote.String(), want)
		}
	}
}
