package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/holt-dl/holt"
	"github.com/holt-dl/holt/internal/buildinfo"
	"github.com/holt-dl/holt/kernel/jupyter/front"
	"github.com/holt-dl/holt/kernel/jupyter/spec"
	"github.com/holt-dl/holt/kernel/jupyter/wire"
	"github.com/holt-dl/holt/kernel/remote"
)

type remoteCmd struct {
	Add         remoteAddCmd    `cmd:"" help:"Install Holt on another machine over ssh, and a kernelspec here that runs it there."`
	List        remoteListCmd   `cmd:"" help:"List the machines, or the kernels on one."`
	Stop        remoteStopCmd   `cmd:"" help:"End kernels on a machine."`
	Remove      remoteRemoveCmd `cmd:"" help:"Forget a machine."`
	Kernel      remoteKernelCmd `cmd:"" hidden:"" help:"Run a kernel on another machine; Jupyter starts it."`
	remoteLocal                 // for the machine where kernels run
}

type remoteAddCmd struct {
	Name        string        `arg:"" help:"What to call the machine here."`
	Destination string        `arg:"" help:"What ssh calls it: user@host, or an alias of ~/.ssh/config."`
	SSHConfig   string        `type:"existingfile" placeholder:"FILE" help:"A file for ssh in the place of ~/.ssh/config."`
	SSH         string        `placeholder:"PROGRAM" help:"A program in the place of ssh."`
	Backend     string        `enum:",cpu,cuda,cuda12" default:"" help:"Install this backend there, and use it: cpu, cuda or cuda12."`
	Dir         string        `placeholder:"DIR" help:"Where kernels run there; the home folder unless given."`
	Grace       time.Duration `default:"30m" help:"How long a kernel waits for a line that was cut."`
	DisplayName string        `placeholder:"TEXT" help:"What Jupyter's menus show; \"Go (holt) on NAME\" unless given."`
	NoWarm      bool          `help:"Leave building the host program to the first cell."`
	User        bool          `xor:"place" help:"The kernelspec is for the current user; the default."`
	Prefix      string        `xor:"place" type:"path" placeholder:"DIR" help:"The kernelspec goes below DIR, such as an environment of Python."`
	SysPrefix   bool          `xor:"place" help:"The kernelspec goes below the environment of Python that is active."`
}

// Run installs Holt there and the kernelspec here.
func (c remoteAddCmd) Run(ctx context.Context) error {
	m, err := remote.Add(ctx, remote.AddOptions{
		Machine: remote.Machine{Name: c.Name, Destination: c.Destination, SSHConfig: c.SSHConfig, SSH: c.SSH, Dir: c.Dir, Grace: c.Grace},
		Version: buildinfo.Version(),
		Program: holt.Program,
		Backend: c.Backend,
		NoWarm:  c.NoWarm,
		Spec:    spec.Options{Prefix: c.Prefix, SysPrefix: c.SysPrefix, DisplayName: c.DisplayName},
		Say:     os.Stderr,
	})
	if err != nil {
		return err
	}
	where := m.Dir
	if where == "" {
		where = "the home folder"
	}
	fmt.Printf("Jupyter can run kernels on %s now, in %s there.\n  kernelspec  %s\n  program     %s on %s\n", m.Name, where, m.Spec, m.Holt, m.Destination)
	return nil
}

type remoteListCmd struct {
	Name string `arg:"" optional:"" help:"A machine, whose kernels are listed."`
}

// Run lists machines, or sessions.
func (c remoteListCmd) Run(ctx context.Context) error {
	if c.Name == "" {
		list, err := remote.List()
		for _, m := range list {
			fmt.Printf("%-12s  %-24s  holt %s  %s\n", m.Name, m.Destination, m.Version, m.Spec)
		}
		if err == nil && len(list) == 0 {
			fmt.Println("no machine was added; add one with: holt remote add NAME user@host")
		}
		return err
	}
	m, err := remote.Find(c.Name)
	if err != nil {
		return err
	}
	sessions, err := m.Sessions(ctx)
	if err != nil {
		return err
	}
	for _, s := range sessions {
		fmt.Println(s)
	}
	if len(sessions) == 0 {
		fmt.Println("no kernel runs on", m.Name)
	}
	return nil
}

type remoteStopCmd struct {
	Name string `arg:"" help:"The machine."`
	ID   string `arg:"" optional:"" help:"The kernel, as list shows it."`
	All  bool   `help:"All kernels on the machine."`
}

// Run ends sessions.
func (c remoteStopCmd) Run(ctx context.Context) error {
	if (c.ID == "") != c.All {
		return fmt.Errorf("remote: stop: want the id of a kernel, or --all; holt remote list %s shows them", c.Name)
	}
	m, err := remote.Find(c.Name)
	if err != nil {
		return err
	}
	stopped, err := m.Stop(ctx, c.ID)
	if err != nil {
		return err
	}
	for _, s := range stopped {
		fmt.Println("stopped", s)
	}
	if len(stopped) == 0 && !c.All {
		return fmt.Errorf("remote: stop: no kernel on %s has an id that begins with %q; holt remote list %s shows them", c.Name, c.ID, c.Name)
	}
	return nil
}

type remoteRemoveCmd struct {
	Name string `arg:"" help:"The machine."`
}

// Run forgets a machine.
func (c remoteRemoveCmd) Run() error {
	m, err := remote.Remove(c.Name)
	if err != nil {
		return err
	}
	fmt.Printf("%s is forgotten here. What lies there stays; delete it with: ssh %s rm -r %s\n", m.Name, m.Destination, m.Holt)
	return nil
}

type remoteKernelCmd struct {
	Name string `arg:"" help:"The machine."`
	File string `short:"f" required:"" type:"path" placeholder:"FILE" help:"Connection file that Jupyter wrote."`
}

// Run is a kernel whose cells run there, until Jupyter shuts it down.
func (c remoteKernelCmd) Run(ctx context.Context) error {
	front.SetLog()
	conn, err := wire.ReadConnection(c.File)
	if err != nil {
		return err
	}
	m, err := remote.Find(c.Name)
	if err != nil {
		return err
	}
	return remote.Serve(ctx, filepath.Base(c.File), conn, m)
}
