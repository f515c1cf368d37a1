package rt

import (
	"runtime"
	"unsafe"
)

// Hooks are what the host process gives this package, before the first cell. All are
// set there; a function that is nil elsewhere, in a test say, is not called.
type Hooks struct {
	// Result shows the values of a cell.
	Result func(vals []any)
	// Watch takes the stop flag of a program.
	Watch func(path string, flag *uint32)
	// Exit takes the exit status with which a cell ends itself, by a call of what
	// at a line of the cell.
	Exit func(code int, what, file string, line int)
	// Old looks for the holders that still have values of types which were declared
	// again, given as "notebook/c1.T".
	Old func(types []string, holders []Holder)
	// Missing puts the name of a method in an error as the cell's text has it.
	Missing func(*runtime.TypeAssertionError)
	// Harmless reports whether an error that a statement drops is no reason to end
	// the cell.
	Harmless func(error) bool
	// Owned reports whether labels are those of an execution.
	Owned func(labels unsafe.Pointer) bool
	// Done returns the channel that is closed when the execution with these labels
	// is interrupted, and nil when it runs its deferred functions already or there
	// is no such execution.
	Done func(labels unsafe.Pointer) <-chan struct{}
	// Pause waits for a number of nanoseconds, or until done is closed: this package
	// does not import time.
	Pause func(ns int64, done <-chan struct{})
}

// Host are the hooks of this process.
var Host Hooks
