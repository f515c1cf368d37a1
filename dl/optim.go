package dl

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
	"github.com/holt-dl/holt/internal/hooks"
)

// Optim is an optimizer for some parameters, as the objects of torch.optim: it
// changes them by their gradients. The settings make it:
//
//	opt := dl.Adam{LR: 1e-3}.For(model)
//	loss := model.Call(x).CrossEntropy(y)
//	opt.ZeroGrad()
//	loss.Backward()
//	opt.Step()
//
// Step works at once, and inside of a function that [Compile] made, where it is
// a part of the program. It keeps the optimizer's state, such as momentum. A
// step happens for all parameters or for none.
type Optim struct {
	params []*Tensor
	names  []string // in the model; empty for parameters that were given by themselves
	in     []int    // the group of each parameter
	slots  [][]*Tensor
	models []built // that it was made for

	mu       sync.Mutex // guards what follows
	groups   []optimGroup
	n        int       // steps done
	schedule *Schedule // nil where there is none
}

// optimGroup is how some parameters are trained, with the numbers of now.
type optimGroup struct {
	rule           rule // nil keeps them as they are
	rate, momentum float64
}

// built is a model with the parameters that it had.
type built struct {
	model *Model
	root  *module
}

// For returns the optimizer for the parameters of models, networks and layers,
// and for single parameters, *Tensor or []*Tensor. Settings that cannot work, and
// what has no parameters, panic with an error.
func (s SGD) For(of ...any) *Optim { return newOptim("SGD", s, of) }

// For returns the optimizer for some parameters, as [SGD.For].
func (a Adam) For(of ...any) *Optim { return newOptim("Adam", a, of) }

// For returns the optimizer for some parameters, as [SGD.For].
func (a AdamW) For(of ...any) *Optim { return newOptim("AdamW", a, of) }

// For returns the optimizer for some parameters, as [SGD.For].
func (r RMSprop) For(of ...any) *Optim { return newOptim("RMSprop", r, of) }

// For returns the optimizer for some parameters, as [SGD.For].
func (a Adagrad) For(of ...any) *Optim { return newOptim("Adagrad", a, of) }

// For returns the optimizer for some parameters, as [SGD.For]. The groups name
// them as the model does; only "*" stands for one that was given by itself.
func (gs ParamGroups) For(of ...any) *Optim {
	groups, err := groupsOf(gs)
	if err != nil {
		panic(err)
	}
	return optimOf("ParamGroups", groups, of)
}

// NewOptim returns an optimizer of your own for the parameters of models, networks
// and layers, and for single parameters. Its own For calls it: see [UpdateRule].
func NewOptim(rule UpdateRule, of ...any) *Optim {
	if rule == nil {
		panic(fmt.Errorf("dl: NewOptim: the rule is nil, want one with Rate, Slots and Update"))
	}
	return newOptim(fmt.Sprintf("%T", rule), ownRule{rule}, of)
}

func newOptim(name string, r rule, of []any) *Optim {
	if err := r.check(); err != nil {
		panic(err)
	}
	return optimOf(name, groups{{[]string{"*"}, r}}, of)
}

func optimOf(name string, gs groups, of []any) *Optim {
	o := &Optim{}
	for _, g := range gs {
		one := optimGroup{rule: g.rule}
		if g.rule != nil {
			one.rate, one.momentum = g.rule.rate(), g.rule.momentum()
		}
		o.groups = append(o.groups, one)
	}
	o.collect(name, gs, of)
	for i, p := range o.params {
		var slots []*Tensor
		for _, s := range gs[o.in[i]].rule.slots() {
			slots = append(slots, newVariable(filled(p.shape, float32(s.start)), false))
		}
		o.slots = append(o.slots, slots)
	}
	return o
}

// collect finds the parameters of models, networks and layers, and the group of
// each.
func (o *Optim) collect(name string, gs groups, of []any) {
	seen := map[*Tensor]bool{}
	for _, x := range of {
		found, err := namedParameters(x)
		if err != nil {
			panic(fmt.Errorf("dl: %s.For: %w", name, err))
		}
		if m, ok := x.(*Model); ok {
			o.models = append(o.models, built{m, m.root})
		}
		var out []string
		for _, p := range found {
			k := gs.at(p.name)
			switch {
			case seen[p.tensor]:
				continue
			case k < 0:
				if p.tensor.learns() {
					out = append(out, p.name)
				}
				continue
			case gs[k].rule == nil:
				continue
			}
			seen[p.tensor] = true
			o.params, o.names, o.in = append(o.params, p.tensor), append(o.names, p.name), append(o.in, k)
		}
		noticeUngrouped(name+".For", out)
	}
	if len(o.params) == 0 {
		panic(fmt.Errorf("dl: %s.For: there are no parameters, want a model that dl.Build made, a part of one, or parameters", name))
	}
}

// noticeUngrouped tells of parameters that are in no group, so that nothing trains
// them, which in PyTorch is silent.
func noticeUngrouped(op string, names []string) {
	if len(names) == 0 {
		return
	}
	const most = 6
	list := strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		list += fmt.Sprintf(", … (%d in all)", len(names))
	}
	hooks.Notice(fmt.Sprintf("%s: no group names %s, so nothing trains it; add a group for \"*\", one without an Optimizer if that is meant, or freeze it", op, list))
}

// filled returns a float32 tensor of one value.
func filled(shape Shape, v float32) *Tensor {
	values := make([]float32, shape.Size())
	fillWith(values, v)
	return newTensor(values, shape)
}

// fillWith writes one value into zeros.
func fillWith(zeros []float32, v float32) {
	if v == 0 {
		return
	}
	for i := range zeros {
		zeros[i] = v
	}
}

// parametersOf returns the trained parameters of a model, network or layer.
func parametersOf(x any) ([]*Tensor, error) {
	named, err := namedParameters(x)
	if err != nil {
		return nil, err
	}
	all := make([]*Tensor, len(named))
	for i, p := range named {
		all[i] = p.tensor
	}
	return all, nil
}

// namedTensor is a parameter with its name in the model.
type namedTensor struct {
	name   string
	tensor *Tensor
}

// namedParameters also returns the parameters' names, which are empty for
// those that are given by themselves.
func namedParameters(x any) ([]namedTensor, error) {
	var all []namedTensor
	add := func(name string, t *Tensor) {
		if t.v != nil && t.v.trained {
			all = append(all, namedTensor{name, t})
		}
	}
	switch x := x.(type) {
	case nil:
		return nil, fmt.Errorf("got nil, want a model or parameters")
	case *Model:
		for i, t := range x.vars {
			add(x.specs[i].name, t)
		}
		return all, nil
	case *Tensor:
		if x.v == nil || !x.v.trained {
			return nil, fmt.Errorf("got a tensor of %v that is no parameter; declare it as a dl.Param in a network, or make it one with dl.NewParam", x.shape)
		}
		return []namedTensor{{"", x}}, nil
	case []*Tensor:
		for _, t := range x {
			one, err := namedParameters(t)
			if err != nil {
				return nil, err
			}
			all = append(all, one...)
		}
		return all, nil
	}
	sites := map[*site]bool{}
	var visit func(v reflect.Value)
	visit = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Interface, reflect.Pointer:
			if !v.IsNil() {
				visit(v.Elem())
			}
		case reflect.Slice, reflect.Array:
			if holdsLayers(v.Type().Elem(), nil) {
				for i := range v.Len() {
					visit(v.Index(i))
				}
			}
		case reflect.Struct:
			if v.Type() == placeType {
				if s := v.FieldByName("site"); !s.IsNil() {
					s := (*site)(s.UnsafePointer())
					if !sites[s] {
						sites[s] = true
						for i, t := range s.params {
							add(s.whole[i], t)
						}
					}
				}
				return
			}
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.Type == placeType || f.Type == affineType || holdsLayers(f.Type, nil) {
					visit(v.Field(i))
				}
			}
		}
	}
	visit(reflect.ValueOf(x))
	if len(all) == 0 {
		return nil, fmt.Errorf("%T holds no parameters; give its model, or build it first with dl.Build", x)
	}
	return all, nil
}

var placeType = reflect.TypeFor[place]()

// Params returns the optimizer's parameters.
func (o *Optim) Params() []*Tensor { return append([]*Tensor{}, o.params...) }

// N returns the number of steps done.
func (o *Optim) N() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.n
}

// LR returns the learning rate; of [ParamGroups], that of the first group that
// has one.
func (o *Optim) LR() float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, g := range o.groups {
		if g.rate != 0 {
			return g.rate
		}
	}
	return 0
}

// SetLR changes the learning rate from the next step on. Nothing is compiled
// anew. With [ParamGroups], the rates of all groups change in the same proportion.
func (o *Optim) SetLR(lr float64) {
	now := o.LR()
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.groups {
		at := &o.groups[i].rate
		if now == 0 || *at == now {
			*at = lr // exactly
		} else {
			*at *= lr / now
		}
	}
}

// ZeroGrad forgets the gradients of the parameters.
func (o *Optim) ZeroGrad() {
	for _, p := range o.params {
		p.ZeroGrad()
	}
}

// Step changes the parameters by their gradients, which stay. A parameter
// without a gradient stays as it is; when none has one, it panics.
func (o *Optim) Step() {
	r := goroutineRecording()
	if r != nil {
		o.record(r, r.grads)
		return
	}
	grads := map[*Tensor]*Tensor{}
	for _, p := range o.params {
		if g := p.Grad(); g != nil {
			grads[p] = g
		}
	}
	on, _, err := commonDevice(nil)
	if err != nil {
		panic(err)
	}
	r = newRecording("update of the weights", on)
	r.atOnce = true
	defer r.close()
	err = xla.Guard(func() {
		defer r.begin()()
		o.record(r, grads)
	})
	if err != nil {
		panic(err)
	}
	if _, err = r.run(xla.Context(), nil, nil); err != nil {
		panic(during("Step", err))
	}
}

// record records a step by the gradients that there are.
func (o *Optim) record(r *recording, grads map[*Tensor]*Tensor) {
	for _, b := range o.models {
		if b.model.root != b.root {
			panic(fmt.Errorf("dl: Step: a layer of the model was replaced after the optimizer was made, so it lacks the new parameters; make it again with For"))
		}
	}
	u := updater{}
	var gradients, slots []*Tensor
	for i, p := range o.params {
		if g := grads[p]; g != nil && p.learns() {
			u.params, u.in = append(u.params, p), append(u.in, o.in[i])
			gradients, slots = append(gradients, g), append(slots, o.slots[i]...)
			r.gradientMustBeFinite(p, g)
		}
	}
	if len(u.params) == 0 {
		panic(fmt.Errorf("dl: Step: none of the optimizer's %d parameters has a gradient; call loss.Backward() before it", len(o.params)))
	}
	o.mu.Lock()
	if r.steps == nil {
		r.steps = map[*Optim]int{}
	}
	r.steps[o]++
	u.n, u.groups = o.n+r.steps[o], slices.Clone(o.groups)
	o.mu.Unlock()
	for _, g := range u.groups {
		if g.rule != nil {
			u.settings += g.rule.settings() + ";"
		}
	}
	if r.steps[o] == 1 {
		r.after = append(r.after, func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.n += r.steps[o]
		})
	}
	r.stops = true
	values, kept, _ := u.record(r, "optimizer", gradients, slots)
	r.stops = false
	for i, p := range u.params {
		r.assign(p, values[i])
	}
	for i, s := range slots {
		r.assign(s, kept[i])
	}
}

// StateDict returns what the optimizer keeps, as torch.optim's state_dict: the
// slots by the names of their parameters, such as "fc.weight.exp_avg", the number
// of steps, the learning rate of each group, and where its schedule is.
// [SaveStateDict] writes it, beside the model's file.
func (o *Optim) StateDict() StateDict {
	o.mu.Lock()
	defer o.mu.Unlock()
	dict := StateDict{"steps": FromSlice([]int64{int64(o.n)})}
	var rates, momenta []float64
	for _, g := range o.groups {
		rates, momenta = append(rates, g.rate), append(momenta, g.momentum)
	}
	dict["rates"], dict["momenta"] = FromSlice(rates), FromSlice(momenta)
	if o.schedule != nil {
		text, _ := json.Marshal(o.schedule.state) // numbers, which JSON has
		dict[scheduleTensor] = FromSlice(text)
	}
	for i := range o.params {
		for k, s := range o.groups[o.in[i]].rule.slots() {
			dict[o.slotName(i, s.name)] = newTensor(o.slots[i][k].Float32s(), o.params[i].shape)
		}
	}
	return dict
}

// scheduleTensor is the name of the schedule's state, JSON in bytes.
const scheduleTensor = "schedule.json"

// slotName is the name of a slot in the state dict.
func (o *Optim) slotName(i int, slot string) string {
	name := o.names[i]
	if name == "" || slices.Index(o.names, name) != i { // another model may have the same name
		name = strings.TrimPrefix(fmt.Sprintf("%s.%d", name, i), ".")
	}
	return name + "." + slot
}

// LoadStateDict takes up what [Optim.StateDict] returned for the same optimizer and
// the same parameters. A schedule is made before it, by the same scheduler. What
// does not fit is an error, and changes nothing.
func (o *Optim) LoadStateDict(dict StateDict) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	number := func(name string, n int) ([]float64, error) {
		t := dict[name]
		if t == nil || t.Size() != n {
			return nil, fmt.Errorf("dl: Optim: the state has no %d numbers named %q, want the state dict of such an optimizer", n, name)
		}
		return t.Float64s(), nil
	}
	steps, err := number("steps", 1)
	if err != nil {
		return err
	}
	rates, err := number("rates", len(o.groups))
	if err != nil {
		return err
	}
	momenta, err := number("momenta", len(o.groups))
	if err != nil {
		return err
	}
	var vars, values []*Tensor
	for i, p := range o.params {
		for k, s := range o.groups[o.in[i]].rule.slots() {
			name := o.slotName(i, s.name)
			t := dict[name]
			if t == nil {
				return fmt.Errorf("dl: Optim: the state lacks %s, want the state of the same optimizer and network", name)
			}
			if !t.shape.Equal(p.shape) {
				return &ShapeError{Op: "Optim: " + name, Got: t.shape, Want: fmt.Sprint([]int(p.shape))}
			}
			vars, values = append(vars, o.slots[i][k]), append(values, newTensor(t.Float32s(), p.shape))
		}
	}
	want := len(vars) + 3
	var at scheduleState
	text := dict[scheduleTensor]
	switch {
	case (text == nil) != (o.schedule == nil):
		return fmt.Errorf("dl: Optim: one of the state and this optimizer has a schedule and the other none; call Schedule with the same scheduler before")
	case text != nil:
		want++
		values, ok := text.flat().([]uint8)
		if !ok || json.Unmarshal(values, &at) != nil {
			return fmt.Errorf("dl: Optim: its %q is no schedule: %w", scheduleTensor, ErrCorrupt)
		}
		if at.N < 0 || len(at.Base) != len(o.groups) || len(at.Scale) != len(o.groups) || len(at.Set) != len(o.groups) && len(at.Set) != 0 {
			return fmt.Errorf("dl: Optim: its schedule is of %d rates at step %d, want %d: %w", len(at.Base), at.N, len(o.groups), ErrCorrupt)
		}
	}
	if len(dict) != want {
		return fmt.Errorf("dl: Optim: the state has %d entries, want %d; it is of another optimizer or network", len(dict), want)
	}
	unlock := lockVariables(vars)
	install(vars, values)
	unlock()
	o.n = int(steps[0])
	if text != nil {
		o.schedule.state = at
	}
	for i := range o.groups {
		o.groups[i].rate, o.groups[i].momentum = rates[i], momenta[i]
	}
	return nil
}

// ClipGradNorm makes the gradients of a model's parameters, or of an optimizer's,
// smaller together where their common length is above most, as
// torch.nn.utils.clip_grad_norm_ does, and returns what that length was.
func ClipGradNorm(of any, most float64) *Tensor {
	var params []*Tensor
	if o, ok := of.(*Optim); ok {
		params = o.params
	} else {
		var err error
		if params, err = parametersOf(of); err != nil {
			panic(fmt.Errorf("dl: ClipGradNorm: %w", err))
		}
	}
	var with, gradients []*Tensor
	for _, p := range params {
		if g := p.Grad(); g != nil {
			with, gradients = append(with, p), append(gradients, g)
		}
	}
	if len(with) == 0 {
		panic(fmt.Errorf("dl: ClipGradNorm: no parameter has a gradient; call loss.Backward() before it"))
	}
	clip := Options{ClipNorm: most}
	outs, _ := do(opKey{name: "clip", settings: most}, nil, func(_ *trace, in []*node) (out []*node) {
		raw := make([]*graph.Node, len(in))
		for i, x := range in {
			raw[i] = x.value()
		}
		for _, g := range clip.clip(raw) {
			out = append(out, in[0].With(g))
		}
		return append(out, in[0].With(graph.Sqrt(graph.ReduceAllSum(graph.Square(lengths(raw))))))
	}, gradients, nil, nil)
	for i, p := range with {
		p.setGradient(outs[i])
	}
	return outs[len(with)]
}

// setGradient gives a parameter a gradient, in the recording or at once.
func (t *Tensor) setGradient(g *Tensor) {
	if r := recordingOf([]*Tensor{t, g}); r != nil {
		if r.grads == nil {
			r.grads = map[*Tensor]*Tensor{}
		}
		r.grads[t] = g
		return
	}
	t.setGrad(g)
}
