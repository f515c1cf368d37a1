package display

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holt-dl/holt/internal/frame"
)

// Steerer is a [Run] that may be steered while it goes on. JupyterLab shows buttons
// for it that pause, resume and stop it, and a field with its learning rate. Holt's
// dl.Run is one. The methods must be safe to call from any goroutine; all but Stop
// return at once.
type Steerer interface {
	Pause()
	Resume()
	Paused() bool
	Stop()
	SetLR(lr float64)
	LR() float64
}

// whole draws all that there is of a run as one piece of HTML, which a page can bring up
// to date part by part. Its parts are marked with the attribute data-part, for the script
// that the kernel adds.
type whole struct {
	run   Run
	chart chart

	// Drawing takes longer than the rest, and is done when the curves have changed.
	drawn  string // stands for the curves that are drawn
	curves string // their HTML
	text   string // what they say
}

// mark stands for all that bundle draws. The rows of a table do not change.
func (w *whole) mark() string {
	if ended(w.run) {
		return "ended"
	}
	rows := 0
	if t, ok := w.run.(Tabler); ok {
		_, all := t.Table()
		rows = len(all)
	}
	return fmt.Sprintln(w.run.String(), curveMark(w.run), rows, w.steering())
}

// follow says what pages that follow the run are to show.
func (w *whole) follow() *frame.Live {
	if !ended(w.run) {
		return &frame.Live{Going: true}
	}
	return &frame.Live{View: w.last()}
}

// last is the HTML of the last state; empty where it cannot be drawn.
func (w *whole) last() (html string) {
	defer func() { recover() }() // the run's methods may panic: what is shown elsewhere says it
	b, err := w.bundle()
	if err != nil {
		return ""
	}
	return b.Data["text/html"].(string)
}

// bundle may be called by one goroutine at a time.
func (w *whole) bundle() (frame.Bundle, error) {
	c := w.chart
	if total, ok := plannedRows(w.run); ok && !ended(w.run) {
		c.end = float64(total)
	}
	if mark := fmt.Sprint(curveMark(w.run), ended(w.run)); mark != w.drawn {
		if err := w.draw(c); err != nil {
			return frame.Bundle{}, err
		}
		w.drawn = mark
	}
	line := lineOf(w.run)
	table, err := paddedEpochs(w.run)
	if err != nil {
		return frame.Bundle{}, err
	}
	html := part("line", line.Data["text/html"].(string)) + part("steer", w.note()) + part("curves", w.curves)
	text := []string{line.Data["text/plain"].(string), w.text}
	if _, ok := w.run.(Tabler); ok {
		html += part("epochs", table.Data["text/html"].(string))
		text = append(text, table.Data["text/plain"].(string))
	}
	return frame.Bundle{Data: map[string]any{
		"text/plain": strings.Join(text, "\n"),
		"text/html":  "<div" + w.steering() + ">" + html + "</div>",
	}}, nil
}

func part(name, html string) string { return `<div data-part="` + name + `">` + html + "</div>" }

// note is where the page has its buttons, and says where it has none what to do.
func (w *whole) note() string {
	if ended(w.run) {
		return ""
	}
	return "<small>Where this stands still, call display.Live again in a new cell.</small>"
}

// steering are the attributes that the script reads of a run that can be steered.
func (w *whole) steering() string {
	s, ok := w.run.(Steerer)
	if !ok || ended(w.run) {
		return ""
	}
	return fmt.Sprintf(` data-paused="%v" data-lr="%g"`, s.Paused(), s.LR())
}

// draw draws the curves, as a text where nothing can draw.
func (w *whole) draw(c chart) error {
	curves := curvesOf(w.run)
	w.text = c.text(curves)
	p := plotter()
	if p == nil {
		w.curves = "<pre>" + Escape(w.text) + "</pre>"
		return nil
	}
	pictures, err := c.panels(p, curves)
	if err != nil {
		return err
	}
	w.curves = ""
	if c.title != "" {
		w.curves = "<b>" + Escape(c.title) + "</b>"
	}
	w.curves += `<div style="display:flex;flex-wrap:wrap">`
	for _, b := range pictures {
		// With its size from the start, so that nothing below moves while it is read.
		size := b.Metadata["image/png"].(map[string]any)
		w.curves += fmt.Sprintf(`<img width="%v" height="%v" style="max-width:100%%;height:auto" alt="%s" src="data:image/png;base64,%s">`,
			size["width"], size["height"], Escape(size["alt"].(string)), b.Data["image/png"])
	}
	w.curves += "</div>"
	return nil
}

// plannedRows is how many epochs a run will have, where it knows.
func plannedRows(run Run) (int, bool) {
	r, ok := run.(interface{ Rows() int })
	if !ok {
		return 0, false
	}
	return r.Rows(), true
}

// steer carries out what a person wishes of a run.
func steer(run Steerer, action, value string) (err error) {
	defer func() { // this is a goroutine that no cell guards
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: the run panicked: %v", action, r)
		}
	}()
	switch action {
	case "pause":
		run.Pause()
	case "resume":
		run.Resume()
	case "stop":
		go run.Stop() // which waits for the step
	case "lr":
		lr, err := strconv.ParseFloat(value, 64)
		if err != nil || !finite(lr) || lr < 0 {
			return fmt.Errorf("the learning rate is %s, want a number that is not negative", value)
		}
		run.SetLR(lr)
	default:
		return fmt.Errorf("a run knows no action %q, want one of pause, resume, stop, lr", action)
	}
	return nil
}

// axisEnd is where an axis ends that need not end with its last point: at the end of a
// short run, and else at a round number that the points seldom reach.
func axisEnd(high, end float64) float64 {
	switch {
	case end <= 20:
		return max(high, end)
	case high <= 0:
		return 1
	}
	steps := []float64{1, 2, 5, 10}
	unit := math.Pow(10, math.Floor(math.Log10(high)))
	i := slices.IndexFunc(steps, func(s float64) bool { return s*unit >= high })
	return max(high, min(end, steps[max(i, 0)]*unit))
}

// asOf is the time of day that a state is of.
func asOf() string { return "as of " + time.Now().Format("15:04:05") }
