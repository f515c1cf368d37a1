package dl

import (
	"fmt"
)

// Features runs the model on a batch in evaluation mode and returns what the
// layer at a path gives, such as "features.3": its feature maps. Where the
// model runs the layer more than once, it is the last time's.
//
// An unknown path is an error that lists the paths there are. So is a struct
// of your own whose Forward your own code calls: only its layers are known.
func (m *Model) Features(path string, x *Tensor) (*Tensor, error) {
	if _, err := m.module("Features", path); err != nil {
		return nil, err
	}
	on, err := m.on()
	if err != nil {
		return nil, err
	}
	y, err := m.apply("feature maps", on, x, func(r *recording, x *Tensor) *Tensor {
		r.taps = map[string]*Tensor{path: nil}
		r.saw("", m.call(r, x))
		y := r.taps[path]
		if y == nil {
			panic(fmt.Errorf("dl: %s: its output is not known, because your Forward calls it or does not use it; name a layer inside, or put it behind a pointer into a Sequential", path))
		}
		return y
	})
	if err != nil {
		return nil, during("Features", err)
	}
	return y, nil
}
