// Package msg is what the kernel and its host process say to each other,
// inside the Body of a [frame.Message].
//
// The host starts by sending [Ready]. The kernel sends [Run], which the host answers
// with [Done], [Call], which it answers with [Return], and interrupts, which have no
// answer but the end of what they interrupt. Frames with output travel between
// them; the kernel acknowledges each of those by [KindAck], so that what a cell
// prints and what it displays keep their order. A cell that waits for its
// standard input sends [KindInput], and the kernel answers with a [Line].
package msg

import "github.com/holt-dl/holt/internal/frame"

// What travels besides the output kinds of package frame.
const (
	KindReady     frame.Kind = "host.ready"     // Ready: the host listens
	KindRun       frame.Kind = "host.run"       // Run
	KindStarted   frame.Kind = "host.started"   // the plugin is loaded and its code starts
	KindDone      frame.Kind = "host.done"      // Done
	KindInterrupt frame.Kind = "host.interrupt" // Message.Cell says which
	KindAck       frame.Kind = "host.ack"       // a frame with output has arrived, or a sync is done
	KindSync      frame.Kind = "host.sync"      // read the pipes, then Ack
	KindCall      frame.Kind = "host.call"      // Call
	KindReturn    frame.Kind = "host.return"    // Return
	KindInput     frame.Kind = "host.input"     // a cell waits for standard input
	KindLine      frame.Kind = "host.line"      // Line
	KindPrint     frame.Kind = "host.print"     // Print
)

// Ready is the first message of a host.
type Ready struct {
	PID int `json:"pid"`
}

// Run is a request to load a plugin and call its entry.
type Run struct {
	Plugin string `json:"plugin"`         // file name of the .so
	Path   string `json:"path"`           // import path of the cell's package, "notebook/c5"
	File   string `json:"file,omitempty"` // the cell's name in //line directives, "cell[5]"
	// Deps are the import paths of the earlier cells that this one is made of.
	Deps []string `json:"deps,omitempty"`
}

// Line is standard input for the cell that runs.
type Line struct {
	Text string `json:"text,omitempty"` // with its line break
	EOF  bool   `json:"eof,omitempty"`  // there will be no more
}

// Print is what a goroutine of a cell that is over has printed; Message.Cell says
// whose.
type Print struct {
	Stream string `json:"stream"` // "stdout" or "stderr"
	Text   []byte `json:"text"`
}

// Result says how a cell ended.
type Result string

// How a cell ends.
const (
	OK          Result = "ok"
	Error       Result = "error"       // a top-level error
	Panic       Result = "panic"       // a panic on the cell's goroutine
	Interrupted Result = "interrupted" // ended by, or abandoned after, an interrupt
	Goexit      Result = "goexit"      // the cell called runtime.Goexit
	Exited      Result = "exited"      // the cell called os.Exit: Name says by what, Code with which status
	Refused     Result = "refused"     // the plugin could not be loaded; the host must be restarted
)

// Pos is a place in a cell.
type Pos struct {
	File string `json:"file"`
	Line int    `json:"line"`
}

// Frame is one call in a panic's trace, innermost first.
type Frame struct {
	Func string `json:"func"` // with the package path, "notebook/c5.(*T).M"
	File string `json:"file"`
	Line int    `json:"line"`
}

// Done is the end of a cell.
type Done struct {
	Result Result  `json:"result"`
	Name   string  `json:"name,omitempty"`   // type of the error or of the panic's value, "*dl.ShapeError"
	Value  string  `json:"value,omitempty"`  // its text
	Pos    *Pos    `json:"pos,omitempty"`    // innermost line in a cell, where known
	Frames []Frame `json:"frames,omitempty"` // of a panic
	Code   int     `json:"code,omitempty"`   // the exit status, of Exited
	Stack  string  `json:"stack,omitempty"`  // the runtime's own trace of the panic
	// Stuck says what an interrupted cell waits for when it did not end, such
	// as "chan receive". It is then abandoned: it ends at its next check.
	Stuck string `json:"stuck,omitempty"`
	// Reached counts the top-level statements that were done, of those that
	// define variables.
	Reached int `json:"reached,omitempty"`
	// Nanos is how long the plugin took to load and the code to run.
	LoadNanos int64 `json:"load_ns"`
	RunNanos  int64 `json:"run_ns"`
}

// What a [Call] can ask for.
const (
	Ping     = "ping"
	Chdir    = "chdir"    // Args: the folder; Text of the answer: its absolute name
	Setenv   = "setenv"   // Args: name, value
	Unsetenv = "unsetenv" // Args: name
	Usage    = "memory"   // answers Memory
	Stacks   = "stacks"   // Text of the answer: all goroutines
	Pending  = "pending"  // Pending of the answer: displays that may still change

	Leave = "leave" // answers when what goes on without a cell is ended and saved

	Steer = "steer" // Args: display id, action, value as JSON; see frame.Steer

	SetArgs   = "args"      // Args: os.Args[1:]; flags have their defaults again
	DropFlags = "dropflags" // Args: names of flags that are defined anew
)

// Call is a request that the host answers at once, but for Leave, also while a cell runs.
type Call struct {
	Seq  int      `json:"seq"`
	Name string   `json:"name"`
	Args []string `json:"args,omitempty"`
}

// Return answers the [Call] with the same Seq.
type Return struct {
	Seq    int     `json:"seq"`
	Error  string  `json:"error,omitempty"`
	Text   string  `json:"text,omitempty"`   // "stacks": all goroutines; "chdir": the new folder
	Memory *Memory `json:"memory,omitempty"` // "memory"
	// Pending counts live displays whose last state has not come yet.
	Pending int `json:"pending,omitempty"`
}

// Memory is what the host process uses, in bytes unless said otherwise.
type Memory struct {
	Heap       uint64 `json:"heap"`       // live and not yet collected Go objects
	Sys        uint64 `json:"sys"`        // obtained from the system by Go's runtime
	RSS        uint64 `json:"rss"`        // resident, all of the process
	Goroutines int    `json:"goroutines"` // count
	Plugins    int    `json:"plugins"`    // cells loaded
}
