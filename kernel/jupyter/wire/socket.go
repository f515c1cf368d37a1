package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
)

// Kind is a ZeroMQ socket type.
type Kind string

// The socket types that a kernel binds.
const (
	Router Kind = "ROUTER" // shell, control, stdin
	XPub   Kind = "XPUB"   // iopub
	Rep    Kind = "REP"    // heartbeat
)

// The socket types that a client connects.
const (
	Dealer Kind = "DEALER" // to a ROUTER
	Sub    Kind = "SUB"    // to an XPUB
)

func (k Kind) accepts(peer string) bool {
	switch k {
	case Router:
		return peer == "DEALER" || peer == "REQ" || peer == "ROUTER"
	case XPub:
		return peer == "SUB" || peer == "XSUB"
	case Rep:
		return peer == "REQ" || peer == "DEALER"
	case Dealer:
		return peer == "ROUTER"
	case Sub:
		return peer == "PUB" || peer == "XPUB"
	}
	return false
}

// What one peer may leave unread, in bytes.
const (
	softLimit = 32 << 20 // with so much queued, a subscriber misses output
	hardLimit = 64 << 20 // with so much of what may not be missed, it is disconnected
)

const (
	handshakeTimeout = 10 * time.Second
	maxPeers         = 1024 // connections to one socket
)

// ErrNoPeer says that no connected peer has the identity that a message is
// addressed to.
var ErrNoPeer = errors.New("wire: no such peer is connected")

// Socket is one bound socket. Its methods may be called by several goroutines.
type Socket struct {
	kind     Kind
	listener net.Listener
	in       chan [][]byte
	done     chan struct{}
	wg       sync.WaitGroup

	mu        sync.Mutex
	peers     map[*peer]bool
	byID      map[string]*peer
	lastID    uint32
	closed    bool
	signed    func(frames [][]byte) bool
	warned    time.Time // when a stranger was last logged
	unsigned  int       // bytes that peers hold which have not shown the key, see strangers.go
	onSub     func(topic string) [][]byte
	onDropped func(n int, last [][]byte) [][]byte
}

// Listen binds a socket to an endpoint, "tcp://host:port" or "ipc://path".
// Peers may come from now on, and wait for [Socket.Accept].
func Listen(kind Kind, endpoint string) (*Socket, error) {
	network, address, ok := strings.Cut(endpoint, "://")
	switch {
	case ok && network == "tcp":
		address = strings.TrimPrefix(address, "*") // ":port" is every address
	case ok && network == "ipc":
		network = "unix"
		// A socket left by a kernel that was killed is in the way.
		if info, err := os.Lstat(address); err == nil && info.Mode()&os.ModeSocket != 0 {
			os.Remove(address)
		}
	default:
		return nil, fmt.Errorf("wire: listen: endpoint is %q, want tcp://host:port or ipc://path", endpoint)
	}
	l, err := net.Listen(network, address)
	if err != nil {
		return nil, fmt.Errorf("wire: listen on %s: %w", endpoint, err)
	}
	if network == "unix" {
		if err := os.Chmod(address, 0o600); err != nil {
			l.Close()
			return nil, fmt.Errorf("wire: listen on %s: %w", endpoint, err)
		}
	}
	s := &Socket{
		kind:     kind,
		listener: l,
		in:       make(chan [][]byte, 16),
		done:     make(chan struct{}),
		peers:    map[*peer]bool{},
		byID:     map[string]*peer{},
	}
	return s, nil
}

// Accept lets peers in, which wait until then. Call it once.
func (s *Socket) Accept() { s.wg.Go(s.accept) }

// Addr is the address that the socket is bound to.
func (s *Socket) Addr() net.Addr { return s.listener.Addr() }

// Messages delivers what peers send to a ROUTER socket. The first frame of
// each message is the sender's identity. The channel is never closed; stop
// reading when the socket is closed.
func (s *Socket) Messages() <-chan [][]byte { return s.in }

// OnSubscribe sets what an XPUB socket sends to a peer, and to no other, when
// it subscribes to a topic; nil frames are nothing. Call it before
// Accept.
func (s *Socket) OnSubscribe(f func(topic string) [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onSub = f
}

// OnDropped sets what an XPUB socket sends to a peer that reads again after n
// messages were dropped because it did not; last are the frames of the last
// one. Call it before Accept.
func (s *Socket) OnDropped(f func(n int, last [][]byte) [][]byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.onDropped = f
}

// Send queues a message on a ROUTER socket for the peer whose identity is its
// first frame, and does not wait. It returns [ErrNoPeer] where that peer has gone.
func (s *Socket) Send(frames [][]byte) error {
	s.mu.Lock()
	p := s.byID[string(frames[0])]
	s.mu.Unlock()
	if p == nil {
		return ErrNoPeer
	}
	p.push(message(frames[1:], true))
	return nil
}

// Publish queues a message on an XPUB socket for every peer that subscribed
// to a prefix of its first frame, and does not wait. A message that is not
// essential is dropped for a peer that has 32 MiB yet to read.
func (s *Socket) Publish(frames [][]byte, essential bool) {
	topic := string(frames[0])
	it := message(frames, essential)
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.peers {
		if p.wants(topic) {
			p.push(it)
		}
	}
}

// Close unbinds the socket, gives each peer up to linger to read what is
// queued for it, and disconnects.
func (s *Socket) Close(linger time.Duration) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	close(s.done)
	err := s.listener.Close()
	deadline := time.Now().Add(linger)
	for p := range s.peers {
		p.finish(deadline)
	}
	s.mu.Unlock()
	s.wg.Wait()
	return err
}

func (s *Socket) accept() {
	for {
		nc, err := s.listener.Accept()
		select {
		case <-s.done:
			if err == nil {
				nc.Close()
			}
			return
		default:
		}
		if err != nil {
			// Out of file descriptors, most likely: they may come back.
			slog.Warn("wire: accept", "socket", s.kind, "err", err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		p := newPeer(nc)
		s.mu.Lock()
		if s.closed || len(s.peers) >= maxPeers {
			s.mu.Unlock()
			nc.Close()
			continue
		}
		s.peers[p] = true
		s.wg.Go(func() { s.serve(p) })
		s.mu.Unlock()
	}
}

// serve speaks with one peer until it goes.
func (s *Socket) serve(p *peer) {
	defer s.remove(p)
	p.nc.SetDeadline(time.Now().Add(handshakeTimeout))
	conn, err := handshake(p.nc, s.kind, "")
	if err != nil {
		slog.Debug("wire: handshake", "socket", s.kind, "err", err)
		return
	}
	p.nc.SetDeadline(time.Time{})
	s.join(p, conn.identity())
	p.mu.Lock()
	p.conn = conn
	p.writing = true
	p.mu.Unlock()
	s.wg.Go(func() { p.write(s.dropNotice) })
	stranger := s.newStranger()
	defer stranger.release()
	for {
		frames, command, err := stranger.read(conn)
		if err != nil {
			stranger.explain(err)
			return
		}
		if s.kind == XPub {
			if topic, add, ok := subscription(frames, command); ok {
				s.subscribe(p, topic, add)
				continue
			}
		}
		if command != nil {
			if err := p.handle(command); err != nil {
				slog.Debug("wire: command", "socket", s.kind, "err", err)
				return
			}
			continue
		}
		switch s.kind {
		case Rep:
			// The whole envelope goes back as it came.
			p.push(message(frames, true))
		case Router:
			if !stranger.admits(frames) {
				continue
			}
			select {
			case s.in <- append([][]byte{[]byte(p.id)}, frames...):
			case <-s.done:
				return
			}
		}
	}
}

// join makes a peer addressable. A peer that comes back with the identity of
// an older connection takes it over, so that replies reach it.
func (s *Socket) join(p *peer, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == "" {
		s.lastID++
		id = string(binary.BigEndian.AppendUint32([]byte{0}, s.lastID))
	}
	p.id = id
	s.byID[id] = p
}

func (s *Socket) remove(p *peer) {
	p.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.peers, p)
	if s.byID[p.id] == p {
		delete(s.byID, p.id)
	}
}

func (s *Socket) subscribe(p *peer, topic string, add bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.mu.Lock()
	if add {
		p.topics = append(p.topics, topic)
	} else if i := slices.Index(p.topics, topic); i >= 0 {
		p.topics = slices.Delete(p.topics, i, i+1)
	}
	p.mu.Unlock()
	if add && s.onSub != nil {
		if frames := s.onSub(topic); frames != nil {
			p.push(message(frames, true))
		}
	}
}

func (s *Socket) dropNotice(n int, last [][]byte) [][]byte {
	s.mu.Lock()
	f := s.onDropped
	s.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(n, last)
}

// item is one message or command in a queue. Peers share its bytes.
type item struct {
	command   string // its name; empty for a message
	frames    [][]byte
	size      int // bytes on the wire, at most
	essential bool
}

func message(frames [][]byte, essential bool) item {
	it := item{frames: frames, essential: essential}
	for _, f := range frames {
		it.size += 9 + len(f)
	}
	return it
}

// peer is one connection and the queue of what it has yet to be sent.
type peer struct {
	nc   net.Conn
	conn *peerConn // on nc, once writing
	id   string
	done chan struct{} // closed when the writer has ended

	mu      sync.Mutex
	cond    *sync.Cond
	queue   []item
	size    int // bytes queued or being written
	vital   int // of these, bytes of essential messages
	dropped int
	last    [][]byte // the last message dropped
	topics  []string
	writing bool // write is started, and will close done
	ending  bool // write what is queued, then end
	stopped bool
}

func newPeer(nc net.Conn) *peer {
	p := &peer{nc: nc, done: make(chan struct{})}
	p.cond = sync.NewCond(&p.mu)
	return p
}

func (p *peer) wants(topic string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.ContainsFunc(p.topics, func(t string) bool { return strings.HasPrefix(topic, t) })
}

func (p *peer) push(it item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped || p.ending {
		return
	}
	if !it.essential && p.size+it.size > softLimit && p.size > 0 {
		p.dropped++
		p.last = it.frames
		return
	}
	p.cond.Signal()
	if p.vital > hardLimit {
		slog.Warn("wire: a client has stopped reading and is disconnected; it may connect again", "unread", p.size)
		p.stopped = true
		p.nc.Close()
		return
	}
	p.queue = append(p.queue, it)
	p.size += it.size
	if it.essential {
		p.vital += it.size
	}
}

// handle handles a command of a peer. Unknown ones are ignored.
func (p *peer) handle(command *zmq4.Cmd) error {
	switch command.Name {
	case zmq4.CmdPing:
		context, err := pong(command.Body)
		if err != nil {
			return err
		}
		answer := message([][]byte{context}, true)
		answer.command = zmq4.CmdPong
		p.push(answer)
	case zmq4.CmdError:
		return fmt.Errorf("wire: peer reports an error: %q", command.Body)
	}
	return nil
}

// write sends what is queued until the peer is stopped or finished.
func (p *peer) write(notice func(n int, last [][]byte) [][]byte) {
	defer close(p.done)
	defer p.nc.Close() // wakes the reader
	for {
		p.mu.Lock()
		for len(p.queue) == 0 && !p.stopped && !p.ending {
			p.cond.Wait()
		}
		if p.stopped || len(p.queue) == 0 {
			p.mu.Unlock()
			closeWrite(p.nc)
			return
		}
		batch := p.queue
		p.queue = nil
		dropped, last := p.dropped, p.last
		p.dropped, p.last = 0, nil
		p.mu.Unlock()

		if dropped > 0 {
			if frames := notice(dropped, last); frames != nil {
				batch = append(batch, item{frames: frames})
			}
		}
		size, vital := 0, 0
		var err error
		for _, it := range batch {
			size += it.size
			if it.essential {
				vital += it.size
			}
			if err == nil {
				err = p.conn.send(it.command, it.frames)
			}
		}
		if err == nil {
			err = p.conn.on.flush()
		}
		p.mu.Lock()
		p.size -= size
		p.vital -= vital
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// finish lets the writer send what is queued until the deadline.
func (p *peer) finish(deadline time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nc.SetDeadline(deadline)
	p.ending = true
	p.cond.Signal()
	if !p.writing {
		p.nc.Close()
	}
}

// stop ends the connection now, and waits for the writer.
func (p *peer) stop() {
	p.mu.Lock()
	writing := p.writing
	ending := p.ending
	p.stopped = p.stopped || !ending
	p.cond.Signal()
	p.mu.Unlock()
	if !ending {
		p.nc.Close()
	}
	if writing {
		<-p.done
	} else {
		p.nc.Close()
	}
}
