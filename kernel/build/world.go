package build

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/holt-dl/holt/internal/aside"
	"github.com/holt-dl/holt/kernel/build/gosource"
	"github.com/holt-dl/holt/kernel/build/linker"
)

// layout changes whenever worlds on disk have to be made anew.
//
// It is part of the name of a world's folder, so that worlds of an older Holt are left alone,
// for that Holt, until they are pruned.
const layout = "9"

// Options say what a world is made of. Source is required.
type Options struct {
	Source    fs.FS        // a Go module, such as holt.Source
	Main      string       // the host's main package in it; "./cmd/holt-host" when empty
	NoHost    bool         // build no host and use no C: for what packages export alone, on any system; see [World.hostPackages]
	Mod       string       // a go.mod to use in place of Source's, its go.sum beside it, as [World.Modfile] returned it
	CacheDir  string       // "holt" in the user's cache folder when empty
	Toolchain *Toolchain   // the one that [Find] finds when nil
	Progress  func(string) // told what is built or fetched, a line at a time; may be nil
	Warn      func(string) // told what a person should know of the world, in a sentence; may be nil
}

// World is what cells are compiled against. Its methods may be called by
// several goroutines.
type World struct {
	opt   Options
	tc    *Toolchain
	src   string // the extracted source
	cache string
	adds  sync.Mutex // one Add, Adopt or Rebuild at a time
	next  nextUnit   // what [World.Ahead] has started
	// The building of the changed compiler, in the background.
	compiler compilerBuild

	copying  sync.Mutex // one call of copies at a time
	carrying sync.Map   // archives of cells → whether their plugins hold other packages too
	tidying  tidying    // the removals of [World.Tidy]

	verifying sync.Mutex      // guards verified
	verified  map[string]bool // IDs of the archives that were read and compared

	mu     sync.RWMutex      // guards what follows
	dir    string            // go.mod, go.sum, packages.json, host
	use    *flock.Flock      // held shared, so that no other kernel prunes dir
	known  map[string]*pkg   // by import path; what is in it does not change, but is replaced
	std    []string          // see [World.Std]
	config string            // the importcfg lines of known
	sums   map[string]string // as record.Sums

	notebook string   // the folder of the notebook; see SetDir
	fetched  []string // what was downloaded since Add began, "path version"
}

// pkg is one package and its archive.
//
// Several goroutines read the packages in known, so none is changed there: a changed copy takes
// its place.
type pkg struct {
	Path string
	Name string
	File string
	ID   string // name of the archive in GOCACHE, a hash of its content
	Size int64  // of the archive, in bytes
	Copy string `json:",omitempty"` // of the host's: the archive for plugins that hold a copy; see [World.copies]
	Host bool   `json:",omitempty"` // the host holds it
	Root bool   `json:",omitempty"` // asked for by Add, or imported by the host's main
	// Local says that it is of a folder that go.mod replaces a module with, so
	// that it may be another tomorrow.
	Local bool `json:",omitempty"`
}

// record is packages.json.
//
// It is written last, when all that it names is there: a folder without it is no world, and
// is built again.
type record struct {
	Std      []string
	Sums     map[string]string // checksums of the other files, by name
	Packages []*pkg
}

// Open returns the world of a module, and builds what is missing of it: that
// takes milliseconds when nothing is, and minutes the first time. Two kernels
// that open the same world build it once. Cancelling ctx stops the build.
//
// A world that is there is taken at once, without a lock: nothing in it changes but its
// record, which is replaced as a whole. Else one kernel builds it and the others wait, and
// look again when they have the lock. A world that is there and damaged is built again in its
// folder, after the damaged files are removed from GOCACHE too; that is tried once, and what
// it does not help is an error.
//
// The hash of the sources is computed at every call; they are in the binary's memory.
func Open(ctx context.Context, opt Options) (*World, error) {
	if opt.Main == "" {
		opt.Main = "./cmd/holt-host"
	}
	if opt.Progress == nil {
		opt.Progress = func(string) {}
	}
	if opt.Warn == nil {
		opt.Warn = func(string) {}
	}
	if opt.CacheDir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("build: no cache folder: %w; set XDG_CACHE_HOME to a folder that can be written", err)
		}
		opt.CacheDir = filepath.Join(base, "holt")
	}
	cache, err := filepath.Abs(opt.CacheDir)
	if err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(cache, "worlds"), 0o755); err != nil {
		return nil, fmt.Errorf("build: no cache folder: %w; set XDG_CACHE_HOME to a folder that can be written", err)
	}
	tc := opt.Toolchain
	if tc == nil {
		if tc, err = find(ctx, opt.NoHost); err != nil {
			return nil, err
		}
	}
	// The name of the folder has all that it follows from, so here it is decided which world
	// this is.
	hash, err := sourceHash(opt.Source)
	if err != nil {
		return nil, err
	}
	w := &World{opt: opt, tc: tc, cache: cache, src: filepath.Join(cache, "src", hash), verified: map[string]bool{}}
	mod, sum, err := w.moduleFiles(opt.Mod)
	if err != nil {
		return nil, err
	}
	if err := tc.enough(mod); err != nil {
		return nil, err
	}
	dir := w.worldDir(mod, sum)
	if w.load(dir) == nil {
		return w, nil
	}
	// The lock is beside the folder, not in it: the folder may be removed and made again.
	unlock, err := lock(ctx, dir+".lock", func() { opt.Progress("waiting for another kernel that builds the same host") })
	if err != nil {
		return nil, err
	}
	defer unlock()
	err = w.load(dir)
	if err == nil { // another kernel built it meanwhile
		return w, nil
	}
	// Any other error means that it was not there, or not whole.
	var damage *Damage
	if errors.As(err, &damage) {
		opt.Progress("Holt's cache is damaged; what is damaged is built again")
		if err := w.discard(ctx, damage.Files); err != nil {
			return nil, err
		}
	}
	if err := w.make(ctx, dir, mod, sum); err != nil {
		return nil, err
	}
	if damage != nil {
		opt.Warn("Holt's cache was damaged (" + some(damage.Files) + "): it was built again")
	}
	// A new world is a reason for an old one to go.
	w.prune()
	return w, nil
}

// make builds the world in dir from nothing but its sources and what the go
// command has, and loads it.
//
// The caller holds the lock of dir. What is there already serves again: archives in GOCACHE,
// the linker, and the sources if they are whole.
func (w *World) make(ctx context.Context, dir string, mod, sum []byte) error {
	if err := extract(w.opt.Source, w.src); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	if err := writeModuleFiles(dir, mod, sum); err != nil {
		return err
	}
	if err := w.build(ctx, dir); err != nil {
		return err
	}
	return w.load(dir)
}

// moduleFiles returns the texts of go.mod and go.sum: those of the file mod,
// or the source's when mod is empty.
//
// A go.sum is beside its go.mod under the same name. It may be absent.
func (w *World) moduleFiles(mod string) (modText, sumText []byte, err error) {
	if mod != "" {
		if modText, err = os.ReadFile(mod); err != nil {
			return nil, nil, fmt.Errorf("build: %w", err)
		}
		sumText, _ = os.ReadFile(strings.TrimSuffix(mod, ".mod") + ".sum")
		return modText, sumText, nil
	}
	if modText, err = fs.ReadFile(w.opt.Source, "go.mod"); err != nil {
		return nil, nil, fmt.Errorf("build: the source: %w", err)
	}
	sumText, _ = fs.ReadFile(w.opt.Source, "go.sum") // absent where nothing is required
	return modText, sumText, nil
}

// worldDir returns the folder of the world with these requirements.
//
// All that decides what archives and host hold is in the hash: the layout of the folder, Go
// and its settings, Holt's sources and the host in them, the requirements, the flags, and the
// changes to Go's linker and runtime. The changed compiler is not, since what it makes is the
// same to all others. The text of go.sum is, because a module's text follows from it.
func (w *World) worldDir(mod, sum []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n%s\n%s\n%x\n%x\n", layout, w.tc.tidy, filepath.Base(w.src), w.opt.Main, sha256.Sum256(mod), sha256.Sum256(sum))
	fmt.Fprintln(h, buildFlags("*"), copyFlags(), linker.Version(), gosource.Sum(runtimeEdits))
	return filepath.Join(w.cache, "worlds", hex.EncodeToString(h.Sum(nil))[:20])
}

// writeModuleFiles writes go.mod and go.sum into dir.
func writeModuleFiles(dir string, mod, sum []byte) error {
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), mod, 0o644); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return nil
}

// load reads a world that is complete on disk. The error is a [*Damage] when it
// is not as it was written.
//
// It also takes over the world: on success this World is the one in dir, and its lock on the
// old one is given up. On failure it stays what it was.
//
// The lock use.lock is held shared as long as the world is used, which keeps [World.prune] of
// all kernels from removing it; its time says when that began.
func (w *World) load(dir string) error {
	rec, err := readRecord(dir)
	if err != nil {
		return err
	}
	// The host's sources are not in the world's folder, but go commands run in them.
	if _, err := os.Stat(filepath.Join(w.src, "go.mod")); err != nil {
		return err
	}
	if bad := rec.check(dir, false); len(bad) > 0 { // or Go has trimmed its cache
		return &Damage{Files: bad, Dir: w.cache}
	}
	use := flock.New(filepath.Join(dir, "use.lock"))
	// It fails only while prune holds the lock alone.
	if ok, err := use.TryRLock(); err != nil || !ok {
		return fmt.Errorf("build: %s is being removed", dir)
	}
	// It may have been removed before the lock was there, and the lock be that of a file without
	// a name.
	if _, err := os.Stat(filepath.Join(dir, "packages.json")); err != nil {
		use.Unlock()
		return fmt.Errorf("build: %s was removed: %w", dir, err)
	}
	// To lock a file does not change its time.
	now := time.Now()
	os.Chtimes(filepath.Join(dir, "use.lock"), now, now)

	w.mu.Lock()
	defer w.mu.Unlock()
	if w.use != nil {
		w.use.Unlock()
	}
	w.dir, w.use = dir, use
	w.set(rec)
	return nil
}

// set takes over a record. The caller holds w.mu.
//
// The lines of the importcfg are made here once, since each cell needs all of them: which
// packages its imports import in turn is not looked up.
func (w *World) set(rec record) {
	w.std, w.sums = rec.Std, rec.Sums
	w.known = make(map[string]*pkg, len(rec.Packages))
	var config strings.Builder
	for _, p := range rec.Packages {
		w.known[p.Path] = p
		fmt.Fprintf(&config, "packagefile %s=%s\n", p.Path, p.File)
	}
	w.config = config.String()
}

// save writes packages.json, aside and then renamed. A record without checksums
// is of a world whose files were just made, and gets theirs.
//
// The record is sorted, so equal worlds have equal bytes. Checksums are otherwise kept from
// the old record: when packages are added, the other files stay as they are, and to read them
// again would hide damage that has come since.
func save(dir string, rec record) (err error) {
	slices.SortFunc(rec.Packages, func(a, b *pkg) int { return strings.Compare(a.Path, b.Path) })
	if rec.Sums == nil {
		if rec.Sums, err = checksums(dir); err != nil {
			return fmt.Errorf("build: %w", err)
		}
	}
	text, err := encodeRecord(rec)
	if err != nil {
		return err
	}
	if err := aside.WriteFile(filepath.Join(dir, "packages.json"), aside.Bytes(text)); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return nil
}

// Close ends what [World.Ahead] has started, waits for what [World.Tidy] removes, and
// lets other kernels remove the world when it is old.
//
// The world's files stay, for the next kernel. A second call does nothing.
func (w *World) Close() error {
	w.closeAhead()
	w.tidying.waitAll()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.use == nil {
		return nil
	}
	err := w.use.Unlock()
	w.use = nil
	return err
}

// Host returns the file name of the host program.
//
// It is another one after [Change.NewHost] where an archive of the host's changed.
func (w *World) Host() string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return filepath.Join(w.dir, "host")
}

// Dir returns the folder of the extracted module, where go commands run. It
// is shared and stays as it is: changes go to [World.Modfile].
func (w *World) Dir() string { return w.src }

// Modfile returns the go.mod that holds what [World.Add] required, for the
// flag -modfile and for [Options].Mod.
func (w *World) Modfile() string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return filepath.Join(w.dir, "go.mod")
}

// Env returns the environment in which go commands and gopls agree with the
// world.
//
// GOFLAGS carries -modfile, because gopls starts go commands without flags of ours. A
// folder's name may have blanks, which flagWord puts into quotes.
func (w *World) Env() []string {
	flag, _ := flagWord("-modfile=" + w.Modfile())
	return w.tc.env("GOFLAGS=-mod=mod " + flag)
}

// Toolchain returns the Go installation in use.
func (w *World) Toolchain() *Toolchain { return w.tc }

// Export returns the file name of a package's archive, which holds its export
// data.
//
// The file is the one that cells are compiled against, in the host or not; ok is false for a
// package that [World.Add] has to make known first.
func (w *World) Export(path string) (file string, ok bool) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if p := w.known[path]; p != nil {
		return p.File, true
	}
	return "", false
}

// Name returns the name of a known package, and "" for an unknown one.
//
// It may differ from the last element of the path, as yaml does of gopkg.in/yaml.v3.
func (w *World) Name(path string) string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if p := w.known[path]; p != nil {
		return p.Name
	}
	return ""
}

// Open opens the archive of a package, as the lookup function of
// go/importer.ForCompiler does. A damaged archive is compiled again.
//
// The check of a cell comes before the compiler, so what is damaged among the packages that a
// cell imports is found here. See the comment in damage.go.
func (w *World) Open(path string) (io.ReadCloser, error) {
	w.mu.RLock()
	p := w.known[path]
	w.mu.RUnlock()
	if p == nil {
		return nil, fmt.Errorf("build: package %s is not known", path)
	}
	if err := w.sound(p); err != nil {
		return nil, err
	}
	return os.Open(p.File)
}

// Std returns the import paths of the standard library, sorted, without its
// internal and vendored packages. Not all of them are known at once: [World.Add]
// takes a moment for those that the host does not hold.
func (w *World) Std() []string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return slices.Clone(w.std)
}

// All returns the import paths of the packages that a cell can import without
// [World.Add], sorted.
func (w *World) All() []string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	var all []string
	for path, p := range w.known {
		if p.Name != "main" && importable(path) {
			all = append(all, path)
		}
	}
	slices.Sort(all)
	return all
}

// InHost reports whether the host holds the package, so that a cell that
// imports it brings nothing new into the process.
//
// The others are linked into the first plugin that needs them.
func (w *World) InHost(path string) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	p := w.known[path]
	return p != nil && p.Host
}

// Internal reports whether a path is of an internal or vendored package, which
// not all code may import.
//
// [World.Add] asks the workspace of the notebook whether a cell may.
func Internal(path string) bool { return !importable(path) }

// importable reports whether any code may import a path.
//
// "internal" counts as an element anywhere in the path ("go help packages", internal
// directories), and so does "vendor", where the standard library has its copies of
// golang.org/x.
func importable(path string) bool {
	for elem := range strings.SplitSeq(path, "/") {
		if elem == "internal" || elem == "vendor" {
			return false
		}
	}
	return true
}
