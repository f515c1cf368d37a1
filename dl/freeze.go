package dl

import (
	"fmt"
	"slices"
	"strings"
)

// Freeze keeps parameters as they are while the others learn, as
// requires_grad = False does. A path names a part of the model ("features"),
// or one parameter ("features.0.weight"); without one it is all of the model.
// An unknown path is an error that lists the paths there are, and nothing is
// frozen then.
//
// No gradient is computed for a frozen parameter, and the optimizer keeps
// nothing for it. It counts from the next training step on. Running means of
// batch normalization are no parameters: [Model.Eval] keeps those.
func (m *Model) Freeze(paths ...string) error { return m.setFrozen("Freeze", true, paths) }

// Unfreeze lets frozen parameters learn again, from where they are. What the
// optimizer keeps for them, such as momentum, goes on from what it was, or
// from 0.
func (m *Model) Unfreeze(paths ...string) error { return m.setFrozen("Unfreeze", false, paths) }

// Frozen reports whether a parameter, such as "features.0.weight", is frozen.
func (m *Model) Frozen(name string) bool {
	i := slices.IndexFunc(m.specs, func(s spec) bool { return s.name == name })
	return i >= 0 && m.vars[i].v.frozen.Load()
}

// NumTrainable returns the number of values that training changes: those of
// the parameters that are not frozen.
func (m *Model) NumTrainable() int {
	n := 0
	for i, learns := range m.learning() {
		if learns {
			n += m.specs[i].shape.Size()
		}
	}
	return n
}

func (m *Model) setFrozen(op string, freeze bool, paths []string) error {
	if len(paths) == 0 {
		paths = []string{""}
	}
	for _, path := range paths {
		if slices.ContainsFunc(m.specs, func(s spec) bool { return s.trained && s.name == path }) {
			continue
		}
		if _, err := m.module(op, path); err != nil {
			return err
		}
	}
	for _, path := range paths {
		for i, s := range m.specs {
			if s.trained && isPart(s.name, path) {
				m.vars[i].v.frozen.Store(freeze)
			}
		}
	}
	return nil
}

// learning tells for each of specs whether training steps change it by its
// gradient.
func (m *Model) learning() []bool {
	learning := make([]bool, len(m.specs))
	for i, s := range m.specs {
		learning[i] = s.trained && !m.vars[i].v.frozen.Load()
	}
	return learning
}

// isPart reports whether a parameter or layer is path or in it.
func isPart(name, path string) bool {
	return path == "" || path == root || name == path || strings.HasPrefix(name, path+".")
}

// errFrozen is the error of a step that would change nothing.
func errFrozen() error {
	return fmt.Errorf("every parameter is frozen, want one that learns; call model.Unfreeze with the path of the last layer")
}

// Train puts the model into training mode, which a new model is in, as
// nn.Module.train does: in training steps dropout drops, and batch
// normalization uses and follows the batch's own mean and variance. Paths
// such as "features" name parts of the model; without one it is all of it.
// An unknown path is an error that lists the paths there are, and changes
// nothing.
//
// The mode counts for training steps only. [Model.Predict] and [Evaluate]
// always run in evaluation mode, so it need not be switched for them.
func (m *Model) Train(paths ...string) error { return m.setMode("Train", false, paths) }

// Eval puts the model, or parts of it, into evaluation mode also in training
// steps: to keep a pretrained network's batch normalization as it is while its
// last layer learns, say.
func (m *Model) Eval(paths ...string) error { return m.setMode("Eval", true, paths) }

func (m *Model) setMode(op string, eval bool, paths []string) error {
	if len(paths) == 0 {
		paths = []string{""}
	}
	var set func(n *module)
	set = func(n *module) {
		for _, s := range n.sites {
			s.evaluates.Store(eval)
		}
		for _, child := range n.children {
			set(child)
		}
	}
	parts := make([]*module, len(paths))
	for i, path := range paths {
		var err error
		if parts[i], err = m.module(op, path); err != nil {
			return err
		}
	}
	for i, path := range paths {
		if path == "" {
			m.evaluates.Store(eval)
		}
		set(parts[i])
	}
	return nil
}

// module finds a part of the model by its path.
func (m *Model) module(op, path string) (*module, error) {
	n := m.walker.byPath[path]
	if n == nil {
		var paths []string
		for p := range m.walker.byPath {
			if p != "" {
				paths = append(paths, p)
			}
		}
		slices.Sort(paths)
		return nil, unknown(op, "path", path, paths)
	}
	return n, nil
}
