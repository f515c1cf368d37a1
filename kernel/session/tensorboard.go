package session

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/cell/gonb"
	"github.com/holt-dl/holt/kernel/machine/tensorboard"
	"github.com/holt-dl/holt/kernel/session/report"
)

// TensorBoard shows TensorBoard below the cell. A question such as --help or --version (Tell)
// is answered by the program itself, as a shell command.
//
// It takes seconds to start, so the display says first what goes on, and becomes the frame with
// TensorBoard when it serves: both have the same display id. The process belongs to the session
// and ends with it.
func (c commands) TensorBoard(ctx context.Context, r tensorboard.Request) error {
	env := c.Environ()
	if r.Tell {
		program, err := tensorboard.Find(ctx, env)
		if err != nil {
			return err
		}
		return c.Shell(ctx, gonb.Script{What: "%tensorboard", Args: append(program, r.Args...)})
	}
	if dir := tensorboard.Folder(r.LogDir, c.s.cwd); filepath.IsAbs(dir) { // and no gs://…
		if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
			c.s.notice("there is no folder " + dir + " yet; TensorBoard shows it once something is logged there")
		}
	}
	// A display of its own for each call, so that a cell that runs twice does not change what
	// it showed first.
	id := rand.Text()
	kind := frame.KindDisplay
	// The first call makes the display, later ones change it.
	show := func(b frame.Bundle) {
		b.DisplayID = id
		c.s.out.Frame(frame.Message{Kind: kind, Bundle: &b})
		kind = frame.KindUpdate
	}
	server, err := c.s.boards.Serve(ctx, r, tensorboard.Setting{
		Dir: c.s.cwd, Env: env, Temp: c.s.dir, Say: func(text string) { show(frame.Text(text)) },
	})
	// Whatever Serve says then, the person did it.
	if ctx.Err() != nil {
		return report.Interrupted{What: "TensorBoard was interrupted before it served"}
	}
	if err != nil {
		return err
	}
	show(server.Bundle(env, c.s.jupyter().Host))
	return nil
}
