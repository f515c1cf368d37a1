package display

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"sync"

	"github.com/holt-dl/holt/internal/frame"
)

// Func is a function whose parameters have names, for [Interact]. In a cell there is no
// need of it: the kernel reads the names where the function is written.
//
//	display.Interact(display.Func{Of: f, Names: []string{"lr", "k"}})
type Func struct {
	Of    any // a function
	Names []string
}

// maxInteractions is how many of them follow their controls; the oldest is let go first,
// with all that its function holds.
const maxInteractions = 32

// Interact shows a control for each parameter of a function, below them what the function
// returns, and calls it again when a control is moved. What it returns is drawn as the last
// line of a cell would be, and takes the place of what was there.
//
//	display.Interact(func(lr float64, steps int) any {
//		return display.Plot(losses(lr, steps))
//	}, display.Slider{From: 1e-4, To: 1, Log: true}, display.Slider{To: 100})
//
// A parameter is a number, a bool or a string. Without a [Slider], [Menu], [Checkbox],
// [Field] or [Button] of its own a float goes from 0 to 1, an integer from 0 to 10, a bool
// is a box to tick and a string a field. A control is for the parameter that its Name says,
// or else for the first one of its kind that has none yet. The function returns one value, and
// may return an error beside it.
//
// The first call is part of the cell: its error ends the cell. Later ones run beside the cells, one
// at a time, on a goroutine of their own: a variable that a cell changes meanwhile needs a
// lock. Where controls move faster than the function returns, only the last values
// count. An error or a panic is shown in the result's place, and the next move tries
// again. What the function prints stands below the cell.
//
// The controls need JupyterLab or Notebook, and go on there after the page was loaded again,
// and in a second browser; a chart is then a picture. They say so when the kernel was restarted.
// Where a notebook was only run (holt run, nbconvert, VS Code) the result of the first values
// stays, and a line says so.
func Interact(f any, controls ...Control) error {
	it, err := newInteraction(f, controls)
	if err != nil {
		return fmt.Errorf("display: Interact: %w", err)
	}
	first, err := it.call(it.start())
	if err != nil {
		return err
	}
	b := Render(first)
	it.latest = moved{Values: it.start()}
	if frame.Connected() {
		if err := it.showControls(it.live(b)); err != nil {
			return err
		}
	}
	if err := frame.Display(it.line()); err != nil {
		return err
	}
	b.DisplayID = it.id + "-result"
	if err := frame.Display(b); err != nil {
		return err
	}
	if frame.Connected() {
		it.letGo = frame.OnSteer(it.id, it.heard)
		go it.follow()
		keep(it)
	}
	return nil
}

var (
	interacting sync.Mutex
	following   []*interaction // oldest first
)

// keep lets go of the oldest interactions.
func keep(it *interaction) {
	interacting.Lock()
	following = append(following, it)
	var old []*interaction
	if n := len(following) - maxInteractions; n > 0 {
		old = following[:n]
		following = append([]*interaction(nil), following[n:]...)
	}
	interacting.Unlock()
	for _, it := range old {
		it.letGo()
		close(it.ended)
		ended := fmt.Sprintf("%d newer calls of display.Interact came after it", maxInteractions)
		it.showControls(&frame.Live{Ended: ended}) // it fails when the kernel is gone
	}
}

// An interaction is one call of Interact.
type interaction struct {
	id     string // of the display of the controls
	f      reflect.Value
	params []param
	wake   chan struct{} // there are values to be shown
	ended  chan struct{}
	letGo  func() // of the page

	shown  bool  // the controls
	n      int   // results after the first
	latest moved // of which values the result is

	mu      sync.Mutex
	pending *moved // values to be shown; nil when all are
}

// A param is a parameter and its control.
type param struct {
	name    string
	typ     reflect.Type
	control Control
}

func newInteraction(f any, controls []Control) (*interaction, error) {
	var names []string
	if named, ok := f.(Func); ok {
		f, names = named.Of, named.Names
	}
	fv := reflect.ValueOf(f)
	if fv.Kind() != reflect.Func || fv.IsNil() {
		return nil, fmt.Errorf("got %s, want a function, such as func(lr float64) any { return … }", typeName(reflect.TypeOf(f)))
	}
	t := fv.Type()
	switch {
	case t.IsVariadic():
		return nil, errors.New("the function takes any number of arguments; want a fixed number of them")
	case t.NumIn() == 0:
		return nil, errors.New("the function has no parameters; want one for each control")
	case t.NumOut() == 0:
		return nil, errors.New("the function returns nothing; want what is to be shown")
	case t.NumOut() > 2 || t.NumOut() == 2 && t.Out(1) != reflect.TypeFor[error]():
		return nil, errors.New("the function returns several values; want one, and perhaps an error: display.Row shows several side by side")
	}
	it := &interaction{
		id: fmt.Sprintf("holt-%016x", rand.Uint64()), f: fv,
		wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	for i := range t.NumIn() {
		p := param{name: fmt.Sprintf("argument %d", i+1), typ: t.In(i)}
		if i < len(names) && names[i] != "" && names[i] != "_" {
			p.name = names[i]
		}
		it.params = append(it.params, p)
	}
	for _, c := range controls {
		if err := it.assign(c); err != nil {
			return nil, err
		}
	}
	for i := range it.params {
		p := &it.params[i]
		if p.control == nil {
			p.control = usual(p.typ)
		}
		if p.control == nil {
			return nil, fmt.Errorf("%s is a %s; want a number, a bool or a string: the function may use what is no parameter, too", p.name, p.typ)
		}
		c, err := p.control.fit(p.typ)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		p.control = c
	}
	return it, nil
}

// assign gives a control to its parameter.
func (it *interaction) assign(c Control) error {
	if c == nil {
		return errors.New("a control is nil")
	}
	for i := range it.params {
		p := &it.params[i]
		switch name := c.of(); {
		case name == p.name && p.control != nil:
			return fmt.Errorf("%s has two controls", name)
		case name == p.name, name == "" && p.control == nil && c.takes(p.typ.Kind()):
			p.control = c
			return nil
		}
	}
	var have []string
	for _, p := range it.params {
		have = append(have, p.name+" "+p.typ.String())
	}
	of := "no parameter is left for it"
	if c.of() != "" {
		of = "no parameter is called " + c.of()
	}
	return fmt.Errorf("%T: %s; the function has %s", c, of, strings.Join(have, ", "))
}

// start is the first value of each control.
func (it *interaction) start() []string {
	var list []string
	for _, p := range it.params {
		list = append(list, p.control.first())
	}
	return list
}

// values writes the parameters with their values.
func (it *interaction) values(texts []string) string {
	var list []string
	for i, p := range it.params {
		list = append(list, p.name+" = "+p.control.shown(texts[i]))
	}
	return strings.Join(list, ", ")
}

// call calls the function with the values that texts stand for.
func (it *interaction) call(texts []string) (any, error) {
	args := make([]reflect.Value, len(texts))
	for i, p := range it.params {
		v, err := p.control.value(texts[i], p.typ)
		if err != nil {
			return nil, fmt.Errorf("display: Interact: %s: %w", p.name, err)
		}
		args[i] = v
	}
	out := it.f.Call(args)
	if len(out) == 2 {
		if err, ok := out[1].Interface().(error); ok && err != nil {
			return nil, err
		}
	}
	return out[0].Interface(), nil
}

// moved is what a page sends.
type moved struct {
	Page   string   `json:"page"` // a view of the controls; empty before any was moved
	N      int      `json:"n"`    // counts what that view sends
	Values []string `json:"values"`
}

// heard takes values from a page.
func (it *interaction) heard(action, value string) error {
	if action != "set" {
		return fmt.Errorf("controls know no action %q, want set", action)
	}
	var m moved
	if err := json.Unmarshal([]byte(value), &m); err != nil {
		return fmt.Errorf("display: Interact: what the page sent is no list of values: %w", err)
	}
	if len(m.Values) != len(it.params) {
		return fmt.Errorf("display: Interact: the page sent %d values, want %d", len(m.Values), len(it.params))
	}
	it.mu.Lock()
	it.pending = &m
	it.mu.Unlock()
	select {
	case it.wake <- struct{}{}:
	default: // it looks at the latest values in any case
	}
	return nil
}

// live says what pages are to know of a result.
func (it *interaction) live(result frame.Bundle) *frame.Live {
	state, _ := json.Marshal(map[string]any{ // there is nothing in it that JSON cannot hold
		"page": it.latest.Page, "sent": it.latest.N, "values": it.latest.Values, "n": it.n,
	})
	return &frame.Live{Going: true, View: markup(result), State: state}
}

// showControls shows the controls, or shows them once more.
func (it *interaction) showControls(live *frame.Live) error {
	var names []string
	for _, p := range it.params {
		names = append(names, p.name)
	}
	m := frame.Message{Kind: frame.KindDisplay, Live: live, Bundle: &frame.Bundle{
		Data:      map[string]any{"text/html": it.html(), "text/plain": "controls: " + strings.Join(names, ", ")},
		DisplayID: it.id,
	}}
	if it.shown {
		m.Kind = frame.KindUpdate
	}
	it.shown = true
	return frame.Send(m)
}

// line says of which values the result below it is. By its number a page knows whether it is
// shown the last one.
func (it *interaction) line() frame.Bundle {
	text := it.values(it.latest.Values)
	return frame.Bundle{
		Data: map[string]any{
			"text/html":  fmt.Sprintf(`<small data-holt-result="%s" data-n="%d">%s</small>`, it.id, it.n, Escape(text)),
			"text/plain": text,
		},
		DisplayID: it.id + "-line",
	}
}

// follow shows the result for the latest values, again and again.
func (it *interaction) follow() {
	for {
		select {
		case <-it.wake:
		case <-it.ended:
			return
		}
		it.mu.Lock()
		m := it.pending
		it.pending = nil
		it.mu.Unlock()
		if m == nil {
			continue
		}
		// On a goroutine of its own, which the function may end: os.Exit in a cell does.
		done := make(chan frame.Bundle, 1)
		go func() {
			defer close(done)
			done <- it.result(m.Values)
		}()
		b, ok := <-done
		if !ok {
			b = wrong(it.values(m.Values), "the function ended its goroutine and returned nothing")
		}
		it.n++
		it.latest = *m
		// The result comes before what says that it is there. All fails when the kernel is gone,
		// and with it this process.
		b.DisplayID = it.id + "-result"
		frame.Update(b)
		line, live := it.line(), it.live(b)
		live.Of = it.id
		frame.Send(frame.Message{Kind: frame.KindUpdate, Bundle: &line, Live: live})
	}
}

// result is what is shown for values: the function's, or what went wrong.
func (it *interaction) result(texts []string) (b frame.Bundle) {
	defer func() {
		if r := recover(); r != nil {
			b = wrong(it.values(texts), fmt.Sprintf("panic: %v%s", r, cellLine()))
		}
	}()
	v, err := it.call(texts)
	if err != nil {
		return wrong(it.values(texts), err.Error())
	}
	return Render(v)
}

// cellLine is the line of a cell that panicked, in parentheses, or empty.
func cellLine() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	for {
		f, more := frames.Next()
		if strings.HasPrefix(f.File, "cell[") {
			return fmt.Sprintf(" (%s:%d)", f.File, f.Line)
		}
		if !more {
			return ""
		}
	}
}

// wrong is shown in the place of a result that there is none of.
func wrong(values, message string) frame.Bundle {
	return frame.Bundle{Data: map[string]any{
		"text/plain": values + ": " + message,
		"text/html":  fmt.Sprintf(`<div style="border-left:3px solid #d32f2f;padding-left:8px"><b>%s</b><pre style="white-space:pre-wrap;margin:0">%s</pre></div>`, Escape(values), Escape(message)),
	}}
}

// html is the controls, to which the kernel adds a script. Without it they cannot be moved.
func (it *interaction) html() string {
	var b strings.Builder
	b.WriteString(`<div style="max-width:760px"><fieldset disabled style="border:0;margin:0;padding:0;min-width:0">`)
	for i, p := range it.params {
		fmt.Fprintf(&b, `<label style="display:flex;align-items:center;gap:8px;min-height:28px"><span style="min-width:96px">%s</span>%s</label>`,
			Escape(p.name), p.control.html(i))
	}
	b.WriteString(`</fieldset><div data-note>The controls stand at their first values. In JupyterLab they can be moved, once this cell was run there.</div></div>`)
	return b.String()
}

// clamp is the nearest number to x from low to high.
func clamp(x, low, high float64) float64 { return math.Min(math.Max(x, low), high) }
