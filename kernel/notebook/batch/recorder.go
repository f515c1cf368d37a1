package batch

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/jupyter/out"
	"github.com/holt-dl/holt/kernel/notebook/ipynb"
	"github.com/holt-dl/holt/kernel/session"
)

// How long a run waits at its end for displays that change without saying
// that they will: until none has changed for quiet, at most patience.
const (
	quiet    = 1500 * time.Millisecond // display sends a plot once a second at most
	patience = 5 * time.Second
)

// A recorder keeps what cells show in the notebook, as nbclient does.
type recorder struct {
	progress *Progress
	out      *out.Writer

	mu         sync.Mutex
	cell       *ipynb.Cell          // that runs, or ran last; nil before the first
	clearNext  map[*ipynb.Cell]bool // the next output takes the place of all before it
	late       []*out.Writer        // of cells whose goroutines showed something when they were over
	displays   map[string][]shown
	lastUpdate time.Time
}

// shown is an output with a display id, and the cell it stands in.
type shown struct {
	cell   *ipynb.Cell
	output *ipynb.Output
}

func newRecorder(p *Progress) *recorder {
	r := &recorder{progress: p, displays: map[string][]shown{}, clearNext: map[*ipynb.Cell]bool{}}
	// Only what one cell may show in all is limited, as in a notebook: there is
	// no page, so nothing needs to be slowed down.
	r.out = out.New(r.message, unlimited)
	return r
}

var unlimited = out.Limits{Burst: 1 << 30, Rate: 1 << 30, Displays: 1 << 30}

// lateOutput is what goroutines of a cell show when it is over: it stands in
// that cell.
type lateOutput struct {
	r    *recorder
	cell *ipynb.Cell
	once sync.Once
	out  *out.Writer
}

func (l *lateOutput) writer() *out.Writer {
	l.once.Do(func() {
		l.out = out.New(func(typ string, content any) { l.r.messageOf(l.cell, typ, content) }, unlimited)
		l.r.mu.Lock()
		defer l.r.mu.Unlock()
		l.r.late = append(l.r.late, l.out)
	})
	return l.out
}

// Stream implements [session.Output].
func (l *lateOutput) Stream(name string, p []byte) {
	l.r.progress.text(p)
	l.writer().Stream(name, p)
}

// Frame implements [session.Output].
func (l *lateOutput) Frame(m frame.Message) { l.writer().Frame(m) }

// flush takes all output that still waits.
func (r *recorder) flush() {
	r.mu.Lock()
	late := slices.Clone(r.late)
	r.mu.Unlock()
	for _, w := range append(late, r.out) {
		w.Flush()
	}
}

// Stream implements [session.Output].
func (r *recorder) Stream(name string, p []byte) {
	r.progress.text(p)
	r.out.Stream(name, p)
}

// Frame implements [session.Output].
func (r *recorder) Frame(m frame.Message) {
	r.mu.Lock()
	cell := r.cell
	r.mu.Unlock()
	if m.Bundle != nil {
		text, _ := m.Bundle.Data["text/plain"].(string)
		switch {
		case m.Kind == frame.KindWarn:
			r.progress.warn(text)
		case m.Notice, cell == nil: // what is built before the first cell runs
			r.progress.text([]byte(text + "\n"))
		}
	}
	if cell == nil {
		return
	}
	if m.Kind == frame.KindClear {
		// The writer would leave out what comes before a clear, also before one
		// that waits for an output which never comes.
		r.out.Flush()
	}
	r.out.Result(m, cell.Count)
}

// begin makes c the cell that output goes to.
func (r *recorder) begin(c *ipynb.Cell) {
	r.mu.Lock()
	r.cell = c
	r.mu.Unlock()
	r.out.Begin(r.message)
}

// end takes the last output of the cell and its failure, which may be nil.
func (r *recorder) end(f *session.Failure) {
	r.out.Flush()
	if f == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.add(r.cell, &ipynb.Output{Type: ipynb.Failure, ErrorName: f.Name, ErrorValue: f.Value, Traceback: f.Traceback}, "")
}

// message takes one message of the kernel's protocol.
func (r *recorder) message(typ string, content any) {
	r.mu.Lock()
	cell := r.cell
	r.mu.Unlock()
	r.messageOf(cell, typ, content)
}

// messageOf takes a message that belongs to a cell.
func (r *recorder) messageOf(cell *ipynb.Cell, typ string, content any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, _ := content.(map[string]any)
	if cell == nil || m == nil {
		return
	}
	transient, _ := m["transient"].(map[string]any)
	id, _ := transient["display_id"].(string)
	data, _ := m["data"].(map[string]any)
	meta, _ := m["metadata"].(map[string]any)
	if id != "" {
		for _, s := range r.displays[id] {
			s.output.Data, s.output.Metadata = data, meta
		}
	}
	switch typ {
	case "stream":
		name, _ := m["name"].(string)
		text, _ := m["text"].(string)
		if last := len(cell.Outputs) - 1; last >= 0 && !r.clearNext[cell] {
			if o := cell.Outputs[last]; o.Type == ipynb.Stream && o.Name == name {
				o.Text += text
				return
			}
		}
		r.add(cell, &ipynb.Output{Type: ipynb.Stream, Name: name, Text: text}, "")
	case "display_data":
		r.add(cell, &ipynb.Output{Type: ipynb.Display, Data: data, Metadata: meta}, id)
	case "execute_result":
		r.add(cell, &ipynb.Output{Type: ipynb.Result, Data: data, Metadata: meta, Count: cell.Count}, id)
	case "update_display_data":
		r.lastUpdate = time.Now()
	case "clear_output":
		if wait, _ := m["wait"].(bool); wait {
			r.clearNext[cell] = true
		} else {
			r.clear(cell)
		}
	}
}

func (r *recorder) add(cell *ipynb.Cell, o *ipynb.Output, id string) {
	if r.clearNext[cell] {
		r.clear(cell)
		delete(r.clearNext, cell)
	}
	if id != "" {
		r.displays[id] = append(r.displays[id], shown{cell, o})
	}
	cell.Outputs = append(cell.Outputs, o)
}

func (r *recorder) clear(cell *ipynb.Cell) {
	cell.Outputs = nil
	for id, list := range r.displays {
		r.displays[id] = slices.DeleteFunc(list, func(s shown) bool { return s.cell == cell })
	}
}

// settle waits until displays have not changed for a while, if any did in the
// last moments: those of other libraries do not say that more will come.
func (r *recorder) settle(ctx context.Context) {
	deadline := time.Now().Add(patience)
	for ctx.Err() == nil && time.Now().Before(deadline) {
		r.mu.Lock()
		changing := time.Since(r.lastUpdate) < quiet
		r.mu.Unlock()
		if !changing {
			break
		}
		time.Sleep(quiet / 15)
	}
	r.flush()
}
