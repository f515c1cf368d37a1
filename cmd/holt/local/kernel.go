package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/dl/backend"
	"github.com/holt-dl/holt/internal/buildinfo"
	"github.com/holt-dl/holt/kernel"
	"github.com/holt-dl/holt/kernel/jupyter/front"
	"github.com/holt-dl/holt/kernel/jupyter/wire"
	"github.com/holt-dl/holt/kernel/session"
)

type kernelCmd struct {
	File string `short:"f" required:"" type:"path" placeholder:"FILE" help:"Connection file that Jupyter wrote; written where there is none, for clients to come to."`

	// Jupyter run passes its own words on to the kernel that it starts: the
	// files to run. Kernels disregard them.
	Rest []string `arg:"" optional:"" passthrough:"" hidden:""`
}

// Run serves the kernel until Jupyter shuts it down.
func (c kernelCmd) Run(ctx context.Context) error {
	front.SetLog()
	conn, err := connection(c.File)
	if err != nil {
		return err
	}
	backend.Setup() // the host, which is started from here, finds the plugins
	return kernel.Serve(ctx, conn, kernel.Options{Version: buildinfo.Version(), History: historyFile()},
		func(out session.Output) (kernel.Engine, error) {
			s, err := session.Open(session.Options{Source: holt.Source, Version: buildinfo.Version(), Connection: c.File}, out)
			if err != nil {
				return nil, err // and no typed nil
			}
			return s, nil
		})
}

// connection reads a connection file. Where there is none it writes one, as
// ipykernel does, for kernels that are started by hand.
func connection(file string) (wire.Connection, error) {
	conn, err := wire.ReadConnection(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return conn, err
	}
	if conn, err = wire.NewTCP(); err != nil {
		return conn, err
	}
	if err := conn.Write(file); err != nil {
		return conn, err
	}
	fmt.Fprintf(os.Stderr, "connect to this kernel with: jupyter console --existing %s\n", file)
	return conn, nil
}

// historyFile is where inputs are kept: below XDG_STATE_HOME, else
// ~/.local/state. HOLT_HISTORY names another file, or is empty for none.
func historyFile() string {
	if file, ok := os.LookupEnv("HOLT_HISTORY"); ok {
		return file
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "holt", "history.jsonl")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "state", "holt", "history.jsonl")
}
