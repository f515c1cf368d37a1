package wire

import (
	"errors"
	"log/slog"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"
)

// A port of a kernel is open to every process of the machine, and a message is
// known to be genuine only when all of it has been read. So a peer that has not
// yet sent a message with the kernel's signature is a stranger: it gets little
// memory, and all strangers of a socket together get little more. One signed
// message ends that: Jupyter's clients begin with a small kernel_info_request, and
// their widgets' buffers and pasted notebooks come later.
const (
	strangerMessage = 16 << 20 // bytes in a message of one stranger
	strangerFree    = 64 << 10 // bytes of it that are always given
	strangersTotal  = 64 << 20 // bytes beyond those, of all strangers of a socket
	quietMessage    = 64 << 10 // bytes in a message to a socket that gets only small ones
	largeMessage    = 8 << 20  // from here on, memory is given back to the system afterwards
)

// Verify sets what tells a genuine message of a ROUTER socket; without it every
// peer is trusted. Call it before Accept.
func (s *Socket) Verify(signed func(frames [][]byte) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signed = signed
}

var errCrowded = errors.New("wire: clients that have not shown the kernel's key hold too much memory")

// stranger reads from one peer, under limits until the peer has shown the key.
type stranger struct {
	s      *Socket
	proven bool
	free   int // bytes that are still given
	held   int // bytes of s.unsigned
}

func (s *Socket) newStranger() *stranger {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &stranger{s: s, proven: s.kind == Router && s.signed == nil}
}

// read reads a message.
func (p *stranger) read(conn *peerConn) (frames [][]byte, command *zmq4.Cmd, err error) {
	conn.on.limit, conn.on.take = maxMessage, nil
	if !p.proven {
		conn.on.limit, conn.on.take = strangerMessage, p.take
		if p.s.kind != Router { // subscriptions and heartbeats
			conn.on.limit = quietMessage
		}
		p.free = strangerFree
	}
	frames, command, err = conn.receive()
	total := 0
	for _, f := range frames {
		total += len(f)
	}
	if total >= largeMessage || p.held > 0 {
		shrinkSoon()
	}
	return frames, command, err
}

// take asks for memory for n bytes more.
func (p *stranger) take(n int) error {
	given := min(n, p.free)
	p.free -= given
	n -= given
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	if p.s.unsigned+n > strangersTotal {
		return errCrowded
	}
	p.s.unsigned += n
	p.held += n
	return nil
}

func (p *stranger) release() {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	p.s.unsigned -= p.held
	p.held = 0
}

// admits reports whether a message is to be delivered: all messages of a peer
// that has shown the key, by this one at the latest, and small ones of others,
// so that the kernel says why it does not accept them.
func (p *stranger) admits(frames [][]byte) bool {
	if p.proven {
		return true
	}
	held := p.held
	p.release()
	if p.s.signed(frames) {
		p.proven = true
		return true
	}
	if held > 0 {
		p.warn("a large message without this kernel's signature is dropped", "bytes", held)
	}
	return held == 0
}

// explain logs why a peer is read no more.
func (p *stranger) explain(err error) {
	var long tooLong
	if errors.Is(err, errCrowded) || errors.As(err, &long) && !p.proven {
		p.warn("a client that has not shown the kernel's key is disconnected", "err", err)
		return
	}
	slog.Debug("wire: peer left", "socket", p.s.kind, "err", err)
}

// warn logs what a stranger does, once a second for each socket at most: it may
// do it often.
func (p *stranger) warn(what string, args ...any) {
	p.s.mu.Lock()
	quiet := time.Since(p.s.warned) < time.Second
	if !quiet {
		p.s.warned = time.Now()
	}
	p.s.mu.Unlock()
	if !quiet {
		slog.Warn("wire: "+what, append(args, "socket", p.s.kind)...)
	}
}

var shrinking atomic.Bool

// shrinkSoon gives memory back to the system a while after a large message. Go
// would keep it for minutes, and what the kernel keeps the host does not have.
func shrinkSoon() {
	if shrinking.CompareAndSwap(false, true) {
		time.AfterFunc(5*time.Second, func() {
			shrinking.Store(false)
			debug.FreeOSMemory()
		})
	}
}
