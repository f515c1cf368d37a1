package gonb

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Notebook is what commands act on.
type Notebook interface {
	Print(text string) // to the cell's stdout
	Warn(text string)  // to its stderr
	Version() string

	// Environ is the environment of the cells, as KEY=value.
	Environ() []string
	Setenv(ctx context.Context, key, value string) error
	// Chdir changes where cells and shell commands run; empty asks where that is.
	Chdir(dir string) (now string, err error)
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
	What  string // as errors name it, such as !ls
	Args  []string
	Temp  bool     // in the folder of the notebook's go.mod, as !* asks
	Env   []string // KEY=value, over the environment of the cells
	Stdin string   // what it reads
	Ask   Ask
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
type Plan struct {
	// Args are os.Args[1:]. They are of this cell when Mine is set, and of the
	// cells after it otherwise; nil says nothing.
	Args []string
	Mine bool
	// Call is a function to call after all else, for %exec; empty for none.
	Call string
	// Test asks for a test run after the code, with these flags; nil flags
	// leave the choice to what the cell declares.
	Test      bool
	TestFlags []string
	// Wasm asks for a program that runs in the page, in place of the host.
	Wasm    bool
	Capture *Capture
}

// Capture is a file that gets a copy of what a cell prints and shows.
type Capture struct {
	File   string
	Append bool
}

// Code returns the Go text to run: the cell's own, where %% parses the flags
// that it is given, and the call of %exec.
func (p Plan) Code(c Cell) string {
	text := c.Go
	if c.Main > 0 && p.Call == "" && len(p.Args) > 0 {
		lines := strings.SplitAfter(text, "\n")
		// The line of %% is blank.
		lines[c.Main-1] = "flag.Parse()" + lines[c.Main-1]
		text = strings.Join(lines, "")
	}
	if p.Call != "" {
		text += "\n"
		if len(p.Args) > 0 {
			text += "flag.Parse(); "
		}
		text += p.Call + "()"
	}
	return text
}

// Run carries out the commands of a cell, in order.
func Run(ctx context.Context, nb Notebook, c Cell) (Plan, error) {
	r := &runner{nb: nb}
	for _, cmd := range c.Commands {
		if err := r.run(ctx, cmd.Text); err != nil {
			return Plan{}, err
		}
	}
	if r.plan.Args != nil {
		r.plan.Mine = c.Main > 0 || r.plan.Call != "" || strings.TrimSpace(c.Go) != ""
	}
	return r.plan, nil
}

// runner is the state of one Run.
type runner struct {
	nb   Notebook
	plan Plan
	ask  Ask // for the next shell command
}

// line is one command, taken apart.
type line struct {
	name  string // as it was typed, without %
	rest  string
	words []string
}

func (r *runner) run(ctx context.Context, text string) error {
	if cmd, ok := strings.CutPrefix(text, "!"); ok {
		return r.shell(ctx, cmd)
	}
	name, rest, _ := strings.Cut(strings.TrimPrefix(text, "%"), " ")
	rest = strings.TrimSpace(rest)
	if i := strings.IndexByte(name, '\t'); i >= 0 {
		name, rest = name[:i], strings.TrimSpace(name[i:]+" "+rest)
	}
	for _, c := range commands() {
		if c.run != nil && slices.Contains(c.names, name) {
			return c.run(ctx, r, line{name, rest, words(rest)})
		}
	}
	if isMagic(name) {
		return fmt.Errorf("%%%s: it stands in the middle of a cell, want it in the first line: the whole cell is its text", name)
	}
	return fmt.Errorf("%%%s is not a command; %%help lists them", name)
}

func (r *runner) shell(ctx context.Context, cmd string) error {
	s := Script{What: "!" + cmd, Ask: r.ask}
	r.ask = Nothing
	cmd, s.Temp = strings.CutPrefix(cmd, "*")
	s.Args = []string{shellName(r.nb), "-c", cmd}
	return r.nb.Shell(ctx, s)
}

// shellName is bash, which GoNB's notebooks are written for, where there is
// one on the PATH of the cells.
func shellName(nb Notebook) string {
	path, _ := lookup(nb, "PATH")
	for _, dir := range strings.Split(path, ":") {
		if info, err := os.Stat(dir + "/bash"); dir != "" && err == nil && info.Mode()&0o111 != 0 {
			return "bash"
		}
	}
	return "sh"
}
