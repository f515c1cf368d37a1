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
	"github.com/holt-dl/holt/kernel/host/msg"
)

// Page is the notebook page, as the programs of package gonbui/comms know it. Its methods must
// not wait for the page: they are called by the goroutine that decodes what the host shows, and
// all displays wait behind it.
type Page interface {
	Start() // makes sure that the page runs the script that widgets need
	Send(address string, value any)
	Read(address string) // requests a value, which arrives by [Process.SendValue]
	Subscribe(address string, on bool)
}

// maxValues is how many values may wait for a host that does not read them: a slider, say, that
// is moved after the cell that read it has ended.
const maxValues = 4096

// gonb serves package gonbui in the host: two FIFOs, one with a gob stream of
// protocol.DisplayData from the host, one with protocol.CommValue back (GoNB v0.11,
// gonbui/protocol).
//
// The way of a display: the FIFO from, take, feed, decode, handle, and then the functions of
// Options. The way of a value: send, the channel values, encode, the FIFO back.
type gonb struct {
	p      *Process
	from   *os.File
	back   *os.File
	raw    syscall.RawConn
	feed   *feed
	mu     sync.Mutex // one reader of from at a time
	values chan protocol.CommValue
	full   sync.Once
	closed chan struct{}

	// Shown guards what follows: which ids the notebook has displays for.
	shown   sync.Mutex
	seen    map[string]bool // display ids that were shown
	running int             // the cell
}

// newGonb makes the FIFOs; start begins to serve them. That they are FIFOs and not sockets, and
// that their names are in the environment, is GoNB's protocol, which programs that are compiled
// in cells speak.
func newGonb(p *Process) (_ *gonb, err error) {
	g := &gonb{
		p: p, feed: newFeed(), seen: map[string]bool{},
		values: make(chan protocol.CommValue, maxValues), closed: make(chan struct{}),
	}
	dir, err := os.MkdirTemp("", "holt-")
	if err != nil {
		return nil, err
	}
	// The FIFOs need names only until they are open: the host finds them among the
	// kernel's open files, where no cleaner of temporary folders comes.
	defer os.RemoveAll(dir)
	defer func() {
		if err != nil {
			g.close()
		}
	}()
	// From the host, and back to it.
	for _, name := range []string{"from", "back"} {
		if err = syscall.Mkfifo(filepath.Join(dir, name), 0o600); err != nil {
			return nil, fmt.Errorf("make a FIFO in %s: %w", dir, err)
		}
	}
	// Opened for both directions, a FIFO never blocks its opener and never
	// ends when the other side closes it.
	if g.from, err = os.OpenFile(filepath.Join(dir, "from"), os.O_RDWR|syscall.O_NONBLOCK, 0); err != nil {
		return nil, err
	}
	if g.back, err = os.OpenFile(filepath.Join(dir, "back"), os.O_RDWR|syscall.O_NONBLOCK, 0); err != nil {
		return nil, err
	}
	if g.raw, err = g.from.SyscallConn(); err != nil {
		return nil, err
	}
	return g, nil
}

// env is where gonbui finds the FIFOs.
func (g *gonb) env() []string {
	return []string{
		protocol.GONB_PIPE_ENV + "=" + openFile(g.from),
		protocol.GONB_PIPE_BACK_ENV + "=" + openFile(g.back),
	}
}

// openFile names a file that this process has open, for others of the same user: /proc/PID/fd/N
// opens the same FIFO again. It is "" for a file that is closed.
func openFile(f *os.File) string {
	name := ""
	if raw, err := f.SyscallConn(); err == nil { // and not f.Fd, which makes it block
		raw.Control(func(fd uintptr) { name = fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), fd) })
	}
	return name
}

// start begins to read and write. The third goroutine moves bytes from the FIFO to the decoder
// as they come. It waits in Go's poller, as the streams do, and not in the decoder's read, so
// that drain can read too.
func (g *gonb) start() {
	go g.decode()
	go g.encode()
	go func() {
		for {
			err := g.raw.Read(func(fd uintptr) bool { return g.take(fd) > 0 })
			if err != nil {
				return
			}
		}
	}()
}

// take moves what is in the FIFO to the decoder and returns how many bytes that was. Two
// callers, the reader and drain, must not mix up the order of what they read, so mu is held
// throughout.
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

// drain returns when all that is in the FIFO now has been delivered. It must not be called by
// the goroutine that decodes, nor with deliver held, which handling a display needs.
func (g *gonb) drain() {
	g.raw.Control(func(fd uintptr) { g.take(fd) })
	g.feed.idle()
}

// close ends the goroutines. What has not been decoded is lost. It is called once, at the end
// of the process or when it could not be started.
func (g *gonb) close() {
	close(g.closed)
	g.feed.close()
	if g.from != nil {
		g.from.Close()
	}
	if g.back != nil {
		g.back.Close()
	}
}

// decode delivers displays until the stream ends or cannot be understood. A gob stream cannot
// be joined in its middle, since types are described where they first occur: after an error,
// nothing later can be read. Two programs that write to the FIFO at once, each with an encoder
// of its own, make such an error.
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

// complain says something on the cell's standard error, in the place of an error that gonbui's
// protocol cannot carry back.
func (g *gonb) complain(format string, args ...any) {
	g.p.deliver.Lock()
	defer g.p.deliver.Unlock()
	g.p.opt.Stderr(fmt.Appendf(nil, "holt: gonbui: "+format+"\n", args...))
}

// handle delivers one message of gonbui: a request for input, a value for the page, a
// subscription to values, each known by a MIME type of its own, or a display. The order of the
// displays is theirs in the stream; text that was printed before each comes before it (emit).
func (g *gonb) handle(d protocol.DisplayData) {
	if v, ok := d.Data[protocol.MIMEJupyterInput]; ok {
		req, ok := deref[protocol.InputRequest](v)
		if !ok {
			g.complain("input request is %T", v)
			return
		}
		g.p.questions.begin() // before the program can wait for the line
		go g.input(req)       // a person may take long
		return
	}
	if v, ok := d.Data[protocol.MIMECommValue]; ok {
		value, ok := deref[protocol.CommValue](v)
		if !ok {
			g.complain("value for the page is %T", v)
			return
		}
		g.value(value)
		return
	}
	if v, ok := d.Data[protocol.MIMECommSubscribe]; ok {
		sub, ok := deref[protocol.CommSubscription](v)
		if !ok {
			g.complain("subscription is %T", v)
		} else if page := g.p.opt.Page; page != nil {
			page.Subscribe(sub.Address, !sub.Unsubscribe)
		}
		return
	}
	b := frame.Bundle{Data: map[string]any{}, Metadata: d.Metadata, DisplayID: d.DisplayID}
	for mime, v := range d.Data {
		b.Data[string(mime)] = content(string(mime), v)
	}
	// GoNB has one message for a display and for its update: what it was shown as decides.
	kind := frame.KindDisplay
	if d.DisplayID != "" {
		var before bool
		if b.DisplayID, before = g.display(d.DisplayID); before {
			kind = frame.KindUpdate
		}
	}
	g.p.emit(frame.Message{Kind: kind, Bundle: &b})
}

// value takes a value for the page, or for this protocol itself: some addresses are requests to
// the program that serves the FIFO. Without a page, values are dropped; only a sync is answered, as
// the program waits for it.
func (g *gonb) value(v protocol.CommValue) {
	page := g.p.opt.Page
	switch {
	case v.Address == protocol.GonbuiSyncAddress:
		// What was shown before is in the page when the cell goes on: gonbui/dom
		// shows a script, and takes it away again after this.
		if g.p.opt.Sync != nil {
			g.p.opt.Sync()
		}
		g.send(protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: v.Value})
	// Nothing to do: what follows needs a page.
	case page == nil:
	case v.Address == protocol.GonbuiStartAddress:
		page.Start()
	case v.Request:
		page.Read(v.Address)
	default:
		page.Send(v.Address, v.Value)
	}
}

// transient begins the display id under which gonbui/dom runs scripts. It is
// one for the whole life of the host; in GoNB it is one a cell.
const transient = "gonb_transient_js_"

// display returns the id of a display in the notebook, and whether it was shown before. Scripts
// have an id of their own in each cell: the output of an earlier cell may have been cleared,
// and an update of it would run them there too.
//
//	gonb_transient_js_5f3a, cell 7    →    gonb_transient_js_5f3a_7
func (g *gonb) display(id string) (as string, before bool) {
	g.shown.Lock()
	defer g.shown.Unlock()
	if strings.HasPrefix(id, transient) {
		id = fmt.Sprintf("%s_%d", id, g.running)
	}
	before = g.seen[id]
	g.seen[id] = true
	return id, before
}

// cell begins a cell: transient displays are its own from then on.
func (g *gonb) cell(n int) {
	g.shown.Lock()
	defer g.shown.Unlock()
	g.running = n
}

// deref takes a value that gob may deliver as T or as *T.
func deref[T any](v any) (T, bool) {
	if p, ok := v.(*T); ok && p != nil {
		return *p, true
	}
	t, ok := v.(T)
	return t, ok
}

// content turns a representation into what a notebook holds: text, or base64 of anything
// binary, by the rule of Jupyter's display_data. SVG is text there, though it is an image.
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

// send gives a value to the host. It does not wait for it to be read. That values are lost is
// said once in the life of a host.
func (g *gonb) send(v protocol.CommValue) {
	select {
	case g.values <- v:
	default:
		g.full.Do(func() {
			g.complain("%d values wait for a program that does not read them; further ones are lost", maxValues)
		})
	}
}

// encode writes values to the FIFO. It may wait there, when the pipe is full; that is why
// values come by a channel.
func (g *gonb) encode() {
	enc := gob.NewEncoder(g.back)
	for {
		select {
		case v := <-g.values:
			if err := enc.Encode(&v); err != nil {
				if !errors.Is(err, os.ErrClosed) {
					g.complain("send a value of %q: %v", v.Address, err)
				}
				return
			}
		case <-g.closed:
			return
		}
	}
}

// input requests a line from the user and writes it to the cell's standard input, from which
// the program reads the answer. Whatever goes wrong, it writes a line, if an empty one: the
// program would wait for ever. After an interrupt it need not, as the cell's input is closed
// then.
func (g *gonb) input(req protocol.InputRequest) {
	defer g.p.questions.end()
	line := ""
	if g.p.opt.Input == nil {
		g.complain("input was asked for, but this front end cannot give any; the line is empty")
	} else {
		var err error
		if line, err = g.p.opt.Input(req.Prompt, req.Password); interrupted(err) {
			return
		} else if err != nil {
			g.complain("input: %v; the line is empty", err)
		}
	}
	g.p.give(msg.Line{Text: line + "\n"})
}
