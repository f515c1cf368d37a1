package proc

import (
	"io"
	"sync"
)

// feed is the buffer between the FIFO and the decoder. It records
// when the decoder has read everything and waits for more: all displays are then
// delivered.
type feed struct {
	mu      sync.Mutex
	changed *sync.Cond
	buf     []byte
	waiting bool
	closed  bool
}

func newFeed() *feed {
	f := &feed{}
	f.changed = sync.NewCond(&f.mu)
	return f
}

func (f *feed) add(p []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return
	}
	f.buf = append(f.buf, p...)
	f.changed.Broadcast()
}

// fill waits for a byte. The caller holds f.mu.
func (f *feed) fill() bool {
	for len(f.buf) == 0 && !f.closed {
		f.waiting = true
		f.changed.Broadcast()
		f.changed.Wait()
	}
	f.waiting = false
	return len(f.buf) > 0
}

// Read implements io.Reader for the decoder.
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

// ReadByte makes gob read from here directly, with no buffer between.
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

// idle waits until the decoder has taken everything.
func (f *feed) idle() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.closed && (len(f.buf) > 0 || !f.waiting) {
		f.changed.Wait()
	}
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.changed.Broadcast()
}
