package build

import (
	"context"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
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
// reaches, which takes ten times as long. Why says what failed.
func (w *World) Link(ctx context.Context, u Unit, archive string) (so, why string, err error) {
	so = u.plugin()
	ok := w.bound()
	if ok {
		var bound []string
		for _, list := range w.lists(u) {
			bound = append(bound, "-holt-import", list)
		}
		bound = append(bound, w.boundArgs(u, archive)...)
		out, err := w.tool(ctx, u.Dir, w.linkerFile(), bound...)
		if err == nil || os.Getenv("HOLT_LINK") == "bound" && ctx.Err() == nil {
			return so, "", linkError(u, out, err)
		}
		os.Remove(symsFile(archive))
		if why = gist(out); why == "" { // it was killed, say
			why = err.Error()
		}
	}
	if !ok {
		why = w.unbound()
	}
	if ctx.Err() != nil {
		return "", "", fmt.Errorf("build: stopped: %w", context.Cause(ctx))
	}
	config, err := w.copies(ctx)
	if err != nil {
		return "", "", err
	}
	cfg := filepath.Join(u.Dir, "importcfg.copies")
	if err := os.WriteFile(cfg, []byte(withCells(config, u.Deps)), 0o644); err != nil {
		return "", "", fmt.Errorf("build: %w", err)
	}
	args := append(u.pluginFlags(), "-importcfg", cfg, "-extld", w.extld(), archive)
	link := w.tc.tool("link")
	if ok { // cells are compiled for this linker
		link, args = w.linkerFile(), append([]string{"-holt-copies"}, args...)
	}
	out, err := w.tool(ctx, u.Dir, link, args...)
	if ctx.Err() != nil {
		return "", "", fmt.Errorf("build: stopped: %w", context.Cause(ctx))
	}
	if err != nil {
		os.Remove(so)
	}
	return so, why, linkError(u, out, err)
}

// plugin names the file that the linker makes.
func (u Unit) plugin() string { return filepath.Join(u.Dir, path.Base(u.Path)+".so") }

func (u Unit) pluginFlags() []string {
	return []string{"-o", u.plugin(), "-buildmode=plugin", "-pluginpath", u.Path, "-s", "-w"}
}

// linkError says what a linker printed; it is nil when err is.
func linkError(u Unit, out string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("build: link %s: %w: %s", u.Path, err, gist(out))
}

// maxGist bounds what is shown of a linker's output.
const maxGist = 400

// gist returns what matters of a linker's output: the first line that gives the
// system linker's reason, where there is one, or else the first line, without the
// names of temporary files.
func gist(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	text := lines[0]
	for _, line := range lines {
		if at := reason.FindStringIndex(line); at != nil {
			text = line[at[0]:]
			break
		}
	}
	text = objectFile.ReplaceAllString(text, "")
	if len(text) > maxGist {
		text = strings.ToValidUTF8(text[:maxGist], "") + "…"
	}
	return text
}

var (
	// reason begins what the system's linkers give as one.
	reason = regexp.MustCompile(`undefined reference|multiple definition|cannot find |undefined symbol|requires dynamic |relocation R_`)
	// objectFile is how they name a place in one of the objects that Go's linker gives
	// them.
	objectFile = regexp.MustCompile(`/\S*/(go-link-\d+/\S+|(go|\d{6})\.o):(\S+:)?\s*`)
)
