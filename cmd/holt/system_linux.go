package main

import (
	"errors"

	"github.com/holt-dl/holt/cmd/holt/local"
	"github.com/holt-dl/holt/kernel/jupyter/spec"
	"github.com/holt-dl/holt/kernel/machine/doctor"
)

type (
	localCommands struct{ local.Commands }
	remoteLocal   struct{ local.Remote }
)

// prepare makes the process ready for every command.
func prepare() { local.EnsureHome() }

func install(opt spec.Options) error { return local.Install(opt) }

func checks() ([]doctor.Check, doctor.Verdict) { return local.Checks(), doctor.Cells }

// reported reports whether a command has said what was wrong.
func reported(err error) bool {
	return errors.Is(err, local.ErrReported) || errors.Is(err, doctor.ErrUnhealthy)
}
