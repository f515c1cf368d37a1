package goxla

import (
	"crypto/sha256"
	"os"
	"slices"
	"sync"
	"time"
	"unsafe"

	"github.com/holt-dl/holt/internal/executables"
)

// sessionEnv is the variable by which a Jupyter server says which notebook a kernel is for. Without
// it, notebooks in one folder cannot be told apart, and nothing is loaded early.
const sessionEnv = "JPY_SESSION_NAME"

const (
	// mostEarly is how many executables are loaded early. A notebook has some for each network.
	mostEarly = 24
	// earlyFor is how long what was loaded early waits for its cell. What has none by then is
	// no part of the notebook any more.
	earlyFor = 3 * time.Minute
	// listAfter is how long after its use an executable is written into the list, so that those
	// of one cell are written at once.
	listAfter = 100 * time.Millisecond
)

// early loads the executables that a notebook used when its kernel ran last, in the order in
// which it used them, while its first cells are compiled: loading that of a large network's
// training step takes as long as the step. They are loaded by a thread that others go before, and
// a cell does not wait for it, since that may be long on a busy machine. The list of them is in
// the store, too. A nil early does nothing.
type early struct {
	store  executables.Store
	load   func(executable []byte) (unsafe.Pointer, error)
	unload func(loaded unsafe.Pointer)

	mu      sync.Mutex
	list    executables.Key // under which the list is kept
	begun   bool
	ready   map[executables.Key]*earlyLoad
	before  []executables.Key // of the run before, as long as they may still be used
	now     []executables.Key // of this run
	written []executables.Key
	writes  bool // the list is to be written
}

// earlyLoad is an executable that is loaded, or is being so.
type earlyLoad struct {
	done   chan struct{}
	loaded unsafe.Pointer // nil where it could not be
}

// begin loads what a notebook used on a machine. It is for a goroutine in the background.
func (e *early) begin(machine []byte, session string) {
	folder, _ := os.Getwd()
	e.mu.Lock()
	e.begun = true
	e.list = executables.KeyOf([]byte("notebook"), machine, []byte(folder), []byte(session))
	text, _ := e.store.Load(e.list)
	for ; len(text) >= sha256.Size; text = text[sha256.Size:] {
		e.before = append(e.before, executables.Key(text[:sha256.Size]))
	}
	e.written = slices.Clone(e.before)
	waiting := slices.Clone(e.before)
	e.mu.Unlock()
	time.AfterFunc(earlyFor, e.end)
	for _, k := range waiting {
		e.loadOne(k)
	}
}

// loadOne loads an executable that was not used yet.
func (e *early) loadOne(k executables.Key) {
	e.mu.Lock()
	if !slices.Contains(e.before, k) || slices.Contains(e.now, k) {
		e.mu.Unlock()
		return
	}
	if e.ready == nil {
		e.ready = map[executables.Key]*earlyLoad{}
	}
	l := &earlyLoad{done: make(chan struct{})}
	e.ready[k] = l
	e.mu.Unlock()
	e.fill(l, k)
}

// take returns an executable that was loaded early, which is then the caller's; nil for none. One
// that is just being loaded is loaded here as well, and the first of the two is taken.
func (e *early) take(k executables.Key) unsafe.Pointer {
	if e == nil {
		return nil
	}
	e.mu.Lock()
	l := e.ready[k]
	delete(e.ready, k)
	e.mu.Unlock()
	if l == nil {
		return nil
	}
	select {
	case <-l.done:
		return l.loaded
	default:
	}
	here := &earlyLoad{done: make(chan struct{})}
	go e.fill(here, k)
	first, other := l, here
	select {
	case <-l.done:
	case <-here.done:
		first, other = here, l
	}
	go e.drop(other)
	return first.loaded
}

// fill loads an executable.
func (e *early) fill(l *earlyLoad, k executables.Key) {
	defer close(l.done)
	if executable, _ := e.store.Load(k); len(executable) > 0 {
		l.loaded, _ = e.load(executable) // where it cannot, the cell that wants it says so
	}
}

// drop frees an executable once it is loaded.
func (e *early) drop(l *earlyLoad) {
	if <-l.done; l.loaded != nil {
		e.unload(l.loaded)
	}
}

// used notes that the notebook uses an executable.
func (e *early) used(k executables.Key) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if slices.Contains(e.now, k) || len(e.now) == mostEarly {
		return
	}
	e.now = append(e.now, k)
	e.writeSoon()
}

// writeSoon writes the list in a moment. The caller holds mu.
func (e *early) writeSoon() {
	if !e.writes {
		e.writes = true
		time.AfterFunc(listAfter, e.write)
	}
}

// write writes the list, where it is another one: what this run used, and then what the one
// before did and this one may still.
func (e *early) write() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.writes = false
	list := slices.Clone(e.now)
	for _, k := range e.before {
		if len(list) < mostEarly && !slices.Contains(list, k) {
			list = append(list, k)
		}
	}
	if !e.begun || slices.Equal(list, e.written) {
		return
	}
	var text []byte
	for _, k := range list {
		text = append(text, k[:]...)
	}
	if e.store.Save(e.list, text) == nil { // else the next run loads what it would have
		e.written = list
	}
}

// end drops what was loaded early and not used.
func (e *early) end() {
	e.mu.Lock()
	left := e.ready
	e.ready, e.before = nil, nil
	e.writeSoon()
	e.mu.Unlock()
	for _, l := range left {
		e.drop(l)
	}
}
