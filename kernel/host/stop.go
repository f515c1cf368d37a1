package host

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync/atomic"
	"time"
	"unsafe"

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
	e.interrupted.Store(true)
	s.halt(e)
}

// halt ends the goroutines of an execution, and the programs that it started.
func (s *server) halt(e *execution) {
	s.stop(e)
	e.cancel(errInterrupt)
	s.stdin.end(e.cell)
	e.halted.Do(func() {
		programs := make(chan struct{})
		go e.endPrograms(programs)
		go s.abandon(e, programs)
	})
}

// abandon reports an execution that has not ended [Grace] after it was halted,
// nor since the programs ended that it may wait for.
func (s *server) abandon(e *execution, programs <-chan struct{}) {
	grace := time.After(Grace)
	select {
	case <-e.ended:
		return
	case <-programs:
	}
	select {
	case <-e.ended:
		return
	case <-grace:
	}
	select {
	case <-e.ended:
		return
	case <-time.After(Grace / 10): // the last program has ended just now
	}
	state, frames := goroutineState(allStacks(), e.goroutine.Load())
	d := msg.Done{Result: msg.Interrupted, Name: "Interrupted"}
	if exited := e.exited.Load(); exited != nil {
		d = *exited
	}
	d.Stuck, d.Frames = state, frames
	if d.Stuck == "" {
		d.Stuck = "unknown"
	}
	d.Pos = s.innermost(frames)
	d.Value = fmt.Sprintf("the cell was interrupted, but waits (%s) where it cannot be stopped; it ends when it goes on", d.Stuck)
	e.finish(d)
}

// exit is the hook Exit of package rt: it ends the cell that the calling goroutine belongs to.
func (s *server) exit(code int, what, file string, line int) {
	e := s.caller()
	if e == nil {
		e = s.current.Load() // its labels are the program's own
	}
	if e == nil || e.reported.Load() {
		fmt.Fprintf(os.Stderr, "holt: %s(%d) in a goroutine of a cell that is over: the goroutine has ended\n", what, code)
		return
	}
	e.exited.CompareAndSwap(nil, &msg.Done{Result: msg.Exited, Name: what, Code: code, Pos: &msg.Pos{File: file, Line: line}})
	s.halt(e)
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

// setStopped tells rt, and raises the flags of the programs that goroutines of
// the interrupted executions may run: at first any, since a function may have
// been handed to a cell from anywhere; once the cell is reported, its own and
// those it is made of. The caller holds stopMu.
func (s *server) setStopped() {
	marks := make([]rt.Mark, len(s.stopped))
	all := false
	raised := map[string]bool{}
	for i, e := range s.stopped {
		marks[i] = e.mark
		marks[i].Goroutine = e.goroutine.Load()
		all = all || !e.reported.Load()
		raised[e.run.Path] = true
		for _, path := range e.run.Deps {
			raised[path] = true
		}
	}
	rt.SetStopped(marks)
	for path, flag := range s.flags {
		var v uint32
		if len(marks) > 0 && (all || raised[path]) {
			v = 1
		}
		atomic.StoreUint32(flag, v)
	}
}

// watch is rt.Watch.
func (s *server) watch(path string, flag *uint32) {
	s.stopMu.Lock()
	defer s.stopMu.Unlock()
	s.flags[path] = flag
}

// done is rt.Done for the goroutine with these labels. The labels of one that
// ends already are others, so that its deferred functions can wait.
func (s *server) done(labels unsafe.Pointer) <-chan struct{} {
	if labels == nil {
		return nil
	}
	if e, ok := s.execs.Load(labels); ok && e.(*execution).mark.Labels == labels {
		return e.(*execution).ctx.Done()
	}
	return nil
}

// pause is the hook Pause of package rt.
func pause(ns int64, done <-chan struct{}) {
	t := time.NewTimer(time.Duration(ns))
	defer t.Stop()
	select {
	case <-t.C:
	case <-done:
	}
}

// sweep lowers the flags when no goroutine of an interrupted execution is left:
// until then every loop of those programs pays for a call of rt.Check.
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
		s.stopped = left
		s.setStopped()
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
