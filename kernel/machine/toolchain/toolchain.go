// Package toolchain has the doctor's checks of what cells are compiled, linked and run with.
package toolchain

import (
	"context"
	"errors"
	"fmt"
	"go/version"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/build/linker"
	"github.com/holt-dl/holt/kernel/machine/doctor"
	"github.com/holt-dl/holt/kernel/session/assist"
)

// Checks are the checks of what the kernel needs. Module is a module that
// cells need, such as "github.com/gomlx/gomlx", and its version. Venv is an environment of
// Python in which Jupyter is looked for too, such as the one that make made in a checkout; empty for none.
func Checks(module, version, venv string) []doctor.Check {
	return slices.Concat([]doctor.Check{
		{Name: "Go", Look: lookGo},
		{Name: "Holt", Optional: true, Look: lookAge},
		{Name: "C compiler", Look: lookCC},
		{Name: "gold linker", Optional: true, Look: lookLinker},
		{Name: "fast cells", Optional: true, Look: lookBinding},
		{Name: "Go modules", Look: func(ctx context.Context) doctor.Finding { return lookModules(ctx, module, version) }},
	}, doctor.Jupyter(venv), []doctor.Check{
		{Name: "gopls", Only: "completion", Look: lookGopls},
		{Name: "GPU", Optional: true, Look: lookGPU},
	})
}

func lookGo(ctx context.Context) doctor.Finding {
	t, err := build.Find(ctx)
	if errors.Is(err, build.ErrNoCC) {
		return doctor.Finding{OK: true, Detail: "found; its C compiler is the next line"}
	}
	if err != nil {
		return doctor.Finding{Detail: err.Error(), Fix: "install it from https://go.dev/dl and put it in PATH: export PATH=$PATH:/usr/local/go/bin"}
	}
	return doctor.Finding{OK: true, Detail: fmt.Sprintf("%s, %s", strings.TrimPrefix(t.Version, "go"), t.Go)}
}

// lookAge compares the Go that built this Holt with the one that compiles cells: a
// release may write packages that one before it cannot read.
func lookAge(ctx context.Context) doctor.Finding {
	t, err := build.Find(ctx)
	if t == nil || err != nil {
		return doctor.Finding{OK: true, Detail: "built by " + runtime.Version()}
	}
	return age(runtime.Version(), t.Version)
}

func age(own, compiler string) doctor.Finding {
	own, _, _ = strings.Cut(own, " ") // experiments follow
	compiler, _, _ = strings.Cut(compiler, " ")
	if version.IsValid(own) && version.Compare(version.Lang(own), version.Lang(compiler)) < 0 {
		return doctor.Finding{
			Broken: true,
			Detail: fmt.Sprintf("built by %s, which is older than the Go that compiles cells, %s, and may be unable to read its packages", own, compiler),
			Fix:    fmt.Sprintf("build Holt again with %s, or put %s first in PATH", compiler, own),
		}
	}
	return doctor.Finding{OK: true, Detail: "built by " + own}
}

func lookCC(ctx context.Context) doctor.Finding {
	const fix = "sudo apt-get install gcc libc6-dev   (or: sudo dnf install gcc)"
	t, err := build.Find(ctx)
	if errors.Is(err, build.ErrNoCC) {
		return doctor.Finding{Detail: "none is found", Fix: fix}
	}
	if err != nil {
		return doctor.Finding{Detail: "not known before Go is there", Fix: fix}
	}
	out, err := exec.CommandContext(ctx, t.CC, "--version").Output()
	if err != nil {
		return doctor.Finding{Detail: fmt.Sprintf("%s does not run: %v", t.CC, err), Fix: fix}
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return doctor.Finding{OK: true, Detail: line + ", " + t.CC}
}

func lookLinker(context.Context) doctor.Finding {
	if file, err := exec.LookPath("ld.gold"); err == nil {
		return doctor.Finding{OK: true, Detail: file}
	}
	return doctor.Finding{Detail: "cells link more slowly without it", Fix: "sudo apt-get install binutils   (Debian 13 and later: binutils-gold)"}
}

// lookBinding finds out whether Go's linker can be taught to bind cells to the
// host, which makes it ten times as fast.
func lookBinding(ctx context.Context) doctor.Finding {
	t, err := build.Find(ctx)
	if err != nil && !errors.Is(err, build.ErrNoCC) {
		return doctor.Finding{Detail: "not known before Go is there"}
	}
	if t == nil {
		return doctor.Finding{Detail: "not known before a C compiler is there"}
	}
	if err := linker.Check(t.Root); err != nil {
		return doctor.Finding{Detail: err.Error() + "; cells work, and are linked more slowly", Fix: "install Go with its sources from https://go.dev/dl"}
	}
	if err := build.CheckRuntime(t.Root); err != nil {
		return doctor.Finding{Detail: err.Error() + "; cells work, and are loaded more slowly", Fix: "install Go with its sources from https://go.dev/dl"}
	}
	if err := build.CheckCompiler(t.Root); err != nil {
		return doctor.Finding{Detail: err.Error() + "; cells work, and those that use dl are compiled more slowly", Fix: "install Go with its sources from https://go.dev/dl"}
	}
	return doctor.Finding{OK: true, Detail: "Go's linker binds cells to what the host holds"}
}

// lookModules looks for a module in the cache, and else asks the first module
// proxy for it.
func lookModules(ctx context.Context, module, version string) doctor.Finding {
	t, err := build.Find(ctx)
	if err != nil && !errors.Is(err, build.ErrNoCC) {
		return doctor.Finding{Detail: "not known before Go is there"}
	}
	goCmd := "go"
	if t != nil {
		goCmd = t.Go
	}
	out, err := exec.CommandContext(ctx, goCmd, "env", "GOMODCACHE", "GOPROXY").Output()
	vars := strings.Split(string(out), "\n")
	if err != nil || len(vars) < 2 {
		return doctor.Finding{Detail: fmt.Sprintf("go env fails: %v", err)}
	}
	cache, proxies := vars[0], vars[1]
	name := filepath.Join(cache, filepath.FromSlash(escape(module))+"@"+version)
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		return doctor.Finding{OK: true, Detail: "in the cache, " + cache}
	}
	proxy := firstProxy(proxies)
	if proxy == "" {
		return doctor.Finding{Detail: fmt.Sprintf("%s %s is not in the cache, and GOPROXY is %q", module, version, proxies),
			Fix: "go env -u GOPROXY"}
	}
	url := proxy + "/" + escape(module) + "/@v/" + version + ".info"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return doctor.Finding{Detail: fmt.Sprintf("GOPROXY is %q: %v", redact(proxies), err), Fix: "go env -u GOPROXY"}
	}
	const fix = "connect to the network once, or point GOPROXY at a mirror that can be reached: go env -w GOPROXY=…"
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return doctor.Finding{Detail: fmt.Sprintf("%s %s is not in the cache, and the module proxy cannot be reached", module, version), Fix: fix}
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return doctor.Finding{Detail: fmt.Sprintf("%s %s is not in the cache, and the module proxy answers %s", module, version, resp.Status), Fix: fix}
	}
	return doctor.Finding{OK: true, Detail: "the module proxy answers; the first start downloads what Holt needs"}
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

func lookGopls(context.Context) doctor.Finding {
	if file, err := assist.Find(); err == nil {
		return doctor.Finding{OK: true, Detail: file}
	}
	return doctor.Finding{Detail: "a kernel builds it when it is first asked", Fix: "holt gopls"}
}

func lookGPU(ctx context.Context) doctor.Finding {
	file, err := exec.LookPath("nvidia-smi")
	if err != nil {
		return doctor.Finding{Detail: "no NVIDIA driver is found; Holt uses the processor"}
	}
	out, err := exec.CommandContext(ctx, file, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader").Output()
	list := strings.TrimSpace(string(out))
	if err != nil || list == "" {
		return doctor.Finding{Detail: "nvidia-smi finds no GPU; Holt uses the processor"}
	}
	return doctor.Finding{OK: true, Detail: strings.ReplaceAll(list, "\n", "; ")}
}
