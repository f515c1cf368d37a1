// Package local has the commands of holt that run, compile or serve cells on the machine
// itself, which is a Linux.
package local

import (
	"context"
	"fmt"
	"os"

	"github.com/holt-dl/holt/dl/backend"
	"github.com/holt-dl/holt/kernel/jupyter/spec"
	"github.com/holt-dl/holt/kernel/machine/doctor"
	"github.com/holt-dl/holt/kernel/remote"
)

// Commands are those of the command line.
type Commands struct {
	Run     runCmd     `cmd:"" help:"Run a notebook from top to bottom, without Jupyter."`
	Kernel  kernelCmd  `cmd:"" help:"Run a kernel; Jupyter starts it."`
	Backend backendCmd `cmd:"" help:"Install what runs networks."`
	Warm    warmCmd    `cmd:"" help:"Build the host program now, which the first cell would wait for."`
	Gopls   goplsCmd   `cmd:"" help:"Build gopls now, which completes and explains names; else a kernel does when it is first asked."`
	Probe   probeCmd   `cmd:"" hidden:"" help:"Load an XLA plugin and say what it is, as JSON; the doctor does."`
}

// Remote are the commands of holt remote on the machine where kernels run.
type Remote struct {
	Agent agentCmd `cmd:"" hidden:"" help:"Serve a line from another machine; ssh starts it."`
	Keep  keepCmd  `cmd:"" hidden:"" help:"Hold a kernel for another machine; the agent starts it."`
	Check checkCmd `cmd:"" hidden:"" help:"Say whether a machine without Jupyter can run cells."`
}

type agentCmd struct{}

// Run serves one line.
func (agentCmd) Run(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return remote.Agent(ctx, os.Stdin, os.Stdout, []string{self, "remote", "keep"})
}

type keepCmd struct{}

// Run holds one kernel.
func (keepCmd) Run() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return remote.Keep(os.Stdin, os.Stdout, []string{self, "kernel", "-f"})
}

type checkCmd struct{}

// Run looks at this machine as the doctor does, but for Jupyter, which runs
// elsewhere.
func (checkCmd) Run(ctx context.Context) error {
	var checks []doctor.Check
	for _, c := range Checks() {
		if c.Name != "Jupyter" && c.Name != "kernelspec" {
			checks = append(checks, c)
		}
	}
	return doctor.Run(ctx, os.Stdout, checks, doctor.Cells)
}

// Install installs the kernelspec, and says what to do next.
func Install(opt spec.Options) error {
	p, err := spec.Install(opt)
	if err != nil {
		return err
	}
	fmt.Printf("Jupyter knows %q now.\n  kernelspec  %s\n  program     %s\n", opt.DisplayName, p.Dir, p.Binary)
	_, cpu := backend.FindInstalled("cpu") // what is beside a checkout's program is not beside the installed one
	if _, cuda := backend.FindInstalled("cuda"); !cpu && !cuda {
		fmt.Printf("XLA is not installed, and networks train slowly without it: %s backend install cpu\n", p.Binary)
	}
	fmt.Println("See whether anything is missing: holt doctor")
	return nil
}
