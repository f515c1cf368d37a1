package gonb

import (
	"context"
	"fmt"
	"sort"
	"strings"
)

// stateCommands are about what is declared.
//
// They act on the notebook as the cells before this one left it: the Go code of their own cell
// comes after them.
var stateCommands = []command{
	{[]string{"list", "ls"}, "", "what is declared", func(_ context.Context, r *runner, c line) error {
		if err := c.none(); err != nil {
			return err
		}
		r.nb.Print(r.nb.List())
		return nil
	}},
	{[]string{"stale"}, "", "cells whose result used what has changed since, and why", func(_ context.Context, r *runner, c line) error {
		if err := c.none(); err != nil {
			return err
		}
		r.nb.Print(r.nb.Stale())
		return nil
	}},
	{[]string{"rm", "remove"}, "NAME …", "forgets names; what they held is released", func(_ context.Context, r *runner, c line) error {
		if len(c.words) == 0 {
			return fmt.Errorf("%%%s: no name, want names of variables, functions, types, constants or imports; %%list shows them", c.name)
		}
		for _, name := range c.words {
			if r.nb.Remove(name) {
				r.nb.Print("removed " + name + "\n")
			} else {
				// As in GoNB, and as with rm -f: what is not there is no obstacle.
				r.nb.Warn(fmt.Sprintf("%%%s: nothing is called %s; %%list shows what is declared\n", c.name, name))
			}
		}
		return nil
	}},
	{[]string{"reset"}, "[go.mod]", "forgets everything, modules too, and starts a fresh host process;\nwith go.mod, forgets only what modules the notebook asked for", func(ctx context.Context, r *runner, c line) error {
		// Any other word is an error: who writes one expects something to stay.
		switch c.rest {
		case "":
			return r.nb.Reset(ctx)
		case "go.mod":
			return r.nb.ResetModules(ctx)
		}
		return fmt.Errorf("%%reset: got %q, want nothing or go.mod", c.rest)
	}},
}

// shellCommands are about programs, and where they and the cells run.
//
// ! and !* are rows without a function: their names are not followed by a space, so that
// runner.run finds them by the first character.
var shellCommands = []command{
	{[]string{"!"}, "COMMAND", "runs a command of the shell, in the folder of the cells", nil},
	{[]string{"!*"}, "COMMAND", "the same in GONB_TMP_DIR, where the notebook's go.mod is:\n!*go get example.org/m@v1.2.0", nil},
	{[]string{"with_inputs"}, "", "the next ! command of this cell reads lines that you are asked for", func(_ context.Context, r *runner, c line) error {
		// For the next command only: see runner.shell.
		r.ask = Lines
		return c.none()
	}},
	{[]string{"with_password"}, "", "the same, and what you type is not shown", func(_ context.Context, r *runner, c line) error {
		r.ask = Password
		return c.none()
	}},
	{[]string{"cd"}, "[DIR]", "the folder in which cells run; DIR changes it", func(_ context.Context, r *runner, c line) error {
		if len(c.words) > 1 {
			return fmt.Errorf("%%cd: got %d folders, want one; write quotes around a name with spaces", len(c.words))
		}
		dir := ""
		// Without a folder, Chdir("") says which one it is.
		if len(c.words) == 1 {
			dir = expand(r.nb, c.words[0])
		}
		now, err := r.nb.Chdir(dir)
		if err != nil {
			return err
		}
		r.nb.Print(now + "\n")
		return nil
	}},
	{[]string{"env"}, "[KEY[=VALUE]]", "the environment of cells and commands; KEY shows one variable, KEY=VALUE and\nKEY VALUE set it", env},
}

// env is %env:
//
//	%env                 prints all, sorted
//	%env KEY             prints one
//	%env KEY=VALUE       sets it
//	%env KEY VALUE       sets it, as in IPython
//	%env KEY = VALUE     too
//	%env KEY a=b c       sets it to a=b c: the first space comes before the =
//	%env KEY="a b"       sets it to a b
//
// Quotes are taken off, with nothing inside of them changed; and $NAME is not replaced.
func env(ctx context.Context, r *runner, c line) error {
	if c.rest == "" {
		vars := r.nb.Environ()
		sort.Strings(vars)
		r.nb.Print(strings.Join(vars, "\n") + "\n")
		return nil
	}
	// A = counts only where no word comes between it and the key.
	key, value, ok := strings.Cut(c.rest, "=")
	if !ok || strings.ContainsAny(strings.TrimSpace(key), " \t") {
		// KEY VALUE, where the value may hold an equals sign.
		key, value = c.rest, ""
		ok = false
		if i := strings.IndexAny(c.rest, " \t"); i >= 0 {
			key, value, ok = c.rest[:i], c.rest[i:], true
		}
	}
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if !ok {
		value, ok := lookup(r.nb, key)
		if !ok {
			return fmt.Errorf("%%env: %s is not set; set it with %%env %s=value", key, key)
		}
		r.nb.Print(value + "\n")
		return nil
	}
	// One pair, as in a shell's KEY="a b".
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		value = value[1 : n-1]
	}
	if err := r.nb.Setenv(ctx, key, value); err != nil {
		return err
	}
	r.nb.Print(key + "=" + value + "\n")
	return nil
}
