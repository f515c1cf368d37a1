package display

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
)

// Run is a training run, or anything else with named curves that grow.
// Holt's dl.Run is one. Its methods are called by a goroutine of their own
// while the run goes on.
//
// A run that has the methods of [Stepper], [Gauge] or [Tabler] too is shown
// with a bar, with the memory in use and with a table of its epochs. One that has
// the method of [Latest] is drawn up to now, and one with those of [Steerer] has buttons.
type Run interface {
	Names() []string                    // of the curves, such as "train/loss"
	Curve(name string) (x, y []float64) // all points so far, x in epochs, or in what a method XLabel() string says
	Done() <-chan struct{}              // closed when the run has ended
	String() string                     // one line: where the run is
}

// Stepper is a [Run] that knows how far it is: steps done, and in all, which
// is 0 when it is not known.
type Stepper interface{ Steps() (done, total int) }

// Gauge is a [Run] that knows how much of its device's memory is in use, and
// how much there is, in bytes; 0 where that is not known.
type Gauge interface{ Memory() (used, all int64) }

// Latest is a [Run] that knows where a curve is between two of its points: what
// an epoch has found so far. Ok is false where it does not.
type Latest interface {
	Latest(name string) (x, y float64, ok bool)
}

// Tabler is a value that is best read as a table: its rows, and what the
// columns are called. A [Run] has a row for each of its epochs; Holt's
// dl.Summary one for each layer. A run that has a method Rows() int too, of how many
// rows it will have, is shown with room for them from the start.
type Tabler interface {
	Table() (head []string, rows [][]any)
}

// lastEpochs is how many rows of a run's table are shown.
const lastEpochs = 12

// Live shows a run and keeps it up to date until it has ended, also after the
// cell that called it. It returns at once.
//
// On top are a bar and the run's line with its device's memory and the time of day,
// below that its curves and a table of its last epochs. All is sent again at most once a
// second, and only when something changed; the last state is the run's final one, whose
// chart can be touched.
//
// In JupyterLab there are buttons for a run that has the methods of [Steerer]: pause, stop, and
// set the learning rate. The view goes on where the notebook, once it was saved, is loaded again,
// and in a second browser. It says so when the run has ended with its kernel. Elsewhere, and in a
// notebook that is not trusted, a page that is loaded again no longer follows what was shown
// before: it stays as of the time that it says, and the run goes on all the same. Call
// Live again, in a new cell, to follow it there. How curves are arranged is said at [LivePlot];
// [LivePlot.Live] takes its Title, LogY and Smooth.
func Live(run Run) error { return LivePlot{}.Live(run) }

// Live is [Live] with the plot's Title, LogY and Smooth:
//
//	display.LivePlot{LogY: true}.Live(run)
func (p LivePlot) Live(run Run) error {
	if run == nil || isNil(run) {
		return errors.New("display: Live: the run is nil, want one that was started; look at the error of what should have started it")
	}
	views := watch(run, p)
	follow(run, p, views)
	letGo := func() {}
	if s, ok := run.(Steerer); ok {
		letGo = frame.OnSteer(views[0].id, func(action, value string) error {
			if err := steer(s, action, value); err != nil {
				return err
			}
			go views[0].showIf(views[0].changed)
			return nil
		})
	}
	for _, v := range views {
		if err := v.show(); err != nil {
			letGo()
			return err
		}
	}
	showChanged := func() {
		for _, v := range views {
			v.showIf(v.changed)
		}
	}
	// A cell that waits for the run ends with the run's last state. Other cells
	// do not wait for a picture that comes within the second anyway.
	remove := frame.OnFlush(func() {
		select {
		case <-run.Done():
			showChanged()
		default:
		}
	})
	go func() {
		defer remove()
		defer letGo()
		for {
			select {
			case <-run.Done():
				if frame.Connected() {
					showChanged()
					return
				}
				for _, v := range views {
					v.last()
				}
				return
			case <-time.After(textPace): // to look at a run copies its curves
				for _, v := range views {
					if v.wait() == 0 {
						v.showIf(v.changed)
					}
				}
			}
		}
	}()
	return nil
}

// Replay shows a run that is over, or what is left of one that was lost: the
// log that it wrote, say, as Holt's board.Read reads it. It is [Live] for what
// does not change any more.
func Replay(run Run) error { return LivePlot{}.Replay(run) }

// Replay is [Replay] with the plot's Title, LogY and Smooth.
func (p LivePlot) Replay(run Run) error {
	if run == nil || isNil(run) {
		return errors.New("display: Replay: the run is nil, want one that was read from its log; look at the error of what should have read it")
	}
	for _, v := range watch(run, p) {
		if err := v.last(); err != nil {
			return err
		}
	}
	return nil
}

// watch returns what is shown of a run that is over, from top to bottom.
func watch(run Run, p LivePlot) []*view {
	c := p.chartOf(run)
	c.still = true
	_, steps := run.(Stepper)
	_, table := run.(Tabler)
	if !steps && !table {
		return []*view{newView(func() (frame.Bundle, error) {
			c.status = run.String()
			return c.bundle(curvesOf(run))
		})}
	}
	views := []*view{
		newView(func() (frame.Bundle, error) { return lineOf(run), nil }),
		newView(func() (frame.Bundle, error) { return c.bundle(curvesOf(run)) }),
	}
	if table {
		views = append(views, newView(func() (frame.Bundle, error) { return paddedEpochs(run) }))
	}
	return views
}

// follow has the first of the views show all of the run while it goes on, in one piece, which
// a page can follow, and the others nothing until it is over.
func follow(run Run, p LivePlot, views []*view) {
	all := &whole{run: run, chart: p.chartOf(run)}
	for i, v := range views {
		over := v.paint
		v.mark = func() string { return fmt.Sprint(ended(run)) }
		v.paint = func() (frame.Bundle, error) {
			if ended(run) {
				return over()
			}
			return frame.Bundle{Data: map[string]any{"text/plain": "", "text/html": ""}}, nil
		}
		if i > 0 {
			continue
		}
		v.mark = all.mark
		v.paint = func() (frame.Bundle, error) {
			if ended(run) {
				return over()
			}
			return all.bundle()
		}
		v.live.follow = all.follow
	}
}

func (p LivePlot) chartOf(run Run) chart {
	c := p.chart("")
	c.x = "epoch"
	if l, ok := run.(interface{ XLabel() string }); ok {
		c.x = l.XLabel()
	}
	return c
}

// view is one part of what is shown of a run, and remembers what it drew.
type view struct {
	*live
	mark  func() string // stands for all that paint draws
	paint func() (frame.Bundle, error)

	mu    sync.Mutex
	drawn string
}

// newView returns a view that is drawn once, unless it is given another mark.
func newView(paint func() (frame.Bundle, error)) *view {
	v := &view{mark: func() string { return "" }, paint: paint}
	v.live = newLive(pace(), v.draw)
	return v
}

// changed reports whether the view is no longer as it was last drawn.
func (v *view) changed() bool {
	now := v.now()
	v.mu.Lock()
	defer v.mu.Unlock()
	return now != v.drawn
}

func (v *view) now() (mark string) {
	defer func() {
		if r := recover(); r != nil {
			mark = fmt.Sprintf("panic: %v", r)
		}
	}()
	return v.mark()
}

func (v *view) draw(bool) (b frame.Bundle, err error) {
	defer func() { // this is a goroutine that no cell guards
		if r := recover(); r != nil {
			err = fmt.Errorf("display: Live: the run panicked: %v", r)
		}
	}()
	mark := v.now()
	v.mu.Lock()
	v.drawn = mark
	v.mu.Unlock()
	return v.paint()
}

// stateOf is a run's bar, its line and its epochs.
func stateOf(run Run) (frame.Bundle, error) {
	b := lineOf(run)
	table, err := epochsOf(run)
	if err != nil || table.Data == nil {
		return b, err
	}
	for mime, part := range table.Data {
		if mime == "text/plain" {
			part = "\n" + part.(string)
		}
		b.Data[mime] = b.Data[mime].(string) + part.(string)
	}
	return b, nil
}

// lineOf is a run's bar and its line, which says when it was written: a page that
// was loaded again keeps the last state that it had, as if the run had stopped.
func lineOf(run Run) frame.Bundle {
	line := run.String()
	if g, ok := run.(Gauge); ok {
		if used, all := g.Memory(); all > 0 {
			line += fmt.Sprintf("  memory %s of %s GiB", gibi(used), gibi(all))
		}
	}
	if !ended(run) {
		line += "  " + asOf()
	}
	// Two spaces part what a line tells, and HTML would make one of them.
	html := strings.ReplaceAll(Escape(line), "  ", " · ")
	if s, ok := run.(Stepper); ok {
		if done, total := s.Steps(); total > 0 {
			html = progressBar(done, total) + " " + html
		}
	}
	return frame.Bundle{Data: map[string]any{"text/plain": line, "text/html": "<div>" + html + "</div>"}}
}

func ended(run Run) bool {
	select {
	case <-run.Done():
		return true
	default:
		return false
	}
}

// epochsOf is the table of a run's last epochs; it has no Data before the first one.
func epochsOf(run Run) (frame.Bundle, error) {
	t, ok := run.(Tabler)
	if !ok {
		return frame.Bundle{}, nil
	}
	head, rows := t.Table()
	if len(rows) == 0 {
		return frame.Bundle{}, nil
	}
	table := Table{Head: head, Rows: rows}
	if more := len(rows) - lastEpochs; more > 0 {
		table.Rows, table.Title = rows[more:], fmt.Sprintf("the last %d of %d epochs", lastEpochs, len(rows))
	}
	return table.bundle()
}

// rowHigh is the height of a table's row in JupyterLab, in pixels.
const rowHigh = 28

// paddedEpochs is epochsOf with the room for the rows that are still to come, so
// that the cells below stay where they are while a person works in them.
func paddedEpochs(run Run) (frame.Bundle, error) {
	b, err := epochsOf(run)
	if err != nil {
		return b, err
	}
	if b.Data == nil {
		b = frame.Bundle{Data: map[string]any{"text/plain": "no epoch has ended yet", "text/html": "<div>no epoch has ended yet</div>"}}
	}
	if rows, ok := plannedRows(run); ok && !ended(run) {
		lines := min(rows, lastEpochs) + 1 // with the head
		if rows > lastEpochs {
			lines++ // and the title
		}
		b.Data["text/html"] = fmt.Sprintf(`<div style="min-height:%dpx">%s</div>`, lines*rowHigh, b.Data["text/html"])
	}
	return b, nil
}

func gibi(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<30)) }

func curvesOf(run Run) (curves []curve) {
	for _, name := range run.Names() {
		x, y := run.Curve(name)
		if r, ok := run.(Latest); ok {
			if nowX, nowY, ok := r.Latest(name); ok && (len(x) == 0 || nowX > x[len(x)-1]) {
				x, y = append(slices.Clip(x), nowX), append(slices.Clip(y), nowY)
			}
		}
		curves = append(curves, newCurve(name, x, y))
	}
	return curves
}

// curveMark stands for the state of a run's curves, which only grow.
func curveMark(run Run) string {
	var mark strings.Builder
	for _, name := range run.Names() {
		x, y := run.Curve(name)
		fmt.Fprintf(&mark, "\n%s %d", name, len(x))
		if n := min(len(x), len(y)); n > 0 {
			fmt.Fprintf(&mark, " %g %g", x[n-1], y[n-1])
		}
	}
	return mark.String()
}
