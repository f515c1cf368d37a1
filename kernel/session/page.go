package session

import (
	"context"
	"errors"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/host/proc"
	"github.com/holt-dl/holt/kernel/jupyter/comm"
)

// commSender is an [Output] that can also send comm messages, and show at once what waits to be
// shown. Without it there is no page for widgets: notebooks that run without Jupyter have such
// an Output.
type commSender interface {
	Comm(m comm.Message)
	Flush()
}

// newPage connects the page with the host that runs at the time. Without an Output that takes
// comm messages the page is one to which nothing is sent, so that programs that use widgets run
// all the same. A value of the page that comes while there is no host is dropped.
func (s *Session) newPage() *comm.Page {
	send, show := func(comm.Message) {}, func(frame.Message) {}
	if c, ok := s.out.(commSender); ok {
		send, show = c.Comm, s.out.Frame
	}
	return comm.NewPage(comm.Options{
		Kernel: s.kernelID(),
		Send:   send,
		Show:   show,
		Deliver: func(address string, value any) {
			if p := s.process(); p != nil {
				p.SendValue(address, value)
			}
		},
	})
}

var _ proc.Page = (*comm.Page)(nil)

// Comm takes a comm message from the notebook, and reports whether it was for a display of a
// run or for a widget. It may be called while a cell runs.
func (s *Session) Comm(m comm.Message) bool { return s.liveRuns.Handle(m) || s.page.Handle(m) }

// sync brings all that was shown to the notebook at once. The output is paced otherwise: what
// gonbui.Sync waits for would come some time after.
func (s *Session) sync() {
	if c, ok := s.out.(commSender); ok {
		c.Flush()
	}
}

// errNoPage is the error of commands that need a page in a client that has none, such as
// nbconvert.
var errNoPage = errors.New("this front end has no page that widgets could be in; run the notebook in JupyterLab")

// Widgets puts the script of widgets into the page.
func (c commands) Widgets(context.Context) error {
	if _, ok := c.s.out.(commSender); !ok {
		return errNoPage
	}
	c.s.page.Start()
	return nil
}

// Heartbeat reports whether the page answers.
func (c commands) Heartbeat(ctx context.Context) (bool, error) {
	if _, ok := c.s.out.(commSender); !ok {
		return false, errNoPage
	}
	return c.s.page.Heartbeat(ctx), nil
}
