package gonb

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
)

// Code returns the Go text to run: the cell's own, where %% parses the flags
// that it is given, and the call of %exec.
//
//	%% -epochs=3             flag.Parse()
//	train(*epochs)           train(*epochs)
//
//	%exec train -epochs=3
//	func train() { … }       func train() { … }
//	                         flag.Parse(); train()
//
// Nothing is added before a line of the cell, so that the numbers of lines stay. Without
// arguments flags are not parsed: a cell may do that itself. The package flag needs no import
// in a cell.
func (p Plan) Code(c Cell) string {
	text := c.Go
	if c.Main > 0 && p.Call == "" && len(p.Args) > 0 {
		lines := strings.SplitAfter(text, "\n")
		// The line of %% is blank.
		// It is the place where GoNB's main begins, after the declarations of flags above it.
		lines[c.Main-1] = "flag.Parse()" + lines[c.Main-1]
		text = strings.Join(lines, "")
	}
	if p.Call != "" {
		// A line of its own, since the last line of the cell may be a comment.
		text += "\n"
		if len(p.Args) > 0 {
			text += "flag.Parse(); "
		}
		text += p.Call + "()"
	}
	return text
}

// Run carries out the commands of a cell, in order.
//
// The first error ends it, and the cell's Go code is then not run. What commands before it did
// stays: a variable of the environment that was set is set.
func Run(ctx context.Context, nb Notebook, c Cell) (Plan, error) {
	r := &runner{nb: nb}
	for _, cmd := range c.Commands {
		if err := r.run(ctx, cmd.Text); err != nil {
			return Plan{}, err
		}
	}
	// A cell of %args alone has no code that could read the arguments: they are for the next
	// cells.
	if r.plan.Args != nil {
		r.plan.Mine = c.Main > 0 || r.plan.Call != "" || strings.TrimSpace(c.Go) != ""
	}
	return r.plan, nil
}

// run carries out one command, whose text begins with % or !.
func (r *runner) run(ctx context.Context, text string) error {
	if cmd, ok := strings.CutPrefix(text, "!"); ok {
		return r.shell(ctx, cmd)
	}
	name, rest, _ := strings.Cut(strings.TrimPrefix(text, "%"), " ")
	rest = strings.TrimSpace(rest)
	// A tab ends a name as well as a space does; whichever comes first counts.
	if i := strings.IndexByte(name, '\t'); i >= 0 {
		name, rest = name[:i], strings.TrimSpace(name[i:]+" "+rest)
	}
	// The table has some thirty rows; to look through it costs nothing beside a cell.
	for _, c := range commands() {
		if c.run != nil && slices.Contains(c.names, name) {
			return c.run(ctx, r, line{name, rest, words(rest)})
		}
	}
	// %%bash below other lines: the person takes it for a command.
	if isMagic(name) {
		return fmt.Errorf("%%%s: it stands in the middle of a cell, want it in the first line: the whole cell is its text", name)
	}
	return fmt.Errorf("%%%s is not a command; %%help lists them", name)
}

// shell runs what follows a !, by a shell, so that pipes, globs and redirections work.
// %with_inputs before it is used up: a second command reads nothing from the person.
func (r *runner) shell(ctx context.Context, cmd string) error {
	s := Script{What: "!" + cmd, Ask: r.ask}
	r.ask = Nothing
	cmd, s.Temp = strings.CutPrefix(cmd, "*")
	s.Args = []string{shellName(r.nb), "-c", cmd}
	return r.nb.Shell(ctx, s)
}

// shellName is bash, which GoNB's notebooks are written for, where there is
// one on the PATH of the cells.
//
// The PATH is that of the cells, which %env may have changed, and not the kernel's. It is
// looked up at each command, since %env may come at any time.
func shellName(nb Notebook) string {
	path, _ := lookup(nb, "PATH")
	for _, dir := range strings.Split(path, ":") {
		if info, err := os.Stat(dir + "/bash"); dir != "" && err == nil && info.Mode()&0o111 != 0 {
			return "bash"
		}
	}
	return "sh"
}
