package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/holt-dl/holt/kernel/host/proc"
	"github.com/holt-dl/holt/kernel/session/report"
)

// start starts a host process. Where the program ends before it is ready, it is built again,
// once: a damaged cache must not stop every kernel for ever.
//
// Once in a session, because a build takes long and a second one would find nothing else.
// The caller is open, or holds run.
func (s *Session) start() error {
	p, err := s.launch()
	if err != nil && s.ctx.Err() == nil && s.damaged(err) {
		if !s.rebuilt {
			s.rebuilt = true
			s.notes.set("the host does not start; it is built again")
			if failed := s.world.Rebuild(s.ctx); failed != nil {
				return fmt.Errorf("%w; the host had to be built again, because it did not start (%w)", failed, err)
			}
			s.warn("the host did not start (" + err.Error() + "), so it was built again")
			p, err = s.launch()
		}
		if err != nil {
			err = fmt.Errorf("%w; it was built again, which did not help: remove the folder %s and restart the kernel", err, s.world.CacheDir())
		}
	}
	if err != nil {
		return err
	}
	// What widgets of the last host have subscribed to, its programs must ask for anew.
	s.page.Reset()
	s.mu.Lock()
	s.proc = p
	s.mu.Unlock()
	// A run lives in the host, as functions do that controls call. When that ends, no one else
	// tells their displays.
	go func() {
		<-p.Done()
		s.liveRuns.Stop("the host process ended")
	}()
	return nil
}

// damaged reports whether a start failed in a way that another build may repair, and not
// because memory or processes were exhausted: building the host again would need more of both,
// and throw away a good one.
func (s *Session) damaged(err error) bool {
	var exit *proc.Exit
	// The program could not be started at all. Missing, or no program (ENOEXEC: a file that was
	// cut off, or is of another architecture), is what a build repairs; no permission, or no
	// more processes, is not.
	if !errors.As(err, &exit) {
		_, missing := os.Stat(s.world.Host())
		return missing != nil || errors.Is(err, syscall.ENOEXEC)
	}
	// The kernel's out-of-memory killer, or a person.
	if exit.Signal == syscall.SIGKILL {
		return false
	}
	for _, words := range []string{"out of memory", "cannot allocate memory", "failed to create new OS thread", "Resource temporarily unavailable"} {
		if strings.Contains(exit.Reason, words) || strings.Contains(exit.Trace, words) {
			return false
		}
	}
	return true
}

// launch starts the host that the world holds, and joins its output with the notebook. It
// returns when the host listens. HOLT=1 tells programs that they run in a cell.
func (s *Session) launch() (*proc.Process, error) {
	s.mu.Lock()
	s.late = map[int]Output{} // the goroutines of the last host are gone
	s.mu.Unlock()
	return proc.Start(s.ctx, s.world.Host(), proc.Options{
		Dir:    s.cwd,
		Env:    append([]string{"HOLT=1"}, s.env...),
		Stdout: func(p []byte) { s.shown("stdout", p) },
		Stderr: func(p []byte) { s.shown("stderr", p) },
		Frame:  s.framed,
		Print:  s.printed,
		Input:  s.input,
		Page:   s.page,
		Sync:   s.sync,
	})
}

// recordHostExit records that the host ended, and what was lost with it. The next cell starts
// another. The caller holds run.
func (s *Session) recordHostExit(err error) *report.HostDied {
	why := err.Error()
	var exit *proc.Exit
	if errors.As(err, &exit) {
		why = exit.Reason
	}
	s.died = why
	lost := s.markLost("the host process ended (" + short(why) + ")")
	return &report.HostDied{Exit: exit, Why: why, Lost: lost}
}

// short is the first line of a reason, for use in a sentence, and not much of that: reasons may
// hold a C compiler's output or a path without end.
func short(why string) string {
	const most = 200 // bytes
	line, _, _ := strings.Cut(why, "\n")
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}

// markLost marks the values of all variables as gone, and returns their names. The check of a
// cell refuses one that uses them, and names the cell to run again. The lineage is told too, or
// it would call cells stale that rest on what is gone anyway.
func (s *Session) markLost(why string) []string {
	names := s.nb.MarkLost(why)
	s.lineage.MarkLost(names)
	return names
}

// restartHost starts a fresh host after the last one ended, and declares in it what was
// declared. It does nothing when the host lives. It is called before every cell with Go code,
// so that a cell of commands alone works also without a host.
func (s *Session) restartHost(ctx context.Context) error {
	p := s.process()
	// A kill is under way, and would end the process in the middle of this cell.
	if p.Killed() {
		p.Wait()
	}
	select {
	// The process is gone. It may have been seen by the cell that it ended (died says so), or
	// have ended when none ran, by a goroutine that was left behind: that is said here, as no
	// cell's error will.
	case <-p.Done():
		if s.died == "" { // between two cells
			ended := s.recordHostExit(p.Wait())
			s.notice("the host process ended between two cells (" + s.died + "); declarations are kept, and " + report.Gone(ended.Lost))
		}
	// The process lives, but a cell lost its connection to it: another takes its place.
	default:
		if s.died == "" {
			return nil
		}
		p.Kill()
		p.Wait() // before the next one's runs are shown, since its own are stopped with it
	}
	s.died = ""
	if err := s.start(); err != nil {
		s.died = err.Error()
		return err
	}
	return s.redeclare(ctx)
}

// redeclare declares in a fresh host what was declared. Where that fails, for want of space
// say, the host is given up, so that the next cell tries again and does not meet a host that
// lacks what the notebook declares.
//
// The whole notebook is one program, with number and name of its own ("cell[0]"): all types,
// functions and constants from their sources, and the variables, zero and marked as lost.
func (s *Session) redeclare(ctx context.Context) (err error) {
	defer func() {
		if err != nil && s.died == "" {
			s.died = "what was declared could not be declared in it: " + err.Error()
			s.process().Kill()
		}
	}()
	// Of the old host's cells nothing is linked against any more; what they declared comes in
	// one archive.
	s.archives, s.carriers = map[string]string{}, map[string]string{}
	s.spare.forget()
	p, err := s.nb.Rebuild(ctx)
	if err != nil {
		return err
	}
	for _, n := range p.Notices {
		s.notice(n)
	}
	return s.runProgram(ctx, p, report.InternalCell)
}

// replaceHost moves to the host that the world holds now, because modules changed. Cells that
// were compiled against the old archives cannot be loaded by a host that was linked from
// others: Go compares the hashes of packages when it opens a plugin. Values cannot move to
// another process, so they are lost, and that is said.
func (s *Session) replaceHost(ctx context.Context) error {
	s.process().Kill()
	s.process().Wait()
	lost := s.markLost("the modules of the notebook changed")
	s.notice("packages that cells were compiled with changed: a new host process takes over; declarations are kept, and " + report.Gone(lost))
	// The check reads export data of the new archives from here on; types that were read before
	// are of the old ones, and identical to none of the new.
	s.packages.Reset()
	if err := s.start(); err != nil {
		s.died = err.Error()
		return err
	}
	return s.redeclare(ctx)
}

// process returns the host process; nil before the first start. It may have ended.
func (s *Session) process() *proc.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc
}

// Kill ends the host process, for a second interrupt of a cell that cannot be stopped. The
// running Execute fails, and the next one starts a fresh host. It takes no lock that a cell
// holds, and may be called at any time; before the first host it does nothing.
func (s *Session) Kill() {
	if p := s.process(); p != nil {
		p.Kill()
	}
}
