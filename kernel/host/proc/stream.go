package proc

import (
	"os"
	"sync"
	"syscall"
	"unicode/utf8"
)

// stream is the kernel's end of the host's standard output or error. A goroutine reads it as
// bytes come; drain reads what is there right now. Both deliver under the process's lock, so
// bytes keep their order, and after drain nothing written before is left anywhere: no markers
// in the stream are needed.
//
// The file does not block, as it is in Go's poller: the goroutine waits there, without the
// lock, and reads when there are bytes. Raw is how both get at the descriptor, since the
// methods of os.File would wait. Buf and part are guarded by that lock too.
type stream struct {
	file *os.File
	raw  syscall.RawConn
	f    func([]byte)
	tail *tail // nil: not kept
	buf  []byte
	part int // bytes at the start of buf: the beginning of a UTF-8 sequence
}

// newStream returns a stream that passes what it reads to f, which must not keep the slice.
func newStream(file *os.File, f func([]byte)) *stream {
	// Not file.Fd, which would make the file block.
	raw, err := file.SyscallConn()
	if err != nil {
		panic(err) // only for a nil file
	}
	return &stream{file: file, raw: raw, f: f, buf: make([]byte, 64<<10)}
}

// read delivers until the last writer is gone or the file is closed. Programs that a cell
// started may be writers too, and outlive the host. The function that raw.Read calls says false
// to wait until the file is readable again.
func (s *stream) read(mu *sync.Mutex) {
	for {
		open := true
		err := s.raw.Read(func(fd uintptr) bool {
			mu.Lock()
			defer mu.Unlock()
			var again bool
			open, again = s.once(fd)
			return !again
		})
		if err != nil || !open {
			return
		}
	}
}

// drain delivers what is in the pipe now; the caller holds the lock. With all,
// also half a character, which may be a byte that is not text at all.
func (s *stream) drain(all bool) {
	s.raw.Control(func(fd uintptr) {
		for {
			if open, again := s.once(fd); !open || again {
				return
			}
		}
	})
	// At the end of a cell, say, no byte may be left.
	if all && s.part > 0 {
		s.pass(s.buf[:s.part])
		s.part = 0
	}
}

// once reads and delivers once. Open is false at the end of the stream; again says that there
// was nothing to read, and that there may be later.
func (s *stream) once(fd uintptr) (open, again bool) {
	for {
		n, err := syscall.Read(int(fd), s.buf[s.part:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			return true, true
		case err != nil || n == 0:
			return false, false
		}
		// What the last read left over stands before the new bytes. The beginning of a
		// character at their end is kept back, or the notebook would show a mark for wrong
		// UTF-8 on either side of the cut.
		n += s.part
		whole := n - cut(s.buf[:n])
		s.pass(s.buf[:whole])
		s.part = copy(s.buf, s.buf[whole:n])
		return true, false
	}
}

// pass delivers p, and keeps it in the tail where there is one.
func (s *stream) pass(p []byte) {
	if len(p) == 0 {
		return
	}
	if s.tail != nil {
		s.tail.add(p)
	}
	s.f(p)
}

// cut returns how many bytes at the end of p begin a UTF-8 sequence that goes on: 0 to 3. It
// looks for the last byte that begins a sequence; bytes that are no UTF-8 at all are 0 and are
// passed as they are.
func cut(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		b := p[len(p)-n]
		if utf8.RuneStart(b) {
			if b >= utf8.RuneSelf && !utf8.FullRune(p[len(p)-n:]) {
				return n
			}
			return 0
		}
	}
	return 0
}

// tail keeps the last bytes that went by, at least tailSize of them. They are searched for the
// runtime's report when the process has ended.
type tail struct{ buf []byte }

// tailSize is room for the report, which begins with what happened; the traces of many
// goroutines may be longer.
const tailSize = 64 << 10

// add appends p. It cuts only at twice the size, so that bytes are moved seldom.
func (t *tail) add(p []byte) {
	t.buf = append(t.buf, p...)
	if len(t.buf) > 2*tailSize {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-tailSize:]...)
	}
}
