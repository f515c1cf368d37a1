// Package doctor looks at a machine and says what Holt needs of it, what is
// there, what is missing, and the command that mends it.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/build/linker"
	"github.com/holt-dl/holt/kernel/jupyter/spec"
	"github.com/holt-dl/holt/kernel/session/assist"
)

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

// Run looks at everything, writes one line for each check and one for each
// remedy to w, and reports whether notebooks can run here, with holt run.
func Run(ctx context.Context, w io.Writer, checks []Check) bool {
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
		fmt.Fprintln(w, "\nHolt cannot run here yet: mend what is MISSING.")
	case len(users) == 0:
		fmt.Fprintln(w, "\nHolt can run here.")
	default:
		fmt.Fprintln(w, "\nHolt can run here: holt run runs notebooks.")
		for _, user := range users {
			fmt.Fprintf(w, "Absent for %s: %s.\n", user, strings.Join(lacks[user], ", "))
		}
	}
	return healthy
}

// Checks are the checks of what the kernel needs. Module is a module that
// cells need, such as "github.com/gomlx/gomlx", and its version. Venv is an environment of
// Python in which Jupyter is looked for too, such as the one that make made in a checkout; empty for none.
func Checks(module, version, venv string) []Check {
	return []Check{
		{Name: "Go", Look: lookGo},
		{Name: "C compiler", Look: lookCC},
		{Name: "gold linker", Optional: true, Look: lookLinker},
		{Name: "fast cells", Optional: true, Look: lookBinding},
		{Name: "Go modules", Look: func(ctx context.Context) Finding { return lookModules(ctx, module, version) }},
		{Name: "Jupyter", Only: lab, Look: func(ctx context.Context) Finding { return lookJupyter(ctx, venv) }},
		{Name: "kernelspec", Only: lab, Look: func(context.Context) Finding { return lookSpec(venv) }},
		{Name: "gopls", Only: "completion", Look: lookGopls},
		{Name: "GPU", Optional: true, Look: lookGPU},
	}
}

// lab stands for all that speaks Jupyter's protocol.
const lab = "JupyterLab and other front ends"

func lookGo(ctx context.Context) Finding {
	t, err := build.Find(ctx)
	if errors.Is(err, build.ErrNoCC) {
		return Finding{OK: true, Detail: "found; its C compiler is the next line"}
	}
	if err != nil {
		return Finding{Detail: err.Error(), Fix: "install it from https://go.dev/dl and put it in PATH: export PATH=$PATH:/usr/local/go/bin"}
	}
	return Finding{OK: true, Detail: fmt.Sprintf("%s, %s", strings.TrimPrefix(t.Version, "go"), t.Go)}
}

func lookCC(ctx context.Context) Finding {
	const fix = "sudo apt-get install gcc libc6-dev   (or: sudo dnf install gcc)"
	t, err := build.Find(ctx)
	if errors.Is(err, build.ErrNoCC) {
		return Finding{Detail: "none is found", Fix: fix}
	}
	if err != nil {
		return Finding{Detail: "not known before Go is there", Fix: fix}
	}
	out, err := exec.CommandContext(ctx, t.CC, "--version").Output()
	if err != nil {
		return Finding{Detail: fmt.Sprintf("%s does not run: %v", t.CC, err), Fix: fix}
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return Finding{OK: true, Detail: line + ", " + t.CC}
}

func lookLinker(context.Context) Finding {
	if file, err := exec.LookPath("ld.gold"); err == nil {
		return Finding{OK: true, Detail: file}
	}
	return Finding{Detail: "cells link more slowly without it", Fix: "sudo apt-get install binutils   (Debian 13 and later: binutils-gold)"}
}

// lookBinding finds out whether Go's linker can be taught to bind cells to the
// host, which makes it ten times as fast.
func lookBinding(ctx context.Context) Finding {
	t, err := build.Find(ctx)
	if err != nil && !errors.Is(err, build.ErrNoCC) {
		return Finding{Detail: "not known before Go is there"}
	}
	if t == nil {
		return Finding{Detail: "not known before a C compiler is there"}
	}
	if err := linker.Check(t.Root); err != nil {
		return Finding{Detail: err.Error() + "; cells work, and are linked more slowly", Fix: "install Go with its sources from https://go.dev/dl"}
	}
	if err := build.CheckRuntime(t.Root); err != nil {
		return Finding{Detail: err.Error() + "; cells work, and are loaded more slowly", Fix: "install Go with its sources from https://go.dev/dl"}
	}
	if err := build.CheckCompiler(t.Root); err != nil {
		return Finding{Detail: err.Error() + "; cells work, and those that use dl are compiled more slowly", Fix: "install Go with its sources from https://go.dev/dl"}
	}
	return Finding{OK: true, Detail: "Go's linker binds cells to what the host holds"}
}

// lookModules looks for a module in the cache, and else asks the first module
// proxy for it.
func lookModules(ctx context.Context, module, version string) Finding {
	t, err := build.Find(ctx)
	if err != nil && !errors.Is(err, build.ErrNoCC) {
		return Finding{Detail: "not known before Go is there"}
	}
	goCmd := "go"
	if t != nil {
		goCmd = t.Go
	}
	out, err := exec.CommandContext(ctx, goCmd, "env", "GOMODCACHE", "GOPROXY").Output()
	vars := strings.Split(string(out), "\n")
	if err != nil || len(vars) < 2 {
		return Finding{Detail: fmt.Sprintf("go env fails: %v", err)}
	}
	cache, proxies := vars[0], vars[1]
	name := filepath.Join(cache, filepath.FromSlash(escape(module))+"@"+version)
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return Finding{OK: true, Detail: "in the cache, " + cache}
	}
	proxy := firstProxy(proxies)
	if proxy == "" {
		return Finding{Detail: fmt.Sprintf("%s %s is not in the cache, and GOPROXY is %q", module, version, proxies),
			Fix: "go env -u GOPROXY"}
	}
	url := proxy + "/" + escape(module) + "/@v/" + version + ".info"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return Finding{Detail: fmt.Sprintf("GOPROXY is %q: %v", redact(proxies), err), Fix: "go env -u GOPROXY"}
	}
	const fix = "connect to the network once, or point GOPROXY at a mirror that can be reached: go env -w GOPROXY=…"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return Finding{Detail: fmt.Sprintf("%s %s is not in the cache, and the module proxy cannot be reached", module, version), Fix: fix}
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Finding{Detail: fmt.Sprintf("%s %s is not in the cache, and the module proxy answers %s", module, version, resp.Status), Fix: fix}
	}
	return Finding{OK: true, Detail: "the module proxy answers; the first start downloads what Holt needs"}
}

// escape writes a module path as caches and proxies do: capitals as ! and a
// small letter.
func escape(path string) string {
	var b strings.Builder
	for _, r := range path {
		if 'A' <= r && r <= 'Z' {
			b.WriteByte('!')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// firstProxy returns the first proxy of GOPROXY that can be asked, "" for none.
func firstProxy(list string) string {
	for _, p := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == '|' }) {
		if p = strings.TrimSuffix(strings.TrimSpace(p), "/"); strings.HasPrefix(p, "http") {
			return p
		}
	}
	return ""
}

// redact hides a password in a proxy's address.
func redact(list string) string {
	scheme, rest, ok := strings.Cut(list, "://")
	if !ok {
		return list
	}
	if _, host, found := strings.Cut(rest, "@"); found {
		return scheme + "://" + host
	}
	return list
}

// lookJupyter looks for Jupyter in PATH, and then in venv.
func lookJupyter(ctx context.Context, venv string) Finding {
	const fix = "python3 -m venv ~/jupyter && ~/jupyter/bin/pip install jupyterlab && export PATH=~/jupyter/bin:$PATH"
	for _, dir := range []string{"", venv} {
		for _, name := range []string{"jupyter-lab", "jupyter-notebook", "jupyter-console", "jupyter"} {
			file := filepath.Join(dir, "bin", name)
			if dir == "" {
				file = name
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

func lookSpec(venv string) Finding {
	var prefixes []string
	if venv != "" {
		prefixes = append(prefixes, venv)
	}
	found := spec.Find(prefixes...)
	var dirs, broken []string
	for dir, s := range found {
		if _, err := os.Stat(s.Argv[0]); err != nil {
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
		return Finding{Detail: strings.Join(broken, "; "), Fix: "holt install"}
	}
	return Finding{Detail: "Jupyter does not know Holt yet", Fix: "holt install"}
}

func lookGopls(context.Context) Finding {
	if file, err := assist.Find(); err == nil {
		return Finding{OK: true, Detail: file}
	}
	return Finding{Detail: "a kernel builds it when it is first asked", Fix: "holt gopls"}
}

func lookGPU(ctx context.Context) Finding {
	file, err := exec.LookPath("nvidia-smi")
	if err != nil {
		return Finding{Detail: "no NVIDIA driver is found; Holt uses the processor"}
	}
	out, err := exec.CommandContext(ctx, file, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader").Output()
	list := strings.TrimSpace(string(out))
	if err != nil || list == "" {
		return Finding{Detail: "nvidia-smi finds no GPU; Holt uses the processor"}
	}
	return Finding{OK: true, Detail: strings.ReplaceAll(list, "\n", "; ")}
}
