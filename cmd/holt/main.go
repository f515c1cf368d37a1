// Command holt is a Jupyter kernel for deep learning in Go.
//
//	holt install          tell Jupyter about it
//	holt run notebook     run a notebook in batch
//	holt export notebook  write a notebook as a Go program
//	holt doctor           see what is there and what is missing
//	holt backend install  bring XLA for this machine
//	holt warm             build the host program ahead of the first cell
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// Version is holt's version. A release build sets it with
// -ldflags "-X main.Version=v1.2.3".
var Version = ""

type cli struct {
	Install   installCmd   `cmd:"" help:"Tell Jupyter about Holt."`
	Uninstall uninstallCmd `cmd:"" help:"Undo install."`
	Run       runCmd       `cmd:"" help:"Run a notebook from top to bottom, without Jupyter."`
	Export    exportCmd    `cmd:"" help:"Write a notebook as a Go program."`
	Kernel    kernelCmd    `cmd:"" help:"Run a kernel; Jupyter starts it."`
	Doctor    doctorCmd    `cmd:"" help:"Say what is there, what is missing, and the command that mends it."`
	Backend   backendCmd   `cmd:"" help:"Install what runs networks."`
	Remote    remoteCmd    `cmd:"" help:"Run kernels on other machines over ssh."`
	Warm      warmCmd      `cmd:"" help:"Build the host program now, which the first cell would wait for."`
	Gopls     goplsCmd     `cmd:"" help:"Build gopls now, which completes and explains names; else a kernel does when it is first asked."`
	Probe     probeCmd     `cmd:"" hidden:"" help:"Load an XLA plugin and say what it is, as JSON; the doctor does."`
	Version   versionCmd   `cmd:"" help:"Print the version."`
}

func main() {
	ensureHome()
	var c cli
	parser := kong.Must(&c, kong.Name("holt"),
		kong.Description("A Jupyter kernel for deep learning in Go, in which everything a cell makes stays alive for the next one."),
		kong.UsageOnError())
	k, err := parser.Parse(os.Args[1:])
	parser.FatalIfErrorf(err)
	ctx := context.Background()
	switch k.Command() {
	case "kernel", "remote kernel <name>", "remote keep": // they know signals of their own
	default:
		var stop func()
		ctx, stop = signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
		defer stop()
	}
	k.BindTo(ctx, (*context.Context)(nil))
	if err := k.Run(); err != nil {
		if !errors.Is(err, errReported) && !errors.Is(err, errUnhealthy) {
			fmt.Fprintln(os.Stderr, "holt:", err)
		}
		os.Exit(1)
	}
}

type versionCmd struct{}

// Run prints the version of holt and of the Go that built it.
func (versionCmd) Run() error {
	fmt.Println("holt", version(), goVersion())
	return nil
}

// version is what the build was told, else what the go command recorded.
func version() string {
	if Version != "" {
		return Version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return "devel-" + s.Value[:12]
		}
	}
	return "devel"
}

func goVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return strings.TrimPrefix(info.GoVersion, "go")
	}
	return ""
}
