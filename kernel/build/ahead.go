package build

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// A compiler spends more time on its start than on a short cell: the process, the
// tables of the language, the list of packages. So does the linker. [World.Ahead]
// starts those of the next unit while nothing waits for them.
//
// The compiler gets its sources through pipes: their names are symbolic links to
// /dev/fd/N in the unit's folder, and it has opened them when the unit is known.
// They have the names that they would have as files, because the names of //line
// are below the folder of the file that has them. The linker waits at its flag
// -holt-wait (see linker/ld.go.txt).
//
// A unit that is not as it was foreseen is built by processes of its own, and so is
// one with which those here fail, for whatever reason: then the reason is reported
// by the usual way. The compiler may be one with less work ([World.cellCompiler]); the usual
// way has Go's own. While it waits, that one reads what the last units named ([recent]).
//
// The changed compiler and the linker say when their file is complete, in a last line of
// their output. The unit need not wait for their end, which takes milliseconds for memory
// that they used.
//
// Both processes end when this one does, however it ends: they read pipes that this
// process alone can write to, and an end of the text where none was foreseen is an error.
//
// In time, for cell 5:
//
//	cell 4 is answered    Ahead: folder c5, f0.go → /dev/fd/3, f1.go → /dev/fd/4, …
//	                      the compiler reads its importcfg and what is likely named, and waits
//	                      in its read of f0.go; the linker waits at -holt-wait
//	cell 5 comes          fit: is it what was foreseen?
//	                      its texts go into the pipes, "package c5" into those it does not use
//	                      the compiler says that cell.a is complete
//	                      the names of lists go to the linker's standard input
//	                      the linker says that c5.so is complete
//
// A Built is returned while both processes may still be ending.

// ahead is a compiler and a linker that wait for a unit.
//
// Config, the command lines, the pipes and the processes are written by start, and read when
// started is closed. It is used once: built with, or ended.
type ahead struct {
	w        *World
	unit     Unit     // as it was foreseen
	config   string   // what w.config was
	compile  []string // the compiler's flags
	link     []string // the linker's command line, without the names of lists
	env      []string // of both processes, without the variables of the changed compiler
	ctx      context.Context
	cancel   context.CancelFunc
	started  chan struct{}  // closed at the end of start
	sources  []*os.File     // the pipes to the compiler, one for each file of the unit
	lists    io.WriteCloser // the pipe to the linker
	compiler *toolProcess   // nil when it could not be started
	linker   *toolProcess   // nil when it could not be started
}

// nextUnit is where a World keeps what waits.
type nextUnit struct {
	mu     sync.Mutex
	ahead  *ahead // nil when nothing waits
	closed bool   // Close was called: nothing is started any more
	units  int    // how often Ahead was called
	built  []File // the files of the last unit that was built
	recent recent // what the last units named; it has a lock of its own
}

// Ahead starts the compiler and the linker of the unit that is built next, as far
// as it is known by now. Its Files have nothing but their package clauses. It may
// turn out to lack some of them; Deps may be more than it needs. Its folder must be
// new, and the folder above must be there. Ahead does not wait, and nothing happens where
// plugins are not bound to the host.
//
// What was started by an earlier call, and not used, is ended first. The session calls it
// when the reply to a cell is out, with as many files as a cell can have: one that the cell
// does not use gets its package clause.
func (w *World) Ahead(u Unit) {
	if !w.bound() || u.check() != nil || len(u.Embed) > 0 {
		return
	}
	// The caller's map changes when cells run.
	u.Deps = maps.Clone(u.Deps)
	ctx, cancel := context.WithCancel(context.Background())
	a := &ahead{w: w, unit: u, ctx: ctx, cancel: cancel, started: make(chan struct{})}
	w.next.mu.Lock()
	defer w.next.mu.Unlock()
	if w.next.closed {
		cancel()
		return
	}
	if w.next.units++; w.next.units == unitsBeforeCompiler {
		w.compiler.start(w)
	}
	// Under the lock only the exchange: the rest may take milliseconds, and Build of a cell
	// that comes early waits for it in takeAhead.
	old, built := w.next.ahead, w.next.built
	w.next.ahead, w.next.built = a, nil
	go func() {
		defer close(a.started)
		if old != nil {
			old.end()
		}
		w.next.recent.add(w, built)
		if err := a.start(); err != nil {
			slog.Debug("no compiler is started ahead", "unit", u.Path, "why", err)
		}
	}()
}

// takeAhead returns what waits; nil when nothing does.
//
// It waits until the start has ended, since what is half started can be neither used nor
// ended. The caller has it alone, and has to use or end it.
func (w *World) takeAhead() *ahead {
	w.next.mu.Lock()
	a := w.next.ahead
	w.next.ahead = nil
	w.next.mu.Unlock()
	if a != nil {
		<-a.started
	}
	return a
}

// closeAhead ends what waits, and lets nothing be started any more.
//
// A call of Ahead that is going on either sees closed, or has put what it starts where it is
// found here.
func (w *World) closeAhead() {
	w.next.mu.Lock()
	w.next.closed = true
	w.next.mu.Unlock()
	if a := w.takeAhead(); a != nil {
		a.end()
	}
	w.compiler.stop()
}

// buildAhead builds a unit with what waits. It reports whether that was possible.
//
// When it was not, nothing is left of the attempt: the folder that was begun is gone, and the
// reason is in the log for those who look for lost time.
func (w *World) buildAhead(ctx context.Context, u Unit) (Built, bool) {
	a := w.takeAhead()
	if a == nil {
		return Built{}, false
	}
	texts, why := a.fit(u)
	if why == "" {
		b, err := a.build(ctx, u, texts)
		if err == nil {
			a.cancel()
			return b, true
		}
		why = err.Error()
	}
	a.end()
	slog.Debug("a compiler that was started ahead is not used", "unit", u.Path, "started for", a.unit.Path, "why", why)
	return Built{}, false
}

// end ends both processes, waits for them and removes the unit's folder.
func (a *ahead) end() {
	<-a.started
	a.close()
}

// close is end without the wait: start calls it too, which cannot wait for its own end.
func (a *ahead) close() {
	a.cancel()
	for _, f := range a.sources {
		f.Close()
	}
	if a.lists != nil {
		a.lists.Close()
	}
	// They were killed by cancel. To wait for them takes their entries out of the system's
	// table of processes, and makes sure that none writes into a folder of this name later.
	for _, p := range []*toolProcess{a.compiler, a.linker} {
		if p != nil {
			p.end()
		}
	}
	os.RemoveAll(a.unit.Dir)
}

// start starts both processes. When it fails, nothing is left of it.
func (a *ahead) start() (err error) {
	w, u := a.w, a.unit
	defer func() {
		if err != nil {
			a.close()
			a.compiler, a.linker = nil, nil
		}
	}()
	entry, err := u.entryText()
	if err != nil {
		return err
	}
	// What an earlier attempt left must not be written through, and what is above
	// the folder must not be made again: it is gone when the session has ended.
	w.tidying.wait(u.Dir)
	if err := os.RemoveAll(u.Dir); err != nil {
		return err
	}
	if err := os.Mkdir(u.Dir, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(u.Dir, entryFile), entry, 0o644); err != nil {
		return err
	}
	w.mu.RLock()
	a.config = w.config
	w.mu.RUnlock()
	if err := os.WriteFile(u.config(), []byte(withCells(a.config, u.Deps)), 0o644); err != nil {
		return err
	}
	// Kept, so that fit can compare them with what the unit needs.
	a.env, a.compile, a.link = w.toolEnv(u.Dir), w.unitFlags(u), a.linkArgs(u)

	env := append(slices.Clip(a.env), hostSymsVar+"="+w.hostSyms(), aheadVar+"="+w.next.recent.list())
	// The compiler. Its last file is the entry, which is known; those before it are pipes.
	compiler := &toolProcess{cmd: command(a.ctx, u.Dir, env, w.cellCompiler(), a.compile...)}
	for i, f := range u.Files {
		compiler.cmd.Args = append(compiler.cmd.Args, f.Name)
		// ExtraFiles begin with descriptor 3.
		if err := os.Symlink(fmt.Sprintf("/dev/fd/%d", 3+i), filepath.Join(u.Dir, f.Name)); err != nil {
			return err
		}
		r, pipe, err := os.Pipe()
		if err != nil {
			return err
		}
		// This process keeps the end that is written to. The compiler has its own copy of the
		// other.
		defer r.Close()
		a.sources = append(a.sources, pipe)
		compiler.cmd.ExtraFiles = append(compiler.cmd.ExtraFiles, r)
	}
	compiler.cmd.Args = append(compiler.cmd.Args, entryFile)
	if err := compiler.start(); err != nil {
		return err
	}
	a.compiler = compiler

	// The linker. Its standard input names the lists of other cells, which depend on what the
	// unit imports.
	linker := &toolProcess{cmd: command(a.ctx, u.Dir, a.env, a.link[0], a.link[1:]...)}
	if a.lists, err = linker.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := linker.start(); err != nil {
		return err
	}
	a.linker = linker
	return nil
}

// linkArgs are the linker's command line for a unit, without its lists of symbols.
func (a *ahead) linkArgs(u Unit) []string {
	return append([]string{a.w.linkerFile(), "-holt-wait"}, a.w.boundArgs(u, u.archive())...)
}

// fit returns the texts for the pipes to the compiler, or why the unit cannot be
// built by what waits.
//
// It asks for everything that would make the result another one: path, folder and entry, C
// code and embedded files, the set of files, the packages of the world, the cells that it
// imports, the command lines and the environment. A cell that needs a new package comes here
// with the World changed, so its importcfg is out of date.
func (a *ahead) fit(u Unit) (texts [][]byte, why string) {
	w := a.w
	if a.linker == nil {
		return nil, "it could not be started"
	}
	if u.check() != nil || u.Path != a.unit.Path || u.Dir != a.unit.Dir || u.Entry != a.unit.Entry {
		return nil, "it is another unit"
	}
	if len(u.Embed) > 0 || slices.ContainsFunc(u.Files, func(f File) bool { return usesC(f.Text) }) {
		return nil, "it has C code or embeds files"
	}
	// A file that was foreseen and is not among the unit's gets its package clause. The order
	// is the same for both, so one that is left at the end was not foreseen.
	files := u.Files
	for _, f := range a.unit.Files {
		if len(files) > 0 && files[0].Name == f.Name {
			f, files = files[0], files[1:]
		}
		texts = append(texts, f.Text)
	}
	if len(files) > 0 {
		return nil, "it has other files"
	}
	w.mu.RLock()
	same := w.config == a.config
	w.mu.RUnlock()
	// The importcfg that the compiler has read may name more cells than these, not fewer.
	for path, archive := range u.Deps {
		same = same && a.unit.Deps[path] == archive
	}
	if !same {
		return nil, "it needs other packages"
	}
	if !w.bound() || !slices.Equal(w.unitFlags(u), a.compile) || !slices.Equal(a.linkArgs(u), a.link) || !slices.Equal(w.toolEnv(u.Dir), a.env) {
		return nil, "its command lines differ"
	}
	return texts, ""
}

// build builds a unit that fits with the processes. Its error is only logged.
//
// The pipes hold 64 KB; a Write beyond that waits for the compiler, which reads its files at
// the same time (cmd/compile/internal/noder). When the compiler has ended early, Write fails
// with EPIPE.
func (a *ahead) build(ctx context.Context, u Unit, texts [][]byte) (Built, error) {
	// The processes have a context of their own, since they began before there was this one.
	stop := context.AfterFunc(ctx, a.cancel)
	defer stop()
	start := time.Now()
	for i, pipe := range a.sources {
		if _, err := pipe.Write(texts[i]); err != nil {
			return Built{}, err
		}
		if err := pipe.Close(); err != nil {
			return Built{}, err
		}
	}
	said, err := a.compiler.wait()
	if err != nil {
		return Built{}, err
	}
	b := Built{Archive: u.archive(), Plugin: u.plugin(), CompileTime: time.Since(start), Ahead: true}
	// The linker has read its importcfg and the host's list. It goes on with the names of the
	// other lists, each ended by a zero byte, and an empty one.
	start = time.Now()
	var names strings.Builder
	for _, list := range a.w.lists(u) {
		names.WriteString(list + "\x00")
	}
	if _, err := io.WriteString(a.lists, names.String()+"\x00"); err != nil {
		return Built{}, err
	}
	if _, err := a.linker.wait(); err != nil {
		return Built{}, err
	}
	b.LinkTime = time.Since(start)
	if ctx.Err() != nil { // the caller stops
		return Built{}, context.Cause(ctx)
	}
	// What the compiler prints without an error is asked for, by flags such as -m.
	if u.Said != nil && said != "" {
		u.Said(said)
	}
	return b, nil
}

// toolProcess is a tool that runs while others do.
//
// Both its outputs go into one pipe, which is read when it is waited for. So it must not
// print more than the pipe holds before that; it has nothing to say until it has its input.
type toolProcess struct {
	cmd *exec.Cmd
	out *os.File     // what it prints
	end func() error // waits for its end; may be called again
}

// start starts it. On failure nothing is left open, and end is nil.
func (p *toolProcess) start() error {
	out, w, err := os.Pipe()
	if err != nil {
		return err
	}
	// The child has its own copy: out ends when the child does.
	defer w.Close()
	p.cmd.Stdout, p.cmd.Stderr = w, w
	if err := p.cmd.Start(); err != nil {
		out.Close()
		return err
	}
	p.out, p.end = out, sync.OnceValue(func() error {
		defer out.Close()
		return p.cmd.Wait()
	})
	return nil
}

// completeLine is what a tool prints last, if at all, when its file is complete
// (holtComplete in compiler_gc.go.txt and linker/ld.go.txt).
//
// Zero bytes keep it apart from any message.
const completeLine = "\x00holt: complete\x00\n"

// wait waits until the tool's file is complete, and returns what it printed, which an
// error holds too.
func (p *toolProcess) wait() (said string, err error) {
	var text []byte
	for part := make([]byte, 4096); ; {
		n, err := p.out.Read(part)
		text = append(text, part[:n]...)
		if said, ok := bytes.CutSuffix(text, []byte(completeLine)); ok {
			// Its end is waited for aside, so that no zombie is left.
			go p.end()
			return string(said), nil
		}
		if err != nil {
			break
		}
	}
	// Its output ended without that line: Go's own compiler, or a failure.
	if err := p.end(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(p.cmd.Path), err, gist(string(text)))
	}
	return string(text), nil
}
