package display

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
)

// How often a display that changes is sent again.
const (
	plotPace = time.Second
	textPace = 200 * time.Millisecond
	// Drawing takes at most one part in so many of the time, so that pictures
	// do not slow the training that they show.
	drawShare = 10
	slowest   = 3 * time.Second // however long drawing takes
)

// pace is the shortest time between two frames with a picture.
func pace() time.Duration {
	if plotter() == nil {
		return textPace
	}
	return plotPace
}

// live is one display that changes: shown once, then updated in place.
type live struct {
	id   string
	pace time.Duration
	draw func(still bool) (frame.Bundle, error) // still when it is the last frame
	// follow, when not nil, says of each frame whether what is shown goes on, so that
	// the kernel can say when it stopped with the host, and pages can follow it.
	follow func() *frame.Live

	drawing sync.Mutex // held by who draws, so that an older frame never comes last
	shown   bool

	mu   sync.Mutex
	next time.Time // when the next frame may come
}

func newLive(pace time.Duration, draw func(still bool) (frame.Bundle, error)) *live {
	// Unique among all hosts of a kernel, which may have been restarted.
	return &live{id: fmt.Sprintf("holt-%016x", rand.Uint64()), pace: pace, draw: draw}
}

// wait is how long it is until the next frame may come.
func (d *live) wait() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return max(time.Until(d.next), 0)
}

// show draws and sends one frame now. Outside a notebook it does nothing, for
// a terminal cannot take a frame back: see last.
func (d *live) show() error {
	if !frame.Connected() {
		d.after(d.pace)
		return nil
	}
	d.drawing.Lock()
	defer d.drawing.Unlock()
	return d.send(false)
}

// showIf shows one frame when changed says so. When it returns, that frame or
// another one as new has been sent.
func (d *live) showIf(changed func() bool) {
	d.drawing.Lock()
	defer d.drawing.Unlock()
	if frame.Connected() && changed() {
		d.send(false)
	}
}

// last draws and sends the last frame, also outside a notebook.
func (d *live) last() error {
	d.drawing.Lock()
	defer d.drawing.Unlock()
	return d.send(true)
}

// send draws and sends one frame. The caller holds drawing.
func (d *live) send(still bool) error {
	start := time.Now()
	d.after(d.pace) // for what changes while this frame is drawn
	b, err := d.draw(still)
	if err != nil {
		b = frame.Text(err.Error())
	}
	d.after(max(d.pace, min(slowest, drawShare*time.Since(start))))
	b.DisplayID = d.id
	m := frame.Message{Kind: frame.KindUpdate, Bundle: &b}
	if d.follow != nil {
		m.Live = d.follow()
	}
	if !d.shown {
		d.shown, m.Kind = true, frame.KindDisplay
	}
	return frame.Send(m)
}

func (d *live) after(pause time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next = time.Now().Add(pause)
}

// paced is a live display that is drawn again when something changed.
type paced struct {
	*live

	mu      sync.Mutex
	waiting *time.Timer // for the next frame; nil when everything is shown
	unhook  func()
}

// changed arranges for a frame: now when it is the first, else as soon as the
// pace allows, and in any case before the cell ends.
func (p *paced) changed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.unhook == nil {
		p.unhook = frame.OnFlush(func() { p.flush() })
	}
	if p.waiting == nil {
		p.waiting = time.AfterFunc(p.wait(), func() { p.flush() })
	}
}

// flush shows what has changed since the last frame, if anything. When it
// returns, what had changed before has been sent.
func (p *paced) flush() error {
	p.drawing.Lock()
	defer p.drawing.Unlock()
	if !p.settle() {
		return nil
	}
	defer p.release()
	if !frame.Connected() {
		return nil
	}
	return p.send(false)
}

// finish shows the last frame, also outside a notebook. Redraw says that it looks
// different from the one before even when nothing has changed.
func (p *paced) finish(redraw bool) error {
	p.drawing.Lock()
	defer p.drawing.Unlock()
	if !p.settle() && !redraw && frame.Connected() {
		return nil
	}
	defer p.release()
	return p.send(true)
}

// settle takes the waiting frame over, and reports whether there was one.
func (p *paced) settle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == nil {
		return false
	}
	p.waiting.Stop()
	p.waiting = nil
	return true
}

// release lets go of the cell's end once there is nothing more to show. Until
// the frame has been sent a cell must not end.
func (p *paced) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting == nil && p.unhook != nil {
		p.unhook()
		p.unhook = nil
	}
}
