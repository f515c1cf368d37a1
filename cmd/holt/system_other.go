//go:build !linux

package main

import (
	"errors"
	"runtime"

	"github.com/holt-dl/holt/kernel/jupyter/spec"
	"github.com/holt-dl/holt/kernel/machine/doctor"
)

// localCommands are the commands that need cells to run here, which answer with why they do not.
type localCommands struct {
	Run     noCells `cmd:"" passthrough:"" hidden:"" help:"Run a notebook, on Linux."`
	Kernel  noCells `cmd:"" passthrough:"" hidden:"" help:"Run a kernel, on Linux."`
	Backend noCells `cmd:"" passthrough:"" hidden:"" help:"Install what runs networks, on Linux."`
	Warm    noCells `cmd:"" passthrough:"" hidden:"" help:"Build the host program, on Linux."`
	Gopls   noCells `cmd:"" passthrough:"" hidden:"" help:"Build gopls, on Linux."`
}

// remoteLocal is empty: no kernel runs here.
type remoteLocal struct{}

type noCells struct {
	Rest []string `arg:"" optional:"" hidden:""`
}

// Run says why no cells run here.
func (noCells) Run() error { return errors.New(doctor.NoCells(runtime.GOOS)) }

func prepare() {}

func install(spec.Options) error { return errors.New(doctor.NoCells(runtime.GOOS)) }

func checks() ([]doctor.Check, doctor.Verdict) { return doctor.ClientChecks(), doctor.Client }

// reported reports whether a command has said what was wrong.
func reported(err error) bool { return errors.Is(err, doctor.ErrUnhealthy) }
