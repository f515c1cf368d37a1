package dl

import (
	"fmt"
	"runtime"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Data parallel training is one program for several devices, which XLA's
// Shardy splits: each device has all weights and a part of the batch. The
// program is written as for one device, so that also batch normalization sees
// the whole batch.

// spread is the devices that share a batch: n of a backend, from the first on.
type spread struct {
	on []*device
}

// axis is the name of the mesh's only axis.
const axis = "batch"

// spread returns the devices that Options.Devices asks for; nil for one.
func (o Options) spread(on *device) (*spread, error) {
	if o.Devices <= 1 {
		return nil, nil
	}
	devices.Lock()
	defer devices.Unlock()
	n := on.backend.NumDevices()
	if o.Devices > n || on.num != 0 || on.name == "go" {
		return nil, fmt.Errorf("Options: Devices is %d, and %s has %d to share a batch from %s on, want as many or fewer; see dl.Devices()", o.Devices, on.name, n, on.label())
	}
	s := &spread{}
	for i := range o.Devices {
		s.on = append(s.on, known(on.name, on.backend, i))
	}
	return s, nil
}

// mesh describes the devices to a graph.
func (s *spread) mesh() (*distributed.DeviceMesh, error) {
	return distributed.NewDeviceMesh([]int{len(s.on)}, []string{axis})
}

// replicated is the sharding of what every device has whole; nil in a program
// for one device.
func replicated(g *graph.Graph) *distributed.ShardingSpec {
	if meshes := g.DeviceMeshes(); len(meshes) > 0 {
		return distributed.NewReplicatedShardingSpec(meshes[0])
	}
	return nil
}

// examples adds an input whose first axis is the batch, of which each device
// has a part.
func (t *trace) examples(dtype DType, shape Shape) *node {
	g := t.graph
	meshes := g.DeviceMeshes()
	if len(meshes) == 0 {
		return t.input(dtype, shape)
	}
	split, err := distributed.NewShardingSpec(meshes[0], distributed.AxisSpec{axis})
	if err != nil {
		panic(err)
	}
	return &node{raw: graph.ShardedParameter(g, fmt.Sprint("p", g.NumParameters()), shapes.Make(dtype, shape...), split), t: t}
}

// execute runs the program on its devices, of which each gets a part of the
// inputs that are split. Results lie on every device.
func (s *spread) execute(p *program, inputs []*Tensor) ([]*Tensor, error) {
	n := len(s.on)
	buffers := make([]compute.Buffer, 0, n*len(inputs))
	for d, on := range s.on {
		for i, t := range inputs {
			if p.split[i] {
				b, err := t.part(on, d, n)
				if err != nil {
					return nil, err
				}
				defer b.Finalize()
				buffers = append(buffers, b)
				continue
			}
			t.pin()
			defer t.unpin()
			b, err := t.copyOn(on)
			if err != nil {
				return nil, err
			}
			buffers = append(buffers, b)
		}
	}
	var results []compute.Buffer
	err := s.on[0].roomy(func() (err error) {
		results, err = p.exec.Execute(buffers, nil, s.on[0].num)
		return err
	})
	runtime.KeepAlive(p)
	if err != nil {
		return nil, fmt.Errorf("dl: run on %d devices from %s on: %w", n, s.on[0].label(), err)
	}
	outputs := make([]*Tensor, len(p.outs))
	for i := range outputs {
		t := deviceTensor(s.on[0], results[i], p.outs[i])
		for d := 1; d < n; d++ {
			b := results[d*len(p.outs)+i]
			b.Shape() // see deviceTensor
			t.copies = append(t.copies, copied{s.on[d], b})
		}
		outputs[i] = t
	}
	return outputs, nil
}

// part copies the d-th of n equal parts of the tensor's first axis to a
// device. The caller owns the buffer.
func (t *Tensor) part(on *device, d, n int) (compute.Buffer, error) {
	rows := t.shape[0] / n
	size := t.Size() / n
	b, err := on.copy(cut(t.flat(), d*size, (d+1)*size), t.dtype, append(Shape{rows}, t.shape[1:]...))
	if err != nil {
		return nil, fmt.Errorf("dl: copy part of %v to %s: %w", t.shape, on.label(), err)
	}
	return b, nil
}
