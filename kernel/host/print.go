package host

import (
	"encoding/json"
	"log"
	"os"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/rt"
)

// printer is standard output or error as a cell's text prints to it: a goroutine of a cell that
// is over prints to that cell, by way of the kernel, and all else to the file itself.
//
// The file is a pipe to the kernel, and what comes through it belongs to the cell that runs. A
// goroutine of another cell therefore sends a message with its cell's number instead. The
// generated code prints through rt.Stdout:
//
//	fmt.Println("x")    →    fmt.Fprintln(ˣrt.Stdout, "x")
//
// Text that a library prints goes to the pipe, and is the running cell's.
type printer struct {
	s    *server
	i    int // the descriptor
	file func() *os.File
}

// printers sets where cells, and the logger that packages share, print to. The file is asked
// for at each write, since a cell may set os.Stdout. The logger's is the host's own, as a
// logger keeps the writer that it was given.
func (s *server) printers() {
	rt.Stdout = printer{s, 1, func() *os.File { return os.Stdout }}
	rt.Stderr = printer{s, 2, func() *os.File { return os.Stderr }}
	if log.Writer() == os.Stderr {
		log.SetOutput(printer{s, 2, func() *os.File { return s.std.files[2] }})
	}
}

// Write implements io.Writer. Where a cell has set os.Stdout to a file of its own, all that is
// printed goes there: the program has said so.
func (p printer) Write(b []byte) (int, error) {
	file := p.file()
	e := p.s.caller()
	if e == nil || e == p.s.current.Load() || file != p.s.std.files[p.i] {
		return file.Write(b)
	}
	// Deliver waits until the kernel has it, so that two prints of one goroutine keep their
	// order.
	body, err := json.Marshal(msg.Print{Stream: [...]string{"stdin", "stdout", "stderr"}[p.i], Text: b})
	if err == nil {
		err = p.s.deliver(frame.Message{Kind: msg.KindPrint, Cell: e.cell, Body: body})
	}
	if err != nil {
		return 0, err
	}
	return len(b), nil
}
