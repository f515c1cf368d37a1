package build

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/holt-dl/holt/kernel/build/gosource"
	"github.com/holt-dl/holt/kernel/build/linker"
)

// compilerEdits make Go's compiler leave out wrappers of the methods of shapes. A
// shape stands for the arguments of a generic type or function that are laid out
// alike; code for a shape calls methods through its dictionary, which names those of
// the real types. The compiler makes the wrappers all the same, in every package that
// reaches such a type, and the linker drops them. Whatever names reflect.Type reaches
// 56 of them, by the iterators over its fields and methods, and a dl.Tensor does: they
// were half of what its cells took to compile.
//
// It leaves out, too, the code of instances of generic functions that the host has:
// for a dl.Tensor the methods of six instances of atomic.Pointer. The linker binds
// calls to the host's in any case.
//
// And it reads and encodes what a cell will likely name while it waits for the cell's
// sources (compiler_noder.go.txt): that was half of what a dl.Tensor took.
//
// Only cells are compiled so, with -linkshared.
//
// None of it changes what a cell does or what others can import of it, so a cell may be
// compiled by either compiler, and a session goes over to the changed one when that is there.
// Nothing waits for it.
//
// The edits, in this order:
//
//   - needWrapper passes shapes over;
//   - a function that the host has is not put among those to compile;
//   - a last line says that the file is complete, before the compiler ends;
//   - while the first source is awaited, names are read ahead;
//   - types2 gets the packages that were read ahead, in place of none (two edits);
//   - an import of such a package takes what was read;
//   - an object that was read ahead is noticed when the cell reaches it;
//   - the linker of export data is a pointer, and may be the one that was begun ahead (two).
var compilerEdits = []gosource.Edit{
	{
		File: "cmd/compile/internal/noder/reader.go",
		Old:  "func (r *reader) needWrapper(typ *types.Type) {\n\tif typ.IsPtr() {\n",
		New:  "func (r *reader) needWrapper(typ *types.Type) {\n\tif typ.IsPtr() || typ.IsShape() && *base.Flag.LinkShared {\n",
		Or: &gosource.Edit{ // Go 1.27
			File: "cmd/compile/internal/noder/reader.go",
			Old:  "func (r *reader) needWrapper(typ *types.Type) {\n\tif typ.IsPtr() || typ.IsKind(types.TFORW) {\n",
			New:  "func (r *reader) needWrapper(typ *types.Type) {\n\tif typ.IsPtr() || typ.IsKind(types.TFORW) || typ.IsShape() && *base.Flag.LinkShared {\n",
		},
	},
	{
		File: "cmd/compile/internal/gc/compile.go",
		Old:  "func enqueueFunc(fn *ir.Func, symABIs *ssagen.SymABIs) {\n",
		New:  "func enqueueFunc(fn *ir.Func, symABIs *ssagen.SymABIs) {\n\tif holtElsewhere(fn) {\n\t\treturn\n\t}\n",
	},
	{
		File: "cmd/compile/internal/gc/main.go",
		Old:  "\tbase.FlushErrors()\n\tbase.Timer.Stop()\n",
		New:  "\tbase.FlushErrors()\n\tholtComplete()\n\tbase.Timer.Stop()\n",
	},
	{
		File: "cmd/compile/internal/noder/noder.go",
		Old:  "\tvar lines uint\n",
		New:  "\tholtAhead()\n\n\tvar lines uint\n",
	},
	{
		File: "cmd/compile/internal/noder/irgen.go",
		Old:  "\tctxt := types2.NewContext()\n",
		New:  "\tctxt, packages := holtTypes()\n",
	},
	{
		File: "cmd/compile/internal/noder/irgen.go",
		Old:  "\t\tpackages: make(map[string]*types2.Package),\n",
		New:  "\t\tpackages: packages,\n",
	},
	{
		File: "cmd/compile/internal/noder/import.go",
		Old:  "\tpkg1 = types.NewPkg(path, \"\")\n\tif packages != nil {\n",
		New:  "\tif pkg1, pkg2, err = holtImport(path, target, packages); pkg1 != nil {\n\t\treturn\n\t}\n\n\tpkg1 = types.NewPkg(path, \"\")\n\tif packages != nil {\n",
	},
	{
		File: "cmd/compile/internal/noder/reader.go",
		Old:  "\tif !sym.IsBlank() && sym.Def != nil {\n\t\treturn sym.Def.(*ir.Name), nil\n",
		New:  "\tif !sym.IsBlank() && sym.Def != nil {\n\t\tholtDefined(sym, dict)\n\t\treturn sym.Def.(*ir.Name), nil\n",
	},
	{
		File: "cmd/compile/internal/noder/unified.go",
		Old:  "\tl := linker{\n",
		New:  "\tl := &linker{\n",
	},
	{
		File: "cmd/compile/internal/noder/unified.go",
		Old:  "\tvar selfPkgIdx index\n",
		New:  "\tl, publicRootWriter, privateRootWriter = holtExports(l, publicRootWriter, privateRootWriter)\n\n\tvar selfPkgIdx index\n",
	},
}

// The files that are added to the compiler, which the edits call.
var (
	//go:embed compiler_gc.go.txt
	compilerGC []byte
	//go:embed compiler_noder.go.txt
	compilerNoder []byte
)

// compilerAdded maps their names, below GOROOT/src, to their texts.
var compilerAdded = gosource.Join(linker.Symlist, map[string][]byte{
	"cmd/compile/internal/gc/holt.go":    compilerGC,
	"cmd/compile/internal/noder/holt.go": compilerNoder,
})

// hostSymsVar is the variable by which the changed compiler finds the list of the
// host's symbols.
//
// It is a variable and no flag, because Go's own compiler may be in its place, which refuses
// a flag that it does not know.
const hostSymsVar = "HOLT_HOST_SYMS"

// aheadVar is the variable that tells the changed compiler what to read while it waits.
//
// Each line is PATH:NAME, with an empty name for the package itself, as [recent.list] writes
// them:
//
//	fmt:
//	fmt:Println
//	github.com/holt-dl/holt/dl:Tensor
//
// That it is set, even to nothing, also says to print completeLine.
const aheadVar = "HOLT_AHEAD"

// CheckCompiler reports why the compiler of the Go below goroot cannot be changed as
// compilerEdits say; nil when it can.
//
// It is for "holt doctor": a session asks [World.buildCompiler], which finds out by itself.
func CheckCompiler(goroot string) error {
	_, err := gosource.Apply(goroot, compilerEdits)
	return err
}

// unitsBeforeCompiler is how many units come before the changed compiler is built. That
// takes a minute or two of a processor, once for each Go, which is more than a short
// notebook can win back.
const unitsBeforeCompiler = 8

// compilerBuild is where a World keeps the building of its compiler.
//
// Its zero value is one that has not started. Mu orders start and stop, which come from
// different goroutines.
type compilerBuild struct {
	mu     sync.Mutex
	cancel context.CancelFunc // nil before start and after stop
	done   chan struct{}      // closed when the building has ended
}

// compilerFile returns the name that the changed compiler has, or will have.
//
// The key is Go, its settings and all that is changed, so another Holt with the same changes
// shares it.
func (w *World) compilerFile() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", w.tc.tidy, gosource.Sum(compilerEdits))
	for _, name := range slices.Sorted(maps.Keys(compilerAdded)) {
		h.Write(compilerAdded[name])
	}
	return filepath.Join(w.cache, "compiler", hex.EncodeToString(h.Sum(nil))[:20], "compile")
}

// cellCompiler returns the compiler of units that are compiled ahead: the changed one
// where it is there, else Go's.
//
// It looks each time, since the building may have ended between two units.
func (w *World) cellCompiler() string {
	if file := w.compilerFile(); isFile(file) {
		return file
	}
	return w.tc.tool("compile")
}

// isFile reports whether a name is of a regular file.
func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// start begins to build the compiler in the background, unless it is there or another
// kernel builds it. It does not wait.
//
// Its caller holds nextUnit's mu and has seen that it is not closed, so stop comes later. It
// is called once for a World.
func (c *compilerBuild) start(w *World) {
	file := w.compilerFile()
	if isFile(file) {
		now := time.Now()
		os.Chtimes(file, now, now) // it is in use; see pruneTools
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel, c.done = cancel, make(chan struct{})
	go func() {
		defer close(c.done)
		if err := w.buildCompiler(ctx, filepath.Dir(file)); err != nil && ctx.Err() == nil {
			// There is nothing to be done about it, and all works without.
			slog.Debug("cells are compiled by Go's own compiler", "why", err)
		}
	}()
}

// stop ends the building, and waits until it has ended.
//
// The go command and its compilers are killed ([gosource.Tool]), and what they have made is
// removed. The next session begins again.
func (c *compilerBuild) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
		<-c.done
		c.cancel = nil
	}
}

// buildCompiler builds the compiler in a folder of its own.
//
// It returns nil, too, where another kernel builds it.
func (w *World) buildCompiler(ctx context.Context, dir string) error {
	files, err := gosource.Apply(w.tc.Root, compilerEdits)
	if err != nil {
		return err
	}
	for name, text := range compilerAdded {
		files[filepath.Join(w.tc.Root, "src", filepath.FromSlash(name))] = text
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	// The lock is held while it is built, so one kernel at a time uses the processor for it,
	// and pruneTools leaves the folder alone. It is not waited for.
	lock := flock.New(dir + ".lock")
	if ok, err := lock.TryLock(); err != nil || !ok {
		return err
	}
	defer lock.Unlock()
	tool := gosource.Tool{
		Go: w.tc.Go, Root: w.tc.Root, Env: w.tc.env("GOFLAGS=-mod=readonly"), Package: "cmd/compile", Files: files, Background: true,
	}
	return tool.Build(ctx, dir)
}
