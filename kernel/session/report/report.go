// Package report says why a cell ended in an error, as Jupyter shows it: an error becomes a
// [Failure], with a name, a line, and a traceback of the cells' lines in colours.
//
// Errors come from four places, each with a type of its own, and [Sources.Failure] tells them
// apart with errors.As:
//
//	*syntax.Error        the check of the cell: lines that are wrong
//	*build.CompileError  Go's compiler
//	*Ended               the cell ran, and ended by a panic, an error or an interrupt
//	*HostDied            the process that holds the values ended
//
// Traces are cut to what is in cells: frames of generated code, of the host and of Go's runtime
// say nothing to someone who typed a cell. A line of a trace looks so, bold and faint aside:
//
//	cell[5]:3 in (*Net).Forward    return n.w.MatMul(x)
package report

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/cell/syntax"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/proc"
)

// Failure is why a cell ended in an error, as Jupyter shows it: ename, evalue and traceback of
// its error messages. Front ends show the traceback and nothing else, so it repeats name and
// value.
type Failure struct {
	Name      string   // "CompileError", "panic", "Interrupted", or the error's type
	Value     string   // one line
	Traceback []string // lines with ANSI colours; the first repeats name and value
}

// InternalCell names the programs that no cell of the person's holds: the declarations for a
// fresh host, a run of tests, an expression. Jupyter counts from 1, so no cell has the name.
const InternalCell = "cell[0]"

// Interrupted is the error of a cell that the person stopped before its code ran, or while a
// command of it did. What is the whole sentence. A cell that was stopped while it ran is an
// [Ended].
type Interrupted struct{ What string }

// Error returns What.
func (e Interrupted) Error() string { return e.What }

// Ended is the error of a cell that ran and did not succeed.
type Ended struct{ Done msg.Done }

// Error returns the text of the error or of the panic's value.
func (e *Ended) Error() string { return e.Done.Value }

// HostDied is the error of a cell during which the host process ended. Exit is nil where the
// process was ended because it refused a plugin, or its end is not known; Why says the reason
// in any case.
type HostDied struct {
	Exit   *proc.Exit
	Why    string
	Frames []msg.Frame // of an initialiser that panicked
	Lost   []string    // variables whose values ended with it
}

// Error says that the host ended and why.
func (e *HostDied) Error() string { return "the host process ended: " + e.Why }

// StartError is why a session could not be opened. The cause is most often one
// that the user can repair, such as a full disk, so the next cell tries again.
type StartError struct{ Cause error }

// Error adds to the cause what can be done about it.
func (e *StartError) Error() string {
	return shortOfMemory(e.Cause.Error()) + "; the next cell that is run tries again"
}

// shortOfMemory cuts the traces of a program that ended for want of memory, and says what
// limits it; any other text stays as it is. A limit of the address space is named, since Go and
// the libraries for GPUs reserve far more of that than they use, and the limit is met while
// memory is free.
func shortOfMemory(text string) string {
	if !slices.ContainsFunc([]string{"cannot allocate", "out of memory", "failed to create new OS thread"}, func(s string) bool { return strings.Contains(text, s) }) {
		return text
	}
	text, _, _ = strings.Cut(text, "\n")
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_AS, &limit); err == nil && limit.Cur < 1<<62 {
		return fmt.Sprintf("%s; there is too little memory: ulimit -v allows %d MiB, want 4,000 at least, or unlimited", text, limit.Cur>>20)
	}
	return text + "; there is too little memory: end other programs, or give this machine or container more"
}

// Unwrap returns the cause.
func (e *StartError) Unwrap() error { return e.Cause }

// maxInitFrames is how many calls are shown of an initialiser that panicked.
const maxInitFrames = 4

// Gone says which values ended with a host process, as the second half of a sentence.
func Gone(lost []string) string {
	switch len(lost) {
	case 0:
		return "no values are lost"
	case 1:
		return "the value of " + lost[0] + " is gone: run the cell again that makes it"
	}
	return "the values of " + strings.Join(lost, ", ") + " are gone: run the cells again that make them"
}

// How an error is coloured: its name and the caret are marked, places are bold, and the message
// has the colour of text, as IPython has it. No colour of letters can be read on JupyterLab's
// pink of the light theme and on its maroon of the dark one, so a mark brings its own ground:
// white on a dark red, both of the 256 colours that every front end and terminal has.
const (
	mark   = "\x1b[1;38;5;231;48;5;124m"
	strong = "\x1b[1m"
	faint  = "\x1b[2m"
	plain  = "\x1b[0m"
)

// Sources are the texts of cells, by their names, such as cell[5]. The lines that a failure
// shows come from here, since a cell may have been edited after it ran.
type Sources map[string]string

// Failure turns an error into what Jupyter shows; nil stays nil. An error of no known type
// becomes "Error" with its text.
//
// The order counts where errors wrap one another: a compile error says more than the start that
// it spoilt.
func (s Sources) Failure(err error) *Failure {
	if err == nil {
		return nil
	}
	var (
		compile  *syntax.Error
		internal *build.CompileError
		end      *Ended
		died     *HostDied
		stopped  Interrupted
		start    *StartError
	)
	f := &Failure{Name: "Error", Value: err.Error()}
	switch {
	case errors.As(err, &compile):
		compileError(f, compile.Diagnostics)
		return f
	// From Go's compiler: of a program of %wasm, which is not checked, or where the check let
	// pass what the compiler refuses. Its messages name the code that is generated, so marks
	// are taken out; the source lines are those of the cell, which //line has kept.
	case errors.As(err, &internal):
		var ds []syntax.Diagnostic
		for _, d := range internal.Diagnostics {
			ds = append(ds, syntax.Diagnostic{Cell: d.File, Line: d.Line, Col: d.Col, Msg: strings.ReplaceAll(d.Msg, "Ħ", ""), Source: s.line(d.File, d.Line)})
		}
		compileError(f, ds)
		return f
	case errors.As(err, &end):
		s.runError(f, end.Done)
		return f
	// The trace of the runtime is shown where there is one, and of a plugin that was refused
	// the calls of the initialiser that panicked: that is library code, with no line in a cell.
	case errors.As(err, &died):
		f.Name, f.Value = "HostDied", died.Error()
		f.head()
		if died.Exit != nil && died.Exit.Trace != "" {
			f.Traceback = append(f.Traceback, s.trace(died.Exit.Trace)...)
		}
		for _, fr := range died.Frames[:min(len(died.Frames), maxInitFrames)] {
			f.Traceback = append(f.Traceback, fmt.Sprintf("  %s (%s:%d)", fr.Func, filepath.Base(fr.File), fr.Line))
		}
		if len(died.Lost) > 0 {
			f.Traceback = append(f.Traceback, "What was declared is kept, and "+Gone(died.Lost)+".")
		}
		return f
	case errors.As(err, &stopped):
		f.Name = "Interrupted"
	case errors.As(err, &start):
		f.Name = "StartError"
	case errors.Is(err, context.Canceled):
		f.Name, f.Value = "Interrupted", "the cell was interrupted before it ran"
	}
	f.head()
	return f
}

// Refused explains why the host could not load a cell, in place of Go's words: it was linked
// from other archives than the cell, which only happens when something changed under a kernel
// that runs. Any other reason stays as it is.
//
//	plugin.Open("…/c5.so"): plugin was built with a different version of package example.org/m
func Refused(why string) error {
	for _, words := range []string{"different version of package ", "undefined symbol: "} {
		if _, name, ok := strings.Cut(why, words); ok {
			return fmt.Errorf("it was built with another version of %s than the cell: Go or a module was changed while the kernel ran; "+
				"run the cell again, which starts a fresh host, and restart the kernel if that does not help", strings.TrimSpace(name))
		}
	}
	return errors.New(why)
}

// head begins the traceback with name and value. Only the first line of the value is marked: of
// a value of many lines the others follow as they are.
func (f *Failure) head() {
	first, rest, _ := strings.Cut(f.Value, "\n")
	f.Traceback = append(f.Traceback, mark+f.Name+plain+": "+first)
	if rest != "" {
		f.Traceback = append(f.Traceback, strings.Split(rest, "\n")...)
	}
}

// compileError fills in the failure of a cell that did not compile: each message with its
// place, its line, and a caret below the column. Tabs are written as four blanks, in the line
// and above the caret alike, since front ends differ in how wide a tab is. Columns count bytes,
// from 1.
//
//	cell[3]:2:5: undefined: y
//	    2 | x = y
//	            ^
func compileError(f *Failure, ds []syntax.Diagnostic) {
	f.Name = "CompileError"
	if len(ds) > 0 {
		f.Value = ds[0].String()
	}
	f.Traceback = []string{mark + f.Name + plain + ": the cell does not compile, and nothing of it took effect"}
	for _, d := range ds {
		// A message of the whole cell.
		if d.Line == 0 {
			f.Traceback = append(f.Traceback, d.Msg)
			continue
		}
		f.Traceback = append(f.Traceback, fmt.Sprintf("%s%s%s: %s", strong, d.Place(), plain, d.Msg))
		if d.Source != "" {
			number := fmt.Sprintf("%5d | ", d.Line)
			f.Traceback = append(f.Traceback, faint+number+plain+strings.ReplaceAll(d.Source, "\t", "    "))
			if d.Col > 0 && d.Col <= len(d.Source)+1 {
				before := strings.ReplaceAll(d.Source[:d.Col-1], "\t", "    ")
				f.Traceback = append(f.Traceback, strings.Repeat(" ", len(number)+len([]rune(before)))+mark+"^"+plain)
			}
		}
	}
}

// runError fills in the failure of a cell that ran. The values are kept in all of these cases,
// which is said where a person may doubt it.
func (s Sources) runError(f *Failure, d msg.Done) {
	switch d.Result {
	case msg.Interrupted:
		f.Name, f.Value = "Interrupted", "the cell was interrupted; its values are kept"
		if d.Stuck != "" {
			f.Value = "the cell was interrupted in " + stuckIn(d) + ", which cannot be stopped; it is left behind and ends when that returns; interrupt again to restart the host"
			if waitsForPage(d) {
				f.Value += "; GoNB's widgets wait until the notebook's page answers, and nothing answers where no page is open, as under nbconvert or papermill"
			}
		}
	case msg.Exited:
		f.Name, f.Value = "Exit", fmt.Sprintf("the cell ended itself by %s, with exit status %d; its values are kept", d.Name, d.Code)
		if d.Stuck != "" {
			f.Value += "; it waits in " + stuckIn(d) + ", which cannot be stopped, and is left behind"
		}
	case msg.Goexit:
		f.Name, f.Value = "Goexit", "the cell called runtime.Goexit"
	case msg.Error:
		f.Name, f.Value = errorName(d.Name, "error"), d.Value
	default:
		f.Name, f.Value = errorName(d.Name, "panic"), d.Value
	}
	f.head()
	// The calls that were going on, innermost first, as far as they are in cells. An error that
	// a statement returned has no calls, only the line of the statement.
	shown := false
	for _, fr := range d.Frames {
		if at := s.traceLine(fr.Func, fr.File, fr.Line); at != "" {
			f.Traceback = append(f.Traceback, at)
			shown = true
		}
	}
	if !shown && d.Pos != nil {
		if at := s.traceLine("", d.Pos.File, d.Pos.Line); at != "" {
			f.Traceback = append(f.Traceback, at)
		}
	}
}

// waitsForPage reports whether an interrupted cell waits in a package of GoNB's that talks with the
// page, such as widgets.Button(…).Done(), which returns when the page has the button.
func waitsForPage(d msg.Done) bool {
	return slices.ContainsFunc(d.Frames, func(fr msg.Frame) bool { return strings.HasPrefix(fr.Func, "github.com/janpfeifer/gonb/gonbui/") })
}

// stuckIn names what an interrupted cell waits or works in: the innermost call that is not of
// Go's runtime, and its state, such as
//
//	net.(*netFD).Read (IO wait)
//
// It looks at the calls above the cell's own only: what is below them is the host's.
func stuckIn(d msg.Done) string {
	for _, fr := range d.Frames {
		if strings.HasPrefix(fr.Func, "notebook/") {
			break
		}
		inner := slices.ContainsFunc([]string{"runtime.", "runtime/", "internal/", "syscall.", "sync.runtime_"}, func(p string) bool { return strings.HasPrefix(fr.Func, p) })
		if !inner {
			return fr.Func + " (" + d.Stuck + ")"
		}
	}
	return "a call that does not return to the cell (" + d.Stuck + ")"
}

// errorName is the type of an error without its pointer, or the plain word for types that say
// nothing: those of package errors, fmt and runtime, and values that are no errors.
//
//	*fs.PathError        fs.PathError
//	*errors.errorString  error
//	string               panic
func errorName(typ, plain string) string {
	name := strings.TrimLeft(typ, "*")
	pkg, _, ok := strings.Cut(name, ".")
	switch {
	case !ok, pkg == "errors", pkg == "fmt", pkg == "runtime":
		return plain
	}
	return name
}

// cellFile finds a cell's name at the end of a file name: //line names are joined to the folder
// of the file in some traces.
var cellFile = regexp.MustCompile(`cell\[[0-9]+\]$`)

// traceLine describes a line of a cell; empty for any other line, those of InternalCell too: no
// person can look them up.
func (s Sources) traceLine(fn, file string, line int) string {
	name := cellFile.FindString(file)
	if name == "" || name == InternalCell {
		return ""
	}
	at := fmt.Sprintf("  %s%s:%d%s", strong, name, line, plain)
	if fn = funcName(fn); fn != "" {
		at += " in " + fn
	}
	if src := strings.TrimSpace(s.line(name, line)); src != "" {
		at += "    " + faint + src + plain
	}
	return at
}

// line returns a line of a cell's text, counted from 1; empty where there is none.
func (s Sources) line(name string, n int) string {
	lines := strings.Split(s[cellFile.FindString(name)], "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

// generated takes our marks out of names; the longer ones come first, as Ħ begins them too. The
// package comment of kernel/cell lists them.
var generated = strings.NewReplacer("Ħˣb_", "", "Ħˣm_", "", "ˣ_", ".", "Ħ", "")

// funcName is the name of a function as the cell has it; the cell's own statements have none.
//
//	notebook/c5.Ħarea          area
//	notebook/c5.(*T).M         (*T).M
//	notebook/c5.ˣrun.func1     func1
//	notebook/c5.Run            (empty)
//	fmt.Println                (empty)
func funcName(fn string) string {
	_, name, ok := strings.Cut(fn, "notebook/c")
	if !ok {
		return ""
	}
	_, name, _ = strings.Cut(name, ".")
	name = strings.TrimPrefix(name, "ˣrun")
	name = strings.TrimPrefix(name, ".")
	if name == "Run" || strings.HasPrefix(name, "ˣinit_") {
		return ""
	}
	return generated.Replace(name)
}

// trace cuts Go's own trace of a fatal error down to the cells' lines. Such a trace has two
// lines for a call, the function with its arguments and, indented, its place:
//
//	panic: boom
//
//	goroutine 21 [running]:
//	notebook/c5.work(0x1)
//		cell[5]:3 +0x1d
//	created by notebook/c5.ˣrun in goroutine 20
//		cell[5]:7 +0x20
//
// The lines that say what happened stay; of the others, those with a place in a cell.
func (s Sources) trace(text string) []string {
	var out []string
	fn := ""
	for i, line := range strings.Split(text, "\n") {
		if i == 0 || strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
			out = append(out, strong+line+plain)
			continue
		}
		// A line that is not indented names the function of the next one.
		rest, indented := strings.CutPrefix(line, "\t")
		if !indented {
			fn, _, _ = strings.Cut(strings.TrimPrefix(line, "created by "), " in goroutine ")
			line = fn
			if i := strings.LastIndexByte(line, '('); i >= 0 { // its arguments
				fn = line[:i]
			}
			continue
		}
		// The first "]:" ends a cell's name; other files have none.
		file, after, ok := strings.Cut(rest, "]:")
		if !ok {
			continue
		}
		var n int
		fmt.Sscanf(after, "%d", &n)
		if at := s.traceLine(fn, file+"]", n); at != "" {
			out = append(out, at)
		}
	}
	return collapse(out)
}

// collapse writes a line that repeats, as of a recursion, once, with the number of its
// repetitions.
func collapse(lines []string) []string {
	var out []string
	for i := 0; i < len(lines); {
		n := 1
		for i+n < len(lines) && lines[i+n] == lines[i] {
			n++
		}
		out = append(out, lines[i])
		if n > 1 {
			out = append(out, fmt.Sprintf("  … %d times", n))
		}
		i += n
	}
	return out
}
