package session

import (
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/frame"
)

// A run that goes on when its host ends is shown as stopped, and one that is over
// keeps its last state.
func TestLiveDisplaysStop(t *testing.T) {
	var l liveDisplays
	take := func(id, text string, live bool) {
		b := frame.Bundle{DisplayID: id, Data: map[string]any{"text/plain": text, "text/html": `<div><progress value="2" max="4"></progress> ` + text + `</div>`}}
		l.take(frame.Message{Kind: frame.KindUpdate, Bundle: &b, Live: live})
	}
	take("goes on", "epoch 1/9", true)
	take("goes on", "epoch 2/9", true)
	take("over", "epoch 1/9", true)
	take("over", "done: epoch 9/9", false)
	var got []frame.Message
	show := func(m frame.Message) { got = append(got, m) }
	l.end("the kernel <was> restarted", show)
	l.stop("twice", show)
	b := frame.Text("epoch 3/9")
	b.DisplayID = "goes on"
	if l.take(frame.Message{Kind: frame.KindUpdate, Bundle: &b, Live: true}) {
		t.Error("the run writes over what its end was told to be")
	}
	if b := frame.Text("x"); !l.take(frame.Message{Kind: frame.KindDisplay, Bundle: &b}) {
		t.Error("other output is not shown")
	}
	if len(got) != 1 || got[0].Kind != frame.KindUpdate || got[0].Bundle.DisplayID != "goes on" {
		t.Fatalf("shown %v, want one update of the run that goes on", got)
	}
	if text := got[0].Bundle.Data["text/plain"]; text != "stopped: the kernel <was> restarted\nepoch 2/9" {
		t.Errorf("text is %q", text)
	}
	page := got[0].Bundle.Data["text/html"].(string)
	if want := "<div><b>stopped: the kernel &lt;was&gt; restarted</b></div><div> epoch 2/9</div>"; page != want {
		t.Errorf("HTML is %s, want %s", page, want)
	}
	if strings.Contains(page, "progress") {
		t.Error("the bar is still there")
	}
}
