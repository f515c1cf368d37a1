package proc

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Exit is the end of a host process, as an error. Reason is for a sentence; the other fields
// are for code that decides by them.
type Exit struct {
	Reason string // "exit status 3", "signal: killed (out of memory?)", "panic: boom"
	Code   int    // exit status; -1 when a signal ended it
	Signal syscall.Signal
	Trace  string // what the Go runtime wrote about it, from "panic:" or "fatal error:" on; may be empty
	Killed bool   // by Process.Kill
}

// Error says that the host ended and why.
func (e *Exit) Error() string { return "the host process ended: " + e.Reason }

// end is called once, when the process is gone, with the error of its Wait. It brings all that
// was printed to the notebook before anyone is told of the end. It never waits for long,
// whatever programs of cells still hold the pipes.
func (p *Process) end(err error) {
	// Children that still hold the pipes would keep them open for ever.
	syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	// Bounded, as nothing may keep the end from being told.
	select {
	case <-p.received: // what it sent last is handled
	case <-time.After(2 * time.Second):
	}
	p.drain()
	p.mu.Lock()
	killed := p.killed
	p.mu.Unlock()
	p.deliver.Lock()
	// The report is in what was kept back, or, when more came than is kept back, at the end of
	// what was printed.
	text := p.errs.tail.buf
	if p.held.on {
		text = p.held.buf
	}
	trace := goTrace(string(text))
	if trace == "" {
		p.held.release()
	} else {
		p.held.drop()
	}
	p.deliver.Unlock()
	// Before done is closed: a goroutine that has seen that may read it.
	p.exit = newExit(err, trace, killed)
	p.conn.Close()
	p.out.file.Close()
	p.errs.file.Close()
	p.gonb.close()
	close(p.done)
}

// newExit says in words how a process ended, from the error of its Wait and from the trace of
// the runtime, "" where there is none. What a signal most likely means is said in brackets,
// with a mark of doubt where it is a guess. The memory's killer uses SIGKILL, abort(3) of C
// SIGABRT.
func newExit(err error, trace string, killed bool) *Exit {
	e := &Exit{Trace: trace, Killed: killed}
	var failed *exec.ExitError
	switch {
	case err == nil:
		e.Reason = "exit status 0"
	case errors.As(err, &failed):
		e.Reason = failed.ProcessState.String()
		e.Code = failed.ExitCode()
		status, ok := failed.Sys().(syscall.WaitStatus)
		if ok && status.Signaled() {
			e.Signal = status.Signal()
			e.Reason = "signal: " + status.Signal().String()
			switch {
			case killed:
				e.Reason += " (by the kernel)"
			case e.Signal == syscall.SIGKILL:
				e.Reason += " (out of memory?)"
			case e.Signal == syscall.SIGABRT:
				e.Reason += " (C or C++ code gave up)"
			}
		}
	default:
		e.Reason = err.Error()
		e.Code = -1
	}
	// The runtime exits with 2 after it has said what happened.
	// The reason is then "panic: boom (exit status 2)", and not the status alone.
	if head, _, _ := strings.Cut(trace, "\n"); head != "" && !killed && e.Code == 2 {
		e.Reason = fmt.Sprintf("%s (%s)", head, e.Reason)
	}
	return e
}

// goTrace finds the report of the Go runtime at the end of stderr; "" where there is none. A
// line that begins as a report does is not enough: one has the trace of a goroutine too.
func goTrace(stderr string) string {
	best := crashStart(stderr, true)
	if best < 0 || !strings.Contains(stderr[best:], "\ngoroutine ") {
		return ""
	}
	return strings.TrimSpace(stderr[best:])
}
