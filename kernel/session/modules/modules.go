package modules

import (
	"context"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/holt-dl/holt/kernel/build"
)

// Modules is the notebook's own go.mod, in the folder GONB_TMP_DIR, where commands such as !*go
// get change it. It holds what the notebook requires beyond Holt's own requirements, and
// becomes part of the world. One goroutine at a time may use it: that of the cell that runs.
//
// The state is on disk, since commands of any kind may write there; each method reads it again.
type Modules struct {
	Dir      string // the folder of go.mod
	world    *build.World
	packages *Packages
	flags    []string // of %goflags
	tracked  []string // by %track, absolute
	ignored  []string // by %untrack: beginnings of replaced folders
}

// New makes the folder. Before more can be done with the modules, [Modules.Use] says
// what they are part of.
func New(dir string) (*Modules, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return &Modules{Dir: dir}, nil
}

// Use says in which world the modules are, and what reads its packages; and writes a
// go.mod without requirements.
func (m *Modules) Use(w *build.World, p *Packages) error {
	m.world, m.packages = w, p
	return m.Init()
}

// File is the path of go.mod.
func (m *Modules) File() string { return filepath.Join(m.Dir, "go.mod") }

// Init writes a go.mod without requirements, of the version of Go that compiles cells, and
// removes go.sum.
//
//	module gonb_2f7a
//
//	go 1.26.1
func (m *Modules) Init() error {
	version := strings.TrimPrefix(m.world.Toolchain().Version, "go")
	version, _, _ = strings.Cut(version, " ")
	text := fmt.Sprintf("module %s\n\ngo %s\n", filepath.Base(m.Dir), version)
	os.Remove(filepath.Join(m.Dir, "go.sum"))
	if err := os.WriteFile(m.File(), []byte(text), 0o644); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return nil
}

// Again makes the folder and its go.mod anew, with what the notebook asked for, where a cleaner
// of temporary folders has removed it. What only commands have written there, such as a replace
// directive, is lost as far as the world has not taken it over.
func (m *Modules) Again() error {
	if err := os.MkdirAll(m.Dir, 0o755); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	// A go.mod first; Note adds to one that is there.
	if err := m.Init(); err != nil {
		return err
	}
	m.Note()
	return nil
}

// read reads go.mod, parsed and as it is. The error names the command that helps, since a
// person can have written anything there.
func (m *Modules) read() (*modfile.File, []byte, error) {
	text, err := os.ReadFile(m.File())
	if err != nil {
		return nil, nil, fmt.Errorf("session: the notebook's go.mod: %w; %%reset go.mod makes it anew", err)
	}
	f, err := modfile.Parse(m.File(), text, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("session: the notebook's go.mod: %w; %%reset go.mod makes it anew", err)
	}
	return f, text, nil
}

// Note adds to go.mod what imports of cells have required, so that a command finds the modules
// that cells use, and replace directives for those beside the notebook. Versions are only
// raised, as in go get. It fails without a word: the command that follows says it better.
func (m *Modules) Note() {
	required, err := m.world.Required()
	if err != nil || len(required) == 0 {
		return
	}
	f, _, err := m.read()
	if err != nil {
		return // the command that is about to run may repair it
	}
	for _, r := range required {
		path, version, ok := strings.Cut(r, " ")
		// A version that the notebook's own go.mod has already, or a newer one, stays.
		if ok && !slices.ContainsFunc(f.Require, func(r *modfile.Require) bool {
			return r.Mod.Path == path && semver.Compare(r.Mod.Version, version) >= 0
		}) {
			f.AddRequire(path, version)
		}
	}
	folders, err := m.world.Replaced()
	if err != nil {
		return
	}
	for _, path := range slices.Sorted(maps.Keys(folders)) { // required at no version that exists
		f.AddReplace(path, "", folders[path], "")
	}
	f.Cleanup()
	if text, err := f.Format(); err == nil {
		os.WriteFile(m.File(), text, 0o644)
	}
}

// Adopt takes go.mod into the world, and reports whether that has another host now. A fresh
// world has nothing that imports brought. On an error there is no new host.
//
// A missing go.sum is an empty one: a go.mod with no requirements has none.
func (m *Modules) Adopt(ctx context.Context, fresh bool) (newHost bool, err error) {
	_, text, err := m.read()
	if err != nil {
		return false, err
	}
	// The checksums go with the requirements: without them the go command would not use what it
	// has downloaded.
	sum, _ := os.ReadFile(filepath.Join(m.Dir, "go.sum"))
	change, err := m.world.Adopt(ctx, text, sum, m.Dir, fresh)
	m.packages.Renew()
	return change.NewHost && err == nil, err
}

// replaced returns the folders that replace modules, absolute. A replacement by another module,
// which has a version, is in the module cache, where nothing changes.
func (m *Modules) replaced(f *modfile.File) []string {
	var dirs []string
	for _, r := range f.Replace {
		if r.New.Version != "" {
			continue
		}
		dir := r.New.Path
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(m.Dir, dir)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// GCFlags are the flags of %goflags for the compiler. As cells are compiled one by one, the
// pattern that says for which packages flags are is taken off:
//
//	-gcflags=-m            -m
//	-gcflags=all=-N -l     -N -l
func (m *Modules) GCFlags() []string {
	var flags []string
	for _, f := range m.flags {
		value, ok := strings.CutPrefix(strings.TrimLeft(f, "-"), "gcflags=")
		if !ok {
			continue
		}
		// Only where the pattern comes before the first flag: the value of a flag may begin
		// with - too.
		if pattern, rest, ok := strings.Cut(value, "=-"); ok && !strings.HasPrefix(pattern, "-") {
			value = "-" + rest // all=-N
		}
		flags = append(flags, strings.Fields(value)...)
	}
	return flags
}

// Flags are those of %goflags.
func (m *Modules) Flags() []string { return m.flags }

// SetFlags sets the flags of %goflags, and returns those that are for %wasm alone: cells are
// compiled for a host that runs already, and of the flags only the compiler's are for them.
// What is no flag is an error, and then the old ones stay.
func (m *Modules) SetFlags(flags []string) (idle []string, err error) {
	for _, f := range flags {
		if !strings.HasPrefix(f, "-") {
			return nil, fmt.Errorf("got %q, want flags of go build, which begin with -", f)
		}
		if name := strings.TrimLeft(f, "-"); !strings.HasPrefix(name, "gcflags=") {
			idle = append(idle, f)
		}
	}
	m.flags = flags
	return idle, nil
}

// Save writes a program as main.go, for commands such as !*go vet and !*go build -gcflags=-m.
// An empty one, or text that is no Go, leaves none: better no file than one of an earlier cell.
// Without //line directives, tools name lines of main.go, which a person can open.
func (m *Modules) Save(program string) {
	file := filepath.Join(m.Dir, "main.go")
	os.Remove(file)
	if program == "" {
		return
	}
	var b strings.Builder
	// format.Source gives the text a shape that a person would write.
	for line := range strings.Lines(program) {
		if !strings.HasPrefix(line, "//line ") {
			b.WriteString(line)
		}
	}
	if formatted, err := format.Source([]byte(b.String())); err == nil {
		os.WriteFile(file, formatted, 0o644)
	}
}

// UseWorkspace replaces modules in go.mod by the folders that go.work beside it uses, and
// returns them as module and folder. A workspace itself means nothing to the world, which is
// built with a go.mod; replace directives say the same. On an error go.mod is as it was.
//
//	go.work: use ../lib     →    go.mod: replace example.org/lib => /…/lib
func (m *Modules) UseWorkspace() ([][2]string, error) {
	file := filepath.Join(m.Dir, "go.work")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no go.work in %s; make one with !*go work init && go work use . FOLDER", m.Dir)
	}
	if err != nil {
		return nil, err
	}
	work, err := modfile.ParseWork(file, text, nil)
	if err != nil {
		return nil, err
	}
	f, _, err := m.read()
	if err != nil {
		return nil, err
	}
	var replaced [][2]string
	for _, use := range work.Use {
		dir := use.Path
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(m.Dir, dir)
		}
		// The folder of the notebook's go.mod itself, as go work use . adds it.
		if filepath.Clean(dir) == m.Dir {
			continue
		}
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err != nil {
			return nil, fmt.Errorf("go.work uses %s, want a folder with a go.mod: %w", use.Path, err)
		}
		path := modfile.ModulePath(mod)
		if path == "" {
			return nil, fmt.Errorf("%s names no module", filepath.Join(dir, "go.mod"))
		}
		if err := f.AddReplace(path, "", dir, ""); err != nil {
			return nil, err
		}
		replaced = append(replaced, [2]string{path, dir})
	}
	f.Cleanup()
	if text, err = f.Format(); err != nil {
		return nil, err
	}
	if err := os.WriteFile(m.File(), text, 0o644); err != nil {
		return nil, err
	}
	return replaced, nil
}

// Tracked lists what is tracked, sorted: by %track, and what go.mod replaces modules with, but
// for what %untrack hides.
func (m *Modules) Tracked() []string {
	list := slices.Clone(m.tracked)
	if f, _, err := m.read(); err == nil {
		for _, dir := range m.replaced(f) {
			// What %track names stays, whatever is hidden.
			hidden := slices.ContainsFunc(m.ignored, func(p string) bool { return matches(p, dir) })
			if !hidden && !slices.Contains(list, dir) {
				list = append(list, dir)
			}
		}
	}
	slices.Sort(list)
	return list
}

// Track adds a file or folder, by its absolute path. What %untrack had hidden of it is seen
// again. A path twice is there once.
func (m *Modules) Track(path string) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%s: there is no such file or folder", path)
	}
	m.ignored = slices.DeleteFunc(m.ignored, func(p string) bool { return matches(p, path) })
	if !slices.Contains(m.tracked, path) {
		m.tracked = append(m.tracked, path)
	}
	return nil
}

// Untrack removes what Track added, and hides what is tracked by itself, and reports whether
// there was something to untrack. It hides also what a later replace directive would bring.
func (m *Modules) Untrack(path string) bool {
	found := slices.ContainsFunc(m.Tracked(), func(t string) bool { return matches(path, t) })
	m.tracked = slices.DeleteFunc(m.tracked, func(t string) bool { return matches(path, t) })
	m.ignored = append(m.ignored, path)
	return found
}

// matches compares a path with one that may end in "..." for all that begin so.
func matches(pattern, path string) bool {
	if begin, ok := strings.CutSuffix(pattern, "..."); ok {
		return strings.HasPrefix(path, begin)
	}
	return pattern == path
}
