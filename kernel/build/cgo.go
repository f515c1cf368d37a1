package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	gobuild "go/build"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// A unit with a file that imports "C" is made as "go build" makes a package
// with cgo: cmd/cgo translates those files to Go and C, the C compiler makes
// objects, and these go into the archive beside the Go code. Of a file f0.go come
//
//	_cgo_gotypes.go    the Go declarations of C's names, one for all files
//	_cgo_export.c      the C side of //export, one for all files
//	f0.cgo1.go         the Go file, with C.x as _Cfunc_x, _Ctype_x and so on
//	f0.cgo2.c          the C text before import "C", and a wrapper for each function called
//
// "go build" also asks cmd/cgo for _cgo_import.go, which the linker needs where it links without
// an external one. A plugin with C code is always linked with one.

// gotypes is the file in which cmd/cgo declares what C's names are in Go.
const gotypes = "_cgo_gotypes.go"

// CType is a C type that an earlier unit has declared already, as "_Ctype_int"
// in the package Path under the name Alias.
//
// Without it, a value of C.int that one cell made could not be passed to a function of
// another: each package has a _Ctype_int of its own.
type CType struct{ Path, Alias string }

// usesC reports whether a file imports "C".
//
// Most files do not hold the three characters at all and are not parsed.
func usesC(text []byte) bool {
	if !bytes.Contains(text, []byte(`"C"`)) {
		return false
	}
	f, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly)
	return err == nil && slices.ContainsFunc(f.Imports, func(s *ast.ImportSpec) bool { return s.Path.Value == `"C"` })
}

// The C code of a file such as cell[5].go is one line lower there than in the cell it
// comes from: errors are reported for the lines of the cell.

// CTypes runs cmd/cgo on Go files that import "C", and returns the Go file in
// which it declares the names of C that they use, for a type checker. Dir is a
// folder of its own; cdir is where #include "…" looks besides. What the C
// compiler objects to is a [*CompileError].
func (w *World) CTypes(ctx context.Context, dir, cdir string, files []File) (string, error) {
	if w.opt.NoHost {
		return "", errors.New(`build: a cell imports "C", whose names only a C compiler for Linux knows; export the notebook on the machine that its kernel runs on`)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("build: %w", err)
	}
	defer os.RemoveAll(dir)
	var names []string
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Text, 0o644); err != nil {
			return "", fmt.Errorf("build: %w", err)
		}
		names = append(names, f.Name)
	}
	// The path goes into names of C functions only, and this code is not compiled.
	if _, err := w.cgo(ctx, dir, cdir, "notebook", names); err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(dir, gotypes))
	if err != nil {
		return "", fmt.Errorf("build: %w", err)
	}
	return string(text), nil
}

// cFlags are what the files' #cgo lines ask for.
type cFlags struct{ compile, link []string }

// cgo runs cmd/cgo on files in dir.
//
// Its results are in dir, beside the files.
func (w *World) cgo(ctx context.Context, dir, cdir, importPath string, names []string) (cFlags, error) {
	var flags cFlags
	if _, err := exec.LookPath(w.tc.CC); err != nil {
		return flags, fmt.Errorf(`build: a cell that imports "C" needs a C compiler, and %s was not found; install it (apt-get install gcc libc6-dev), or name another by CC`, w.tc.CC)
	}
	flags, err := w.directives(ctx, dir, cdir)
	if err != nil {
		return flags, err
	}
	// cmd/cgo writes what is for the C linker as //go:cgo_ldflag lines into _cgo_gotypes.go,
	// by which it reaches Go's linker.
	args := []string{"-objdir", ".", "-importpath", importPath, "-trimpath", dir + "=>", "-ldflags", strings.Join(flags.link, " "), "--", "-I", dir}
	args = append(append(args, flags.compile...), names...)
	out, err := w.goTool(ctx, dir, "cgo", args...)
	if ctx.Err() != nil {
		return flags, fmt.Errorf("build: stopped: %w", context.Cause(ctx))
	}
	if err != nil {
		return flags, cError(dir, out, fmt.Errorf("build: cgo: %w: %s", err, strings.TrimSpace(out)))
	}
	return flags, nil
}

// directives reads the #cgo lines of the files in dir.
//
// A cell's ${SRCDIR} is cdir, where the notebook is, and not the folder that its files are
// written to. Names for pkg-config are looked up here.
func (w *World) directives(ctx context.Context, dir, cdir string) (cFlags, error) {
	// For this build, and not for the one that the kernel was built by.
	std := gobuild.Default
	std.GOARCH, std.GOOS, std.GOROOT, std.CgoEnabled = w.tc.Arch, w.tc.OS, w.tc.Root, true
	p, err := std.ImportDir(dir, gobuild.ImportComment)
	var none *gobuild.NoGoError
	// An error in the Go code of files that could be read is the compiler's to report.
	if err != nil && !errors.As(err, &none) && len(p.CgoFiles) == 0 {
		return cFlags{}, fmt.Errorf("build: #cgo: %w", err)
	}
	at := func(list []string) []string {
		out := make([]string, len(list))
		for i, s := range list {
			out[i] = strings.ReplaceAll(s, dir, cdir) // ${SRCDIR}
		}
		return out
	}
	flags := cFlags{compile: []string{"-O2", "-fPIC", "-pthread", "-fmessage-length=0"}}
	if cdir != "" {
		flags.compile = append(flags.compile, "-I", cdir)
	}
	flags.compile = append(append(flags.compile, at(p.CgoCPPFLAGS)...), at(p.CgoCFLAGS)...)
	flags.link = at(p.CgoLDFLAGS)
	for _, pkg := range p.CgoPkgConfig {
		for what, list := range map[string]*[]string{"--cflags": &flags.compile, "--libs": &flags.link} {
			out, err := exec.CommandContext(ctx, "pkg-config", what, "--", pkg).Output()
			if err != nil {
				return flags, fmt.Errorf("build: #cgo pkg-config: %s: %w; install its development package and pkg-config", pkg, err)
			}
			*list = append(*list, strings.Fields(string(out))...)
		}
	}
	return flags, nil
}

// translate turns the files of a unit that import "C" into what the compiler
// takes, and compiles their C code.
//
// Files are the names for the compiler, those without C among them, in the order of names;
// objects are for pack. Where no file imports "C", names come back as they are, and objects
// are none.
func (w *World) translate(ctx context.Context, u Unit, names []string) (files, objects []string, err error) {
	var c []string
	for _, f := range u.Files {
		if usesC(f.Text) {
			c = append(c, f.Name)
		}
	}
	if len(c) == 0 {
		return names, nil, nil
	}
	flags, err := w.cgo(ctx, u.Dir, u.CDir, u.Path, c)
	if err != nil {
		return nil, nil, err
	}
	files = []string{gotypes}
	sources := []string{"_cgo_export.c"}
	for _, name := range names {
		if base := strings.TrimSuffix(name, ".go"); slices.Contains(c, name) {
			files = append(files, base+".cgo1.go")
			sources = append(sources, base+".cgo2.c")
		} else {
			files = append(files, name)
		}
	}
	if err := shareTypes(filepath.Join(u.Dir, gotypes), u.CTypes); err != nil {
		return nil, nil, err
	}
	objects = make([]string, len(sources))
	errs := make([]error, len(sources))
	// C compilers run side by side. All errors are reported, of all files.
	var wg sync.WaitGroup
	for i, src := range sources {
		objects[i] = fmt.Sprintf("_x%03d.o", i) // an archive takes short names
		wg.Go(func() {
			args := append(slices.Clone(flags.compile), "-I", u.Dir, "-w", "-c", src, "-o", objects[i])
			cmd := command(ctx, u.Dir, w.tc.env("TMPDIR="+u.Dir), w.tc.CC, args...)
			if out, err := cmd.CombinedOutput(); err != nil {
				errs[i] = cError(u.Dir, string(out), fmt.Errorf("build: %s %s: %w: %s", w.tc.CC, src, err, out))
			}
		})
	}
	wg.Wait()
	return files, objects, errors.Join(errs...)
}

// shareTypes replaces declarations of C types by aliases of those that earlier
// units made: the int of C is one type in all cells.
//
// For a type of C's int that unit notebook/c3 made, cmd/cgo's text becomes
//
//	package c5                    package c5; import ˣc3 "notebook/c3"
//	type _Ctype_int int32         type _Ctype_int = ˣc3.Ħ_Ctype_int
//
// The import is on the line of the package clause, so that the lines of the file keep their
// numbers. The type must be exported there for that, which is why units that make C types
// export aliases of them.
func shareTypes(file string, types map[string]CType) error {
	if len(types) == 0 {
		return nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, text, parser.SkipObjectResolution)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	paths := map[string]string{}
	for _, t := range types {
		paths[t.Path] = "ˣ" + filepath.Base(t.Path)
	}
	var b bytes.Buffer
	at := fset.Position(f.Name.End()).Offset
	b.Write(text[:at])
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		fmt.Fprintf(&b, "; import %s %q", paths[path], path)
	}
	// A type that this file does not declare is not replaced, and its import may be of no
	// use.
	used := map[string]bool{}
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE || len(g.Specs) != 1 {
			continue
		}
		name := g.Specs[0].(*ast.TypeSpec).Name.Name
		t, ok := types[name]
		if !ok {
			continue
		}
		b.Write(text[at:fset.Position(g.Pos()).Offset])
		fmt.Fprintf(&b, "type %s = %s.%s", name, paths[t.Path], t.Alias)
		used[t.Path] = true
		at = fset.Position(g.End()).Offset
	}
	b.Write(text[at:])
	// Go refuses an import that is not used.
	for path, name := range paths {
		if !used[path] {
			b = *bytes.NewBuffer(bytes.Replace(b.Bytes(), fmt.Appendf(nil, "; import %s %q", name, path), nil, 1))
		}
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return nil
}

// goTool runs a tool of the Go distribution.
//
// Its temporary files go to dir, which is removed with the unit.
func (w *World) goTool(ctx context.Context, dir, name string, args ...string) (output string, err error) {
	out, err := command(ctx, dir, w.tc.env("TMPDIR="+dir), w.tc.tool(name), args...).CombinedOutput()
	return string(out), err
}

// pack adds C objects to an archive, as cmd/pack does, which is not installed
// with Go.
//
// An archive is in the format of ar(5): a header of 60 characters before each file, with
// name, time, owner, group, mode and size, and files begin at even places. The linker takes
// the objects for C code by their content. With no objects nothing is done.
func (w *World) pack(dir, archive string, objects []string) error {
	if len(objects) == 0 {
		return nil
	}
	f, err := os.OpenFile(archive, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	for _, name := range objects {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			f.Close()
			return fmt.Errorf("build: %w", err)
		}
		fmt.Fprintf(f, "%-16s%-12d%-6d%-6d%-8o%-10d`\n", name, 0, 0, 0, 0o644, len(text))
		f.Write(text)
		if len(text)%2 == 1 {
			f.Write([]byte{0})
		}
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return nil
}

// cError is what the C compiler or cmd/cgo objects to as a [*CompileError], or
// other where they name no line.
//
// An error in a header that the system has is shown only where there is none in the cell.
func cError(dir, out string, other error) error {
	var list, headers []Diagnostic
	for _, d := range parseDiagnostics(strings.ReplaceAll(out, dir+string(filepath.Separator), "")) {
		msg, isError := strings.CutPrefix(d.Msg, "error: ")
		if !isError {
			msg, isError = strings.CutPrefix(d.Msg, "fatal error: ")
		}
		if !isError && (strings.HasPrefix(d.Msg, "note: ") || strings.HasPrefix(d.Msg, "warning: ") || strings.HasPrefix(d.Msg, "In function")) {
			continue
		}
		d.Msg = "C: " + msg
		if name, ok := strings.CutSuffix(d.File, ".go"); ok {
			d.File, d.Line = name, d.Line-1 // below the package clause
		} else if filepath.IsAbs(d.File) {
			headers = append(headers, d) // most often what comes of an error before it
			continue
		}
		list = append(list, d)
	}
	if len(list) == 0 {
		list = headers
	}
	if len(list) == 0 {
		return other
	}
	return &CompileError{list}
}
