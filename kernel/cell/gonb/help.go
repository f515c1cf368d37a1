package gonb

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// groups is the whole table, in the order in which %help shows it.
func groups() []group {
	return []group{
		{"Running Go", cellCommands}, {"What is declared", stateCommands}, {"The shell", shellCommands},
		{"Modules", moduleCommands}, {"TensorBoard", boardCommands}, {"The page", pageCommands}, {"About", aboutCommands()},
	}
}

// commands is the table without its titles.
func commands() []command {
	var all []command
	for _, g := range groups() {
		all = append(all, g.commands...)
	}
	return all
}

// aboutCommands is a function because %help reads the table that it is part of.
//
// A variable would be initialised by itself, which Go refuses ("initialization cycle"):
// through Help, groups and commands, help refers to the table.
func aboutCommands() []command {
	return []command{
		{[]string{"help"}, "[COMMAND …]", "this text, or what it says of some commands", func(_ context.Context, r *runner, c line) error {
			text, err := Help(c.words...)
			if err == nil {
				r.nb.Print(text)
			}
			return err
		}},
		{[]string{"version"}, "", "versions of Holt and Go", func(_ context.Context, r *runner, c line) error {
			if err := c.none(); err != nil {
				return err
			}
			r.nb.Print(r.nb.Version() + "\n")
			return nil
		}},
	}
}

// intro stands above the list of commands.
// It is plain text: consoles show it as well as JupyterLab.
const intro = `Everything that a cell declares stays for the next one: variables, functions,
types, constants, imports. The last line's value is shown. A call whose error is
not taken ends the cell when there is one.

Lines that begin with % or ! are commands. They run before the Go code of their
cell; //gonb: may stand before them, and a \ at the end continues them.

A line name? or ?name shows what a name is, name?? its source, too. Tab completes.
`

// Help describes commands, with or without their %; all of them when none is named.
//
// It has no access to a notebook, so that also completion and tooltips can ask it. A name that
// is not known is an error; the text for those before it is then dropped.
func Help(names ...string) (string, error) {
	var b strings.Builder
	if len(names) > 0 {
		for _, name := range names {
			found := false
			for _, c := range append(commands(), magicRows()...) {
				// main, %main and %%main are one: the names of the table have no %, those of
				// magics one, and a person writes as many as they like.
				if slices.ContainsFunc(c.names, func(n string) bool { return strings.TrimLeft(n, "%") == strings.TrimLeft(name, "%") }) {
					c.describe(&b)
					found = true
				}
			}
			if !found {
				return "", fmt.Errorf("%%help: nothing is called %s; %%help alone lists all commands", name)
			}
		}
		return b.String(), nil
	}
	b.WriteString(intro)
	for _, g := range groups() {
		fmt.Fprintf(&b, "\n%s\n", g.title)
		for _, c := range g.commands {
			c.describe(&b)
		}
	}
	b.WriteString("\nCells of another kind, by their first line\n")
	for _, c := range magicRows() {
		c.describe(&b)
	}
	return b.String(), nil
}

// describe writes a command beside what it does.
//
//	%cd [DIR]               the folder in which cells run; DIR changes it
//	%env [KEY[=VALUE]]      the environment of cells and commands; KEY shows …
//	                        KEY VALUE set it
//
// A head that reaches the column has a line of its own. Columns count letters: … is one.
func (c command) describe(b *strings.Builder) {
	const column = 28
	var head string
	for i, name := range c.names {
		if i > 0 {
			head += ", "
		}
		// ! and !* are written as they are; a magic's name has its own second %.
		if name[0] != '!' {
			head += "%"
		}
		head += name
	}
	if c.args != "" {
		head += " " + c.args
	}
	head = "  " + head
	for i, text := range strings.Split(c.help, "\n") {
		if i == 0 && len([]rune(head)) >= column {
			fmt.Fprintln(b, head)
			head = ""
		} else if i > 0 {
			head = ""
		}
		fmt.Fprintf(b, "%s%s%s\n", head, strings.Repeat(" ", column-len([]rune(head))), text)
	}
}

// Complete returns what the last word of a line can become, when that is a
// command's name or option: "%wi" gives %widgets, %with_inputs and the others.
//
// text is the line up to the cursor. Arguments are completed for commands that have options in
// the table of tensorboard.go alone; nil says that the line is for others, such as gopls.
func Complete(text string) []string {
	text = strings.TrimPrefix(strings.TrimLeft(text, " \t"), prefix)
	if !strings.HasPrefix(text, "%") {
		return nil
	}
	// Behind a space the name is complete. An empty last word gives nothing: a list of all
	// options would come at every space.
	if name, _, ok := strings.Cut(text, " "); ok {
		word := text[strings.LastIndexAny(text, " \t")+1:]
		return slices.DeleteFunc(slices.Clone(options[name]), func(o string) bool { return word == "" || !strings.HasPrefix(o, word) })
	}
	var found []string
	for _, c := range append(commands(), magicRows()...) {
		for _, name := range c.names {
			// The name of a magic has a % already, so that it gets its second one here.
			if name = "%" + name; name[1] != '!' && strings.HasPrefix(name, text) {
				found = append(found, name)
			}
		}
	}
	slices.Sort(found)
	return found
}
