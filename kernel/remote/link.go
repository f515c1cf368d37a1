package remote

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/holt-dl/holt/kernel/jupyter/wire"
)

// bufferLimit is how many bytes of messages one side keeps for the other. While
// they are more, output is left out and requests are refused.
const bufferLimit = 64 << 20

// hardLimit is how many bytes are kept of what may not be left out, such as
// replies and the state of cells. More than that comes only from a program that
// does not wait for what it sends, as a widget in an endless loop.
const hardLimit = 4 * bufferLimit

// pulse is how the two sides of a line notice that it is dead.
type pulse struct {
	beat    time.Duration // between signs of life; 0 means 5 s
	timeout time.Duration // without one, the line is given up; 0 means 20 s
}

func (p pulse) withDefaults() pulse {
	if p.beat == 0 {
		p.beat = 5 * time.Second
	}
	if p.timeout == 0 {
		p.timeout = 4 * p.beat
	}
	return p
}

// link carries packets both ways, each once and in order, over one line after
// the other. Packets wait in it while there is none.
//
// Numbers count the packets of one direction. Each side keeps what it sent
// until the other has acknowledged it.
type link struct {
	pulse   pulse
	notice  func(n int, last packet) packet // makes a packet that says that n were left out; may be nil
	deliver func(packet)                    // called with what arrives, one packet at a time

	mu       sync.Mutex
	wake     chan struct{} // there is something to write, or acked has changed
	queue    []packet      // not yet acknowledged, oldest first
	size     int           // bytes of queue
	acked    uint64        // how many packets the other side has; the number of queue[0]
	sent     int           // how many of queue are written to the line that is
	received uint64        // how many packets came from the other side
	ackSent  uint64        // how many of received were acknowledged
	dropped  int
	last     packet // the last that was dropped
}

func newLink(p pulse, deliver func(packet)) *link {
	return &link{pulse: p.withDefaults(), deliver: deliver, wake: make(chan struct{}, 1)}
}

// Send queues a packet and does not wait. It returns false where the packet was
// left out, since too much waits already.
func (l *link) Send(p packet, essential bool) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	limit := bufferLimit
	if essential {
		limit = hardLimit
	}
	if l.size+p.size() > limit && len(l.queue) > 0 {
		l.dropped++
		l.last = p
		return false
	}
	if l.dropped > 0 && l.notice != nil {
		l.add(l.notice(l.dropped, l.last))
		l.dropped, l.last = 0, packet{}
	}
	l.add(p)
	return true
}

func (l *link) add(p packet) {
	l.queue = append(l.queue, p)
	l.size += p.size()
	l.signal()
}

func (l *link) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Received returns how many packets have come, which a new line starts with.
func (l *link) Received() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.received
}

// Flush waits until all that was sent and all that was received is acknowledged, and
// returns true, or until ctx ends.
func (l *link) Flush(ctx context.Context) bool {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !l.settled() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// settled reports whether both sides have acknowledged everything.
func (l *link) settled() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.queue) == 0 && l.ackSent == l.received
}

var (
	errSilent = errors.New("remote: nothing came over the line for too long")
	errFuture = errors.New("remote: the other side acknowledges what was never sent")
)

// acknowledge removes from the queue what the other side has received.
func (l *link) acknowledge(n uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n < l.acked || n-l.acked > uint64(len(l.queue)) {
		return fmt.Errorf("%w: %d of %d", errFuture, n, l.acked+uint64(len(l.queue)))
	}
	gone := int(n - l.acked)
	for i := range l.queue[:gone] {
		l.size -= l.queue[i].size()
		l.queue[i] = packet{} // its frames may be collected
	}
	l.queue = l.queue[gone:]
	l.acked = n
	l.sent = max(l.sent-gone, 0)
	return nil
}

// line is one connection between two sides of a link, after their greeting.
type line struct {
	r *bufio.Reader
	w io.Writer
	c io.Closer // ends reads and writes
}

// Run carries packets over a line until the line is cut or ctx ends, and closes
// it. The other side has received so many packets. Call it for one line at a
// time.
func (l *link) Run(ctx context.Context, ln line, received uint64) error {
	defer ln.c.Close()
	if err := l.acknowledge(received); err != nil {
		return err
	}
	l.mu.Lock()
	l.sent = 0
	l.ackSent = l.received
	l.mu.Unlock()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { ln.c.Close() })()
	watchdog := time.AfterFunc(l.pulse.timeout, func() { cancel(errSilent) })
	defer watchdog.Stop()

	var writer sync.WaitGroup
	writer.Go(func() { cancel(l.write(ctx, ln.w)) })
	err := l.read(ln.r, watchdog)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause // why the line was closed says more than that it was
	}
	cancel(err)
	ln.c.Close()
	writer.Wait()
	return err
}

func (l *link) read(r *bufio.Reader, watchdog *time.Timer) error {
	for {
		p, err := readPacket(r)
		if err != nil {
			return err
		}
		watchdog.Reset(l.pulse.timeout)
		switch {
		case p.kind == kindAck && len(p.frames) == 1 && len(p.frames[0]) == 8:
			if err := l.acknowledge(binary.BigEndian.Uint64(p.frames[0])); err != nil {
				return err
			}
		case p.kind.numbered():
			l.mu.Lock()
			l.received++ // also if the line is cut now, it is delivered
			l.signal()
			l.mu.Unlock()
			l.deliver(p)
		default:
			return fmt.Errorf("remote: packet of kind %d in the middle of a line", p.kind)
		}
	}
}

// batchSize is how many bytes are written at once: enough for ssh to fill its
// packets, and few enough for acknowledgements to keep coming.
const batchSize = 256 << 10

func (l *link) write(ctx context.Context, w io.Writer) error {
	beat := time.NewTicker(l.pulse.beat)
	defer beat.Stop()
	due := true // an acknowledgement, which also shows that this side lives
	var b []byte
	for {
		b = b[:0]
		l.mu.Lock()
		for l.sent < len(l.queue) && len(b) < batchSize {
			b = l.queue[l.sent].append(b)
			l.sent++
		}
		n := l.received
		if due || n != l.ackSent {
			b = ack(n).append(b)
			due = false
		}
		l.mu.Unlock()
		if len(b) > 0 {
			if _, err := w.Write(b); err != nil {
				return err
			}
			l.mu.Lock()
			l.ackSent = n
			l.mu.Unlock()
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-l.wake:
		case <-beat.C:
			due = true
		}
	}
}

// essential reports whether a packet must not be left out.
func essential(p packet) bool { return p.kind != kindIOPub || wire.Essential(p.frames) }
