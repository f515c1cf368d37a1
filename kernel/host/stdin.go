package host

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/holt-dl/holt/kernel/host/msg"
)

// Cells read standard input from a pipe: descriptor 0, for Go, C and programs
// that inherit it alike. When something waits in read(0, …) and the pipe is
// empty, the kernel is asked for a line. What the system shows of its threads
// says so (/proc/self/task/N/syscall); a pipe itself does not.
//
// Each cell has a pipe of its own. The end of the cell, an interrupt and the
// lack of a person close it, which is end of file to all that wait: a reader
// that was left behind takes nothing of what a later cell asks for.

// How often a cell is looked at that may wait for input: at first, and later.
const (
	lookSoon = 10 * time.Millisecond
	lookLate = 200 * time.Millisecond
)

// stdin is the standard input of the cell that runs: the writing end of its pipe, whose reading
// end is descriptor 0. The field answer is closed when a line, or the end, has come for the
// question that was asked last; nil when none is open.
type stdin struct {
	mu     sync.Mutex
	cell   int
	write  *os.File // nil at end of file
	inode  uint64   // of the pipe
	answer chan struct{}
}

// begin gives a cell its pipe. It comes in the place of the last one's, whose writing end is
// closed first: a goroutine that still reads from that finds its end. Descriptor 0 is inherited by
// programs; both ends of the pipe itself are not.
func (in *stdin) begin(cell int) error {
	var p [2]int
	if err := syscall.Pipe2(p[:], syscall.O_CLOEXEC); err != nil {
		return fmt.Errorf("host: a pipe for standard input: %w", err)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.close()
	err := syscall.Dup3(p[0], 0, 0)
	syscall.Close(p[0])
	var st syscall.Stat_t
	if err == nil {
		err = syscall.Fstat(0, &st)
	}
	if err != nil {
		syscall.Close(p[1])
		return fmt.Errorf("host: a pipe for standard input: %w", err)
	}
	// A line that is longer than the pipe must not hold a thread.
	syscall.SetNonblock(p[1], true)
	in.cell, in.write, in.inode = cell, os.NewFile(uintptr(p[1]), "stdin"), st.Ino
	// What C code read ahead was the last cell's.
	rewindC()
	return nil
}

// end is the end of the standard input of a cell. For a cell that is not the running one any
// more it does nothing.
func (in *stdin) end(cell int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.cell == cell {
		in.close()
	}
}

// close ends the pipe. The caller holds mu.
func (in *stdin) close() {
	if in.write != nil {
		in.write.Close()
		in.write = nil
	}
}

// take gives the running cell what the kernel sends. It is called by serve, and must not wait
// long: a pipe has room for 64 KiB, so a short line fits unless nothing is read.
func (in *stdin) take(l msg.Line) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if l.EOF {
		in.close()
	} else if f := in.write; f != nil && l.Text != "" {
		write := func() { f.Write([]byte(l.Text)) }
		if len(l.Text) > 4096 { // it may have to wait for a reader
			go write()
		} else {
			f.SetWriteDeadline(time.Now().Add(time.Second))
			write()
			f.SetWriteDeadline(time.Time{})
		}
	}
	if in.answer != nil {
		close(in.answer)
		in.answer = nil
	}
}

// watchStdin requests a line whenever the cell waits for one, until the cell ends. It is a
// goroutine of each cell. It looks ever more rarely, down to five times a second, since most
// cells never read; a look costs a file for each thread of the process.
func (s *server) watchStdin(e *execution) {
	for look := lookSoon; !e.reported.Load() && s.stdin.open(e.cell); look = min(look*5/4, lookLate) {
		select {
		case <-e.ended:
			return
		case <-time.After(look):
		}
		if !s.stdin.waits() {
			continue
		}
		answer := make(chan struct{})
		// The channel is in place before the question is asked, or a quick answer would not be
		// noticed.
		s.stdin.mu.Lock()
		s.stdin.answer = answer
		s.stdin.mu.Unlock()
		s.send(msg.KindInput, e.cell, struct{}{})
		select {
		case <-answer:
		case <-e.ended:
			return
		}
		look = lookSoon
	}
}

// open reports whether the cell's pipe can still bring a line: it is the running cell's, and
// neither a person's end of input nor an interrupt has closed it.
func (in *stdin) open(cell int) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.cell == cell && in.write != nil
}

// waits reports whether this process, or one that has its standard input, waits for a line that
// is not there.
//
// Bytes in the pipe come first: a reader that is about to take them waits for nothing. A
// program counts when its own descriptor 0 is this pipe, which the name of the link says.
func (in *stdin) waits() bool {
	in.mu.Lock()
	inode, open := in.inode, in.write != nil
	in.mu.Unlock()
	var st syscall.Stat_t
	if !open || syscall.Fstat(0, &st) != nil {
		return false
	}
	var unread int32
	const fionread = 0x541B // TIOCINQ, which package syscall lacks on arm64
	if st.Ino == inode {    // and not a file that the cell has put there
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, 0, fionread, uintptr(unsafe.Pointer(&unread))); errno != 0 || unread > 0 {
			return false
		}
		if readsStdin(os.Getpid()) {
			return true
		}
	}
	pipe := fmt.Sprintf("pipe:[%d]", inode)
	for _, pid := range descendants(os.Getpid()) {
		if link, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/0", pid)); err == nil && link == pipe && readsStdin(pid) {
			return true
		}
	}
	return false
}

// readsStdin reports whether a thread of a process waits in read(0, …).
func readsStdin(pid int) bool {
	want := fmt.Sprintf("%d 0x0 ", syscall.SYS_READ)
	var buf [64]byte
	for _, task := range tasks(pid) {
		if strings.HasPrefix(string(glance(task+"/syscall", buf[:])), want) {
			return true
		}
	}
	return false
}
