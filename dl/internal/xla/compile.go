package xla

import (
	"context"
	"fmt"
	"strings"

	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/gomlx/core/graph"
)

// Compile builds a graph, of which build returns the outputs, and compiles it
// for a device, or for a group of devices that share a batch where that is not
// nil. name and the shape of the input, nil where none stands out, are what is
// announced. What build panics with is an error, since it is the user's Forward
// that runs. Cancelling ctx ends the wait for the compiler, not the compiler.
func Compile(ctx context.Context, on *Device, group *Group, name string, input []int, build func(g *graph.Graph) []*graph.Node) (*Program, error) {
	end := announce(ctx, name, input, on)
	defer end()
	g := on.NewGraph(strings.ReplaceAll(name, " ", "_"))
	var mesh *distributed.DeviceMesh
	if group != nil {
		var err error
		if mesh, err = group.mesh(); err == nil {
			err = g.SetAutoSharding(mesh)
		}
		if err != nil {
			return nil, fmt.Errorf("dl: share a batch between %d devices: %w", len(group.Devices), err)
		}
	}
	var outputs []*graph.Node
	if err := Guard(func() { outputs = build(g) }); err != nil {
		return nil, err
	}
	p := &Program{on: on, group: group}
	var shardings []*distributed.ShardingSpec
	for _, out := range outputs {
		p.outs = append(p.outs, out.Shape())
		if group != nil {
			shardings = append(shardings, distributed.NewReplicatedShardingSpec(mesh))
		}
	}
	err := Await(ctx, func() error {
		var err error
		if e := Guard(func() { err = g.CompileWithSharding(outputs, shardings) }); e != nil {
			err = e
		}
		if err != nil && exhausted(err) {
			err = on.outOfMemory(err)
		}
		if err != nil {
			return fmt.Errorf("dl: compile %s for %s: %w", name, on.Label(), err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.exec = g.Executable().(*executable)
	return p, nil
}
