package session

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/session/wasm"
)

// WasmFolder makes the folder for programs of %wasm, once in a session; the session's end
// removes it. The page can fetch only what its Jupyter server serves, so the folder is below
// that server's root, and without a server there is none.
func (c commands) WasmFolder(ctx context.Context) error {
	if c.s.wasmFolder != nil {
		return nil
	}
	server := c.s.jupyter()
	if server.Root == "" {
		return fmt.Errorf("%%wasm: the kernel was not started by a Jupyter server (JPY_PARENT_PID is %q), want one to serve the program to the page", os.Getenv("JPY_PARENT_PID"))
	}
	f, err := wasm.Make(server.Root, server.Base, filepath.Base(c.s.modules.Dir), c.s.world.Toolchain())
	if err != nil {
		return err
	}
	// The variables are GoNB's: they tell programs in the host where files for the page are.
	c.s.wasmFolder = f
	if err := c.Setenv(ctx, "GONB_WASM_DIR", f.Dir); err != nil {
		return err
	}
	return c.Setenv(ctx, "GONB_WASM_URL", f.URL)
}

// wasm compiles a cell for the page, and shows what runs it there. It changes nothing of the
// notebook: the program has its own copy of what it needs. The caller has made the folder,
// which the command %wasm does.
func (s *Session) wasm(ctx context.Context, name string, parts gonb.Cell, plan gonb.Plan) error {
	text := plan.Code(parts)
	if strings.TrimSpace(text) == "" {
		return nil
	}
	b, err := s.wasmFolder.Add(ctx, wasm.Build{World: s.world, Dir: s.dir, Flags: s.modules.Flags()},
		s.nb.Scope(), s.packages, parse.Source{Name: name, Text: text}, plan.Args)
	if err != nil {
		return err
	}
	s.out.Frame(frame.Message{Kind: frame.KindDisplay, Bundle: &b})
	return nil
}
