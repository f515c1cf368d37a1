package host

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/rt"
)

// interrupt ends the running cell: its context is cancelled, and its goroutines end at their
// next check. One that has not ended after [Grace] is reported with what it waits for, and
// abandoned: it ends when it wakes.
//
// Cell 0 means whichever runs. An interrupt that comes when its cell is over does nothing.
func (s *server) interrupt(cell int) {
	e := s.current.Load()
	if e == nil || (cell != 0 && e.cell != cell) {
		return
	}
	e.interrupted.Store(true)
	s.halt(e)
}

// halt ends the goroutines of an execution, and the programs that it started. The marks are set
// before the context is cancelled: a goroutine that wakes because of that finds them at its
// next check. It may be called twice, by an interrupt of a cell that has called os.Exit; the
// ending of programs begins once.
func (s *server) halt(e *execution) {
	s.stop(e)
	e.cancel(errInterrupt)
	s.stdin.end(e.cell)
	e.halted.Do(func() {
		programs := make(chan bool, 1)
		go e.endPrograms(programs)
		go s.abandon(e, programs)
	})
}

// Hold keeps an interrupted cell from being abandoned until release is called: it ends what other
// processes take part in, which may take longer than [Grace].
func Hold() (release func()) {
	s := active.Load()
	if s == nil {
		return func() {}
	}
	s.holds.Add(1)
	return sync.OnceFunc(func() { s.holds.Add(-1) })
}

// abandon reports an execution that has not ended [Grace] after it was halted, nor since the
// programs ended that it may wait for, nor since what [Hold] has begun was over. The kernel then
// runs other cells, and this one's goroutine stays with its labels, by which its next check ends it.
func (s *server) abandon(e *execution, programs <-chan bool) {
	grace := time.After(Grace)
	last := Grace / 10
	select {
	case <-e.ended:
		return
	case some := <-programs:
		if some { // the last one has ended just now, which a busy machine tells the cell late
			last = Grace
		}
	}
	select {
	case <-e.ended:
		return
	case <-grace:
	}
	select {
	case <-e.ended:
		return
	case <-time.After(last):
	}
	for s.holds.Load() > 0 {
		select {
		case <-e.ended:
			return
		case <-time.After(Grace / 10):
		}
	}
	// Where it is, as the person reads it: "chan receive", and the calls that led there. The
	// trace of all goroutines is the only way to learn that of another goroutine.
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

// exit is the hook Exit of package rt: it ends the cell that the calling goroutine belongs to,
// as an interrupt does, and with an exit status. The first call counts. It returns; rt then
// ends the goroutine.
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

// allStacks returns the trace of all goroutines, of at most 64 MiB. It stops the world, for as
// long as the trace takes to write.
func allStacks() string {
	for size := 1 << 20; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size || size >= 64<<20 {
			return string(buf[:n])
		}
	}
}

// stop adds e to the executions whose goroutines end at their next check, and has sweep look
// when none is left. Twice is once.
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

// setStopped tells rt, and raises the flags of the programs that goroutines of the interrupted
// executions may run: at first any, since a function may have been handed to a cell from
// anywhere; once the cell is reported, its own and those it is made of. The caller holds
// stopMu.
//
// Each program has a flag of its own, which its loops test. With one flag for all, a cell that
// cannot be stopped would make every loop of every later cell call rt.Check, which looks up the
// goroutine's labels.
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
	// The marks first: who sees a raised flag must find them.
	rt.SetStopped(marks)
	for path, flag := range s.flags {
		var v uint32
		if len(marks) > 0 && (all || raised[path]) {
			v = 1
		}
		atomic.StoreUint32(flag, v)
	}
}

// watch is rt.Watch: a plugin that is opened makes its flag known. A program that is loaded
// while executions are stopped begins with its flag down; setStopped, which sweep calls again
// and again, raises it if need be.
func (s *server) watch(path string, flag *uint32) {
	s.stopMu.Lock()
	defer s.stopMu.Unlock()
	s.flags[path] = flag
}

// done is rt.Done for the goroutine with these labels. The labels of one that ends already are
// others, so that its deferred functions can wait. It is called for each wait that does not end
// at once.
func (s *server) done(labels unsafe.Pointer) <-chan struct{} {
	if labels == nil {
		return nil
	}
	if e, ok := s.execs.Load(labels); ok && e.(*execution).mark.Labels == labels {
		return e.(*execution).ctx.Done()
	}
	return nil
}

// pause is the hook Pause of package rt: time.Sleep for a cell. It returns early when done is
// closed, and rt then looks why.
func pause(ns int64, done <-chan struct{}) {
	t := time.NewTimer(time.Duration(ns))
	defer t.Stop()
	select {
	case <-t.C:
	case <-done:
	}
}

// sweep lowers the flags when no goroutine of an interrupted execution is left: until then
// every loop of those programs pays for a call of rt.Check. It is the goroutine that stop
// starts when there is none, and ends when nothing is left to look for. It waits longer each
// time, up to 5 s, as each look takes a profile of all goroutines.
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

// ended reports whether the cell's own goroutine has ended; others that it started may live.
func ended(e *execution) bool {
	select {
	case <-e.ended:
		return true
	default:
		return false
	}
}

// labelled returns the numbers of the cells that have goroutines, from the labels in a
// goroutine profile, which has lines such as
//
//	# labels: {"cell":"5"}
//	# labels: {"batch":"2", "cell":"5"}
//
// where the second is of a goroutine that has labels of its own for a while, by pprof.Do. Quotes in
// names and values have a backslash. Goroutines that end already have the label "ending" instead,
// and are not counted.
func labelled() map[string]bool {
	var buf bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&buf, 1)
	alive := map[string]bool{}
	for line := range bytes.Lines(buf.Bytes()) {
		if !bytes.HasPrefix(line, []byte("# labels: {")) {
			continue
		}
		if _, rest, ok := bytes.Cut(line, []byte(`"cell":"`)); ok {
			number, _, _ := bytes.Cut(rest, []byte(`"`))
			alive[string(number)] = true
		}
	}
	return alive
}
