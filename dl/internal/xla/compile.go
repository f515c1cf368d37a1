package xla

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/internal/hooks"
)

// Compile builds a graph, of which build returns the outputs, and compiles it
// for a device, or for a group of devices where that is not nil. The devices of a
// group have the outputs as results says, all of them whole where that is nil. name
// and the shape of the input, nil where none is of interest, are what is announced.
// What build panics with is an error, since it is the user's Forward that runs. Cancelling ctx
// ends the wait for the compiler, not the compiler. Where its runs are counted, [Program.Quick]
// is asked for what to run.
func Compile(ctx context.Context, on *Device, group *Group, results []Layout, name string, counted bool, input []int, build func(g *graph.Graph) []*graph.Node) (*Program, error) {
	if folder := os.Getenv(ProgramsEnv); folder != "" {
		if err := keepText(folder, group, results, name, build); err != nil {
			return nil, fmt.Errorf("dl: %s: %s: %w", ProgramsEnv, name, err)
		}
	}
	if !on.planned {
		defer announce(ctx, name, input, on)()
	}
	if group == nil && os.Getenv(OneDNNEnv) == "1" && on.callsOneDNN() {
		if p, calls, err := compileGraph(ctx, on, nil, nil, name, withCalls, build); err == nil && calls > 0 {
			return p, nil
		}
	}
	if counted && group == nil && !on.planned && on.mayCallOneDNN() && hooks.Get().KnownPlugin(on.Backend) && hasCalls(on.Backend) {
		// A loop's code runs often in one run.
		if p, compile, c, err := writeGraph(on, nil, nil, name, unoptimised, build); err == nil && c.calls() > 0 && !c.loops() {
			if err := Await(ctx, compile); err != nil {
				return nil, err
			}
			return p, nil
		}
	}
	p, _, err := compileGraph(ctx, on, group, results, name, asXLA, build)
	return p, err
}

// form is how a program is written.
type form int

const (
	asXLA       form = iota
	withCalls        // of oneDNN
	unoptimised      // of package calls; it takes little time to compile, and runs for a few times only
)

// compileGraph is [Compile] for a form of a program, and returns how many calls it has;
// where they are asked for, a program without is not compiled.
func compileGraph(ctx context.Context, on *Device, group *Group, results []Layout, name string, how form, build func(g *graph.Graph) []*graph.Node) (*Program, int, error) {
	p, compile, c, err := writeGraph(on, group, results, name, how, build)
	if err == nil && (how != withCalls || c.calls() > 0) {
		err = Await(ctx, compile)
	}
	if err != nil {
		return nil, 0, err
	}
	return p, c.calls(), nil
}

// writeGraph writes a graph, and returns what compiles it into the program, and its functions.
func writeGraph(on *Device, group *Group, results []Layout, name string, how form, build func(g *graph.Graph) []*graph.Node) (p *Program, compile func() error, c *closures, err error) {
	called := strings.ReplaceAll(name, " ", "_")
	if how == unoptimised {
		called += hooks.Unoptimised
	}
	g, c := on.newGraph(called, how)
	c.planned = on.planned
	var mesh *distributed.DeviceMesh
	if group != nil {
		var err error
		if mesh, err = group.mesh(); err == nil {
			err = g.SetAutoSharding(mesh)
		}
		if err != nil {
			return nil, nil, nil, fmt.Errorf("dl: share a batch between %d devices: %w", len(group.Devices), err)
		}
	}
	var outputs []*graph.Node
	if err := Guard(func() { outputs = build(g) }); err != nil {
		return nil, nil, nil, err
	}
	if results == nil {
		results = make([]Layout, len(outputs))
	}
	p = &Program{on: on, group: group, name: name, how: how, Results: results}
	var shardings []*distributed.ShardingSpec
	for i, out := range outputs {
		p.outs = append(p.outs, out.Shape())
		if group != nil {
			spec, err := results[i].spec(mesh)
			if err != nil {
				return nil, nil, nil, err
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
	return p, compile, c, nil
}
