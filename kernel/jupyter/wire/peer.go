package wire

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
)

// peerConn is a connection with one peer, on which zmq4 speaks ZMTP
// (https://rfc.zeromq.org/spec/23/) with the NULL mechanism. One goroutine may
// receive while another sends.
type peerConn struct {
	zmq *zmq4.Conn
	on  *bounded
}

// handshake greets a peer, to which we are known by the identity.
func handshake(nc net.Conn, kind Kind, identity string) (*peerConn, error) {
	on := newBounded(nc)
	zmq, err := zmq4.Open(on, mechanism{null.Security(), kind, on}, zmq4.SocketType(kind), zmq4.SocketIdentity(identity), false, nil)
	switch {
	case on.err != nil:
		return nil, on.err
	case err != nil:
		return nil, fmt.Errorf("wire: handshake: %w", err)
	}
	on.w = bufio.NewWriterSize(nc, writeBuffer)
	on.limit = maxMessage
	return &peerConn{zmq, on}, nil
}

// identity is what the peer calls itself, and empty where it does not.
func (c *peerConn) identity() string { return c.zmq.Peer.Meta[identityProperty] }

// receive waits for the next message or command; command is nil for a message.
//
// A command is received by RecvCmd, since RecvMsg returns one without its name,
// and answers a PING itself, without the context that ZMTP 3.1 asks for, in the
// middle of what the writer sends.
func (c *peerConn) receive() (frames [][]byte, command *zmq4.Cmd, err error) {
	isCommand, err := c.on.next()
	if err != nil {
		return nil, nil, err
	}
	if isCommand {
		cmd, err := c.zmq.RecvCmd()
		return nil, &cmd, c.because(err)
	}
	msg, err := c.zmq.RecvMsg()
	return msg.Frames, nil, c.because(err)
}

// because is the error of an operation of zmq4: the connection's own, where that
// is why.
func (c *peerConn) because(err error) error {
	if err != nil && c.on.err != nil {
		return c.on.err
	}
	return err
}

// send sends a message, or a command where name is one, with the next flush.
func (c *peerConn) send(command string, frames [][]byte) error {
	if command != "" {
		return c.zmq.SendCmd(command, frames[0])
	}
	return c.zmq.SendMsg(zmq4.NewMsgFrom(frames...))
}

// The properties of READY that count, as zmq4 spells them.
const (
	typeProperty     = "Socket-Type"
	identityProperty = "Identity"
)

// mechanism is zmq4's NULL mechanism with a handshake that checks what the peer
// says of itself: zmq4 v0.17.0 panics where a property is cut short and where it
// does not know the type of the peer's socket.
type mechanism struct {
	zmq4.Security
	kind Kind
	on   *bounded
}

// Handshake exchanges READY commands.
func (m mechanism) Handshake(conn *zmq4.Conn, _ bool) error {
	err := m.exchange(conn)
	if err != nil && m.on.err == nil {
		m.on.err = fmt.Errorf("wire: handshake: %w", err)
	}
	return err
}

func (m mechanism) exchange(conn *zmq4.Conn) error {
	ready, err := conn.Meta.MarshalZMTP()
	if err != nil {
		return err
	}
	if err := conn.SendCmd(zmq4.CmdReady, ready); err != nil {
		return err
	}
	command, err := m.on.next()
	switch {
	case err != nil:
		return err
	case !command:
		return errors.New("peer sent a message, want the command READY")
	}
	cmd, err := conn.RecvCmd()
	switch {
	case err != nil:
		return err
	case cmd.Name != zmq4.CmdReady:
		return fmt.Errorf("peer sent command %q, want READY", cmd.Name)
	}
	if err := checkProperties(cmd.Body); err != nil {
		return err
	}
	if err := conn.Peer.Meta.UnmarshalZMTP(cmd.Body); err != nil {
		return err
	}
	if t := conn.Peer.Meta[typeProperty]; !m.kind.accepts(t) {
		return fmt.Errorf("peer is a %q socket, which a %s socket does not talk to", t, m.kind)
	}
	return nil
}

// checkProperties checks the body of READY, and spells the names in it that count
// as zmq4 does, which compares them letter by letter. ZMTP does not.
func checkProperties(b []byte) error {
	for len(b) > 0 {
		n := int(b[0])
		if len(b) < 1+n+4 {
			return errors.New("a property is cut short")
		}
		name := b[1 : 1+n]
		for _, known := range []string{typeProperty, identityProperty} {
			if strings.EqualFold(string(name), known) && len(name) == len(known) {
				copy(name, known)
			}
		}
		b = b[1+n:]
		size := binary.BigEndian.Uint32(b)
		b = b[4:]
		if uint64(len(b)) < uint64(size) {
			return fmt.Errorf("property %q is cut short", name)
		}
		b = b[size:]
	}
	return nil
}

// pong returns the context of a PING, which is returned with PONG. PING is ZMTP
// 3.1 (https://rfc.zeromq.org/spec/37/): two bytes of time to live, then the context.
func pong(ping []byte) ([]byte, error) {
	if len(ping) < 2 {
		return nil, errors.New("wire: PING is cut short")
	}
	return ping[2:], nil
}

// subscription reads what a SUB socket sends: a byte 1 or 0 and a topic as a
// message (ZMTP 3.0), or a command (3.1).
func subscription(frames [][]byte, command *zmq4.Cmd) (topic string, add, ok bool) {
	if command != nil {
		add = command.Name == zmq4.CmdSubscribe
		return string(command.Body), add, add || command.Name == zmq4.CmdCancel
	}
	if len(frames) != 1 || len(frames[0]) == 0 || frames[0][0] > 1 {
		return "", false, false
	}
	return string(frames[0][1:]), frames[0][0] == 1, true
}
