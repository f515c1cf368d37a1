package xla

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/gomlx/core/graph"
)

// Compile builds a graph, of which build returns the outputs, and compiles it
// for a device, or for a group of devices where that is not nil. The devices of a
// group have the outputs as results says, all of them whole where that is nil. name
// and the shape of the input, nil where none is of interest, are what is announced.
// What build panics with is an error, since it is the user's Forward that runs. Cancelling ctx ends the wait for the compiler, not the compiler.
func Compile(ctx context.Context, on *Device, group *Group, results []Layout, name string, input []int, build func(g *graph.Graph) []*graph.Node) (*Program, error) {
	if folder := os.Getenv(ProgramsEnv); folder != "" && !on.planned {
		if err := keepText(folder, group, results, name, build); err != nil {
			return nil, fmt.Errorf("dl: %s: %s: %w", ProgramsEnv, name, err)
		}
	}
	if !on.planned {
		defer announce(ctx, name, input, on)()
	}
	if group == nil && os.Getenv(OneDNNEnv) == "1" && on.callsOneDNN() {
		if p, calls, err := compileGraph(ctx, on, nil, nil, name, true, build); err == nil && calls > 0 {
			p.quick.begin.Do(func() { p.quick.done = closedChannel })
			return p, nil
		}
	}
	p, _, err := compileGraph(ctx, on, group, results, name, false, build)
	return p, err
}

// compileGraph is [Compile] for a program with calls of oneDNN or without, and returns
// how many there are; a program without is not compiled where they are asked for.
func compileGraph(ctx context.Context, on *Device, group *Group, results []Layout, name string, oneDNN bool, build func(g *graph.Graph) []*graph.Node) (*Program, int, error) {
	p, compile, calls, err := writeGraph(on, group, results, name, oneDNN, build)
	if err == nil && (!oneDNN || calls > 0) {
		err = Await(ctx, compile)
	}
	if err != nil {
		return nil, 0, err
	}
	return p, calls, nil
}

// writeGraph writes a graph, and returns what compiles it into the program.
func writeGraph(on *Device, group *Group, results []Layout, name string, oneDNN bool, build func(g *graph.Graph) []*graph.Node) (p *Program, compile func() error, calls int, err error) {
	g, c := on.newGraph(strings.ReplaceAll(name, " ", "_"), oneDNN)
	c.planned = on.planned
	var mesh *distributed.DeviceMesh
	if group != nil {
		var err error
		if mesh, err = group.mesh(); err == nil {
			err = g.SetAutoSharding(mesh)
		}
		if err != nil {
			return nil, nil, 0, fmt.Errorf("dl: share a batch between %d devices: %w", len(group.Devices), err)
		}
	}
	var outputs []*graph.Node
	if err := Guard(func() { outputs = build(g) }); err != nil {
		return nil, nil, 0, err
	}
	if results == nil {
		results = make([]Layout, len(outputs))
	}
	p = &Program{on: on, group: group, name: name, Results: results}
	var shardings []*distributed.ShardingSpec
	for i, out := range outputs {
		p.outs = append(p.outs, out.Shape())
		if group != nil {
			spec, err := results[i].spec(mesh)
			if err != nil {
				return nil, nil, 0, err
			}
			shardings = append(shardings, spec)
		}
	}
	compile = func() error {
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
		p.exec = g.Executable().(*executable)
		return nil
	}
	return p, compile, c.calls(), nil
}
