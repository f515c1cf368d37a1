//go:build unix

package process

import (
	"os"
	"os/exec"
	"syscall"
)

// Group has a program run in a process group of its own: Ctrl+C in the terminal does not
// reach it, and [KillGroup] reaches what it starts.
func Group(cmd *exec.Cmd) { attr(cmd).Setpgid = true }

// Detach has a program run in a session of its own, in which it outlives the login that
// started it.
func Detach(cmd *exec.Cmd) { attr(cmd).Setsid = true }

func attr(cmd *exec.Cmd) *syscall.SysProcAttr {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	return cmd.SysProcAttr
}

// End asks a program to end, by SIGTERM.
func End(p *os.Process) error { return p.Signal(syscall.SIGTERM) }

// KillGroup kills a program that [Group] was called for, and what it has started.
func KillGroup(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

// Last lets a program that [Group] was called for, and what it starts from now on, run only
// when nothing else wants the processor.
func Last(cmd *exec.Cmd) { syscall.Setpriority(syscall.PRIO_PGRP, cmd.Process.Pid, 19) }
