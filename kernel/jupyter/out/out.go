// Package out paces what cells show on its way to the notebook.
//
// A [Writer] takes bytes of stdout and stderr and display frames in the order
// in which they were made, and publishes them as Jupyter messages in that
// order, at most twenty times a second. What a cell prints faster than a
// notebook can show is cut down to its beginning, samples of its course and
// its end, with a notice in place of the rest, so that memory stays bounded
// and printing never waits. Displays are never dropped: a cell that makes
// them too fast is slowed down.
package out

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/holt-dl/holt/internal/frame"
)

// Publish sends one message to the notebook. It must not wait for the notebook.
type Publish func(msgType string, content any)

// Limits are how much one cell may show; the zero value works.
type Limits struct {
	Burst    int           // bytes of text shown at once; 0 means 1 MiB
	Rate     int           // bytes of text a second after that; 0 means 200 KiB
	Cell     int           // bytes of text in all; 0 means 10 MiB
	Tail     int           // bytes kept of the end of what was left out; 0 means 32 KiB
	Interval time.Duration // between publications; 0 means 50 ms
	Displays int           // displays a second; 0 means 300
}

func (l Limits) withDefaults() Limits {
	for _, f := range []struct {
		v *int
		d int
	}{{&l.Burst, 1 << 20}, {&l.Rate, 200 << 10}, {&l.Cell, 10 << 20}, {&l.Tail, 32 << 10}, {&l.Displays, 300}} {
		if *f.v == 0 {
			*f.v = f.d
		}
	}
	if l.Interval == 0 {
		l.Interval = 50 * time.Millisecond
	}
	return l
}

// maxSwitches is how often stdout and stderr may alternate in one interval
// before their order is given up and each becomes one message.
const maxSwitches = 16

// Writer collects output and publishes it. Its methods may be called by
// several goroutines.
type Writer struct {
	limits Limits
	now    func() time.Time

	mu        sync.Mutex
	publish   Publish
	pending   []piece
	carry     map[string][]byte // the cut-off start of a character, by stream
	timer     *time.Timer       // set while pending waits for its time
	published time.Time         // of the last publication

	tokens  float64 // bytes of text that may be shown now
	filled  time.Time
	shown   int              // bytes of text shown in this cell
	full    bool             // the cell has been told that it reached its limit
	skipped int              // bytes left out since the last notice, in all streams
	tails   map[string]*tail // ends of what is being left out, by stream

	slots     float64 // displays that may be shown now
	slotsFrom time.Time
}

// piece is text of a stream, or one message.
type piece struct {
	stream  string
	text    []byte
	msgType string
	content map[string]any
	id      string // display id of an update
	erased  bool   // a clear takes it away
	publish Publish
}

// New returns a writer that publishes through p until the first Begin.
func New(p Publish, limits Limits) *Writer {
	l := limits.withDefaults()
	return &Writer{
		limits: l, now: time.Now, publish: p,
		carry: map[string][]byte{}, tails: map[string]*tail{},
		tokens: float64(l.Burst), slots: float64(l.Displays),
	}
}

// Begin starts a cell: what comes from now on is published through p, and the
// limits start afresh.
func (w *Writer) Begin(p Publish) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush(true)
	w.publish = p
	w.tokens, w.filled, w.shown = float64(w.limits.Burst), w.now(), 0
	w.full = false
	w.slots, w.slotsFrom = float64(w.limits.Displays), w.now()
}

// Flush publishes everything that has come, at once. Call it when a cell has
// ended, before saying so.
func (w *Writer) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush(true)
}

// Stream takes bytes of "stdout" or "stderr". It never waits.
func (w *Writer) Stream(name string, p []byte) {
	if len(p) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if c := w.carry[name]; len(c) > 0 {
		p = append(c, p...)
		delete(w.carry, name)
	}
	if n := incomplete(p); n > 0 {
		w.carry[name] = bytes.Clone(p[len(p)-n:])
		p = p[:len(p)-n]
	}
	w.text(name, p)
	w.schedule()
}

// text admits as much of p as the limits allow, and keeps the end of the rest.
func (w *Writer) text(name string, p []byte) {
	if len(p) == 0 {
		return
	}
	w.refill()
	if w.skipped > 0 && w.shown < w.limits.Cell && w.tokens >= float64(w.limits.Burst)/4 {
		w.notice()
	}
	if w.skipped == 0 {
		n := min(len(p), int(w.tokens), w.limits.Cell-w.shown)
		if n < len(p) { // cut at a line, or else at a character
			if bytes.IndexByte(p, '\n') >= 0 {
				n = bytes.LastIndexByte(p[:n], '\n') + 1
			}
			for n > 0 && !utf8.RuneStart(p[n]) {
				n--
			}
		}
		w.add(name, p[:n])
		p = p[n:]
	}
	if len(p) > 0 {
		if w.shown >= w.limits.Cell && !w.full {
			w.full = true
			w.say(fmt.Sprintf("this cell has shown %s; of the rest, the end is shown when the cell ends", size(w.limits.Cell)))
		}
		w.skipped += len(p)
		t := w.tails[name]
		if t == nil {
			t = &tail{limit: w.limits.Tail}
			w.tails[name] = t
		}
		t.write(p)
	}
}

// add appends text that is admitted to what is pending.
func (w *Writer) add(name string, p []byte) {
	if len(p) == 0 {
		return
	}
	w.tokens -= float64(len(p))
	w.shown += len(p)
	run := 0 // pieces of text at the end of what is pending
	for i := len(w.pending) - 1; i >= 0 && w.pending[i].stream != ""; i-- {
		if run++; w.pending[i].stream == name && (run == 1 || run > maxSwitches) {
			w.pending[i].text = append(w.pending[i].text, p...)
			return
		}
	}
	w.pending = append(w.pending, piece{stream: name, text: bytes.Clone(p), erased: true, publish: w.publish})
}

// notice says what was left out and shows its end.
func (w *Writer) notice() {
	if w.skipped == 0 {
		return
	}
	kept := 0
	for _, t := range w.tails {
		t.trim()
		kept += len(t.data)
	}
	left := w.skipped - kept
	w.skipped = 0
	if left > 0 {
		w.say(size(left) + " not shown here: more than a notebook can take; write to a file to keep it all")
	}
	for _, name := range []string{"stdout", "stderr"} {
		if t := w.tails[name]; t != nil {
			w.add(name, t.data)
			delete(w.tails, name)
		}
	}
}

// say adds a line of our own, which no limit holds back.
func (w *Writer) say(text string) {
	w.pending = append(w.pending, piece{stream: "stderr", text: []byte("\n[holt: " + text + "]\n"), erased: true, publish: w.publish})
}

func (w *Writer) refill() {
	now := w.now()
	if !w.filled.IsZero() {
		w.tokens += now.Sub(w.filled).Seconds() * float64(w.limits.Rate)
		w.tokens = min(w.tokens, float64(w.limits.Burst))
	}
	w.filled = now
}

// Frame takes a display, update, result, clear or warning, which is text on stderr. It waits where a cell makes
// more displays than a notebook can take.
func (w *Writer) Frame(m frame.Message) { w.Result(m, 0) }

// Result is [Writer.Frame] for a cell with an execution count, which results carry.
func (w *Writer) Result(m frame.Message, count int) {
	if m.Kind == frame.KindWarn {
		if m.Bundle == nil {
			return
		}
		if text, ok := m.Bundle.Data["text/plain"].(string); ok {
			w.Stream("stderr", []byte(text+"\n"))
		}
		return
	}
	msgType, content := Content(m, count)
	if msgType == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p := piece{msgType: msgType, content: content, publish: w.publish}
	var wait time.Duration
	switch m.Kind {
	case frame.KindUpdate:
		p.id = m.Bundle.DisplayID
		// Only the latest state of a display is worth showing.
		w.pending = slices.DeleteFunc(w.pending, func(q piece) bool { return p.id != "" && q.id == p.id })
	case frame.KindDisplay, frame.KindResult:
		p.erased = m.Bundle.DisplayID == ""
		wait = w.slot()
	case frame.KindClear:
		// What has not been shown yet need not be.
		w.pending = slices.DeleteFunc(w.pending, func(q piece) bool { return q.erased })
		p.erased = true
	}
	if wait > 0 {
		w.flush(false)
		w.mu.Unlock()
		time.Sleep(wait)
		w.mu.Lock()
	}
	w.pending = append(w.pending, p)
	w.schedule()
}

// slot takes one display from the budget and returns how long to wait for it.
func (w *Writer) slot() time.Duration {
	now := w.now()
	rate := float64(w.limits.Displays)
	if !w.slotsFrom.IsZero() {
		w.slots = min(w.slots+now.Sub(w.slotsFrom).Seconds()*rate, rate)
	}
	w.slotsFrom = now
	w.slots--
	if w.slots >= 0 {
		return 0
	}
	return time.Duration(-w.slots / rate * float64(time.Second))
}

// schedule publishes what is pending, now if the last time is long enough ago.
func (w *Writer) schedule() {
	if w.timer != nil || len(w.pending) == 0 && w.skipped == 0 {
		return
	}
	wait := w.limits.Interval - w.now().Sub(w.published)
	// A short wait even for the first bytes: a line is often several writes.
	wait = max(wait, time.Millisecond)
	w.timer = time.AfterFunc(wait, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.timer = nil
		w.flush(false)
	})
}

// flush publishes what is pending; at the end of a cell also what was held
// back.
func (w *Writer) flush(end bool) {
	if end {
		for _, name := range []string{"stdout", "stderr"} {
			if c := w.carry[name]; len(c) > 0 {
				delete(w.carry, name)
				w.text(name, c)
			}
		}
		w.notice()
	} else if w.skipped > 0 {
		// A burst that is over shows its end without waiting for more.
		w.refill()
		if w.shown < w.limits.Cell && w.tokens >= float64(w.limits.Burst)/4 {
			w.notice()
		}
	}
	if w.timer != nil {
		w.timer.Stop()
		w.timer = nil
	}
	pending := w.pending
	w.pending = nil
	for _, p := range pending {
		if p.stream != "" {
			p.publish("stream", map[string]any{"name": p.stream, "text": string(bytes.ToValidUTF8(p.text, []byte("\uFFFD")))})
			continue
		}
		p.publish(p.msgType, p.content)
	}
	if len(pending) > 0 {
		w.published = w.now()
	}
	if w.skipped > 0 && !end && w.shown < w.limits.Cell {
		w.timer = time.AfterFunc(w.limits.Interval, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.timer = nil
			w.flush(false)
		})
	}
}

// Content returns the Jupyter message that shows a frame, or "" for a frame
// that is not output.
func Content(m frame.Message, count int) (msgType string, content map[string]any) {
	if m.Kind == frame.KindClear {
		return "clear_output", map[string]any{"wait": m.Wait}
	}
	if m.Bundle == nil {
		return "", nil
	}
	content = map[string]any{"data": orEmpty(m.Bundle.Data), "metadata": orEmpty(m.Bundle.Metadata), "transient": map[string]any{}}
	if id := m.Bundle.DisplayID; id != "" {
		content["transient"] = map[string]any{"display_id": id}
	}
	switch m.Kind {
	case frame.KindDisplay:
		return "display_data", content
	case frame.KindUpdate:
		return "update_display_data", content
	case frame.KindResult:
		content["execution_count"] = count
		return "execute_result", content
	}
	return "", nil
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// tail keeps the last bytes written to it.
type tail struct {
	limit int
	data  []byte
	cut   bool // bytes before data were dropped
}

func (t *tail) write(p []byte) {
	if len(p) > t.limit {
		p = p[len(p)-t.limit:]
		t.data, t.cut = t.data[:0], true
	}
	t.data = append(t.data, p...)
	if len(t.data) > 2*t.limit {
		t.data = append(t.data[:0], t.data[len(t.data)-t.limit:]...)
		t.cut = true
	}
}

// trim brings the tail to its limit, and to the start of a line or character.
func (t *tail) trim() {
	if len(t.data) > t.limit {
		t.data, t.cut = t.data[len(t.data)-t.limit:], true
	}
	if !t.cut {
		return
	}
	if i := bytes.IndexByte(t.data, '\n'); i >= 0 && i < len(t.data)-1 {
		t.data = t.data[i+1:]
	}
	for len(t.data) > 0 && !utf8.RuneStart(t.data[0]) {
		t.data = t.data[1:]
	}
}

// incomplete returns how many bytes at the end of p begin a UTF-8 character
// that has not ended.
func incomplete(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if c := p[len(p)-n]; utf8.RuneStart(c) {
			if c >= utf8.RuneSelf && !utf8.FullRune(p[len(p)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

func size(n int) string {
	switch {
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
