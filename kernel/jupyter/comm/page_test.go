package comm

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/frame"
)

// notebook writes down what a page sends, shows and delivers, a line each.
type notebook struct {
	page *Page
	log  []string
}

func newNotebook() *notebook {
	n := &notebook{}
	n.page = NewPage(Options{
		Kernel: "k-1",
		Send:   func(m Message) { n.log = append(n.log, fmt.Sprintf("%s %s %s", m.Kind, m.ID, m.Data)) },
		Show: func(m frame.Message) {
			html := m.Bundle.Data["text/html"].(string)
			if html != "" {
				html = "script"
			}
			n.log = append(n.log, fmt.Sprintf("%s %s %q", m.Kind, m.Bundle.DisplayID, html))
		},
		Deliver: func(address string, value any) {
			n.log = append(n.log, fmt.Sprintf("%s = %T %v", address, value, value))
		},
	})
	return n
}

// expect compares what has happened since the last call.
func (n *notebook) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := strings.Join(n.log, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	n.log = nil
}

func (n *notebook) from(id, data string) bool {
	return n.page.Handle(Message{Kind: Data, ID: id, Data: json.RawMessage(data)})
}

func TestPage(t *testing.T) {
	n := newNotebook()
	// The script is shown once in a cell, before what it is needed for.
	n.page.Subscribe("/a", true)
	n.page.Send("/b", 1)
	n.page.Send("/b", []string{"x"})
	n.expect(t, `display holt-page-k-1-1 "script"`)

	// An unknown target is not ours; ours gets what has waited.
	if n.page.Handle(Message{Kind: Open, ID: "w", Target: "jupyter.widget"}) {
		t.Error("took an open of jupyter.widget")
	}
	if !n.page.Handle(Message{Kind: Open, ID: "c", Target: Target}) {
		t.Error("refused the open of a page")
	}
	n.expect(t,
		`comm_msg c {"address":"#comm_open_ack","value":true}`,
		`comm_msg c {"address":"/b","value":1}`,
		`comm_msg c {"address":"/b","value":["x"]}`,
		`update holt-page-k-1-1 ""`)

	// Values come with the types that gonbui/comms knows, and only where somebody listens.
	for _, v := range []string{`7`, `"s"`, `[1,2]`, `["x"]`, `{"k":1}`, `{"k":"v"}`, `[]`, `true`} {
		n.from("c", `{"address":"/a","value":`+v+`}`)
	}
	for _, v := range []string{`null`, `[1,"x"]`, `{"k":[]}`, `[[1]]`} {
		n.from("c", `{"address":"/a","value":`+v+`}`)
	}
	n.from("c", `{"address":"/nobody","value":1}`)
	n.from("c", `{"value":1}`)
	n.from("c", `no JSON`)
	n.expect(t, "/a = float64 7", "/a = string s", "/a = []float64 [1 2]", "/a = []string [x]",
		"/a = map[string]float64 map[k:1]", "/a = map[string]string map[k:v]", "/a = []float64 []", "/a = bool true")
	n.page.Subscribe("/a", false)
	n.from("c", `{"address":"/a","value":1}`)
	n.expect(t)

	// In the next cell the script is shown again, and the page says that it has it.
	n.page.Cell()
	n.page.Start()
	n.page.Start()
	n.from("c", `{"address":"#hello","value":true}`)
	n.expect(t, `display holt-page-k-1-2 "script"`, `update holt-page-k-1-2 ""`)

	// Reading gives what passed last, or asks.
	n.page.Read("/nobody")
	n.page.Read("/new")
	n.expect(t, "/nobody = float64 1", `comm_msg c {"address":"#read","value":"/new"}`)

	// A second page gets the same, until it closes; the page of an earlier
	// kernel is taken in when it speaks.
	n.page.Handle(Message{Kind: Open, ID: "d", Target: Target})
	n.from("old", `{"address":"#heartbeat/ping","value":true}`)
	n.page.Handle(Message{Kind: Close, ID: "d"})
	n.page.Send("/b", 2)
	n.expect(t,
		`comm_msg d {"address":"#comm_open_ack","value":true}`,
		`comm_msg old {"address":"#comm_open_ack","value":true}`,
		`comm_msg old {"address":"#heartbeat/pong","value":true}`,
		`comm_msg c {"address":"/b","value":2}`,
		`comm_msg old {"address":"/b","value":2}`)

	// After the end of the host nobody listens.
	n.page.Subscribe("/a", true)
	n.page.Reset()
	n.from("c", `{"address":"/a","value":1}`)
	n.expect(t)
}

func TestPageErasesAtTheNextCell(t *testing.T) {
	n := newNotebook()
	n.page.Start() // nobody is there to run it
	n.page.Cell()
	n.expect(t, `display holt-page-k-1-1 "script"`, `update holt-page-k-1-1 ""`)
}

func TestPageLimits(t *testing.T) {
	n := newNotebook()
	for i := range maxWaiting + 5 {
		n.page.Send("/a", i)
	}
	for i := range maxPages + 2 {
		n.page.Handle(Message{Kind: Open, ID: fmt.Sprint(i), Target: Target})
	}
	if !strings.Contains(strings.Join(n.log, "\n"), `comm_msg 0 {"address":"/a","value":5}`) || strings.Contains(strings.Join(n.log, "\n"), `"value":4}`) {
		t.Error("want the latest values, without the first five")
	}
	n.log = nil
	n.page.Send("/a", 0)
	if len(n.log) != maxPages {
		t.Errorf("%d pages got a value, want %d", len(n.log), maxPages)
	}
}

func TestHeartbeat(t *testing.T) {
	n := newNotebook()
	answered := make(chan bool)
	n.page.Handle(Message{Kind: Open, ID: "c", Target: Target})
	send := n.page.opt.Send
	n.page.opt.Send = func(m Message) {
		send(m)
		go n.from("c", `{"address":"#heartbeat/pong","value":true}`)
	}
	go func() { answered <- n.page.Heartbeat(context.Background()) }()
	if !<-answered {
		t.Error("the page answered, and it was not noticed")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if NewPage(Options{Send: func(Message) {}, Show: func(frame.Message) {}}).Heartbeat(ctx) {
		t.Error("a page that is not there answers")
	}
}

// FuzzPage: nothing that a page says ends the kernel.
func FuzzPage(f *testing.F) {
	f.Add("comm_msg", "c", Target, `{"address":"/a","value":[1,{"x":null}]}`)
	f.Add("comm_open", "", Target, `{}`)
	f.Add("comm_msg", "c", "", `{"address":"#heartbeat/pong"}`)
	f.Fuzz(func(t *testing.T, kind, id, target, data string) {
		n := newNotebook()
		n.page.Subscribe("/a", true)
		n.page.Handle(Message{Kind: Kind(kind), ID: id, Target: target, Data: json.RawMessage(data)})
	})
}
