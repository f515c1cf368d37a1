package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// Limits on what one peer may send. Jupyter's largest messages are widget
// buffers and pasted notebooks; nothing honest comes near these.
const (
	maxMessage = 256 << 20 // bytes in all frames of a message
	maxFrames  = 4096      // frames of a message
	maxCommand = 64 << 10  // bytes of a command, such as the handshake's READY
)

// The bits of a frame's first byte.
const (
	flagMore    = 1
	flagLong    = 2
	flagCommand = 4
)

const (
	greetingSize = 64
	smallBody    = 64 << 10 // the body of a frame up to this size is not held back
	chunk        = 1 << 20  // bytes that are read at once of a larger one
	writeBuffer  = 16 << 10
)

// bounded is the connection that zmq4 reads a peer through and writes to it.
//
// zmq4 makes a buffer for a frame as soon as it knows the length that the peer
// claims, takes any number of frames for one message, and reports a wrong
// greeting without saying what came. So bounded reads the greeting and the head of
// each frame first, checks them, and passes them to zmq4 afterwards. The body of a
// large frame is held back as well, until all of it has arrived: memory grows with
// what a peer sends and not with what it claims.
//
// zmq4 writes the head and the body of every frame by themselves. What is
// written is therefore buffered, and goes out with flush.
//
// One goroutine reads while another writes.
type bounded struct {
	net.Conn
	r *bufio.Reader
	w *bufio.Writer // nil during the handshake, which is not buffered

	limit int               // bytes in a message
	take  func(n int) error // asked before memory is used for n bytes; may be nil
	err   error             // why reading has ended

	// What zmq4 reads next, in this order:
	start []byte             // of head
	held  [][]byte           // of a large body
	rest  int                // bytes of a small body, which are still in r
	head  [greetingSize]byte // the greeting or the head of a frame

	greeted bool

	// Of the message or command that is being read:
	command bool
	more    bool // frames follow
	frames  int
	total   int // bytes of its frames
}

func newBounded(nc net.Conn) *bounded {
	return &bounded{Conn: nc, r: bufio.NewReaderSize(nc, 64<<10), limit: maxCommand}
}

// next waits for the next message or command, of which nothing was read yet, and
// reports whether it is a command. Its error is io.EOF where the peer has left
// between messages.
func (b *bounded) next() (command bool, err error) {
	if len(b.start) == 0 && b.err == nil {
		b.err = b.fill()
	}
	return b.command, b.err
}

// Read returns what has been checked.
func (b *bounded) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if len(b.start) == 0 && len(b.held) == 0 && b.rest == 0 && b.err == nil {
		b.err = b.fill()
	}
	switch {
	case b.err != nil:
		return 0, b.err
	case len(b.start) > 0:
		n := copy(p, b.start)
		b.start = b.start[n:]
		return n, nil
	case len(b.held) > 0:
		n := copy(p, b.held[0])
		if b.held[0] = b.held[0][n:]; len(b.held[0]) == 0 {
			b.held[0] = nil // a chunk may be collected once it was read
			b.held = b.held[1:]
		}
		return n, nil
	}
	n, err := b.r.Read(p[:min(len(p), b.rest)])
	b.rest -= n
	b.err = noEOF(err)
	return n, b.err
}

// fill reads the greeting, or the head of a frame and what is held back with it.
func (b *bounded) fill() error {
	if !b.greeted {
		b.greeted = true
		return b.readGreeting()
	}
	if !b.more {
		b.frames, b.total = 0, 0
	}
	size, err := b.readHead()
	if err != nil {
		if b.frames > 0 {
			err = noEOF(err)
		}
		return err
	}
	b.frames++
	b.total += size
	if size <= smallBody {
		b.rest = size
		return b.ask(size)
	}
	for left := size; left > 0; {
		n := min(left, chunk)
		if err := b.ask(n); err != nil {
			return err
		}
		body := make([]byte, n)
		if _, err := io.ReadFull(b.r, body); err != nil {
			return noEOF(err)
		}
		b.held = append(b.held, body)
		left -= n
	}
	return nil
}

func (b *bounded) readGreeting() error {
	peer := b.head[:]
	if _, err := io.ReadFull(b.r, peer); err != nil {
		return err
	}
	mechanism, _, _ := bytes.Cut(peer[12:32], []byte{0})
	switch {
	case peer[0] != 0xff || peer[9] != 0x7f:
		return errors.New("wire: handshake: peer does not speak ZeroMQ")
	case peer[10] < 3:
		return fmt.Errorf("wire: handshake: peer speaks ZMTP %d, want 3; use ZeroMQ 4 or later", peer[10])
	case string(mechanism) != "NULL":
		return fmt.Errorf("wire: handshake: peer asks for security mechanism %q, want NULL", mechanism)
	}
	b.start = peer
	return nil
}

// readHead reads the head of a frame and returns the size of its body, once it
// is one that the peer may send.
func (b *bounded) readHead() (int, error) {
	head := b.head[:2]
	if _, err := io.ReadFull(b.r, head[:1]); err != nil {
		return 0, err
	}
	flags := head[0]
	if flags&flagLong != 0 {
		head = head[:9]
	}
	if _, err := io.ReadFull(b.r, head[1:]); err != nil {
		return 0, noEOF(err)
	}
	size := uint64(head[1])
	if flags&flagLong != 0 {
		size = binary.BigEndian.Uint64(head[1:])
	}
	b.more, b.command = flags&flagMore != 0, flags&flagCommand != 0
	switch {
	case b.command && (b.frames > 0 || b.more):
		return 0, errors.New("wire: a command has more than one frame")
	case b.command && size > maxCommand:
		return 0, fmt.Errorf("wire: command is %d bytes, want at most %d", size, maxCommand)
	case size > uint64(b.limit-b.total):
		return 0, tooLong(b.limit)
	case b.frames == maxFrames:
		return 0, fmt.Errorf("wire: message has more than %d frames", maxFrames)
	}
	b.start = head
	return int(size), nil
}

func (b *bounded) ask(n int) error {
	if b.take == nil {
		return nil
	}
	return b.take(n)
}

// tooLong is the error of a message that is longer than this many bytes.
type tooLong int

func (limit tooLong) Error() string {
	return fmt.Sprintf("wire: message is longer than %d bytes", int(limit))
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Write buffers p, once the handshake is over.
func (b *bounded) Write(p []byte) (int, error) {
	if b.w == nil {
		return b.Conn.Write(p)
	}
	return b.w.Write(p)
}

// flush sends what is buffered.
func (b *bounded) flush() error { return b.w.Flush() }

// closeWrite tells the peer that nothing more will come, where the transport
// can say so.
func closeWrite(c net.Conn) {
	if h, ok := c.(interface{ CloseWrite() error }); ok {
		h.CloseWrite()
	}
}
