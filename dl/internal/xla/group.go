package xla

import (
	"fmt"
	"reflect"
	"runtime"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Data parallel training is one program for several devices, which XLA's
// Shardy splits: each device has all weights and a part of the batch. The
// program is written as for one device, so that also batch normalization sees
// the whole batch.

// Group is the devices that share a batch: some of a backend, from the first on.
type Group struct{ Devices []*Device }

// axis is the name of the mesh's only axis.
const axis = "batch"

// Group returns the n devices that share a batch from a device on; nil for one.
func (d *Device) Group(n int) (*Group, error) {
	if n <= 1 {
		return nil, nil
	}
	devices.Lock()
	defer devices.Unlock()
	most := d.Backend.NumDevices()
	if n > most || d.Num != 0 || d.Kind == "go" {
		return nil, fmt.Errorf("Options: Devices is %d, and %s has %d to share a batch from %s on, want as many or fewer; see dl.Devices()", n, d.Kind, most, d.Label())
	}
	s := &Group{}
	for i := range n {
		on := &Device{Kind: d.Kind, Backend: d.Backend, Num: compute.DeviceNum(i), planned: true}
		if !d.planned {
			on = known(d.Kind, d.Backend, i)
		}
		s.Devices = append(s.Devices, on)
	}
	return s, nil
}

// mesh describes the devices to a graph.
func (s *Group) mesh() (*distributed.DeviceMesh, error) {
	return distributed.NewDeviceMesh([]int{len(s.Devices)}, []string{axis})
}

// replicated is the sharding of what every device has whole; nil in a program
// for one device.
func replicated(g *graph.Graph) *distributed.ShardingSpec {
	if meshes := g.DeviceMeshes(); len(meshes) > 0 {
		return distributed.NewReplicatedShardingSpec(meshes[0])
	}
	return nil
}

// Parameter adds an input to a graph. GoMLX's names for them go into the
// program text unquoted, where XLA takes letters and digits only.
func Parameter(g *graph.Graph, dtype dtypes.DType, shape []int) *graph.Node {
	n := 0
	if g.IsBuilding() {
		n = g.NumParameters()
	}
	return graph.ShardedParameter(g, fmt.Sprint("p", n), shapes.Make(dtype, shape...), replicated(g))
}

// SplitParameter adds an input whose first axis is the batch, of which each
// device of a group has a part.
func SplitParameter(g *graph.Graph, dtype dtypes.DType, shape []int) *graph.Node {
	meshes := g.DeviceMeshes()
	if len(meshes) == 0 {
		return Parameter(g, dtype, shape)
	}
	split, err := distributed.NewShardingSpec(meshes[0], distributed.AxisSpec{axis})
	if err != nil {
		panic(err)
	}
	return graph.ShardedParameter(g, fmt.Sprint("p", g.NumParameters()), shapes.Make(dtype, shape...), split)
}

// execute runs the program on its devices, of which each gets a part of the
// inputs that are split. The results are on every device.
func (s *Group) execute(p *Program, inputs []*Array) ([]*Array, error) {
	n := len(s.Devices)
	buffers := make([]compute.Buffer, 0, n*len(inputs))
	for d, on := range s.Devices {
		for i, t := range inputs {
			if p.Split[i] {
				b, err := t.part(on, d, n)
				if err != nil {
					return nil, err
				}
				defer b.Finalize()
				buffers = append(buffers, b)
				continue
			}
			t.Pin()
			defer t.Unpin()
			b, err := t.copyOn(on)
			if err != nil {
				return nil, err
			}
			buffers = append(buffers, b)
		}
	}
	var results []compute.Buffer
	err := s.Devices[0].RetryOOM(func() (err error) {
		results, err = p.exec.Execute(buffers, nil, s.Devices[0].Num)
		return err
	})
	runtime.KeepAlive(p)
	if err != nil {
		return nil, fmt.Errorf("dl: run on %d devices from %s on: %w", n, s.Devices[0].Label(), err)
	}
	outputs := make([]*Array, len(p.outs))
	for i := range outputs {
		t := deviceArray(s.Devices[0], results[i], p.outs[i])
		for d := 1; d < n; d++ {
			b := results[d*len(p.outs)+i]
			b.Shape() // see deviceArray
			t.copies = append(t.copies, placedCopy{s.Devices[d], b})
		}
		t.hold(n - 1)
		outputs[i] = t
	}
	return outputs, nil
}

// part copies the d-th of n equal parts of the array's first axis to a device.
// The caller owns the buffer.
func (a *Array) part(on *Device, d, n int) (compute.Buffer, error) {
	rows, size := a.Shape[0]/n, a.size()/n
	flat, err := a.Flat()
	if err != nil {
		return nil, err
	}
	part := reflect.ValueOf(flat).Slice(d*size, (d+1)*size).Interface()
	b, err := on.copy(part, a.DType, append([]int{rows}, a.Shape[1:]...))
	if err != nil {
		return nil, fmt.Errorf("dl: copy part of %v to %s: %w", a.Shape, on.Label(), err)
	}
	return b, nil
}
