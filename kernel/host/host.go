package host

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"unsafe"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/rt"
)

// Options join the host with what draws values.
type Options struct {
	// Render turns the value of a cell into a bundle; fmt's %v when nil.
	Render func(v any) frame.Bundle
	// Leave ends and saves what goes on without a cell, such as trainings, before the process ends
	// because the notebook is done; nil where there is nothing.
	Leave func()
}

// server is the process's one connection and what runs in it.
type server struct {
	// Set before serve begins.
	opt  Options
	conn net.Conn

	out  sync.Mutex      // one message at a time
	acks []chan struct{} // senders of output that wait for the kernel, oldest first; guarded by out

	// What any goroutine may look up while cells come and go. Loaded and execs grow with the
	// number of executions; execs is cleared of what is over (forget), while loaded must know
	// every path for good.
	execs    sync.Map     // profiler labels (unsafe.Pointer) → *execution
	holds    atomic.Int32 // of interrupted cells, by Hold
	files    sync.Map     // display names of the cells that ran here, such as cell[5]
	current  atomic.Pointer[execution]
	poisoned atomic.Pointer[string] // why no further plugin may be loaded
	loaded   sync.Map               // import paths of cells → cell number
	plugins  atomic.Int64
	stdin    stdin
	std      standard

	// stopMu guards what interrupts change.
	stopMu   sync.Mutex
	flags    map[string]*uint32 // stop flags of the programs, by import path
	stopped  []*execution       // interrupted, with goroutines that may still run
	sweeping bool
}

// Main is the host process: it serves the kernel at the other end of the inherited socket until
// that closes it, and never returns.
//
// All hooks are set before the first message says that the host is ready, so that no cell can
// find one missing.
func Main(opt Options) {
	conn, err := inherited()
	if err != nil {
		fmt.Fprintf(os.Stderr, "holt-host: %v; this program is started by holt kernel\n", err)
		os.Exit(2)
	}
	if opt.Render == nil {
		opt.Render = func(v any) frame.Bundle { return frame.Text(fmt.Sprint(v)) }
	}
	s := &server{opt: opt, conn: conn, flags: map[string]*uint32{}}
	active.Store(s)
	// Caught rather than ignored: programs that a cell starts would inherit
	// an ignored signal.
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, syscall.SIGINT)
	s.std.keep()
	s.printers()
	lineBuffered()
	frame.SetSink(s.show)
	rt.Host = rt.Hooks{
		Result:   s.result,
		Watch:    s.watch,
		Exit:     s.exit,
		Old:      oldValues,
		Missing:  nameMissing,
		Harmless: cannotSync,
		Owned:    func(labels unsafe.Pointer) bool { _, ok := s.execs.Load(labels); return ok },
		Done:     s.done,
		Pause:    pause,
	}
	s.send(msg.KindReady, 0, msg.Ready{PID: os.Getpid()})
	s.serve()
	// No deferred call and no goroutine of a cell may hold up the end: the kernel is gone, or
	// wants this.
	os.Exit(0)
}

// active is the server of this process, for [Context].
var active atomic.Pointer[server]

// Context returns the context of the cell that the calling goroutine belongs to. An interrupt
// cancels it while the cell runs; it is never cancelled after the cell's end, so that work left
// to run goes on. Elsewhere it is the running cell's, or the background context: on a goroutine
// of a library's own, or one whose labels the program has replaced.
func Context() context.Context {
	s := active.Load()
	if s == nil {
		return context.Background()
	}
	if e := s.caller(); e != nil {
		return e.ctx
	}
	if e := s.current.Load(); e != nil {
		return e.ctx
	}
	return context.Background()
}

// caller returns the execution that the calling goroutine belongs to, or nil. Labels are
// compared as pointers, without a look at their text: a goroutine has the very labels of the
// one that started it.
func (s *server) caller() *execution {
	if labels := rt.Labels(); labels != nil {
		if e, ok := s.execs.Load(labels); ok {
			return e.(*execution)
		}
	}
	return nil
}

// inherited returns the connection whose descriptor HOLT_HOST_FD names, and hides it from the
// programs that cells start: neither the variable nor the descriptor is theirs. A program that
// held the socket open would keep the kernel from seeing this process hang up.
func inherited() (net.Conn, error) {
	fd, err := strconv.Atoi(os.Getenv("HOLT_HOST_FD"))
	if err != nil {
		return nil, fmt.Errorf("HOLT_HOST_FD is %q, want the number of an inherited socket", os.Getenv("HOLT_HOST_FD"))
	}
	os.Unsetenv("HOLT_HOST_FD")
	syscall.CloseOnExec(fd)
	f := os.NewFile(uintptr(fd), "kernel")
	defer f.Close() // FileConn makes a copy
	conn, err := net.FileConn(f)
	if err != nil {
		return nil, fmt.Errorf("descriptor %d: %w", fd, err)
	}
	return conn, nil
}

// serve answers the kernel until it hangs up. Nothing here may wait for a cell, as an interrupt
// comes the same way: cells and calls run on goroutines of their own.
func (s *server) serve() {
	for {
		m, err := frame.Read(s.conn)
		if err != nil {
			return
		}
		switch m.Kind {
		case msg.KindRun:
			var run msg.Run
			if err := json.Unmarshal(m.Body, &run); err != nil {
				s.send(msg.KindDone, m.Cell, msg.Done{Result: msg.Refused, Name: "protocol", Value: err.Error()})
				continue
			}
			s.start(m.Cell, run)
		case msg.KindInterrupt:
			s.interrupt(m.Cell)
		case msg.KindAck:
			s.ack()
		case msg.KindLine:
			var l msg.Line
			// A line that cannot be read counts as the end: the cell would wait for ever
			// otherwise.
			if err := json.Unmarshal(m.Body, &l); err != nil {
				l = msg.Line{EOF: true}
			}
			s.stdin.take(l)
		case msg.KindCall:
			var c msg.Call
			if err := json.Unmarshal(m.Body, &c); err == nil {
				go s.answer(c)
			}
		}
	}
}

// send writes one message. An error means that the kernel is gone, which serve sees too; so it
// is dropped. Any goroutine may call it.
func (s *server) send(kind frame.Kind, cell int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // the types of package msg always encode
	}
	s.out.Lock()
	defer s.out.Unlock()
	frame.Write(s.conn, frame.Message{Kind: kind, Cell: cell, Body: text})
}

// show sends output and waits until the kernel has it: what the cell prints next, into a pipe,
// can then not overtake it. It is the sink of package frame, called by whatever goroutine shows
// something. A frame that says whose it is keeps that.
func (s *server) show(m frame.Message) error {
	if e := s.caller(); m.Cell == 0 && e != nil {
		m.Cell = e.cell
	}
	return s.deliver(m)
}

// deliver sends a message and waits until the kernel has handled it. What C code has in its
// buffers goes out first, since it was printed before. The kernel acknowledges in the order in
// which it gets messages, so a queue is enough to tell whose turn it is; the entry is made
// under the lock under which the message is written, or two senders could swap.
func (s *server) deliver(m frame.Message) error {
	flushC()
	arrived := make(chan struct{})
	s.out.Lock()
	err := frame.Write(s.conn, m)
	if err == nil {
		s.acks = append(s.acks, arrived)
	}
	s.out.Unlock()
	if err == nil {
		<-arrived
	}
	return err
}

// Sync returns when the kernel has read all that this process has written to any of its pipes,
// and shown it. In a process without a kernel it does nothing.
func Sync() {
	if s := active.Load(); s != nil {
		s.deliver(frame.Message{Kind: msg.KindSync})
	}
}

// ack wakes the sender that has waited longest.
func (s *server) ack() {
	s.out.Lock()
	defer s.out.Unlock()
	if len(s.acks) > 0 {
		close(s.acks[0])
		s.acks = s.acks[1:]
	}
}
