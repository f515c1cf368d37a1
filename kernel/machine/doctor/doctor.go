// Package doctor looks at a machine and says what Holt needs of it, what is
// there, what is missing, and the command that mends it.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/holt-dl/holt/kernel/jupyter/spec"
)

// ErrUnhealthy says that something needed is missing, which the doctor has written.
var ErrUnhealthy = errors.New("something needed is missing")

// Check is one thing to look at.
type Check struct {
	Name     string
	Optional bool   // Holt works without it, less well
	Only     string // what alone needs it, such as "JupyterLab"; empty means every notebook
	Look     func(ctx context.Context) Finding
}

// Finding is what a check found.
type Finding struct {
	OK     bool
	Broken bool   // it is there and does not work, which is said where it is Optional
	Detail string // one line: what is there, or what is wrong
	Fix    string // the command that mends it; empty where there is none
}

// timeout is how long one check may take. A network that drops packets must
// not look like a doctor that hangs.
const timeout = 8 * time.Second

// Verdict is what the doctor says at the end.
type Verdict struct {
	Healthy string // everything is there
	Partly  string // what every use needs is there, and what some need is not
	Missing string // something that every use needs is missing
}

// Cells is the verdict on a machine where cells are to run.
var Cells = Verdict{
	Healthy: "Holt can run here.",
	Partly:  "Holt can run here: holt run runs notebooks.",
	Missing: "Holt cannot run here yet: mend what is MISSING.",
}

// Run looks at everything and writes one line for each check, one for each remedy, and the
// verdict to w. Where something that every use needs is missing it returns [ErrUnhealthy].
func Run(ctx context.Context, w io.Writer, checks []Check, verdict Verdict) error {
	healthy := true
	width := 0
	var users []string             // what needs something that is absent
	lacks := map[string][]string{} // what each of users needs
	for _, c := range checks {
		width = max(width, len(c.Name))
	}
	for _, c := range checks {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		f := c.Look(ctx)
		cancel()
		mark := "ok     "
		switch {
		case !f.OK && c.Only != "":
			mark = "absent "
			if lacks[c.Only] == nil {
				users = append(users, c.Only)
			}
			lacks[c.Only] = append(lacks[c.Only], c.Name)
			f.Detail += "; only for " + c.Only
		case !f.OK && c.Optional && f.Broken:
			mark = "broken "
		case !f.OK && c.Optional:
			mark = "absent "
		case !f.OK:
			mark = "MISSING"
			healthy = false
		}
		fmt.Fprintf(w, "%s  %-*s  %s\n", mark, width, c.Name, f.Detail)
		if !f.OK && f.Fix != "" {
			fmt.Fprintf(w, "         %-*s  → %s\n", width, "", f.Fix)
		}
	}
	switch {
	case !healthy:
		fmt.Fprintln(w, "\n"+verdict.Missing)
		return ErrUnhealthy
	case len(users) == 0:
		fmt.Fprintln(w, "\n"+verdict.Healthy)
	default:
		fmt.Fprintln(w, "\n"+verdict.Partly)
		for _, user := range users {
			fmt.Fprintf(w, "Absent for %s: %s.\n", user, strings.Join(lacks[user], ", "))
		}
	}
	return nil
}

// lab stands for all that speaks Jupyter's protocol.
const lab = "JupyterLab and other front ends"

// Jupyter are the checks of Jupyter on this machine. Venv is an environment of Python in
// which it is looked for too; empty for none.
func Jupyter(venv string) []Check {
	return []Check{
		{Name: "Jupyter", Only: lab, Look: func(ctx context.Context) Finding { return lookJupyter(ctx, venv) }},
		{Name: "kernelspec", Only: lab, Look: func(context.Context) Finding { return lookSpec(venv, "holt install") }},
	}
}

// lookJupyter looks for Jupyter in PATH, and then in venv.
func lookJupyter(ctx context.Context, venv string) Finding {
	fix := JupyterFix()
	for _, dir := range []string{"", venv} {
		for _, name := range []string{"jupyter-lab", "jupyter-notebook", "jupyter-console", "jupyter"} {
			file := name
			if dir != "" {
				file = filepath.Join(spec.Scripts(dir), name)
			}
			file, err := exec.LookPath(file)
			if err != nil {
				continue
			}
			out, err := exec.CommandContext(ctx, file, "--version").Output()
			if err != nil {
				return Finding{Detail: fmt.Sprintf("%s does not run: %v", file, err), Fix: fix}
			}
			first, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
			if name == "jupyter" {
				first = "found" // it lists the versions of its parts
			}
			detail := fmt.Sprintf("%s %s, %s", name, first, file)
			if dir != "" {
				detail += " (not in PATH; make lab uses it)"
			}
			return Finding{OK: true, Detail: detail}
		}
		if venv == "" {
			break
		}
	}
	return Finding{Detail: "no jupyter command in PATH", Fix: fix}
}

// JupyterFix is the command that installs Jupyter.
func JupyterFix() string { return jupyterFix(runtime.GOOS) }

// jupyterFix is how Jupyter is installed.
func jupyterFix(system string) string {
	if system == "windows" {
		return `py -m venv %USERPROFILE%\jupyter && %USERPROFILE%\jupyter\Scripts\pip install jupyterlab && set PATH=%USERPROFILE%\jupyter\Scripts;%PATH%`
	}
	return "python3 -m venv ~/jupyter && ~/jupyter/bin/pip install jupyterlab && export PATH=~/jupyter/bin:$PATH"
}

// lookSpec looks for kernelspecs. Fix is the command that makes one.
func lookSpec(venv, fix string) Finding {
	var prefixes []string
	if venv != "" {
		prefixes = append(prefixes, venv)
	}
	found := spec.Find(prefixes...)
	var dirs, broken []string
	for dir, s := range found {
		if _, err := os.Stat(s.Argv[0]); err != nil && filepath.IsAbs(s.Argv[0]) { // another name is Jupyter's to find
			broken = append(broken, fmt.Sprintf("%s starts %s, which is gone", dir, s.Argv[0]))
			continue
		}
		dirs = append(dirs, fmt.Sprintf("%q, %s", s.DisplayName, dir))
	}
	slices.Sort(dirs)
	slices.Sort(broken)
	switch {
	case len(dirs) > 0:
		return Finding{OK: true, Detail: strings.Join(dirs, "; ")}
	case len(broken) > 0:
		return Finding{Detail: strings.Join(broken, "; "), Fix: fix}
	}
	return Finding{Detail: "Jupyter does not know Holt yet", Fix: fix}
}
