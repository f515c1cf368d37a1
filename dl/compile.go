package dl

import (
	"context"
	"fmt"
	"strings"

	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/gomlx/core/graph"
)

// compile traces build, which returns the outputs, and compiles it: a program
// of some name, for an input of a shape, which is nil where none stands out.
// What build panics with is the caller's: it is the user's Forward that runs.
// Cancelling ctx ends the wait for the compiler, not the compiler.
func compile(ctx context.Context, on *device, name string, input Shape, build func(g *graph.Graph) []*graph.Node) (*program, error) {
	return compileOn(ctx, on, nil, name, input, build)
}

// compileOn is compile for one device, or several that share a batch.
func compileOn(ctx context.Context, on *device, share *spread, name string, input Shape, build func(g *graph.Graph) []*graph.Node) (*program, error) {
	end := announce(ctx, name, input, on)
	defer end()
	g := graph.NewGraph(once{on.backend}, strings.ReplaceAll(name, " ", "_"))
	var mesh *distributed.DeviceMesh
	if share != nil {
		var err error
		if mesh, err = share.mesh(); err == nil {
			err = g.SetAutoSharding(mesh)
		}
		if err != nil {
			return nil, fmt.Errorf("dl: share a batch between %d devices: %w", len(share.on), err)
		}
	}
	var outputs []*graph.Node
	if err := guard(func() { outputs = build(g) }); err != nil {
		return nil, err
	}
	p := &program{on: on, spread: share}
	var whole []*distributed.ShardingSpec
	for _, out := range outputs {
		p.outs = append(p.outs, out.Shape())
		if share != nil {
			whole = append(whole, distributed.NewReplicatedShardingSpec(mesh))
		}
	}
	err := await(ctx, func() error {
		var err error
		if e := guard(func() { err = g.CompileWithSharding(outputs, whole) }); e != nil {
			err = e
		}
		if err != nil && exhausted(err) {
			err = on.full(err)
		}
		if err != nil {
			return fmt.Errorf("dl: compile %s for %s: %w", name, on.label(), err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.exec = g.Executable().(*executable)
	return p, nil
}
