package session

import (
	"context"
	"time"

	"github.com/holt-dl/holt/kernel/jupyter/comm"
	"github.com/holt-dl/holt/kernel/jupyter/live"
)

// newViews connects the displays of runs with pages and with the host that runs at the time.
// Pages reach them by comm messages, which an Output without Comm does not have: there the
// displays only show.
func (s *Session) newViews() *live.Views {
	opt := live.Options{
		Send: func(comm.Message) {},
		Show: s.out.Frame,
		// A person has pressed a button of a display. The host answers at once, also while a
		// cell runs; a host that hangs must not hold the messages of the page for ever.
		Steer: func(display, action, value string) error {
			ctx, cancel := context.WithTimeout(s.ctx, 5*time.Second)
			defer cancel()
			return s.process().Steer(ctx, display, action, value)
		},
	}
	if c, ok := s.out.(commSender); ok {
		opt.Kernel, opt.Send = s.kernelID(), c.Comm
	}
	return live.New(opt)
}

// End tells the displays of runs that go on that they are over, because the kernel is. It is
// for an end that the kernel sees coming, while the front end still reads: in a saved notebook
// a plot would otherwise look as if it still changed.
func (s *Session) End(why string) { s.liveRuns.End(why) }
