package build

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// An archive is linked into one of two things, and compiled as Go compiles for
// that one. What the host holds is compiled as for a program, with no flags of
// ours, so that GOCACHE may have it already. What only plugins hold is compiled
// with -dynlink. A program linked from archives made with -dynlink corrupts its
// heap: Go never makes one. Both have the same export data, so cells are compiled
// against either.

// wholeMaps keeps the map literals of what plugins hold whole: without it Go's
// linker drops the code that fills those which the first plugin with their package
// does not use, and later plugins find them empty. In a program that loads plugins
// it drops none.
const wholeMaps = "-d=wrapglobalmapctl=1"

// buildFlags are the flags of go commands that decide what archives hold. Paths
// are the packages that only plugins hold.
//
// For a path "example.org/a" they are
//
//	-buildvcs=false
//	-gcflags=example.org/a=-dynlink -d=wrapglobalmapctl=1
//	-asmflags=example.org/a=-dynlink
//
// The go command hashes flags into the name of an archive, so each package has as many
// archives as there are sets of flags for it.
func buildFlags(paths ...string) []string {
	flags := []string{"-buildvcs=false"}
	for _, path := range paths {
		// What -buildmode=plugin says, but of these packages alone: as a flag of
		// the whole build it would compile the host's packages again.
		flags = append(flags, "-gcflags="+path+"=-dynlink "+wholeMaps, "-asmflags="+path+"=-dynlink")
	}
	return flags
}

// copyFlags are those for packages of the host that a plugin holds a copy of.
func copyFlags() []string { return append(buildFlags(), "-buildmode=plugin") }

// listed is what "go list" says of a package.
//
// The fields are those of "go help list"; which of them are set depends on what -json= names.
type listed struct {
	ImportPath     string
	Name           string
	Export         string
	Dir            string
	Standard       bool
	GoFiles        []string
	CgoFiles       []string
	IgnoredGoFiles []string // by their build constraints
	Imports        []string
	// Module is nil in the standard library. Replace.Version is empty for a folder.
	Module     *struct{ Replace *struct{ Version string } }
	Error      *struct{ Err string }
	DepsErrors []*struct{ Err string }
}

// goList runs "go list" with a go.mod of its own.
//
// It runs in the folder of Holt's sources, which is the main module, with the requirements of
// mod: so one copy of the sources serves all worlds. With -mod=mod, which the environment
// says, it may write to mod and to the go.sum beside it. Env is set over the environment, and
// line is called with each line of stderr; both may be nil. An error is a [*goError] when the
// go command failed by itself.
func (w *World) goList(ctx context.Context, mod string, env []string, line func(string), args ...string) ([]listed, error) {
	if slices.Contains(args, "-export") { // it compiles, and leaves its work behind when it is stopped
		tmp, err := os.MkdirTemp(filepath.Join(w.cache, "worlds"), ".go-")
		if err != nil {
			return nil, fmt.Errorf("build: %w", err)
		}
		defer os.RemoveAll(tmp)
		env = append(slices.Clip(env), "GOTMPDIR="+tmp)
	}
	args = append([]string{"list", "-modfile=" + mod}, args...)
	out, stderr, err := run(command(ctx, w.src, w.tc.env(env...), w.tc.Go, args...), line)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("build: stopped: %w", context.Cause(ctx))
	}
	if err != nil {
		return nil, &goError{err, goMessage(stderr)}
	}
	var list []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("build: go list: %w", err)
		}
		list = append(list, p)
	}
}

// goError is a go command that failed.
type goError struct {
	err  error
	text string // what it said
}

// Error gives what the go command said, and its exit status only where it said nothing.
func (e *goError) Error() string {
	if e.text == "" {
		return "build: go list: " + e.err.Error()
	}
	return "build: go list: " + e.text
}

// goMessage leaves out of a go command's stderr what it says while all is well.
//
// Twelve lines are kept at most.
func goMessage(stderr string) string {
	var keep []string
	for text := range strings.SplitSeq(stderr, "\n") {
		if !strings.HasPrefix(text, "go: downloading ") && !strings.HasPrefix(text, "go: finding ") {
			keep = append(keep, text)
		}
	}
	if len(keep) > 12 {
		keep = append(keep[:12], "…")
	}
	return strings.Join(keep, "\n")
}

// archives compiles packages and all they import and returns the archives, those of the packages
// that are imported before those that import them. Host reports whether the host holds a package;
// it decides with which flags the package is compiled, and Host of the result.
//
// The go command is asked twice: first for the names alone, since the flags have to name the
// packages that only plugins hold. What GOCACHE has is not compiled.
func (w *World) archives(ctx context.Context, mod string, host func(path string) bool, paths []string) ([]*pkg, error) {
	deps, err := w.goList(ctx, mod, nil, w.fetching, append([]string{"-deps", "-json=ImportPath,Error"}, paths...)...)
	if err != nil {
		return nil, err
	}
	var brought []string
	for _, p := range deps {
		if !host(p.ImportPath) {
			brought = append(brought, p.ImportPath)
		}
	}
	pkgs, err := w.compiled(ctx, mod, len(deps), buildFlags(brought...), paths)
	for _, p := range pkgs {
		p.Host = host(p.Path)
	}
	return pkgs, err
}

// everything is the argument host of [World.archives] for the host's own packages.
func everything(string) bool { return true }

// compiled is archives with the flags of the go command, but leaves Host of the packages false.
// Total is the number of packages, as reports of progress show it. A package is a Root when paths
// name it.
func (w *World) compiled(ctx context.Context, mod string, total int, flags, paths []string) ([]*pkg, error) {
	args := append([]string{"-export", "-deps", "-json=ImportPath,Name,Export,Standard,Module,Error"}, flags...)
	// -x names each package as it is compiled, among much else. When that
	// fails, the same without -x fails again, with the reason alone.
	list, err := w.goList(ctx, mod, nil, w.counter(total), append(append(slices.Clip(args), "-x"), paths...)...)
	if err != nil && ctx.Err() == nil {
		list, err = w.goList(ctx, mod, nil, w.fetching, append(slices.Clip(args), paths...)...)
	}
	if err != nil {
		return nil, err
	}
	roots := map[string]bool{}
	for _, path := range paths {
		roots[path] = true
	}
	var pkgs []*pkg
	for _, p := range list {
		if p.Error != nil {
			return nil, &goError{errors.New(p.ImportPath), p.Error.Err}
		}
		if p.Export == "" {
			continue // unsafe
		}
		file, size, err := w.adopt(p.Export)
		if err != nil {
			return nil, err
		}
		pkgs = append(pkgs, &pkg{Path: p.ImportPath, Name: p.Name, File: file, ID: filepath.Base(p.Export), Size: size, Root: roots[p.ImportPath],
			Local: p.Module != nil && p.Module.Replace != nil && p.Module.Replace.Version == ""})
	}
	return pkgs, nil
}

// adopt gives an archive of GOCACHE a second name in Holt's cache, because Go
// trims GOCACHE while kernels run. Where the two are different file systems,
// the archive is used where it is.
//
// It is a hard link, so it takes no space and no time, and both names have the same bytes:
// damage to one is damage to the other ([World.discard]).
func (w *World) adopt(export string) (file string, size int64, err error) {
	from, err := os.Stat(export)
	if err != nil {
		return "", 0, fmt.Errorf("build: go list: %w", err)
	}
	size = from.Size()
	file = filepath.Join(w.cache, "pkg", filepath.Base(export))
	if info, err := os.Stat(file); err == nil {
		if info.Size() == size {
			return file, size, nil
		}
		os.Remove(file) // it was cut off; the go command has looked at the size of its own
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", 0, fmt.Errorf("build: %w", err)
	}
	// Another kernel may just have made it.
	if err := os.Link(export, file); err != nil && !errors.Is(err, os.ErrExist) {
		return export, size, nil
	}
	return file, size, nil
}

// again compiles packages that the world has once more, with the flags that
// they had.
//
// The result is compared with what was known by the caller: the same source, compiler and
// flags have to give the same archive.
func (w *World) again(ctx context.Context, paths []string) ([]*pkg, error) {
	return w.archives(ctx, w.Modfile(), w.InHost, paths)
}

// fetching reports downloads.
//
// It is called with the lines of a go command's stderr, such as
//
//	go: downloading github.com/x/y v1.2.3
func (w *World) fetching(text string) {
	if module, ok := strings.CutPrefix(text, "go: downloading "); ok {
		w.opt.Progress("fetching " + module)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.fetched = append(w.fetched, module)
	}
}

// counter returns a function that watches the commands of a go build and
// reports the packages that are compiled, five lines a second at most.
//
// With -x, go build prints each command before it runs it. A compiler's is
//
//	GOROOT/pkg/tool/linux_amd64/compile -o $WORK/b042/_pkg_.a -trimpath … -p net/http …
//
// Packages that GOCACHE has do not come, so the count may end below total; it does not go
// above it. Lines of the function's caller come one at a time.
func (w *World) counter(total int) func(string) {
	n := 0
	var last time.Time
	return func(text string) {
		w.fetching(text)
		if !strings.Contains(text, "/compile ") && !strings.Contains(text, "/cgo ") {
			return
		}
		_, rest, ok := strings.Cut(text, " -p ")
		if !ok || !strings.Contains(text, "/compile ") {
			return
		}
		n++
		if path, _, _ := strings.Cut(rest, " "); time.Since(last) > 200*time.Millisecond {
			last = time.Now()
			w.opt.Progress(fmt.Sprintf("building %s (%d/%d packages)", path, min(n, total), total))
		}
	}
}

// standard returns the import paths of the standard library.
//
// It leaves out what no cell may import, and commands.
func (w *World) standard(ctx context.Context, mod string) ([]string, error) {
	list, err := w.goList(ctx, mod, nil, nil, "-json=ImportPath,Name", "std")
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, p := range list {
		if importable(p.ImportPath) && p.Name != "main" {
			paths = append(paths, p.ImportPath)
		}
	}
	slices.Sort(paths)
	return paths, nil
}
