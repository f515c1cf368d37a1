package session

import (
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/notice"
)

// progress shows what is built or fetched while a cell waits for it: one line
// that changes.
type progress struct {
	out Output

	mu      sync.Mutex
	text    string
	waiting bool         // a cell has waited for showAfter
	line    *notice.Line // nil before the first text
}

func newProgress(out Output) *progress { return &progress{out: out} }

// showAfter is how long a cell waits before the line is shown.
const showAfter = 1500 * time.Millisecond

// set sets the text of the line: what is built.
func (p *progress) set(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
	p.draw()
}

// say shows a line that stays: what was fetched.
func (p *progress) say(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := p.line // of what went before, which is over
	if line == nil {
		line = p.fresh()
	}
	p.line = nil
	line.Set("holt: "+text, 0, 0)
	line.End("holt: " + text)
}

// show begins to show the line below the waiting cell, until stop is called
// with its last text; empty where say follows.
func (p *progress) show() (stop func(end string)) {
	p.mu.Lock()
	p.line = nil
	p.mu.Unlock()
	begin := time.AfterFunc(showAfter, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting = true
		p.draw()
	})
	return func(end string) {
		begin.Stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.line != nil && end != "" {
			p.line.End("holt: " + end)
			p.line = nil
		}
		p.waiting, p.text = false, ""
	}
}

// draw shows the line where a cell waits for it. The caller holds mu.
func (p *progress) draw() {
	if !p.waiting || p.text == "" {
		return
	}
	if p.line == nil {
		p.line = p.fresh()
	}
	p.line.Set("holt: "+p.text, 0, 0)
}

func (p *progress) fresh() *notice.Line {
	return notice.To(func(m frame.Message) error {
		p.out.Frame(m)
		return nil
	})
}
