package gonb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// magic is a kind of cell that is not Go. Its name stands in the first line.
// It is not one of the commands, which are lines: the whole rest of the cell is its text.
type magic struct {
	name string // without %%
	args string // as %help shows them
	help string // one line
	run  func(ctx context.Context, nb Notebook, args []string, body string) error
}

// magics is the table of them. Programs run as commands of the shell do: in the folder and
// with the environment of the cells, and an interrupt ends them.
func magics() []magic {
	return []magic{
		{"bash", "[ARGS]", "a script of bash", func(ctx context.Context, nb Notebook, args []string, body string) error {
			// The arguments are options of bash, as in %%bash -e, and so stand before -c.
			return nb.Shell(ctx, Script{What: "%%bash", Args: append(append([]string{"bash"}, args...), "-c", body)})
		}},
		{"sh", "[ARGS]", "a script of sh", func(ctx context.Context, nb Notebook, args []string, body string) error {
			return nb.Shell(ctx, Script{What: "%%sh", Args: append(append([]string{"sh"}, args...), "-c", body)})
		}},
		{"script", "PROGRAM [ARGS]", "the standard input of a program", func(ctx context.Context, nb Notebook, args []string, body string) error {
			if len(args) == 0 {
				return errors.New("%%script: no program, want %%script PROGRAM [ARGS]")
			}
			// As in IPython, the body is what the program reads: not every program takes a
			// script as an argument.
			return nb.Shell(ctx, Script{What: "%%script " + args[0], Args: args, Stdin: body})
		}},
		{"writefile", "[-a] FILE", "a file to write; -a appends", writeFile},
		// GoNB knows the name, so that an answer helps more than that it is not known.
		{"gx", "", "a program of GX, which neither GoNB's releases nor Holt compile", func(context.Context, Notebook, []string, string) error {
			return errors.New("%%gx: Holt does not compile GX, and GoNB only when it is built for that; run its compiler with %%script")
		}},
	}
}

// isMagic reports whether a command's name, which has lost its first %, is a magic's: %bash
// for a line %%bash.
func isMagic(name string) bool {
	for _, m := range magics() {
		if name == "%"+m.name {
			return true
		}
	}
	return false
}

// magicRows are the magics as %help lists them.
func magicRows() []command {
	var rows []command
	for _, m := range magics() {
		rows = append(rows, command{names: []string{"%" + m.name}, args: m.args, help: m.help})
	}
	return rows
}

// Magic runs a cell whose Magic is not empty.
//
// It is for cells that [Split] gave a Magic. There are no other commands in such a cell: lines
// that begin with % or ! belong to its text.
func Magic(ctx context.Context, nb Notebook, c Cell) error {
	list := words(strings.TrimPrefix(c.Magic, "%%"))
	var known []string
	for _, m := range magics() {
		if len(list) > 0 && m.name == list[0] {
			// Jupyter sends a cell without the line break at its end, and a script or a file
			// ends with one.
			return m.run(ctx, nb, list[1:], c.Body+"\n")
		}
		known = append(known, "%%"+m.name)
	}
	return fmt.Errorf("%s is not known, want one of %s", c.Magic, strings.Join(known, ", "))
}

// writeFile writes the cell, and a line break at its end, to a file.
//
// A name that is not absolute is one in the folder of the cells, as in IPython. The kernel's
// own folder, which os.OpenFile would take, is another after %cd.
func writeFile(ctx context.Context, nb Notebook, args []string, body string) error {
	flags, did := os.O_CREATE|os.O_WRONLY|os.O_TRUNC, "wrote"
	if len(args) > 0 && args[0] == "-a" {
		flags, did, args = os.O_CREATE|os.O_WRONLY|os.O_APPEND, "appended to", args[1:]
	}
	if len(args) != 1 {
		return fmt.Errorf("%%%%writefile: got %d names, want one: %%%%writefile [-a] FILE", len(args))
	}
	file := expand(nb, args[0])
	if !filepath.IsAbs(file) {
		// An empty name asks.
		dir, err := nb.Chdir("")
		if err != nil {
			return err
		}
		file = filepath.Join(dir, file)
	}
	f, err := os.OpenFile(file, flags, 0o666)
	if err != nil {
		return fmt.Errorf("%%%%writefile: %w", err)
	}
	_, err = f.WriteString(body)
	// A full disk may show only when the file is closed.
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("%%%%writefile: %w", err)
	}
	nb.Print(did + " " + file + "\n")
	return nil
}
