package host

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// Cells share os.Stdin, os.Stdout and os.Stderr with the host, and can set or
// close them as any program can. What a cell that succeeds sets stays, as other
// variables do, and is said; what one that fails has set is put back, since it
// may not have come to that; and what is closed is opened again.

// standard keeps the standard files of the process. Serve calls begin, and the goroutine that
// reports a cell's end calls end.
//
// The host's own files are kept for two reasons: they are what a cell gets back, and the
// collector closes the descriptor of a file that nothing refers to. The copies are descriptors
// of the same pipes; they are high, and stay even where a cell closes descriptor 1 itself.
//
// A number that a cell closes is free for the next file that something opens, be it the cell or
// the host itself, which looks at threads beside it. Then the variable becomes a file of another
// number, and the number is the notebook's again when a cell begins that finds it free.
type standard struct {
	files  [3]*os.File // the host's own; kept, as the collector closes what is not used
	copies [3]int      // of the same descriptors, which no cell closes
	before [3]*os.File // the variables when the cell began
	kept   []*os.File  // other files of these descriptors, never to be closed
}

// variables are the three that a cell can set, by descriptor.
func variables() [3]**os.File { return [3]**os.File{&os.Stdin, &os.Stdout, &os.Stderr} }

// stdNames are their names, for what is said of them.
var stdNames = [3]string{"os.Stdin", "os.Stdout", "os.Stderr"}

// keep remembers the files, when the host starts.
func (std *standard) keep() {
	for i, v := range variables() {
		std.files[i], std.copies[i] = *v, aside(i)
	}
}

// aside returns another number for what a descriptor stands for, above those that programs count
// on. Where there is none, it is the descriptor itself, and what a cell closes stays closed.
func aside(fd int) int {
	high, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 100)
	if errno != 0 {
		return fd
	}
	return int(high)
}

// begin is called before a cell runs. What the variables hold then may be a file that an
// earlier cell has set for good.
func (std *standard) begin() {
	for i, v := range variables() {
		std.before[i] = *v
		std.open(i)
	}
}

// open opens a descriptor that is closed: C code and programs would have none, and the next file
// that is opened would become it.
func (std *standard) open(i int) {
	var st syscall.Stat_t
	if syscall.Fstat(i, &st) != nil {
		syscall.Dup3(std.copies[i], i, 0)
	}
}

// end is called when a cell has ended. Failed says that it did not come to its end. What a
// person should know of it is said on the real standard error, for each variable by itself:
//
//	closed                          opened again, whatever the cell's end
//	another file, cell succeeded    stays, as other variables do
//	another file, cell failed       what it was before
//
// A cell that only redirects for a while, and restores what was there, is left alone.
func (std *standard) end(failed bool) {
	for i, v := range variables() {
		now := *v
		std.open(i)
		switch {
		case closed(now) && now == std.files[i]:
			std.renew(i)
			std.say("%s was closed by this cell, and is open again for later ones%s", stdNames[i], std.taken(i))
		case closed(now):
			std.renew(i)
			std.say("%s was set to a file that is closed; it is the notebook's again", stdNames[i])
		// Not touched, or set back.
		case now == std.before[i] || now == std.files[i]:
		case same(now, std.copies[i]):
			// Another file of the same descriptor: when the collector finds it
			// unused, it would close that.
			std.kept = append(std.kept, now)
			std.renew(i)
		case failed:
			if *v = std.before[i]; closed(*v) {
				std.renew(i)
			}
			std.say("%s is what it was before this cell, which set it to %s and ended before its end", stdNames[i], now.Name())
		case i == 0:
			std.say("os.Stdin is %s from here on; os.Stdin = os.NewFile(0, \"stdin\") brings the notebook's back", now.Name())
		default:
			std.say("%s is %s from here on, and what is printed there is not shown; %[1]s = os.NewFile(%[3]d, %[4]q) brings the notebook's back",
				stdNames[i], now.Name(), i, std.files[i].Name())
		}
	}
}

// renew sets a variable to the host's own file, opened again where it was closed. A closed
// *os.File cannot be revived; a new one takes its place, of the same number unless that is
// another file's by now.
func (std *standard) renew(i int) {
	if closed(std.files[i]) {
		fd := i
		if std.isTaken(i) {
			fd = aside(std.copies[i])
		}
		std.files[i] = os.NewFile(uintptr(fd), std.files[i].Name())
	}
	*variables()[i] = std.files[i]
}

// isTaken reports whether the number of standard output or standard error is another file's.
// That of standard input is given to each cell anew, see [stdin.begin].
func (std *standard) isTaken(i int) bool {
	var st, own syscall.Stat_t
	return i > 0 && syscall.Fstat(i, &st) == nil && syscall.Fstat(std.copies[i], &own) == nil &&
		(st.Dev != own.Dev || st.Ino != own.Ino)
}

// taken says which file has a number that a cell closed, and what that means; nothing where it
// is free, or the host's own for a moment.
func (std *standard) taken(i int) string {
	name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", i))
	if err != nil || !std.isTaken(i) || strings.HasPrefix(name, "/proc/") {
		return ""
	}
	return fmt.Sprintf("; what C code prints there goes to %s, which has its descriptor %d, until that is closed", name, i)
}

// closed reports whether a file is closed; nil counts as closed.
func closed(f *os.File) bool {
	if f == nil {
		return true
	}
	_, err := f.Stat()
	return errors.Is(err, os.ErrClosed)
}

// same reports whether a file is what a descriptor stands for: the same pipe, by device and
// inode, whatever the number.
func same(f *os.File, fd int) bool {
	var st syscall.Stat_t
	info, err := f.Stat()
	if err != nil || syscall.Fstat(fd, &st) != nil {
		return false
	}
	of, ok := info.Sys().(*syscall.Stat_t)
	return ok && of.Dev == st.Dev && of.Ino == st.Ino
}

// say writes a sentence for the notebook, whatever os.Stderr is.
func (std *standard) say(format string, args ...any) {
	syscall.Write(std.copies[2], fmt.Appendf(nil, "holt: "+format+"\n", args...))
}
