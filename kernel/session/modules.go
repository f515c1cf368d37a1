package session

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/holt-dl/holt/kernel/session/wasm"
)

// modulesChanged takes go.mod into the world when its requirements have changed. A fresh world
// has nothing that imports brought. Where that makes another host, the notebook moves to it at
// once, with the loss of its values. An error leaves cells with the modules that they had.
func (s *Session) modulesChanged(ctx context.Context, fresh bool) error {
	newHost, err := s.modules.Adopt(ctx, fresh)
	if newHost {
		return s.replaceHost(ctx)
	}
	return err
}

// tryModules is modulesChanged after a command that did what it was asked for: a go.mod that
// cannot be used is said, and the cell goes on. Only the first line of the reason is shown; go
// commands write pages.
func (c commands) tryModules(ctx context.Context) {
	if err := c.s.modulesChanged(ctx, false); err != nil {
		text, _, _ := strings.Cut(err.Error(), "\n")
		c.Warn("holt: the notebook's go.mod is not used, and cells keep the modules that they had: " + text + "\n")
	}
}

// saveMain writes the last cell as a program of its own beside the notebook's go.mod, with what
// it needs of earlier cells, for !*go vet and other tools that want a package. A cell that is
// no program leaves none.
func (s *Session) saveMain(ctx context.Context) {
	program := ""
	if s.last != nil {
		program, _ = wasm.Program(ctx, s.nb.Scope(), s.packages, *s.last, nil)
	}
	s.modules.Save(program)
}

// compilerSaid shows what the compiler prints about a cell by the flags of -gcflags, without
// what it prints about the generated code around it. Lines of the cell are known by the name
// that //line gave them. Our marks are taken out of names: of
//
//	cell[3]:2:6: can inline Ħarea
//	support.go:9:6: can inline ˣmark
//
// the first is shown, with area.
func (s *Session) compilerSaid(text string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "cell[") {
			commands{s}.Warn(strings.NewReplacer("Ħ", "", "ˣ", "").Replace(line))
		}
	}
}

// GoFlags returns the flags of %goflags.
func (c commands) GoFlags() []string { return c.s.modules.Flags() }

// SetGoFlags sets the flags of %goflags. Those of the compiler are heeded for
// cells; programs of %wasm are made with all.
func (c commands) SetGoFlags(_ context.Context, flags []string) error {
	idle, err := c.s.modules.SetFlags(flags)
	if err != nil {
		return err
	}
	if len(idle) > 0 && !c.s.flagsNoticed {
		c.s.flagsNoticed = true
		c.Warn(fmt.Sprintf("holt: %%goflags: %s is for %%wasm only: cells are compiled for a host that runs already, and of the flags only -gcflags is for them\n", strings.Join(idle, " ")))
	}
	return nil
}

// AutoGet sets whether imports may bring modules, for %autoget and %noautoget.
func (c commands) AutoGet(on bool) { c.s.packages.Freeze(!on) }

// ResetModules forgets the modules that the notebook asked for, by commands and by imports; a
// cell that imports one brings it again.
func (c commands) ResetModules(ctx context.Context) error {
	if err := c.s.modules.Init(); err != nil {
		return err
	}
	return c.s.modulesChanged(ctx, true)
}

// UseWorkspace replaces modules by the folders that go.work uses, so that cells see their text
// as it is on disk.
func (c commands) UseWorkspace(ctx context.Context) ([][2]string, error) {
	replaced, err := c.s.modules.UseWorkspace()
	if err != nil {
		return nil, err
	}
	c.tryModules(ctx)
	return replaced, nil
}

// Tracked lists what is tracked: by %track, and what go.mod replaces modules with.
func (c commands) Tracked() []string { return c.s.modules.Tracked() }

// Track adds a file or folder.
func (c commands) Track(path string) error { return c.s.modules.Track(c.absolute(path)) }

// Untrack removes what Track added, and hides what is tracked by itself.
func (c commands) Untrack(path string) bool { return c.s.modules.Untrack(c.absolute(path)) }

// absolute is a path as cells see it: relative ones begin in the folder of %cd, not in the
// kernel's own.
func (c commands) absolute(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.s.cwd, path)
}
