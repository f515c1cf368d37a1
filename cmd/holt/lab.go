package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/holt-dl/holt/internal/process"
	"github.com/holt-dl/holt/kernel/jupyter/spec"
	"github.com/holt-dl/holt/kernel/machine/doctor"
)

type labCmd struct {
	Dir  string   `type:"path" placeholder:"DIR" help:"The folder of the course; holt-course in the home folder unless given."`
	Args []string `arg:"" optional:"" passthrough:"" placeholder:"-- ARGS" help:"Arguments of JupyterLab, after --."`
}

// Help is what holt lab --help says besides the flags.
func (labCmd) Help() string {
	return `JupyterLab is the one in PATH, or that of the Python environment in which holt is. Holt's kernelspec is installed
for the user where Jupyter finds none. As of holt course, notebooks that you changed stay as they are.

  holt lab -- --no-browser --port 8889`
}

// Run opens the course in JupyterLab, and waits for its end.
func (c labCmd) Run() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	lab, err := findLab(self)
	if err != nil {
		return err
	}
	if c.Dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return fmt.Errorf("lab: %w; name a folder with --dir", err)
		}
		c.Dir = filepath.Join(home, "holt-course")
	}
	if _, err := writeCourse(c.Dir); err != nil {
		return err
	}
	// The environment of JupyterLab is one that Jupyter looks for kernels in.
	if len(spec.Find(filepath.Dir(filepath.Dir(lab)))) == 0 {
		if err := install(spec.Options{DisplayName: spec.DisplayName}); err != nil {
			fmt.Fprintln(os.Stderr, "holt:", err) // the course can be read all the same
		}
	}
	cmd := exec.Command(lab, append(c.Args, filepath.Join(c.Dir, firstNotebook))...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	// Ctrl+C is JupyterLab's, which asks before it ends; it has the same terminal.
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("lab: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case sig := <-signals:
			if sig == syscall.SIGTERM {
				process.End(cmd.Process)
			}
		case err := <-ended:
			if err != nil {
				return fmt.Errorf("lab: %s: %w", lab, err)
			}
			return nil
		}
	}
}

// findLab looks for JupyterLab in PATH, and then beside holt.
func findLab(self string) (string, error) {
	for _, name := range []string{"jupyter-lab", filepath.Join(filepath.Dir(self), "jupyter-lab")} {
		file, err := exec.LookPath(name)
		if err == nil {
			return filepath.Abs(file)
		}
		if errors.Is(err, exec.ErrDot) {
			return "", err
		}
	}
	return "", fmt.Errorf("lab: there is no jupyter-lab in PATH or beside %s; install it: %s", self, doctor.JupyterFix())
}
