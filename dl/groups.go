package dl

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

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
