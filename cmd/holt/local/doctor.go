package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/holt-dl/holt/dl/backend"
	"github.com/holt-dl/holt/internal/buildinfo"
	"github.com/holt-dl/holt/internal/executables"
	"github.com/holt-dl/holt/internal/plugins"
	"github.com/holt-dl/holt/kernel/machine/doctor"
	"github.com/holt-dl/holt/kernel/machine/toolchain"
)

// Checks are the doctor's.
func Checks() []doctor.Check {
	backend.Setup()
	const gomlx = "github.com/gomlx/gomlx" // the module that every cell of dl needs
	version := buildinfo.Dependency(gomlx)
	if version == "" {
		version = "v0.28.5"
	}
	return append(toolchain.Checks(gomlx, version, plugins.Beside(".venv")),
		doctor.Check{Name: "backend cuda", Optional: true, Look: lookBackend("cuda", "only of use with an NVIDIA GPU")},
		doctor.Check{Name: "backend cpu", Optional: true, Look: lookBackend("cpu", "training is about 60 times slower without it")},
		doctor.Check{Name: "backend go", Look: func(context.Context) doctor.Finding {
			return doctor.Finding{OK: true, Detail: "part of holt; slow"}
		}},
		doctor.Check{Name: "executables", Optional: true, Look: func(context.Context) doctor.Finding {
			path, _ := backend.Find("cpu")
			return lookExecutables(path)
		}},
		doctor.Check{Name: "oneDNN", Optional: true, Look: func(context.Context) doctor.Finding {
			path, _ := backend.Find("cpu")
			return lookOneDNN(path)
		}})
}

// lookOneDNN says whether programs for the processor call oneDNN. path is the plugin,
// empty where there is none.
func lookOneDNN(path string) doctor.Finding {
	const env = "HOLT_ONEDNN"
	if os.Getenv(env) == "0" {
		return doctor.Finding{OK: true, Detail: "not called, as " + env + "=0 asks"}
	}
	if path == "" {
		return doctor.Finding{Detail: "comes with the cpu backend"}
	}
	store, _ := executables.Default() // without a folder, the sum is not kept
	sum, err := store.SumOf(path)
	if err != nil {
		return doctor.Finding{Broken: true, Detail: err.Error()}
	}
	if !plugins.Known(sum) {
		return doctor.Finding{Detail: "not called, because Holt's tests did not run with " + path}
	}
	from := "from a training's 11th step on; " + env + "=1: from the first, " + env + "=0: never"
	if os.Getenv(env) == "1" {
		from = "from the first run on, as " + env + "=1 asks"
	}
	return doctor.Finding{OK: true, Detail: "large convolutions and products are oneDNN's, " + from}
}

// lookExecutables says what is kept of what XLA compiled, and why it is not. A kernel
// says nothing of it, because all that it costs is time. path is the plugin for
// the processor, empty where there is none.
func lookExecutables(path string) doctor.Finding {
	store, ok := executables.Default()
	if !ok {
		return doctor.Finding{OK: true, Detail: "not kept, as " + executables.Env + "=0 asks"}
	}
	r, err := store.Look()
	if err != nil {
		return doctor.Finding{Broken: true, Detail: fmt.Sprintf("cannot be kept, so that every kernel compiles its programs again: %v", err),
			Fix: "export " + executables.Env + "=FOLDER   (a folder that you can write)"}
	}
	detail := fmt.Sprintf("%d files, %.1f of at most %d MiB, %s", r.Count, float64(r.Bytes)/(1<<20), store.Limit>>20, store.Dir)
	if n := len(r.Damaged); n > 0 {
		detail += fmt.Sprintf("; %d of them damaged or of another user, and not used, such as %s", n, filepath.Base(r.Damaged[0]))
	}
	if path != "" {
		if sum, err := store.SumOf(path); err == nil && !plugins.Known(sum) {
			detail += fmt.Sprintf("; of those for the processor none, because Holt's tests did not run with %s", path)
		}
	}
	return doctor.Finding{OK: true, Detail: detail}
}

func lookBackend(name, without string) func(context.Context) doctor.Finding {
	return func(ctx context.Context) doctor.Finding {
		if path, ok := backend.Find(name); ok {
			return lookPlugin(ctx, name, path)
		}
		return doctor.Finding{Detail: "not installed; " + without, Fix: "holt backend install " + name}
	}
}
