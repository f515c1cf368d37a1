package wire

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
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

// greeting is what we send first: signature, version 3.0, mechanism NULL, and
// not as-server (which NULL does not use).
var greeting = func() (g [64]byte) {
	g[0], g[9], g[10] = 0xff, 0x7f, 3
	copy(g[12:32], "NULL")
	return g
}()

// handshake exchanges greetings and READY commands with a peer, to which we
// are known by the identity, and returns the peer's properties by lower-case name.
func handshake(rw io.ReadWriter, r *bufio.Reader, kind Kind, identity string) (map[string]string, error) {
	if _, err := rw.Write(greeting[:]); err != nil {
		return nil, err
	}
	var peer [64]byte
	if _, err := io.ReadFull(r, peer[:]); err != nil {
		return nil, err
	}
	switch {
	case peer[0] != 0xff || peer[9]&1 != 1:
		return nil, errors.New("wire: handshake: peer does not speak ZeroMQ")
	case peer[10] < 3:
		return nil, fmt.Errorf("wire: handshake: peer speaks ZMTP %d, want 3; use ZeroMQ 4 or later", peer[10])
	}
	mechanism, _, _ := bytes.Cut(peer[12:32], []byte{0})
	if string(mechanism) != "NULL" {
		return nil, fmt.Errorf("wire: handshake: peer asks for security mechanism %q, want NULL", mechanism)
	}
	if _, err := rw.Write(appendCommand(nil, "READY", readyBody(kind, identity))); err != nil {
		return nil, err
	}
	frames, command, err := readMessage(r, maxCommand)
	if err != nil {
		return nil, err
	}
	if !command {
		return nil, errors.New("wire: handshake: peer sent a message, want the command READY")
	}
	name, body, err := splitCommand(frames[0])
	if err != nil {
		return nil, err
	}
	if name != "READY" {
		return nil, fmt.Errorf("wire: handshake: peer sent command %q, want READY", name)
	}
	props, err := parseProperties(body)
	if err != nil {
		return nil, err
	}
	if t := props["socket-type"]; !kind.accepts(t) {
		return nil, fmt.Errorf("wire: handshake: peer is a %q socket, which a %s socket does not talk to", t, kind)
	}
	return props, nil
}

func readyBody(kind Kind, identity string) []byte {
	return appendProperty(appendProperty(nil, "Socket-Type", string(kind)), "Identity", identity)
}

func appendProperty(b []byte, name, value string) []byte {
	b = append(b, byte(len(name)))
	b = append(b, name...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(value)))
	return append(b, value...)
}

func parseProperties(b []byte) (map[string]string, error) {
	props := map[string]string{}
	for len(b) > 0 {
		n := int(b[0])
		if len(b) < 1+n+4 {
			return nil, errors.New("wire: handshake: a property is cut short")
		}
		name := strings.ToLower(string(b[1 : 1+n]))
		b = b[1+n:]
		size := binary.BigEndian.Uint32(b)
		b = b[4:]
		if uint64(len(b)) < uint64(size) {
			return nil, fmt.Errorf("wire: handshake: property %q is cut short", name)
		}
		props[name] = string(b[:size])
		b = b[size:]
	}
	return props, nil
}

// readMessage reads the frames of one message, or one command, of at most
// limit bytes in all.
func readMessage(r *bufio.Reader, limit int) (frames [][]byte, command bool, err error) {
	return readMessageFor(r, limit, nil)
}

// readMessageFor is readMessage that asks take, unless it is nil, before it uses
// memory for n bytes more. An error of take ends it.
func readMessageFor(r *bufio.Reader, limit int, take func(n int) error) (frames [][]byte, command bool, err error) {
	total := 0
	for {
		flags, err := r.ReadByte()
		if err != nil {
			if len(frames) > 0 {
				err = noEOF(err)
			}
			return nil, false, err
		}
		var size uint64
		if flags&flagLong != 0 {
			var long [8]byte
			if _, err := io.ReadFull(r, long[:]); err != nil {
				return nil, false, noEOF(err)
			}
			size = binary.BigEndian.Uint64(long[:])
		} else {
			short, err := r.ReadByte()
			if err != nil {
				return nil, false, noEOF(err)
			}
			size = uint64(short)
		}
		command = flags&flagCommand != 0
		switch {
		case command && (len(frames) > 0 || flags&flagMore != 0):
			return nil, false, errors.New("wire: a command has more than one frame")
		case command && size > maxCommand:
			return nil, false, fmt.Errorf("wire: command is %d bytes, want at most %d", size, maxCommand)
		case size > uint64(limit-total):
			return nil, false, tooLong(limit)
		case len(frames) == maxFrames:
			return nil, false, fmt.Errorf("wire: message has more than %d frames", maxFrames)
		}
		body, err := readBody(r, int(size), take)
		if err != nil {
			return nil, false, noEOF(err)
		}
		total += int(size)
		frames = append(frames, body)
		if flags&flagMore == 0 {
			return frames, command, nil
		}
	}
}

// tooLong is the error of a message that is longer than this many bytes.
type tooLong int

func (limit tooLong) Error() string {
	return fmt.Sprintf("wire: message is longer than %d bytes", int(limit))
}

// readBody reads size bytes. It grows with what arrives, so that a forged
// length cannot claim memory.
func readBody(r io.Reader, size int, take func(n int) error) ([]byte, error) {
	const chunk = 1 << 20
	body := make([]byte, 0, min(size, chunk))
	for len(body) < size {
		n := min(size-len(body), chunk)
		if take != nil {
			if err := take(n); err != nil {
				return nil, err
			}
		}
		body = slices.Grow(body, n)
		if _, err := io.ReadFull(r, body[len(body):len(body)+n]); err != nil {
			return nil, err
		}
		body = body[:len(body)+n]
	}
	return body, nil
}

func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// appendMessage appends the ZMTP encoding of a message to b.
func appendMessage(b []byte, frames [][]byte) []byte {
	size := 0
	for _, f := range frames {
		size += 9 + len(f)
	}
	b = slices.Grow(b, size)
	for i, f := range frames {
		var flags byte
		if i < len(frames)-1 {
			flags = flagMore
		}
		b = appendFrame(b, flags, f)
	}
	return b
}

func appendCommand(b []byte, name string, body []byte) []byte {
	frame := append([]byte{byte(len(name))}, name...)
	return appendFrame(b, flagCommand, append(frame, body...))
}

func appendFrame(b []byte, flags byte, body []byte) []byte {
	if len(body) > 255 {
		b = append(b, flags|flagLong)
		b = binary.BigEndian.AppendUint64(b, uint64(len(body)))
	} else {
		b = append(b, flags, byte(len(body)))
	}
	return append(b, body...)
}

func splitCommand(frame []byte) (name string, body []byte, err error) {
	if len(frame) == 0 || len(frame) < 1+int(frame[0]) {
		return "", nil, errors.New("wire: a command has no name")
	}
	n := 1 + int(frame[0])
	return string(frame[1:n]), frame[n:], nil
}

// answerCommand returns what a peer's command is to be answered with, nil for
// nothing. PING is ZMTP 3.1 (https://rfc.zeromq.org/spec/37/): two bytes of
// time to live, then a context to be returned.
func answerCommand(frame []byte) ([]byte, error) {
	name, body, err := splitCommand(frame)
	if err != nil {
		return nil, err
	}
	switch name {
	case "PING":
		if len(body) < 2 {
			return nil, errors.New("wire: PING is cut short")
		}
		return appendCommand(nil, "PONG", body[2:]), nil
	case "ERROR":
		return nil, fmt.Errorf("wire: peer reports an error: %q", body)
	}
	return nil, nil
}

// subscription reads what a SUB socket sends: a byte 1 or 0 and a topic as a
// message (ZMTP 3.0), or a command (3.1).
func subscription(frames [][]byte, command bool) (topic string, add, ok bool) {
	if len(frames) != 1 {
		return "", false, false
	}
	if command {
		name, body, err := splitCommand(frames[0])
		return string(body), name == "SUBSCRIBE", err == nil && (name == "SUBSCRIBE" || name == "CANCEL")
	}
	f := frames[0]
	if len(f) == 0 || f[0] > 1 {
		return "", false, false
	}
	return string(f[1:]), f[0] == 1, true
}

// closeWrite tells the peer that nothing more will come, where the transport
// can say so.
func closeWrite(c net.Conn) {
	if h, ok := c.(interface{ CloseWrite() error }); ok {
		h.CloseWrite()
	}
}
