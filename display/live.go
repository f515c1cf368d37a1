package display

import (
	"errors"
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

// Run is a training run, or anything else with named curves that grow.
// Holt's dl.Run is one. Its methods are called by a goroutine of their own
// while the run goes on.
type Run interface {
	Names() []string                    // of the curves, such as "train/loss"
	Curve(name string) (x, y []float64) // all points so far, x in epochs
	Done() <-chan struct{}              // closed when the run has ended
	String() string                     // one line: where the run is
}

// Live shows a run's curves and keeps them up to date until it has ended, also
// after the cell that called it. It returns at once.
//
// The picture is sent again at most once a second, and only when something
// changed; the last one is the run's final state. Where no [Plotter] is
// registered it is a text, at most five times a second. How curves are
// arranged is said at [LivePlot].
func Live(run Run) error {
	if run == nil || isNil(run) {
		return errors.New("display: Live: the run is nil, want one that was started; look at the error of what should have started it")
	}
	w := &watch{run: run}
	d := newLive(pace(), w.draw)
	if err := d.show(); err != nil {
		return err
	}
	// A cell that waits for the run ends with the run's last state. Other cells
	// do not wait for a picture that comes within the second anyway.
	remove := frame.OnFlush(func() {
		select {
		case <-run.Done():
			d.showIf(w.changed)
		default:
		}
	})
	go func() {
		defer remove()
		for {
			select {
			case <-run.Done():
				if frame.Connected() {
					d.showIf(w.changed)
				} else {
					d.last()
				}
				return
			case <-time.After(max(d.wait(), textPace)): // to look at a run copies its curves
				d.showIf(w.changed)
			}
		}
	}()
	return nil
}

// pace is the shortest time between two frames.
func pace() time.Duration {
	if plotter() == nil {
		return textPace
	}
	return plotPace
}

// watch draws a run, and remembers what it drew.
type watch struct {
	run Run

	mu    sync.Mutex
	drawn string
}

// changed reports whether the run is no longer as it was last drawn.
func (w *watch) changed() bool {
	now := w.mark()
	w.mu.Lock()
	defer w.mu.Unlock()
	return now != w.drawn
}

// mark stands for the state of the run: curves only grow.
func (w *watch) mark() (mark string) {
	defer func() {
		if r := recover(); r != nil {
			mark = fmt.Sprintf("panic: %v", r)
		}
	}()
	mark = w.run.String()
	for _, name := range w.run.Names() {
		x, y := w.run.Curve(name)
		mark += fmt.Sprintf("\n%s %d", name, len(x))
		if n := min(len(x), len(y)); n > 0 {
			mark += fmt.Sprintf(" %g %g", x[n-1], y[n-1])
		}
	}
	return mark
}

func (w *watch) draw() (b frame.Bundle, err error) {
	defer func() { // this is a goroutine that no cell guards
		if r := recover(); r != nil {
			err = fmt.Errorf("display: Live: the run panicked: %v", r)
		}
	}()
	mark := w.mark()
	w.mu.Lock()
	w.drawn = mark
	w.mu.Unlock()
	var curves []curve
	for _, name := range w.run.Names() {
		x, y := w.run.Curve(name)
		curves = append(curves, newCurve(name, x, y))
	}
	return chart{status: w.run.String(), x: "epoch"}.bundle(curves)
}

// live is one display that changes: shown once, then updated in place.
type live struct {
	id   string
	pace time.Duration
	draw func() (frame.Bundle, error)

	drawing sync.Mutex // held by who draws, so that an older frame never comes last
	shown   bool

	mu   sync.Mutex
	next time.Time // when the next frame may come
}

func newLive(pace time.Duration, draw func() (frame.Bundle, error)) *live {
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
	if frame.Connected() {
		return d.last()
	}
	d.after(d.pace)
	return nil
}

// showIf shows one frame when changed says so. When it returns, that frame or
// another one as new has been sent.
func (d *live) showIf(changed func() bool) {
	d.drawing.Lock()
	defer d.drawing.Unlock()
	if frame.Connected() && changed() {
		d.send()
	}
}

// last draws and sends one frame, also outside a notebook.
func (d *live) last() error {
	d.drawing.Lock()
	defer d.drawing.Unlock()
	return d.send()
}

// send draws and sends one frame. The caller holds drawing.
func (d *live) send() error {
	start := time.Now()
	d.after(d.pace) // for what changes while this frame is drawn
	b, err := d.draw()
	if err != nil {
		b = frame.Text(err.Error())
	}
	d.after(max(d.pace, min(slowest, drawShare*time.Since(start))))
	b.DisplayID = d.id
	if d.shown {
		return frame.Update(b)
	}
	d.shown = true
	return frame.Display(b)
}

func (d *live) after(pause time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next = time.Now().Add(pause)
}

// paced is a live display that is told when something changed.
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
	return p.send()
}

// finish shows the last frame, also outside a notebook.
func (p *paced) finish() error {
	p.drawing.Lock()
	defer p.drawing.Unlock()
	if !p.settle() && frame.Connected() {
		return nil
	}
	defer p.release()
	return p.send()
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
