package main

import (
	"context"
	"errors"
	"os"
	"runtime/debug"

	"github.com/holt-dl/holt/dl/backend"
	"github.com/holt-dl/holt/internal/plugins"
	"github.com/holt-dl/holt/kernel/doctor"
)

// errUnhealthy ends the program with status 1 and no message, as the doctor
// has said it all.
var errUnhealthy = errors.New("something needed is missing")

type doctorCmd struct{}

// Run looks at the machine.
func (doctorCmd) Run(ctx context.Context) error {
	if !doctor.Run(ctx, os.Stdout, allChecks()) {
		return errUnhealthy
	}
	return nil
}

// allChecks are the doctor's.
func allChecks() []doctor.Check {
	backend.Setup()
	module, version := gomlx()
	return append(doctor.Checks(module, version, plugins.Beside(".venv")),
		doctor.Check{Name: "backend cuda", Optional: true, Look: lookBackend("cuda", "only of use with an NVIDIA GPU")},
		doctor.Check{Name: "backend cpu", Optional: true, Look: lookBackend("cpu", "training is about 60 times slower without it")},
		doctor.Check{Name: "backend go", Look: func(context.Context) doctor.Finding {
			return doctor.Finding{OK: true, Detail: "part of holt; slow"}
		}})
}

func lookBackend(name, without string) func(context.Context) doctor.Finding {
	return func(ctx context.Context) doctor.Finding {
		if path, ok := backend.Find(name); ok {
			return lookPlugin(ctx, name, path)
		}
		return doctor.Finding{Detail: "not installed; " + without, Fix: "holt backend install " + name}
	}
}

// gomlx is the module that every cell of dl needs, at the version that this
// holt was built with.
func gomlx() (module, version string) {
	module = "github.com/gomlx/gomlx"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == module {
				return module, d.Version
			}
		}
	}
	return module, "v0.28.5"
}
