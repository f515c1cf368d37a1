package remote

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holt-dl/holt/kernel/jupyter/front"
	"github.com/holt-dl/holt/kernel/jupyter/wire"
)

const (
	endAckTimeout = 10 * time.Second // for the acknowledgement of the kernel's end to reach the keeper
	stopTimeout   = 4 * time.Second  // for the kernel there to end; jupyter_client kills us after 5 s
	retryFirst    = time.Second / 4  // the pause before a line is tried again, which doubles
	retryLast     = 10 * time.Second
)

// Serve is a kernel for Jupyter on the sockets of conn, whose cells run on the
// machine. Name is that of conn's file, by which the Jupyter server here knows the kernel;
// the kernel there has it too, for what it shows to find its way back. Serve returns when the kernel there has ended, and ends that one when
// ctx ends, the process gets SIGTERM, or the process named by JPY_PARENT_PID is
// gone. A line that is cut is made again for the machine's grace period; until
// then clients find a kernel that is busy, and what they send waits.
func Serve(ctx context.Context, name string, conn wire.Connection, m Machine) error {
	f, err := front.Open("remote", conn)
	if err != nil {
		return err
	}
	return newProxy(m, name, conn.Key, f).serve(ctx)
}

// proxy is one kernel here that runs there.
type proxy struct {
	machine     Machine
	session     string
	name        string // of the connection file here
	key         wire.Key
	front       *front.Front
	link        *link
	pulse       pulse
	open        func(context.Context, hello) (line, reply, error)
	ended       chan struct{} // closed when the kernel there has ended, and the keeper has our acknowledgement
	end         ending        // how, after ended
	endReceived atomic.Bool   // the keeper has sent how the kernel ended

	mu        sync.Mutex
	waiting   map[string]front.Request // by msg_id, what has no reply yet
	order     []string                 // of the cells in waiting, as they came
	info      json.RawMessage          // the last kernel_info_reply
	parent    json.RawMessage          // the header of the last request
	state     string                   // the last status of the kernel there
	cut       time.Time                // since when there is no line; zero while there is one
	hungUp    chan struct{}            // closed when the line that is, or was last, has ended
	announced bool                     // clients have been shown that the line is cut
	stopping  bool                     // the end of the kernel there is requested
}

func newProxy(m Machine, name string, key wire.Key, f *front.Front) *proxy {
	return &proxy{
		machine: m, session: wire.NewID(), name: name, key: key, front: f,
		open: m.open, ended: make(chan struct{}),
		waiting: map[string]front.Request{}, state: "starting", cut: time.Now(),
	}
}

func (p *proxy) serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	p.link = newLink(p.pulse, p.fromKernel)
	p.front.Accept()

	// The line outlives ctx for as long as it takes to end the kernel there.
	lines, cutOff := context.WithCancel(context.WithoutCancel(ctx))
	defer cutOff()
	asked := make(chan struct{})
	var once sync.Once
	stop := func() { once.Do(func() { close(asked) }) }

	var work sync.WaitGroup
	for channel, kind := range map[string]kind{"shell": kindShell, "control": kindControl, "stdin": kindStdin} {
		take := func(req front.Request) { p.toKernel(req, packet{kind, req.Frames}, stop) }
		work.Go(func() { p.front.Read(ctx, p.socket(kind), channel, take) })
	}
	defer front.Watch(ctx, &work, p.interrupt, stop)()
	broken := make(chan error, 1)
	work.Go(func() { broken <- p.keepLine(lines) })

	var err error
	select {
	case err = <-broken:
		if p.endReceived.Load() {
			<-p.ended
			err = p.endError()
		} else if p.asked() {
			err = nil // it ended as requested, before it could send how
		}
	case <-p.ended:
		err = p.endError()
	case <-asked:
		p.stop()
	}
	if err != nil {
		p.fail(err)
	}
	cancel()
	cutOff()
	work.Wait()
	p.front.Close()
	return err
}

// stop ends the kernel there, and waits for that up to stopTimeout.
func (p *proxy) stop() {
	p.mu.Lock()
	p.stopping = true
	p.mu.Unlock()
	p.link.Send(packet{kind: kindStop}, true)
	select {
	case <-p.ended:
	case <-time.After(stopTimeout):
		slog.Warn("remote: the kernel did not end in time; it ends by itself when the grace period is over", "machine", p.machine.Name, "grace", p.machine.Grace)
	}
}

// asked reports whether the end of the kernel there was requested.
func (p *proxy) asked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stopping
}

// endError is nil where the kernel there ended as it was asked to.
func (p *proxy) endError() error {
	if p.end.Asked || p.asked() {
		return nil
	}
	err := fmt.Errorf("remote: %s: the kernel ended there: %s", p.machine.Name, p.end.Reason)
	if p.end.Log != "" {
		err = fmt.Errorf("%w; its log ends with: %s", err, p.end.Log)
	}
	return err
}

// keepLine makes a line, and another whenever it is cut, until ctx ends, the
// kernel there has ended or the grace period is over.
func (p *proxy) keepLine(ctx context.Context) error {
	ln, a, err := p.open(ctx, hello{Do: doOpen, Session: p.session, Start: &start{
		Key: p.key, Name: p.name, Dir: p.machine.Dir, Env: p.machine.environ(), Grace: p.machine.Grace, Client: hostName(),
	}})
	if err == nil {
		err = p.machine.refused(a)
	}
	for err == nil {
		p.connected()
		hungUp := make(chan struct{})
		p.mu.Lock()
		p.hungUp = hungUp
		p.mu.Unlock()
		cut := p.link.Run(ctx, ln, a.Received)
		close(hungUp)
		if p.endReceived.Load() && p.link.settled() {
			return nil // the keeper has sent everything, and closed the line
		}
		if ctx.Err() != nil {
			return nil
		}
		slog.Info("remote: the line is cut", "machine", p.machine.Name, "err", cut)
		ln, a, err = p.reconnect(ctx)
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// reconnect makes a line to the session that runs.
func (p *proxy) reconnect(ctx context.Context) (line, reply, error) {
	// The time of day, as a machine that sleeps stops the other clock.
	cut := time.Now().Round(0)
	p.mu.Lock()
	p.cut = cut
	p.mu.Unlock()
	pause := retryFirst
	for {
		over := time.Now().Round(0).Sub(cut) >= p.machine.Grace
		ln, a, err := p.open(ctx, hello{Do: doOpen, Session: p.session, Received: p.link.Received()})
		if err == nil {
			if err := p.machine.refused(a); err != nil {
				return line{}, reply{}, err
			}
			return ln, a, nil
		}
		if over {
			return line{}, reply{}, fmt.Errorf("remote: %s: the line was cut and could not be made again for %s, so the kernel there has ended, and its variables with it (%w)",
				p.machine.Name, p.machine.Grace, err)
		}
		p.announceCut(err)
		select {
		case <-ctx.Done():
			return line{}, reply{}, ctx.Err()
		case <-time.After(min(pause, max(p.machine.Grace-time.Now().Round(0).Sub(cut), 0))):
		}
		pause = min(2*pause, retryLast)
	}
}

// refused is the error of a reply that opens no line.
func (m Machine) refused(a reply) error {
	switch {
	case a.Gone:
		return fmt.Errorf("remote: %s: the line was cut, and the kernel there has ended meanwhile, and its variables with it: the grace period of %s was over, it was stopped, or the machine was started again", m.Name, m.Grace)
	case a.Error != "":
		return fmt.Errorf("remote: %s: %s", m.Name, a.Error)
	case a.Protocol != protocol:
		return fmt.Errorf("remote: %s: Holt there speaks version %d of the protocol, want %d; upgrade it: holt remote add %s %s", m.Name, a.Protocol, protocol, m.Name, m.Destination)
	}
	return nil
}

// socket returns the socket of a kind of message that goes both ways.
func (p *proxy) socket(k kind) *wire.Socket {
	switch k {
	case kindShell:
		return p.front.Shell
	case kindControl:
		return p.front.Control
	}
	return p.front.Stdin
}

// toKernel sends a message on to the kernel there, or answers what cannot wait
// for a line.
func (p *proxy) toKernel(req front.Request, pkt packet, stop func()) {
	typ := req.Header.Type
	p.mu.Lock()
	offline, info := !p.cut.IsZero(), p.info
	p.mu.Unlock()
	switch {
	case typ == "shutdown_request":
		p.mu.Lock()
		p.stopping = true
		p.mu.Unlock()
		if offline {
			var content map[string]any
			json.Unmarshal(req.Content, &content)
			p.answer(req, "shutdown_reply", map[string]any{"status": "ok", "restart": content["restart"] == true})
			stop()
			return
		}
	case typ == "kernel_info_request" && offline && info != nil:
		p.answer(req, "kernel_info_reply", info)
		return
	}
	if pkt.kind != kindStdin {
		p.mu.Lock()
		p.waiting[req.Header.ID] = req
		p.parent = req.RawHeader
		if typ == "execute_request" {
			p.order = append(p.order, req.Header.ID)
		}
		p.mu.Unlock()
	}
	// Requests are refused where output would be left out: a client sees that.
	if !p.link.Send(pkt, false) {
		p.settle(req.Header.ID)
		p.refuse(req, "Busy", "remote: "+p.machine.Name+": too much waits for the line; try again when it is back")
	}
}

// fromKernel publishes and sends on what the kernel there sends.
func (p *proxy) fromKernel(pkt packet) {
	switch pkt.kind {
	case kindIOPub:
		if wire.PublishedType(pkt.frames) == "status" {
			var content struct {
				State string `json:"execution_state"`
			}
			if json.Unmarshal(wire.Content(pkt.frames), &content) == nil {
				p.mu.Lock()
				p.state = content.State
				p.mu.Unlock()
			}
		}
		p.front.IOPub.Publish(pkt.frames, wire.Essential(pkt.frames))
	case kindShell, kindControl, kindStdin:
		if pkt.kind != kindStdin {
			p.note(pkt.frames)
		}
		if err := p.socket(pkt.kind).Send(pkt.frames); err != nil {
			slog.Debug("remote: the client of a reply has gone")
		}
	case kindEnd:
		pkt.unpack(kindEnd, &p.end)
		p.endReceived.Store(true)
		go p.acknowledgeEnd() // this is the link's reader, which must not be held
	}
}

// acknowledgeEnd acknowledges how the kernel ended, and waits until the keeper closes
// the line: an acknowledgement may still be on its way when our side of the
// line ends, and without it the keeper waits for us.
func (p *proxy) acknowledgeEnd() {
	defer close(p.ended)
	ctx, cancel := context.WithTimeout(context.Background(), endAckTimeout)
	defer cancel()
	if !p.link.Flush(ctx) {
		return
	}
	p.mu.Lock()
	hungUp := p.hungUp
	p.mu.Unlock()
	select {
	case <-hungUp:
	case <-ctx.Done():
	}
}

// note takes the request that a reply answers from those that wait.
func (p *proxy) note(frames [][]byte) {
	var parent wire.Header
	json.Unmarshal(wire.Parent(frames), &parent)
	req := p.settle(parent.ID)
	if req.Message != nil && req.Header.Type == "kernel_info_request" {
		p.mu.Lock()
		p.info = wire.Content(frames)
		p.mu.Unlock()
	}
}

// settle takes a request from those that wait, and returns it, or none.
func (p *proxy) settle(id string) front.Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	req := p.waiting[id]
	delete(p.waiting, id)
	for i, o := range p.order {
		if o == id {
			p.order = append(p.order[:i:i], p.order[i+1:]...)
			break
		}
	}
	return req
}

// interrupt passes SIGINT on as a message.
func (p *proxy) interrupt() {
	msg := p.front.New("interrupt_request", nil, map[string]any{})
	msg.Identities = [][]byte{[]byte("holt-signal")} // whom the reply does not find
	p.link.Send(packet{kindControl, p.front.Encode(msg)}, true)
}
