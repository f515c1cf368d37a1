package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"
)

func listen(t *testing.T, kind Kind) (*Socket, string) {
	t.Helper()
	s, endpoint := bind(t, kind)
	s.Accept()
	return s, endpoint
}

// bind is listen for a socket that has something to set before Accept.
func bind(t *testing.T, kind Kind) (*Socket, string) {
	t.Helper()
	s, err := Listen(kind, "tcp://127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(0) })
	return s, "tcp://" + s.Addr().String()
}

func dial(t *testing.T, s zmq4.Socket, endpoint string) zmq4.Socket {
	t.Helper()
	if err := s.Dial(endpoint); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func receive(t *testing.T, s *Socket) [][]byte {
	t.Helper()
	select {
	case m := <-s.Messages():
		return m
	case <-time.After(5 * time.Second):
		t.Fatal("nothing came within 5 s")
		return nil
	}
}

func TestRouter(t *testing.T) {
	s, endpoint := listen(t, Router)
	ctx := context.Background()
	a := dial(t, zmq4.NewDealer(ctx, zmq4.WithID(zmq4.SocketIdentity("a"))), endpoint)
	b := dial(t, zmq4.NewDealer(ctx, zmq4.WithID(zmq4.SocketIdentity("b"))), endpoint)
	for i, c := range []zmq4.Socket{a, b} {
		if err := c.Send(zmq4.NewMsgFrom([]byte("hello"), []byte{byte(i)})); err != nil {
			t.Fatal(err)
		}
		m := receive(t, s)
		if want := string(rune('a' + i)); string(m[0]) != want || string(m[1]) != "hello" {
			t.Errorf("got %q from %q, want hello from %s", m[1], m[0], want)
		}
	}
	if err := s.Send([][]byte{[]byte("b"), []byte("for b")}); err != nil {
		t.Fatal(err)
	}
	if m, err := b.Recv(); err != nil || string(m.Frames[0]) != "for b" {
		t.Errorf("b got %v, %v", m, err)
	}
	if err := s.Send([][]byte{[]byte("c"), nil}); !errors.Is(err, ErrNoPeer) {
		t.Errorf("to nobody: %v, want ErrNoPeer", err)
	}
}

// Connections that never greet, or greet with nonsense, keep no one waiting.
func TestSilentPeers(t *testing.T) {
	s, endpoint := listen(t, Router)
	for i := range 20 {
		nc, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if i%2 == 0 {
			fmt.Fprint(nc, strings.Repeat("nonsense", 100))
		}
	}
	c := dial(t, zmq4.NewDealer(context.Background()), endpoint)
	if err := c.Send(zmq4.NewMsgString("hello")); err != nil {
		t.Fatal(err)
	}
	receive(t, s)
}

// A client that stops reading is let go of, and others are served.
func TestRouterPeerThatNeverReads(t *testing.T) {
	s, endpoint := listen(t, Router)
	nc, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	io.WriteString(nc, greeting+ready(property("Socket-Type", "DEALER"), property("Identity", "stuck")))
	nc.Write(appendMessage(nil, [][]byte{[]byte("hello")}))
	receive(t, s)
	big := make([]byte, 4<<20)
	for i := range 64 {
		began := time.Now()
		err := s.Send([][]byte{[]byte("stuck"), big})
		if took := time.Since(began); took > time.Second {
			t.Fatalf("send %d took %v", i, took)
		}
		if err != nil {
			break
		}
	}
	c := dial(t, zmq4.NewDealer(context.Background(), zmq4.WithID(zmq4.SocketIdentity("ok"))), endpoint)
	if err := c.Send(zmq4.NewMsgString("hello")); err != nil {
		t.Fatal(err)
	}
	receive(t, s)
	if err := s.Send([][]byte{[]byte("ok"), []byte("reply")}); err != nil {
		t.Fatal(err)
	}
	if m, err := c.Recv(); err != nil || string(m.Frames[0]) != "reply" {
		t.Errorf("got %v, %v", m, err)
	}
	deadline := time.Now().Add(5 * time.Second)
	for time.Now().Before(deadline) {
		if s.Send([][]byte{[]byte("stuck"), nil}) != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the peer that never reads is still connected")
}

func TestPublish(t *testing.T) {
	s, endpoint := bind(t, XPub)
	subscribed := make(chan string, 10)
	s.OnSubscribe(func(topic string) [][]byte {
		subscribed <- topic
		return [][]byte{[]byte(topic), []byte("welcome")}
	})
	s.Accept()
	ctx := context.Background()
	all := dial(t, zmq4.NewSub(ctx), endpoint)
	some := dial(t, zmq4.NewSub(ctx), endpoint)
	if err := all.SetOption(zmq4.OptionSubscribe, ""); err != nil {
		t.Fatal(err)
	}
	if err := some.SetOption(zmq4.OptionSubscribe, "b"); err != nil {
		t.Fatal(err)
	}
	<-subscribed
	<-subscribed
	for _, topic := range []string{"a", "b1", "c", "b2"} {
		s.Publish([][]byte{[]byte(topic), []byte("x")}, true)
	}
	for _, tt := range []struct {
		sub  zmq4.Socket
		want []string
	}{{all, []string{"", "a", "b1", "c", "b2"}}, {some, []string{"b", "b1", "b2"}}} {
		for _, want := range tt.want {
			m, err := tt.sub.Recv()
			if err != nil || string(m.Frames[0]) != want {
				t.Errorf("got %q, %v, want %q", m.Frames, err, want)
			}
		}
	}
}

// What must be delivered is, within the limits, also to a subscriber that was
// stalled while output for it was dropped.
func TestStalledSubscriberMissesOutputOnly(t *testing.T) {
	s, _ := bind(t, XPub)
	subscribed := make(chan bool, 1)
	s.OnSubscribe(func(string) [][]byte { subscribed <- true; return nil })
	missing := make(chan int, 10)
	s.OnDropped(func(n int, _ [][]byte) [][]byte {
		missing <- n
		return [][]byte{[]byte("notice")}
	})
	s.Accept()
	nc, r := raw(t, s, "SUB")
	nc.Write(appendMessage(nil, [][]byte{{1}}))
	<-subscribed
	const rounds = 100
	for range rounds {
		s.Publish([][]byte{[]byte("output"), make([]byte, 1<<20)}, false)
		s.Publish([][]byte{[]byte("idle")}, true)
	}
	idle, output, notice := 0, 0, 0
	for idle < rounds || notice == 0 {
		_, topic := readFrame(t, r)
		switch topic {
		case "idle":
			idle++
		case "output":
			output++
			readFrame(t, r) // the output itself
		case "notice":
			notice++
		default:
			t.Fatalf("got %q", topic)
		}
	}
	n := 0
	for len(missing) > 0 {
		n += <-missing
	}
	if output+n != rounds {
		t.Errorf("%d outputs came and %d are said to be missing, want %d together", output, n, rounds)
	}
}

func TestHeartbeatEchoes(t *testing.T) {
	_, endpoint := listen(t, Rep)
	c := dial(t, zmq4.NewReq(context.Background()), endpoint)
	for i := range 3 {
		if err := c.Send(zmq4.NewMsgFrom([]byte("ping"), []byte{byte(i)})); err != nil {
			t.Fatal(err)
		}
		if m, err := c.Recv(); err != nil || len(m.Frames) != 2 || string(m.Frames[0]) != "ping" || m.Frames[1][0] != byte(i) {
			t.Errorf("got %v, %v", m, err)
		}
	}
}

func TestListenErrors(t *testing.T) {
	taken, _ := listen(t, Router)
	for _, tt := range []struct{ endpoint, err string }{
		{"udp://x", `wire: listen: endpoint is "udp://x", want tcp://host:port or ipc://path`},
		{"tcp://" + taken.Addr().String(), "address already in use"},
		{"tcp://203.0.113.1:0", "cannot assign requested address"},
		{"ipc:///no/such/folder/k", "no such file or directory"},
	} {
		_, err := Listen(Router, tt.endpoint)
		if err == nil || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("listen on %s: %v, want %s", tt.endpoint, err, tt.err)
		}
	}
}

func TestIPCSocket(t *testing.T) {
	dir, err := os.MkdirTemp("", "holt") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "s")
	for range 2 { // the second finds what a killed kernel leaves
		s, err := Listen(Router, "ipc://"+path)
		if err != nil {
			t.Fatal(err)
		}
		s.Accept()
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the socket is %v, %v, want it for its owner only", info.Mode(), err)
		}
		c := dial(t, zmq4.NewDealer(context.Background()), "ipc://"+path)
		if err := c.Send(zmq4.NewMsgString("hello")); err != nil {
			t.Fatal(err)
		}
		receive(t, s)
		s.listener.(*net.UnixListener).SetUnlinkOnClose(false)
		s.Close(0)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("a person's file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(Router, "ipc://"+path); err == nil {
		t.Error("a file that is no socket was replaced")
	}
}

func TestCloseDelivers(t *testing.T) {
	s, endpoint := listen(t, Router)
	c := dial(t, zmq4.NewDealer(context.Background(), zmq4.WithID(zmq4.SocketIdentity("a"))), endpoint)
	if err := c.Send(zmq4.NewMsgString("hello")); err != nil {
		t.Fatal(err)
	}
	receive(t, s)
	for i := range 100 {
		if err := s.Send([][]byte{[]byte("a"), []byte(fmt.Sprint(i))}); err != nil {
			t.Fatal(err)
		}
	}
	began := time.Now()
	s.Close(5 * time.Second)
	if took := time.Since(began); took > time.Second {
		t.Errorf("Close took %v, though the peer reads", took)
	}
	for i := range 100 {
		if m, err := c.Recv(); err != nil || string(m.Frames[0]) != fmt.Sprint(i) {
			t.Fatalf("message %d is %v, %v", i, m, err)
		}
	}
}
