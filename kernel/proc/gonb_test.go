package proc

import (
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/holt-dl/holt/internal/frame"
)

// gonbPeer is the kernel's side, and both FIFOs opened as gonbui does.
func gonbPeer(t *testing.T, opt Options) (g *gonb, enc *gob.Encoder, dec *gob.Decoder) {
	t.Helper()
	if opt.Stderr == nil {
		opt.Stderr = func(p []byte) { t.Errorf("complained: %s", p) }
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r2, w2, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{opt: opt, out: newStream(r, func([]byte) {}), errs: newStream(r2, func([]byte) {})}
	if g, err = newGonb(p); err != nil {
		t.Fatal(err)
	}
	p.gonb = g
	g.start()
	to, err := os.OpenFile(filepath.Join(g.dir, "from"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.OpenFile(filepath.Join(g.dir, "back"), os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.close()
		for _, f := range []*os.File{r, w, r2, w2, to, from} {
			f.Close()
		}
		if _, err := os.Stat(g.dir); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there", g.dir)
		}
	})
	return g, gob.NewEncoder(to), gob.NewDecoder(from)
}

func send(t *testing.T, enc *gob.Encoder, id string, data map[protocol.MIMEType]any) {
	t.Helper()
	if err := enc.Encode(&protocol.DisplayData{Data: data, DisplayID: id}); err != nil {
		t.Fatal(err)
	}
}

func TestGonbDisplays(t *testing.T) {
	var got []string
	g, enc, dec := gonbPeer(t, Options{Frame: func(m frame.Message) {
		got = append(got, fmt.Sprintf("%s %s %v", m.Kind, m.Bundle.DisplayID, m.Bundle.Data))
	}})
	send(t, enc, "", map[protocol.MIMEType]any{protocol.MIMETextHTML: "<b>x</b>"})
	send(t, enc, "", map[protocol.MIMEType]any{protocol.MIMEImagePNG: []byte("\x89PNG")})
	send(t, enc, "a", map[protocol.MIMEType]any{protocol.MIMETextMarkdown: "1"})
	send(t, enc, "a", map[protocol.MIMEType]any{protocol.MIMETextMarkdown: []byte("2")})
	send(t, enc, "", map[protocol.MIMEType]any{protocol.MIMECommValue: &protocol.CommValue{Address: protocol.GonbuiSyncAddress, Value: 7}})
	var ack protocol.CommValue
	if err := dec.Decode(&ack); err != nil || ack.Address != protocol.GonbuiSyncAckAddress || ack.Value != 7 {
		t.Errorf("the answer to sync is %+v, %v", ack, err)
	}
	g.drain()
	want := []string{
		"display  map[text/html:<b>x</b>]",
		"display  map[image/png:iVBORw==]",
		"display a map[text/markdown:1]",
		"update a map[text/markdown:2]",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestGonbDrain writes much and drains: everything is delivered by then.
func TestGonbDrain(t *testing.T) {
	n := 0
	g, enc, _ := gonbPeer(t, Options{Frame: func(m frame.Message) { n += len(m.Bundle.Data["text/plain"].(string)) }})
	page := strings.Repeat("x", 100_000) // more than a FIFO holds
	for i := range 30 {
		send(t, enc, "", map[protocol.MIMEType]any{protocol.MIMETextPlain: page})
		g.drain()
		if n != (i+1)*len(page) {
			t.Fatalf("after %d displays %d bytes were delivered", i+1, n)
		}
	}
}

func TestGonbInput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	g, enc, _ := gonbPeer(t, Options{Input: func(prompt string, password bool) (string, error) {
		return fmt.Sprint(prompt, password), nil
	}})
	g.p.stdin = w
	send(t, enc, "", map[protocol.MIMEType]any{protocol.MIMEJupyterInput: &protocol.InputRequest{Prompt: "name", Password: true}})
	buf := make([]byte, 64)
	n, err := r.Read(buf)
	if err != nil || string(buf[:n]) != "nametrue\n" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
}

func TestGonbBroken(t *testing.T) {
	var mu sync.Mutex
	said := make(chan string, 8)
	g, enc, _ := gonbPeer(t, Options{Stderr: func(p []byte) { mu.Lock(); defer mu.Unlock(); said <- string(p) }})
	send(t, enc, "", map[protocol.MIMEType]any{protocol.MIMECommValue: &protocol.CommValue{Address: "/slider", Value: 1}})
	if got := <-said; got != "holt: gonbui: the widget message for \"/slider\" is not supported by this kernel\n" {
		t.Errorf("got %q", got)
	}
	f, err := os.OpenFile(filepath.Join(g.dir, "from"), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString("this is no gob stream, and never was one, not even by accident")
	select {
	case got := <-said:
		if !strings.Contains(got, "the stream of displays is broken") {
			t.Errorf("got %q", got)
		}
	case <-time.After(5 * time.Second):
		t.Log("the bytes look like the beginning of a long message") // gob waits for its end
	}
	drained := make(chan struct{})
	go func() { g.drain(); close(drained) }()
	select {
	case <-drained:
	case <-time.After(5 * time.Second):
		t.Error("drain waits for a decoder that has given up")
	}
}
