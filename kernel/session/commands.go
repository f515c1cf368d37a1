package session

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/cell/parse"
)

// commands is a session as GoNB's commands see it. A file for each subject has its methods:
// shell.go, goget.go, state.go, stale.go, modules.go, page.go, wasm.go and tensorboard.go.
//
// It is a type of its own so that these methods are no part of Session's: they must be called
// by the running cell only, which holds run. Their errors are the cell's, and begin with the
// command's name where gonb does not say it.
type commands struct{ s *Session }

var _ gonb.Notebook = commands{}

// Print writes to the cell's output.
func (c commands) Print(text string) { c.s.out.Stream("stdout", []byte(text)) }

// Warn writes to the cell's stderr.
func (c commands) Warn(text string) { c.s.out.Stream("stderr", []byte(text)) }

// Version names Holt and Go.
func (c commands) Version() string {
	return fmt.Sprintf("holt %s, cells are compiled by %s (kernel built by %s)", c.s.opt.Version, c.s.world.Toolchain().Version, runtime.Version())
}

// execute runs a cell: its commands, and then its Go code as they say. The caller holds run,
// and the session is open.
//
// The commands run first, wherever they stand between lines of Go, and what they say of the
// code (arguments, %wasm, %test, %capture) comes back as a plan. So a cell may bring a module
// and import it:
//
//	!*go get example.org/m@v1.2.0
//	import "example.org/m"
func (s *Session) execute(ctx context.Context, name, code string) error {
	parts := gonb.Split(code)
	nb := commands{s}
	// %%bash and the like: the whole cell is another language's.
	if parts.Magic != "" {
		return gonb.Magic(ctx, nb, parts)
	}
	// The page may have been loaded anew since the last cell, without the script.
	s.page.Cell()
	if os.Getenv("JPY_SESSION_NAME") == "" {
		// Without a Jupyter server no page takes the script of widgets away.
		defer s.page.Cell()
	}
	plan, err := gonb.Run(ctx, nb, parts)
	if err != nil {
		return err
	}
	// The program is for the page: it needs no host, and leaves nothing declared.
	if plan.Wasm {
		return s.wasm(ctx, name, parts, plan)
	}
	// The cell's Go text, and a call that %exec adds.
	text := plan.Code(parts)
	if strings.TrimSpace(text) == "" && !plan.Test {
		s.deferArgs(plan)
		return nil
	}
	// From here on there is a host, or the cell ends.
	if err := s.restartHost(ctx); err != nil {
		return err
	}
	s.deferArgs(plan)
	if err := s.commandLine(ctx, plan, text); err != nil {
		return err
	}
	// After the commands, whose output the file does not get: it copies what the host prints.
	if plan.Capture != nil {
		stop, err := s.capture(*plan.Capture)
		if err != nil {
			return err
		}
		defer stop()
	}
	if strings.TrimSpace(text) != "" {
		// Kept before the cell runs, since a command in the folder of go.mod is most wanted for
		// a cell that does not compile.
		s.last = &parse.Source{Name: name, Text: text}
		if err := s.runCell(ctx, *s.last); err != nil {
			return err
		}
	}
	if plan.Test {
		return s.test(ctx, parts.Go, plan.TestFlags)
	}
	return nil
}
