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
//
// The zero Change says that all was known already.
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
//
// For example, with yaml in no go.mod so far,
//
//	Add(ctx, []string{"archive/tar", "gopkg.in/yaml.v3"})
//
// compiles both with what they import, writes a go.mod that requires yaml into the folder of
// another world, and goes over to that one. With "archive/tar" alone go.mod stays, and so
// does the folder, whose record gets longer.
//
// One call runs at a time, and other kernels that would build in the same folder wait. Cells
// can be checked and compiled meanwhile, against what was known.
func (w *World) Add(ctx context.Context, paths []string) (Change, error) {
	w.adds.Lock()
	defer w.adds.Unlock()
	// A workspace that cannot be read is an error only for a path that may be of it.
	ws, wsErr := w.workspace()
	var std, other, queries []string
	for _, path := range paths {
		path, version, _ := strings.Cut(path, "@")
		// Sort the paths: nothing to do, the standard library's, or others, which go.mod has
		// to provide. The order of the cases matters: what is known counts before the
		// standard library, and that before what a proxy would have to be asked for.
		switch _, ok := w.Export(path); {
		case path == "C" || path == "unsafe":
		case version != "":
			queries = append(queries, path+"@"+version)
			other = append(other, path)
		// The paths of units. A person sees them in a trace.
		case path == "notebook" || strings.HasPrefix(path, "notebook/"):
			return Change{}, fmt.Errorf("build: import %q: paths that begin with notebook are those of cells, which see each other's declarations without an import; give a module of this name another one", path)
		case Internal(path):
			if wsErr != nil {
				return Change{}, wsErr
			}
			if err := ws.mayImport(path, w.folder()); err != nil {
				return Change{}, err
			}
			other = append(other, path)
		// Known, and no file of it can have changed.
		case ok && !w.IsLocal(path):
		case ok, ws.has(path):
			other = append(other, path)
		case slices.Contains(w.Std(), path):
			std = append(std, path)
		case wsErr != nil:
			return Change{}, wsErr
		// As the go command has it, the first element of a path that is no standard package's
		// has a dot. Without one no proxy need be asked.
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
	// The standard library needs no other go.mod.
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
//
// For "tar" it is archive/tar. The standard library comes first. It is empty where none does.
func (w *World) suggest(path string) string {
	for _, known := range slices.Concat(w.Std(), w.All()) {
		if strings.HasSuffix(known, "/"+path) {
			return fmt.Sprintf("; did you mean %q?", known)
		}
	}
	return ""
}

// merge takes new packages into the world and into its file.
//
// The host stays, and so does go.mod. A package that was known has to have the archive that
// it had, because cells were compiled against that one. One of a local folder may have
// another: its source has changed. It is in no host, so the program stays, but a process that
// has loaded the old one cannot load the new one.
func (w *World) merge(pkgs []*pkg) (Change, error) {
	var c Change
	w.mu.Lock()
	defer w.mu.Unlock()
	// The table changes only when the record is written.
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
//
// It works on a copy of go.mod in a folder of its own, so that nothing is left of what fails.
// Ws is nil where the notebook is in no module. Queries are the paths that came with a
// version, as "go get" takes them, and paths has them without it.
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
	// First what the notebook's own modules say, then what is still missing.
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
	// Nothing new is required: the package is of a module that was there, or of a local
	// folder whose files may have changed.
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
	// A module of a local folder is required at a version that stands for it.
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
//
// The world of the new go.mod may be there from an earlier session, which is the usual case
// for a notebook that is opened again. It may hold fewer packages than are wanted here, or
// others of local folders.
//
// It changes w by load: when it fails before that, the World is the one that it was.
func (w *World) move(ctx context.Context, mod string, newMod, newSum []byte, paths []string) (Change, error) {
	w.mu.RLock()
	// All that was known has to be known again: what cells have asked for, and the host's.
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
	// Compile all with the new go.mod, as if the host held what it holds now. The comparison
	// of the archives says whether that is so.
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
//
// Archives are compared by ID, which is a hash of their bytes.
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
		// All that was known was asked for by name just now, so Root says too much.
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
//
// They are hard links, since the host alone has some 90 MB. Some of the files may not be
// there. The record's checksums are computed anew, over go.mod too.
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
//
// Three sets of packages play a part: what the new host imports (hosted), what was known and
// is not among it, for plugins, and which of all were asked for. The second is compiled last,
// since what is in the host decides the flags.
func (w *World) newHost(ctx context.Context, dir, mod string, roots []string, pkgs []*pkg) error {
	w.mu.RLock()
	std := w.std
	w.mu.RUnlock()
	// The host's packages may need others now than before.
	main, hostRoots, err := w.hostPackages(ctx, mod)
	if err != nil {
		return err
	}
	hosted, err := w.archives(ctx, mod, everything, hostRoots)
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
//
// In three steps, each only if the one before did not do: what go.mod has already; what the
// module cache has, as a proxy of its own; the network, if a proxy answers within seconds. A
// module in the cache may be older than the newest: then a cell works without a network as it
// did with one, and a person who wants another version asks for it.
//
// Where the second fails, go.mod is put back.
func (w *World) resolve(ctx context.Context, mod string, paths, queries []string) error {
	original, err := os.ReadFile(mod)
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	cached := []string{"GOPROXY=off"}
	if dir, err := w.moduleCache(ctx); err == nil {
		// As a proxy, the cache also says which versions it has. What is in it
		// was checked against the checksum database when it was fetched.
		cached = []string{"GOPROXY=" + fileURL(filepath.Join(dir, "cache", "download")), "GOSUMDB=off"}
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
	// The attempt may have added some of the modules.
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
//
// Env says which proxies it may ask. An error's text is the go command's.
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

// moduleCache returns the folder in which the go command keeps modules.
func (w *World) moduleCache(ctx context.Context) (string, error) {
	out, _, err := run(command(ctx, w.src, w.tc.env(), w.tc.Go, "env", "GOMODCACHE"), nil)
	return strings.TrimSpace(string(out)), err
}

// fileURL returns the URL of a folder: file:///home/me/go, file:///C:/Users/me/go.
func fileURL(dir string) string { return "file:///" + strings.TrimPrefix(filepath.ToSlash(dir), "/") }

// newRequirements returns the "module version" lines of a go.mod that another
// lacks.
//
// A module at another version counts as one that is lacked.
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

// requirements returns the lines of a go.mod's require directives, without comments: "path
// version". Both forms are read, "require path version" and the block in parentheses. The
// lines were written by the go command or package modfile, so they need no full parser.
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
