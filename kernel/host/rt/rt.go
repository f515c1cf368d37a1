// Package rt is what generated cell code calls: the interrupt check of every
// loop, waits that an interrupt ends, the error of a top-level statement, the
// value of a cell.
//
// Every cell links this package again, so it imports only runtime,
// sync/atomic and unsafe. The host process fills in [Host],
// [Stdout] and [Stderr] and reads the other state; nothing here is for people to call.
package rt

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// Watch makes a program's stop flag known. Every cell's package has one, and
// calls this when its plugin is opened. Loops and function entries contain
//
//	if ˣstop != 0 { rt.Check() }
//
// with a plain load: it costs next to nothing, and a stale value is seen anew
// in the next iteration. The flag is raised while a goroutine of an interrupted
// cell may run that program; it is the program's own, so that a cell which
// cannot be stopped costs the others nothing.
func Watch(path string, flag *uint32) {
	if Host.Watch != nil {
		Host.Watch(path, flag)
	}
}

// Never is always false. It is a variable, so that the compiler keeps the code behind
// it, which is linked and never runs.
var Never bool

// Reached counts the top-level statements of the running cell that are done,
// as far as they define variables: those after it keep their old meaning.
var Reached int

// Entry is the function that runs the cell which is being loaded: every cell
// sets it when its plugin is opened.
var Entry func()

// stopped holds one mark per interrupted execution. It is replaced, never
// changed in place.
var stopped atomic.Pointer[[]Mark]

// Mark names an execution to [Check]: the profiler labels that its goroutines
// carry, which children inherit, and the labels that a goroutine gets when
// Check ends it, so that the checks inside its deferred functions pass.
type Mark struct {
	Labels unsafe.Pointer // as runtime/pprof.SetGoroutineLabels sets them
	Ending unsafe.Pointer
	Gone   *atomic.Bool // set when Check ends a goroutine of this execution
	// Goroutine is the number of the cell's own goroutine, which is found even
	// when user code has changed its labels with runtime/pprof.
	Goroutine int64
}

// SetStopped replaces the list of interrupted executions.
func SetStopped(marks []Mark) { stopped.Store(&marks) }

// Labels returns the profiler labels of the calling goroutine.
func Labels() unsafe.Pointer { return getProfLabel() }

// Check ends the calling goroutine if it belongs to an interrupted execution:
// its deferred functions run, recover does not stop it. Other goroutines
// return at once, those of earlier cells among them.
func Check() {
	marks := stopped.Load()
	if marks == nil {
		return
	}
	labels := getProfLabel()
	for i := range *marks {
		if m := &(*marks)[i]; m.Labels == labels {
			m.end()
		}
	}
	if labels != nil && (Host.Owned == nil || Host.Owned(labels)) {
		return
	}
	id := Goroutine()
	for i := range *marks {
		if m := &(*marks)[i]; m.Goroutine == id {
			m.end()
		}
	}
}

// end ends the calling goroutine.
func (m *Mark) end() {
	// A deferred function has checks of its own: without this change it would
	// end at its first line, and clean nothing up.
	setProfLabel(m.Ending)
	if m.Gone != nil {
		m.Gone.Store(true)
	}
	runtime.Goexit()
}

// Goroutine returns the number of the calling goroutine, from the first line
// of its trace: "goroutine 12 [running]:". It takes about a microsecond.
func Goroutine() int64 {
	var buf [32]byte
	n := runtime.Stack(buf[:], false)
	var id int64
	for _, c := range buf[min(n, len("goroutine ")):n] {
		if c < '0' || c > '9' {
			break
		}
		id = 10*id + int64(c-'0')
	}
	return id
}

// Writer is io.Writer, which this package does not import.
type Writer interface {
	Write(p []byte) (n int, err error)
}

// Stdout and Stderr are what the text of a cell prints to: the cell whose
// goroutine prints. The host process sets them.
var Stdout, Stderr Writer

// Exit is os.Exit in a cell's text: it ends the cell with all its goroutines, and
// not the process. Their deferred functions run.
func Exit(code int) { exit(code, "os.Exit") }

// Fatal ends the cell as log.Fatal does.
func Fatal() { exit(1, "log.Fatal") }

func exit(code int, what string) {
	if Host.Exit != nil {
		_, file, line, _ := runtime.Caller(2)
		Host.Exit(code, what, file, line)
	}
	Check()
	runtime.Goexit() // also a goroutine of a cell that has ended
}

// failed is what [Err] and its like panic with. Recover functions of user
// code may see it, as any value that is panicked with; the host recognises it.
type failed struct {
	err  error
	file string
	line int
}

// Error returns the text of the error, for user code that recovers it.
func (f *failed) Error() string { return f.err.Error() }

// Unwrap returns the error that the cell's statement gave.
func (f *failed) Unwrap() error { return f.err }

// Failed takes the error and its place apart when v, a recovered value, comes
// from [Err], [Drop], [Must] or [ResultErr]. Of any other value the error is nil.
func Failed(v any) (file string, line int, err error) {
	if f, ok := v.(*failed); ok {
		return f.file, f.line, f.err
	}
	return "", 0, nil
}

// Err ends the cell with err unless it is nil.
func Err(err error) {
	if err != nil && (Host.Harmless == nil || !Host.Harmless(err)) {
		fail(err)
	}
}

// Drop takes the results of a call whose last result is an error, and ends
// the cell with that error unless it is nil.
func Drop(vals ...any) {
	if err := last(vals); err != nil {
		fail(err)
	}
}

// Must returns the value of a call that stands inside of a statement, and ends the cell
// with the call's error unless it is nil.
func Must[T any](v T, err error) T {
	if err != nil {
		fail(err)
	}
	return v
}

// Must2 is [Must] for a call that returns two values.
func Must2[T, U any](v T, w U, err error) (T, U) {
	if err != nil {
		fail(err)
	}
	return v, w
}

// Result shows vals as the value of the cell.
func Result(vals ...any) {
	if Host.Result != nil {
		Host.Result(vals)
	}
}

// ResultErr is [Drop] for the last of vals and [Result] for the others.
func ResultErr(vals ...any) {
	if err := last(vals); err != nil {
		fail(err)
	}
	if len(vals) > 1 && Host.Result != nil {
		Host.Result(vals[:len(vals)-1])
	}
}

// Keep does nothing with vals. Behind "if rt.Never" it makes the conversions
// to interfaces in its arguments part of the plugin. It is not inlined: the
// compiler would see that nothing needs them.
//
//go:noinline
func Keep(vals ...any) {}

func last(vals []any) error {
	if len(vals) == 0 {
		return nil
	}
	err, _ := vals[len(vals)-1].(error)
	return err
}

// fail ends the cell at the line that called Err, Drop, Must or ResultErr.
func fail(err error) {
	_, file, line, _ := runtime.Caller(2)
	panic(&failed{err, file, line})
}

//go:linkname getProfLabel runtime/pprof.runtime_getProfLabel
func getProfLabel() unsafe.Pointer

//go:linkname setProfLabel runtime/pprof.runtime_setProfLabel
func setProfLabel(labels unsafe.Pointer)
