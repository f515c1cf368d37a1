package remote

import (
	"fmt"
	"strings"
	"time"

	"github.com/holt-dl/holt/kernel/jupyter/front"
)

// connected is called when there is a line.
func (p *proxy) connected() {
	p.mu.Lock()
	was, announced, state := p.cut, p.announced, p.state
	p.cut, p.announced = time.Time{}, false
	p.mu.Unlock()
	if announced {
		p.notify(fmt.Sprintf("%s is back after %s", p.machine.Name, time.Now().Round(0).Sub(was).Round(time.Second)))
		if state == "idle" {
			// What came to be while the line was cut follows by itself.
			p.publishStatus("idle")
		}
	}
}

// announceCut shows, once, that the line is cut. The first attempt to connect again has
// failed by then.
func (p *proxy) announceCut(err error) {
	p.mu.Lock()
	announced := p.announced
	p.announced = true
	p.mu.Unlock()
	if announced {
		return
	}
	p.publishStatus("busy")
	p.notify(fmt.Sprintf("the line to %s is cut; the kernel there goes on, and is tried again for %s (%s)", p.machine.Name, p.machine.Grace, err))
}

// notify shows a line of text in the cell that runs, where there is one.
func (p *proxy) notify(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.order) == 0 {
		return
	}
	msg := p.front.New("stream", p.waiting[p.order[0]].RawHeader, map[string]any{"name": "stderr", "text": "[holt: " + strings.TrimSpace(text) + "]\n"})
	p.front.IOPub.Publish(p.front.EncodePublished(msg), true) // also to a client that reads too slowly
}

func (p *proxy) publishStatus(state string) {
	p.mu.Lock()
	parent := p.parent
	p.mu.Unlock()
	p.front.Status(parent, state)
}

// answer answers a request here, between busy and idle as a kernel does.
func (p *proxy) answer(req front.Request, typ string, content any) {
	p.front.Status(req.RawHeader, "busy")
	p.front.Reply(req, typ, content)
	p.front.Status(req.RawHeader, "idle")
	p.mu.Lock()
	announced := p.announced
	p.mu.Unlock()
	if announced {
		p.publishStatus("busy") // clients show the last state that came
	}
}

// refuse answers a request with an error, which a cell shows.
func (p *proxy) refuse(req front.Request, name, value string) {
	typ, ok := strings.CutSuffix(req.Header.Type, "_request")
	if !ok {
		return
	}
	content := map[string]any{"ename": name, "evalue": value, "traceback": []string{name + ": " + value}}
	if typ == "execute" {
		p.front.Publish("error", req.RawHeader, content)
	}
	content["status"] = "error"
	p.answer(req, typ+"_reply", content)
}

// fail answers the requests that have no reply with the error.
func (p *proxy) fail(err error) {
	p.mu.Lock()
	p.announced = false // no client shows a busy kernel any more
	var lost []front.Request
	for _, id := range p.order {
		lost = append(lost, p.waiting[id])
	}
	p.mu.Unlock()
	for _, req := range lost {
		p.refuse(req, "KernelLost", err.Error())
	}
}
