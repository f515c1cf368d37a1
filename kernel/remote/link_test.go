package remote

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// collector keeps the numbers that packets carry.
type collector struct {
	mu  sync.Mutex
	got []uint32
}

func (c *collector) take(p packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got = append(c.got, binary.BigEndian.Uint32(p.frames[0]))
}

func (c *collector) len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.got)
}

func numberPacket(i, size int) packet {
	return packet{kindShell, [][]byte{binary.BigEndian.AppendUint32(nil, uint32(i)), make([]byte, size)}}
}

// joinLinks runs two links over one line until the returned function cuts it.
func joinLinks(a, b *link) (cut func()) {
	ca, cb := net.Pipe()
	ra, rb := a.Received(), b.Received()
	var both sync.WaitGroup
	both.Go(func() { a.Run(context.Background(), line{bufio.NewReader(ca), ca, ca}, rb) })
	both.Go(func() { b.Run(context.Background(), line{bufio.NewReader(cb), cb, cb}, ra) })
	return func() {
		ca.Close()
		both.Wait()
	}
}

// TestLinkCuts sends both ways over a line that is cut at random places, in the
// middle of packets too: each packet comes once and in order.
func TestLinkCuts(t *testing.T) {
	const packets = 4000
	var here, there collector
	a, b := newLink(pulse{}, here.take), newLink(pulse{}, there.take)
	var senders sync.WaitGroup
	for _, l := range []*link{a, b} {
		senders.Go(func() {
			for i := range packets {
				if !l.Send(numberPacket(i, rand.IntN(3000)), true) {
					t.Error("a packet was left out")
				}
				if i%100 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	cuts := 0
	for end := time.Now().Add(2 * time.Minute); here.len() < packets || there.len() < packets; cuts++ {
		if time.Now().After(end) {
			t.Fatalf("%d and %d of %d packets came", here.len(), there.len(), packets)
		}
		cut := joinLinks(a, b)
		time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
		cut()
	}
	senders.Wait()
	for _, c := range []*collector{&here, &there} {
		for i, n := range c.got {
			if int(n) != i {
				t.Fatalf("packet %d came in the place of %d", n, i)
			}
		}
		if len(c.got) != packets {
			t.Fatalf("%d packets came, want %d", len(c.got), packets)
		}
	}
	t.Logf("%d cuts", cuts)

	// With a line that stays, nothing is kept.
	cut := joinLinks(a, b)
	defer cut()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if !a.Flush(ctx) || !b.Flush(ctx) || a.size != 0 || b.size != 0 {
		t.Errorf("%d and %d bytes are kept of what arrived", a.size, b.size)
	}
}

// TestLinkLimit fills a link that has no line: output is left out and counted,
// replies are kept.
func TestLinkLimit(t *testing.T) {
	var there collector
	var notices []int
	a, b := newLink(pulse{}, nil), newLink(pulse{}, there.take)
	a.notice = func(n int, last packet) packet {
		notices = append(notices, n)
		if got := binary.BigEndian.Uint32(last.frames[0]); got != 69 {
			t.Errorf("the last that was left out is %d, want 69", got)
		}
		return numberPacket(1000, 0)
	}
	kept := 0
	for i := range 70 {
		if a.Send(numberPacket(i, 1<<20), false) {
			kept++
		}
	}
	if kept != 63 {
		t.Errorf("%d of 70 MiB are kept, want 63", kept)
	}
	if !a.Send(numberPacket(70, 0), true) {
		t.Error("a reply was left out")
	}
	if len(notices) != 1 || notices[0] != 7 {
		t.Errorf("notices of %v packets, want one of 7", notices)
	}
	defer joinLinks(a, b)()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	a.Flush(ctx)
	if n := there.len(); n != 65 || there.got[63] != 1000 || there.got[64] != 70 {
		t.Errorf("%d packets came, ending with %v; want 63, the notice and the reply", n, there.got[max(n-2, 0):])
	}
}

// TestLinkSilence gives up a line over which nothing comes.
func TestLinkSilence(t *testing.T) {
	ca, cb := net.Pipe()
	defer cb.Close()
	go func() { // reads, and says nothing
		var b [1024]byte
		for {
			if _, err := cb.Read(b[:]); err != nil {
				return
			}
		}
	}()
	l := newLink(pulse{beat: 10 * time.Millisecond, timeout: 50 * time.Millisecond}, nil)
	if err := l.Run(context.Background(), line{bufio.NewReader(ca), ca, ca}, 0); !errors.Is(err, errSilent) {
		t.Errorf("ended with %v, want %v", err, errSilent)
	}
}

// TestLinkLies refuses numbers that cannot be.
func TestLinkLies(t *testing.T) {
	l := newLink(pulse{}, nil)
	l.Send(numberPacket(0, 0), true)
	ca, _ := net.Pipe()
	err := l.Run(context.Background(), line{bufio.NewReader(ca), ca, ca}, 2)
	if err == nil || !strings.Contains(err.Error(), "acknowledges what was never sent: 2 of 1") {
		t.Errorf("ended with %v", err)
	}
}
