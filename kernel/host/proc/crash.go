package proc

import (
	"strings"
	"sync"
	"time"
)

// crashHeads begin the lines with which Go's runtime starts to report a fatal error. A program
// may print such a line itself; then it is shown late, and nothing worse.
var crashHeads = []string{
	"panic: ", "fatal error: ", "SIGSEGV: ", "SIGBUS: ", "SIGFPE: ", "SIGABRT: ", "SIGILL: ", "SIGQUIT: ",
	"unexpected fault address ", "runtime: goroutine stack exceeds ", "runtime: out of memory: ",
}

// holdTime is how long what may be such a report is kept back, and after which
// the process is asked again whether it lives.
const holdTime = 2 * time.Second

const maxHeld = 1 << 20 // bytes

// hold filters the host's standard error on its way to the notebook. It keeps back what looks
// like the runtime's report, hundreds of lines about all goroutines: when the process ends, the
// cell's error has the relevant part. When it does not end, the text was the program's own and
// is passed on late. The end may take long: the runtime counts the calls of a stack of a
// gigabyte.
//
// Three things decide that the process lives: the cell ends (KindDone), it answers a ping
// (look), or it prints more than a report has (maxHeld). That it has ended is decided in
// Process.end.
type hold struct {
	f     func([]byte)
	mu    sync.Locker // held by the callers of write, drop and release
	alive func() bool // reports whether the process answers; called without mu
	buf   []byte      // kept back
	on    bool
	mid   bool // what was passed ended inside a line
}

// write passes p on, or keeps it. Once a report has begun, all that follows belongs to it.
func (h *hold) write(p []byte) {
	if h.on {
		// So much is no report that anyone reads, or a program that prints without end.
		if h.buf = append(h.buf, p...); len(h.buf) > maxHeld {
			h.release()
		}
		return
	}
	// Only at the beginning of a line; p may go on with one.
	at := crashStart(string(p), !h.mid)
	if at != 0 {
		pass := p
		if at > 0 {
			pass = p[:at]
		}
		h.mid = pass[len(pass)-1] != '\n'
		h.f(pass)
	}
	if at < 0 {
		return
	}
	h.on = true
	h.buf = append(h.buf[:0], p[at:]...)
	time.AfterFunc(holdTime, h.look)
}

// look passes on what is kept when the process lives, and looks again later when it gave no
// answer. It is called by a timer. When the process has ended, end has dealt with what was kept.
func (h *hold) look() {
	alive := h.alive()
	h.mu.Lock()
	defer h.mu.Unlock()
	if alive {
		h.release()
	} else if h.on {
		time.AfterFunc(holdTime, h.look)
	}
}

// release passes on what was kept; with nothing kept it does nothing but begin anew. The caller
// holds mu.
func (h *hold) release() {
	if h.on && len(h.buf) > 0 {
		h.f(h.buf)
	}
	h.drop()
}

// drop forgets what was kept. The caller holds mu.
func (h *hold) drop() { h.on, h.mid, h.buf = false, false, nil }

// crashStart returns the offset of the first line that begins a report, -1 for none. The text
// begins a line when first is set. Of several heads the one furthest up counts: "panic: " may
// follow "fatal error: " in one report.
func crashStart(text string, first bool) int {
	best := -1
	for _, head := range crashHeads {
		i := 0
		if !first || !strings.HasPrefix(text, head) {
			// Index is -1 where the head is not there, and the line begins behind the "\n"
			// where it is.
			if i = strings.Index(text, "\n"+head) + 1; i == 0 {
				continue
			}
		}
		if best < 0 || i < best {
			best = i
		}
	}
	return best
}
