package display_test

import (
	"errors"
	"fmt"
	"image"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/hooks"
)

// notebook is a kernel that notes what it is told, and when.
type notebook struct {
	mu       sync.Mutex
	start    time.Time
	messages []frame.Message
	times    []time.Duration
}

func connect(t *testing.T) *notebook {
	n := &notebook{start: time.Now()}
	frame.SetSink(func(m frame.Message) error {
		n.mu.Lock()
		defer n.mu.Unlock()
		n.messages = append(n.messages, m)
		n.times = append(n.times, time.Since(n.start))
		return nil
	})
	t.Cleanup(func() { frame.SetSink(nil) })
	return n
}

// check wants one display and updates of it, no closer than pace, and returns
// the texts.
func (n *notebook) check(t *testing.T, pace time.Duration) (texts []string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, m := range n.messages {
		want := frame.KindUpdate
		if i == 0 {
			want = frame.KindDisplay
		}
		if m.Kind != want || m.Bundle.DisplayID == "" || m.Bundle.DisplayID != n.messages[0].Bundle.DisplayID {
			t.Errorf("message %d is %s of %q, want %s of %q", i, m.Kind, m.Bundle.DisplayID, want, n.messages[0].Bundle.DisplayID)
		}
		if i > 0 && n.times[i]-n.times[i-1] < pace {
			t.Errorf("message %d comes %v after the one before it, want at least %v", i, n.times[i]-n.times[i-1], pace)
		}
		texts = append(texts, m.Bundle.Data["text/plain"].(string))
	}
	return texts
}

func (n *notebook) count() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.messages)
}

// flat is a Plotter that draws nothing, in no time.
type flat struct{ figures *[]display.Figure }

func (f flat) Plot(g display.Figure) (image.Image, error) {
	*f.figures = append(*f.figures, g)
	return image.NewGray(image.Rect(0, 0, 4, 2)), nil
}
func (f flat) Sheet(display.Sheet) (image.Image, error)     { return nil, errors.ErrUnsupported }
func (f flat) Diagram(display.Diagram) (image.Image, error) { return nil, errors.ErrUnsupported }

func plotting(t *testing.T) *[]display.Figure {
	var figures []display.Figure
	t.Cleanup(hooks.Set(func(h *hooks.Hooks) { h.Plotter = flat{&figures} }))
	return &figures
}

// run is a training run of a test.
type run struct {
	mu   sync.Mutex
	y    []float64
	line string
	done chan struct{}
}

func newRun() *run { return &run{done: make(chan struct{}), line: "starting"} }

func (r *run) step(y float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.y = append(r.y, y)
	r.line = fmt.Sprintf("step %d", len(r.y))
}
func (r *run) Names() []string { return []string{"train/loss"} }
func (r *run) Curve(string) (x, y []float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.y {
		x = append(x, float64(i))
	}
	return x, slices.Clone(r.y)
}
func (r *run) Done() <-chan struct{} { return r.done }
func (r *run) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.line
}

func TestLive(t *testing.T) {
	for _, pace := range []time.Duration{time.Second, 200 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			if pace == time.Second {
				plotting(t)
			}
			n := connect(t)
			r := newRun()
			if err := display.Live(r); err != nil {
				t.Fatal(err)
			}
			if n.count() != 1 {
				t.Errorf("%d messages when Live returns, want 1: the picture belongs to this cell", n.count())
			}
			for i := range 100 { // 5.1 s of training
				time.Sleep(51 * time.Millisecond) // so that no step meets a look
				r.step(1 / float64(i+1))
			}
			time.Sleep(10*time.Second + time.Millisecond) // nothing changes
			before := n.count()
			if most := int(5*time.Second/pace) + 2; before > most || before < most-2 {
				t.Errorf("%d messages in 5 s, want about %d", before, most)
			}
			r.step(0.005)
			close(r.done)
			synctest.Wait()
			texts := n.check(t, pace)
			if got, want := texts[len(texts)-1], "step 101\ntrain/loss  0.0050  best 0.0050 at 100"; got != want {
				t.Errorf("the last text is %q, want %q", got, want)
			}
			frame.Flush()
			if n.count() != before+1 {
				t.Errorf("%d messages after the end, want 1", n.count()-before)
			}
		})
	}
}

// TestLiveFlush ends a cell that waited for its run, and one that did not.
func TestLiveFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		figures := plotting(t)
		n := connect(t)
		r := newRun()
		display.Live(r)
		r.step(0.5)
		frame.Flush()
		if n.count() != 1 {
			t.Errorf("%d messages, want 1: the run goes on, and the cell need not wait for a picture", n.count())
		}
		r.step(0.25)
		close(r.done)
		frame.Flush()
		if got := n.messages[n.count()-1].Bundle.Data["text/plain"]; got != "step 2\ntrain/loss  0.2500  best 0.2500 at 1" {
			t.Errorf("the last text is %q, want the last step", got)
		}
		synctest.Wait()
		if n.count() != 2 {
			t.Errorf("%d messages, want 2: the last state is shown once", n.count())
		}
		if got := (*figures)[0].Panels[0].X; got != "epoch" {
			t.Errorf("the X axis is %q, want epoch", got)
		}
	})
}

// staged is a run that knows how far it is and has epochs.
type staged struct {
	*run
	epochs [][]any
	used   int64   // bytes of memory; 0 is not known
	open   float64 // the loss since the last point; 0 is not known
}

func (s *staged) Memory() (used, all int64) { return s.used, 16 << 30 * min(s.used, 1) }
func (s *staged) Steps() (done, total int)  { return len(s.y), 4 }
func (s *staged) Table() (head []string, rows [][]any) {
	return []string{"epoch", "loss"}, s.epochs
}

func (s *staged) Rows() int { return 13 }

// Latest is between the points of the loss.
func (s *staged) Latest(name string) (x, y float64, ok bool) {
	return float64(len(s.y)), s.open, s.open > 0 && name == "train/loss"
}

// TestLiveState is a run with a bar and its line above its curves, and a table of its
// epochs below, which has its height from the start.
func TestLiveState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		figures := plotting(t)
		n := connect(t)
		r := &staged{run: newRun(), open: 0.125}
		r.step(0.5)
		display.LivePlot{Title: "otters", LogY: true}.Live(r)
		if n.count() != 3 {
			t.Fatalf("%d messages when Live returns, want the state, the curves and the epochs", n.count())
		}
		var ids [3]string
		for i := range ids {
			ids[i] = n.messages[i].Bundle.DisplayID
		}
		all := n.messages[0]
		clock := time.Now().Format("15:04:05")
		if got, want := all.Bundle.Data["text/plain"], "step 1  as of "+clock+"\notters\ntrain/loss  0.1250  best 0.1250 at 1\nno epoch has ended yet"; got != want {
			t.Errorf("at first the text is %q, want %q", got, want)
		}
		html := all.Bundle.Data["text/html"].(string)
		for _, want := range []string{
			`<div><div data-part="line"><div><progress value="1" max="4"></progress> step 1 · as of ` + clock + `</div></div>`,
			`<div data-part="steer"><small>Where this stands still, call display.Live again in a new cell.</small></div>`,
			`<div data-part="curves"><b>otters</b><div style="display:flex;flex-wrap:wrap"><img width="2" height="1" style="max-width:100%;height:auto" alt="train/loss 0.1250 best 0.1250 at 1" src="data:image/png;base64,`,
			`<div data-part="epochs"><div style="min-height:392px"><div>no epoch has ended yet</div></div></div></div>`, // a head, 12 rows, a title
		} {
			if !strings.Contains(html, want) {
				t.Errorf("at first the HTML is\n%s\nwithout\n%s", html, want)
			}
		}
		if !reflect.DeepEqual(all.Live, &frame.Live{Going: true}) || n.messages[1].Live != nil || n.messages[2].Live != nil {
			t.Error("the first display, and no other, has to say that the run goes on")
		}
		for _, m := range n.messages[1:3] {
			if m.Bundle.Data["text/html"] != "" || m.Bundle.Data["text/plain"] != "" {
				t.Errorf("what is shown in one piece is shown beside it: %v", m.Bundle.Data)
			}
		}
		if reach := (*figures)[0].Panels[0].XRange; reach != [2]float64{0, 13} {
			t.Errorf("the X axis is %v at first, want all of the 13 epochs", reach)
		}
		if line := (*figures)[0].Panels[0].Lines[0]; !slices.Equal(line.Y, []float64{0.5, 0.125}) || !slices.Equal(line.X, []float64{0, 1}) {
			t.Errorf("the first curve is %v %v, want it up to now", line.X, line.Y)
		}
		r.step(0.25)
		r.used, r.open = 3<<29, 0
		for e := range 13 {
			r.epochs = append(r.epochs, []any{e + 1, 0.25})
		}
		close(r.done)
		synctest.Wait()
		var last [3]*frame.Bundle
		var live *frame.Live
		for _, m := range n.messages {
			if m.Bundle.DisplayID == ids[0] {
				live = m.Live
			}
			last[slices.Index(ids[:], m.Bundle.DisplayID)] = m.Bundle
		}
		if live == nil || live.Going {
			t.Fatalf("the last state says %v, want that the run is over", live)
		}
		for _, want := range []string{`<div data-part="line"><div><progress value="2" max="4"></progress> step 2 · memory 1.5 of 16.0 GiB</div></div>`, `<div data-part="steer"></div>`, "the last 12 of 13 epochs", "<img"} {
			if !strings.Contains(live.View, want) {
				t.Errorf("pages that follow the run are shown\n%s\nwithout\n%s", live.View, want)
			}
		}
		if got, want := last[0].Data["text/plain"].(string), "step 2  memory 1.5 of 16.0 GiB"; got != want {
			t.Errorf("the state's text is %q, want %q", got, want)
		}
		if got, want := last[0].Data["text/html"].(string), `<div><progress value="2" max="4"></progress> step 2 · memory 1.5 of 16.0 GiB</div>`; got != want {
			t.Errorf("the state's HTML is %q, want %q", got, want)
		}
		if got, want := last[1].Data["text/plain"], "otters\ntrain/loss  0.2500  best 0.2500 at 1"; got != want {
			t.Errorf("the curves' text is %q, want %q", got, want)
		}
		if got, want := last[2].Data["text/plain"].(string), "the last 12 of 13 epochs\nepoch  loss\n    2  0.25\n    3  0.25\n"; !strings.HasPrefix(got, want) {
			t.Errorf("the epochs' text is %q, want %q", got, want)
		}
		if got := last[2].Data["text/html"].(string); !strings.HasPrefix(got, "<table>") {
			t.Errorf("the epochs' HTML is %q, want a table with the height that it has", got)
		}
	})
}

// steered is a run that notes how it is steered.
type steered struct {
	*run
	lr     float64
	paused bool
	log    []string
}

func (s *steered) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, what)
	s.line = strings.Join(s.log, " ")
}
func (s *steered) Pause()           { s.paused = true; s.note("pause") }
func (s *steered) Resume()          { s.paused = false; s.note("resume") }
func (s *steered) Paused() bool     { return s.paused }
func (s *steered) Stop()            { s.note("stop"); close(s.done) }
func (s *steered) SetLR(lr float64) { s.lr = lr; s.note("lr") }
func (s *steered) LR() float64      { return s.lr }

// TestLiveIsSteered has a page's buttons act on a run, which is shown at once.
func TestLiveIsSteered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plotting(t)
		n := connect(t)
		r := &steered{run: newRun(), lr: 0.1}
		display.Live(r)
		id := n.messages[0].Bundle.DisplayID
		act := func(action, value, want string) {
			t.Helper()
			if err := frame.Steer(id, action, value); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if got := n.messages[n.count()-1].Bundle.Data["text/html"].(string); !strings.HasPrefix(got, want) {
				t.Errorf("after %s shown %q, want %q", action, got, want)
			}
		}
		act("pause", "0", `<div data-paused="true" data-lr="0.1"><div data-part="line"><div>pause · as of `)
		act("lr", "1e-3", `<div data-paused="true" data-lr="0.001"><div data-part="line"><div>pause lr · as of `)
		act("resume", "0", `<div data-paused="false" data-lr="0.001"><div data-part="line"><div>pause lr resume · as of `)
		for action, want := range map[string]string{
			"jump": `a run knows no action "jump", want one of pause, resume, stop, lr`,
			"lr":   "the learning rate is 1e999, want a number that is not negative",
		} {
			if err := frame.Steer(id, action, "1e999"); err == nil || err.Error() != want {
				t.Errorf("%s: got %v\nwant %s", action, err, want)
			}
		}
		if err, want := steerFaulty(n), "pause: the run panicked: freed"; err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
		if err := frame.Steer(id, "stop", "0"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if live := n.messages[n.count()-1].Live; live.Going || strings.Contains(live.View, "data-lr") {
			t.Errorf("after its end pages are shown %+v, want nothing to steer", live)
		}
		if err, want := frame.Steer(id, "pause", "0"), "pause: what is shown has ended"; err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	})
}

// unsound is a run that cannot be paused.
type unsound struct{ *steered }

func (unsound) Pause() { panic("freed") }

// steerFaulty pauses a run that panics.
func steerFaulty(n *notebook) error {
	r := unsound{&steered{run: newRun()}}
	defer close(r.done)
	before := n.count()
	display.Live(r)
	return frame.Steer(n.messages[before].Bundle.DisplayID, "pause", "0")
}

// TestReplay shows a run that is over once, whatever its Done says.
func TestReplay(t *testing.T) {
	figures := plotting(t)
	n := connect(t)
	r := newRun()
	r.step(0.5)
	if err := (display.LivePlot{LogY: true}).Replay(r); err != nil {
		t.Fatal(err)
	}
	if n.count() != 1 || !(*figures)[0].Panels[0].LogY {
		t.Errorf("%d messages, LogY %v, want one with a logarithmic axis", n.count(), (*figures)[0].Panels[0].LogY)
	}
	want := "display: Replay: the run is nil, want one that was read from its log; look at the error of what should have read it"
	if err := display.Replay(nil); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

type faulty struct{ *run }

func (faulty) Curve(string) (x, y []float64) { panic("freed") }

func TestLiveErrors(t *testing.T) {
	var none *run
	want := "display: Live: the run is nil, want one that was started; look at the error of what should have started it"
	for _, r := range []display.Run{nil, none} {
		if err := display.Live(r); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		n := connect(t)
		r := faulty{newRun()}
		display.Live(r)
		time.Sleep(time.Second)
		close(r.done)
		synctest.Wait()
		if got := n.messages[0].Bundle.Data["text/plain"]; got != "display: Live: the run panicked: freed" {
			t.Errorf("shown %q", got)
		}
	})
}

func TestLivePlot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		figures := plotting(t)
		n := connect(t)
		var p display.LivePlot
		for i := range 100 {
			p.Add("train_loss", float64(i), 1)
			p.Add("val_acc", float64(i), 0.5)
			time.Sleep(50 * time.Millisecond)
		}
		p.Status("nearly done")
		p.Add("train_loss", 100, 0.25)
		frame.Flush()
		texts := n.check(t, 0)
		if len(texts) > 7 {
			t.Errorf("%d messages in 5 s, want at most 7", len(texts))
		}
		if got, want := texts[len(texts)-1], "nearly done\ntrain_loss  0.2500  best 0.2500 at 100\nval_acc     0.5000  best 0.5000 at 0"; got != want {
			t.Errorf("the last text is %q\nwant %q", got, want)
		}
		f := (*figures)[len(*figures)-1]
		if f.Title != "nearly done" || len(f.Panels) != 2 || f.Panels[0].Title != "loss" || f.Panels[1].Title != "accuracy" {
			t.Errorf("drawn %q with %d panels, want loss and accuracy", f.Title, len(f.Panels))
		}
		if l := f.Panels[1].Lines[0]; l.Name != "val 0.5000" || l.Color != display.Orange {
			t.Errorf("the accuracy is %q in %v, want val in orange", l.Name, l.Color)
		}
		time.Sleep(time.Minute)
		before := n.count()
		frame.Flush()
		if n.count() != before {
			t.Error("shown again though nothing changed")
		}
		p.Close()
		if n.count() != before+1 {
			t.Errorf("Close sent %d messages, want one: the chart that can be touched", n.count()-before)
		}
		before = n.count()
		// The plot lives on in later cells, and its settings may change.
		p.Title = "again"
		p.Add("train_loss", 101, 0.2)
		time.Sleep(time.Minute)
		if n.count() != before+1 {
			t.Errorf("%d messages for one point, want 1", n.count()-before)
		}
		if f := (*figures)[len(*figures)-1]; f.Title != "again · nearly done" {
			t.Errorf("drawn under %q, want the new title", f.Title)
		}
	})
}

// TestSlowLink stops the link to the notebook in the middle. What reports to a
// display goes on as if nothing were, and when the link is back it gets the
// latest state and not what it missed.
func TestSlowLink(t *testing.T) {
	r := newRun()
	var p display.LivePlot
	b := display.ProgressBar{Total: 1000}
	tests := []struct {
		name  string
		begin func()
		step  func(i int)
		end   func()
		want  string // at the beginning of the last text
	}{
		{"LivePlot", func() {}, func(i int) { p.Add("loss", float64(i), 1000-float64(i)) }, func() {}, "loss  1.0000  best 1.0000 at 999"},
		{"Live", func() { display.Live(r) }, func(int) { r.step(1) }, func() { close(r.done) }, "step 1000\ntrain/loss  1.0000  best 1.0000 at 0"},
		{"ProgressBar", func() {}, func(int) { b.Add(1) }, func() {}, "1000/1000 (100%), "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			texts := make(chan string, 100)
			waits, open := make(chan struct{}, 100), make(chan struct{})
			first := true
			frame.SetSink(func(m frame.Message) error { // is called by one goroutine at a time
				if !first {
					waits <- struct{}{}
					<-open
				}
				first = false
				texts <- m.Bundle.Data["text/plain"].(string)
				return nil
			})
			defer frame.SetSink(nil)
			tt.begin()
			for i := range 1000 { // would never end if a step waited for the link
				tt.step(i)
				if i == 500 {
					<-waits // now a frame is on its way
				}
			}
			tt.end()
			if n := len(texts); n != 1 {
				t.Errorf("%d frames have arrived, want the first", n)
			}
			close(open)
			for {
				frame.Flush()
				select {
				case last := <-texts:
					if !strings.HasPrefix(last, tt.want) {
						continue
					}
					if n := len(waits); n > 2 {
						t.Errorf("%d more frames were sent when the link was back, want the latest alone", n)
					}
					return
				case <-time.After(time.Minute):
					t.Fatalf("the last state %q has not come", tt.want)
				}
			}
		})
	}
}

// TestLivePlotRange leaves a few peaks out, and keeps every finite value of a
// short curve.
func TestLivePlotRange(t *testing.T) {
	figures := plotting(t)
	defer frame.Flush() // leave nothing to the next test
	var p display.LivePlot
	for i := range 1000 {
		y := 1 + float64(i%2)
		if i == 500 {
			y = 1e6
		}
		p.Add("loss", float64(i), y)
	}
	text := plainText(display.Render(p))
	panel := (*figures)[0].Panels[0]
	smoothed := panel.Lines[len(panel.Lines)-1].Y
	last := smoothed[len(smoothed)-1]
	if want := fmt.Sprintf("loss  2.0000 (smoothed %.4f)  best 1.0000 at 0", last); text != want {
		t.Errorf("the text is %q, want %q: both values", text, want)
	}
	if want := fmt.Sprintf("loss %.4f smoothed", last); panel.Lines[len(panel.Lines)-1].Name != want {
		t.Errorf("the legend is %q, want %q", panel.Lines[len(panel.Lines)-1].Name, want)
	}
	if len(panel.Lines) != 2 || !panel.Lines[0].Faint || panel.Lines[1].Faint {
		t.Fatalf("%d lines, want the raw curve behind a smoothed one", len(panel.Lines))
	}
	high := 0.0
	for _, y := range panel.Lines[0].Y {
		high = max(high, y)
	}
	if high != 1e6 || len(panel.Lines[0].Y) > 400 {
		t.Errorf("the thinned curve has %d points up to %g, want the peak kept in at most 400", len(panel.Lines[0].Y), high)
	}
}

// What AddScalars wrote is one panel with a line for each of its names, as in TensorBoard.
func TestScalarsOfOneDiagram(t *testing.T) {
	figures := plotting(t)
	defer frame.Flush()
	var p display.LivePlot
	for _, name := range []string{"waves_sin/waves", "waves_cos/waves", "a_b_train/a/b", "a_b_eval/a/b", "other/waves"} {
		p.Add(name, 0, 1)
		p.Add(name, 1, 2)
	}
	display.Render(p)
	got := map[string][]string{}
	for _, panel := range (*figures)[len(*figures)-1].Panels {
		for _, l := range panel.Lines {
			got[panel.Title] = append(got[panel.Title], l.Name)
		}
	}
	want := "map[a b:[train 2.0000 eval 2.0000] other waves:[other/waves 2.0000] waves:[sin 2.0000 cos 2.0000]]"
	if fmt.Sprint(got) != want {
		t.Errorf("panels and lines are %v\nwant %s", got, want)
	}
}

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := connect(t)
		for range display.Progress(slices.Values(make([]int, 100)), 100) {
			time.Sleep(30 * time.Millisecond) // so that no step meets a frame
		}
		texts := n.check(t, 0)
		if len(texts) > 17 {
			t.Errorf("%d messages in 3 s, want at most 17", len(texts))
		}
		if texts[0] != "0/100 (0%)" || texts[len(texts)-1] != "100/100 (100%) in 3s" {
			t.Errorf("from %q to %q", texts[0], texts[len(texts)-1])
		}
		if got, want := texts[1], "6/100 (6%), 30 a second, 3.1s left"; got != want {
			t.Errorf("the second text is %q, want %q", got, want)
		}
		if html := n.messages[1].Bundle.Data["text/html"]; html != `<div><progress value="6" max="100"></progress> 6/100 (6%), 30 a second, 3.1s left</div>` {
			t.Errorf("HTML is %s", html)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		n := connect(t)
		for i := range display.Progress(slices.Values([]int{1, 2, 3}), 0) {
			time.Sleep(time.Second)
			if i == 2 {
				break
			}
		}
		texts := n.check(t, 0)
		if got := texts[len(texts)-1]; got != "1, stopped in 2s" {
			t.Errorf("the last text is %q", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		n := connect(t)
		b := display.ProgressBar{Title: hostile, Total: 10, Unit: "B"}
		b.Add(3)
		b.Close()
		html := n.messages[len(n.messages)-1].Bundle.Data["text/html"].(string)
		if strings.Contains(html, "<img") || !strings.Contains(html, "3/10 B (30%), stopped") {
			t.Errorf("HTML is %s", html)
		}
	})
}
