package local

import (
	"context"
	"fmt"
	"os"

	"github.com/holt-dl/holt/dl/backend"
)

type backendCmd struct {
	Install backendInstallCmd `cmd:"" help:"Bring XLA for this machine: cpu (63 MB), cuda or cuda12 for NVIDIA GPUs (about 3 GB), or cuda-compiler, which tells what a GPU would need (257 MB)."`
	List    backendListCmd    `cmd:"" help:"List what Holt installed."`
	Remove  backendRemoveCmd  `cmd:"" help:"Delete what Holt installed."`
}

type backendInstallCmd struct {
	Kind string `arg:"" optional:"" default:"cpu" enum:"cpu,cuda,cuda12,cuda13,cuda-compiler" help:"One of ${enum}; cuda is CUDA 13, or 12 where NVIDIA's driver is too old for it."`
	From string `type:"existingdir" placeholder:"DIR" help:"Take the wheels from DIR, for machines without a network."`
}

// Run installs a backend and shows how far it is.
func (c backendInstallCmd) Run(ctx context.Context) error {
	kind, why, err := kindFor(ctx, c.Kind)
	if err != nil {
		return err
	}
	if why != "" {
		fmt.Fprintln(os.Stderr, why)
	}
	terminal := isTerminal(os.Stderr)
	stage := ""
	err = backend.Install(ctx, kind, backend.Options{From: c.From, Progress: func(p backend.Progress) {
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
		switch {
		case p.Kind == kind:
			fmt.Println(p)
		case p.Kind == "cuda" && kind == "cuda12":
			fmt.Println("CUDA 13 is installed too, and is taken first; to use CUDA 12, remove it: holt backend remove cuda")
		}
	}
	return nil
}

// kindFor returns the kind of plugin that a user asks for: of cuda, the one that the
// driver runs, and why.
func kindFor(ctx context.Context, asked string) (kind, why string, err error) {
	switch asked {
	case "cuda13":
		return "cuda", "", nil
	case "cuda":
		d, ok := backend.FindDriver(ctx)
		if !ok {
			return "cuda", "CUDA 13, because no driver of NVIDIA's is found here that would want another", nil
		}
		return d.CUDA()
	}
	return asked, "", nil
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
	Kind string `arg:"" enum:"cpu,cuda,cuda12,cuda-compiler" help:"One of ${enum}."`
}

// Run removes a backend.
func (c backendRemoveCmd) Run() error { return backend.Remove(c.Kind) }
