package main

import (
	"fmt"

	"github.com/holt-dl/holt/kernel/jupyter/spec"
)

type placeFlags struct {
	User      bool   `xor:"place" help:"For the current user; the default."`
	Prefix    string `xor:"place" type:"path" placeholder:"DIR" help:"Below DIR, such as an environment of Python."`
	SysPrefix bool   `xor:"place" help:"Below the environment of Python that is active."`
	Name      string `default:"holt" help:"The kernel's name."`
}

func (f placeFlags) options() spec.Options {
	return spec.Options{Prefix: f.Prefix, SysPrefix: f.SysPrefix, Name: f.Name}
}

type installCmd struct {
	placeFlags
	DisplayName string `default:"Go (holt)" help:"What Jupyter's menus show."`
}

// Run installs the kernelspec.
func (c installCmd) Run() error {
	opt := c.options()
	opt.DisplayName = c.DisplayName
	return install(opt)
}

type uninstallCmd struct {
	placeFlags
}

// Run removes the kernelspec.
func (c uninstallCmd) Run() error {
	p, err := spec.Uninstall(c.options())
	if err != nil {
		return err
	}
	fmt.Println("removed", p.Dir)
	return nil
}
