package build

import (
	"context"
	"fmt"
	"go/parser"
	"go/token"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// entryFile is the name of the generated file that a unit gets.
const entryFile = "holt_entry.go"

// entryText returns a file that tells the host, when the plugin is loaded,
// which function runs the cell. It takes the place of a main package: the
// linker makes a plugin of any package whose path is the plugin's own, and one
// package less is compiled and linked. Names are such that no cell has them.
func (u Unit) entryText() ([]byte, error) {
	f, err := parser.ParseFile(token.NewFileSet(), u.Files[0].Name, u.Files[0].Text, parser.PackageClauseOnly)
	if err != nil {
		return nil, fmt.Errorf("build: %s: %w", u.Path, err)
	}
	entry := u.Entry
	if entry == "" {
		entry = "Run"
	}
	return fmt.Appendf(nil, "package %s\n\nimport ˣentry %q\n\nfunc init() { ˣentry.Entry = %s }\n", f.Name.Name, rtPath, entry), nil
}

// rtPath is the package that generated code calls.
const rtPath = "github.com/holt-dl/holt/kernel/host/rt"

// Link makes the plugin of a unit from its archive, and returns the .so. It is
// bound to the host where the world's linker can do that (package linker
// says how); else, and when that fails, the plugin holds a copy of all that it
// reaches, which takes ten times as long.
func (w *World) Link(ctx context.Context, u Unit, archive string) (so string, err error) {
	so = filepath.Join(u.Dir, path.Base(u.Path)+".so")
	// The file that the compiler read serves the linker too.
	args := []string{"-o", so, "-importcfg", filepath.Join(u.Dir, "importcfg"), "-buildmode=plugin", "-pluginpath", u.Path, "-s", "-w"}
	if bound, ok := w.boundArgs(u, archive); ok {
		out, err := w.tool(ctx, u.Dir, w.linkerFile(), append(append(bound, args...), archive)...)
		if err == nil || os.Getenv("HOLT_LINK") == "bound" && ctx.Err() == nil {
			return so, linkError(u, out, err)
		}
		os.Remove(symsFile(archive))
		if ctx.Err() != nil {
			return "", fmt.Errorf("build: stopped: %w", context.Cause(ctx))
		}
		why, _, _ := strings.Cut(strings.TrimSpace(out), "\n")
		slog.Warn("a cell is linked with copies of its packages", "cell", u.Path, "why", why, "err", err)
	}
	out, err := w.tool(ctx, u.Dir, w.tc.tool("link"), append(args, "-extld", w.extld(), archive)...)
	if ctx.Err() != nil {
		return "", fmt.Errorf("build: stopped: %w", context.Cause(ctx))
	}
	if err != nil {
		os.Remove(so)
	}
	return so, linkError(u, out, err)
}

// linkError says what a linker printed; it is nil when err is.
func linkError(u Unit, out string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("build: link %s: %w: %s", u.Path, err, strings.TrimSpace(out))
}
