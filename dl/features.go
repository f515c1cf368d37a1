package dl

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// Features runs the model on a batch in evaluation mode and returns what the
// layer at a path gives, such as "features.3": its feature maps. Where the
// model runs the layer more than once, it is the last time's.
//
// An unknown path is an error that lists the paths there are. So is a struct
// of your own whose Forward your own code calls: only its layers are known.
func (m *Model) Features(path string, x *Tensor) (*Tensor, error) {
	if err := guard(func() { m.module("Features", path) }); err != nil {
		return nil, err
	}
	on, err := m.on()
	if err != nil {
		return nil, err
	}
	p, err := m.programs.get(fmt.Sprintf("features %q %s %v %s", path, on.label(), x.shape, x.dtype), func() (*program, error) {
		var t *trace
		p, err := compile(callerContext(), on, "feature maps", x.shape, func(g *graph.Graph) []*graph.Node {
			t = m.forward(g, false)
			t.taps = map[string]*Node{path: nil}
			out := m.call(t.begin(m, x.dtype, x.shape))
			t.saw("", out)
			y := t.taps[path]
			if y == nil {
				panic(fmt.Errorf("dl: %s: its output is not known, because your Forward calls it or does not use it; name a layer inside, or put it behind a pointer into a Sequential", path))
			}
			return []*graph.Node{y.value()}
		})
		if err == nil {
			p.limits.ids = t.ids
		}
		return p, err
	})
	if err != nil {
		return nil, during("Features", err)
	}
	y, err := m.apply(p, x)
	if err != nil {
		return nil, during("Features", err)
	}
	return y, nil
}
