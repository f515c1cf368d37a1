package gosource

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/holt-dl/holt/internal/aside"
	"github.com/holt-dl/holt/internal/process"
)

// Tool is a program of Go's own that is built with other files in the place of some
// of its sources. Go, Root, Package and Files are required.
type Tool struct {
	Go      string            // the go command
	Root    string            // its GOROOT
	Env     []string          // the environment of the go command
	Package string            // "cmd/link"
	Files   map[string][]byte // the files that change, by file name, as Apply returns them
	// Background is for what can wait: one compiler at a time runs, when nothing
	// else wants the processor.
	Background bool
}

// Build builds the program in a folder that it makes, under the last word of its
// package's path. The folder is whole or absent.
//
// A folder that another process has made meanwhile stays, since it holds the same. What was
// begun is removed when ctx is cancelled.
func (t Tool) Build(ctx context.Context, dir string) error {
	return aside.NewFolder(dir, func(bin string) error {
		// The folder around the new one goes when this function has returned, and with it the
		// overlay and what the go command leaves.
		tmp := filepath.Dir(bin)
		overlay, _, err := Overlay(tmp, t.Files)
		if err != nil {
			return err
		}
		// No version control: GOROOT may be in a checkout, whose state would be asked for.
		// Without paths, the program does not differ by the user's folders.
		args := []string{"build", "-trimpath", "-buildvcs=false", "-overlay", overlay, "-o", filepath.Join(bin, filepath.Base(t.Package))}
		if t.Background {
			args = append(args, "-p=1")
		}
		cmd := exec.CommandContext(ctx, t.Go, append(args, t.Package)...)
		cmd.Dir = t.Root
		// No module is needed, and Go replaces no file below the module cache, where a
		// toolchain that the go command downloaded is.
		cmd.Env = append(slices.Clip(t.Env), "GOMODCACHE="+filepath.Join(tmp, "mod"), "GOTMPDIR="+tmp)
		process.Group(cmd) // compilers end with the go command
		cmd.Cancel = func() error { return process.KillGroup(cmd) }
		// A compiler that outlives the kill would hold the pipe of the output open.
		cmd.WaitDelay = 2 * time.Second
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			return fmt.Errorf("go build %s: %w", t.Package, err)
		}
		if t.Background {
			process.Last(cmd) // the compilers inherit it
		}
		if err := cmd.Wait(); err != nil {
			return fmt.Errorf("go build %s: %w: %s", t.Package, err, strings.TrimSpace(out.String()))
		}
		return nil
	})
}
