package session

import "context"

// Leave ends what goes on without a cell, such as trainings, and waits until its last state is
// saved. It is for programs that run a notebook and then leave, which call it before Close;
// [Session.Kill] ends the wait.
func (s *Session) Leave(ctx context.Context) error {
	p := s.process()
	if p == nil {
		return nil
	}
	return p.Leave(ctx)
}

// Pending counts the displays that may still change though no cell runs, such as the plot of a
// training that goes on. Without a host there are none, nor where it does not answer. It is for
// programs that run a notebook and then leave, which wait for such displays.
func (s *Session) Pending(ctx context.Context) int {
	p := s.process()
	if p == nil {
		return 0
	}
	n, err := p.Pending(ctx)
	if err != nil {
		return 0
	}
	return n
}
