package gonb

import (
	"context"
	"fmt"
	"sort"
	"strings"
)

// Notebook is what commands act on.
type Notebook interface {
	Print(text string)                        // to the cell's output
	Chdir(dir string) (now string, err error) // empty asks where cells run
	Environ() []string                        // KEY=value
	Setenv(ctx context.Context, key, value string) error
	List() string                                    // what is declared, for %list
	Stale() string                                   // whose result is out of date, for %stale
	Remove(name string) bool                         // forgets a name
	Reset(ctx context.Context) error                 // forgets everything
	SetArgs(args []string) error                     // os.Args[1:] of the cells
	Shell(ctx context.Context, command string) error // runs a command and shows what it prints
	Version() string
}

// Run carries out one command.
func Run(ctx context.Context, nb Notebook, c Command) error {
	if cmd, ok := strings.CutPrefix(c.Text, "!"); ok {
		// GoNB runs !* in its temporary folder; here cells have one folder.
		return nb.Shell(ctx, strings.TrimPrefix(cmd, "*"))
	}
	name, rest, _ := strings.Cut(strings.TrimPrefix(c.Text, "%"), " ")
	rest = strings.TrimSpace(rest)
	fields := strings.Fields(rest)
	switch name {
	case "%", "main":
		if len(fields) > 0 {
			return nb.SetArgs(fields)
		}
		return nil
	case "args":
		return nb.SetArgs(fields)
	case "env":
		return env(ctx, nb, rest)
	case "cd":
		now, err := nb.Chdir(rest)
		if err != nil {
			return err
		}
		nb.Print(now + "\n")
		return nil
	case "list", "ls":
		nb.Print(nb.List())
		return nil
	case "stale":
		nb.Print(nb.Stale())
		return nil
	case "rm", "remove":
		if len(fields) == 0 {
			return fmt.Errorf("%%%s: no name, want names of variables, functions, types, constants or imports; %%list shows them", name)
		}
		for _, f := range fields {
			if !nb.Remove(f) {
				return fmt.Errorf("%%%s: nothing is called %s; %%list shows what is declared", name, f)
			}
			nb.Print("removed " + f + "\n")
		}
		return nil
	case "reset":
		return nb.Reset(ctx)
	case "help":
		nb.Print(help)
		return nil
	case "version":
		nb.Print(nb.Version() + "\n")
		return nil
	case "autoget", "noautoget", "goworkfix", "track", "untrack":
		// Imports are resolved when they are new and never fetched again, so
		// GoNB's switches have nothing to switch.
		return nil
	}
	return fmt.Errorf("%%%s is not a command; %%help lists them", name)
}

func env(ctx context.Context, nb Notebook, rest string) error {
	if rest == "" {
		vars := nb.Environ()
		sort.Strings(vars)
		nb.Print(strings.Join(vars, "\n") + "\n")
		return nil
	}
	key, value, ok := strings.Cut(rest, "=")
	if !ok {
		key, value, ok = strings.Cut(rest, " ")
	}
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	if !ok {
		for _, kv := range nb.Environ() {
			if k, v, _ := strings.Cut(kv, "="); k == key {
				nb.Print(v + "\n")
				return nil
			}
		}
		return fmt.Errorf("%%env: %s is not set; set it with %%env %s=value", key, key)
	}
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		value = value[1 : n-1]
	}
	if err := nb.Setenv(ctx, key, value); err != nil {
		return err
	}
	nb.Print(key + "=" + value + "\n")
	return nil
}

const help = `Everything that a cell declares stays for the next one: variables, functions,
types, constants, imports. The last line's value is shown. A call whose error is
not taken ends the cell when there is one.

%%, %main [args]    what follows runs (so does everything else; for GoNB's notebooks)
%args [args]        os.Args[1:] of the cells
%list, %ls          what is declared
%stale              cells whose result used what has changed since, and why
%rm NAME …          forget names
%reset              forget everything, and start a fresh host process
%env                the environment; %env KEY shows one, %env KEY=value sets it
%cd [DIR]           the folder in which cells run
%version            versions of Holt and Go
%help               this text
!COMMAND            run a command of the shell
%%bash, %%sh        a cell for the shell
%%writefile FILE    a cell that is written to a file
`
