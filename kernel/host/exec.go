package host

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"io"
	"os"
	"plugin"
	"reflect"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/rt"
)

// Grace is how long an interrupted cell has to end before it is abandoned.
const Grace = time.Second

// execution is one run of one cell, and the goroutines it leaves behind. It is made by the
// goroutine of serve; the fields that change are atomic, or belong to the cell's own goroutine.
type execution struct {
	// cell is the number of the program, run what the kernel said of it.
	s    *server
	cell int
	run  msg.Run

	// Two sets of labels: those of the cell, and those that its goroutines get when they end by
	// an interrupt (rt.Mark).
	ctx    context.Context // carries labels, as pprof wants them
	cancel context.CancelCauseFunc
	mark   rt.Mark
	hold   [2]context.Context // keep the labels of mark alive

	goroutine   atomic.Int64 // id of the cell's own goroutine; 0 before it starts
	interrupted atomic.Bool
	exited      atomic.Pointer[msg.Done] // set when the cell has called os.Exit
	halted      sync.Once
	reported    atomic.Bool   // Done is sent, or about to be
	ended       chan struct{} // closed when the cell's own goroutine ends

	began, ran time.Time
	boot       time.Duration // when it began, on the clock of sinceBoot
}

// errInterrupt is the cause with which a cell's context is cancelled.
var errInterrupt = errors.New("interrupted")

// newExecution makes an execution that can be found by its labels from then on. Both sets of
// labels lead to it: a deferred function of a goroutine that is being ended still prints for
// its cell. The label "ending" is another than "cell", so a goroutine that ends already does
// not count as one that an interrupt must wait for (labelled).
func (s *server) newExecution(cell int, run msg.Run) *execution {
	e := &execution{s: s, cell: cell, run: run, ended: make(chan struct{}), began: time.Now(), boot: sinceBoot()}
	number := strconv.Itoa(cell)
	labels := pprof.WithLabels(context.Background(), pprof.Labels("cell", number))
	ending := pprof.WithLabels(context.Background(), pprof.Labels("ending", number))
	e.hold = [2]context.Context{labels, ending}
	e.mark = rt.Mark{Labels: pointerOf(labels), Ending: pointerOf(ending), Gone: new(atomic.Bool)}
	e.ctx, e.cancel = context.WithCancelCause(labels)
	s.execs.Store(e.mark.Labels, e)
	s.execs.Store(e.mark.Ending, e)
	s.files.Store(run.File, true)
	if cell%forgetEvery == 0 {
		s.forget()
	}
	return e
}

// forgetEvery is after how many executions those are forgotten that left no goroutine behind.
// Looking for them takes a profile of all goroutines, which stops the world.
const forgetEvery = 64

// forget drops the executions that are over: their goroutine has ended, and no other carries
// their labels. One that is dropped too early would print for the running cell, and no
// interrupt would find it.
func (s *server) forget() {
	alive := labelled()
	s.execs.Range(func(labels, value any) bool {
		if e := value.(*execution); ended(e) && !alive[strconv.Itoa(e.cell)] {
			s.execs.Delete(labels)
		}
		return true
	})
}

// pointerOf returns the labels of a context as goroutines carry them. Package pprof does not
// tell; so a goroutine sets them on itself and looks. It is one of its own, since the caller's
// labels must stay.
func pointerOf(ctx context.Context) (labels unsafe.Pointer) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		pprof.SetGoroutineLabels(ctx)
		labels = rt.Labels()
	}()
	<-done
	return labels
}

// start runs a cell on a goroutine of its own. It is called by serve, and does not wait. A
// refusal is reported as the end of the cell, like any end.
func (s *server) start(cell int, run msg.Run) {
	e := s.newExecution(cell, run)
	// An earlier refusal: see main.
	if why := s.poisoned.Load(); why != nil {
		e.finish(msg.Done{Result: msg.Refused, Name: "plugin", Value: *why})
		close(e.ended)
		return
	}
	if other, used := s.loaded.LoadOrStore(run.Path, cell); used {
		// Old variables would meet new code. Nothing was opened, so the
		// process stays sound.
		e.finish(msg.Done{Result: msg.Refused, Name: "plugin",
			Value: fmt.Sprintf("%s was loaded before, as cell %v; give every execution a path of its own", run.Path, other)})
		close(e.ended)
		return
	}
	// Without a pipe the cell reads what the last one left, which is closed; no reason to
	// refuse it.
	if err := s.stdin.begin(cell); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	s.std.begin()
	// Printing and interrupts look here, so all must be in place.
	s.current.Store(e)
	go e.main()
	go s.watchStdin(e)
}

// main is the cell's goroutine. However it ends, by return, panic or Goexit, the deferred call
// reports it.
//
// Several of these may hold at once; the order of the cases decides: a plugin that was not
// loaded, an exit that the cell asked for, success, a panic, an interrupt. After an interrupt
// even a return counts as interrupted, since a wait that it cut short may have made the cell
// return.
func (e *execution) main() {
	e.goroutine.Store(rt.Goroutine())
	debug.SetPanicOnFault(true) // wild addresses become panics, on this goroutine
	// From here on, all goroutines that the cell starts are known to be its own.
	pprof.SetGoroutineLabels(e.ctx)
	var load msg.Done
	returned := false
	defer func() {
		defer close(e.ended)
		r := recover()
		switch {
		case load.Result != "":
			e.finish(load)
		case e.exited.Load() != nil:
			e.finish(*e.exited.Load())
		case returned && !e.interrupted.Load():
			e.finish(msg.Done{Result: msg.OK})
		case r != nil:
			e.finish(e.failure(r))
		case e.mark.Gone.Load() || e.interrupted.Load():
			e.finish(msg.Done{Result: msg.Interrupted, Name: "Interrupted", Value: "the cell was interrupted"})
		default:
			e.finish(msg.Done{Result: msg.Goexit, Name: "Goexit", Value: "the cell called runtime.Goexit"})
		}
	}()
	entry, frames, err := e.load()
	if err != nil {
		// The refused file stays mapped, and its packages may become the
		// copies that later plugins use: this process must load no more.
		why := fmt.Sprintf("an earlier plugin was refused (%v); restart the host", err)
		e.s.poisoned.Store(&why)
		load = msg.Done{Result: msg.Refused, Name: "plugin", Value: err.Error(), Frames: frames}
		return
	}
	e.s.plugins.Add(1)
	e.s.send(msg.KindStarted, e.cell, struct{}{})
	e.ran = time.Now()
	entry()
	returned = true
}

// load opens the plugin and finds its entry. The initialisers of packages that the process did
// not have yet run here; one that panics counts as refused, since a later plugin with that
// package would end the process. The frames are those of its panic.
//
// The cell's package sets rt.Entry when it is initialised, so no symbol need be looked up by
// its name.
func (e *execution) load() (entry func(), frames []msg.Frame, err error) {
	defer func() {
		if r := recover(); r != nil {
			var pkg string
			frames, pkg = initFrames(panicFrames())
			err = fmt.Errorf("the initialiser of %s panicked: %s", pkg, text(r))
		}
	}()
	rt.Entry = nil
	if _, err := plugin.Open(e.run.Plugin); err != nil {
		return nil, nil, err
	}
	if rt.Entry == nil {
		return nil, nil, fmt.Errorf("plugin %s has no entry; it was not made by kernel/build", e.run.Plugin)
	}
	return rt.Entry, nil, nil
}

// finish sends Done, once, after all output that the cell made. It is called when the cell's
// goroutine ends, and by abandon when it does not; the first call counts. Once it is called,
// the execution is reported, and later output of its goroutines is that of a cell that is over.
func (e *execution) finish(d msg.Done) {
	if !e.reported.CompareAndSwap(false, true) {
		return
	}
	e.s.stdin.end(e.cell)
	// One that was refused before it began is not current, and has no files to put back.
	if e.s.current.Load() == e {
		e.s.std.end(d.Result != msg.OK)
	}
	// How far it came decides which of its variables count. An abandoned cell may go on to the
	// next statement after this; its variables are then those of a statement that was not
	// reached.
	d.Reached = rt.Reached
	if !e.ran.IsZero() {
		d.LoadNanos, d.RunNanos = int64(e.ran.Sub(e.began)), int64(time.Since(e.ran))
	}
	// A display that hangs in its last frame must not hide the cell's end.
	flushed := make(chan struct{})
	go func() {
		defer close(flushed)
		defer func() {
			if r := recover(); r != nil {
				fmt.Fprintf(os.Stderr, "holt-host: the last frame of a display panicked: %s\n", text(r))
			}
		}()
		// The last frames are the cell's, as their labels say.
		pprof.SetGoroutineLabels(e.hold[0])
		frame.Flush()
	}()
	select {
	case <-flushed:
	case <-time.After(2 * time.Second):
		fmt.Fprintln(os.Stderr, "holt-host: a display did not draw its last frame within 2 s")
	}
	flushC()
	e.s.current.CompareAndSwap(e, nil)
	e.s.send(msg.KindDone, e.cell, d)
}

// result is rt.Result: it runs on the cell's goroutine, so that an interrupt ends a slow String
// method too.
//
// One value is the cell's result. Several, of one call, are shown as Python shows a tuple where
// all are plain text, on lines of their own if one of them has lines:
//
//	f()        →    3, true
//
// and otherwise each as a display, since a notebook has one result for a cell.
func (s *server) result(vals []any) {
	var bundles []frame.Bundle
	plain := true
	for _, v := range vals {
		b := s.render(v)
		plain = plain && len(b.Data) == 1 && b.Data["text/plain"] != nil
		bundles = append(bundles, b)
	}
	switch {
	case len(bundles) == 1:
		frame.Result(bundles[0])
	case plain: // several results of one call, as Python prints a tuple
		var texts []string
		sep := ", "
		for _, b := range bundles {
			t := fmt.Sprint(b.Data["text/plain"])
			texts = append(texts, t)
			if strings.Contains(t, "\n") {
				sep = "\n"
			}
		}
		frame.Result(frame.Text(strings.Join(texts, sep)))
	default:
		for _, b := range bundles {
			frame.Display(b)
		}
	}
}

// render draws a value; a method of the value that panics spoils the picture,
// not the cell.
func (s *server) render(v any) (b frame.Bundle) {
	defer func() {
		if r := recover(); r != nil {
			b = frame.Text(fmt.Sprintf("%T (drawing it panicked: %s)", v, text(r)))
		}
	}()
	return s.opt.Render(v)
}

// failure describes a recovered panic. It is called by the function that recovered it, while
// the panicking calls are still on the stack: once that function has returned, no trace of them
// is left.
//
// An error that a top-level statement returned is such a panic too, with its own place
// (rt.Failed); it is shown as an error and not as a panic.
func (e *execution) failure(r any) msg.Done {
	if file, line, err := rt.Failed(r); err != nil {
		d := msg.Done{Result: msg.Error, Name: typeName(err), Value: text(err), Pos: &msg.Pos{File: file, Line: line}}
		return e.byInterrupt(d, err)
	}
	d := msg.Done{Result: msg.Panic, Name: typeName(r), Value: explainTwice(explainOld(unmarked(r))), Stack: string(debug.Stack())}
	d.Frames = panicFrames()
	d.Pos = e.s.innermost(d.Frames)
	err, _ := r.(error)
	return e.byInterrupt(d, err)
}

// twice are the panics of registries that take a name once in a process: what a program does
// once at its start, a cell does each time it runs. Has is a part of the panic's text, try what
// the person can write.
var twice = []struct{ has, try string }{
	{"http: multiple registrations for ", "register on a new mux := http.NewServeMux(), made in the same cell"},
	{") conflicts with pattern ", "register on a new mux := http.NewServeMux(), made in the same cell"},
	{"duplicate metrics collector registration attempted", "register with a new reg := prometheus.NewRegistry(), made in the same cell"},
	{"Reuse of exported var name: ", "take what is there by expvar.Get(name)"},
	{"flag redefined: ", "define flags on a new fs := flag.NewFlagSet(\"cell\", flag.ContinueOnError), made in the same cell"},
	{"sql: Register called twice for driver ", "leave the line out: the driver is there"},
	{"gob: registering duplicate ", "leave the line out, or give the type another name"},
}

// explainTwice adds to such a panic that the name is taken since the cell ran before, and what
// to do. Any other text stays as it is.
func explainTwice(text string) string {
	for _, t := range twice {
		if strings.Contains(text, t.has) {
			return strings.TrimRight(text, "\n") + "; a cell of this notebook did this before in the same process, which is alive: " + t.try + ", or restart the kernel"
		}
	}
	return text
}

// byInterrupt turns an error that comes of an interrupt into the interrupt it is: a cancelled
// context, the end of standard input or of a program. Without an interrupt the same errors are
// the cell's own, and d stays as it is.
func (e *execution) byInterrupt(d msg.Done, err error) msg.Done {
	if !e.interrupted.Load() {
		return d
	}
	for _, target := range []error{context.Canceled, errInterrupt, io.EOF, io.ErrUnexpectedEOF} {
		if errors.Is(err, target) {
			d.Result, d.Name = msg.Interrupted, "Interrupted"
		}
	}
	var program interface{ Sys() any } // an exec.ExitError
	if errors.As(err, &program) {
		if status, ok := program.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			d.Result, d.Name = msg.Interrupted, "Interrupted"
		}
	}
	return d
}

// typeName names the type of an error or of a panic's value: of the errors that wrap one
// another, the first whose type a person could have met. So fmt.Errorf("…: %w", err), whose
// type is *fmt.wrapError, has the name of what it wraps, or of the first of several; where none has
// an exported type, it is that of the outermost.
func typeName(v any) string {
	if _, ok := v.(runtime.Error); ok {
		return "runtime error"
	}
	for err, ok := v.(error); ok && err != nil; err = wrapped(err) {
		t := reflect.TypeOf(err)
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		if token.IsExported(t.Name()) {
			return fmt.Sprintf("%T", err)
		}
	}
	return fmt.Sprintf("%T", v)
}

// wrapped returns the error that another wraps, or the first of them.
func wrapped(err error) error {
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		if all := several.Unwrap(); len(all) > 0 {
			return all[0]
		}
	}
	return errors.Unwrap(err)
}

// text is the value of a panic as Go prints it, without quotes; methods that panic themselves
// are named by fmt. The prefix of runtime errors is taken off, as the type's name says it
// already.
func text(v any) string {
	switch v := v.(type) {
	case error:
		return strings.TrimPrefix(fmt.Sprint(v), "runtime error: ")
	default:
		return fmt.Sprint(v)
	}
}
