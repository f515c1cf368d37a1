package kernel

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/jupyter/front"
	"github.com/holt-dl/holt/kernel/jupyter/history"
	"github.com/holt-dl/holt/kernel/jupyter/out"
	"github.com/holt-dl/holt/kernel/jupyter/wire"
	"github.com/holt-dl/holt/kernel/session"
)

// closeTimeout is what the engine has to end; jupyter_client kills the kernel after 5 s.
const closeTimeout = 3 * time.Second

// Options are the settings of a kernel; the zero value works.
type Options struct {
	Version string     // of holt, as kernel_info says it
	History string     // file that keeps the inputs of all notebooks; empty for none
	Limits  out.Limits // on what one cell may show
}

// Serve runs a kernel until a client shuts it down, ctx ends, the process
// gets SIGTERM, or the process named by JPY_PARENT_PID is gone. SIGINT
// interrupts the running cell. Open starts the engine that runs the cells; it
// may take its time, as the kernel answers meanwhile and cells wait.
func Serve(ctx context.Context, conn wire.Connection, opt Options, open func(session.Output) (Engine, error)) error {
	f, err := front.Open("kernel", conn)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{
		opt:     opt,
		front:   f,
		stop:    cancel,
		ready:   make(chan struct{}),
		comms:   map[string]string{},
		input:   make(chan string),
		side:    make(chan struct{}, 16),
		history: history.Open(opt.History),
	}
	s.wake = sync.NewCond(&s.mu)
	s.out = out.New(s.publisher(nil), opt.Limits)
	f.Accept()

	var work sync.WaitGroup
	defer front.Watch(ctx, &work, s.interrupt, cancel)()
	f.Status(nil, "starting")
	work.Go(func() { s.openEngine(open) })
	take := func(req front.Request) { s.dispatch(ctx, &request{Request: req}) }
	work.Go(func() { f.Read(ctx, f.Shell, "shell", take) })
	work.Go(func() { f.Read(ctx, f.Control, "control", take) })
	work.Go(func() { s.readInput(ctx) })
	work.Go(func() { s.execute(ctx) })

	<-ctx.Done()
	s.mu.Lock()
	s.wake.Broadcast()
	s.mu.Unlock()
	// The engine is closed first, as that ends the running cell, whose reply
	// is then still sent. What does not end in time is left behind.
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		<-s.ready
		if s.engine != nil {
			if err := s.engine.Close(); err != nil {
				slog.Warn("kernel: close", "err", err)
			}
		}
		work.Wait()
	}()
	select {
	case <-ended:
	case <-time.After(closeTimeout):
		slog.Warn("kernel: the engine did not end in time")
	}
	f.Close()
	return errors.Join(s.history.Close())
}

// server is one running kernel.
type server struct {
	opt     Options
	front   *front.Front
	stop    func() // ends Serve
	out     *out.Writer
	history *history.History
	side    chan struct{} // a slot for each request that is answered beside the cells
	input   chan string   // answers to input requests
	usage   usageMeter

	// Set once, before ready is closed.
	ready   chan struct{}
	engine  Engine
	openErr error
	warmed  sync.Once

	mu        sync.Mutex
	wake      *sync.Cond // the queue has grown, or the kernel ends
	queue     []*request
	running   *cell
	changed   time.Time       // when a cell began or ended last
	parent    json.RawMessage // header of the cell that runs, or of the last one
	failed    time.Time       // when the last cell failed that stops those behind it
	count     int             // execution count
	asking    string          // msg_id of the input_request that waits; empty for none
	comms     map[string]string
	commQueue []*request
	commBusy  bool
}

// request is a message of a client that is to be answered.
type request struct {
	front.Request
	abort bool // do not run it
}

// dispatch starts the answer to a request. It does not wait for it.
func (s *server) dispatch(ctx context.Context, req *request) {
	switch typ := req.Header.Type; typ {
	case "execute_request":
		s.enqueue(req)
	case "kernel_info_request":
		s.answer(req, "kernel_info_reply", s.info)
	case "interrupt_request":
		s.answer(req, "interrupt_reply", func() any {
			s.interrupt()
			return ok()
		})
	case "shutdown_request":
		s.shutdown(req)
	case "comm_info_request":
		s.answer(req, "comm_info_reply", func() any { return s.commInfo(req) })
	case "comm_open", "comm_msg", "comm_close":
		s.enqueueComm(req)
	case "complete_request":
		s.beside(ctx, req, "complete_reply", s.complete)
	case "inspect_request":
		s.beside(ctx, req, "inspect_reply", s.inspect)
	case "is_complete_request":
		s.beside(ctx, req, "is_complete_reply", s.isComplete)
	case "history_request":
		s.beside(ctx, req, "history_reply", s.searchHistory)
	case "usage_request":
		s.beside(ctx, req, "usage_reply", func(context.Context, *request) any { return s.usage.read() })
	default:
		slog.Debug("kernel: unknown request", "type", typ)
		if name, found := cutRequest(typ); found {
			s.answer(req, name+"_reply", func() any {
				return failed("UnknownRequest", "kernel: "+typ+": holt does not know this request")
			})
		}
	}
}

// beside answers a request in a goroutine of its own, so that a slow one
// keeps none waiting.
func (s *server) beside(ctx context.Context, req *request, typ string, f func(context.Context, *request) any) {
	select {
	case s.side <- struct{}{}:
		go func() {
			defer func() { <-s.side }()
			s.answer(req, typ, func() any { return f(ctx, req) })
		}()
	default:
		s.answer(req, typ, func() any {
			return failed("Busy", "kernel: too many requests at once; try again")
		})
	}
}

// answer publishes busy, sends the reply that f makes, and publishes idle.
func (s *server) answer(req *request, typ string, f func() any) {
	s.around(req, func() { s.front.Reply(req.Request, typ, guard(f)) })
}

// around publishes busy before f and idle after it.
func (s *server) around(req *request, f func()) {
	s.front.Status(req.RawHeader, "busy")
	f()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.front.Status(req.RawHeader, "idle")
	if s.running != nil {
		// Clients show the last status that came, whatever its parent.
		s.front.Status(s.running.req.RawHeader, "busy")
	}
}

// guard calls f and turns a panic into a failed reply: a bug there must not
// take the notebook's values with it.
func guard(f func() any) (content any) {
	defer func() {
		if r := recover(); r != nil {
			logPanic(r)
			content = failed("InternalError", "kernel: this is a bug in holt; its log says more")
		}
	}()
	return f()
}

// publisher publishes output under a parent. A display that cannot be encoded
// is lost, and the kernel is not.
func (s *server) publisher(parent json.RawMessage) out.Publish {
	return func(typ string, content any) {
		defer func() {
			if r := recover(); r != nil {
				logPanic(r)
			}
		}()
		s.front.Publish(typ, parent, content)
	}
}

func (s *server) openEngine(open func(session.Output) (Engine, error)) {
	defer close(s.ready)
	defer func() {
		if r := recover(); r != nil {
			logPanic(r)
			s.openErr = errors.New("kernel: the cell engine could not be started; the kernel's log says why")
		}
	}()
	s.engine, s.openErr = open(output{s})
}

// output is what the engine shows its output to.
type output struct{ s *server }

func (o output) Stream(name string, p []byte) { o.s.out.Stream(name, p) }

func (o output) Frame(m frame.Message) {
	o.s.mu.Lock()
	count := o.s.count
	o.s.mu.Unlock()
	o.s.out.Result(m, count)
}

// late is what goroutines of a cell show when it is over. It stands below that
// cell, as ipykernel 7 has it, with a pace and limits of its own.
type late struct {
	s      *server
	parent json.RawMessage
	silent bool

	once sync.Once
	out  *out.Writer
}

func (l *late) writer() *out.Writer {
	l.once.Do(func() {
		publish := l.s.publisher(l.parent)
		if l.silent {
			publish = func(string, any) {}
		}
		l.out = out.New(publish, l.s.opt.Limits)
	})
	return l.out
}

func (l *late) Stream(name string, p []byte) { l.writer().Stream(name, p) }
func (l *late) Frame(m frame.Message)        { l.writer().Frame(m) }

func (s *server) shutdown(req *request) {
	var content struct {
		Restart bool `json:"restart"`
	}
	json.Unmarshal(req.Content, &content)
	why := "the kernel was shut down"
	if content.Restart {
		why = "the kernel was restarted"
	}
	select {
	case <-s.ready:
		if e, ok := s.engine.(Ender); ok {
			e.End(why)
			s.out.Flush()
		}
	default:
	}
	reply := map[string]any{"status": "ok", "restart": content.Restart}
	s.answer(req, "shutdown_reply", func() any {
		// Clients other than the one that asked learn of it here.
		s.front.Publish("shutdown_reply", req.RawHeader, reply)
		return reply
	})
	s.stop()
}
