package proc

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/janpfeifer/gonb/gonbui/protocol"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/machine/orphan"
)

// Options are the settings of a host process. The functions are called by one goroutine at a
// time, in the order in which things were printed and shown; Input, which may take long, is
// called by others. They must not call the Process in a way that waits for its output.
type Options struct {
	Dir string   // where cells run; the kernel's folder when empty
	Env []string // "KEY=value", added to the kernel's environment

	Stdout func([]byte) // what the process prints; the slice is lent for the call
	Stderr func([]byte)
	Frame  func(frame.Message) // display, update, result, clear or warn; Cell says whose
	// Print is called with what a goroutine of a finished cell has printed.
	Print func(cell int, stream string, p []byte)
	// Input requests a line from the user, for a cell that waits for standard input
	// and for gonbui.RequestInput. nil means that the front end allows no input.
	Input func(prompt string, password bool) (string, error)
	// Page is the page of gonbui/comms; nil when there is none.
	Page Page
	// Sync brings all that was shown to the notebook at once, for gonbui.Sync.
	Sync func()
}

// unresponsive is how long an interrupted host has to answer at all. It reports a cell that it
// cannot stop after a second, so one that says nothing for so long is held up as a whole.
const unresponsive = 10 * time.Second

// Process is a running host. Its methods may be called by several goroutines.
//
// Goroutines of its own serve it: one for each of the pipes, one for the socket (receive),
// three for the FIFOs (gonb), and one that started it and waits for its end.
type Process struct {
	opt      Options
	cmd      *exec.Cmd
	conn     net.Conn
	ready    chan struct{} // closed by the host's first message
	done     chan struct{} // closed after the end, when all output is delivered
	received chan struct{} // closed when the host has hung up
	exit     *Exit         // set before done is closed

	// Deliver is what keeps output in order: reading from a pipe and passing on what was read
	// happen under it together.
	deliver sync.Mutex // held while a function of opt runs
	out     *stream
	// Standard error passes through held; gonb brings the displays of package gonbui.
	errs   *stream
	held   *hold
	gonb   *gonb
	prompt prompt // guarded by deliver

	questions questions

	write sync.Mutex // one message at a time to the host

	// Mu guards what follows: who waits for the end of a cell, by its number, and for the
	// answer of a call, by seq. Each of these channels has room for one value, so that receive
	// never waits for a reader.
	mu     sync.Mutex
	killed bool
	runs   map[int]chan msg.Done
	calls  map[int]chan msg.Return
	seq    int
}

// Start starts the host program and waits until it listens. Cancelling ctx ends only the
// waiting and the process with it; a started process runs until [Process.Kill] or the end of
// the kernel.
//
// A host that ends before it listens is an error that wraps its [Exit].
func Start(ctx context.Context, host string, opt Options) (*Process, error) {
	// What no one wants is dropped, so that the rest need not ask.
	if opt.Stdout == nil {
		opt.Stdout = func([]byte) {}
	}
	if opt.Stderr == nil {
		opt.Stderr = func([]byte) {}
	}
	if opt.Frame == nil {
		opt.Frame = func(frame.Message) {}
	}
	// Without one, output of earlier cells' goroutines is output as any.
	if opt.Print == nil {
		opt.Print = func(_ int, stream string, b []byte) {
			if stream == "stderr" {
				opt.Stderr(b)
			} else {
				opt.Stdout(b)
			}
		}
	}
	p := &Process{
		opt: opt, ready: make(chan struct{}), received: make(chan struct{}), done: make(chan struct{}),
		runs: map[int]chan msg.Done{}, calls: map[int]chan msg.Return{},
	}
	if err := p.launch(host); err != nil {
		return nil, fmt.Errorf("proc: start %s: %w", host, err)
	}
	select {
	// Whichever comes first: the host listens, it has ended, or no one waits any more.
	case <-p.ready:
		return p, nil
	case <-p.done:
		return nil, fmt.Errorf("proc: start %s: %w", host, p.exit)
	case <-ctx.Done():
		p.Kill()
		<-p.done
		return nil, fmt.Errorf("proc: start %s: %w", host, context.Cause(ctx))
	}
}

// launch starts the process and the goroutines that read from it. On an error the pipes are
// closed again.
func (p *Process) launch(host string) (err error) {
	var opened []*os.File // closed on error
	defer func() {
		if err != nil {
			for _, f := range opened {
				f.Close()
			}
			if p.gonb != nil {
				p.gonb.close()
			}
		}
	}()
	pipe := func() (r, w *os.File) {
		if err == nil {
			// After the first error nothing more is opened, so that one check is enough for
			// both.
			if r, w, err = os.Pipe(); err == nil {
				opened = append(opened, r, w)
			}
		}
		return r, w
	}
	outR, outW := pipe()
	errR, errW := pipe()
	if err != nil {
		return err
	}
	// The kernel's ends of all of these are close-on-exec, so that no program of the kernel's
	// holds them open. The other end of the socket becomes the host's descriptor 3, by its
	// place in ExtraFiles.
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	theirs := os.NewFile(uintptr(pair[1]), "host")
	ours := os.NewFile(uintptr(pair[0]), "kernel")
	opened = append(opened, theirs, ours)
	if p.conn, err = net.FileConn(ours); err != nil {
		return err
	}
	// FileConn has made a copy, which is in Go's poller.
	ours.Close()
	if p.gonb, err = newGonb(p); err != nil {
		return err
	}
	// Both streams go by the prompt too: what a cell printed last may be its question. Standard
	// error is filtered on its way, and its end is kept for the report of a crash.
	p.out = newStream(outR, func(b []byte) { p.prompt.add(b); p.opt.Stdout(b) })
	p.held = &hold{f: func(b []byte) { p.prompt.add(b); p.opt.Stderr(b) }, mu: &p.deliver, alive: p.alive}
	p.errs = newStream(errR, p.held.write)
	p.errs.tail = &tail{}

	p.cmd = exec.Command(host)
	p.cmd.Dir = p.opt.Dir
	// What is set here comes last, and so counts over what the kernel itself was started with.
	p.cmd.Env = append(withLargePages(append(os.Environ(), p.opt.Env...)), "HOLT_HOST_FD=3")
	p.cmd.Env = append(p.cmd.Env, p.gonb.env()...)
	p.cmd.Stdout, p.cmd.Stderr = outW, errW // each cell makes a standard input of its own
	p.cmd.ExtraFiles = []*os.File{theirs}
	// A group of its own, so that Ctrl-C in the kernel's terminal does not
	// reach it, and no life after the kernel's.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}

	started := make(chan error)
	go func() {
		// The death signal comes when the thread ends that started the
		// process, not when the kernel does, so this thread has to stay.
		runtime.LockOSThread()
		err := p.cmd.Start()
		var release func()
		if err == nil {
			release = orphan.Guard(p.cmd.Process.Pid) // for the programs that cells start
		}
		started <- err
		if err != nil {
			return
		}
		defer release()
		p.end(p.cmd.Wait())
	}()
	if err := <-started; err != nil {
		p.conn.Close()
		return err
	}
	// The host has copies of these. While the kernel held them too, it would never see the
	// pipes' end.
	for _, f := range []*os.File{outW, errW, theirs} {
		f.Close()
	}
	opened = nil
	// Only a process that has started is read from: these goroutines end by the end of the
	// process.
	go p.out.read(&p.deliver)
	go p.errs.read(&p.deliver)
	go p.receive()
	p.gonb.start()
	return nil
}

// receive handles what the host sends, until it hangs up. It is one goroutine, so frames are
// handled in the order in which they come; acknowledgements go back in that order, which the
// host relies on. Nothing here may wait for a person or for a cell. A message of an unknown
// kind is passed over.
func (p *Process) receive() {
	defer close(p.received)
	var once sync.Once
	for {
		m, err := frame.Read(p.conn)
		if err != nil {
			return
		}
		switch m.Kind {
		case msg.KindReady:
			once.Do(func() { close(p.ready) })
		case frame.KindDisplay, frame.KindUpdate, frame.KindResult, frame.KindClear, frame.KindWarn:
			p.show(m)
			// The cell waits for this: what it prints next comes after.
			p.send(msg.KindAck, m.Cell, nil)
		case msg.KindPrint:
			// From a goroutine of a cell that is over. It did not come through the pipes, so
			// these need not be read first.
			var text msg.Print
			if json.Unmarshal(m.Body, &text) == nil {
				p.deliver.Lock()
				p.opt.Print(m.Cell, text.Stream, text.Text)
				p.deliver.Unlock()
			}
			p.send(msg.KindAck, m.Cell, nil)
		case msg.KindSync:
			p.gonb.drain()
			p.send(msg.KindAck, m.Cell, nil)
		case msg.KindInput:
			// The question is of whichever cell runs; the host sends it once until it has an
			// answer.
			go p.ask() // a person may take long
		case msg.KindDone:
			// The end of a cell: all that it has printed is read before Run returns.
			var d msg.Done
			if err := json.Unmarshal(m.Body, &d); err != nil {
				// As for a plugin that was refused: the session gives up this host.
				d = msg.Done{Result: msg.Refused, Name: "protocol", Value: err.Error()}
			}
			p.drain()
			p.deliver.Lock()
			// What looked like the report of a crash was the cell's own text.
			p.held.release() // the process lives
			p.deliver.Unlock()
			p.mu.Lock()
			if ch := p.runs[m.Cell]; ch != nil {
				ch <- d // has room for one
				delete(p.runs, m.Cell)
			}
			p.mu.Unlock()
		case msg.KindReturn:
			var r msg.Return
			if json.Unmarshal(m.Body, &r) != nil {
				continue
			}
			p.mu.Lock()
			if ch := p.calls[r.Seq]; ch != nil {
				ch <- r
				delete(p.calls, r.Seq)
			}
			p.mu.Unlock()
		}
	}
}

// alive reports whether the host answers within a second. One whose runtime writes the report
// of a crash does not, since its goroutines stand still meanwhile.
func (p *Process) alive() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return p.Ping(ctx) == nil
}

// show delivers a frame after all that was printed before it, and after the displays of gonbui
// that came before.
func (p *Process) show(m frame.Message) {
	p.gonb.drain()
	p.emit(m)
}

// emit delivers a frame after what the pipes hold now. Half a character at a pipe's end stays
// until its rest comes.
func (p *Process) emit(m frame.Message) {
	p.deliver.Lock()
	defer p.deliver.Unlock()
	p.out.drain(false)
	p.errs.drain(false)
	p.opt.Frame(m)
}

// drain delivers everything that the process has printed and shown until now. It must not be
// called with deliver held, nor by the goroutine that decodes the FIFO, for which it waits.
func (p *Process) drain() {
	p.gonb.drain()
	p.deliver.Lock()
	defer p.deliver.Unlock()
	p.out.drain(true)
	p.errs.drain(true)
}

// send sends one message to the host; nil is no body. An error means that the host has hung up;
// why, its end says (lost).
func (p *Process) send(kind frame.Kind, cell int, body any) error {
	// A body is JSON; acknowledgements and interrupts have none.
	m := frame.Message{Kind: kind, Cell: cell}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("proc: %w", err)
		}
		m.Body = text
	}
	p.write.Lock()
	defer p.write.Unlock()
	return frame.Write(p.conn, m)
}

// Unit is a plugin to run.
type Unit struct {
	Plugin string // file name of the .so
	Path   string // import path of the cell's package
	File   string // the cell's name in //line directives, "cell[5]"
	Cell   int    // number of the execution, from 1, never used before in this process
	// Deps are the import paths of the earlier cells that it is made of, which an
	// interrupt stops too.
	Deps []string
}

// SendValue gives the cells a value of the notebook page, for gonbui/comms. It
// must be of one of the types that gonbui's protocol names.
func (p *Process) SendValue(address string, value any) {
	p.gonb.send(protocol.CommValue{Address: address, Value: value})
}

// Run runs a cell and returns how it ended, after all that it printed and displayed has been
// delivered. Cancelling ctx interrupts the cell, which ends within about a second or is
// reported as stuck. The error is an [*Exit] when the process died.
//
// The channel is in place before the message is sent, as the answer may be quicker than this
// goroutine.
func (p *Process) Run(ctx context.Context, u Unit) (msg.Done, error) {
	ch := make(chan msg.Done, 1)
	p.mu.Lock()
	p.runs[u.Cell] = ch
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.runs, u.Cell)
		p.mu.Unlock()
	}()
	p.gonb.cell(u.Cell)
	p.deliver.Lock()
	// What an earlier cell printed last is no question of this one.
	p.prompt.text = nil
	p.deliver.Unlock()
	if err := p.send(msg.KindRun, u.Cell, msg.Run{Plugin: u.Plugin, Path: u.Path, File: u.File, Deps: u.Deps}); err != nil {
		return msg.Done{}, p.lost(err)
	}
	// Deaf fires when an interrupt was sent and nothing at all has come back; nil never fires.
	interrupt := ctx.Done()
	var deaf <-chan time.Time
	for {
		select {
		case d := <-ch:
			return d, nil
		case <-p.done:
			select {
			// Both can be ready, and select takes either.
			case d := <-ch: // it ended before the process did
				return d, nil
			default:
				return msg.Done{}, p.exit
			}
		case <-interrupt:
			// Once is enough: a closed channel would be ready for ever.
			interrupt = nil
			deaf = time.After(unresponsive)
			p.send(msg.KindInterrupt, u.Cell, nil)
		case <-deaf:
			p.drain()
			return msg.Done{
				Result: msg.Interrupted, Name: "Interrupted", Stuck: "unknown",
				Value: fmt.Sprintf("the host process did not answer the interrupt within %v; restart it", unresponsive),
			}, nil
		}
	}
}

// lost waits a moment for the end that explains a broken connection: the socket breaks before
// the system reports the process as ended.
func (p *Process) lost(err error) error {
	select {
	case <-p.done:
		return p.exit
	case <-time.After(2 * time.Second):
		return fmt.Errorf("proc: the connection to the host is lost: %w", err)
	}
}

// PID returns the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended and all it printed is delivered.
func (p *Process) Done() <-chan struct{} { return p.done }

// Wait waits for the end of the process and says why it came.
func (p *Process) Wait() *Exit {
	<-p.done
	return p.exit
}

// Killed reports whether [Process.Kill] was called: the end is near when it has not come yet.
// A caller that is about to use the process waits for Done first then.
func (p *Process) Killed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.killed
}

// Kill ends the process at once, and the programs that its cells started: all of its process
// group. It does not wait; Done is closed when it has ended.
func (p *Process) Kill() {
	p.mu.Lock()
	p.killed = true
	p.mu.Unlock()
	select {
	case <-p.done: // the number may belong to another process by now
	default:
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	}
}
