package tensorboard

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Find returns the command that runs TensorBoard: what TENSORBOARD_BINARY
// names, as for Python's %tensorboard, else the program tensorboard, else the module of
// a Python that has it. It looks in the environments of Python that belong to the
// kernel, which a Jupyter started from a desktop has not in its PATH, and in
// the PATH of env.
func Find(ctx context.Context, env []string) ([]string, error) {
	if file := lookup(env, "TENSORBOARD_BINARY"); file != "" {
		if found := look(file, env); found != "" {
			return []string{found}, nil
		}
		return nil, fmt.Errorf("%%tensorboard: TENSORBOARD_BINARY is %q, want a program; set it to one, or unset it", file)
	}
	own := environments(env)
	for _, dir := range own {
		if file := filepath.Join(dir, "tensorboard"); executable(file) {
			return []string{file}, nil
		}
	}
	if file := look("tensorboard", env); file != "" {
		return []string{file}, nil
	}
	var pythons []string
	for _, dir := range own {
		if file := filepath.Join(dir, "python3"); executable(file) {
			pythons = append(pythons, file)
		}
	}
	if file := look("python3", env); file != "" {
		pythons = append(pythons, file)
	}
	for _, python := range pythons {
		cmd := exec.CommandContext(ctx, python, "-c", "import importlib.util, sys; sys.exit(importlib.util.find_spec('tensorboard') is None)")
		cmd.Env = env
		if cmd.Run() == nil {
			return []string{python, "-m", "tensorboard.main"}, nil
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if len(pythons) == 0 {
		return nil, fmt.Errorf("%%tensorboard: there is no program tensorboard in the PATH of the cells, and no python3 that could have it; install Python 3, and then: python3 -m pip install tensorboard")
	}
	where := "the PATH of the cells"
	if len(own) > 0 {
		where += " or in " + strings.Join(own, ", ")
	}
	python := "python3" // of the PATH, by which a ! command finds it too
	if len(own) > 0 {
		python = pythons[0]
	}
	return nil, fmt.Errorf("%%tensorboard: there is no program tensorboard in %s; install it with: !%s -m pip install tensorboard", where, python)
}

// environments are the folders with the programs of the environments of Python that
// the kernel was installed in, and that the Jupyter server runs in.
func environments(env []string) []string {
	var dirs []string
	add := func(dir string) {
		if executable(filepath.Join(dir, "python3")) {
			for _, d := range dirs {
				if d == dir {
					return
				}
			}
			dirs = append(dirs, dir)
		}
	}
	// PREFIX/share/holt/bin/holt, as package spec installs it.
	if self, err := os.Executable(); err == nil {
		if prefix, ok := strings.CutSuffix(self, "/share/holt/bin/holt"); ok {
			add(filepath.Join(prefix, "bin"))
		}
	}
	if pid := lookup(env, "JPY_PARENT_PID"); pid != "" {
		// The program as it was called: in an environment it is a link.
		if line, err := os.ReadFile("/proc/" + pid + "/cmdline"); err == nil {
			program, _, _ := bytes.Cut(line, []byte{0})
			if filepath.IsAbs(string(program)) {
				add(filepath.Dir(string(program)))
			}
		}
	}
	return dirs
}

// look finds a program as a shell does, in the PATH of env.
func look(name string, env []string) string {
	if strings.Contains(name, "/") {
		if executable(name) {
			return name
		}
		return ""
	}
	for _, dir := range filepath.SplitList(lookup(env, "PATH")) {
		if file := filepath.Join(dir, name); filepath.IsAbs(file) && executable(file) {
			return file
		}
	}
	return ""
}

func executable(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// lookup is the value of a variable in an environment, "" where it is not set.
func lookup(env []string, name string) (value string) {
	for _, kv := range env {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			value = v
		}
	}
	return value
}
