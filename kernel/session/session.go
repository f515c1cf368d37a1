// Package session runs the cells of one notebook.
package session

import (
	"context"

	"github.com/holt-dl/holt/internal/frame"
)

// Output receives what cells show. Every call that belongs to a cell is made
// before [Session.Execute] returns; what a goroutine of an earlier cell shows
// may come at any time. Its methods may be called by several goroutines.
type Output interface {
	Stream(name string, p []byte) // name is "stdout" or "stderr"
	Frame(m frame.Message)        // display, update, result or clear
}

// Request is one cell to run.
type Request struct {
	Code       string
	CellID     string // JupyterLab's cellId; empty where it was not sent
	Count      int    // the execution count, shown as In [Count]
	Silent     bool
	AllowStdin bool
	// Input asks the person for a line; nil when AllowStdin is false.
	Input func(prompt string, password bool) (string, error)
}

// Failure is why a cell ended in an error, as Jupyter shows it.
type Failure struct {
	Name      string   // "CompileError", "panic", "Interrupted", or the error's type
	Value     string   // one line
	Traceback []string // lines with ANSI colours; the first repeats name and value
}

// Options are the settings of a session; the zero value works.
type Options struct {
	Dir string // where cells run; empty for the current directory
}

// Session is one notebook: its declarations, its host process, its values.
type Session struct{}

// Open starts a session. It returns at once: the host process is built and
// started in the background, and the first Execute waits for it.
func Open(opt Options, out Output) (*Session, error) { panic("not written yet") }

// Execute runs one cell and returns nil when it succeeded. Cancelling ctx
// interrupts the cell; its values survive.
func (s *Session) Execute(ctx context.Context, req Request) *Failure { panic("not written yet") }

// IsComplete answers Jupyter's is_complete_request: status is "complete",
// "incomplete" or "invalid", and indent what the next line starts with.
func (s *Session) IsComplete(code string) (status, indent string) { panic("not written yet") }

// Kill ends the host process, for a second interrupt of a cell that cannot be
// stopped. The running Execute fails, and the next one starts a fresh host.
func (s *Session) Kill() {}

// Close ends the host process and removes the session's files.
func (s *Session) Close() error { return nil }
