package wire

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
)

// served is a kernel's sockets, and a client of them that has shown the key.
func served(b *testing.B) (s *Sockets, codec *Codec, c *Client) {
	b.Helper()
	conn := NewIPC(filepath.Join(b.TempDir(), "k"), "secret")
	s, err := Open(conn)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close(0) })
	codec = NewCodec(conn.Key)
	s.Verify(codec.Signed)
	s.IOPub.OnSubscribe(codec.Welcome)
	s.Accept()
	if c, err = Dial(context.Background(), conn, "me"); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	client := NewCodec(conn.Key)
	if err := c.Shell.Send(client.Encode(client.New("kernel_info_request", nil, map[string]any{}))); err != nil {
		b.Fatal(err)
	}
	<-s.Shell.Messages()
	return s, codec, c
}

// request is the frames of an execute_request without its signature.
func request() [][]byte {
	return [][]byte{delimiter, bytes.Repeat([]byte("f"), 64), bytes.Repeat([]byte("h"), 200),
		[]byte("{}"), []byte("{}"), bytes.Repeat([]byte("c"), 120)}
}

// BenchmarkRoundTrip sends a small message to a ROUTER and waits until it is back.
func BenchmarkRoundTrip(b *testing.B) { roundTrip(b, request()) }

// BenchmarkLarge is BenchmarkRoundTrip with a buffer of 16 MiB, as widgets have.
func BenchmarkLarge(b *testing.B) {
	b.SetBytes(16 << 20)
	roundTrip(b, append(request(), make([]byte, 16<<20)))
}

func roundTrip(b *testing.B, frames [][]byte) {
	s, _, c := served(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := c.Shell.Send(frames); err != nil {
			b.Fatal(err)
		}
		if err := s.Shell.Send(<-s.Shell.Messages()); err != nil {
			b.Fatal(err)
		}
		if _, err := c.Shell.Receive(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPublish publishes 100 small messages to one subscriber, who reads them all.
func BenchmarkPublish(b *testing.B) {
	s, _, c := served(b)
	frames := append([][]byte{[]byte("kernel.s.stream")}, request()...)
	const burst = 100
	b.ReportAllocs()
	for b.Loop() {
		for range burst {
			s.IOPub.Publish(frames, true)
		}
		for range burst {
			if _, err := c.IOPub.Receive(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(burst*b.N)/b.Elapsed().Seconds(), "messages/s")
}
