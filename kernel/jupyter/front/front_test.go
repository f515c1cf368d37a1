package front

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holt-dl/holt/kernel/jupyter/wire"
)

// TestFront has a client ask something and get its reply and its status, after
// messages that were signed with another key.
func TestFront(t *testing.T) {
	var log bytes.Buffer
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))

	conn := wire.NewIPC(filepath.Join(t.TempDir(), "k"), "secret")
	f, err := Open("kernel", conn)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Accept()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c, err := wire.Dial(ctx, conn, "me")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()

	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	work.Go(func() {
		f.Read(ctx, f.Shell, "shell", func(req Request) {
			if !bytes.Equal(req.Frames[len(req.Frames)-1], req.Content) {
				t.Errorf("the frames end with %q, want the content %q", req.Frames[len(req.Frames)-1], req.Content)
			}
			f.Status(req.RawHeader, "busy")
			f.Reply(req, "kernel_info_reply", map[string]any{"status": "ok"})
			gone := req
			gone.Message = &wire.Message{Identities: [][]byte{[]byte("somebody else")}}
			if err := f.Send(f.Stdin, gone, f.New("input_request", nil, map[string]any{})); !errors.Is(err, wire.ErrNoPeer) {
				t.Errorf("to a client that is not there: %v, want %v", err, wire.ErrNoPeer)
			}
		})
	})
	wrong, right := wire.NewCodec("another secret"), wire.NewCodec(conn.Key)
	for range 2 {
		if err := c.Shell.Send(wrong.Encode(wrong.New("execute_request", nil, map[string]any{}))); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Shell.Send(right.Encode(right.New("kernel_info_request", nil, map[string]any{}))); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		conn      *wire.Conn
		typ, says string
	}{
		{c.Shell, "kernel_info_reply", `{"status":"ok"}`},
		{c.IOPub, "status", `{"execution_state":"busy"}`},
	} {
		frames, err := tt.conn.Receive()
		if err != nil {
			t.Fatal(err)
		}
		m, err := right.Decode(frames)
		if err != nil || m.Header.Type != tt.typ || string(m.Content) != tt.says || !strings.Contains(string(m.Parent), "kernel_info_request") {
			t.Errorf("got %v, %v, want %s with %s", m, err, tt.typ, tt.says)
		}
	}
	cancel()
	work.Wait()
	// Two were dropped, and one line says so.
	if n := strings.Count(log.String(), "kernel: message dropped"); n != 1 || !strings.Contains(log.String(), "channel=shell") {
		t.Errorf("the log has %d lines of dropped messages, want 1:\n%s", n, &log)
	}
}

func TestOpenError(t *testing.T) {
	if _, err := Open("kernel", wire.Connection{}); err == nil || !strings.HasPrefix(err.Error(), "wire: connection file: key is empty") {
		t.Errorf("error is %v", err)
	}
}

func TestWatch(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	calls := make(chan string, 10)
	var work sync.WaitGroup
	defer Watch(ctx, &work, func() { calls <- "interrupt" }, func() { calls <- "stop" })()
	for _, tt := range []struct {
		sig  syscall.Signal
		want string
	}{{syscall.SIGINT, "interrupt"}, {syscall.SIGTERM, "stop"}, {syscall.SIGINT, "interrupt"}} {
		if err := syscall.Kill(syscall.Getpid(), tt.sig); err != nil {
			t.Fatal(err)
		}
		if got := <-calls; got != tt.want {
			t.Errorf("%v calls %s, want %s", tt.sig, got, tt.want)
		}
	}
	cancel()
	if got := <-calls; got != "stop" {
		t.Errorf("the end of ctx calls %s, want stop", got)
	}
	work.Wait()
}
