package session

import (
	"context"
	"errors"

	"github.com/holt-dl/holt/kernel/proc"
)

// start starts a host process.
func (s *Session) start() error {
	p, err := proc.Start(s.ctx, s.world.Host(), proc.Options{
		Dir:    s.cwd,
		Env:    append([]string{"HOLT=1"}, s.env...),
		Stdout: func(p []byte) { s.shown("stdout", p) },
		Stderr: func(p []byte) { s.shown("stderr", p) },
		Frame:  s.framed,
		Input:  s.input,
		Page:   s.page,
		Sync:   s.sync,
	})
	if err != nil {
		return err
	}
	s.page.Reset()
	s.mu.Lock()
	s.proc = p
	s.mu.Unlock()
	return nil
}

// dead records that the host ended. The next cell starts another.
func (s *Session) dead(err error) *hostDied {
	why := err.Error()
	var exit *proc.Exit
	if errors.As(err, &exit) {
		why = exit.Reason
	}
	s.died = why
	lost := s.lose("the host process ended (" + why + ")")
	return &hostDied{exit: exit, why: why, lost: lost}
}

// lose marks the values of all variables as gone, and returns their names.
func (s *Session) lose(why string) []string {
	names := s.nb.Lose(why)
	s.lineage.Lose(names)
	return names
}

// revive starts a fresh host after the last one ended, and declares in it what
// was declared.
func (s *Session) revive(ctx context.Context) error {
	p := s.process()
	if p.Killed() {
		p.Wait()
	}
	select {
	case <-p.Done():
		if s.died == "" { // between two cells
			ended := s.dead(p.Wait())
			s.notice("the host process ended between two cells (" + s.died + "); declarations are kept, and " + gone(ended.lost))
		}
	default:
		if s.died == "" {
			return nil
		}
	}
	s.died = ""
	if err := s.start(); err != nil {
		s.died = err.Error()
		return err
	}
	return s.redeclare(ctx)
}

// redeclare declares in a fresh host what was declared. Where that fails, for
// want of space say, the host is given up, so that the next cell tries again
// and does not meet a host that lacks what the notebook declares.
func (s *Session) redeclare(ctx context.Context) (err error) {
	defer func() {
		if err != nil && s.died == "" {
			s.died = "what was declared could not be declared in it: " + err.Error()
			s.process().Kill()
		}
	}()
	s.archives = map[string]string{}
	p, err := s.nb.Rebuild(ctx)
	if err != nil {
		return err
	}
	for _, n := range p.Notices {
		s.notice(n)
	}
	return s.runProgram(ctx, p, internalCell)
}

// replaceHost moves to the host that the world holds now, because modules
// changed.
func (s *Session) replaceHost(ctx context.Context) error {
	s.process().Kill()
	s.process().Wait()
	lost := s.lose("the modules of the notebook changed")
	s.notice("packages that cells were compiled with changed: a new host process takes over; declarations are kept, and " + gone(lost))
	s.packages.reset()
	if err := s.start(); err != nil {
		s.died = err.Error()
		return err
	}
	return s.redeclare(ctx)
}

func (s *Session) process() *proc.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc
}

// Kill ends the host process, for a second interrupt of a cell that cannot be
// stopped. The running Execute fails, and the next one starts a fresh host.
func (s *Session) Kill() {
	if p := s.process(); p != nil {
		p.Kill()
	}
}
