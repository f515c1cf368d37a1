package dl

import (
	"fmt"
	"math"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Optimizer is how weights are changed by their gradients: [SGD], [Adam], [AdamW],
// [RMSprop], [Adagrad], [Adadelta], [ParamGroups] of these, or one of your own, by
// an [UpdateRule]. Its settings are fixed when training starts, but for the
// learning rate, which [Step.SetLR], [Run.SetLR] and a [Scheduler] change at no
// cost.
type Optimizer interface {
	// For returns the optimizer at work on the parameters of models, networks and
	// layers, and on single parameters, *Tensor or []*Tensor.
	For(of ...any) *Optim
}

// UpdateRule is an optimizer of your own. [NewOptim] puts it to work:
//
//	type SignSGD struct{ LR float64 }
//
//	func (s SignSGD) Rate() float64   { return s.LR }
//	func (s SignSGD) Slots() []string { return nil }
//	func (s SignSGD) Update(u dl.Update) (*dl.Tensor, []*dl.Tensor) {
//		return u.Param.Sub(u.Grad.Sign().Scale(u.LR)), nil
//	}
//	func (s SignSGD) For(of ...any) *dl.Optim { return dl.NewOptim(s, of...) }
//
// With For it is an [Optimizer], for [TrainStep], [Start] and [ParamGroups] too.
type UpdateRule interface {
	// Rate returns the learning rate to begin with.
	Rate() float64
	// Slots names the tensors that are kept for each parameter, in its shape, 0
	// at first. They are saved by these names.
	Slots() []string
	// Update returns what a parameter and its slots are after a step. It runs
	// while a step is recorded: it calculates with tensors, and their values
	// cannot be read.
	Update(u Update) (param *Tensor, slots []*Tensor)
}

// Update is a step of one parameter.
type Update struct {
	Param, Grad *Tensor
	Slots       []*Tensor // as the last step left them
	LR          float64
	N           int // of the step, from 1
}

// ownRule is a rule of the user's.
type ownRule struct{ own UpdateRule }

func (r ownRule) check() error {
	if rate := r.own.Rate(); !(rate >= 0) || math.IsInf(rate, 0) {
		return fmt.Errorf("dl: %T: Rate is %v, want a finite number of at least 0", r.own, rate)
	}
	for i, name := range r.own.Slots() {
		if name == "" || strings.ContainsAny(name, ". ") || slices.Contains(r.own.Slots()[:i], name) {
			return fmt.Errorf("dl: %T: Slots are %q, want a different name without dots and spaces for each, such as momentum_buffer", r.own, r.own.Slots())
		}
	}
	return nil
}

// settings writes the rule's fields, without a field LR, which may change.
func (r ownRule) settings() string {
	v := reflect.ValueOf(r.own)
	if v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() == reflect.Struct {
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		if lr := c.FieldByName("LR"); lr.IsValid() && lr.CanSet() {
			lr.SetZero()
		}
		v = c
	}
	return settings(v.Interface())
}

func (r ownRule) rate() float64     { return r.own.Rate() }
func (r ownRule) momentum() float64 { return 0 }
func (r ownRule) slots() (all []slot) {
	for _, name := range r.own.Slots() {
		all = append(all, slot{name: name})
	}
	return all
}

// scalars are what update gets of the numbers: they become part of a program as
// those of a Forward do.
func (r ownRule) scalars(int, float64, float64) []float64 { return nil }

// update is not used: the rule is recorded as the operations that it calls.
func (r ownRule) update(w, _ *graph.Node, slots, _ []*graph.Node) (*graph.Node, []*graph.Node) {
	return w, slots
}

// record records an update and checks its results.
func (r ownRule) record(u Update) (param *Tensor, slots []*Tensor) {
	NoGrad(func() { param, slots = r.own.Update(u) })
	if param == nil || !param.shape.Equal(u.Param.shape) || param.dtype != u.Param.dtype {
		panic(fmt.Errorf("dl: %T: Update returned the parameter %s, want %v %s", r.own, shapeText(param), u.Param.shape, typeName(u.Param.dtype)))
	}
	if len(slots) != len(u.Slots) {
		panic(fmt.Errorf("dl: %T: Update returned %d slots, want %d, as Slots names: %q", r.own, len(slots), len(u.Slots), r.own.Slots()))
	}
	for i, s := range slots {
		if s == nil || !s.shape.Equal(u.Param.shape) || s.dtype != Float32 {
			panic(fmt.Errorf("dl: %T: Update returned the slot %s %s, want %v float32", r.own, r.own.Slots()[i], shapeText(s), u.Param.shape))
		}
	}
	return param, slots
}

func shapeText(t *Tensor) string {
	if t == nil {
		return "nil"
	}
	return fmt.Sprint(t.shape, " ", typeName(t.dtype))
}

// rule is how an optimizer changes its parameters, all alike.
type rule interface {
	// check returns an error for settings that cannot work.
	check() error
	// settings identifies everything but the rate.
	settings() string
	// rate returns the learning rate to begin with.
	rate() float64
	// slots are the tensors that the optimizer keeps for each parameter.
	slots() []slot
	// momentum returns the share of the last step that is kept, to begin with;
	// 0 where nothing is.
	momentum() float64
	// scalars returns the numbers of step n, counted from 1, that update
	// gets. They are inputs of the compiled program.
	scalars(n int, rate, momentum float64) []float64
	// update returns a parameter's new value and its slots'.
	update(weight, gradient *graph.Node, slots, scalars []*graph.Node) (*graph.Node, []*graph.Node)
}

// slot is a tensor in the shape of a parameter, such as its momentum.
type slot struct {
	name  string  // PyTorch's, in a saved training state
	start float64 // every element at first
}

// checkRanges is the check that the optimizers share: a rate above 0, nothing
// negative, shares in [0, 1).
func checkRanges(name, try string, settings any, rate float64, atLeast0, shares []float64) error {
	bad := !(rate > 0)
	for _, v := range atLeast0 {
		bad = bad || !(v >= 0)
	}
	for _, v := range shares {
		bad = bad || !(v >= 0 && v < 1)
	}
	if !bad {
		return nil
	}
	return fmt.Errorf("dl: %s: settings are %s, want LR above 0, nothing negative, and shares in [0, 1); try %s",
		name, strings.TrimPrefix(fmt.Sprintf("%+v", settings), "&"), try)
}

// Zero is a 0 that is meant, for settings whose 0 means something else because it
// is what a field begins with:
//
//	dl.AdamW{WeightDecay: dl.Zero} // not 0.01
//	dl.Dropout{P: dl.Zero}         // not 0.5
//
// It is the smallest number above 0, so it counts as 0 in every setting.
const Zero = 0x1p-1074

// fallback sets a number that is 0 to its default, and one that is [Zero] to 0. It
// is called once for a number, where it is used.
func fallback(v *float64, to float64) {
	switch *v {
	case 0:
		*v = to
	case Zero:
		*v = 0
	}
}

// decayed adds the pull of a weight decay to a gradient.
func decayed(g, w *graph.Node, decay float64) *graph.Node {
	if decay == 0 {
		return g
	}
	return graph.Add(g, graph.MulScalar(w, decay))
}

// follow moves an average towards x: β·old + (1-β)·x.
func follow(old, x *graph.Node, beta float64) *graph.Node {
	return graph.Add(graph.MulScalar(old, beta), graph.MulScalar(x, 1-beta))
}

// ParamGroups trains parts of a model in different ways, as the parameter
// groups of a torch.optim optimizer: the new last layer ten times as fast as
// the rest, say.
//
//	dl.ParamGroups{
//		{Params: []string{"classifier"}, Optimizer: dl.SGD{LR: 0.01, Momentum: 0.9}},
//		{Params: []string{"*"}, Optimizer: dl.SGD{LR: 0.001, Momentum: 0.9}},
//	}
//
// A parameter belongs to the first group that names it. One that no group
// names stays as it is, with a notice, and nothing is kept or computed for it; a
// group without an Optimizer says that this is meant.
type ParamGroups []ParamGroup

// ParamGroup is some of a model's parameters and how they are trained.
type ParamGroup struct {
	// Params are names such as "classifier.6.weight", paths such as
	// "classifier", which mean all that is inside, or patterns of [path.Match] for
	// either, such as "*.bias" and "layers.*.linear1", where a star also stands for
	// dots. Required.
	Params    []string
	Optimizer Optimizer // nil keeps the parameters as they are
}

// group is some parameters, by patterns of their names, and how they are trained.
type group struct {
	params []string
	rule   rule // nil keeps them as they are
}

type groups []group

// groupsOf returns an optimizer as groups; a plain one has all parameters.
func groupsOf(o Optimizer) (groups, error) {
	gs, ok := o.(ParamGroups)
	if !ok {
		r, err := ruleOf(o)
		return groups{{[]string{"*"}, r}}, err
	}
	var all groups
	for i, g := range gs {
		if len(g.Params) == 0 {
			return nil, fmt.Errorf(`dl: ParamGroups: group %d names no Params, want at least one; "*" means all`, i)
		}
		if _, nested := g.Optimizer.(ParamGroups); nested {
			return nil, fmt.Errorf("dl: ParamGroups: the Optimizer of group %d is %T, want one that is no group; list all groups in one ParamGroups", i, g.Optimizer)
		}
		one := group{params: g.Params}
		if g.Optimizer != nil {
			var err error
			if one.rule, err = ruleOf(g.Optimizer); err != nil {
				return nil, during(fmt.Sprintf("ParamGroups: group %d", i), err)
			}
		}
		all = append(all, one)
	}
	if !slices.ContainsFunc(all, func(g group) bool { return g.rule != nil }) {
		return nil, fmt.Errorf("dl: ParamGroups: no group has an Optimizer, so nothing would be trained; give one an SGD or Adam")
	}
	return all, nil
}

// ruleOf returns the rule of an optimizer that is no group: that of what it makes
// for a parameter.
func ruleOf(o Optimizer) (r rule, err error) {
	err = xla.Guard(func() {
		opt := o.For(NewParam(newTensor([]float32{0}, nil)))
		switch {
		case opt == nil:
			panic(fmt.Errorf("dl: %T: For returned nil, want dl.NewOptim(rule, of...)", o))
		case len(opt.groups) != 1:
			panic(fmt.Errorf("dl: %T: For returned an optimizer of groups; use ParamGroups for these", o))
		}
		r = opt.groups[0].rule
	})
	return r, err
}

// settings identifies everything but the rates.
func (gs groups) settings() string {
	if len(gs) == 1 && slices.Equal(gs[0].params, []string{"*"}) {
		return gs[0].rule.settings()
	}
	var b strings.Builder
	for _, g := range gs {
		fmt.Fprintf(&b, "%q ", g.params)
		if g.rule != nil {
			b.WriteString(g.rule.settings())
		}
		b.WriteString("; ")
	}
	return b.String()
}

// named reports whether a pattern stands for the parameter of a name, or for a layer that it is in.
func named(pattern, name string) bool {
	for {
		ok, err := path.Match(pattern, name) // names hold no slash, so a star is anything
		if name == pattern || err == nil && ok {
			return true
		}
		dot := strings.LastIndexByte(name, '.')
		if dot < 0 {
			return false
		}
		name = name[:dot]
	}
}

// of returns the group that each of the model's trained parameters belongs
// to, -1 for none. A pattern that no parameter fits is a mistake.
func (gs groups) of(m *Model) ([]int, error) {
	in := make([]int, len(m.specs))
	for i := range in {
		in[i] = -1
	}
	for i, g := range gs {
		for _, pattern := range g.params {
			if err := m.fits("ParamGroups", pattern); err != nil {
				return nil, err
			}
			for k, s := range m.specs {
				if s.trained && in[k] < 0 && named(pattern, s.name) {
					in[k] = i
				}
			}
		}
	}
	return in, nil
}

// at returns the group of a parameter by its name, -1 for none.
func (gs groups) at(name string) int {
	return slices.IndexFunc(gs, func(g group) bool {
		return slices.ContainsFunc(g.params, func(pattern string) bool { return named(pattern, name) })
	})
}

// fits returns an error for a pattern that no parameter of the model fits.
func (m *Model) fits(op, pattern string) error {
	if slices.ContainsFunc(m.specs, func(s spec) bool { return s.trained && named(pattern, s.name) }) {
		return nil
	}
	return fmt.Errorf("dl: %s: no parameter is named by %q, want a name, path or pattern of %s", op, pattern, strings.Join(m.Names(), ", "))
}
