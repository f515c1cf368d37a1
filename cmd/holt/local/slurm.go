package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/holt-dl/holt/internal/shell"
)

// nodes runs a notebook on hosts of a Slurm cluster: at once in an allocation, else as a job
// that is submitted.
type nodes struct {
	Nodes  int  `placeholder:"N" help:"Run on N hosts of a Slurm cluster, a process on each: by srun in an allocation, else as a job that is submitted with sbatch."`
	GPUs   int  `name:"gpus" placeholder:"N" help:"With --nodes: ask for N GPUs on each host."`
	DryRun bool `help:"With --nodes: print the job, and submit nothing."`
}

// wanted reports whether the notebook is to run on other hosts, or is an error where the flags
// do not fit.
func (n nodes) wanted() (bool, error) {
	switch {
	case n.Nodes < 0 || n.GPUs < 0:
		return false, fmt.Errorf("--nodes is %d and --gpus %d, want nothing negative", n.Nodes, n.GPUs)
	case n.Nodes == 0 && (n.GPUs > 0 || n.DryRun):
		return false, errors.New("--gpus and --dry-run need --nodes, such as --nodes 1")
	}
	return n.Nodes > 0, nil
}

// args are the arguments of sbatch and srun.
func (n nodes) args() []string {
	all := []string{"--nodes=" + strconv.Itoa(n.Nodes), "--ntasks-per-node=1"}
	if n.GPUs > 0 {
		all = append(all, "--gpus-per-node="+strconv.Itoa(n.GPUs))
	}
	return all
}

// script is the job that sbatch gets: the command, begun by srun on each host.
func (n nodes) script(name string, command []string) string {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n#SBATCH --job-name=" + name + "\n")
	for _, arg := range n.args() {
		b.WriteString("#SBATCH " + arg + "\n")
	}
	b.WriteString("srun")
	for _, word := range command {
		b.WriteString(" " + shell.Word(word))
	}
	return b.String() + "\n"
}

// run submits the command, or begins it in the allocation that this process is in.
func (n nodes) run(ctx context.Context, notebook string, command []string, out io.Writer) error {
	name := strings.TrimSuffix(filepath.Base(notebook), ".ipynb")
	script := n.script(strings.Join(strings.Fields(name), "-"), command)
	if n.DryRun {
		_, err := io.WriteString(out, script)
		return err
	}
	tool, args := "sbatch", []string(nil)
	if os.Getenv("SLURM_JOB_ID") != "" {
		tool, args = "srun", slices.Concat(n.args(), command)
	}
	cmd := exec.CommandContext(ctx, tool, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, out, os.Stderr
	if tool == "sbatch" {
		cmd.Stdin = strings.NewReader(script)
	}
	err := cmd.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("--nodes needs Slurm, and %s is not found here; on a machine of the cluster it works, and elsewhere srun, mpirun or torchrun can start holt run themselves", tool)
	case err != nil && tool == "srun":
		return ErrReported // the processes have said why
	case err != nil:
		return fmt.Errorf("the job was not submitted: %w", err)
	}
	return nil
}

// withoutNodes returns the arguments of holt run without those that say where it runs.
func withoutNodes(args []string) []string {
	all, away := flagsOf(&runCmd{}), flagsOf(&nodes{})
	var kept []string
	for i := 0; i < len(args); i++ {
		name, _, joined := strings.Cut(args[i], "=")
		if name == "--" {
			return append(kept, args[i:]...)
		}
		end := i + 1
		if f := all[name]; f != nil && !f.IsBool() && !joined {
			end = min(end+1, len(args)) // the next one is its value, also where it looks like a flag
		}
		if away[name] == nil {
			kept = append(kept, args[i:end]...)
		}
		i = end - 1
	}
	return kept
}

// flagsOf returns the flags of a command by what is written for each, such as -o and --output.
func flagsOf(command any) map[string]*kong.Flag {
	flags := map[string]*kong.Flag{}
	for _, f := range kong.Must(command).Model.Flags {
		flags["--"+f.Name] = f
		if f.Short != 0 {
			flags["-"+string(f.Short)] = f
		}
	}
	return flags
}
