package gonb

import (
	"context"
	"fmt"

	"github.com/holt-dl/holt/kernel/machine/tensorboard"
)

// What commands act on, what they are, and what one does while it runs.

// Notebook is what commands act on.
//
// The session implements it; tests have one that writes down what it is asked. Commands run
// one after the other; ctx ends when the cell is interrupted.
type Notebook interface {
	Print(text string) // to the cell's stdout
	Warn(text string)  // to its stderr
	Version() string

	// Environ is the environment of the cells, as KEY=value.
	Environ() []string
	// Setenv sets one for cells and commands alike, and also for the host that runs already.
	Setenv(ctx context.Context, key, value string) error
	// Chdir changes where cells and shell commands run; empty asks where that is.
	Chdir(dir string) (now string, err error)
	// Shell runs a program to its end. What it prints is output of the cell, and an exit
	// status other than 0 is an error.
	Shell(ctx context.Context, s Script) error

	List() string                    // what is declared
	Stale() string                   // whose result is out of date
	Remove(name string) bool         // forgets a name
	Reset(ctx context.Context) error // forgets everything

	Modules
	Page
	TensorBoard
}

// Script is a program to run, and where its standard input comes from.
type Script struct {
	What  string   // as errors name it, such as !ls
	Args  []string // the program, and its arguments
	Temp  bool     // in the folder of the notebook's go.mod, as !* asks
	Env   []string // KEY=value, over the environment of the cells
	Stdin string   // what it reads
	Ask   Ask      // when it is not Nothing, Stdin is empty
}

// Modules are the modules that cells import from, and how cells are compiled.
type Modules interface {
	// GoFlags returns the flags of %goflags.
	GoFlags() []string
	// SetGoFlags replaces them; no flags forget those there were.
	SetGoFlags(ctx context.Context, flags []string) error
	// AutoGet sets whether an import may bring a module that is not required yet.
	AutoGet(on bool)
	// ResetModules forgets the modules that the notebook asked for.
	ResetModules(ctx context.Context) error
	// UseWorkspace makes the notebook use the modules that go.work in the folder
	// of its go.mod names, and returns them as module and folder.
	UseWorkspace(ctx context.Context) ([][2]string, error)
	// Tracked lists the files and folders whose changes cells see at once.
	Tracked() []string
	// Track adds one to them.
	Track(path string) error
	// Untrack reports whether there was something to untrack; a path that ends
	// in ... stands for all that begin as it does.
	Untrack(path string) bool
}

// Page is the notebook page, which widgets talk with.
//
// It is reached by messages, and not there when a notebook is run without a browser.
type Page interface {
	// Widgets puts the script that widgets need into the page.
	Widgets(ctx context.Context) error
	// WasmFolder makes the folder from which the page gets programs of %wasm, and
	// sets GONB_WASM_DIR and GONB_WASM_URL.
	WasmFolder(ctx context.Context) error
	// Heartbeat reports whether the page answers.
	Heartbeat(ctx context.Context) (bool, error)
}

// TensorBoard is what shows logs.
type TensorBoard interface {
	// TensorBoard shows one that serves what is asked for, and starts it where
	// none does.
	TensorBoard(ctx context.Context, r tensorboard.Request) error
}

// Ask says how a program's standard input is asked for.
type Ask int

// How a program gets its standard input.
const (
	Nothing  Ask = iota // it reads Stdin
	Lines               // the person is asked whenever it waits for a line
	Password            // the same, and what is typed is not shown
)

// Plan is what the commands of a cell ask for its Go code.
//
// The zero value runs the Go code as it is. Later commands win over earlier ones: an %exec
// after an %args replaces the arguments.
type Plan struct {
	// Args are os.Args[1:]. They are of this cell when Mine is set, and of the
	// cells after it otherwise; nil says nothing.
	Args []string
	Mine bool // set by Run, once all commands are known
	// Call is a function to call after all else, for %exec; empty for none.
	Call string
	// Test asks for a test run after the code, with these flags; nil flags
	// leave the choice to what the cell declares.
	Test      bool
	TestFlags []string
	// Wasm asks for a program that runs in the page, in place of the host.
	Wasm    bool     // excludes Test
	Capture *Capture // nil for none
}

// Capture is a file that gets a copy of what a cell prints and shows.
type Capture struct {
	File   string // relative to the folder of the cells, unless it is absolute
	Append bool   // keep what the file has
}

// runner is the state of one Run.
//
// Commands change it, and the next ones see that.
type runner struct {
	nb   Notebook // what they act on
	plan Plan     // what Run will return
	ask  Ask      // for the next shell command
}

// line is one command, taken apart.
//
//	%goflags  -tags="a b" -v     name goflags, rest -tags="a b" -v, words [-tags=a b, -v]
//
// A command takes rest where quotes belong to the text, and words where it wants arguments.
type line struct {
	name  string   // as it was typed, without %
	rest  string   // what follows the name, without space around it
	words []string // rest, as words cuts it
}

// command is one row of the table.
//
// A row without run is there for %help alone: runner.run knows ! and !* by itself.
type command struct {
	names []string // without %; those after the first are other words for it
	args  string   // as %help shows them
	help  string   // one line or more
	run   func(ctx context.Context, r *runner, c line) error
}

// group is the commands of a subject.
type group struct {
	title    string
	commands []command
}

// none returns an error when a command that takes no arguments was given some.
// Most commands ask this first. To ignore what stands there would hide a slip such as %reset
// all.
func (c line) none() error {
	if c.rest == "" {
		return nil
	}
	return fmt.Errorf("%%%s: got %q, want nothing after it", c.name, c.rest)
}
