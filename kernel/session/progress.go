package session

import (
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/notice"
)

// progress shows what is built or fetched while a cell waits for it: one line that changes. Its
// methods may be called by any goroutine: the world reports what it builds from goroutines of
// its own, also when no cell waits, and then nothing is shown.
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

// say shows a line that stays: what was fetched. It takes the place of the line that changes,
// where that is shown, so that both are not there one below the other.
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

// show begins to show the line below the waiting cell, until stop is called with its last text;
// empty where say follows. A line that an earlier cell has shown stays with that cell.
func (p *progress) show() (stop func(end string)) {
	p.mu.Lock()
	p.line = nil
	p.mu.Unlock()
	// Most cells wait for nothing worth a line, so it comes late.
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
		// Where no line was shown, there is none to end: a start that took no time is not worth
		// a word.
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

// fresh returns a line of its own below the running cell. It is not shown before its first
// text.
func (p *progress) fresh() *notice.Line {
	return notice.To(func(m frame.Message) error {
		p.out.Frame(m)
		return nil
	})
}
