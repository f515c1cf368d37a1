package dl

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
)

// Optimizer changes the weights by their gradients: [SGD], [Adam], [AdamW],
// [RMSprop], [Adagrad], [Adadelta], or [ParamGroups] of these. Its settings are fixed when
// training starts, but for the learning rate, which [Step.SetLR], [Run.SetLR]
// and a [Scheduler] change at no cost.
type Optimizer interface {
	// check returns an error for settings that cannot work.
	check() error
	// settings identifies everything but the rate.
	settings() string
}

// rule is an [Optimizer] that treats all of its parameters alike.
type rule interface {
	Optimizer
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
// It is the smallest number above 0, so it counts as 0 wherever it stands.
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
// names stays as it is, and nothing is kept or computed for it.
type ParamGroups []ParamGroup

// ParamGroup is some of a model's parameters and how they are trained.
type ParamGroup struct {
	// Params are names such as "classifier.6.weight", paths such as
	// "classifier", which mean all that is inside, or patterns of [path.Match]
	// such as "*.bias", where a star also stands for dots. Required.
	Params    []string
	Optimizer Optimizer // nil keeps the parameters as they are
}

func (gs ParamGroups) check() error {
	for i, g := range gs {
		if len(g.Params) == 0 {
			return fmt.Errorf(`dl: ParamGroups: group %d names no Params, want at least one; "*" means all`, i)
		}
		if g.Optimizer == nil {
			continue
		}
		if _, ok := g.Optimizer.(rule); !ok {
			return fmt.Errorf("dl: ParamGroups: the Optimizer of group %d is %T, want one that is no group; list all groups in one ParamGroups", i, g.Optimizer)
		}
		if err := g.Optimizer.check(); err != nil {
			return during(fmt.Sprintf("ParamGroups: group %d", i), err)
		}
	}
	if !slices.ContainsFunc(gs, func(g ParamGroup) bool { return g.Optimizer != nil }) {
		return fmt.Errorf("dl: ParamGroups: no group has an Optimizer, so nothing would be trained; give one an SGD or Adam")
	}
	return nil
}

func (gs ParamGroups) settings() string {
	var b strings.Builder
	for _, g := range gs {
		fmt.Fprintf(&b, "%q ", g.Params)
		if g.Optimizer != nil {
			b.WriteString(g.Optimizer.settings())
		}
		b.WriteString("; ")
	}
	return b.String()
}

// groupsOf returns an optimizer as groups; a plain one has all parameters.
func groupsOf(o Optimizer) ParamGroups {
	if gs, ok := o.(ParamGroups); ok {
		return gs
	}
	return ParamGroups{{Params: []string{"*"}, Optimizer: o}}
}

// rule returns how the group's parameters are trained; nil for not at all.
func (g ParamGroup) rule() rule {
	r, _ := g.Optimizer.(rule)
	return r
}

// named tells whether a pattern stands for the parameter of a name.
func named(pattern, name string) bool {
	ok, err := path.Match(pattern, name) // names hold no slash, so a star is anything
	return name == pattern || strings.HasPrefix(name, pattern+".") || err == nil && ok
}

// of returns the group that each of the model's trained parameters belongs
// to, -1 for none. A pattern that no parameter fits is a mistake.
func (gs ParamGroups) of(m *Model) ([]int, error) {
	in := make([]int, len(m.specs))
	for i := range in {
		in[i] = -1
	}
	for i, g := range gs {
		for _, pattern := range g.Params {
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

// fits returns an error for a pattern that no parameter of the model fits.
func (m *Model) fits(op, pattern string) error {
	if slices.ContainsFunc(m.specs, func(s spec) bool { return s.trained && named(pattern, s.name) }) {
		return nil
	}
	return fmt.Errorf("dl: %s: no parameter is named by %q, want a name, path or pattern of %s", op, pattern, strings.Join(m.Names(), ", "))
}
