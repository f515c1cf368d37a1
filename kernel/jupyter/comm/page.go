package comm

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
)

// Target is the target name by which the page opens its comm.
const Target = "gonb_comm"

// Addresses of the protocol.
const (
	addressOpened = "#comm_open_ack"
	addressHello  = "#hello"
	addressPing   = "#heartbeat/ping"
	addressPong   = "#heartbeat/pong"
	addressRead   = "#read"
)

const (
	// maxPages is how many comms may be open; pages that were closed without a
	// word are forgotten when there are more.
	maxPages = 8
	// maxWaiting is how many values wait for a page to come; the oldest go first.
	maxWaiting = 1000
	// heartbeat is how long a page may take to answer.
	heartbeat = 3 * time.Second
)

// Options are the settings of a [Page]. The functions must neither call the
// page nor wait for it.
type Options struct {
	// Kernel is the kernel's id in its Jupyter server. Without one the page is
	// told to look for a kernel of no name, and does not find it.
	Kernel  string
	Send    func(Message)                   // to the notebook
	Show    func(frame.Message)             // in the running cell's output
	Deliver func(address string, value any) // to the cells
}

// Page is the kernel's side of the pages that show the notebook. Its methods
// may be called by several goroutines.
type Page struct {
	opt Options

	mu         sync.Mutex
	open       []string        // comms, oldest first
	subscribed map[string]bool // addresses that cells listen to
	last       map[string]any  // the latest value of each address
	waiting    []packet        // for the first page
	script     string          // display id of the script while it is shown; empty otherwise
	started    bool            // the script was shown in this cell
	scripts    int             // how often the script was shown
	pongs      chan struct{}   // closed by the next pong
}

// packet is the data of a comm message.
type packet struct {
	Address string `json:"address"`
	Value   any    `json:"value"`
}

// NewPage returns a page that is not open yet.
func NewPage(opt Options) *Page {
	return &Page{opt: opt, subscribed: map[string]bool{}, last: map[string]any{}}
}

// Cell begins a cell: the first thing in it that needs the page shows the
// script again, as the page may have been loaded anew.
func (p *Page) Cell() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
	p.started = false
}

// Reset forgets who listens, because the host process has ended.
func (p *Page) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.subscribed)
	p.waiting = nil
}

//go:embed page.js
var script string

//go:embed server.js
var server string

// Script returns the script of an output: text with the kernel's id in place of "KERNEL", and in
// place of JUPYTER what reaches the Jupyter server.
func Script(text, kernel string) string {
	id, _ := json.Marshal(kernel)
	return "<script>\n" + strings.NewReplacer(`"KERNEL"`, string(id), "JUPYTER", strings.TrimSpace(server)).Replace(text) + "</script>"
}

// Start shows the script, once in a cell. In a page that has run it already it
// only says hello.
func (p *Page) Start() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.start()
}

func (p *Page) start() {
	if p.started {
		return
	}
	p.erase()
	p.started = true
	p.scripts++
	p.script = fmt.Sprintf("holt-page-%s-%d", p.opt.Kernel, p.scripts)
	p.show(frame.KindDisplay, Script(script, p.opt.Kernel))
}

// erase takes the script out of the output, so that it is not saved with it.
func (p *Page) erase() {
	if p.script != "" {
		p.show(frame.KindUpdate, "")
		p.script = ""
	}
}

func (p *Page) show(kind frame.Kind, html string) {
	p.opt.Show(frame.Message{Kind: kind, Bundle: &frame.Bundle{
		Data: map[string]any{"text/html": html}, DisplayID: p.script,
	}})
}

// Send sends a value to an address in the page. Where no page is open it waits
// for the first to come.
func (p *Page) Send(address string, value any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last[address] = value
	p.start()
	p.send(packet{address, value})
}

func (p *Page) send(m packet) {
	if len(p.open) == 0 {
		p.waiting = append(p.waiting, m)
		if n := len(p.waiting) - maxWaiting; n > 0 {
			p.waiting = slices.Delete(p.waiting, 0, n)
		}
		return
	}
	for _, id := range p.open {
		p.sendTo(id, m)
	}
}

func (p *Page) sendTo(id string, m packet) {
	data, err := json.Marshal(m)
	if err != nil {
		return // a channel, a function: gonbui/comms sends none
	}
	p.opt.Send(Message{Kind: Data, ID: id, Data: data})
}

// Subscribe sets whether cells listen to an address. What the page sends to
// another is dropped.
func (p *Page) Subscribe(address string, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !on {
		delete(p.subscribed, address)
		return
	}
	p.subscribed[address] = true
	p.start()
}

// Read asks for the value of an address: the latest that passed, or else what
// the page has.
func (p *Page) Read(address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if value, ok := p.last[address]; ok {
		p.opt.Deliver(address, value)
		return
	}
	p.start()
	p.send(packet{addressRead, address})
}

// Heartbeat reports whether a page answers within three seconds.
func (p *Page) Heartbeat(ctx context.Context) bool {
	p.mu.Lock()
	if len(p.open) == 0 {
		p.start()
	}
	if p.pongs == nil {
		p.pongs = make(chan struct{})
	}
	pongs := p.pongs
	p.send(packet{addressPing, true})
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, heartbeat)
	defer cancel()
	select {
	case <-pongs:
		return true
	case <-ctx.Done():
		return false
	}
}

// Handle takes a comm message from the notebook. It returns false for an open
// of a target that is not [Target].
func (p *Page) Handle(m Message) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch m.Kind {
	case Open:
		if m.Target != Target {
			return false
		}
		p.join(m.ID)
		p.erase()
	case Close:
		p.open = slices.DeleteFunc(p.open, func(id string) bool { return id == m.ID })
	case Data:
		p.receive(m)
	}
	return true
}

// join takes a comm in and tells it what has waited for it.
func (p *Page) join(id string) {
	p.open = append(p.open, id)
	if len(p.open) > maxPages {
		p.open = slices.Delete(p.open, 0, 1)
	}
	p.sendTo(id, packet{addressOpened, true})
	waiting := p.waiting
	p.waiting = nil
	for _, m := range waiting {
		p.sendTo(id, m)
	}
}

// receive takes a message from the page.
func (p *Page) receive(m Message) {
	var data packet
	if json.Unmarshal(m.Data, &data) != nil || data.Address == "" {
		return
	}
	if !slices.Contains(p.open, m.ID) {
		// A page that was there before the kernel was restarted.
		p.join(m.ID)
	}
	switch data.Address {
	case addressHello:
		p.erase()
	case addressPing:
		p.sendTo(m.ID, packet{addressPong, true})
	case addressPong:
		if p.pongs != nil {
			close(p.pongs)
			p.pongs = nil
		}
	default:
		value, ok := typed(data.Value)
		if !ok {
			return
		}
		p.last[data.Address] = value
		if p.subscribed[data.Address] {
			p.opt.Deliver(data.Address, value)
		}
	}
}

// typed converts a JSON value to one of the types of gonbui/comms. There is
// none for null, nor for lists and objects of several types.
func typed(v any) (any, bool) {
	switch v := v.(type) {
	case []any:
		if len(v) > 0 {
			if _, ok := v[0].(string); ok {
				return list[string](v)
			}
		}
		return list[float64](v)
	case map[string]any:
		for _, e := range v {
			if _, ok := e.(string); ok {
				return table[string](v)
			}
		}
		return table[float64](v)
	case nil:
		return nil, false
	}
	return v, true
}

func list[T any](from []any) (any, bool) {
	to := make([]T, len(from))
	for i, e := range from {
		t, ok := e.(T)
		if !ok {
			return nil, false
		}
		to[i] = t
	}
	return to, true
}

func table[T any](from map[string]any) (any, bool) {
	to := make(map[string]T, len(from))
	for k, e := range from {
		t, ok := e.(T)
		if !ok {
			return nil, false
		}
		to[k] = t
	}
	return to, true
}
