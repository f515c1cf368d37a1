package doctor

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"

	"github.com/holt-dl/holt/kernel/remote"
)

// Client is the verdict on a machine from which kernels on others are used.
var Client = Verdict{
	Healthy: "Kernels on other machines can be used from here.",
	Partly:  "Kernels on other machines can be added from here, and are used by what is absent.",
	Missing: "Kernels on other machines cannot be used from here yet: mend what is MISSING.",
}

// ClientChecks are the checks of a machine from which kernels on others are used.
func ClientChecks() []Check {
	const fix = "holt remote add NAME user@host"
	checks := Jupyter("")
	for i := range checks {
		if checks[i].Name == "kernelspec" {
			checks[i].Look = func(context.Context) Finding { return lookSpec("", fix) }
		}
	}
	return append([]Check{
		{Name: "cells", Optional: true, Look: func(context.Context) Finding { return Finding{Detail: NoCells(runtime.GOOS)} }},
		{Name: "ssh", Look: func(ctx context.Context) Finding { return lookSSH(ctx, runtime.GOOS) }},
		{Name: "machines", Optional: true, Look: func(context.Context) Finding { return lookMachines(fix) }},
	}, checks...)
}

// NoCells says why no cells run on a system other than Linux, and what to do.
func NoCells(system string) string {
	why, virtual := fmt.Sprintf("Holt has no host program for %s", system), "a virtual machine"
	switch system {
	case "darwin":
		why = "Holt's host program and XLA's plugins for the processor are made for Linux, and not for macOS"
	case "windows":
		why, virtual = "Go has no plugins on Windows, and a cell is loaded as one", "WSL"
	}
	return fmt.Sprintf("cells do not run here, because %s: run them on a Linux machine with holt remote add NAME user@host, in a container, or in %s", why, virtual)
}

func lookSSH(ctx context.Context, system string) Finding {
	fix := "install OpenSSH's client"
	if system == "windows" {
		fix = "Add-WindowsCapability -Online -Name OpenSSH.Client~~~~0.0.1.0   (in PowerShell, as administrator)"
	}
	file, err := exec.LookPath("ssh")
	if err != nil {
		return Finding{Detail: "no ssh is in PATH", Fix: fix}
	}
	said, err := exec.CommandContext(ctx, file, "-V").CombinedOutput()
	if err != nil {
		return Finding{Detail: fmt.Sprintf("%s does not run: %v", file, err), Fix: fix}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(said)), "\n")
	return Finding{OK: true, Detail: strings.TrimSpace(line) + ", " + file}
}

// lookMachines names the machines that were added.
func lookMachines(fix string) Finding {
	list, err := remote.List()
	if err != nil {
		return Finding{Broken: true, Detail: err.Error()}
	}
	var names []string
	for _, m := range list {
		names = append(names, fmt.Sprintf("%s (%s)", m.Name, m.Destination))
	}
	if len(names) == 0 {
		return Finding{Detail: "none was added", Fix: fix}
	}
	return Finding{OK: true, Detail: strings.Join(names, ", ")}
}
