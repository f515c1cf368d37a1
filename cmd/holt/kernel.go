package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/dl/backend"
	"github.com/holt-dl/holt/kernel"
	"github.com/holt-dl/holt/kernel/session"
	"github.com/holt-dl/holt/kernel/wire"
)

type kernelCmd struct {
	File string `short:"f" required:"" type:"path" placeholder:"FILE" help:"Connection file that Jupyter wrote."`
}

// Run serves the kernel until Jupyter shuts it down.
func (c kernelCmd) Run(ctx context.Context) error {
	var level slog.Level
	if level.UnmarshalText([]byte(os.Getenv("HOLT_LOG"))) != nil {
		level = slog.LevelWarn
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
	conn, err := wire.ReadConnection(c.File)
	if err != nil {
		return err
	}
	backend.Setup() // the host, which is started from here, finds the plugins
	return kernel.Serve(ctx, conn, kernel.Options{Version: version(), History: historyFile()},
		func(out session.Output) (kernel.Engine, error) {
			s, err := session.Open(session.Options{Source: holt.Source, Version: version(), KernelID: kernelID(c.File)}, out)
			if err != nil {
				return nil, err // and no typed nil
			}
			return s, nil
		})
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

// kernelID is the name by which the Jupyter server knows the kernel, as the
// name of the connection file says: kernel-NAME.json.
func kernelID(file string) string {
	name, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(file), ".json"), "kernel-")
	if !ok {
		return ""
	}
	return name
}
