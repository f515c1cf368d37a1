package session

import (
	"context"
	"errors"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

// modules is the notebook's own go.mod, in the folder GONB_TMP_DIR, where
// commands such as !*go get change it. It holds what the notebook requires
// beyond Holt's own requirements, and becomes part of the world.
type modules struct {
	s       *Session
	dir     string
	flags   []string // of %goflags
	tracked []string // by %track, absolute
	ignored []string // by %untrack: beginnings of replaced folders
}

func newModules(s *Session) (*modules, error) {
	m := &modules{s: s, dir: filepath.Join(s.dir, "gonb_"+filepath.Base(s.dir)[len("holt-"):])}
	if err := os.Mkdir(m.dir, 0o755); err != nil {
		return nil, fmt.Errorf("session: %w", err)
	}
	return m, nil
}

func (m *modules) file() string { return filepath.Join(m.dir, "go.mod") }

// init writes a go.mod without requirements.
func (m *modules) init() error {
	version := strings.TrimPrefix(m.s.world.Toolchain().Version, "go")
	version, _, _ = strings.Cut(version, " ")
	text := fmt.Sprintf("module %s\n\ngo %s\n", filepath.Base(m.dir), version)
	os.Remove(filepath.Join(m.dir, "go.sum"))
	if err := os.WriteFile(m.file(), []byte(text), 0o644); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	return nil
}

// again makes the folder and its go.mod anew, with what the notebook asked for.
func (m *modules) again() error {
	if err := os.MkdirAll(m.dir, 0o755); err != nil {
		return fmt.Errorf("session: %w", err)
	}
	if err := m.init(); err != nil {
		return err
	}
	m.note()
	return nil
}

func (m *modules) read() (*modfile.File, []byte, error) {
	text, err := os.ReadFile(m.file())
	if err != nil {
		return nil, nil, fmt.Errorf("session: the notebook's go.mod: %w; %%reset go.mod makes it anew", err)
	}
	f, err := modfile.Parse(m.file(), text, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("session: the notebook's go.mod: %w; %%reset go.mod makes it anew", err)
	}
	return f, text, nil
}

// save writes the last cell as main.go, a program of its own, for commands such
// as !*go vet and !*go build -gcflags=-m. A cell that is no program leaves none.
func (m *modules) save() {
	file := filepath.Join(m.dir, "main.go")
	os.Remove(file)
	if m.s.last == nil {
		return
	}
	text, err := m.s.pageProgram(m.s.last.Name, m.s.last.Text, nil)
	if err != nil {
		return
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "//line ") {
			b.WriteString(line)
		}
	}
	if formatted, err := format.Source([]byte(b.String())); err == nil {
		os.WriteFile(file, formatted, 0o644)
	}
}

// note adds to go.mod what imports of cells have required.
func (m *modules) note() {
	required, err := m.s.world.Required()
	if err != nil || len(required) == 0 {
		return
	}
	f, _, err := m.read()
	if err != nil {
		return // the command that is about to run may repair it
	}
	for _, r := range required {
		path, version, ok := strings.Cut(r, " ")
		if ok && !slices.ContainsFunc(f.Require, func(r *modfile.Require) bool {
			return r.Mod.Path == path && semver.Compare(r.Mod.Version, version) >= 0
		}) {
			f.AddRequire(path, version)
		}
	}
	folders, err := m.s.world.Replaced()
	if err != nil {
		return
	}
	for _, path := range sorted(folders) { // required at no version that exists
		f.AddReplace(path, "", folders[path], "")
	}
	f.Cleanup()
	if text, err := f.Format(); err == nil {
		os.WriteFile(m.file(), text, 0o644)
	}
}

// changed takes go.mod into the world when its requirements have changed.
func (m *modules) changed(ctx context.Context, fresh bool) error {
	newHost, err := m.adopt(ctx, fresh)
	if newHost {
		return m.s.replaceHost(ctx)
	}
	return err
}

// tryChanged is changed after a command that did what it was asked for: a
// go.mod that cannot be used is said, and the cell goes on.
func (m *modules) tryChanged(ctx context.Context) {
	if err := m.changed(ctx, false); err != nil {
		text, _, _ := strings.Cut(err.Error(), "\n")
		(*commands)(m.s).Warn("holt: the notebook's go.mod is not used, and cells keep the modules that they had: " + text + "\n")
	}
}

// adopt takes go.mod into the world, and reports whether that has another host
// now. A fresh world has nothing that imports brought.
func (m *modules) adopt(ctx context.Context, fresh bool) (newHost bool, err error) {
	_, text, err := m.read()
	if err != nil {
		return false, err
	}
	sum, _ := os.ReadFile(filepath.Join(m.dir, "go.sum"))
	change, err := m.s.world.Adopt(ctx, text, sum, m.dir, fresh)
	m.s.packages.renew()
	return change.NewHost && err == nil, err
}

// renew forgets which packages there are, because the world has others now.
func (p *packages) renew() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byName = nil
}

// allowed refuses packages that only a new requirement would bring, after
// %noautoget.
func (p *packages) allowed(ctx context.Context, paths []string) error {
	p.mu.Lock()
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

// replaced returns the folders that replace modules.
func (m *modules) replaced(f *modfile.File) []string {
	var dirs []string
	for _, r := range f.Replace {
		if r.New.Version != "" {
			continue
		}
		dir := r.New.Path
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(m.dir, dir)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

// GoFlags returns the flags of %goflags.
func (c *commands) GoFlags() []string { return c.modules.flags }

// SetGoFlags sets the flags of %goflags. Those of the compiler are heeded for
// cells; programs of %wasm are made with all.
func (c *commands) SetGoFlags(_ context.Context, flags []string) error {
	var idle []string
	for _, f := range flags {
		if !strings.HasPrefix(f, "-") {
			return fmt.Errorf("got %q, want flags of go build, which begin with -", f)
		}
		if name := strings.TrimLeft(f, "-"); !strings.HasPrefix(name, "gcflags=") {
			idle = append(idle, f)
		}
	}
	if len(idle) > 0 && !c.flagsNoticed {
		c.flagsNoticed = true
		c.Warn(fmt.Sprintf("holt: %%goflags: %s is for %%wasm only: cells are compiled for a host that runs already, and of the flags only -gcflags is for them\n", strings.Join(idle, " ")))
	}
	c.modules.flags = flags
	return nil
}

// gcflags are the flags of %goflags for the compiler.
func (m *modules) gcflags() []string {
	var flags []string
	for _, f := range m.flags {
		value, ok := strings.CutPrefix(strings.TrimLeft(f, "-"), "gcflags=")
		if !ok {
			continue
		}
		if pattern, rest, ok := strings.Cut(value, "=-"); ok && !strings.HasPrefix(pattern, "-") {
			value = "-" + rest // all=-N
		}
		flags = append(flags, strings.Fields(value)...)
	}
	return flags
}

// compilerSaid shows what the compiler prints about a cell by the flags of -gcflags,
// without what it prints about the generated code around it.
func (s *Session) compilerSaid(text string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "cell[") {
			(*commands)(s).Warn(strings.NewReplacer("Ħ", "", "ˣ", "").Replace(line))
		}
	}
}

// AutoGet sets whether imports may bring modules.
func (c *commands) AutoGet(on bool) {
	c.packages.mu.Lock()
	defer c.packages.mu.Unlock()
	c.packages.frozen = !on
}

// ResetModules forgets the modules that the notebook asked for.
func (c *commands) ResetModules(ctx context.Context) error {
	if err := c.modules.init(); err != nil {
		return err
	}
	return c.modules.changed(ctx, true)
}

// UseWorkspace replaces modules by the folders that go.work uses.
func (c *commands) UseWorkspace(ctx context.Context) ([][2]string, error) {
	m := c.modules
	file := filepath.Join(m.dir, "go.work")
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no go.work in %s; make one with !*go work init && go work use . FOLDER", m.dir)
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
			dir = filepath.Join(m.dir, dir)
		}
		if filepath.Clean(dir) == m.dir {
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
	if err := os.WriteFile(m.file(), text, 0o644); err != nil {
		return nil, err
	}
	m.tryChanged(ctx)
	return replaced, nil
}

// Tracked lists what is tracked: by %track, and what go.mod replaces modules with.
func (c *commands) Tracked() []string {
	list := slices.Clone(c.modules.tracked)
	if f, _, err := c.modules.read(); err == nil {
		for _, dir := range c.modules.replaced(f) {
			hidden := slices.ContainsFunc(c.modules.ignored, func(p string) bool { return matches(p, dir) })
			if !hidden && !slices.Contains(list, dir) {
				list = append(list, dir)
			}
		}
	}
	slices.Sort(list)
	return list
}

// Track adds a file or folder.
func (c *commands) Track(path string) error {
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.cwd, path)
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("%s: there is no such file or folder", path)
	}
	c.modules.ignored = slices.DeleteFunc(c.modules.ignored, func(p string) bool { return matches(p, path) })
	if !slices.Contains(c.modules.tracked, path) {
		c.modules.tracked = append(c.modules.tracked, path)
	}
	return nil
}

// Untrack removes what Track added, and hides what is tracked by itself.
func (c *commands) Untrack(path string) bool {
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.cwd, path)
	}
	found := slices.ContainsFunc(c.Tracked(), func(t string) bool { return matches(path, t) })
	m := c.modules
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
