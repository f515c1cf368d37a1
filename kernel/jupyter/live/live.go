package live

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/jupyter/comm"
)

// Target is the target name by which a page opens its comm.
const Target = "holt_live"

// idPrefix begins the ids of the comms that pages open.
const idPrefix = "holt-live-"

const (
	// beat is how often pages are told that the kernel lives.
	beat = 3 * time.Second
	// silence is how long a page may say nothing and still count as there. It says
	// something every ten seconds.
	silence = 30 * time.Second
	// saved is how old the display may be under a page that follows by its comm. It
	// is what is saved with the notebook.
	saved = 10 * time.Second
	// maxEnded is how many displays of runs that are over are kept for pages that come later.
	maxEnded = 32
)

// Options are the settings of [Views]. The functions must not call the views; Steer may
// wait for the host.
type Options struct {
	// Kernel is the kernel's id in its Jupyter server; empty where there is none, and
	// displays have no script then.
	Kernel string
	Send   func(comm.Message)                        // to the pages
	Show   func(frame.Message)                       // as output, which updates a display
	Steer  func(display, action, value string) error // in the host; the value is JSON
}

// Views are the displays of runs and of controls. Their methods may be called by several goroutines.
type Views struct {
	opt Options

	mu     sync.Mutex
	views  map[string]*view // by display id
	ended  []string         // of those that are over, oldest first
	beats  *time.Timer      // nil while no page follows
	closed bool             // the kernel ends: what still comes is not shown
}

// view is one display.
type view struct {
	id    string
	born  time.Time
	own   string // HTML of the display itself
	html  string // of all there is to see
	text  string
	state json.RawMessage // of controls; nil for a run
	gone  string          // why it ended before its time
	going bool
	seq   int

	pages map[string]time.Time // comms that follow it, and when they were last heard
	shown time.Time            // when the display was last updated
	held  *frame.Message       // a later update, which is not shown because pages follow
}

// New returns views of nothing.
func New(opt Options) *Views { return &Views{opt: opt, views: map[string]*view{}} }

// Take takes a frame that the host shows, and returns it as it is to be shown; ok is
// false when it is not.
func (v *Views) Take(m frame.Message) (show frame.Message, ok bool) {
	if m.Bundle == nil || m.Live == nil {
		return m, true
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return m, !m.Live.Going
	}
	id := cmp.Or(m.Live.Of, m.Bundle.DisplayID)
	w := v.views[id]
	if w == nil {
		w = &view{id: id, born: time.Now(), pages: map[string]time.Time{}}
		v.views[id] = w
	}
	if m.Live.Of == "" {
		w.own, _ = m.Bundle.Data["text/html"].(string)
		w.text, _ = m.Bundle.Data["text/plain"].(string)
	}
	if w.gone = m.Live.Ended; w.gone == "" {
		w.html, w.state = cmp.Or(m.Live.View, w.own), m.Live.State
	}
	v.change(w, m.Live.Going)
	switch {
	case w.gone != "":
		m.Bundle = w.stopped()
		return m, true
	case !w.going, m.Live.Of != "":
		return m, true
	}
	m = v.withScript(w, m)
	if len(w.pages) > 0 && m.Kind == frame.KindUpdate && time.Since(w.shown) < saved {
		w.held = &m
		return m, false
	}
	w.shown, w.held = time.Now(), nil
	return m, true
}

// change tells the pages that a view has changed.
func (v *Views) change(w *view, going bool) {
	w.seq++
	if w.going = going; !going {
		w.held = nil
		if !slices.Contains(v.ended, w.id) {
			v.ended = append(v.ended, w.id)
		}
		if len(v.ended) > maxEnded {
			delete(v.views, v.ended[0])
			v.ended = slices.Delete(v.ended, 0, 1)
		}
	}
	news := w.whole()
	if w.state != nil {
		delete(news, "html") // a page that shows the result by itself asks for it
	}
	for page := range w.pages {
		v.send(page, news)
	}
	if !going {
		clear(w.pages)
	}
}

// whole is what a page gets of a view when it opens it.
func (w *view) whole() map[string]any {
	data := map[string]any{"html": w.html, "seq": w.seq, "going": w.going}
	if w.state != nil {
		data["state"], data["age"] = w.state, time.Since(w.born).Milliseconds()
	}
	if w.gone != "" {
		data["gone"] = w.gone
	}
	return data
}

func (v *Views) send(page string, data map[string]any) {
	text, err := json.Marshal(data)
	if err != nil {
		return // there is nothing in it that JSON cannot hold
	}
	v.opt.Send(comm.Message{Kind: comm.Data, ID: page, Data: text})
}

// The script of a run and that of controls, and what both have in the place of ATTACH.
var (
	//go:embed follow.js
	followScript string
	//go:embed interact.js
	interactScript string
	//go:embed attach.js
	attach string
)

// withScript adds the script to a display, by which a page follows it.
func (v *Views) withScript(w *view, m frame.Message) frame.Message {
	if v.opt.Kernel == "" || w.own == "" {
		return m
	}
	script := followScript
	if w.state != nil {
		script = interactScript
	}
	script = strings.NewReplacer("ATTACH", strings.TrimSpace(attach), `"DISPLAY"`, fmt.Sprintf("%q", w.id)).Replace(script)
	b := *m.Bundle
	b.Data = maps.Clone(b.Data)
	b.Data["text/html"] = fmt.Sprintf(`<div data-holt-live="%s" data-seq="%d">%s</div>`, html.EscapeString(w.id), w.seq, w.own) +
		comm.Script(script, v.opt.Kernel)
	m.Bundle = &b
	return m
}

// Handle takes a comm message from a page. It returns false for what is of another comm.
func (v *Views) Handle(m comm.Message) bool {
	if m.Kind == comm.Open && m.Target != Target || !strings.HasPrefix(m.ID, idPrefix) {
		return false
	}
	var wish struct {
		Display string          `json:"display"`
		Do      string          `json:"do"`
		Value   json.RawMessage `json:"value"`
	}
	if m.Kind == comm.Close {
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, w := range v.views {
			delete(w.pages, m.ID)
		}
		return true
	}
	if json.Unmarshal(m.Data, &wish) != nil || !v.hear(m.ID, wish.Display, wish.Do) {
		return true
	}
	// Without the lock: the host may show something before it answers.
	if err := v.opt.Steer(wish.Display, wish.Do, string(wish.Value)); err != nil {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.send(m.ID, map[string]any{"error": err.Error()})
	}
	return true
}

// hear notes that a page is there and answers it. It reports whether the host is to steer.
func (v *Views) hear(page, display, do string) (steer bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	w := v.views[display]
	if w == nil {
		v.send(page, map[string]any{"gone": "the kernel was started again"})
		return false
	}
	_, known := w.pages[page]
	if w.going {
		w.pages[page] = time.Now()
		v.beat()
	}
	if !known || do == "attach" || !w.going {
		v.send(page, w.whole())
	}
	return do != "attach" && do != "here" && w.going
}

// beat has pages told from now on that the kernel lives. The caller holds mu.
func (v *Views) beat() {
	if v.beats == nil && !v.closed {
		v.beats = time.AfterFunc(beat, v.tick)
	}
}

// tick tells pages that the kernel lives, and forgets those that have left. What was
// held back because of them is shown.
func (v *Views) tick() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.beats = nil
	for _, w := range v.views {
		maps.DeleteFunc(w.pages, func(_ string, heard time.Time) bool { return time.Since(heard) > silence })
		if !w.going || v.closed {
			continue
		}
		for page := range w.pages {
			v.send(page, map[string]any{"beat": true})
			v.beat()
		}
		if m := w.held; m != nil && (len(w.pages) == 0 || time.Since(w.shown) >= saved) {
			w.shown, w.held = time.Now(), nil
			v.opt.Show(*m)
		}
	}
}

// End is the last [Views.Stop]: a run that lives a little longer must not write over it.
func (v *Views) End(why string) {
	v.Close()
	v.Stop(why)
}

// Close ends the views without a word. Of runs that go on nothing more is shown.
func (v *Views) Close() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	if v.beats != nil {
		v.beats.Stop()
	}
}

var (
	bar   = regexp.MustCompile(`<progress[^>]*></progress>`)
	steer = regexp.MustCompile(`<div data-part="steer">.*?</div>`)
)

// Stop shows in each view of what goes on that it stopped, and why, above its last state.
func (v *Views) Stop(why string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(v.views)) {
		w := v.views[id]
		if !w.going {
			continue
		}
		w.gone = why
		w.own, w.html = still(w.own), still(w.html)
		v.change(w, false)
		v.opt.Show(frame.Message{Kind: frame.KindUpdate, Bundle: w.stopped()})
	}
}

// still is HTML of a run without what belongs to one that goes on.
func still(html string) string { return steer.ReplaceAllString(bar.ReplaceAllString(html, ""), "") }

// stopped is the display of a view that ended before its time.
func (w *view) stopped() *frame.Bundle {
	sentence := "stopped: " + w.gone + "; run the cell again"
	b := frame.Text(sentence + "\n" + w.text)
	b.DisplayID = w.id
	if w.own != "" {
		b.Data["text/html"] = `<div><div data-part="stopped"><b>` + html.EscapeString(sentence) + "</b></div>" + w.own + "</div>"
	}
	return &b
}
