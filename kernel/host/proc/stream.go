package proc

import (
	"os"
	"sync"
	"syscall"
	"unicode/utf8"
)

// stream is the kernel's end of the host's standard output or error. A
// goroutine reads it as bytes come; drain reads what is there right now. Both
// deliver under the process's lock, so bytes keep their order, and after drain
// nothing written before is left anywhere: no markers in the stream are needed.
type stream struct {
	file *os.File
	raw  syscall.RawConn
	f    func([]byte)
	tail *tail // nil: not kept
	buf  []byte
	part int // bytes at the start of buf: the beginning of a UTF-8 sequence
}

func newStream(file *os.File, f func([]byte)) *stream {
	raw, err := file.SyscallConn()
	if err != nil {
		panic(err) // only for a nil file
	}
	return &stream{file: file, raw: raw, f: f, buf: make([]byte, 64<<10)}
}

// read delivers until the last writer is gone or the file is closed.
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
	if all && s.part > 0 {
		s.pass(s.buf[:s.part])
		s.part = 0
	}
}

// once reads and delivers once.
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
		n += s.part
		whole := n - cut(s.buf[:n])
		s.pass(s.buf[:whole])
		s.part = copy(s.buf, s.buf[whole:n])
		return true, false
	}
}

func (s *stream) pass(p []byte) {
	if len(p) == 0 {
		return
	}
	if s.tail != nil {
		s.tail.add(p)
	}
	s.f(p)
}

// cut returns how many bytes at the end of p begin a UTF-8 sequence that
// goes on.
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

// tail keeps the last bytes that went by.
type tail struct{ buf []byte }

const tailSize = 64 << 10

func (t *tail) add(p []byte) {
	t.buf = append(t.buf, p...)
	if len(t.buf) > 2*tailSize {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-tailSize:]...)
	}
}
