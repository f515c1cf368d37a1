package remote

import (
	"bufio"
	"context"
	"log/slog"
	"net"
	"time"
)

// expire ends the kernel when the grace period is over and no line came.
func (k *keeper) expire() {
	k.mu.Lock()
	there := k.line != nil
	k.mu.Unlock()
	if there {
		return
	}
	close(k.over)
	k.stop()
}

func (k *keeper) accept(ctx context.Context) {
	for {
		c, err := k.listener.Accept()
		if err != nil {
			return
		}
		go k.serve(ctx, c)
	}
}

// serve answers the hello of one connection.
func (k *keeper) serve(ctx context.Context, c net.Conn) {
	defer c.Close()
	ln := line{r: bufio.NewReader(c), w: c, c: c}
	c.SetDeadline(time.Now().Add(greetTimeout))
	p, err := readPacket(ln.r)
	if err != nil {
		return
	}
	var h hello
	if p.unpack(kindHello, &h) != nil || h.Session != k.session.ID {
		return
	}
	a := reply{Protocol: protocol}
	switch h.Do {
	case doOpen:
		k.hold(ctx, ln, h)
		return
	case doList:
		a.Sessions = []Session{k.now()}
	case doStop:
		a.Sessions = []Session{k.now()}
		k.stop()
	}
	c.Write(pack(kindReply, a).append(nil))
}

// now is the session as it is.
func (k *keeper) now() Session {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.session
	s.State = k.state
	if k.line == nil {
		cut := k.cut
		s.Cut = &cut
	}
	return s
}

// hold speaks over a line until it is cut. It takes the place of the line
// before it, whose end this machine may not have seen.
func (k *keeper) hold(ctx context.Context, ln line, h hello) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	gone := make(chan struct{})
	defer close(gone)
	for {
		k.mu.Lock()
		if k.line == nil {
			break
		}
		end, idle := k.line, k.idle
		k.mu.Unlock()
		end()
		<-idle
	}
	k.line, k.idle = cancel, gone
	k.timer.Stop()
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.line, k.cut = nil, time.Now()
		select {
		case <-k.over:
		default:
			k.timer.Reset(k.grace)
		}
	}()
	if c, ok := ln.c.(net.Conn); ok {
		c.SetDeadline(time.Time{})
	}
	if _, err := ln.w.Write(pack(kindReply, reply{Protocol: protocol, Received: k.link.Received()}).append(nil)); err != nil {
		return
	}
	err := k.link.Run(ctx, ln, h.Received)
	slog.Debug("remote: the line is cut", "err", err)
}
