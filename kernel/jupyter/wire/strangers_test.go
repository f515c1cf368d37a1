package wire

import (
	"bytes"
	"context"
	"encoding/binary"
	"net"
	"testing"
	"time"
)

// guarded is a ROUTER socket that knows the messages of a key.
func guarded(t *testing.T) (s *Socket, codec *Codec, dial func() *Conn) {
	t.Helper()
	s, endpoint := bind(t, Router)
	codec = NewCodec("secret")
	s.Verify(codec.Signed)
	s.Accept()
	return s, codec, func() *Conn {
		t.Helper()
		c, err := connect(context.Background(), Dealer, endpoint, "")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.nc.Close() })
		return c
	}
}

// large makes a message of a client with the key whose content has n bytes.
func large(client *Codec, typ string, n int) [][]byte {
	return client.Encode(client.New(typ, nil, map[string]any{"code": string(bytes.Repeat([]byte("x"), n))}))
}

// hungUp reports whether the socket ends a connection within a while.
func hungUp(c *Conn) bool {
	c.nc.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err := c.Receive()
	timeout, ok := err.(net.Error)
	return err != nil && !(ok && timeout.Timeout())
}

// waitUnsigned waits until strangers hold as much as wanted.
func waitUnsigned(t *testing.T, s *Socket, reached func(n int) bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		s.mu.Lock()
		n := s.unsigned
		s.mu.Unlock()
		if reached(n) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("strangers hold %d bytes", n)
		}
	}
}

func TestLargeMessageOfAClient(t *testing.T) {
	s, codec, dial := guarded(t)
	client := NewCodec("secret")
	c := dial()
	go func() {
		c.Send(large(client, "kernel_info_request", 1))
		c.Send(large(client, "execute_request", 32<<20))
		// A widget's buffers have no signature.
		m := client.New("comm_msg", nil, map[string]any{})
		m.Buffers = [][]byte{make([]byte, 24<<20)}
		c.Send(client.Encode(m))
	}()
	for _, want := range []string{"kernel_info_request", "execute_request", "comm_msg"} {
		m, err := codec.Decode(receive(t, s))
		if err != nil || m.Header.Type != want {
			t.Fatalf("got %v, %v; want %s", m, err, want)
		}
	}
	// The first message may be large, up to a limit.
	c = dial()
	go c.Send(large(client, "execute_request", 12<<20))
	if m, err := codec.Decode(receive(t, s)); err != nil || len(m.Content) < 12<<20 {
		t.Fatalf("a first message of 12 MiB: %v", err)
	}
}

func TestStrangers(t *testing.T) {
	s, codec, dial := guarded(t)
	other := NewCodec("another secret")

	// Too large for one.
	c := dial()
	go c.Send(large(other, "execute_request", strangerMessage))
	if !hungUp(c) {
		t.Error("a stranger with 16 MiB is still connected")
	}
	// Large and not signed: read, and dropped; small: told to the kernel, which logs it.
	c = dial()
	if err := c.Send(large(other, "execute_request", 10<<20)); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(large(other, "execute_request", 1)); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, s); len(m[len(m)-1]) > 1000 {
		t.Errorf("a message of a stranger with %d bytes came through", len(m[len(m)-1]))
	}
	// What the kernel has signed itself, and every subscriber has read, is no proof.
	c = dial()
	if err := c.Send(codec.Encode(codec.New("status", nil, map[string]any{}))); err != nil {
		t.Fatal(err)
	}
	receive(t, s)
	go c.Send(large(other, "execute_request", strangerMessage))
	if !hungUp(c) {
		t.Error("a message of the kernel's own counts as proof of the key")
	}
	// Nor is a message of a client that was received before.
	client := NewCodec("secret")
	first := client.Encode(client.New("kernel_info_request", nil, map[string]any{}))
	c = dial()
	if err := c.Send(first); err != nil {
		t.Fatal(err)
	}
	if _, err := codec.Decode(receive(t, s)); err != nil {
		t.Fatal(err)
	}
	c = dial()
	if err := c.Send(first); err != nil {
		t.Fatal(err)
	}
	receive(t, s)
	go c.Send(large(other, "execute_request", strangerMessage))
	if !hungUp(c) {
		t.Error("a replayed message counts as proof of the key")
	}
	waitUnsigned(t, s, func(n int) bool { return n == 0 })
}

// TestManyStrangers has each of many strangers announce 16 MiB and send all but
// the end of it. Together they get what they may, and a client is served.
func TestManyStrangers(t *testing.T) {
	s, codec, dial := guarded(t)
	const size = strangerMessage - 1000
	for range 12 {
		c := dial()
		go func() {
			head := binary.BigEndian.AppendUint64([]byte{flagLong}, size)
			c.nc.Write(append(head, make([]byte, size-1000)...))
		}()
	}
	most := 0
	waitUnsigned(t, s, func(n int) bool { most = max(most, n); return n > strangersTotal-2<<20 })
	client := NewCodec("secret")
	c := dial()
	if err := c.Send(large(client, "kernel_info_request", 1)); err != nil {
		t.Fatal(err)
	}
	if m, err := codec.Decode(receive(t, s)); err != nil || m.Header.Type != "kernel_info_request" {
		t.Errorf("a client beside strangers: %v, %v", m, err)
	}
	if most > strangersTotal {
		t.Errorf("strangers held %d bytes, want at most %d", most, strangersTotal)
	}
}

// TestQuietSocket: subscriptions are small.
func TestQuietSocket(t *testing.T) {
	_, endpoint := listen(t, XPub)
	c, err := connect(context.Background(), Sub, endpoint, "")
	if err != nil {
		t.Fatal(err)
	}
	defer c.nc.Close()
	go c.Send([][]byte{make([]byte, quietMessage+1)})
	if !hungUp(c) {
		t.Error("a subscriber that sent more than 64 KiB is still connected")
	}
}
