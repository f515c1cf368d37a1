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
