package build

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/holt-dl/holt/internal/aside"
	"github.com/holt-dl/holt/kernel/build/linker"
)

// Names in a world's folder. Where it has the linker, it has the list too.
const (
	linkerName = "link"      // the linker that binds plugins to the host
	symsName   = "host.syms" // the list of the host's symbols
)

// unboundName is a file of a world's folder that has neither: why not.
//
// It is shown to a person whose first cell is linked with copies. See [World.unbound].
const unboundName = "unbound.txt"

// linkerBuilt is what startLinker ends with.
type linkerBuilt struct {
	file string
	err  error
}

// startLinker builds the linker, unless there is one, while others download
// and compile.
//
// The channel has room for the result, so the goroutine ends also where nothing receives it.
func (w *World) startLinker(ctx context.Context) <-chan linkerBuilt {
	if w.opt.NoHost {
		return nil
	}
	built := make(chan linkerBuilt, 1)
	go func() {
		file, err := linker.Build(ctx, linker.Options{
			Go: w.tc.Go, Root: w.tc.Root, Env: w.tc.env("GOFLAGS=-mod=readonly"), ID: w.tc.tidy, Parent: filepath.Join(w.cache, "linker"),
		})
		built <- linkerBuilt{file, err}
	}()
	return built
}

// linkBoundHost links the host so that plugins can be bound to it, with the
// arguments of a plain link, and gives the world's folder its linker.
//
// Where it fails, cells are linked with copies: the folder has no linker, which is what bound
// looks for.
func (w *World) linkBoundHost(ctx context.Context, dir, tmp string, args []string, built <-chan linkerBuilt) error {
	l := <-built
	// A linker of an earlier attempt must not be there while its list is not.
	os.Remove(filepath.Join(dir, linkerName))
	if l.err != nil {
		return l.err
	}
	syms := filepath.Join(tmp, symsName)
	_, stderr, err := run(command(ctx, tmp, w.tc.env("GOGC=400"), l.file, append([]string{"-holt-export", syms}, args...)...), nil)
	if err != nil {
		return fmt.Errorf("build: link the host: %w: %s", err, stderr)
	}
	if err := aside.Move(syms, filepath.Join(dir, symsName)); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	// Last, since bound looks for it. It is a second name, because the linkers' folder may be
	// emptied.
	if err := os.Link(l.file, filepath.Join(dir, linkerName)); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return nil
}

// unbound returns why no plugin of this world is bound to its host; empty where they
// are, or where HOLT_LINK says that they need not be.
func (w *World) unbound() string {
	if os.Getenv("HOLT_LINK") == "plain" {
		return ""
	}
	why, err := os.ReadFile(filepath.Join(filepath.Dir(w.linkerFile()), unboundName))
	if err != nil {
		return ""
	}
	return string(why)
}

// bound reports whether plugins are bound to the host. HOLT_LINK=plain says
// no, for comparison; HOLT_LINK=bound makes a plugin that cannot be bound an
// error, for tests; and HOLT_LINK=system has the system's linker write all plugins.
//
// It looks for the file each time: the world may have changed to one whose host is not bound.
func (w *World) bound() bool {
	if os.Getenv("HOLT_LINK") == "plain" {
		return false
	}
	_, err := os.Stat(w.linkerFile())
	return err == nil
}

// linkerFile returns the file name of the world's linker, which may not be there.
func (w *World) linkerFile() string {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return filepath.Join(w.dir, linkerName)
}

// hostSyms returns the file name of the list of the host's symbols.
func (w *World) hostSyms() string { return filepath.Join(filepath.Dir(w.linkerFile()), symsName) }

// boundArgs are the arguments of the world's linker that link a unit bound to the
// host and to no other unit.
//
// For a unit notebook/c5 they are, each unit's own files in DIR,
//
//	-holt-import WORLD/host.syms   bind to these symbols
//	-holt-export DIR/cell.syms     and write a list of what this plugin holds
//	-holt-shared                   write the shared object without another linker
//	-holt-ld 'ld.gold' …           or with this one, where it has something unknown
//	-extld … -tmpdir DIR           or with this, where it has C code
//	-o DIR/c5.so -buildmode=plugin -pluginpath notebook/c5 -s -w
//	-importcfg DIR/importcfg DIR/cell.a
func (w *World) boundArgs(u Unit, archive string) []string {
	args := []string{"-holt-import", w.hostSyms(), "-holt-export", symsFile(archive)}
	if os.Getenv("HOLT_LINK") != "system" {
		args = append(args, "-holt-shared")
	}
	if ld := w.systemLinker(); ld != nil {
		// There is no library to look for.
		args = append(args, "-holt-ld", quoteAll(append(ld, "-nostdlib")))
	}
	// Of a folder of its own the linker would wait for the removal.
	args = append(append(args, "-extld", w.extld(), "-tmpdir", u.Dir), u.pluginFlags()...)
	// The file that the compiler read serves this linker too.
	return append(args, "-importcfg", u.config(), archive)
}

// lists returns the lists of symbols of the units that a unit is bound to.
//
// Those are the cells that it imports and, of all that are loaded, those that brought a
// package with them: the unit may need that package too, and there must be one of it in the
// process. A cell that only holds itself is not needed by units that do not import it.
func (w *World) lists(u Unit) []string {
	var files []string
	// A cell that was linked with copies has no list; it is linked again into
	// this one.
	for _, dep := range u.Deps {
		if _, err := os.Stat(symsFile(dep)); err == nil {
			files = append(files, symsFile(dep))
		}
	}
	for path, loaded := range u.Loaded {
		if _, ok := u.Deps[path]; !ok && w.Carries(loaded) {
			files = append(files, symsFile(loaded))
		}
	}
	return files
}

// Carries reports whether a cell's plugin holds packages besides the cell's
// own: the first plugin with a package that the host lacks serves all.
//
// The answer is kept, as each build asks for all cells. A cell without a list, which was
// linked with copies, carries nothing that others can be bound to.
func (w *World) Carries(archive string) bool {
	if known, ok := w.carrying.Load(archive); ok {
		return known.(bool)
	}
	pkgs, err := linker.Packages(symsFile(archive))
	w.carrying.Store(archive, err == nil && len(pkgs) > 1)
	return err == nil && len(pkgs) > 1
}

// symsFile returns the name of the list of a cell's symbols, beside its archive.
func symsFile(archive string) string { return strings.TrimSuffix(archive, ".a") + ".syms" }
