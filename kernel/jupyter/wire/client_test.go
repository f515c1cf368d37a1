package wire

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestClient goes through all sockets of a kernel as one client, over both
// transports.
func TestClient(t *testing.T) {
	tcp, err := NewTCP()
	if err != nil {
		t.Fatal(err)
	}
	for _, conn := range []Connection{tcp, NewIPC(filepath.Join(t.TempDir(), "k"), "secret")} {
		t.Run(conn.Transport, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if _, err := Dial(ctx, conn, "me"); err == nil {
				t.Fatal("connected before anyone listens")
			}
			s, err := Open(conn)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close(0)
			codec := NewCodec(conn.Key)
			s.IOPub.OnSubscribe(codec.Welcome)
			s.Accept()
			c, err := Dial(ctx, conn, "me")
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			for name, pair := range map[string]struct {
				conn   *Conn
				socket *Socket
			}{"shell": {c.Shell, s.Shell}, "control": {c.Control, s.Control}, "stdin": {c.Stdin, s.Stdin}} {
				if err := pair.conn.Send([][]byte{[]byte("client"), []byte(name)}); err != nil {
					t.Fatal(err)
				}
				got := <-pair.socket.Messages()
				if len(got) != 3 || string(got[0]) != "me" || string(got[2]) != name {
					t.Fatalf("%s brought %q, want it from me", name, got)
				}
				if err := pair.socket.Send(got); err != nil {
					t.Fatal(err)
				}
				if got, err := pair.conn.Receive(); err != nil || len(got) != 2 || string(got[1]) != name {
					t.Fatalf("%s answered %q, %v", name, got, err)
				}
			}
			out := codec.EncodePublished(codec.New("stream", []byte(`{"msg_id":"p"}`), map[string]string{"text": "x"}))
			s.IOPub.Publish(out, Essential(out))
			got, err := c.IOPub.Receive()
			if err != nil || PublishedType(got) != "stream" || string(Parent(got)) != `{"msg_id":"p"}` || string(Content(got)) != `{"text":"x"}` {
				t.Fatalf("iopub brought %q, %v", got, err)
			}
		})
	}
}

func TestWriteConnection(t *testing.T) {
	c, err := NewTCP()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kernel.json")
	if err := c.Write(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v, %v, want 0600: the key is in it", info.Mode(), err)
	}
	got, err := ReadConnection(path)
	if err != nil || got != c {
		t.Errorf("read %+v, %v, want %+v", got, err, c)
	}
	before, _ := os.ReadFile(path)
	if err := c.Write(path); !errors.Is(err, ErrExist) {
		t.Errorf("second write: %v, want ErrExist", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the second write changed the file")
	}
}
