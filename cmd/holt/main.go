// Command holt is a Jupyter kernel for deep learning in Go.
//
//	holt lab              open the course in JupyterLab
//	holt install          tell Jupyter about it
//	holt run notebook     run a notebook in batch
//	holt export notebook  write a notebook as a Go program
//	holt remote add       run kernels on another machine
//	holt doctor           see what is there and what is missing
//	holt backend install  bring XLA for this machine
//	holt warm             build the host program ahead of the first cell
//
// On systems other than Linux it is a client: what runs cells says why it does not, and the
// commands for notebooks and for kernels on other machines work.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/holt-dl/holt/cmd/holt/export"
	"github.com/holt-dl/holt/internal/buildinfo"
	"github.com/holt-dl/holt/kernel/machine/doctor"
)

type cli struct {
	Install   installCmd     `cmd:"" help:"Tell Jupyter about Holt."`
	Uninstall uninstallCmd   `cmd:"" help:"Undo install."`
	Doctor    doctorCmd      `cmd:"" help:"Say what is there, what is missing, and the command that mends it."`
	Remote    remoteCmd      `cmd:"" help:"Run kernels on other machines over ssh."`
	Course    courseCmd      `cmd:"" help:"Write the notebooks of the course to a folder."`
	Lab       labCmd         `cmd:"" help:"Open the course in JupyterLab."`
	Export    export.Command `cmd:"" help:"Write a notebook as a Go program."`
	localCommands
	Version versionCmd `cmd:"" help:"Print the version."`
}

func main() {
	prepare()
	var c cli
	parser := kong.Must(&c, kong.Name("holt"),
		kong.Description("A Jupyter kernel for deep learning in Go, in which everything a cell makes stays alive for the next one."),
		kong.UsageOnError())
	k, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	ctx := context.Background()
	switch k.Command() {
	case "kernel", "remote kernel <name>", "remote keep", "lab", "lab <args>": // they know signals of their own
	default:
		var stop func()
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
		defer stop()
	}
	k.BindTo(ctx, (*context.Context)(nil))
	if err := k.Run(); err != nil {
		if !reported(err) {
			fmt.Fprintln(os.Stderr, "holt:", err)
		}
		os.Exit(1)
	}
}

type doctorCmd struct{}

// Run looks at the machine.
func (doctorCmd) Run(ctx context.Context) error {
	checks, verdict := checks()
	return doctor.Run(ctx, os.Stdout, checks, verdict)
}

type versionCmd struct{}

// Run prints the version of holt and of the Go that built it.
func (versionCmd) Run() error {
	fmt.Println("holt", buildinfo.Version(), buildinfo.Go())
	return nil
}
