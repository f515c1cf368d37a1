package dl

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Step trains a model by hand, a batch at a time:
//
//	step := dl.TrainStep(model, dl.CrossEntropyLoss{}, dl.SGD{LR: 0.01})
//	for batch := range loader.Batches() {
//		loss := step.Run(batch)
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
// new torch.optim optimizer does. Goroutines may share a Step.
type Step struct {
	model *Model
	loss  Loss
	opt   Optimizer
	err   error // of the settings

	mu   sync.Mutex // guards what follows; the model's train lock is taken first
	lr   float64
	n    int
	kept map[string][]*Tensor // the optimizer's slots of each parameter that learns
	size int                  // rows of the compiled program; smaller batches are filled up
	last Result
	seed uint64 // with n, where a step's random numbers begin
}

// Result is what [Evaluate] or a step found on some examples.
type Result struct {
	Loss     float64 // mean over the examples
	Accuracy float64 // share of examples whose class is right, in [0, 1]; NaN where there are no classes
	N        int     // examples
}

// String writes the result on one line.
func (r Result) String() string {
	s := fmt.Sprintf("loss %.4f", r.Loss)
	if r.Accuracy == r.Accuracy {
		s += fmt.Sprintf("  accuracy %.2f %%", 100*r.Accuracy)
	}
	return s + fmt.Sprintf("  on %s examples", thousands(r.N))
}

// TrainStep returns a [Step] that trains the model. A nil loss means
// [CrossEntropyLoss]. The program is compiled at the first Run. Settings that
// cannot work are reported there.
func TrainStep(model *Model, loss Loss, optimizer Optimizer) *Step {
	s := &Step{model: model, loss: loss, opt: optimizer, seed: nextSeed()}
	if loss == nil {
		s.loss = CrossEntropyLoss{}
	}
	switch {
	case model == nil:
		s.err = fmt.Errorf("dl: TrainStep: the model is nil, want one that dl.Build made")
	case optimizer == nil:
		s.err = fmt.Errorf("dl: TrainStep: the optimizer is nil; try dl.SGD{LR: 0.01, Momentum: 0.9}")
	default:
		s.err = optimizer.check()
		s.lr = optimizer.rate()
	}
	if how, err := reductionOf(s.loss); s.err == nil && err != nil {
		s.err = err
	} else if s.err == nil && how == "none" {
		s.err = fmt.Errorf("dl: TrainStep: the loss has Reduction none, want one number to train on; use mean or sum")
	}
	return s
}

// N returns the number of steps done.
func (s *Step) N() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// LR returns the learning rate.
func (s *Step) LR() float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lr
}

// SetLR changes the learning rate from the next step on, without compiling.
func (s *Step) SetLR(lr float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lr = lr
}

// Last returns the loss and accuracy of the last step's batch, before that
// step changed the weights.
func (s *Step) Last() Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Run does one step and returns the batch's mean loss before it. It panics
// with the error that [Step.Do] returns.
func (s *Step) Run(batch Batch) float64 {
	r, err := s.Do(batch)
	if err != nil {
		panic(err)
	}
	return r.Loss
}

// Do does one step and returns the batch's loss and accuracy before it.
// Shapes that do not fit are a [*ShapeError]; labels outside of the classes
// and the cell's interrupt are errors too. After an interrupt the step may
// still come to its end, whole.
func (s *Step) Do(batch Batch) (Result, error) {
	ctx := callerContext()
	t, err := s.do(ctx, ctx, batch)
	if err != nil {
		return Result{}, err
	}
	return t.result(), nil
}

// do does a step. Two contexts end its waits, for the compiler and for the
// step itself.
func (s *Step) do(ctx, running context.Context, batch Batch) (tally, error) {
	if s.err != nil {
		return tally{}, s.err
	}
	on, err := current()
	if err != nil {
		return tally{}, err
	}
	rows, err := batch.rows()
	if err != nil {
		return tally{}, during("training step", err)
	}
	s.mu.Lock()
	s.size = max(s.size, rows)
	size := s.size
	s.mu.Unlock()
	learning := s.model.learning()
	if !slices.Contains(learning, true) {
		return tally{}, during("training step", errFrozen())
	}
	key := fmt.Sprintf("step %s %s %s %s %v", on.label(), batch.key(size, s.loss), s.opt.settings(), s.model.mode(), learning)
	p, err := s.model.programs.get(key, func() (*program, error) {
		var needs limits
		p, err := compile(ctx, on, "training step", func(g *graph.Graph) (out []*graph.Node) {
			out, needs = s.trace(g, batch, size, learning)
			return out
		})
		if err == nil {
			p.limits = needs
		}
		return p, err
	})
	if err != nil {
		return tally{}, during("training step", err)
	}
	var r tally
	err = await(running, func() error {
		if err := batch.check(p.limits, s.loss); err != nil {
			return err
		}
		var err error
		r, err = s.run(p, batch.fill(size), rows, learning)
		return err
	})
	if err != nil {
		return tally{}, during("training step", err)
	}
	return r, nil
}

// run executes the program on the model's weights and puts the new ones in
// their place.
func (s *Step) run(p *program, full Batch, rows int, learning []bool) (tally, error) {
	m := s.model
	m.train.Lock()
	defer m.train.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	values, release := m.snapshot()
	defer release()
	inputs := append(slices.Clone(values), s.slots(learning)...)
	inputs = append(inputs, full.Inputs, full.Labels, Scalar(float32(rows)), randomKey(s.seed, uint64(s.n)))
	for _, v := range s.opt.scalars(s.n+1, s.lr) {
		inputs = append(inputs, Scalar(float32(v)))
	}
	out, err := p.run(inputs...)
	if err != nil {
		return tally{}, err
	}
	// Read the results first: on an accelerator this is where a failed
	// execution shows.
	score := out[len(out)-1].Float32s()
	out[len(out)-1].Free()
	out = out[:len(out)-1]
	values = slices.Clone(values)
	for i, sp := range m.specs {
		if learning[i] || !sp.trained {
			values[i], out = out[0], out[1:]
		}
	}
	m.replace(values)
	for i, sp := range m.specs {
		if !learning[i] {
			continue
		}
		for _, t := range s.kept[sp.name] {
			t.Free()
		}
		n := s.opt.slots()
		s.kept[sp.name], out = slices.Clone(out[:n]), out[n:]
	}
	s.n++
	t := tallyOf(score, rows)
	s.last = t.result()
	return t, nil
}

// slots returns what the optimizer keeps for the parameters that learn, one
// after the other, making what is not there yet.
func (s *Step) slots(learning []bool) (slots []*Tensor) {
	if s.kept == nil {
		s.kept = map[string][]*Tensor{}
	}
	for i, sp := range s.model.specs {
		if !learning[i] {
			continue
		}
		kept := s.kept[sp.name]
		if len(kept) > 0 && !kept[0].shape.Equal(sp.shape) {
			kept = nil // the layer was replaced
		}
		for len(kept) < s.opt.slots() {
			kept = append(kept, newTensor(make([]float32, sp.shape.Size()), sp.shape))
		}
		s.kept[sp.name] = kept
		slots = append(slots, kept...)
	}
	return slots
}

// trace writes the program: parameters, slots, inputs, labels, the number of
// rows that count, the key of random numbers and the optimizer's scalars go
// in; buffers, the parameters that learn, their slots and the score come out.
func (s *Step) trace(g *graph.Graph, batch Batch, size int, learning []bool) (outputs []*graph.Node, needs limits) {
	m := s.model
	t := m.forward(g, true)
	slots := make([][]*graph.Node, len(m.specs))
	for i, sp := range m.specs {
		for n := 0; learning[i] && n < s.opt.slots(); n++ {
			slots[i] = append(slots[i], parameter(g, Float32, sp.shape))
		}
	}
	loss, score, needs := t.loss(m, s.loss, batch, size)
	var scalars []*graph.Node
	for range s.opt.scalars(1, 1) {
		scalars = append(scalars, parameter(g, Float32, nil))
	}
	var trained []*graph.Node
	for i, sp := range m.specs {
		if learning[i] {
			trained = append(trained, t.params[sp.name])
		}
	}
	gradients := graph.Gradient(loss, trained...)
	var values, kept []*graph.Node
	for i, sp := range m.specs {
		old := t.params[sp.name]
		if sp.trained && !learning[i] {
			continue
		}
		if !sp.trained {
			if now := t.updates[sp.name]; now != nil {
				old = now
			}
			values = append(values, old)
			continue
		}
		now, slots := s.opt.update(old, gradients[0], slots[i], scalars)
		gradients = gradients[1:]
		values, kept = append(values, now), append(kept, slots...)
	}
	return append(append(values, kept...), score), needs
}

// loss writes the model's forward pass and loss for a batch of size rows, of
// which an input says how many count. The score is a [tally]'s numbers.
func (t *trace) loss(m *Model, loss Loss, batch Batch, size int) (mean, score *graph.Node, needs limits) {
	g := t.graph
	x := t.begin(m, batch.Inputs.dtype, append(Shape{size}, batch.Inputs.shape[1:]...))
	labels := t.input(batch.Labels.dtype, append(Shape{size}, batch.Labels.shape[1:]...))
	rows := t.input(Float32, nil).value()
	t.rows, t.batch = rows, size
	if t.training {
		t.key = t.input(dtypes.Uint32, Shape{2}).value()
	}
	output := m.call(x)
	terms, weights := loss.Terms(output, labels)
	if shape := terms.Shape(); len(shape) == 0 || shape[0] != size {
		panic(&ShapeError{Op: fmt.Sprintf("%T: Terms", loss), Got: shape, Want: fmt.Sprintf("[%d …], a term for each example", size), Fix: "do not add them up: the step does, for the examples that count"})
	}
	// Where, not a product: a row that does not count may be NaN.
	add := func(x *graph.Node) *graph.Node {
		counts := graph.LessThan(graph.Iota(g, shapes.Make(Float32, size), 0), rows)
		return graph.ReduceAllSum(graph.Where(counts, x, graph.ZerosLike(x)))
	}
	sum, total := add(terms.value()), graph.Scalar(g, Float32, 1)
	if weights != nil {
		total = add(weights.value())
	}
	right := graph.Scalar(g, Float32, -1)
	if out := output.Shape(); len(out) == 2 && len(batch.Labels.shape) == 1 && batch.Labels.dtype.IsInt() {
		needs.classes = out[1]
		counts := graph.ConvertDType(graph.LessThan(graph.Iota(g, shapes.Make(Float32, size), 0), rows), Float32)
		hit := graph.Equal(graph.ArgMax(output.value(), 1, Int64), graph.ConvertDType(labels.value(), Int64))
		right = graph.ReduceAllSum(graph.Mul(graph.ConvertDType(hit, Float32), counts))
	}
	needs.ids = t.ids
	return graph.Div(sum, total), graph.Stack([]*graph.Node{sum, total, right}, 0), needs
}

// tally adds up what programs found, so that batches of different sizes give
// exact means.
type tally struct {
	loss, weight float64 // sums over the examples
	right        float64 // examples whose class is right; negative where there are no classes
	rows         int
}

func tallyOf(score []float32, rows int) tally {
	return tally{float64(score[0]), float64(score[1]), float64(score[2]), rows}
}

func (t *tally) add(u tally) {
	t.loss, t.weight, t.right, t.rows = t.loss+u.loss, t.weight+u.weight, t.right+u.right, t.rows+u.rows
}

func (t tally) result() Result {
	r := Result{Loss: t.loss / t.weight, Accuracy: t.right / float64(t.rows), N: t.rows}
	if t.right < 0 {
		r.Accuracy = math.NaN()
	}
	return r
}

// key identifies the program for a batch of size rows with a loss.
func (b Batch) key(size int, loss Loss) string {
	return fmt.Sprintf("%d %v%s %v%s %s", size, b.Inputs.shape[1:], b.Inputs.dtype, b.Labels.shape[1:], b.Labels.dtype, settings(loss))
}

// rows checks that inputs and labels fit, and counts them.
func (b Batch) rows() (int, error) {
	if b.Inputs == nil || b.Labels == nil || len(b.Inputs.shape) == 0 || len(b.Labels.shape) == 0 {
		return 0, fmt.Errorf("the batch has no inputs or no labels, want [N …] and [N]; make it with a loader, or Batch{Inputs: …, Labels: …}")
	}
	n := b.Inputs.shape[0]
	if n == 0 || b.Labels.shape[0] != n {
		return 0, fmt.Errorf("the batch has %d inputs and %d labels, want as many of both and at least one", n, b.Labels.shape[0])
	}
	return n, nil
}

// limits is what a program needs of the numbers it gets, because on the device
// nothing would fail: they would only teach nothing.
type limits struct {
	classes int // outputs of a classifier, which labels must stay below; 0 where there are none
	ids     int // what the inputs must stay below, for an Embedding; 0 where there is none
}

// check finds labels that are no class and inputs that have no embedding.
func (b Batch) check(needs limits, loss Loss) error {
	if err := needs.inputs(b.Inputs); err != nil || needs.classes == 0 {
		return err
	}
	skips, _ := loss.(interface{ ignores(label int64) bool })
	for i, l := range b.Labels.Int64s() {
		if (l < 0 || l >= int64(needs.classes)) && (skips == nil || !skips.ignores(l)) {
			return fmt.Errorf("label %d of the batch is %d, want 0 to %d, the model's outputs; set the last layer's Out to the number of classes", i, l, needs.classes-1)
		}
	}
	return nil
}

func (needs limits) inputs(x *Tensor) error {
	if needs.ids == 0 {
		return nil
	}
	for i, v := range x.Int64s() {
		if v < 0 || v >= int64(needs.ids) {
			return fmt.Errorf("number %d of the input is %d, want 0 to %d, the Embedding's; set its In to the size of the vocabulary", i, v, needs.ids-1)
		}
	}
	return nil
}

// fill returns the batch with rows added up to size, copies of the first.
func (b Batch) fill(size int) Batch {
	n := b.Inputs.shape[0]
	if n == size {
		return b
	}
	return Batch{Inputs: b.Inputs.fill(size), Labels: b.Labels.fill(size)}
}

func (t *Tensor) fill(size int) *Tensor {
	n, flat := t.shape[0], reflect.ValueOf(t.flat())
	row := flat.Len() / n
	all := reflect.MakeSlice(flat.Type(), size*row, size*row)
	reflect.Copy(all, flat)
	for i := n; i < size; i++ {
		reflect.Copy(all.Slice(i*row, (i+1)*row), flat.Slice(0, row))
	}
	return &Tensor{shape: append(Shape{size}, t.shape[1:]...), dtype: t.dtype, host: all.Interface()}
}
