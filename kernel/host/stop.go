package host

import (
	"bytes"
	"fmt"
	"runtime"
	"runtime/pprof"
	"strconv"
	"time"

	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/rt"
)

// interrupt ends the running cell: its context is cancelled, and its
// goroutines end at their next check. One that has not ended after [Grace] is
// reported with what it waits for, and abandoned: it ends when it wakes.
func (s *server) interrupt(cell int) {
	e := s.current.Load()
	if e == nil || (cell != 0 && e.cell != cell) {
		return
	}
	first := !e.interrupted.Swap(true)
	s.stop(e)
	e.cancel(errInterrupt)
	if !first {
		return
	}
	go func() {
		select {
		case <-e.ended:
			return
		case <-time.After(Grace):
		}
		state, frames := goroutineState(allStacks(), e.goroutine.Load())
		d := msg.Done{Result: msg.Interrupted, Name: "Interrupted", Stuck: state, Frames: frames}
		if d.Stuck == "" {
			d.Stuck = "unknown"
		}
		d.Pos = s.innermost(frames)
		d.Value = fmt.Sprintf("the cell was interrupted, but waits (%s) where it cannot be stopped; it ends when it goes on", d.Stuck)
		e.finish(d)
	}()
}

func allStacks() string {
	for size := 1 << 20; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size || size >= 64<<20 {
			return string(buf[:n])
		}
	}
}

// stop adds e to the executions whose goroutines end at their next check.
func (s *server) stop(e *execution) {
	s.stopMu.Lock()
	defer s.stopMu.Unlock()
	for _, old := range s.stopped {
		if old == e {
			return
		}
	}
	s.stopped = append(s.stopped, e)
	s.setStopped()
	if !s.sweeping {
		s.sweeping = true
		go s.sweep()
	}
}

// setStopped tells rt. The caller holds stopMu.
func (s *server) setStopped() {
	marks := make([]rt.Mark, len(s.stopped))
	for i, e := range s.stopped {
		marks[i] = e.mark
		marks[i].Goroutine = e.goroutine.Load()
	}
	rt.SetStopped(marks)
}

// sweep lowers rt.Stop when no goroutine of an interrupted execution is left:
// until then every loop of every cell pays for a call of rt.Check.
func (s *server) sweep() {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		time.Sleep(wait)
		alive := labelled()
		s.stopMu.Lock()
		var left []*execution
		for _, e := range s.stopped {
			if ended(e) && !alive[strconv.Itoa(e.cell)] {
				continue
			}
			left = append(left, e)
		}
		if len(left) < len(s.stopped) {
			s.stopped = left
			s.setStopped()
		}
		if len(s.stopped) == 0 {
			s.sweeping = false
			s.stopMu.Unlock()
			return
		}
		s.stopMu.Unlock()
	}
}

func ended(e *execution) bool {
	select {
	case <-e.ended:
		return true
	default:
		return false
	}
}

// labelled returns the numbers of the cells that have goroutines, from the
// labels in a goroutine profile.
func labelled() map[string]bool {
	var buf bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&buf, 1)
	alive := map[string]bool{}
	for line := range bytes.Lines(buf.Bytes()) {
		const head = `# labels: {"cell":"`
		if rest, ok := bytes.CutPrefix(line, []byte(head)); ok {
			number, _, _ := bytes.Cut(rest, []byte(`"`))
			alive[string(number)] = true
		}
	}
	return alive
}
