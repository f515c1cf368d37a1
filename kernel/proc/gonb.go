package proc

import (
	"encoding/base64"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/holt-dl/holt/internal/frame"
)

// gonb serves package gonbui in the host: two FIFOs, one with a gob stream of
// protocol.DisplayData from the host, one with protocol.CommValue back
// (GoNB v0.11, gonbui/protocol).
type gonb struct {
	p    *Process
	dir  string
	from *os.File
	back *os.File
	raw  syscall.RawConn
	feed *feed
	mu   sync.Mutex // one reader of from at a time
	enc  *gob.Encoder
	seen map[string]bool // display ids that were shown
}

func newGonb(p *Process) (g *gonb, err error) {
	g = &gonb{p: p, feed: newFeed(), seen: map[string]bool{}}
	if g.dir, err = os.MkdirTemp("", "holt-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			g.close()
		}
	}()
	for _, name := range []string{"from", "back"} {
		if err = syscall.Mkfifo(filepath.Join(g.dir, name), 0o600); err != nil {
			return nil, fmt.Errorf("make a FIFO in %s: %w", g.dir, err)
		}
	}
	// Opened for both directions, a FIFO never blocks its opener and never
	// ends when the other side closes it.
	if g.from, err = os.OpenFile(filepath.Join(g.dir, "from"), os.O_RDWR|syscall.O_NONBLOCK, 0); err != nil {
		return nil, err
	}
	if g.back, err = os.OpenFile(filepath.Join(g.dir, "back"), os.O_RDWR|syscall.O_NONBLOCK, 0); err != nil {
		return nil, err
	}
	if g.raw, err = g.from.SyscallConn(); err != nil {
		return nil, err
	}
	g.enc = gob.NewEncoder(g.back)
	return g, nil
}

func (g *gonb) env() []string {
	return []string{
		protocol.GONB_PIPE_ENV + "=" + filepath.Join(g.dir, "from"),
		protocol.GONB_PIPE_BACK_ENV + "=" + filepath.Join(g.dir, "back"),
	}
}

func (g *gonb) start() {
	go g.decode()
	go func() {
		for {
			err := g.raw.Read(func(fd uintptr) bool { return g.take(fd) > 0 })
			if err != nil {
				return
			}
		}
	}()
}

// take moves what is in the FIFO to the decoder and returns how many bytes
// that was.
func (g *gonb) take(fd uintptr) (total int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	buf := make([]byte, 64<<10)
	for {
		n, err := syscall.Read(int(fd), buf)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return total
		}
		total += n
		g.feed.add(buf[:n])
	}
}

// drain returns when all that is in the FIFO now has been delivered.
func (g *gonb) drain() {
	g.raw.Control(func(fd uintptr) { g.take(fd) })
	g.feed.idle()
}

func (g *gonb) close() {
	g.feed.close()
	if g.from != nil {
		g.from.Close()
	}
	if g.back != nil {
		g.back.Close()
	}
	os.RemoveAll(g.dir)
}

// decode delivers displays until the stream ends or cannot be understood.
func (g *gonb) decode() {
	defer g.feed.close()
	dec := gob.NewDecoder(g.feed)
	for {
		var d protocol.DisplayData
		if err := dec.Decode(&d); err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				g.complain("the stream of displays is broken (%v); restart the host", err)
			}
			return
		}
		g.handle(d)
	}
}

func (g *gonb) complain(format string, args ...any) {
	g.p.deliver.Lock()
	defer g.p.deliver.Unlock()
	g.p.opt.Stderr(fmt.Appendf(nil, "holt: gonbui: "+format+"\n", args...))
}

// handle delivers one message of gonbui.
func (g *gonb) handle(d protocol.DisplayData) {
	if v, ok := d.Data[protocol.MIMEJupyterInput]; ok {
		req, ok := deref[protocol.InputRequest](v)
		if !ok {
			g.complain("input request is %T", v)
			return
		}
		go g.input(req) // a person may take long
		return
	}
	if v, ok := d.Data[protocol.MIMECommValue]; ok {
		value, ok := deref[protocol.CommValue](v)
		if ok && value.Address == protocol.GonbuiSyncAddress {
			g.reply(protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: value.Value})
			return
		}
		g.complain("the widget message for %q is not supported by this kernel", value.Address)
		return
	}
	if v, ok := d.Data[protocol.MIMECommSubscribe]; ok {
		sub, _ := deref[protocol.CommSubscription](v)
		g.complain("the widget subscription for %q is not supported by this kernel", sub.Address)
		return
	}
	b := frame.Bundle{Data: map[string]any{}, Metadata: d.Metadata, DisplayID: d.DisplayID}
	for mime, v := range d.Data {
		b.Data[string(mime)] = content(string(mime), v)
	}
	kind := frame.KindDisplay
	if d.DisplayID != "" {
		if g.seen[d.DisplayID] {
			kind = frame.KindUpdate
		}
		g.seen[d.DisplayID] = true
	}
	g.p.emit(frame.Message{Kind: kind, Bundle: &b})
}

// deref takes a value that gob may deliver as T or as *T.
func deref[T any](v any) (T, bool) {
	if p, ok := v.(*T); ok && p != nil {
		return *p, true
	}
	t, ok := v.(T)
	return t, ok
}

// content turns a representation into what a notebook holds: text, or base64
// of anything binary.
func content(mime string, v any) any {
	b, ok := v.([]byte)
	if !ok {
		return v
	}
	if strings.HasPrefix(mime, "text/") || mime == "image/svg+xml" {
		return string(b)
	}
	return base64.StdEncoding.EncodeToString(b)
}

func (g *gonb) reply(v protocol.CommValue) {
	if err := g.enc.Encode(&v); err != nil && !errors.Is(err, os.ErrClosed) {
		g.complain("answer %q: %v", v.Address, err)
	}
}

// input asks the person, and writes the line to the host's standard input,
// where the cell reads it.
func (g *gonb) input(req protocol.InputRequest) {
	line := ""
	if g.p.opt.Input == nil {
		g.complain("input was asked for, but this front end cannot give any; the line is empty")
	} else {
		var err error
		if line, err = g.p.opt.Input(req.Prompt, req.Password); err != nil {
			g.complain("input: %v; the line is empty", err)
		}
	}
	g.p.WriteStdin([]byte(line + "\n"))
}

// feed is the buffer between the FIFO and the decoder. It knows when the
// decoder has taken everything and waits for more, which is when all displays
// are delivered.
type feed struct {
	mu      sync.Mutex
	changed *sync.Cond
	buf     []byte
	waiting bool
	closed  bool
}

func newFeed() *feed {
	f := &feed{}
	f.changed = sync.NewCond(&f.mu)
	return f
}

func (f *feed) add(p []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.buf = append(f.buf, p...)
	f.changed.Broadcast()
}

// fill waits for a byte. The caller holds f.mu.
func (f *feed) fill() bool {
	for len(f.buf) == 0 && !f.closed {
		f.waiting = true
		f.changed.Broadcast()
		f.changed.Wait()
	}
	f.waiting = false
	return len(f.buf) > 0
}

// Read implements io.Reader for the decoder.
func (f *feed) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.fill() {
		return 0, io.EOF
	}
	n := copy(p, f.buf)
	f.buf = f.buf[n:]
	return n, nil
}

// ReadByte makes gob read from here directly, with no buffer between.
func (f *feed) ReadByte() (byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.fill() {
		return 0, io.EOF
	}
	b := f.buf[0]
	f.buf = f.buf[1:]
	return b, nil
}

// idle waits until the decoder has taken everything.
func (f *feed) idle() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.closed && (len(f.buf) > 0 || !f.waiting) {
		f.changed.Wait()
	}
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.changed.Broadcast()
}
