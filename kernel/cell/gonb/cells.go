package gonb

import (
	"context"
	"errors"
	"fmt"
	"go/token"
)

// errTestInPage is the error of a cell with both %wasm and %test, in whichever order they
// stand: each of the two looks whether the other was there.
var errTestInPage = errors.New("%wasm: the cell has %test too, want one of them; tests run in the host, not in the page")

// cellCommands say how the Go code of their cell is run.
// They do nothing by themselves but write into the plan, which the session follows when all
// commands of the cell are done.
var cellCommands = []command{
	{[]string{"%", "main"}, "[ARGS]", "what follows runs; so does everything else. ARGS are the command line of\nthis cell, and its flags are parsed here", func(_ context.Context, r *runner, c line) error {
		// %% alone leaves the arguments of an %args before it.
		if len(c.words) > 0 {
			r.plan.Args = c.words
		}
		return nil
	}},
	{[]string{"args"}, "[ARGS]", "os.Args[1:] of this cell; alone in a cell, of those after it", func(_ context.Context, r *runner, c line) error {
		// Not nil, even without words: %args alone sets an empty command line.
		r.plan.Args = append([]string{}, c.words...)
		return nil
	}},
	{[]string{"exec"}, "FUNC [ARGS]", "calls a function, of this cell or an earlier one, after the code of the cell", func(_ context.Context, r *runner, c line) error {
		if len(c.words) == 0 || !token.IsIdentifier(c.words[0]) {
			return fmt.Errorf("%%exec: got %q, want the name of a function without parameters, and the arguments of its flags: %%exec train -epochs=3", c.rest)
		}
		// Whether there is such a function is seen when the cell is checked.
		r.plan.Call = c.words[0]
		r.plan.Args = append([]string{}, c.words[1:]...)
		return nil
	}},
	{[]string{"test"}, "[FLAGS]", "runs tests as go test does, in the host, where variables have their values.\nWithout FLAGS: verbosely, the tests, benchmarks, examples and fuzz seeds\nof this cell, or all tests when it has none. FLAGS are -test.v,\n-test.run=REGEXP, -test.bench=REGEXP and the others; \"\" is for none", func(_ context.Context, r *runner, c line) error {
		// No words are nil, which leaves the choice to what the cell declares. %test "" has
		// one word, an empty one, and so asks for no flags.
		r.plan.Test = true
		r.plan.TestFlags = c.words
		if r.plan.Wasm {
			return errTestInPage
		}
		return nil
	}},
	{[]string{"wasm"}, "", "compiles this cell for the page, where it runs. Constants: GonbWasmDivId, the\nelement that it can fill, GonbWasmDir and GonbWasmUrl. Functions and types\nof other cells are there; their variables are zero, as values are in the host", func(ctx context.Context, r *runner, c line) error {
		if err := c.none(); err != nil {
			return err
		}
		r.plan.Wasm = true
		if r.plan.Test {
			return errTestInPage
		}
		// It sets GONB_WASM_DIR, which commands after this one can use.
		return r.nb.WasmFolder(ctx)
	}},
	{[]string{"capture"}, "[-a] FILE", "copies what this cell prints and shows to a file; -a appends", func(_ context.Context, r *runner, c line) error {
		args := c.words
		var capture Capture
		if len(args) > 1 && args[0] == "-a" {
			capture.Append, args = true, args[1:]
		}
		if len(args) != 1 || args[0] == "" || args[0] == "-a" {
			return fmt.Errorf("%%capture: got %q, want one file: %%capture [-a] FILE", c.rest)
		}
		// The file is opened by the session, when the commands are done: their output is not
		// part of it.
		capture.File = expand(r.nb, args[0])
		r.plan.Capture = &capture
		return nil
	}},
}
