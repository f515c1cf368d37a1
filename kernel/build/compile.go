package build

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// File is one source file of a cell.
type File struct {
	Name string // without folder, such as "cell.go"
	Text []byte
}

// Unit is one execution of a cell. Path, Files and Dir are required.
//
// The units of a session are numbered. A cell that runs again is another unit: the runtime
// refuses a second plugin with the path of a first, and package plugin hands out the first
// one again when a file name comes twice.
type Unit struct {
	Path string // import path, never used before in this session: "notebook/c5"
	// Files are one package. The first one's package clause names it.
	Files []File
	Dir   string // the unit's own folder, made if absent, for files, archive and plugin
	// Deps holds the archives of the earlier cells that this one imports,
	// directly or through others, by import path.
	Deps map[string]string
	// Loaded holds the archives of the cells that the process has loaded and that brought
	// packages ([World.Carries]), by import path: those packages are not linked again. It may
	// hold others too, which cost time.
	Loaded map[string]string
	// CDir is where the C code of files that import "C" finds #include "…", and
	// CTypes the C types of earlier units that this one shares, by name.
	CDir   string
	CTypes map[string]CType
	// Embed lists the patterns of //go:embed, for files below CDir.
	Embed []Embed
	// Entry is the function, without arguments and results, that runs the cell;
	// "Run" when empty.
	Entry string
	// Flags are more flags of the compiler, such as -m and -N. Said is called
	// with what it prints when it succeeds; it may be nil.
	Flags []string
	Said  func(text string)
}

// Built is a compiled and linked unit.
//
// Of a unit that failed to link, Archive and CompileTime are set.
type Built struct {
	Archive     string        // for Deps of later units
	Plugin      string        // the .so
	CompileTime time.Duration // until the archive was there
	LinkTime    time.Duration
	// Copied says why the plugin could not be bound to the host and holds a copy
	// of all that it reaches; empty when it is bound, and where none can be.
	Copied string
	// Ahead reports whether compiler and linker had been started by [World.Ahead].
	Ahead bool
}

// Kept are the files that [World.Tidy] leaves of a unit that is not forgotten,
// those that exist: later units are compiled and linked against them.
func (b Built) Kept() []string { return []string{b.Archive, symsFile(b.Archive)} }

// Build compiles and links a unit: with the compiler and the linker that
// [World.Ahead] has started, where they fit it.
//
// A unit has one call of Build at a time, and its folder is its own. Build remembers the
// unit's files, from which the call of Ahead after it learns what the next unit will likely
// name.
//
// The fast way is silent: whatever goes wrong there is tried again the usual way, which then
// has the error, in the words of Go's own compiler.
func (w *World) Build(ctx context.Context, u Unit) (Built, error) {
	w.next.mu.Lock()
	w.next.built = u.Files
	w.next.mu.Unlock()
	// It takes what waits, also where that does not fit: it would be of no use later.
	if b, ok := w.buildAhead(ctx, u); ok {
		return b, nil
	}
	if ctx.Err() != nil {
		return Built{}, fmt.Errorf("build: stopped: %w", context.Cause(ctx))
	}
	var b Built
	var err error
	start := time.Now()
	if b.Archive, err = w.Compile(ctx, u); err != nil {
		return b, err
	}
	b.CompileTime = time.Since(start)
	start = time.Now()
	b.Plugin, b.Copied, err = w.Link(ctx, u, b.Archive)
	b.LinkTime = time.Since(start)
	return b, err
}

// Diagnostic is one message of the compiler, at a place as //line directives
// name it.
//
// A file is named as in the cell, without a folder: "cell[5]".
type Diagnostic struct {
	File string
	Line int // 1-based
	Col  int // 1-based, in bytes; 0 where the compiler does not say
	Msg  string
}

// CompileError is what the compiler objects to.
type CompileError struct {
	Diagnostics []Diagnostic
}

// Error returns the messages, a line each.
func (e *CompileError) Error() string {
	var lines []string
	for _, d := range e.Diagnostics {
		lines = append(lines, fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Col, d.Msg))
	}
	return strings.Join(lines, "\n")
}

// Compile writes the files of a unit, compiles them and returns the archive.
// What the compiler objects to is a [*CompileError].
//
// The files are written beside each other, with a file of ours that says what to run
// ([Unit.entryText]); those with C code are translated first. It is Go's own compiler that
// runs, whose messages are known, and not the changed one.
func (w *World) Compile(ctx context.Context, u Unit) (archive string, err error) {
	if err := u.check(); err != nil {
		return "", err
	}
	w.tidying.wait(u.Dir)
	if err := os.MkdirAll(u.Dir, 0o755); err != nil {
		return "", fmt.Errorf("build: %w", err)
	}
	entry, err := u.entryText()
	if err != nil {
		return "", err
	}
	var names []string
	for _, f := range append(slices.Clip(u.Files), File{Name: entryFile, Text: entry}) {
		if err := os.WriteFile(filepath.Join(u.Dir, f.Name), f.Text, 0o644); err != nil {
			return "", fmt.Errorf("build: %w", err)
		}
		names = append(names, f.Name)
	}
	// Files with C code have other names from here on.
	names, objects, err := w.translate(ctx, u, names)
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(u.config(), []byte(w.importcfg(u.Deps)), 0o644); err != nil {
		return "", fmt.Errorf("build: %w", err)
	}
	archive = u.archive()
	args := w.unitFlags(u)
	if len(u.Embed) > 0 {
		embed := filepath.Join(u.Dir, "embedcfg")
		if err := u.embedConfig(embed); err != nil {
			return "", err
		}
		args = append(args, "-embedcfg", embed)
	}
	out, err := w.tool(ctx, u.Dir, w.tc.tool("compile"), append(args, names...)...)
	if ctx.Err() != nil {
		return "", fmt.Errorf("build: stopped: %w", context.Cause(ctx))
	}
	if err != nil {
		// Output without a place is a fault of ours or of the machine, such as no memory.
		if list := parseDiagnostics(out); len(list) > 0 {
			return "", &CompileError{list}
		}
		return "", fmt.Errorf("build: compile %s: %w: %s", u.Path, err, strings.TrimSpace(out))
	}
	if u.Said != nil && out != "" {
		u.Said(out)
	}
	return archive, w.pack(u.Dir, archive, objects)
}

// archive and config name files of the unit's folder: what the compiler makes, and
// where it and the linker find the packages.
func (u Unit) archive() string { return filepath.Join(u.Dir, "cell.a") }
func (u Unit) config() string  { return filepath.Join(u.Dir, "importcfg") }

// unitFlags are the compiler's flags for a unit that embeds no files.
//
// -dynlink is for all that plugins hold, as "go build -buildmode=plugin" gives it.
// -linkshared, for the changed linker alone, has the compiler refer to symbols of other
// packages by name and not by number, since the linker loads no object that could say what a
// number means; by it, too, the changed compiler knows a cell. The person's own flags come
// last, and so prevail.
func (w *World) unitFlags(u Unit) []string {
	flags := append(w.compileFlags(u.Path, u.Dir, u.config(), u.archive()), "-dynlink", wholeMaps)
	if w.bound() {
		flags = append(flags, "-linkshared")
	}
	return append(flags, u.Flags...)
}

// check reports what no unit may be.
func (u Unit) check() error {
	switch {
	case u.Path == "" || u.Dir == "":
		return errors.New("build: unit: Path and Dir are required")
	case len(u.Files) == 0:
		return fmt.Errorf("build: %s: no files, want at least one", u.Path)
	}
	for _, f := range u.Files {
		// A name with a folder would be written outside of the unit's.
		if f.Name != filepath.Base(f.Name) || !strings.HasSuffix(f.Name, ".go") || f.Name == entryFile {
			return fmt.Errorf("build: %s: file is %q, want a name without folder that ends in .go", u.Path, f.Name)
		}
	}
	return nil
}

// compileFlags are those of "go build" that matter for a package of a cell or
// for the host's main. There is no -complete, so that a cell can declare
// functions without bodies and link them to those of earlier cells.
//
// -trimpath takes the folder off the names in //line directives, which the compiler makes
// absolute: dir/cell[5] is cell[5] again. -e reports all errors and not the first ten, since
// lines of one cell may be fixed together. -goversion has a compiler of another Go refuse.
// -dwarf=false, since no plugin's DWARF is read.
func (w *World) compileFlags(path, dir, cfg, out string) []string {
	return []string{
		"-o", out, "-p", path, "-importcfg", cfg, "-trimpath", dir + "=>",
		"-lang=" + lang(w.tc.Version), "-pack", "-nolocalimports", "-dwarf=false",
		"-e", "-c=4", "-goversion", w.goVersion(),
	}
}

// goVersion is Go's version without the experiments that "go env" names after it.
func (w *World) goVersion() string {
	v, _, _ := strings.Cut(w.tc.Version, " ")
	return v
}

// lang turns "go1.26.8" into "go1.26", as the flag -lang wants it. What has no minor version, such
// as a development version, stays as it is.
func lang(version string) string {
	version, _, _ = strings.Cut(version, " ")
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return version
	}
	minor := parts[1]
	if i := strings.IndexFunc(minor, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		minor = minor[:i] // go1.27rc1
	}
	return parts[0] + "." + minor
}

// importcfg tells compiler and linker where every package is.
//
// Each line is "packagefile PATH=FILE". Of cells it has those in the map alone. That it names
// more than a unit imports does no harm.
func (w *World) importcfg(cells map[string]string) string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return withCells(w.config, cells)
}

// withCells adds the archives of cells to the lines of an importcfg.
//
// The order of the lines has no meaning.
func withCells(config string, cells map[string]string) string {
	var b strings.Builder
	b.WriteString(config)
	for path, file := range cells {
		b.WriteString("packagefile " + path + "=" + file + "\n")
	}
	return b.String()
}

// toolEnv is the environment of a compiler or linker in a folder, which also takes
// what it and its children leave behind when they are interrupted. They are
// short-lived and the machine's memory is theirs: without a garbage collector they
// are a third faster.
//
// GOMEMLIMIT is for what cannot do without: when a tool's memory reaches it, the collector
// runs after all.
func (w *World) toolEnv(dir string) []string {
	return w.tc.env("GOGC=off", "GOMEMLIMIT=1GiB", "TMPDIR="+dir)
}

// tool runs the compiler or the linker in a folder.
//
// A tool that ran and failed is an *exec.ExitError as it is; an error that says what could
// not be run is for all others.
func (w *World) tool(ctx context.Context, dir, file string, args ...string) (output string, err error) {
	cmd := command(ctx, dir, w.toolEnv(dir), file, args...)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		err = fmt.Errorf("build: run %s: %w", file, err)
	}
	return string(out), err
}

// diagnosticLine matches FILE:LINE:COL: MESSAGE, where the column may be absent. The file is
// as short as can be, so that places in the message are not taken for its own.
var diagnosticLine = regexp.MustCompile(`^(.+?):(\d+)(?::(\d+))?: (.*)$`)

// parseDiagnostics reads the compiler's output. Lines that begin with a tab
// belong to the message before.
//
// For example
//
//	cell[5]:2:7: cannot use s (variable of type string) as int value in argument to f
//		have (string)
//		want (int)
//
// is one message of three lines. What is said twice is taken once.
func parseDiagnostics(out string) []Diagnostic {
	var list []Diagnostic
	for text := range strings.SplitSeq(out, "\n") {
		if rest, ok := strings.CutPrefix(text, "\t"); ok && len(list) > 0 {
			list[len(list)-1].Msg += "\n\t" + rest
			continue
		}
		m := diagnosticLine.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		d := Diagnostic{File: m[1], Msg: m[4]}
		d.Line, _ = strconv.Atoi(m[2])
		d.Col, _ = strconv.Atoi(m[3])
		if !slices.Contains(list, d) {
			list = append(list, d)
		}
	}
	return list
}
