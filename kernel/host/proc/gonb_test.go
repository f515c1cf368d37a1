package proc

import (
	"encoding/gob"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/host/msg"
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
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	if g, err = newGonb(p); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(temp); len(left) > 0 { // what is not there cannot be cleaned away
		t.Errorf("TMPDIR holds %v", left)
	}
	p.gonb = g
	g.start()
	to, err := os.OpenFile(openFile(g.from), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	from, err := os.OpenFile(openFile(g.back), os.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.close()
		for _, f := range []*os.File{r, w, r2, w2, to, from} {
			f.Close()
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
	host, kernel := net.Pipe()
	defer host.Close()
	g, enc, _ := gonbPeer(t, Options{Input: func(prompt string, password bool) (string, error) {
		return fmt.Sprint(prompt, password), nil
	}})
	g.p.conn = kernel
	send(t, enc, "", map[protocol.MIMEType]any{protocol.MIMEJupyterInput: &protocol.InputRequest{Prompt: "name", Password: true}})
	m, err := frame.Read(host)
	if err != nil || m.Kind != msg.KindLine || string(m.Body) != `{"text":"nametrue\n"}` {
		t.Errorf("got %s %s, %v", m.Kind, m.Body, err)
	}
}

// pageLog is a page that writes down what it is told.
type pageLog chan string

func (l pageLog) Start()                            { l <- "start" }
func (l pageLog) Send(address string, value any)    { l <- fmt.Sprintf("send %s %v", address, value) }
func (l pageLog) Read(address string)               { l <- "read " + address }
func (l pageLog) Subscribe(address string, on bool) { l <- fmt.Sprintf("subscribe %s %v", address, on) }

func TestGonbPage(t *testing.T) {
	page := make(pageLog, 16)
	synced := 0
	g, enc, dec := gonbPeer(t, Options{Page: page, Sync: func() { synced++ }})
	value := func(v protocol.CommValue) map[protocol.MIMEType]any {
		return map[protocol.MIMEType]any{protocol.MIMECommValue: &v}
	}
	listen := func(s protocol.CommSubscription) map[protocol.MIMEType]any {
		return map[protocol.MIMEType]any{protocol.MIMECommSubscribe: &s}
	}
	for _, step := range []struct {
		data map[protocol.MIMEType]any
		want string
	}{
		{value(protocol.CommValue{Address: protocol.GonbuiStartAddress, Value: 1}), "start"},
		{value(protocol.CommValue{Address: "/a", Value: []float64{1, 2}}), "send /a [1 2]"},
		{value(protocol.CommValue{Address: "/a", Request: true}), "read /a"},
		{listen(protocol.CommSubscription{Address: "/a"}), "subscribe /a true"},
		{listen(protocol.CommSubscription{Address: "/a", Unsubscribe: true}), "subscribe /a false"},
	} {
		send(t, enc, "", step.data)
		if got := <-page; got != step.want {
			t.Errorf("the page was told %q, want %q", got, step.want)
		}
	}
	g.p.SendValue("/a", "from the page")
	send(t, enc, "", value(protocol.CommValue{Address: protocol.GonbuiSyncAddress, Value: 3}))
	for _, want := range []protocol.CommValue{{Address: "/a", Value: "from the page"}, {Address: protocol.GonbuiSyncAckAddress, Value: 3}} {
		var got protocol.CommValue
		if err := dec.Decode(&got); err != nil || got != want {
			t.Errorf("the host was told %+v, %v, want %+v", got, err, want)
		}
	}
	if synced != 1 {
		t.Errorf("synced %d times", synced)
	}
}

// TestGonbTransient: scripts of gonbui/dom are shown anew in every cell.
func TestGonbTransient(t *testing.T) {
	var got []string
	g, enc, _ := gonbPeer(t, Options{Frame: func(m frame.Message) { got = append(got, string(m.Kind)+" "+m.Bundle.DisplayID) }})
	for n := range 2 {
		g.cell(n)
		for range 2 {
			send(t, enc, "gonb_transient_js_1", map[protocol.MIMEType]any{protocol.MIMETextHTML: "<script>"})
			send(t, enc, "mine", map[protocol.MIMEType]any{protocol.MIMETextHTML: "x"})
		}
		g.drain()
	}
	want := "[display gonb_transient_js_1_0 display mine update gonb_transient_js_1_0 update mine display gonb_transient_js_1_1 update mine update gonb_transient_js_1_1 update mine]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}

// TestGonbFull: a host that does not read keeps nobody waiting.
func TestGonbFull(t *testing.T) {
	said := make(chan string, 8)
	g, _, _ := gonbPeer(t, Options{Stderr: func(p []byte) { said <- string(p) }})
	for range 2 * maxValues {
		g.p.SendValue("/a", strings.Repeat("x", 1000))
	}
	if got := <-said; !strings.Contains(got, "4096 values wait for a program that does not read them") {
		t.Errorf("got %q", got)
	}
}

func TestGonbBroken(t *testing.T) {
	var mu sync.Mutex
	said := make(chan string, 8)
	g, enc, _ := gonbPeer(t, Options{Stderr: func(p []byte) { mu.Lock(); defer mu.Unlock(); said <- string(p) }})
	send(t, enc, "", map[protocol.MIMEType]any{protocol.MIMECommValue: &protocol.CommSubscription{Address: "/slider"}})
	if got := <-said; got != "holt: gonbui: value for the page is protocol.CommSubscription\n" {
		t.Errorf("got %q", got)
	}
	f, err := os.OpenFile(openFile(g.from), os.O_WRONLY, 0)
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
