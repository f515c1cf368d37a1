package session

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
)

// progress shows what is being built while a cell waits for the host: one line
// that changes, five times a second at most.
type progress struct {
	out Output

	mu      sync.Mutex
	text    string
	started time.Time
	showing string // the display's id; empty while no cell waits
	shown   time.Time
}

func newProgress(out Output) *progress { return &progress{out: out, started: time.Now()} }

// line is told what is built.
func (p *progress) line(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
	if p.showing != "" && time.Since(p.shown) > 200*time.Millisecond {
		p.draw(frame.KindUpdate, text)
	}
}

// show begins to show the line below the waiting cell, until stop is called.
func (p *progress) show() (stop func()) {
	// A host that is there in a moment needs no words.
	begin := time.AfterFunc(1500*time.Millisecond, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.showing = rand.Text()
		text := p.text
		if text == "" {
			text = "starting"
		}
		p.draw(frame.KindDisplay, text)
	})
	return func() {
		begin.Stop()
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.showing != "" {
			p.draw(frame.KindUpdate, fmt.Sprintf("the host was built in %.0f s; later starts find it ready", time.Since(p.started).Seconds()))
			p.showing = ""
		}
	}
}

func (p *progress) draw(kind frame.Kind, text string) {
	p.shown = time.Now()
	b := frame.Text("holt: " + text)
	b.DisplayID = p.showing
	p.out.Frame(frame.Message{Kind: kind, Bundle: &b})
}
