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
//
// No file of a unit may have it ([Unit.check]).
const entryFile = "holt_entry.go"

// entryText returns a file that tells the host, when the plugin is loaded,
// which function runs the cell. It takes the place of a main package: the
// linker makes a plugin of any package whose path is the plugin's own, and one
// package less is compiled and linked. Names are such that no cell has them.
//
// For a unit of package c5 it is
//
//	package c5
//
//	import ˣentry "github.com/holt-dl/holt/kernel/host/rt"
//
//	func init() { ˣentry.Entry = Run }
//
// Plugin.Open runs that init, and the host then reads rt.Entry. Plugin.Lookup would not find
// Run: the compiler writes the table that it reads for a main package alone.
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
//
// The host holds it, so that all plugins have the same copy: Entry is a variable of the
// host's.
const rtPath = "github.com/holt-dl/holt/kernel/host/rt"

// Link makes the plugin of a unit from its archive, and returns the .so. It is
// bound to the host where the world's linker can do that (package linker
// says how); else, and when that fails, the plugin holds a copy of all that it
// reaches, which takes ten times as long. Why says what failed.
//
// HOLT_LINK=bound, for tests, makes the failure of the first way an error. Where ctx is
// cancelled, nothing else is tried.
//
// A plugin with copies is bound all the same when it is loaded: the dynamic linker takes the
// host's definition of nearly every symbol, since it comes first. So values of its types can
// be used by cells that are bound, and the copies only cost time and memory.
func (w *World) Link(ctx context.Context, u Unit, archive string) (so, why string, err error) {
	so = u.plugin()
	// First with the changed linker: it needs the lists of all modules that hold something
	// this unit reaches.
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
		// The list may be there, whole or not, without the plugin that it is of. Later units
		// would be bound to it.
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
	// Then with copies, of archives that are made for it.
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
		// A linker that fails may have written part of it.
		os.Remove(so)
	}
	return so, why, linkError(u, out, err)
}

// plugin names the file that the linker makes.
func (u Unit) plugin() string { return filepath.Join(u.Dir, path.Base(u.Path)+".so") }

// pluginFlags are those that a bound plugin and one with copies have in common. -pluginpath
// has to equal the compiler's -p: then the linker takes the archive for the plugin's main
// package. -s and -w leave out the symbol table and DWARF, which nothing reads of a plugin:
// traces come from the pclntab.
func (u Unit) pluginFlags() []string {
	return []string{"-o", u.plugin(), "-buildmode=plugin", "-pluginpath", u.Path, "-s", "-w"}
}

// linkError says what a linker printed; it is nil when err is.
//
// Most of what Go code can do wrong the compiler has said. What is left is C code, functions
// that have no body anywhere, and faults of ours.
func linkError(u Unit, out string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("build: link %s: %w: %s", u.Path, err, gist(out))
}

// maxGist bounds what is shown of a linker's output, in bytes.
const maxGist = 400

// gist returns what matters of a linker's output: the first line that gives the
// system linker's reason, where there is one, or else the first line, without the
// names of temporary files.
//
// The Go linker prints the external linker's whole command line before its reason:
//
//	link: running gcc failed: exit status 1
//	gcc -m64 -s -shared -o c5.so /tmp/go-link-1/go.o …
//	ld: /tmp/go-link-1/000001.o: in function `f':
//	f.c:(.text+0x7): undefined reference to `missing'
//
// of which "undefined reference to `missing'" is left.
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
