package display_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/internal/frame"
)

// A fakePage is a notebook page: what it is shown, and a way to move controls.
type fakePage struct {
	mu    sync.Mutex
	shown []frame.Message
	at    int
	ready chan string // the text of each result that takes the place of another
}

func newFakePage(t *testing.T) *fakePage {
	p := &fakePage{ready: make(chan string, 100)}
	frame.SetSink(func(m frame.Message) error {
		p.mu.Lock()
		p.shown = append(p.shown, m)
		p.mu.Unlock()
		if m.Kind == frame.KindUpdate && strings.HasSuffix(m.Bundle.DisplayID, "-result") {
			p.ready <- m.Bundle.Data["text/plain"].(string)
		}
		return nil
	})
	t.Cleanup(func() { frame.SetSink(nil) })
	return p
}

// id is the display of the first controls.
func (p *fakePage) id() string { return p.shown[0].Bundle.DisplayID }

// move has the page send values.
func (p *fakePage) move(t *testing.T, values ...string) {
	t.Helper()
	p.at++
	if err := frame.Steer(p.id(), "set", fmt.Sprintf(`{"page":"a","n":%d,"values":["%s"]}`, p.at, strings.Join(values, `","`))); err != nil {
		t.Error(err)
	}
}

// last waits for a message about a display, and returns it.
func (p *fakePage) last(t *testing.T, kind frame.Kind, display string, done func(frame.Message) bool) frame.Message {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		p.mu.Lock()
		for _, m := range p.shown {
			if m.Kind == kind && m.Bundle.DisplayID == display && done(m) {
				p.mu.Unlock()
				return m
			}
		}
		p.mu.Unlock()
	}
	t.Fatalf("no %s of %s was shown", kind, display)
	return frame.Message{}
}

func (p *fakePage) next(t *testing.T) string {
	t.Helper()
	select {
	case text := <-p.ready:
		return text
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was shown")
		return ""
	}
}

func TestInteract(t *testing.T) {
	p := newFakePage(t)
	type level string
	f := func(lr float64, k uint8, on bool, name level) (any, error) {
		switch {
		case name == "panic":
			panic("it hurts")
		case name == "error":
			return nil, errors.New("it fails")
		case name == "exit":
			runtime.Goexit()
		}
		return fmt.Sprint(lr, " ", k, " ", on, " ", name), nil
	}
	err := display.Interact(display.Func{Of: f, Names: []string{"lr", "k", "on", "name"}},
		display.Menu{Name: "name", Choices: []string{"a<b", "panic", "error", "exit"}}, display.Slider{From: 1e-4, To: 1, Log: true, Start: 0.01}, display.Slider{To: 255})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.shown) != 3 {
		t.Fatalf("shown %+v, want controls, a line, and a result", p.shown)
	}
	id := p.id()
	if p.shown[1].Bundle.DisplayID != id+"-line" || p.shown[2].Bundle.DisplayID != id+"-result" {
		t.Errorf("the line and the result have the ids %q and %q", p.shown[1].Bundle.DisplayID, p.shown[2].Bundle.DisplayID)
	}
	line, html := p.shown[1].Bundle, p.shown[0].Bundle.Data["text/html"].(string)
	if want := "lr = 0.01, k = 0, on = false, name = a<b"; line.Data["text/plain"] != want {
		t.Errorf("the line is %q, want %q", line.Data["text/plain"], want)
	}
	if want := `<small data-holt-result="` + id + `" data-n="0">lr = 0.01, k = 0, on = false, name = a&lt;b</small>`; line.Data["text/html"] != want {
		t.Errorf("the line's HTML is %q, want %q", line.Data["text/html"], want)
	}
	wantLive := func(m frame.Message, of, state, view string) {
		t.Helper()
		if l := m.Live; l == nil || !l.Going || l.Of != of || string(l.State) != state || l.View != view {
			t.Errorf("pages are told %+v, want state %s and view %s", l, state, view)
		}
	}
	wantLive(p.shown[0], "", `{"n":0,"page":"","sent":0,"values":["0.01","0","false","0"]}`, "<pre>0.01 0 false a&lt;b</pre>")
	for _, want := range []string{`data-from="0.0001" data-to="1" data-start="0.01"`, `max="255" step="1"`, `type="checkbox"`, `<option value="0" selected>a&lt;b</option>`,
		`data-whole="false"`, "<fieldset disabled", "they can be moved, once this cell was run there"} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s in %s", want, html)
		}
	}
	if got := p.shown[2].Bundle.Data["text/plain"]; got != "0.01 0 false a<b" {
		t.Errorf("the first result is %v", got)
	}

	for _, tt := range []struct {
		values []string
		want   string
	}{
		{[]string{"0.5", "7", "true", "0"}, "0.5 7 true a<b"},
		{[]string{"9", "1000", "true", "0"}, "1 255 true a<b"}, // into the range
		{[]string{"0.5", "7", "true", "1"}, "lr = 0.5, k = 7, on = true, name = panic: panic: it hurts"},
		{[]string{"0.5", "7", "true", "2"}, "lr = 0.5, k = 7, on = true, name = error: it fails"},
		{[]string{"0.5", "7", "true", "3"}, "lr = 0.5, k = 7, on = true, name = exit: the function ended its goroutine and returned nothing"},
		{[]string{"0.5", "7", "true", "4"}, `lr = 0.5, k = 7, on = true, name = 4: display: Interact: name: "4" is no choice; there are 4`},
		{[]string{"many", "7", "true", "0"}, `lr = many, k = 7, on = true, name = a<b: display: Interact: lr: "many" is no number`},
		{[]string{"0.25", "8", "false", "0"}, "0.25 8 false a<b"}, // and all is well again
	} {
		p.move(t, tt.values...)
		if got := p.next(t); got != tt.want {
			t.Errorf("%q gave %q, want %q", tt.values, got, tt.want)
		}
	}
	m := p.last(t, frame.KindUpdate, id+"-line", func(m frame.Message) bool { return strings.Contains(string(m.Live.State), `"n":8,`) })
	wantLive(m, id, `{"n":8,"page":"a","sent":8,"values":["0.25","8","false","0"]}`, "<pre>0.25 8 false a&lt;b</pre>")
	if want := "lr = 0.25, k = 8, on = false, name = a<b"; m.Bundle.Data["text/plain"] != want {
		t.Errorf("the line is %q, want %q", m.Bundle.Data["text/plain"], want)
	}
	for _, tt := range []struct{ action, value, want string }{
		{"jump", "0", `controls know no action "jump", want set`},
		{"set", `{"values":["1"]}`, "display: Interact: the page sent 1 values, want 4"},
		{"set", "", "display: Interact: what the page sent is no list of values: unexpected end of JSON input"},
	} {
		if err := frame.Steer(id, tt.action, tt.value); err == nil || err.Error() != tt.want {
			t.Errorf("%s %s: got %v, want %s", tt.action, tt.value, err, tt.want)
		}
	}
}

// The oldest of many are let go, and say so.
func TestInteractLetsGo(t *testing.T) {
	p := newFakePage(t)
	f := func(k int) int { return k }
	for range 40 {
		if err := display.Interact(f); err != nil {
			t.Fatal(err)
		}
	}
	m := p.last(t, frame.KindUpdate, p.id(), func(m frame.Message) bool { return !m.Live.Going })
	if want := "32 newer calls of display.Interact came after it"; m.Live.Ended != want {
		t.Errorf("it ended because %q, want %q", m.Live.Ended, want)
	}
	if err, want := frame.Steer(p.id(), "set", `{"values":["1"]}`), "set: what is shown has ended"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// Values that come while the function runs are left out but for the last.
func TestInteractCoalesces(t *testing.T) {
	p := newFakePage(t)
	begun, goOn := make(chan int), make(chan bool)
	first := true
	err := display.Interact(func(k int) int {
		if first {
			first = false
			return k
		}
		begun <- k
		<-goOn
		return k
	})
	if err != nil {
		t.Fatal(err)
	}
	p.move(t, "1")
	if k := <-begun; k != 1 {
		t.Fatalf("called with %d", k)
	}
	for k := 2; k <= 9; k++ {
		p.move(t, fmt.Sprint(k))
	}
	goOn <- true
	if k := <-begun; k != 9 {
		t.Errorf("called with %d, want the last value, 9", k)
	}
	goOn <- true
	if got := p.next(t) + " " + p.next(t); got != "1 9" {
		t.Errorf("shown %s", got)
	}
}

func TestInteractErrors(t *testing.T) {
	newFakePage(t)
	type named = display.Func
	num := func(lr float64, k int) any { return nil }
	tests := []struct {
		name     string
		f        any
		controls []display.Control
		want     string
	}{
		{"no function", 3, nil, "got int, want a function, such as func(lr float64) any { return … }"},
		{"nil", (func(int) any)(nil), nil, "got func(int) interface {}, want a function, such as func(lr float64) any { return … }"},
		{"no parameters", func() any { return nil }, nil, "the function has no parameters; want one for each control"},
		{"variadic", func(...int) any { return nil }, nil, "the function takes any number of arguments; want a fixed number of them"},
		{"no result", func(int) {}, nil, "the function returns nothing; want what is to be shown"},
		{"two results", func(int) (int, int) { return 1, 2 }, nil, "the function returns several values; want one, and perhaps an error: display.Row shows several side by side"},
		{"a slice", func([]int) any { return nil }, nil, "argument 1 is a []int; want a number, a bool or a string: the function may use what is no parameter, too"},
		{"no such name", named{num, []string{"lr", "k"}}, []display.Control{display.Slider{Name: "rate"}}, "display.Slider: no parameter is called rate; the function has lr float64, k int"},
		{"one too many", named{num, []string{"lr", "k"}}, []display.Control{display.Checkbox{}}, "display.Checkbox: no parameter is left for it; the function has lr float64, k int"},
		{"twice", named{num, []string{"lr", "k"}}, []display.Control{display.Slider{Name: "k"}, display.Button{Name: "k"}}, "k has two controls"},
		{"another kind", named{num, []string{"lr", "k"}}, []display.Control{display.Field{Name: "k"}}, "k: a Field sets a string, and the parameter is a int"},
		{"nil control", num, []display.Control{nil}, "a control is nil"},
		{"range", num, []display.Control{display.Slider{From: 2, To: 1}}, "argument 1: the slider goes from 2 to 1; want From below To"},
		{"factors", num, []display.Control{display.Slider{To: 1, Log: true}}, "argument 1: the slider goes from 0 by factors; want From above 0, or no Log"},
		{"step", num, []display.Control{display.Slider{Step: -1}}, "argument 1: the slider's Step is -1; want one above 0"},
		{"no integer", func(k int) any { return nil }, []display.Control{display.Slider{To: 1.5}}, "argument 1: the slider goes from 0 to 1.5; want values of int"},
		{"too large", func(k int8) any { return nil }, []display.Control{display.Slider{To: 200}}, "argument 1: the slider goes from 0 to 200; want values of int8"},
		{"no choices", num, []display.Control{display.Menu{}}, "argument 1: the menu has no choices; want Choices: []string{…}, or a slice of numbers"},
		{"other choices", named{num, []string{"lr", "k"}}, []display.Control{display.Menu{Name: "k", Choices: []string{"a"}}}, "k: the menu's choices are a []string, and the parameter is a int"},
		{"start", num, []display.Control{display.Menu{Choices: []int{1, 2}, Start: 2}}, "argument 1: the menu's Start is 2, and it has 2 choices, counted from 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := display.Interact(tt.f, tt.controls...)
			if want := "display: Interact: " + tt.want; err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}
