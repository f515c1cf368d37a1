package build

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Link makes the plugin of a unit from its archive, and returns the .so.
//
// The plugin's main package imports the cell and exports its entry as Run. It
// is compiled with -p equal to -pluginpath, or the plugin would not find Run,
// and without inlining, which would rename the cell's closures in traces.
func (w *World) Link(ctx context.Context, u Unit, archive string) (so string, err error) {
	entry := u.Entry
	if entry == "" {
		entry = "Run"
	}
	cells := maps.Clone(u.Deps)
	if cells == nil {
		cells = map[string]string{}
	}
	cells[u.Path] = archive
	cfg := filepath.Join(u.Dir, "importcfg.link")
	if err := os.WriteFile(cfg, []byte(w.importcfg(cells)), 0o644); err != nil {
		return "", fmt.Errorf("build: %w", err)
	}
	text := fmt.Sprintf("package main\n\nimport cell %q\n\nfunc Run() { cell.%s() }\n\nfunc main() {}\n", u.Path, entry)
	if err := os.WriteFile(filepath.Join(u.Dir, "plugin.go"), []byte(text), 0o644); err != nil {
		return "", fmt.Errorf("build: %w", err)
	}
	plugin := u.Path + "/plugin"
	main := filepath.Join(u.Dir, "plugin.a")
	if out, err := w.tool(ctx, u.Dir, "compile", append(w.compileFlags(plugin, u.Dir, cfg, main), "-l", "plugin.go")...); err != nil {
		return "", linkError(ctx, u, err, out)
	}
	so = filepath.Join(u.Dir, path.Base(u.Path)+".so")
	args := []string{"-o", so, "-importcfg", cfg, "-buildmode=plugin", "-pluginpath", plugin, "-s", "-w", "-extld", w.extld(), main}
	if out, err := w.tool(ctx, u.Dir, "link", args...); err != nil {
		return "", linkError(ctx, u, err, out)
	}
	return so, nil
}

func linkError(ctx context.Context, u Unit, err error, out string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("build: stopped: %w", context.Cause(ctx))
	}
	return fmt.Errorf("build: link %s: %w: %s", u.Path, err, strings.TrimSpace(out))
}
