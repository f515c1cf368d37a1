package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/jupyter/comm"
)

// notebook writes down what views send, show and steer, a line each.
type notebook struct {
	*Views
	mu  sync.Mutex
	log []string
}

func (n *notebook) note(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.log = append(n.log, fmt.Sprintf(format, args...))
}

func newNotebook(kernel string) *notebook {
	n := &notebook{}
	n.Views = New(Options{
		Kernel: kernel,
		Send:   func(m comm.Message) { n.note("%s %s", m.ID, m.Data) },
		Show:   func(m frame.Message) { n.note("%s %s %v", m.Kind, m.Bundle.DisplayID, m.Bundle.Data["text/plain"]) },
		Steer: func(display, action, value string) error {
			n.note("steer %s %s %s", display, action, value)
			if action == "jump" {
				return errors.New("a run cannot jump")
			}
			return nil
		},
	})
	return n
}

// expect compares what has happened since the last call.
func (n *notebook) expect(t *testing.T, want ...string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	if got := strings.Join(n.log, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	n.log = nil
}

// run is a frame of a display, which is also noted when it is shown.
func (n *notebook) run(display, text string, going bool) (shown frame.Message) {
	b := frame.Text(text)
	b.DisplayID = display
	b.Data["text/html"] = `<div><div data-part="line"><progress value="2" max="4"></progress> ` + text + `</div><div data-part="steer">note</div></div>`
	live := &frame.Live{Going: going}
	if !going {
		live.View = "<div>all of " + text + "</div>"
	}
	m, ok := n.Take(frame.Message{Kind: frame.KindUpdate, Bundle: &b, Live: live})
	if ok {
		n.note("shown %s", m.Bundle.Data["text/plain"])
	}
	return m
}

func (n *notebook) from(page, data string) bool {
	return n.Handle(comm.Message{Kind: comm.Data, ID: idPrefix + page, Data: json.RawMessage(data)})
}

func (n *notebook) open(page, display string) bool {
	return n.Handle(comm.Message{Kind: comm.Open, ID: idPrefix + page, Target: Target, Data: json.RawMessage(`{"display":"` + display + `","do":"attach"}`)})
}

// state is what a page gets of run's frame.
func state(page, text string, seq int) string {
	return fmt.Sprintf(`holt-live-%s {"going":true,"html":"\u003cdiv\u003e\u003cdiv data-part=\"line\"\u003e\u003cprogress value=\"2\" max=\"4\"\u003e\u003c/progress\u003e %s\u003c/div\u003e\u003cdiv data-part=\"steer\"\u003enote\u003c/div\u003e\u003c/div\u003e","seq":%d}`, page, text, seq)
}

func TestViews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNotebook("k-1")
		// What is no view of a run is shown as it is.
		b := frame.Text("x")
		if m, ok := n.Take(frame.Message{Kind: frame.KindDisplay, Bundle: &b}); !ok || m.Bundle != &b {
			t.Error("other output is not shown as it is")
		}
		// Without a page everything is shown, with the script.
		html := n.run("d", "epoch 1", true).Bundle.Data["text/html"].(string)
		for _, want := range []string{`<div data-holt-live="d" data-seq="1"><div><div data-part="line">`, "epoch 1</div>", "<script>", `"k-1", "d", (root, link)`, "api/kernels/"} {
			if !strings.Contains(html, want) {
				t.Errorf("the HTML is\n%s\nwithout %s", html, want)
			}
		}
		n.run("d", "epoch 2", true)
		n.expect(t, "shown epoch 1", "shown epoch 2")

		// A page gets the state when it comes, and each new one. The display follows more slowly.
		if n.Handle(comm.Message{Kind: comm.Open, ID: "c", Target: comm.Target}) || n.Handle(comm.Message{Kind: comm.Data, ID: "c"}) {
			t.Error("took the message of another comm")
		}
		n.open("a", "d")
		n.run("d", "epoch 3", true)
		n.open("b", "d")
		n.expect(t, state("a", "epoch 2", 2), state("a", "epoch 3", 3), state("b", "epoch 3", 3))
		n.Handle(comm.Message{Kind: comm.Close, ID: idPrefix + "b"})
		time.Sleep(saved - time.Millisecond)
		synctest.Wait()
		alive := `holt-live-a {"beat":true}`
		n.expect(t, alive, alive, alive)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		n.expect(t, alive, "update d epoch 3")

		// The page's wishes are carried out, and it is told what is wrong with them.
		n.from("a", `{"display":"d","do":"lr","value":0.25}`)
		n.from("a", `{"display":"d","do":"here"}`)
		n.from("a", `{"display":"d","do":"jump"}`)
		n.from("a", `no JSON`)
		n.expect(t, "steer d lr 0.25", "steer d jump ", `holt-live-a {"error":"a run cannot jump"}`)

		// When it has gone without a word, everything is shown again.
		n.run("d", "epoch 4", true)
		n.expect(t, state("a", "epoch 4", 4))
		time.Sleep(silence + 2*beat)
		synctest.Wait()
		n.mu.Lock()
		n.log = nil
		n.mu.Unlock()
		n.run("d", "epoch 5", true)
		n.expect(t, "shown epoch 5")

		// It comes back by what it says, and gets the last state, which is shown at once.
		n.from("a", `{"display":"d","do":"here"}`)
		n.expect(t, state("a", "epoch 5", 5))
		n.run("d", "epoch 6", false)
		n.expect(t, `holt-live-a {"going":false,"html":"\u003cdiv\u003eall of epoch 6\u003c/div\u003e","seq":6}`, "shown epoch 6")
		n.open("late", "d")
		n.from("late", `{"display":"d","do":"pause"}`)
		over := `holt-live-late {"going":false,"html":"\u003cdiv\u003eall of epoch 6\u003c/div\u003e","seq":6}`
		n.expect(t, over, over)
		time.Sleep(time.Minute) // and no page hears more
		n.expect(t)

		// A display that only another kernel knows.
		n.open("a", "old")
		n.expect(t, `holt-live-a {"gone":"the kernel was started again"}`)
	})
}

// TestViewsStop: a run that goes on when its host ends is shown as stopped, and one that is over
// keeps its last state.
func TestViewsStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNotebook("k-1")
		n.run("goes on", "epoch 1/9", true)
		n.open("a", "goes on")
		n.run("goes on", "epoch 2/9", true)
		n.run("over", "done: epoch 9/9", false)
		n.mu.Lock()
		n.log = nil
		n.mu.Unlock()
		n.End("the kernel <was> restarted")
		n.Stop("twice")
		n.expect(t,
			`holt-live-a {"going":false,"gone":"the kernel \u003cwas\u003e restarted","html":"\u003cdiv\u003e\u003cdiv data-part=\"line\"\u003e epoch 2/9\u003c/div\u003e\u003c/div\u003e","seq":3}`,
			"update goes on stopped: the kernel <was> restarted; run the cell again\nepoch 2/9")
		n.run("goes on", "epoch 3/9", true)
		time.Sleep(time.Minute)
		n.expect(t)
		b := frame.Text("x")
		if _, ok := n.Take(frame.Message{Kind: frame.KindDisplay, Bundle: &b}); !ok {
			t.Error("other output is not shown")
		}
	})
}

// TestControls sends a page of controls the values that the newest result is of, and the result
// itself when the page asks for it.
func TestControls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNotebook("k-1")
		take := func(m frame.Message) (html string) {
			m, ok := n.Take(m)
			if !ok {
				t.Fatal("it is not shown")
			}
			html, _ = m.Bundle.Data["text/html"].(string)
			return html
		}
		show := func(display, html string, live *frame.Live) string {
			b := frame.Text("text of " + display)
			b.Data["text/html"], b.DisplayID = html, display
			return take(frame.Message{Kind: frame.KindDisplay, Bundle: &b, Live: live})
		}
		html := show("c", "<p>controls</p>", &frame.Live{Going: true, View: "<b>1</b>", State: json.RawMessage(`{"n":0}`)})
		for _, want := range []string{`<div data-holt-live="c" data-seq="1"><p>controls</p></div><script>`, `const display = "c";`, `"k-1", "c", (root, link)`, "api/kernels/"} {
			if !strings.Contains(html, want) {
				t.Errorf("the controls are\n%s\nwithout %s", html, want)
			}
		}
		n.open("a", "c")
		time.Sleep(time.Second)
		n.open("b", "c")
		n.expect(t, `holt-live-a {"age":0,"going":true,"html":"\u003cb\u003e1\u003c/b\u003e","seq":1,"state":{"n":0}}`,
			`holt-live-b {"age":1000,"going":true,"html":"\u003cb\u003e1\u003c/b\u003e","seq":1,"state":{"n":0}}`)
		n.Handle(comm.Message{Kind: comm.Close, ID: idPrefix + "b"})
		n.from("a", `{"display":"c","do":"set","value":{"values":["2"]}}`)
		if got := show("line", "of 2", &frame.Live{Going: true, Of: "c", View: "<b>2</b>", State: json.RawMessage(`{"n":1}`)}); got != "of 2" {
			t.Errorf("the line beside the controls is %s, want it as it was", got)
		}
		n.from("a", `{"display":"c","do":"attach"}`)
		n.expect(t, `steer c set {"values":["2"]}`, `holt-live-a {"age":1000,"going":true,"seq":2,"state":{"n":1}}`,
			`holt-live-a {"age":1000,"going":true,"html":"\u003cb\u003e2\u003c/b\u003e","seq":2,"state":{"n":1}}`)

		// They stop with their function, for which there may be other reasons.
		stopped := `<div><div data-part="stopped"><b>stopped: it is old; run the cell again</b></div><p>controls</p></div>`
		if got := show("c", "<p>controls</p>", &frame.Live{Ended: "it is old"}); got != stopped {
			t.Errorf("old ones are\n%s\nwant\n%s", got, stopped)
		}
		n.expect(t, `holt-live-a {"age":1000,"going":false,"gone":"it is old","seq":3,"state":{"n":1}}`)
		show("d", "<p>more</p>", &frame.Live{Going: true, State: json.RawMessage(`{"n":0}`)})
		n.End("the kernel was restarted")
		n.expect(t, "update d stopped: the kernel was restarted; run the cell again\ntext of d")
		n.open("a", "d")
		n.expect(t, `holt-live-a {"age":0,"going":false,"gone":"the kernel was restarted","html":"\u003cp\u003emore\u003c/p\u003e","seq":2,"state":{"n":0}}`)
	})
}

// TestViewsWithoutServer: without a Jupyter server there is no script, which could reach nothing.
func TestViewsWithoutServer(t *testing.T) {
	n := newNotebook("")
	if html := n.run("d", "epoch 1", true).Bundle.Data["text/html"].(string); strings.Contains(html, "script") {
		t.Errorf("the HTML is %s, want no script", html)
	}
}

// TestViewsForget: of the runs that are over the last ones are kept.
func TestViewsForget(t *testing.T) {
	n := newNotebook("k-1")
	for i := range maxEnded + 5 {
		n.run(fmt.Sprint(i), "epoch 1", false)
		n.run(fmt.Sprint(i), "epoch 1", false)
	}
	if len(n.views) != maxEnded || n.views["4"] != nil || n.views["5"] == nil {
		t.Errorf("%d views are kept, want the last %d", len(n.views), maxEnded)
	}
}

// TestViewsTogether has runs, pages and the end of the kernel at once.
func TestViewsTogether(t *testing.T) {
	n := newNotebook("k-1")
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for k := range 50 {
				n.run("d", fmt.Sprint("epoch ", k), k < 49)
				n.open(fmt.Sprint(i), "d")
				n.from(fmt.Sprint(i), `{"display":"d","do":"pause"}`)
				n.tick()
			}
		})
	}
	n.Stop("the host process ended")
	wg.Wait()
	n.End("the kernel was restarted")
}

// FuzzHandle: nothing that a page says ends the kernel.
func FuzzHandle(f *testing.F) {
	f.Add("comm_msg", idPrefix+"a", Target, `{"display":"d","do":"lr","value":1e999}`)
	f.Add("comm_open", idPrefix, Target, `{"display":"d"}`)
	f.Add("comm_close", "", "", `[]`)
	f.Fuzz(func(t *testing.T, kind, id, target, data string) {
		n := newNotebook("k-1")
		n.run("d", "epoch 1", true)
		n.Handle(comm.Message{Kind: comm.Kind(kind), ID: id, Target: target, Data: json.RawMessage(data)})
		n.Close()
	})
}
