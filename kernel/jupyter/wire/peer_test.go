package wire

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/null"
)

// The tests write ZMTP by hand, as its specification has it.

// greeting is the one of a peer that speaks ZMTP 3.0 with the mechanism NULL.
var greeting = greet(3, "NULL")

func greet(major byte, mechanism string) string {
	var g [greetingSize]byte
	g[0], g[9], g[10] = 0xff, 0x7f, major
	copy(g[12:32], mechanism)
	return string(g[:])
}

func appendFrame(b []byte, flags byte, body []byte) []byte {
	if len(body) > 255 {
		b = binary.BigEndian.AppendUint64(append(b, flags|flagLong), uint64(len(body)))
	} else {
		b = append(b, flags, byte(len(body)))
	}
	return append(b, body...)
}

func appendMessage(b []byte, frames [][]byte) []byte {
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
	return appendFrame(b, flagCommand, append(append([]byte{byte(len(name))}, name...), body...))
}

func property(name, value string) string {
	b := append([]byte{byte(len(name))}, name...)
	return string(binary.BigEndian.AppendUint32(b, uint32(len(value)))) + value
}

func ready(properties ...string) string {
	return string(appendCommand(nil, "READY", []byte(strings.Join(properties, ""))))
}

// canned is a connection on which a peer has said what it will, and left.
type canned struct {
	net.Conn
	in      io.Reader
	out     bytes.Buffer
	written func() // called for each Write; may be nil
}

func (c *canned) Read(p []byte) (int, error) { return c.in.Read(p) }

func (c *canned) Write(p []byte) (int, error) {
	if c.written != nil {
		c.written()
	}
	return c.out.Write(p)
}

// shake greets a peer that says data.
func shake(data string, kind Kind) (*peerConn, *canned, error) {
	nc := &canned{in: strings.NewReader(data)}
	c, err := handshake(nc, kind, "")
	nc.out.Reset()
	return c, nc, err
}

// hears is a connection whose peer says data after the handshake.
func hears(t *testing.T, data string) (*peerConn, *canned) {
	t.Helper()
	c, nc, err := shake(greeting+ready(property(typeProperty, "DEALER"))+data, Router)
	if err != nil {
		t.Fatal(err)
	}
	return c, nc
}

func TestMessageFrames(t *testing.T) {
	tests := [][][]byte{
		{{}},
		{[]byte("a")},
		{[]byte("id"), {}, bytes.Repeat([]byte("x"), 255), bytes.Repeat([]byte("y"), 256)},
		{bytes.Repeat([]byte("u"), smallBody), bytes.Repeat([]byte("v"), smallBody+1), []byte("w")},
		{bytes.Repeat([]byte("z"), 3*chunk+5), {}, bytes.Repeat([]byte("z"), chunk)},
	}
	for _, frames := range tests {
		data := appendMessage(nil, frames)
		c, _ := hears(t, string(data))
		got, command, err := c.receive()
		if err != nil || command != nil || len(got) != len(frames) {
			t.Fatalf("got %d frames, command %v, %v", len(got), command, err)
		}
		for i := range frames {
			if !bytes.Equal(got[i], frames[i]) {
				t.Errorf("frame %d has %d bytes, want %d", i, len(got[i]), len(frames[i]))
			}
		}
		if _, _, err := c.receive(); err != io.EOF {
			t.Errorf("after it: %v, want EOF", err)
		}
		c, nc := hears(t, "")
		if err := errors.Join(c.send("", frames), c.on.flush()); err != nil || !bytes.Equal(nc.out.Bytes(), data) {
			t.Errorf("sent %d bytes, %v, want %d", nc.out.Len(), err, len(data))
		}
	}
}

func TestReceiveErrors(t *testing.T) {
	tests := []struct {
		name, data, err string
	}{
		{"cut in the header", "\x00", "unexpected EOF"},
		{"cut in a long header", "\x02\x00\x00", "unexpected EOF"},
		{"cut in the body", "\x00\x05ab", "unexpected EOF"},
		{"cut before the body", "\x00\x05", "unexpected EOF"},
		{"cut between frames", "\x01\x01a", "unexpected EOF"},
		{"forged length", "\x02\x7f\xff\xff\xff\xff\xff\xff\xff", "wire: message is longer than 1000 bytes"},
		{"negative length", "\x02\xff\xff\xff\xff\xff\xff\xff\xff", "wire: message is longer than 1000 bytes"},
		{"long in many frames", strings.Repeat("\x01\xff"+strings.Repeat("x", 255), 5), "wire: message is longer than 1000 bytes"},
		{"many frames", strings.Repeat("\x01\x00", maxFrames+1), "wire: message has more than 4096 frames"},
		{"command of two frames", "\x05\x01a", "wire: a command has more than one frame"},
		{"command within a message", "\x01\x01a\x04\x01a", "wire: a command has more than one frame"},
		{"long command", "\x06\x00\x00\x00\x00\x00\x10\x00\x00", "wire: command is 1048576 bytes, want at most 65536"},
		{"command without a name", "\x04\x01\x05", "zmq4: could not unmarshal ZMTP recv cmd: zmq4: invalid command name"},
		{"empty command", "\x04\x00", "zmq4: could not unmarshal ZMTP recv cmd: unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := hears(t, tt.data)
			c.on.limit = 1000
			for range 2 { // the second does not read on
				if _, _, err := c.receive(); fmt.Sprint(err) != tt.err {
					t.Errorf("error is %v, want %s", err, tt.err)
				}
				if strings.HasPrefix(tt.err, "zmq4") {
					break
				}
			}
		})
	}
}

func TestHandshakeErrors(t *testing.T) {
	hello := string(appendCommand(nil, "HELLO", nil))
	tests := []struct {
		name, data, err string
	}{
		{"nothing", "", "EOF"},
		{"cut in the greeting", greeting[:20], "unexpected EOF"},
		{"cut before READY", greeting, "EOF"},
		{"another protocol", "GET / HTTP/1.1\r\n" + strings.Repeat("x", 64), "wire: handshake: peer does not speak ZeroMQ"},
		{"old", greet(1, "NULL"), "wire: handshake: peer speaks ZMTP 1, want 3; use ZeroMQ 4 or later"},
		{"encrypted", greet(3, "CURVE"), `wire: handshake: peer asks for security mechanism "CURVE", want NULL`},
		{"message instead", greeting + "\x00\x01a", "wire: handshake: peer sent a message, want the command READY"},
		{"other command", greeting + hello, `wire: handshake: peer sent command "HELLO", want READY`},
		{"command without a name", greeting + "\x04\x01\x05", "wire: handshake: zmq4: could not unmarshal ZMTP recv cmd: zmq4: invalid command name"},
		{"empty command", greeting + "\x04\x00", "wire: handshake: zmq4: could not unmarshal ZMTP recv cmd: unexpected EOF"},
		{"long command", greeting + "\x06\x00\x00\x00\x00\x00\x10\x00\x00", "wire: command is 1048576 bytes, want at most 65536"},
		{"property cut", greeting + ready("\x05ab"), "wire: handshake: a property is cut short"},
		{"value cut", greeting + ready("\x01a\xff\xff\xff\xffx"), `wire: handshake: property "a" is cut short`},
		{"wrong socket", greeting + ready(property("socket-TYPE", "PUB")), `wire: handshake: peer is a "PUB" socket, which a ROUTER socket does not talk to`},
		{"unknown socket", greeting + ready(property("Socket-Type", "NONE")), `wire: handshake: peer is a "NONE" socket, which a ROUTER socket does not talk to`},
		{"no socket", greeting + ready(), `wire: handshake: peer is a "" socket, which a ROUTER socket does not talk to`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := shake(tt.data, Router)
			if fmt.Sprint(err) != tt.err {
				t.Errorf("error is %v\nwant %s", err, tt.err)
			}
		})
	}
	c, _, err := shake(greeting+ready(property("socket-TYPE", "DEALER"), property("IDENTITY", "me"), property("X-Other", "")), Router)
	if err != nil || c.identity() != "me" {
		t.Errorf("identity is %q, %v, want me", c.identity(), err)
	}
	// Versions after 3.0 speak it too, and get to know the socket.
	nc := &canned{in: strings.NewReader(greet(4, "NULL") + ready(property("Socket-Type", "DEALER")))}
	if _, err := handshake(nc, Router, "us"); err != nil {
		t.Error(err)
	}
	sent := nc.out.String()
	if !strings.HasPrefix(sent, greeting) || !strings.Contains(sent, property("Socket-Type", "ROUTER")) || !strings.Contains(sent, property("Identity", "us")) {
		t.Errorf("we say %q", sent)
	}
}

// A peer that sends a byte now and then does not hold the handshake up.
func TestSlowHandshake(t *testing.T) {
	here, there := net.Pipe()
	defer there.Close()
	go io.Copy(io.Discard, there)
	go func() {
		for _, b := range []byte(greeting) {
			if _, err := there.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	here.SetDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := handshake(here, Router, ""); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error is %v, want a timeout", err)
	}
}

// raw is a connection to a socket on which a test has written the handshake.
func raw(t *testing.T, s *Socket, socketType string) (net.Conn, *bufio.Reader) {
	t.Helper()
	nc, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(nc, greeting+ready(property("Socket-Type", socketType)))
	r := bufio.NewReader(nc)
	if _, err := io.CopyN(io.Discard, r, greetingSize); err != nil {
		t.Fatal(err)
	}
	if command, body := readFrame(t, r); !command || !strings.HasPrefix(body, "\x05READY") {
		t.Fatalf("got %q, want READY", body)
	}
	return nc, r
}

// readFrame reads one frame.
func readFrame(t *testing.T, r io.Reader) (command bool, body string) {
	t.Helper()
	head := make([]byte, 9)
	_, err := io.ReadFull(r, head[:2])
	size := uint64(head[1])
	if head[0]&flagLong != 0 {
		if _, err := io.ReadFull(r, head[2:]); err != nil {
			t.Fatal(err)
		}
		size = binary.BigEndian.Uint64(head[1:])
	}
	b := make([]byte, size)
	if err == nil {
		_, err = io.ReadFull(r, b)
	}
	if err != nil {
		t.Fatal(err)
	}
	return head[0]&flagCommand != 0, string(b)
}

func TestCommands(t *testing.T) {
	s, _ := listen(t, Router)
	nc, r := raw(t, s, "DEALER")
	nc.Write(appendCommand(nil, "OTHER", []byte("x"))) // is ignored
	nc.Write(appendCommand(nil, "PING", []byte("\x00\x10context")))
	if command, body := readFrame(t, r); !command || body != "\x04PONGcontext" {
		t.Errorf("answer to PING is %q, want PONG with the context", body)
	}
	nc.Write(appendCommand(nil, "PING", []byte("\x00\x10")))
	if command, body := readFrame(t, r); !command || body != "\x04PONG" {
		t.Errorf("answer to PING is %q, want PONG", body)
	}
	nc.Write(appendMessage(nil, [][]byte{[]byte("hello")}))
	if m := receive(t, s); string(m[1]) != "hello" {
		t.Errorf("after commands came %q", m)
	}
	for _, bad := range [][]byte{appendCommand(nil, "PING", []byte{0}), appendCommand(nil, "ERROR", []byte("\x03bad")), {flagCommand, 0}} {
		nc, r := raw(t, s, "DEALER")
		nc.Write(bad)
		if _, err := r.ReadByte(); err != io.EOF {
			t.Errorf("after %q: %v, want EOF", bad, err)
		}
	}
	p := newPeer(nil)
	for _, tt := range []struct{ name, body, err string }{
		{"PING", "\x00", "wire: PING is cut short"},
		{"ERROR", "\x03bad", `wire: peer reports an error: "\x03bad"`},
	} {
		if err := p.handle(&zmq4.Cmd{Name: tt.name, Body: []byte(tt.body)}); fmt.Sprint(err) != tt.err {
			t.Errorf("error is %v, want %s", err, tt.err)
		}
	}
}

// Clients of ZMTP 3.1 subscribe by command.
func TestSubscribeByCommand(t *testing.T) {
	s, _ := bind(t, XPub)
	s.OnSubscribe(func(topic string) [][]byte { return [][]byte{[]byte("welcome to " + topic)} })
	s.Accept()
	nc, r := raw(t, s, "SUB")
	nc.Write(appendCommand(nil, "SUBSCRIBE", []byte("a")))
	nc.Write(appendCommand(nil, "SUBSCRIBE", []byte("b")))
	for _, want := range []string{"welcome to a", "welcome to b"} {
		if _, body := readFrame(t, r); body != want {
			t.Errorf("got %q, want %q", body, want)
		}
	}
	nc.Write(appendCommand(nil, "CANCEL", []byte("a")))
	nc.Write(appendCommand(nil, "PING", []byte("\x00\x00"))) // its answer says that all before it was read
	if _, body := readFrame(t, r); body != "\x04PONG" {
		t.Fatalf("got %q, want PONG", body)
	}
	s.Publish([][]byte{[]byte("a1")}, true)
	s.Publish([][]byte{[]byte("b1")}, true)
	if _, body := readFrame(t, r); body != "b1" {
		t.Errorf("got %q, want b1 and no more of a", body)
	}
}

// A peer that claims a long frame gets memory for what it sends only.
func TestForgedLength(t *testing.T) {
	head := binary.BigEndian.AppendUint64([]byte{flagLong}, maxMessage)
	c, _ := hears(t, string(head)+"little")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := c.receive()
	runtime.ReadMemStats(&after)
	if err != io.ErrUnexpectedEOF {
		t.Errorf("error is %v, want %v", err, io.ErrUnexpectedEOF)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 4<<20 {
		t.Errorf("%d bytes were made for a frame of 6", n)
	}
}

// TestManyPeers has 200 clients talk at the same time, beside some that have
// stopped in the middle.
func TestManyPeers(t *testing.T) {
	s, endpoint := listen(t, Router)
	for i := range 20 {
		nc, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		hello := greeting + ready(property("Socket-Type", "DEALER")) + "\x02\x00\x00\x00\x00\x00\x01\x00\x00half"
		io.WriteString(nc, hello[:len(hello)*i/20])
	}
	go func() {
		for m := range s.Messages() {
			s.Send(m)
		}
	}()
	const peers, rounds = 200, 20
	done := make(chan error, peers)
	for i := range peers {
		go func() {
			done <- func() error {
				c, err := connect(context.Background(), Dealer, endpoint, fmt.Sprint("peer ", i))
				if err != nil {
					return err
				}
				defer c.nc.Close()
				c.nc.SetDeadline(time.Now().Add(time.Minute))
				for round := range rounds {
					want := fmt.Sprint(i, " ", round)
					if err := c.Send([][]byte{[]byte(want), bytes.Repeat([]byte("x"), 1000)}); err != nil {
						return err
					}
					if m, err := c.Receive(); err != nil || len(m) != 2 || string(m[0]) != want || len(m[1]) != 1000 {
						return fmt.Errorf("peer %d got %q, %w", i, m, err)
					}
				}
				return nil
			}()
		}()
	}
	for range peers {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// What of go-zeromq/zmq4 this package works around. Where one of these fails, a
// release has mended it, and the workaround that it names can go.
func TestFaultsOfZMQ4(t *testing.T) {
	open := func(data string) (c *zmq4.Conn, nc *canned, panicked any) {
		defer func() { panicked = recover() }()
		nc = &canned{in: strings.NewReader(data)}
		c, _ = zmq4.Open(nc, null.Security(), zmq4.Router, nil, false, nil)
		nc.out.Reset()
		return c, nc, nil
	}
	if _, _, p := open(greeting + ready("\x01a\x00")); p == nil {
		t.Error("a property that is cut short is no panic: checkProperties")
	}
	if _, _, p := open(greeting + ready(property("Socket-Type", "NONE"))); p == nil {
		t.Error("an unknown type of socket is no panic: mechanism")
	}
	if c, _, _ := open(greeting + ready(property("socket-type", "DEALER"), property("identity", "me"))); c == nil || c.Peer.Meta["Identity"] != "me" {
		t.Error("lower-case names are not known")
	}
	if c, _, p := open(greeting + ready(property("SOCKET-TYPE", "DEALER"))); c != nil && p == nil {
		t.Error("the case of names does not count: checkProperties")
	}

	peer := greeting + ready(property("Socket-Type", "DEALER"))
	c, nc, _ := open(peer + string(appendCommand(nil, "PING", []byte("\x00\x10context"))))
	if _, err := c.RecvMsg(); err != nil || nc.out.String() != string(appendCommand(nil, "PONG", nil)) {
		t.Errorf("RecvMsg answers PING with %q, %v, and not without its context: peerConn.receive", nc.out.String(), err)
	}
	c, _, _ = open(peer + string(appendCommand(nil, "CANCEL", []byte("topic"))))
	if m, err := c.RecvMsg(); err != nil || string(bytes.Join(m.Frames, nil)) != "topic" {
		t.Errorf("RecvMsg returns a command as %q, %v, and not without its name: peerConn.receive", m.Frames, err)
	}
	c, _, _ = open(peer + "\x02\x7f\xff\xff\xff\xff\xff\xff\xff")
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a forged length is no panic: bounded")
			}
		}()
		c.RecvMsg()
	}()
	c, nc, _ = open(peer)
	writes := 0
	nc.written = func() { writes++ }
	if err := c.SendMsg(zmq4.NewMsgFrom([]byte("a"), []byte("b"))); err != nil || writes != 4 {
		t.Errorf("a message of two frames is written in %d pieces, %v, want 4: bounded.flush", writes, err)
	}
}

func FuzzHandshake(f *testing.F) {
	f.Add(greeting + ready(property("Socket-Type", "DEALER"), property("Identity", "")))
	f.Add(greeting + ready(property("identity", "me"), property("Other", "x"), property("sOCKET-tYPE", "SUB")))
	f.Fuzz(func(t *testing.T, data string) {
		for _, kind := range []Kind{Router, XPub, Rep, Dealer, Sub} {
			shake(data, kind)
		}
	})
}

func FuzzReceive(f *testing.F) {
	f.Add(appendMessage(nil, [][]byte{[]byte("a"), {}, bytes.Repeat([]byte("x"), 300)}))
	f.Add(appendMessage(nil, [][]byte{make([]byte, smallBody+1), []byte("b")}))
	f.Add(appendCommand(nil, "PING", []byte("\x00\x00")))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, nc := hears(t, string(data))
		c.on.limit = 1 << 20
		for {
			frames, command, err := c.receive()
			if err != nil {
				return
			}
			subscription(frames, command)
			if command != nil {
				newPeer(nil).handle(command)
				frames = [][]byte{command.Body}
			}
			// What was received is sent as it came, but that a short frame may have
			// had a long length.
			nc.out.Reset()
			name := ""
			if command != nil {
				if name = command.Name; name == "" {
					continue
				}
			}
			if err := errors.Join(c.send(name, frames), c.on.flush()); err != nil {
				t.Fatal(err)
			}
			want := appendMessage(nil, frames)
			if command != nil {
				want = appendCommand(nil, name, command.Body)
			}
			if !bytes.Equal(nc.out.Bytes(), want) {
				t.Fatalf("sent %q, want %q", nc.out.Bytes(), want)
			}
		}
	})
}
