package proc

import (
	"io"
	"sync"
)

// feed is the buffer between the FIFO and the decoder. It records when the decoder has read
// everything and waits for more: all displays are then delivered.
//
// That is what drain needs to know, and a pipe does not tell it: an empty pipe may mean that
// the decoder has half a display in its hands. The buffer has no limit, since what fills it,
// drain too, must not wait for the decoder.
type feed struct {
	mu sync.Mutex
	// Changed wakes all who wait for a change of what follows: the decoder for bytes, idle for
	// the decoder. Waiting is set while the decoder has nothing to read.
	changed *sync.Cond
	buf     []byte
	waiting bool
	closed  bool
}

// newFeed returns an empty feed.
func newFeed() *feed {
	f := &feed{}
	f.changed = sync.NewCond(&f.mu)
	return f
}

// add appends a copy of p, which the decoder reads next.
func (f *feed) add(p []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.buf = append(f.buf, p...)
	f.changed.Broadcast()
}

// fill waits for a byte, and reports whether there is one: false is the end. What came before
// close is read first. The caller holds f.mu.
func (f *feed) fill() bool {
	for len(f.buf) == 0 && !f.closed {
		f.waiting = true
		f.changed.Broadcast()
		f.changed.Wait()
	}
	f.waiting = false
	return len(f.buf) > 0
}

// Read implements io.Reader for the decoder. It returns what is there, and waits only when that
// is nothing.
func (f *feed) Read(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.fill() {
		return 0, io.EOF
	}
	n := copy(p, f.buf)
	f.buf = f.buf[n:]
	return n, nil
}

// ReadByte makes gob read from here directly, with no buffer between: gob puts a bufio.Reader
// around a reader that is no io.ByteReader, and that would take bytes before it needs them, so
// that waiting said nothing of what was delivered.
func (f *feed) ReadByte() (byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.fill() {
		return 0, io.EOF
	}
	b := f.buf[0]
	f.buf = f.buf[1:]
	return b, nil
}

// idle waits until the decoder has taken everything and delivered it: it comes back for more
// only then. After close it returns at once.
func (f *feed) idle() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.closed && (len(f.buf) > 0 || !f.waiting) {
		f.changed.Wait()
	}
}

// close ends the feed, for the decoder and for all who wait.
func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.changed.Broadcast()
}
