package local

import (
	"context"
	"fmt"
	"os"

	"github.com/holt-dl/holt/dl/backend"
)

type backendCmd struct {
	Install backendInstallCmd `cmd:"" help:"Bring XLA for this machine: cpu (63 MB), or cuda or cuda12 for NVIDIA GPUs (about 3 GB)."`
	List    backendListCmd    `cmd:"" help:"List what Holt installed."`
	Remove  backendRemoveCmd  `cmd:"" help:"Delete what Holt installed."`
}

type backendInstallCmd struct {
	Kind string `arg:"" optional:"" default:"cpu" enum:"cpu,cuda,cuda12" help:"One of ${enum}."`
	From string `type:"existingdir" placeholder:"DIR" help:"Take the wheels from DIR, for machines without a network."`
}

// Run installs a backend and shows how far it is.
func (c backendInstallCmd) Run(ctx context.Context) error {
	terminal := isTerminal(os.Stderr)
	stage := ""
	err := backend.Install(ctx, c.Kind, backend.Options{From: c.From, Progress: func(p backend.Progress) {
		switch {
		case terminal:
			fmt.Fprintf(os.Stderr, "\r\x1b[K%s", p)
		case p.Stage+p.Wheel != stage: // a log gets one line a stage
			fmt.Fprintln(os.Stderr, p)
		}
		stage = p.Stage + p.Wheel
	}})
	if terminal && stage != "" {
		fmt.Fprintln(os.Stderr)
	}
	if err != nil {
		return err
	}
	for _, p := range backend.Installed() {
		if p.Kind == c.Kind {
			fmt.Println(p)
		}
	}
	return nil
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

type backendListCmd struct{}

// Run lists the installed backends.
func (backendListCmd) Run() error {
	list := backend.Installed()
	if len(list) == 0 {
		fmt.Println("nothing is installed in", backend.Dir())
	}
	for _, p := range list {
		fmt.Println(p)
	}
	return nil
}

type backendRemoveCmd struct {
	Kind string `arg:"" enum:"cpu,cuda,cuda12" help:"One of ${enum}."`
}

// Run removes a backend.
func (c backendRemoveCmd) Run() error { return backend.Remove(c.Kind) }
