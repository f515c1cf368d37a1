package session

import (
	"crypto/rand"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
)

// progress shows what is built or fetched while a cell waits for it: one line
// that changes, five times a second at most.
type progress struct {
	out Output

	mu      sync.Mutex
	text    string
	waiting bool   // a cell has waited long enough to be told
	showing string // the display's id; empty before the first line
	shown   time.Time
}

func newProgress(out Output) *progress { return &progress{out: out} }

// patience is how long a cell waits without a word.
const patience = 1500 * time.Millisecond

// line is told what is built.
func (p *progress) line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
	p.draw()
}

// show begins to show the line below the waiting cell, until stop is called
// with what stands there in the end.
func (p *progress) show() (stop func(end string)) {
	begin := time.AfterFunc(patience, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting = true
		p.draw()
	})
	return func(end string) {
		begin.Stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.showing != "" {
			p.text, p.shown = end, time.Time{}
			p.draw()
		}
		p.waiting, p.showing, p.text = false, "", ""
	}
}

// draw shows the line where a cell waits for it. The caller holds mu.
func (p *progress) draw() {
	if !p.waiting || p.text == "" || time.Since(p.shown) < 200*time.Millisecond {
		return
	}
	kind := frame.KindUpdate
	if p.showing == "" {
		kind, p.showing = frame.KindDisplay, rand.Text()
	}
	p.shown = time.Now()
	b := frame.Text("holt: " + p.text)
	b.DisplayID = p.showing
	p.out.Frame(frame.Message{Kind: kind, Bundle: &b})
}
