package dl

import "slices"

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
