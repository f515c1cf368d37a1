package session

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/cell"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/proc"
)

// interrupted is the error of a cell that the person stopped.
type interrupted struct{ what string }

func (e interrupted) Error() string { return e.what }

// ended is the error of a cell that ran and did not succeed.
type ended struct{ done msg.Done }

func (e *ended) Error() string { return e.done.Value }

// hostDied is the error of a cell during which the host process ended.
type hostDied struct {
	exit   *proc.Exit
	why    string
	frames []msg.Frame // of an initialiser that panicked
	lost   []string
}

func (e *hostDied) Error() string { return "the host process ended: " + e.why }

// maxInitFrames is how many calls are shown of an initialiser that panicked.
const maxInitFrames = 4

// gone says which values ended with a host process.
func gone(lost []string) string {
	switch len(lost) {
	case 0:
		return "no values are lost"
	case 1:
		return "the value of " + lost[0] + " is gone: run the cell again that makes it"
	}
	return "the values of " + strings.Join(lost, ", ") + " are gone: run the cells again that make them"
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// How an error is coloured: its name and the caret are marked, places are bold, and the message has
// the colour of text, as IPython has it. No colour of letters can be read on JupyterLab's pink of the
// light theme and on its maroon of the dark one, so a mark brings its own ground: white on a dark red,
// both of the 256 colours that every front end and terminal has.
const (
	mark   = "\x1b[1;38;5;231;48;5;124m"
	strong = "\x1b[1m"
	faint  = "\x1b[2m"
	plain  = "\x1b[0m"
)

// failure turns an error into what Jupyter shows; nil stays nil.
func (s *Session) failure(name string, err error) *Failure {
	if err == nil {
		return nil
	}
	var (
		compile  *cell.Error
		internal *build.CompileError
		end      *ended
		died     *hostDied
		stopped  interrupted
		start    *startError
	)
	f := &Failure{Name: "Error", Value: err.Error()}
	switch {
	case errors.As(err, &compile):
		s.compileError(f, compile.Diagnostics)
		return f
	case errors.As(err, &internal):
		var ds []cell.Diagnostic
		for _, d := range internal.Diagnostics {
			ds = append(ds, cell.Diagnostic{Cell: d.File, Line: d.Line, Col: d.Col, Msg: strings.ReplaceAll(d.Msg, "Ħ", ""), Source: s.line(d.File, d.Line)})
		}
		s.compileError(f, ds)
		return f
	case errors.As(err, &end):
		s.runError(f, end.done)
		return f
	case errors.As(err, &died):
		f.Name, f.Value = "HostDied", died.Error()
		f.head()
		if died.exit != nil && died.exit.Trace != "" {
			f.Traceback = append(f.Traceback, s.trace(died.exit.Trace)...)
		}
		for _, fr := range died.frames[:min(len(died.frames), maxInitFrames)] {
			f.Traceback = append(f.Traceback, fmt.Sprintf("  %s (%s:%d)", fr.Func, filepath.Base(fr.File), fr.Line))
		}
		if len(died.lost) > 0 {
			f.Traceback = append(f.Traceback, "What was declared is kept, and "+gone(died.lost)+".")
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

// refused explains why the host could not load a cell, in place of Go's words:
// it was linked from other archives than the cell, which only happens when
// something changed under a kernel that runs.
func refused(why string) error {
	for _, words := range []string{"different version of package ", "undefined symbol: "} {
		if _, name, ok := strings.Cut(why, words); ok {
			return fmt.Errorf("it was built with another version of %s than the cell: Go or a module was changed while the kernel ran; "+
				"run the cell again, which starts a fresh host, and restart the kernel if that does not help", strings.TrimSpace(name))
		}
	}
	return errors.New(why)
}

func (f *Failure) head() {
	first, rest, _ := strings.Cut(f.Value, "\n")
	f.Traceback = append(f.Traceback, mark+f.Name+plain+": "+first)
	if rest != "" {
		f.Traceback = append(f.Traceback, strings.Split(rest, "\n")...)
	}
}

func (s *Session) compileError(f *Failure, ds []cell.Diagnostic) {
	f.Name = "CompileError"
	if len(ds) > 0 {
		f.Value = ds[0].String()
	}
	f.Traceback = []string{mark + f.Name + plain + ": the cell does not compile, and nothing of it took effect"}
	for _, d := range ds {
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

func (s *Session) runError(f *Failure, d msg.Done) {
	switch d.Result {
	case msg.Interrupted:
		f.Name, f.Value = "Interrupted", "the cell was interrupted; its values are kept"
		if d.Stuck != "" {
			f.Value = "the cell was interrupted in " + stuckIn(d) + ", which cannot be stopped; it is left behind and ends when that returns; interrupt again to restart the host"
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
	shown := false
	for _, fr := range d.Frames {
		if at := s.place(fr.Func, fr.File, fr.Line); at != "" {
			f.Traceback = append(f.Traceback, at)
			shown = true
		}
	}
	if !shown && d.Pos != nil {
		if at := s.place("", d.Pos.File, d.Pos.Line); at != "" {
			f.Traceback = append(f.Traceback, at)
		}
	}
}

// stuckIn names what an interrupted cell waits or works in: the innermost call
// that is not of Go's runtime, and its state.
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

// errorName is the type of an error without its pointer, or the plain word for
// types that say nothing: those of package errors, fmt and runtime, and values
// that are no errors.
func errorName(typ, plain string) string {
	name := strings.TrimLeft(typ, "*")
	pkg, _, ok := strings.Cut(name, ".")
	switch {
	case !ok, pkg == "errors", pkg == "fmt", pkg == "runtime":
		return plain
	}
	return name
}

var cellFile = regexp.MustCompile(`cell\[[0-9]+\]$`)

// place describes a line of a cell; empty for any other line.
func (s *Session) place(fn, file string, line int) string {
	name := cellFile.FindString(file)
	if name == "" || name == internalCell {
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

// line returns a line of a cell's text.
func (s *Session) line(name string, n int) string {
	lines := strings.Split(s.sources[cellFile.FindString(name)], "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

var generated = strings.NewReplacer("Ħˣb_", "", "Ħˣm_", "", "Ħ", "")

// funcName is the name of a function as the cell has it; the cell's own
// statements have none.
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

// trace cuts Go's own trace of a fatal error down to the cells' lines.
func (s *Session) trace(text string) []string {
	var out []string
	fn := ""
	for i, line := range strings.Split(text, "\n") {
		if i == 0 || strings.HasPrefix(line, "panic:") || strings.HasPrefix(line, "fatal error:") {
			out = append(out, strong+line+plain)
			continue
		}
		rest, indented := strings.CutPrefix(line, "\t")
		if !indented {
			fn, _, _ = strings.Cut(strings.TrimPrefix(line, "created by "), " in goroutine ")
			line = fn
			if i := strings.LastIndexByte(line, '('); i >= 0 { // its arguments
				fn = line[:i]
			}
			continue
		}
		file, after, ok := strings.Cut(rest, "]:")
		if !ok {
			continue
		}
		var n int
		fmt.Sscanf(after, "%d", &n)
		if at := s.place(fn, file+"]", n); at != "" {
			out = append(out, at)
		}
	}
	return collapse(out)
}

// collapse writes a line that repeats, as of a recursion, once.
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
