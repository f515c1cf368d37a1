package modules

import (
	"context"
	"errors"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"go/version"
	"maps"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/syntax"
	"github.com/holt-dl/holt/kernel/machine/scratch"
)

// ErrNewHost says that a package needs other versions of modules than those that the running
// host was built with. It wraps check.ErrAgain, by which the check of a cell knows it: the
// check stops, and its caller replaces the host and begins again.
var ErrNewHost = fmt.Errorf("session: the modules of the notebook changed: %w", check.ErrAgain)

// Packages are the packages of a world as the front end reads them: a [check.Packages]. It is
// used by the check of a cell and by completion at the same time, so mu guards what is read and
// made on demand. It is not held while the world builds.
type Packages struct {
	world *build.World
	dir   func() string // where cells run

	mu sync.Mutex
	// One importer for all cells: it keeps what it has read, so that a type has one identity in
	// all of them, and go/types compares by identity.
	gc      types.Importer
	byName  map[string][]string // package name → import paths, best first
	frozen  bool                // imports bring no modules; see %noautoget
	brought []string            // what to tell the person about modules
}

// NewPackages returns the packages of a world. Dir says where cells run, in which C code is
// compiled. After an error of the front end that wraps [ErrNewHost], a tool that checks
// cells and runs none begins again with a new notebook and new packages.
func NewPackages(w *build.World, dir func() string) *Packages {
	p := &Packages{world: w, dir: dir}
	p.Reset()
	return p
}

// Reset forgets what was read, because the world changed. Types that were read before are not
// identical to those read after it, so the notebook must be checked again from its sources.
func (p *Packages) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gc = importer.ForCompiler(token.NewFileSet(), "gc", p.world.Open)
	p.byName = nil
}

// Import reads the exported API of a package. It must be known to the world, by Add or as one
// of the host's; so Import needs no network and no compiler, unless an archive is damaged.
func (p *Packages) Import(path string) (*types.Package, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	// It has no archive: its functions are the compiler's.
	if path == "unsafe" {
		return types.Unsafe, nil
	}
	return importWith(p.gc, path, p.world.Toolchain().Version, runtime.Version())
}

// importWith reads a package that the Go of a version compiled, in a program that another
// compiled. A release may write export data that one before it cannot read, on which
// go/importer panics.
//
// So an error, or a panic, is explained where the compiler's release is newer than the one that
// this program was built by; any other panic goes on as it was. Both versions are as
// runtime.Version has them; a development version, which has no order, is not compared.
func importWith(gc types.Importer, path, compiler, own string) (pkg *types.Package, err error) {
	compiler, _, _ = strings.Cut(compiler, " ") // experiments follow
	own, _, _ = strings.Cut(own, " ")
	defer func() {
		if !version.IsValid(own) || version.Compare(version.Lang(compiler), version.Lang(own)) <= 0 {
			return
		}
		if r := recover(); r != nil || err != nil {
			if r == nil {
				r = err
			}
			pkg, err = nil, fmt.Errorf("package %s was compiled by %s, and this Holt was built by %s, which cannot read it (%v); build Holt again with %[2]s, or put %[3]s first in PATH", path, compiler, own, r)
		}
	}()
	return gc.Import(path)
}

// Add makes packages known to the world. The error is ErrNewHost when that changed the packages
// of the host.
//
// Most cells import what is known, and then it costs a look-up for each path. Known or not, it
// asks the world for packages of folders beside the notebook, which may have changed since.
func (p *Packages) Add(ctx context.Context, paths []string) error {
	// An internal package goes to the world too, which refuses it as the go command does.
	var need []string
	for _, path := range paths {
		if _, ok := p.world.Export(path); (!ok || p.world.IsLocal(path) || build.Internal(path)) && path != "unsafe" {
			need = append(need, path)
		}
	}
	if len(need) == 0 {
		return nil
	}
	if err := p.allowed(ctx, need); err != nil {
		return err
	}
	// Here modules are looked for, downloaded and compiled; it may take long.
	change, err := p.world.Add(ctx, need)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.byName = nil
	// Said later, by News: this may run while a line below the cell shows what is fetched.
	p.brought = append(p.brought, describe(change)...)
	p.mu.Unlock()
	if change.NewHost {
		return ErrNewHost
	}
	return nil
}

// describe says where the modules come from that a change brought: code that runs on a person's
// machine should not come unseen.
func describe(c build.Change) []string {
	var list []string
	for _, m := range c.Downloaded {
		list = append(list, "fetched "+m)
	}
	// A module that was in the cache cost no download, but is a new requirement all the same.
	for _, m := range c.Fetched {
		if !slices.Contains(c.Downloaded, m) {
			list = append(list, m+" is used, as it was in the module cache")
		}
	}
	for _, m := range c.Local {
		list = append(list, m+" is used; import it again to take over changes")
	}
	return list
}

// News returns what Add brought since the last call, and forgets it.
func (p *Packages) News() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.brought
	p.brought = nil
	return list
}

// CTypes returns what cmd/cgo declares for the names of C in the given files, as Go text. Wrong
// C code is a *syntax.Error with lines of the cell, like any wrong text. It runs the C
// compiler, in a folder that is removed at the end.
func (p *Packages) CTypes(ctx context.Context, files []check.File) (string, error) {
	tmp, err := scratch.New()
	if err != nil {
		return "", fmt.Errorf("session: no folder for C code: %w; set TMPDIR", err)
	}
	defer tmp.Remove()
	var list []build.File
	for _, f := range files {
		list = append(list, build.File{Name: f.Name, Text: []byte(f.Text)})
	}
	text, err := p.world.CTypes(ctx, tmp.Path, p.dir(), list)
	var c *build.CompileError
	if errors.As(err, &c) {
		e := &syntax.Error{}
		for _, d := range c.Diagnostics {
			e.Diagnostics = append(e.Diagnostics, syntax.Diagnostic{Cell: d.File, Line: d.Line, Col: d.Col, Msg: d.Msg})
		}
		return "", e
	}
	return text, err
}

// Own are Holt's packages, which come before others of the same name: a cell may say dl.Linear
// without an import. Their order is their rank.
var Own = []string{
	"github.com/holt-dl/holt/dl",
	"github.com/holt-dl/holt/dl/vision",
	"github.com/holt-dl/holt/dl/board",
	"github.com/holt-dl/holt/display",
}

// majorVersion matches the last element of a path that only says a major version:
// example.org/m/v2.
var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// nameOf guesses a package's name from its path, as goimports does, without reading the
// package:
//
//	example.org/m/v2            m
//	github.com/x/go-yaml        yaml
//	gopkg.in/yaml.v3            yaml
//	github.com/x/my-tools       mytools
func nameOf(importPath string) string {
	name := path.Base(importPath)
	if majorVersion.MatchString(name) {
		name = path.Base(path.Dir(importPath))
	}
	name = strings.TrimPrefix(name, "go-")
	name, _, _ = strings.Cut(name, ".")
	return strings.ReplaceAll(name, "-", "")
}

// index orders the candidates for each package name: Holt's own packages, the standard library,
// then what the host holds; short paths first.
//
//	rand   →   math/rand, crypto/rand, math/rand/v2, …
//
// It is made once, until Add, Renew or Reset change what there is, since it looks at all paths
// that there are. Its result must not be changed.
func (p *Packages) index() map[string][]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byName != nil {
		return p.byName
	}
	std := map[string]bool{}
	var all []string
	// The standard library is listed whole, also what the host does not hold: a cell that names
	// such a package has it added.
	for _, path := range p.world.Std() {
		std[path] = true
		all = append(all, path)
	}
	for _, path := range p.world.All() {
		if !std[path] {
			all = append(all, path)
		}
	}
	// There are fewer than ten of our own, and no path has ninety slashes, so the three ranges
	// keep apart.
	rank := func(path string) int {
		switch i := slices.Index(Own, path); {
		case i >= 0:
			return i
		case std[path]:
			return 10 + strings.Count(path, "/")
		default:
			return 100 + strings.Count(path, "/")
		}
	}
	p.byName = map[string][]string{}
	for _, path := range all {
		// What a cell cannot import, or has no use for, is no candidate.
		if strings.Contains("/"+path+"/", "/internal/") || strings.HasPrefix(path, "vendor/") || strings.Contains(path, "/cmd/") {
			continue
		}
		if name := p.Name(path); name != "main" {
			p.byName[name] = append(p.byName[name], path)
		}
	}
	for _, paths := range p.byName {
		slices.SortStableFunc(paths, func(a, b string) int {
			if d := rank(a) - rank(b); d != 0 {
				return d
			}
			// math/rand before crypto/rand, as goimports has it.
			if strings.HasPrefix(a, "crypto/") != strings.HasPrefix(b, "crypto/") {
				return map[bool]int{true: 1, false: -1}[strings.HasPrefix(a, "crypto/")]
			}
			return strings.Compare(a, b)
		})
	}
	return p.byName
}

// Found returns the package that a cell means by a name without an import: one of Holt's own or
// of the standard library. It is "" where there is none. Unlike Guess it does not look at what
// is selected, reads nothing and adds nothing, so completion may call it.
func (p *Packages) Found(name string) string {
	paths := p.index()[name]
	if len(paths) > 0 && (slices.Contains(Own, paths[0]) || slices.Contains(p.world.Std(), paths[0])) {
		return paths[0]
	}
	return ""
}

// Name is the name of a package, or a guess where the world does not have it: of an import that
// the cell is about to bring.
func (p *Packages) Name(importPath string) string {
	if n := p.world.Name(importPath); n != "" {
		return n
	}
	return nameOf(importPath)
}

// Names lists the names of all packages that a cell can mean.
func (p *Packages) Names() []string { return slices.Sorted(maps.Keys(p.index())) }

// Guess finds the package that a name in a cell means: the first candidate that has all the
// names which are selected from it. So rand.IntN, which only math/rand/v2 has, finds that, and
// rand.Intn finds math/rand. A candidate that the world does not know yet is added to it,
// unless that fails, or ctx has ended.
func (p *Packages) Guess(ctx context.Context, name string, selected []string) (string, bool) {
	paths := p.index()[name]
	if len(paths) == 0 {
		return "", false
	}
	for _, path := range paths {
		if _, known := p.world.Export(path); !known {
			// A package of the standard library that the host does not hold and no cell has used.
			if err := p.Add(ctx, []string{path}); ctx.Err() != nil {
				return "", false
			} else if err != nil {
				continue
			}
		}
		pkg, err := p.Import(path)
		if err != nil {
			continue
		}
		has := func(sel string) bool { return pkg.Scope().Lookup(sel) != nil }
		if !slices.ContainsFunc(selected, func(sel string) bool { return !has(sel) }) {
			return path, true
		}
	}
	// A misspelt name is still of the package that a person most likely means;
	// but a variable that is not there is no package of some library.
	path := p.Found(name)
	return path, path != ""
}

// Renew forgets which packages there are, because the world has others now. Unlike Reset it
// keeps what was read: the archives are the same.
func (p *Packages) Renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byName = nil
}

// allowed refuses packages that only a new requirement would bring, after %noautoget. Packages
// of modules that are required already pass, also when they must still be compiled.
func (p *Packages) allowed(ctx context.Context, paths []string) error {
	p.mu.Lock()
	// Not held while the world is asked.
	frozen := p.frozen
	p.mu.Unlock()
	if !frozen {
		return nil
	}
	for _, path := range paths {
		if err := p.world.Provides(ctx, path); err != nil {
			return fmt.Errorf("import %q: no module that is required has it, and %%noautoget keeps others out; %%autoget lets them in, !*go get %s requires one", path, path)
		}
	}
	return nil
}

// Freeze sets whether imports may bring no modules; see %noautoget.
func (p *Packages) Freeze(on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.frozen = on
}
