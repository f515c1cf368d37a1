package proc

import (
	"context"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/host/msg"
)

// Options are the settings of a host process. The functions are called from
// one goroutine at a time, in the order in which things were printed and shown.
type Options struct {
	Dir string   // where cells run; the kernel's folder when empty
	Env []string // "KEY=value", added to the kernel's environment

	Stdout func([]byte) // what the process prints; the slice is lent for the call
	Stderr func([]byte)
	Frame  func(frame.Message) // display, update, result or clear; Cell says whose
	// Input asks the person for a line, for gonbui.RequestInput; the line is
	// written to the host's standard input. nil: there is no one to ask.
	Input func(prompt string, password bool) (string, error)
}

// Process is a running host.
type Process struct{}

// Start starts the host program and waits until it listens.
func Start(ctx context.Context, host string, opt Options) (*Process, error) {
	panic("not written yet")
}

// Unit is a plugin to run.
type Unit struct {
	Plugin string // the .so
	Path   string // import path of the cell's package
	File   string // the cell's name in //line directives, "cell[5]"
	Cell   int    // the execution's number, never used before in this session
}

// Run runs a cell and returns how it ended. All that it printed and displayed
// is delivered before. Cancelling ctx interrupts the cell; Run still waits for
// its end, which comes within about a second. The error is an [*Exit] when the process died.
func (p *Process) Run(ctx context.Context, u Unit) (msg.Done, error) { panic("not written yet") }

// Chdir changes the folder of the process and returns it as an absolute name.
func (p *Process) Chdir(ctx context.Context, dir string) (string, error) { panic("not written yet") }

// Setenv sets an environment variable of the process.
func (p *Process) Setenv(ctx context.Context, key, value string) error { panic("not written yet") }

// Unsetenv removes an environment variable of the process.
func (p *Process) Unsetenv(ctx context.Context, key string) error { panic("not written yet") }

// Memory says what the process uses.
func (p *Process) Memory(ctx context.Context) (msg.Memory, error) { panic("not written yet") }

// PID returns the process id.
func (p *Process) PID() int { panic("not written yet") }

// Kill ends the process at once, with all that it started in its group.
func (p *Process) Kill() {}

// Done is closed when the process has ended and all it printed is delivered.
func (p *Process) Done() <-chan struct{} { panic("not written yet") }

// Wait waits for the end of the process and says why it came.
func (p *Process) Wait() *Exit { panic("not written yet") }

// Exit is the end of a host process.
type Exit struct {
	Reason string // "exit status 3", "signal: killed (out of memory?)"
	Code   int    // exit status; -1 when a signal ended it
	Trace  string // the last lines of stderr from Go's "panic:" or "fatal error:" on; may be empty
	Killed bool   // by Kill
}

// Error says that the host ended and why.
func (e *Exit) Error() string { panic("not written yet") }
