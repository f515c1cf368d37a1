package wire

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestMessageFrames(t *testing.T) {
	tests := [][][]byte{
		{{}},
		{[]byte("a")},
		{[]byte("id"), {}, bytes.Repeat([]byte("x"), 255), bytes.Repeat([]byte("y"), 256)},
		{bytes.Repeat([]byte("z"), 3<<20)},
	}
	for _, frames := range tests {
		r := bufio.NewReader(bytes.NewReader(appendMessage(nil, frames)))
		got, command, err := readMessage(r, maxMessage)
		if err != nil || command || len(got) != len(frames) {
			t.Fatalf("got %d frames, command %v, %v", len(got), command, err)
		}
		for i := range frames {
			if !bytes.Equal(got[i], frames[i]) {
				t.Errorf("frame %d has %d bytes, want %d", i, len(got[i]), len(frames[i]))
			}
		}
		if _, _, err := readMessage(r, maxMessage); err != io.EOF {
			t.Errorf("after it: %v, want EOF", err)
		}
	}
}

func TestReadMessageErrors(t *testing.T) {
	tests := []struct {
		name, data, err string
	}{
		{"cut in the header", "\x00", "unexpected EOF"},
		{"cut in a long header", "\x02\x00\x00", "unexpected EOF"},
		{"cut in the body", "\x00\x05ab", "unexpected EOF"},
		{"cut between frames", "\x01\x01a", "unexpected EOF"},
		{"forged length", "\x02\x7f\xff\xff\xff\xff\xff\xff\xff", "wire: message is longer than 1000 bytes"},
		{"negative length", "\x02\xff\xff\xff\xff\xff\xff\xff\xff", "wire: message is longer than 1000 bytes"},
		{"long in many frames", strings.Repeat("\x01\xff"+strings.Repeat("x", 255), 5), "wire: message is longer than 1000 bytes"},
		{"many frames", strings.Repeat("\x01\x00", maxFrames+1), "wire: message has more than 4096 frames"},
		{"command of two frames", "\x05\x01a", "wire: a command has more than one frame"},
		{"command within a message", "\x01\x01a\x04\x01a", "wire: a command has more than one frame"},
		{"long command", "\x06\x00\x00\x00\x00\x00\x10\x00\x00", "wire: command is 1048576 bytes, want at most 65536"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := readMessage(bufio.NewReader(strings.NewReader(tt.data)), 1000)
			if fmt.Sprint(err) != tt.err {
				t.Errorf("error is %v, want %s", err, tt.err)
			}
		})
	}
}

func TestHandshakeErrors(t *testing.T) {
	greet := func(major byte, mechanism string) string {
		g := greeting
		g[10] = major
		copy(g[12:32], make([]byte, 20))
		copy(g[12:32], mechanism)
		return string(g[:])
	}
	ready := func(name, body string) string { return string(appendCommand(nil, name, []byte(body))) }
	tests := []struct {
		name, data, err string
	}{
		{"another protocol", "GET / HTTP/1.1\r\n" + strings.Repeat("x", 64), "wire: handshake: peer does not speak ZeroMQ"},
		{"old", greet(1, "NULL"), "wire: handshake: peer speaks ZMTP 1, want 3; use ZeroMQ 4 or later"},
		{"encrypted", greet(3, "CURVE"), `wire: handshake: peer asks for security mechanism "CURVE", want NULL`},
		{"message instead", greet(3, "NULL") + "\x00\x01a", "wire: handshake: peer sent a message, want the command READY"},
		{"other command", greet(3, "NULL") + ready("HELLO", ""), `wire: handshake: peer sent command "HELLO", want READY`},
		{"command without a name", greet(3, "NULL") + "\x04\x01\x05", "wire: a command has no name"},
		{"empty command", greet(3, "NULL") + "\x04\x00", "wire: a command has no name"},
		{"property cut", greet(3, "NULL") + ready("READY", "\x05ab"), "wire: handshake: a property is cut short"},
		{"value cut", greet(3, "NULL") + ready("READY", "\x01a\xff\xff\xff\xffx"), `wire: handshake: property "a" is cut short`},
		{"wrong socket", greet(3, "NULL") + ready("READY", "\x0bsocket-TYPE\x00\x00\x00\x03PUB"), `wire: handshake: peer is a "PUB" socket, which a ROUTER socket does not talk to`},
		{"no socket", greet(3, "NULL") + ready("READY", ""), `wire: handshake: peer is a "" socket, which a ROUTER socket does not talk to`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := shake(tt.data)
			if fmt.Sprint(err) != tt.err {
				t.Errorf("error is %v\nwant %s", err, tt.err)
			}
		})
	}
	props, err := shake(greet(3, "NULL") + ready("READY", "\x0bSocket-Type\x00\x00\x00\x06DEALER\x08Identity\x00\x00\x00\x02me"))
	if err != nil || props["identity"] != "me" {
		t.Errorf("got %v, %v", props, err)
	}
}

func shake(data string) (map[string]string, error) {
	rw := struct {
		io.Reader
		io.Writer
	}{strings.NewReader(data), io.Discard}
	return handshake(rw, bufio.NewReader(rw.Reader), Router, "")
}

func TestCommands(t *testing.T) {
	ping := appendCommand(nil, "PING", []byte("\x00\x10context"))[2:]
	if got, err := answerCommand(ping); err != nil || !bytes.Equal(got, appendCommand(nil, "PONG", []byte("context"))) {
		t.Errorf("answer to PING is %q, %v", got, err)
	}
	if _, err := answerCommand([]byte("\x04PING")); fmt.Sprint(err) != "wire: PING is cut short" {
		t.Errorf("error is %v", err)
	}
	if got, err := answerCommand([]byte("\x05OTHER")); got != nil || err != nil {
		t.Errorf("answer to an unknown command is %q, %v", got, err)
	}
}

func FuzzHandshake(f *testing.F) {
	f.Add(string(greeting[:]) + string(appendCommand(nil, "READY", readyBody("DEALER", ""))))
	f.Fuzz(func(t *testing.T, data string) { shake(data) })
}

func FuzzReadMessage(f *testing.F) {
	f.Add(appendMessage(nil, [][]byte{[]byte("a"), {}, bytes.Repeat([]byte("x"), 300)}))
	f.Add(appendCommand(nil, "PING", []byte("\x00\x00")))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bufio.NewReader(bytes.NewReader(data))
		for {
			frames, command, err := readMessage(r, 1<<20)
			if err != nil {
				return
			}
			subscription(frames, command)
			if command {
				answerCommand(frames[0])
				continue
			}
			again, _, err := readMessage(bufio.NewReader(bytes.NewReader(appendMessage(nil, frames))), 1<<20)
			if err != nil || len(again) != len(frames) {
				t.Fatalf("%d frames came back as %d, %v", len(frames), len(again), err)
			}
		}
	})
}
