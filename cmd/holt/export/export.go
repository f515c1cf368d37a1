// Package export has the command of holt that writes a notebook as a Go program, or as a job
// of a cluster. It runs no cell, and works on any system.
package export

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/cmd/holt/calm"
	"github.com/holt-dl/holt/internal/buildinfo"
	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/notebook/export"
	"github.com/holt-dl/holt/kernel/notebook/ipynb"
	"github.com/holt-dl/holt/kernel/session/modules"
)

// Command is that of the command line.
type Command struct {
	Notebook string `arg:"" type:"path" help:"The notebook, an .ipynb file."`
	Output   string `short:"o" type:"path" placeholder:"DIR" help:"The program's folder. The default is the notebook's name without .ipynb."`
	hosts
	jobSet
	skyTask
}

// Help is what holt export --help says besides the flags.
func (Command) Help() string {
	return `The program does what the cells do, from top to bottom, and builds with go build: types and functions at package level,
statements in one function, Markdown as comments, and a go.mod with the versions that the notebook
runs with. No cell is run.

  holt export train.ipynb -o train && cd train && go build && ./train

With --jobset, it is a Kubernetes JobSet that runs the notebook itself, on several hosts at once:

  holt export train.ipynb --jobset --nodes 4 --gpus 8 --image IMAGE --claim runs

With --sky, it is a task of SkyPilot, which rents the hosts:

  holt export train.ipynb --sky --nodes 4 --accelerators H100:8 --image IMAGE --bucket s3://runs`
}

// Run writes the program, or the job.
func (c Command) Run(ctx context.Context) error {
	if err := c.checkJob(); err != nil {
		return err
	}
	nb, err := ipynb.ReadFile(c.Notebook)
	if err != nil {
		return err
	}
	if err := nb.CheckGo(c.Notebook); err != nil {
		return err
	}
	if c.JobSet || c.Sky {
		return c.exportJob()
	}
	name := strings.TrimSuffix(filepath.Base(c.Notebook), ".ipynb")
	dir := c.Output
	if dir == "" {
		dir = strings.TrimSuffix(c.Notebook, ".ipynb")
		if dir == c.Notebook {
			dir += ".program"
		}
	}
	// Where no cells run there is no host, and none is needed: what a cell's names are is read
	// from packages that are compiled for Linux, on any system.
	noHost := runtime.GOOS != "linux"
	lines := calm.Lines{W: os.Stderr, Now: time.Now, First: calm.Host}
	if noHost {
		lines.First = "compiling the packages that cells use: once, a minute or two"
	}
	world, err := build.Open(ctx, build.Options{Source: holt.Source, NoHost: noHost, Progress: lines.Say})
	if err != nil {
		return err
	}
	defer world.Close()
	world.SetDir(filepath.Dir(c.Notebook))
	var p *export.Program
	for range 5 { // each import may bring other versions of modules
		p, err = export.Write(ctx, nb, name, modules.NewPackages(world, func() string { return "" }))
		if !errors.Is(err, modules.ErrNewHost) {
			break
		}
	}
	if err != nil {
		return err
	}
	m := export.Module{Modfile: world.Modfile(), Go: world.Toolchain().Go, Release: buildinfo.Release(), Source: holt.Source}
	if err := p.Save(ctx, dir, m); err != nil {
		return err
	}
	for _, warning := range p.Warnings {
		fmt.Fprintln(os.Stderr, "holt:", warning)
	}
	fmt.Printf("the program is in %s; build it with: cd %[1]s && go build\n", dir)
	return nil
}
