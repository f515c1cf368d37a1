package process

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// Group has a program run in a process group of its own: Ctrl+C in the console does not
// reach it.
func Group(cmd *exec.Cmd) { attr(cmd).CreationFlags |= windows.CREATE_NEW_PROCESS_GROUP }

// Detach has a program run without the console of the one that started it, which it
// outlives.
func Detach(cmd *exec.Cmd) {
	attr(cmd).CreationFlags |= windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS
}

func attr(cmd *exec.Cmd) *syscall.SysProcAttr {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	return cmd.SysProcAttr
}

// End ends a program. Windows has no request to end for a program without a window.
func End(p *os.Process) error { return p.Kill() }

// KillGroup kills a program. What it has started lives on: a group of Windows is one for
// Ctrl+C only.
func KillGroup(cmd *exec.Cmd) error { return cmd.Process.Kill() }

// Last does nothing: what runs in the background with it, compilers of parts of Go, is not
// needed where no cells run.
func Last(*exec.Cmd) {}
