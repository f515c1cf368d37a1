// Package session runs the cells of one notebook.
//
// A [Session] owns a [cell.Notebook], which holds what is declared, a [build.World], which
// compiles, and a [proc.Process], the host that holds the values. [Session.Execute] takes a
// cell through all three.
//
// # The way of a cell
//
//	execute      commands.go  commands and shell lines are run, and taken out of the text
//	runCell      session.go   the Go text is checked as one package with all earlier cells
//	runProgram   session.go   the program is compiled, linked, loaded and run
//	Commit       kernel/cell  what it declares becomes what names mean for later cells
//	Answered     session.go   after the reply: files are removed, the next tools are started
//
// An error at any stage goes back as it is; only Execute and Evaluate turn it into a [Failure],
// with package report. Nothing of a cell is declared before its Commit, so a cell that does not
// compile leaves the notebook as it was.
//
// # Goroutines and locks
//
// At most one cell runs: Execute and Evaluate hold Session.run from beginning to end. What the
// front end may ask for at any time (completion, interrupts, comm messages), and what
// goroutines of earlier cells show, reads only what Session.mu guards.
//
// # When the host ends
//
// The process that holds the values may end at any time. Execute then reports it, and marks all
// variables as lost. The next cell that has Go code starts a fresh process and declares in it
// everything that was declared, from the sources that the notebook keeps (life.go).
package session

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/cell"
	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/cell/lineage"
	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/proc"
	"github.com/holt-dl/holt/kernel/jupyter/comm"
	"github.com/holt-dl/holt/kernel/jupyter/live"
	"github.com/holt-dl/holt/kernel/machine/scratch"
	"github.com/holt-dl/holt/kernel/machine/tensorboard"
	"github.com/holt-dl/holt/kernel/session/assist"
	"github.com/holt-dl/holt/kernel/session/modules"
	"github.com/holt-dl/holt/kernel/session/report"
	"github.com/holt-dl/holt/kernel/session/wasm"
)

// Output receives what cells show. Every call that belongs to a cell is made before
// [Session.Execute] returns; what a goroutine of an earlier cell shows may come at any time.
// Its methods may be called by several goroutines.
//
// An Output that has the methods Comm and Flush too (commSender in page.go) has a page: only
// then do widgets and live displays of training runs work.
type Output interface {
	Stream(name string, p []byte) // name is "stdout" or "stderr"
	Frame(m frame.Message)        // display, update, result, clear or warn
}

// Request is one cell to run, with what of Jupyter's execute_request concerns it. Its functions
// may be called at any time until Execute returns, Late's methods also after that.
type Request struct {
	Code   string
	CellID string // JupyterLab's cellId; empty where it was not sent
	Count  int    // the execution count, shown as In [Count]
	// A silent request is no cell of the notebook: it does not make others out of date.
	// AllowStdin is the client's allow_stdin.
	Silent     bool
	AllowStdin bool
	// Queued reports whether a cell, by its CellID, waits to be run after this
	// one; nil when that is not known.
	Queued func(cellID string) bool
	// Late receives what goroutines of the cell show when it is over; nil for the
	// cell that runs then.
	Late Output
	// Input requests a line from the user; nil when AllowStdin is false.
	Input func(prompt string, password bool) (string, error)
}

// Failure is why a cell ended in an error, as Jupyter shows it. The name is here too, so that
// packages that run cells need not import report.
type Failure = report.Failure

// Options are the settings of a session. Source is required; the zero value of each other field
// is a working default.
type Options struct {
	Source   fs.FS  // the module that holds the host program: holt.Source
	Main     string // the host's main package; build.Options says the default
	Dir      string // where cells run; empty for the current directory
	CacheDir string // where worlds are kept; build.Options says the default
	Version  string // of Holt, for %version
	// Connection is the connection file that Jupyter wrote, whose name and folder
	// tell of its server; empty where there is none.
	Connection string
}

// Session is one notebook: its declarations, its host process, its values.
//
// Its fields are in four groups, by who may touch them: those that are set by [Open] and guard
// themselves; those that mu guards; those that the goroutine of open writes until the session
// is ready, and after that the holder of run; and the last, which only holders of run use.
type Session struct {
	// Set by Open and not replaced after it.
	opt      Options
	out      Output
	ctx      context.Context // ends with Close
	cancel   context.CancelFunc
	ready    chan struct{} // closed when a host has run for the first time
	notes    *progress
	liveRuns *live.Views
	page     *comm.Page
	boards   tensorboard.Servers

	// The holder of run is the one cell of this session. It is not held across the reply: work
	// that was put off is done by Answered, which only tries to get it.
	run sync.Mutex // held by Execute

	mu        sync.Mutex // guards what follows
	opening   *opening   // the last attempt to open the session
	proc      *proc.Process
	req       Request
	running   int            // the program that runs, by its number; 0 for none
	late      map[int]Output // of the programs of this host, by their numbers
	value     *frame.Bundle  // where the value of an expression goes; nil for a cell
	abandoned bool           // the last cell waits where an interrupt does not reach it
	copyTo    *os.File       // of %capture; nil for none
	assistant *assist.Assistant
	fetching  bool // there was no gopls, and it is being built
	snapshot  assist.Snapshot
	known     *scope.Model // what names mean after the last cell; nil before the first
	written   *scope.Model // what snapshot was written of
	warnings  []string     // to be shown by the next cell

	// These belong to open while an attempt lasts, and to Execute after one that
	// succeeded.
	scratch  *scratch.Dir
	dir      string // the path of scratch: the files of this session
	programs int    // that were run, in all
	spare    spare  // a second copy of what later cells are compiled against
	// What compiles and what is declared. World, packages and nb are made together: nb holds
	// types that packages has read from archives of world.
	world    *build.World
	packages *modules.Packages
	nb       *cell.Notebook
	lineage  lineage.Log
	archives map[string]string // cells' archives by import path
	carriers map[string]string // those among them whose plugins brought packages ([build.World.Carries])
	sources  report.Sources    // cells' texts by name, for traces
	// What is known of the state: of work that waits, of files that were read, and of a host
	// that is gone.
	putOff  func() // see Answered; nil when nothing is
	modfile string // the go.mod that snapshot holds
	cwd     string
	env     []string         // set by %env
	died    string           // why the last host ended; empty while it lives
	rebuilt bool             // the world was made anew, because its host did not start
	modules *modules.Modules // the notebook's own go.mod

	// What commands have asked for, and what was said once and need not be said again.
	last         *parse.Source // the cell that ran last, for !*; nil before the first
	args         []string      // of %args alone in a cell
	argsOf       *proc.Process // the host that has argsSet
	argsSet      []string
	wasmFolder   *wasm.Folder // nil until %wasm is used
	copyNoticed  bool         // it was said that a cell is linked with copies
	flagsNoticed bool         // it was said which flags of %goflags are heeded
}

// Open starts a session. It returns at once: the host process is built and started in the
// background, and the first Execute waits for it. Where that fails, the cell that waits is
// given the reason, and the next one tries again.
//
// The first start on a machine compiles the host, which takes long, while the kernel must
// answer Jupyter's kernel_info_request soon. So only a missing Source, which is a mistake of
// the program that calls, is an error here.
func Open(opt Options, out Output) (*Session, error) {
	if opt.Source == nil {
		return nil, errors.New("session: Source is nil, want the module that holds the host program")
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Session{
		opt: opt, out: out, ctx: ctx, cancel: cancel, cwd: opt.Dir,
		ready: make(chan struct{}), notes: newProgress(out),
		archives: map[string]string{}, carriers: map[string]string{}, sources: map[string]string{},
	}
	// Both call back into s, and so cannot be made before it. The attempt comes last: its
	// goroutine reads all the fields above.
	s.page, s.liveRuns = s.newPage(), s.newViews()
	s.attempt()
	return s, nil
}

// input requests a line from the person for the cell that runs, with that cell's own request:
// proc is given one function for the life of the host, while each request brings the connection
// to the client that sent it.
func (s *Session) input(prompt string, password bool) (string, error) {
	s.mu.Lock()
	ask := s.req.Input
	s.mu.Unlock()
	if ask == nil {
		return "", errors.New("this notebook's client does not take input (allow_stdin is false); run it in JupyterLab or jupyter console")
	}
	return ask(prompt, password)
}

// Execute runs one cell and returns nil when it succeeded. Cancelling ctx interrupts the cell;
// its values survive.
//
// A second call waits for the first one. Where the session could not be opened yet, Execute
// waits for that too, and answers with the reason when it fails.
func (s *Session) Execute(ctx context.Context, req Request) *Failure {
	s.run.Lock()
	defer s.run.Unlock()
	s.mu.Lock()
	s.req = req
	s.abandoned = false
	s.mu.Unlock()
	defer s.showWarnings()
	// No field of the third group may be read before this: open writes them.
	if f := s.await(ctx); f != nil {
		return f
	}
	// The name goes into //line directives, into what the compiler says and into traces, from
	// which package report finds the text again. The number is Jupyter's execution count, which
	// silent requests do not raise, so two programs can have one name; the number of a program
	// (p.Seq) tells them apart.
	name := fmt.Sprintf("cell[%d]", req.Count)
	s.sources[name] = req.Code
	return s.sources.Failure(s.execute(ctx, name, req.Code))
}

// runCell checks, builds and runs Go code.
//
// It checks the text twice when an import changes the modules that the host was built from (a
// newer version of a shared module, say): cells must be compiled against the archives of the
// process that loads them. So the old host is replaced, all is declared again in the new one,
// and only then does the cell mean anything there.
func (s *Session) runCell(ctx context.Context, src parse.Source) error {
	began := time.Now()
	p, err := s.check(ctx, src)
	slog.Debug("checked", "name", src.Name, "took", time.Since(began))
	if errors.Is(err, modules.ErrNewHost) {
		if err := s.replaceHost(ctx); err != nil {
			return err
		}
		p, err = s.check(ctx, src)
	}
	if err != nil {
		return err
	}
	// Said before the cell runs, so that it is there above what the cell prints, and also when
	// the cell never ends.
	for _, n := range p.Notices {
		s.notice(n)
	}
	return s.runProgram(ctx, p, src.Name)
}

// notice tells the person something, below the cell. It is a frame of its own kind, not text on
// standard error, which front ends colour as they colour errors.
func (s *Session) notice(sentence string) {
	b := frame.Text("holt: " + sentence)
	s.out.Frame(frame.Message{Kind: frame.KindWarn, Bundle: &b})
}

// check is the front end, whose own faults must not end the kernel: with it would go the
// notebook's queue and its values. A panic in go/types or in the rewriting becomes the cell's
// error, with the stack in the kernel's log. That is sound because the check changes nothing of
// the notebook.
//
// While it lasts, a line below the cell shows what is fetched or compiled for its imports, and
// when it ends, a line for each module that came stays.
func (s *Session) check(ctx context.Context, src parse.Source) (p *cell.Program, err error) {
	defer func() {
		if r := recover(); r != nil {
			slog.Error("the front end failed", "panic", r, "cell", src.Text, "stack", string(debug.Stack()))
			err = fmt.Errorf("Holt failed on this cell: %v; nothing of it took effect; please report the cell's text", r)
		}
	}()
	stop := s.notes.show()
	defer func() {
		news := s.packages.News()
		if len(news) == 0 {
			stop("packages were looked for")
			return
		}
		stop("")
		for _, n := range news {
			s.notes.say(n)
		}
	}()
	return s.nb.Check(ctx, src)
}

// runProgram builds and runs a checked program and commits what it declares.
//
// How much is committed depends on how it ended:
//
//	the build failed       nothing: no code of it ran
//	the host ended         what needs no statement (Commit(0)): types and functions
//	the plugin is refused  nothing: its code never ran, and the host is given up
//	it ran to its end      all (-1)
//	it ran into an error   the variables of the statements that were done (Reached)
//
// Whatever happens, completion then knows what is declared (remember). The caller holds run,
// and has made sure that there is a host.
func (s *Session) runProgram(ctx context.Context, p *cell.Program, name string) error {
	// What the last cell put off would meet this build: it removes files and starts the tools
	// that this program is built with.
	s.catchUp()
	defer s.remember()
	commit := func(reached int) {
		p.Commit(reached)
		s.record(p, name, reached)
	}
	// A cell of imports or comments only has no code, and still says what names mean.
	if p.Empty {
		commit(-1)
		return nil
	}
	// Stage 1: compile and link. The files of earlier cells that it needs are in TMPDIR, so
	// they are looked after first.
	unit := s.unit(p)
	if err := s.mendFolder(unit); err != nil {
		return err
	}
	b, err := s.world.Build(ctx, unit)
	if err != nil {
		// The tools that waited for this text have been used up by it. The person mends the
		// cell and runs it as the same program: it was not committed, so its number is free
		// again.
		s.buildAhead(p.Seq)
		if keep := os.Getenv("HOLT_DEBUG"); keep != "" {
			s.out.Stream("stderr", []byte(p.Describe()))
		}
		return err
	}
	// From here on its archive counts as loaded: even a cell that fails at its first line stays
	// in the process, and later links must know what it brought.
	s.archives[p.Path] = b.Archive
	// Linked with copies, a cell works, but takes longer and more memory. Said once in a
	// session: later cells with the same packages have the same reason.
	if b.Copied != "" {
		slog.Warn("a cell is linked with copies of its packages", "cell", unit.Path, "why", b.Copied)
		if !s.copyNoticed {
			s.copyNoticed = true
			s.notice(fmt.Sprintf("this cell is linked with copies of its packages, in %.1f s, as later cells with these packages will be, because it could not be bound to the host (%s); values are shared all the same", b.LinkTime.Seconds(), b.Copied))
		}
	}
	began := time.Now()
	// Stage 2: load and run. Until stop, output of this program is the running cell's.
	stop := s.runs(p.Seq)
	done, err := s.process().Run(ctx, proc.Unit{Plugin: b.Plugin, Path: p.Path, File: name, Cell: p.Seq, Deps: sorted(unit.Deps)})
	stop()
	// Stage 3: what later cells need of it. A leaf, which declares nothing, is never imported;
	// but when its plugin was the first to hold some package, later plugins are bound to that
	// one, and need what describes it.
	carries := s.world.Carries(b.Archive)
	if carries {
		s.carriers[p.Path] = b.Archive
	}
	if !p.Leaf || carries {
		if err := s.spare.keep(s.dir, b.Kept()...); err != nil {
			slog.Warn("session: no second copy of a cell is kept, which would be needed where TMPDIR is cleaned", "err", err)
		}
	}
	// Not now: the reply would wait for it.
	s.putOff = func() {
		if s.world.Tidy(unit, b, p.Leaf) { // the plugin stays mapped
			delete(s.archives, p.Path)
		}
		s.buildAhead(p.Seq + 1)
	}
	slog.Debug("cell", "name", name, "ahead", b.Ahead, "compile", b.CompileTime, "link", b.LinkTime, "host", time.Since(began),
		"load", time.Duration(done.LoadNanos), "run", time.Duration(done.RunNanos))
	if err != nil {
		p.Commit(0)
		return s.recordHostExit(err)
	}
	// Stage 4: how it ended, and what of it counts.
	s.warnOfMaps()
	if done.Result == msg.Refused {
		// A plugin that could not be loaded stays mapped in part, and the host refuses all that
		// come after it. The text of the refusal speaks of Go's packages; report.Refused says
		// what to do.
		s.process().Kill()
		ended := s.recordHostExit(report.Refused(done.Value))
		ended.Frames = done.Frames
		return ended
	}
	if done.Result == msg.OK {
		commit(-1)
		return nil
	}
	commit(done.Reached)
	s.mu.Lock()
	s.abandoned = done.Stuck != ""
	s.mu.Unlock()
	// os.Exit(0) in a cell ends it early, as it would end a program, and is no error.
	if done.Result == msg.Exited && done.Code == 0 && done.Stuck == "" {
		return nil
	}
	return &report.Ended{Done: done}
}

// unit is a program as the world builds it: with the archives of the programs that it imports,
// and of those that brought packages, among which the linker looks for what these need.
//
// Deps are what the compiler reads, Loaded what the linker binds to besides. Loaded is a copy,
// because the carriers change while tools that were started ahead still read it.
func (s *Session) unit(p *cell.Program) build.Unit {
	unit := build.Unit{Path: p.Path, Dir: s.unitDir(p.Seq), Deps: map[string]string{}, CDir: s.cwd, CTypes: map[string]build.CType{}}
	// Patterns of go:embed mean files in the folder of the cells, not in that of the unit.
	for _, e := range p.Embeds {
		unit.Embed = append(unit.Embed, build.Embed{Pattern: e.Pattern, File: e.Cell, Line: e.Line})
	}
	for name, t := range p.CTypes {
		unit.CTypes[name] = build.CType(t)
	}
	// What the compiler prints is shown only where the person has asked for it by a flag.
	unit.Flags, unit.Said = s.modules.GCFlags(), s.compilerSaid
	for _, f := range p.Files {
		unit.Files = append(unit.Files, build.File{Name: f.Name, Text: []byte(f.Text)})
	}
	// Deps are numbers: of programs that this one imports, directly or through others.
	for _, d := range p.Deps {
		path := spell.PkgPath(d)
		unit.Deps[path] = s.archives[path]
	}
	unit.Loaded = maps.Clone(s.carriers)
	return unit
}

// Answered says that the reply to the last cell is out. What need not come before that is done
// now: files are removed, and the tools of the next cell are started. Without it that is done
// when the next cell comes.
//
// It does nothing when the next cell runs already, since that cell has done the work itself; so
// it never waits, and may be called from any goroutine.
func (s *Session) Answered() {
	if s.run.TryLock() { // else the next cell runs
		defer s.run.Unlock()
		s.catchUp()
	}
}

// catchUp does what was put off, once. The caller holds run.
func (s *Session) catchUp() {
	if f := s.putOff; f != nil {
		s.putOff = nil
		f()
	}
}

// buildAhead has the tools started that build program seq, which is the next one where the cell
// has any. The compiler is given its file names when it starts and reads the text later, so
// these are the names that generated code has; there may be more of them than the program has
// files. A program that does not fit is built by tools of its own. Starting them early takes
// their start, and reading export data, out of the time that a person waits.
func (s *Session) buildAhead(seq int) {
	if !s.scratch.Intact() { // the next cell repairs it
		return
	}
	u := build.Unit{Path: spell.PkgPath(seq), Dir: s.unitDir(seq), Deps: s.archives, Flags: s.modules.GCFlags()}
	for _, name := range []string{"f0.go", "f1.go", "f2.go", "f3.go", "support.go"} {
		u.Files = append(u.Files, build.File{Name: name, Text: fmt.Appendf(nil, "package c%d\n", seq)})
	}
	s.world.Ahead(u)
}

// unitDir returns the folder in which program seq is built.
func (s *Session) unitDir(seq int) string { return filepath.Join(s.dir, fmt.Sprintf("c%d", seq)) }

// IsComplete answers Jupyter's is_complete_request: status is "complete", "incomplete" or
// "invalid", and indent what the next line starts with. Consoles ask it at every press of the
// Enter key, so it only parses, and does not wait for the host.
func (s *Session) IsComplete(code string) (status, indent string) {
	parts := gonb.Split(code)
	last := code[strings.LastIndexByte(code, '\n')+1:]
	if isCommandLine(last) && strings.HasSuffix(last, "\\") { // the next line goes on
		return "incomplete", ""
	}
	// A cell of another language (%%bash) is not ours to judge, and nothing is missing from one
	// that has commands only.
	if parts.Magic != "" || strings.TrimSpace(parts.Go) == "" {
		return "complete", ""
	}
	return parse.IsComplete(parts.Go)
}

// Abandoned reports whether the last cell was interrupted and could not be stopped, so that it
// is left behind in the host. The kernel asks at a further interrupt, which then means the host
// itself: see [Session.Kill].
func (s *Session) Abandoned() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.abandoned
}

// Close ends the host process and removes the session's files. It may be called while the
// session is being opened, and while a cell runs, which then fails.
func (s *Session) Close() error {
	// First, since the end of the host would be shown in each display as the end of its run.
	s.liveRuns.Close() // End said it where there was someone to read it
	s.cancel()
	if p := s.process(); p != nil {
		p.Kill()
		select {
		case <-p.Done():
		// A process that the system does not end, in a driver say, must not keep Jupyter
		// waiting.
		case <-time.After(2 * time.Second):
		}
	}
	// The rest belongs to the goroutine of open until its attempt is over. s.cancel makes that
	// soon.
	<-s.attempted().done
	s.boards.Close()
	s.mu.Lock()
	a := s.assistant
	s.mu.Unlock()
	if a != nil {
		a.Close()
	}
	// These are nil where the session was never opened.
	if s.world != nil {
		s.world.Close()
	}
	if s.wasmFolder != nil {
		s.wasmFolder.Remove()
	}
	s.spare.close()
	if s.scratch == nil {
		return nil
	}
	return s.scratch.Remove()
}
