package build

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Change is what [World.Add] did.
type Change struct {
	Added   []string // import paths that became known, with those they import
	Fetched []string // modules that go.mod now requires, "path version"
	Local   []string // modules beside the notebook that it now requires, "path in folder"
	// Downloaded holds the modules that came over the network, "path version".
	Downloaded []string
	// NewHost says that archives which cells were compiled against changed, a
	// newer version of a shared module say: [World.Host] is another program,
	// and every cell has to be compiled again.
	NewHost bool
}

// Add makes packages known: of the standard library, of modules that are
// required, and of others, which are then required too, at the version asked
// for ("example.org/a/b@v1.2.0") or at the newest. A version that is in the
// module cache is taken before the network is asked. All are compiled with
// the flags of the world.
//
// A package of a folder beside the notebook is compiled anew when it has
// changed.
//
// An unknown package is an error, and nothing changes then.
func (w *World) Add(ctx context.Context, paths []string) (Change, error) {
	w.adds.Lock()
	defer w.adds.Unlock()
	ws, wsErr := w.workspace()
	var std, other, queries []string
	for _, path := range paths {
		path, version, _ := strings.Cut(path, "@")
		switch _, ok := w.Export(path); {
		case path == "C" || path == "unsafe":
		case version != "":
			queries = append(queries, path+"@"+version)
			other = append(other, path)
		case strings.HasPrefix(path, "notebook/"):
			return Change{}, fmt.Errorf("build: import %q: cells see each other's declarations without an import", path)
		case Internal(path):
			if wsErr != nil {
				return Change{}, wsErr
			}
			if err := ws.mayImport(path, w.folder()); err != nil {
				return Change{}, err
			}
			other = append(other, path)
		case ok && !w.IsLocal(path):
		case ok, ws.has(path):
			other = append(other, path)
		case slices.Contains(w.Std(), path):
			std = append(std, path)
		case wsErr != nil:
			return Change{}, wsErr
		case !strings.Contains(strings.SplitN(path, "/", 2)[0], "."):
			return Change{}, fmt.Errorf("build: package %s is not in the standard library of %s%s", path, w.tc.Version, w.suggest(path))
		default:
			other = append(other, path)
		}
	}
	if len(std)+len(other) == 0 {
		return Change{}, nil
	}
	unlock, err := lock(ctx, filepath.Dir(w.Modfile())+".lock", func() { w.opt.Progress("waiting for another kernel that builds packages") })
	if err != nil {
		return Change{}, err
	}
	defer unlock()
	if len(other) == 0 {
		pkgs, err := w.archives(ctx, w.Modfile(), w.InHost, std)
		if err != nil {
			return Change{}, err
		}
		return w.merge(pkgs)
	}
	return w.require(ctx, ws, append(std, other...), queries)
}

// suggest names a known package that ends like an unknown path.
func (w *World) suggest(path string) string {
	for _, known := range slices.Concat(w.Std(), w.All()) {
		if strings.HasSuffix(known, "/"+path) {
			return fmt.Sprintf("; did you mean %q?", known)
		}
	}
	return ""
}

// merge takes new packages into the world and into its file.
func (w *World) merge(pkgs []*pkg) (Change, error) {
	var c Change
	w.mu.Lock()
	defer w.mu.Unlock()
	all := maps.Clone(w.known)
	for _, p := range pkgs {
		old := all[p.Path]
		if old == nil {
			c.Added = append(c.Added, p.Path)
			all[p.Path] = p
		} else if old.ID != p.ID && p.Local && !old.Host {
			c.NewHost = true // for the process: the program is the same
			all[p.Path] = p
		} else if old.ID != p.ID {
			// Nothing in go.mod changed, so the compiler gave another result
			// for the same source. Cells keep what they have.
			return Change{}, fmt.Errorf("build: %s was compiled differently this time; remove the folder %s and restart the kernel", p.Path, w.cache)
		}
	}
	rec := record{Std: w.std, Sums: w.sums, Packages: slices.Collect(maps.Values(all))}
	if err := save(w.dir, rec); err != nil {
		return Change{}, err
	}
	w.set(rec)
	return c, nil
}

// require makes packages known that may need another go.mod.
func (w *World) require(ctx context.Context, ws *workspace, paths, queries []string) (c Change, err error) {
	tmp, err := os.MkdirTemp(filepath.Join(w.cache, "worlds"), ".add-")
	if err != nil {
		return Change{}, fmt.Errorf("build: %w", err)
	}
	defer os.RemoveAll(tmp)
	mod := filepath.Join(tmp, "go.mod")
	oldMod, oldSum, err := w.moduleFiles(w.Modfile())
	if err != nil {
		return Change{}, err
	}
	if err := writeModuleFiles(tmp, oldMod, oldSum); err != nil {
		return Change{}, err
	}
	if ws != nil {
		if err := ws.apply(mod, filepath.Join(w.cache, "vendored"), paths); err != nil {
			return Change{}, err
		}
	}
	w.mu.Lock()
	w.fetched = nil
	w.mu.Unlock()
	defer func() { c.Downloaded = w.downloaded() }()
	if err := w.resolve(ctx, mod, paths, queries); err != nil {
		return Change{}, err
	}
	newMod, newSum, err := w.moduleFiles(mod)
	if err != nil {
		return Change{}, err
	}
	if string(newMod) == string(oldMod) {
		if string(newSum) != string(oldSum) { // checksums of modules that were required all along
			if err := writeModuleFiles(filepath.Dir(w.Modfile()), newMod, newSum); err != nil {
				return Change{}, err
			}
		}
		pkgs, err := w.archives(ctx, w.Modfile(), w.InHost, paths)
		if err != nil {
			return Change{}, err
		}
		return w.merge(pkgs)
	}
	fetched := newRequirements(string(oldMod), string(newMod))
	for _, module := range fetched {
		w.opt.Progress("requiring " + module)
	}
	c, err = w.move(ctx, mod, newMod, newSum, paths)
	for _, module := range fetched {
		path, ok := strings.CutSuffix(module, " "+localVersion)
		switch {
		case !ok && ws.vendors(module):
			c.Local = append(c.Local, module+" of the folder vendor")
		case !ok:
			c.Fetched = append(c.Fetched, module)
		case ws.has(path):
			c.Local = append(c.Local, path+" in "+ws.folders[path])
		}
	}
	return c, err
}

// downloaded returns the modules that came over the network since require began.
func (w *World) downloaded() []string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.Clone(w.fetched)
}

// move goes over to the world of another go.mod, all packages of the old one
// included. The host stays the same program when none of its archives changed: then the
// new world's folder has links to it. Else a host is linked for the new world, and what is
// not in that one is compiled once more, for plugins.
func (w *World) move(ctx context.Context, mod string, newMod, newSum []byte, paths []string) (Change, error) {
	w.mu.RLock()
	roots := slices.Clone(paths)
	for path, p := range w.known {
		if p.Root || p.Host && !slices.Contains(roots, path) {
			roots = append(roots, path)
		}
	}
	old := maps.Clone(w.known)
	w.mu.RUnlock()
	slices.Sort(roots)
	roots = slices.Compact(roots)
	dir := w.worldDir(newMod, newSum)
	if rec, err := readRecord(dir); err == nil { // from an earlier session
		if err := w.discard(ctx, rec.check(dir, false)); err != nil {
			return Change{}, err
		}
	}
	pkgs, err := w.archives(ctx, mod, w.InHost, roots)
	if err != nil {
		return Change{}, err
	}
	c, sameHost := compare(old, pkgs, paths)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Change{}, fmt.Errorf("build: %w", err)
	}
	if w.load(dir) == nil { // it exists from an earlier session
		if slices.ContainsFunc(pkgs, w.differs) {
			if !sameHost { // its host may hold others
				if pkgs, err = w.archives(ctx, mod, w.InHost, roots); err != nil {
					return Change{}, err
				}
			}
			if _, err := w.merge(pkgs); err != nil {
				return Change{}, err
			}
		}
		return c, nil
	}
	if err := writeModuleFiles(dir, newMod, newSum); err != nil {
		return Change{}, err
	}
	if sameHost {
		err = w.keepHost(dir, pkgs)
	} else {
		err = w.newHost(ctx, dir, mod, roots, pkgs)
	}
	if err != nil {
		return Change{}, err
	}
	return c, w.load(dir)
}

// compare says what is new with the packages of another go.mod, and whether the host can
// stay the same program. It notes in them what was known: which are asked for by cells,
// besides those of paths, and which are copies.
func compare(old map[string]*pkg, pkgs []*pkg, paths []string) (c Change, sameHost bool) {
	sameHost = true
	seen := map[string]bool{}
	for _, p := range pkgs {
		seen[p.Path] = true
		was := old[p.Path]
		switch {
		case was == nil:
			c.Added = append(c.Added, p.Path)
			continue
		case was.ID != p.ID:
			// Cells that were compiled against the old archive need a new process, also
			// where the package is in no host: a process cannot have two of one path.
			c.NewHost = true
			sameHost = sameHost && !was.Host
		}
		p.Root = p.Root && (was.Root || slices.Contains(paths, p.Path))
		p.Copy = was.Copy
	}
	for path, p := range old {
		if !seen[path] && p.Host { // an import of the host's that a newer version has dropped
			sameHost, c.NewHost = false, true
		}
	}
	return c, sameHost
}

// keepHost makes the folder of a world that has the host of this one.
func (w *World) keepHost(dir string, pkgs []*pkg) error {
	w.mu.RLock()
	std, from := w.std, w.dir
	w.mu.RUnlock()
	for _, name := range []string{"host", "extld", linkerName, symsName, unboundName} {
		os.Remove(filepath.Join(dir, name))
		if err := os.Link(filepath.Join(from, name), filepath.Join(dir, name)); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("build: %w", err)
		}
	}
	return save(dir, record{Std: std, Packages: pkgs})
}

// newHost makes the folder of a world with a host of its own.
func (w *World) newHost(ctx context.Context, dir, mod string, roots []string, pkgs []*pkg) error {
	w.mu.RLock()
	std := w.std
	w.mu.RUnlock()
	// The host's packages may need others now than before.
	main, err := w.hostMain(ctx, mod)
	if err != nil {
		return err
	}
	hosted, err := w.archives(ctx, mod, everything, main.roots())
	if err != nil {
		return err
	}
	if err := w.finishHost(ctx, dir, main, hosted, w.startLinker(ctx)); err != nil {
		return err
	}
	byPath := map[string]*pkg{}
	for _, p := range hosted {
		byPath[p.Path] = p
	}
	root := map[string]bool{}
	for _, p := range pkgs {
		root[p.Path] = p.Root
	}
	// What the new host does not hold is made for plugins.
	inHost := func(path string) bool { return byPath[path] != nil && byPath[path].Host }
	if pkgs, err = w.archives(ctx, mod, inHost, roots); err != nil {
		return err
	}
	for _, p := range pkgs {
		if !p.Host {
			p.Root = root[p.Path]
			byPath[p.Path] = p
		}
	}
	return save(dir, record{Std: std, Packages: slices.Collect(maps.Values(byPath))})
}

// differs reports whether the world has another archive of a package, or none.
func (w *World) differs(p *pkg) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	have := w.known[p.Path]
	return have == nil || have.ID != p.ID
}

// resolve changes the go.mod at mod so that it provides the paths: first from
// the module cache alone, which needs no network, then from the proxies.
func (w *World) resolve(ctx context.Context, mod string, paths, queries []string) error {
	original, err := os.ReadFile(mod)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	cached := []string{"GOPROXY=off"}
	if dir, err := w.moduleCache(ctx); err == nil {
		// As a proxy, the cache also says which versions it has. What is in it
		// was checked against the checksum database when it was fetched.
		cached = []string{"GOPROXY=file://" + filepath.ToSlash(filepath.Join(dir, "cache", "download")), "GOSUMDB=off"}
	}
	if len(queries) == 0 {
		if _, err := w.goList(ctx, mod, []string{"GOPROXY=off"}, nil, append([]string{"-deps", "-json=ImportPath"}, paths...)...); err == nil {
			return nil // required already
		}
	}
	if err := w.provide(ctx, mod, cached, paths, queries); err == nil {
		return nil
	} else if ctx.Err() != nil {
		return err
	}
	if err := os.WriteFile(mod, original, 0o644); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	proxies, err := w.proxies(ctx, paths)
	if err != nil {
		return err
	}
	w.opt.Progress("looking for " + strings.Join(slices.Concat(queries, paths), ", "))
	return w.provide(ctx, mod, []string{"GOPROXY=" + proxies}, paths, queries)
}

// provide runs the go commands that change go.mod.
func (w *World) provide(ctx context.Context, mod string, env, paths, queries []string) error {
	if len(queries) > 0 {
		args := append([]string{"get", "-modfile=" + mod}, queries...)
		_, stderr, err := run(command(ctx, w.src, w.tc.env(env...), w.tc.Go, args...), w.fetching)
		if ctx.Err() != nil {
			return fmt.Errorf("build: stopped: %w", context.Cause(ctx))
		}
		if err != nil {
			return fmt.Errorf("build: go get %s: %s", strings.Join(queries, " "), goMessage(stderr))
		}
	}
	// With -mod=mod, go list adds what is missing, and leaves the versions of
	// what is there, which go get would not.
	_, err := w.goList(ctx, mod, env, w.fetching, append([]string{"-deps", "-json=ImportPath"}, paths...)...)
	return err
}

func (w *World) moduleCache(ctx context.Context) (string, error) {
	out, _, err := run(command(ctx, w.src, w.tc.env(), w.tc.Go, "env", "GOMODCACHE"), nil)
	return strings.TrimSpace(string(out)), err
}

// newRequirements returns the "module version" lines of a go.mod that another
// lacks.
func newRequirements(old, new string) []string {
	have := map[string]bool{}
	for _, r := range requirements(old) {
		have[r] = true
	}
	var list []string
	for _, r := range requirements(new) {
		if !have[r] {
			list = append(list, r)
		}
	}
	return list
}

func requirements(mod string) []string {
	var list []string
	block := false
	for line := range strings.Lines(mod) {
		line, _, _ = strings.Cut(line, "//")
		line = strings.TrimSpace(line)
		switch {
		case line == "require (":
			block = true
		case line == ")":
			block = false
		case block && line != "":
			list = append(list, line)
		case strings.HasPrefix(line, "require "):
			list = append(list, strings.TrimPrefix(line, "require "))
		}
	}
	return list
}
