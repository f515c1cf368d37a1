package session

import "context"

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
