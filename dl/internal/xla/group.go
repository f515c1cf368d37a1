package xla

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Training on several devices is one program for all, which XLA's Shardy splits. It is written as
// for one device, so that also batch normalization sees the whole batch. What each device has of
// the inputs and outputs is their [Layout]; what it computes, and what is sent between them,
// follows from these.

// Group is the devices that run one program: some of a backend, from the first on. They are a grid
// with the rows of a batch along one axis, and the parts of weights along the other, whose devices
// come one after another.
type Group struct {
	Devices []*Device
	model   int // devices that share a weight
}

// Group returns the n devices that run one program from a device on, of which each so many
// share a weight; nil for one.
func (d *Device) Group(n, model int) (*Group, error) {
	if n <= 1 {
		return nil, nil
	}
	devices.Lock()
	defer devices.Unlock()
	most := d.Backend.NumDevices()
	if n > most || d.Num != 0 || d.Kind == "go" {
		return nil, fmt.Errorf("Options: Devices is %d, and %s has %d to share a batch from %s on, want as many or fewer; see dl.Devices()", n, d.Kind, most, d.Label())
	}
	s := &Group{model: model}
	for i := range n {
		on := &Device{Kind: d.Kind, Backend: d.Backend, Num: compute.DeviceNum(i), planned: true}
		if !d.planned {
			on = known(d.Kind, d.Backend, i)
		}
		s.Devices = append(s.Devices, on)
	}
	return s, nil
}

// Same reports whether two groups are the same grid of devices.
func (s *Group) Same(other *Group) bool {
	return s == other || s.model == other.model && slices.Equal(s.Devices, other.Devices)
}

// BatchParts returns into how many parts the devices cut a batch.
func (s *Group) BatchParts() int { return len(s.Devices) / s.model }

// Key tells groups apart in the key of a program.
func (s *Group) Key() string { return fmt.Sprintf("%d/%d", len(s.Devices), s.model) }

// Label names the devices, such as cuda:0-3.
func (s *Group) Label() string {
	return fmt.Sprintf("%s-%d", s.Devices[0].Label(), s.Devices[len(s.Devices)-1].Num)
}

// mesh describes the devices to a graph.
func (s *Group) mesh() (*distributed.DeviceMesh, error) {
	sizes, names := []int{s.BatchParts()}, []string{axisNames[OnBatch]}
	if s.model > 1 {
		sizes, names = append(sizes, s.model), append(names, axisNames[OnModel])
	}
	return distributed.NewDeviceMesh(sizes, names)
}

// Parameter adds an input to a graph, which every device has whole. GoMLX's names for them
// go into the program text unquoted, where XLA takes letters and digits only.
func Parameter(g *graph.Graph, dtype dtypes.DType, shape []int) *graph.Node {
	return LaidOutParameter(g, dtype, shape, Replicated)
}

// SplitParameter adds an input whose first axis is the batch, of which each
// device of a group has a part.
func SplitParameter(g *graph.Graph, dtype dtypes.DType, shape []int) *graph.Node {
	return LaidOutParameter(g, dtype, shape, batchFirst)
}

// LaidOutParameter adds an input of which each device of a group has what a layout says.
func LaidOutParameter(g *graph.Graph, dtype dtypes.DType, shape []int, l Layout) *graph.Node {
	n := 0
	if g.IsBuilding() {
		n = g.NumParameters()
	}
	var spec *distributed.ShardingSpec
	if meshes := g.DeviceMeshes(); len(meshes) > 0 {
		var err error
		if spec, err = l.spec(meshes[0]); err != nil {
			panic(err)
		}
	}
	return graph.ShardedParameter(g, fmt.Sprint("p", n), shapes.Make(dtype, shape...), spec)
}

// execute runs the program on its devices, of which each gets its part of the inputs that
// are divided.
func (s *Group) execute(p *Program, inputs []*Array) ([]*Array, error) {
	n := len(s.Devices)
	buffers := make([]compute.Buffer, n*len(inputs))
	for i, t := range inputs {
		t.pinRun()
		defer t.unpinRun()
		switch l := p.layoutOf(i); {
		case p.Split[i]: // a batch is used once
			flat, err := t.Flat()
			if err != nil {
				return nil, err
			}
			for d := range s.Devices {
				b, err := s.copyPart(flat, t, batchFirst, d)
				if err != nil {
					return nil, err
				}
				defer b.Finalize()
				buffers[d*len(inputs)+i] = b
			}
		case l != Replicated:
			parts, err := t.partsOn(s, l)
			if err != nil {
				return nil, err
			}
			for d, b := range parts {
				buffers[d*len(inputs)+i] = b
			}
		default:
			for d, on := range s.Devices {
				b, err := t.copyOn(on)
				if err != nil {
					return nil, err
				}
				buffers[d*len(inputs)+i] = b
			}
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
		each := make([]compute.Buffer, n)
		for d := range n {
			each[d] = results[d*len(p.outs)+i]
			each[d].Shape() // see deviceArray
		}
		if l := p.Results[i]; l != Replicated {
			outputs[i] = dividedArray(&divided{s, l, each}, p.outs[i])
			continue
		}
		t := deviceArray(s.Devices[0], each[0], p.outs[i])
		for d := 1; d < n; d++ {
			t.copies = append(t.copies, placedCopy{s.Devices[d], each[d]})
		}
		t.hold(n - 1)
		outputs[i] = t
	}
	return outputs, nil
}
