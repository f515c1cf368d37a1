package batch

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/ipynb"
	"github.com/holt-dl/holt/kernel/out"
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
	cell       *ipynb.Cell // that runs, or ran last; nil before the first
	clearNext  bool        // the next output takes the place of all before it
	displays   map[string][]shown
	lastUpdate time.Time
}

// shown is an output with a display id, and the cell it stands in.
type shown struct {
	cell   *ipynb.Cell
	output *ipynb.Output
}

func newRecorder(p *Progress) *recorder {
	r := &recorder{progress: p, displays: map[string][]shown{}}
	// Only what one cell may show in all is limited, as in a notebook: nobody
	// looks on, so nothing needs to be slowed down.
	const unlimited = 1 << 30
	r.out = out.New(r.message, out.Limits{Burst: unlimited, Rate: unlimited, Displays: unlimited})
	return r
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
	r.cell, r.clearNext = c, false
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
	r.add(&ipynb.Output{Type: ipynb.Failure, ErrorName: f.Name, ErrorValue: f.Value, Traceback: f.Traceback}, "")
}

// message takes one message of the kernel's protocol.
func (r *recorder) message(typ string, content any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, _ := content.(map[string]any)
	if r.cell == nil || m == nil {
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
		if last := len(r.cell.Outputs) - 1; last >= 0 && !r.clearNext {
			if o := r.cell.Outputs[last]; o.Type == ipynb.Stream && o.Name == name {
				o.Text += text
				return
			}
		}
		r.add(&ipynb.Output{Type: ipynb.Stream, Name: name, Text: text}, "")
	case "display_data":
		r.add(&ipynb.Output{Type: ipynb.Display, Data: data, Metadata: meta}, id)
	case "execute_result":
		r.add(&ipynb.Output{Type: ipynb.Result, Data: data, Metadata: meta, Count: r.cell.Count}, id)
	case "update_display_data":
		r.lastUpdate = time.Now()
	case "clear_output":
		if wait, _ := m["wait"].(bool); wait {
			r.clearNext = true
		} else {
			r.clear()
		}
	}
}

func (r *recorder) add(o *ipynb.Output, id string) {
	if r.clearNext {
		r.clear()
		r.clearNext = false
	}
	if id != "" {
		r.displays[id] = append(r.displays[id], shown{r.cell, o})
	}
	r.cell.Outputs = append(r.cell.Outputs, o)
}

func (r *recorder) clear() {
	r.cell.Outputs = nil
	for id, list := range r.displays {
		r.displays[id] = slices.DeleteFunc(list, func(s shown) bool { return s.cell == r.cell })
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
	r.out.Flush()
}
