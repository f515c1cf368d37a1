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

// commands is a session as GoNB's commands see it. A file for each subject has
// its methods: shell.go, goget.go, state.go, stale.go, modules.go, page.go, wasm.go and
// tensorboard.go.
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

// execute runs a cell: its commands, and then its Go code as they say.
func (s *Session) execute(ctx context.Context, name, code string) error {
	parts := gonb.Split(code)
	nb := commands{s}
	if parts.Magic != "" {
		return gonb.Magic(ctx, nb, parts)
	}
	s.page.Cell()
	if os.Getenv("JPY_SESSION_NAME") == "" {
		// Without a Jupyter server no page takes the script of widgets away.
		defer s.page.Cell()
	}
	plan, err := gonb.Run(ctx, nb, parts)
	if err != nil {
		return err
	}
	if plan.Wasm {
		return s.wasm(ctx, name, parts, plan)
	}
	text := plan.Code(parts)
	if strings.TrimSpace(text) == "" && !plan.Test {
		s.deferArgs(plan)
		return nil
	}
	if err := s.restartHost(ctx); err != nil {
		return err
	}
	s.deferArgs(plan)
	if err := s.commandLine(ctx, plan, text); err != nil {
		return err
	}
	if plan.Capture != nil {
		stop, err := s.capture(*plan.Capture)
		if err != nil {
			return err
		}
		defer stop()
	}
	if strings.TrimSpace(text) != "" {
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
