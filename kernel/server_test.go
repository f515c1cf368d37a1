package kernel

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-zeromq/zmq4"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/kernel/jupyter/wire"
	"github.com/holt-dl/holt/kernel/session"
	"github.com/holt-dl/holt/kernel/session/assist"
)

// script is an engine whose cells are commands, one a line.
type script struct {
	out    session.Output
	killed chan struct{}
	closed chan struct{}
	warmed chan struct{}
	comms  []CommMessage
	mu     sync.Mutex
}

func newScript(out session.Output) *script {
	return &script{out: out, killed: make(chan struct{}, 1), warmed: make(chan struct{}, 9), closed: make(chan struct{})}
}

func (e *script) Execute(ctx context.Context, req session.Request) *session.Failure {
	for line := range strings.Lines(req.Code) {
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch verb {
		case "print":
			e.out.Stream("stdout", []byte(rest+"\n"))
		case "warn":
			e.out.Stream("stderr", []byte(rest+"\n"))
		case "result":
			b := frame.Text(rest)
			e.out.Frame(frame.Message{Kind: frame.KindResult, Bundle: &b})
		case "display":
			b := frame.Text(rest)
			b.DisplayID = "d1"
			e.out.Frame(frame.Message{Kind: frame.KindDisplay, Bundle: &b})
		case "update":
			b := frame.Text(rest)
			b.DisplayID = "d1"
			e.out.Frame(frame.Message{Kind: frame.KindUpdate, Bundle: &b})
		case "clear":
			e.out.Frame(frame.Message{Kind: frame.KindClear, Wait: rest == "wait"})
		case "later":
			go func() {
				time.Sleep(100 * time.Millisecond)
				e.out.Stream("stdout", []byte(rest+"\n"))
			}()
		case "flood":
			line := []byte(strings.Repeat("x", 99) + "\n")
			for range 300_000 { // 30 MB; kernel/jupyter/out has the test of 100 MB
				e.out.Stream("stdout", line)
			}
		case "big":
			b := frame.Text(strings.Repeat("x", 4<<20))
			e.out.Frame(frame.Message{Kind: frame.KindDisplay, Bundle: &b})
		case "sleep":
			time.Sleep(200 * time.Millisecond)
		case "fail":
			return &session.Failure{Name: "CompileError", Value: rest, Traceback: []string{"CompileError: " + rest, "cell:1:1"}}
		case "panic":
			panic(rest)
		case "input", "password":
			if req.Input == nil {
				return &session.Failure{Name: "InputError", Value: "no input"}
			}
			v, err := req.Input(rest, verb == "password")
			if err != nil {
				return &session.Failure{Name: "InputError", Value: err.Error()}
			}
			e.out.Stream("stdout", []byte("got "+v+"\n"))
		case "cell":
			e.out.Stream("stdout", []byte(req.CellID+"\n"))
		case "wait": // until interrupted
			<-ctx.Done()
			return &session.Failure{Name: "Interrupted", Value: "the cell was interrupted"}
		case "hang": // until killed
			<-e.killed
			return &session.Failure{Name: "HostDied", Value: "killed"}
		case "comm":
			e.out.(CommSender).Comm(CommMessage{Kind: CommOpen, ID: rest, Target: "holt.test", Data: json.RawMessage(`{"a":1}`)})
		}
	}
	return nil
}

// Evaluate knows numbers.
func (e *script) Evaluate(_ context.Context, req session.Request) (frame.Bundle, *session.Failure) {
	if _, err := strconv.Atoi(req.Code); err != nil {
		return frame.Bundle{}, &session.Failure{Name: "CompileError", Value: "undefined: " + req.Code, Traceback: []string{"here"}}
	}
	return frame.Text(req.Code), nil
}

func (e *script) IsComplete(code string) (string, string) {
	if strings.HasSuffix(code, "{") {
		return "incomplete", "\t"
	}
	return "complete", ""
}

func (e *script) Kill() { e.killed <- struct{}{} }

func (e *script) Close() error {
	close(e.closed)
	return nil
}

func (e *script) Warm(context.Context) { e.warmed <- struct{}{} }

func (e *script) Complete(_ context.Context, code string, offset int) (assist.Completion, error) {
	start := offset
	for start > 0 && code[start-1] >= 'a' && code[start-1] <= 'z' {
		start--
	}
	return assist.Completion{Start: start, End: offset, Matches: []assist.Match{{Text: code[start:offset] + "ln", Type: "function"}}}, nil
}

func (e *script) Inspect(_ context.Context, code string, offset, detail int) (assist.Inspection, error) {
	if offset == 0 {
		return nil, nil
	}
	if strings.HasPrefix(code, "unknown") {
		return nil, nil
	}
	if detail > 0 {
		return assist.Inspection{"text/plain": "source of " + code}, nil
	}
	return assist.Inspection{"text/plain": fmt.Sprint("offset ", offset)}, nil
}

func (e *script) Comm(m CommMessage) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.comms = append(e.comms, m)
	return m.Target == "holt.test"
}

// client speaks to a kernel as a notebook does.
type client struct {
	t       *testing.T
	conn    wire.Connection
	codec   *wire.Codec
	sockets map[string]zmq4.Socket
	iopub   chan *wire.Message
	replies map[string]chan *wire.Message // by channel
	engine  *script
	stop    func() error // ends the kernel and returns what Serve did
}

// freeConnection returns a connection with five ports that are free now.
func freeConnection(t *testing.T) wire.Connection {
	t.Helper()
	c := wire.Connection{Transport: "tcp", IP: "127.0.0.1", Scheme: "hmac-sha256", Key: "secret"}
	for _, p := range []*int{&c.Shell, &c.Control, &c.Stdin, &c.IOPub, &c.Heartbeat} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		*p = l.Addr().(*net.TCPAddr).Port
		defer l.Close()
	}
	return c
}

func start(t *testing.T) *client {
	return startOn(t, freeConnection(t), func(out session.Output) (Engine, error) { return newScript(out), nil })
}

func startOn(t *testing.T, conn wire.Connection, open func(session.Output) (Engine, error)) *client {
	t.Helper()
	c := &client{t: t, conn: conn}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	opened := make(chan Engine, 1)
	go func() {
		err := Serve(ctx, conn, Options{History: filepath.Join(t.TempDir(), "history.jsonl")}, func(out session.Output) (Engine, error) {
			e, err := open(out)
			opened <- e
			return e, err
		})
		if err != nil {
			t.Errorf("Serve: %v", err)
		}
		served <- err
	}()
	var once sync.Once
	var result error
	c.stop = func() error {
		once.Do(func() {
			cancel()
			select {
			case result = <-served:
			case <-time.After(10 * time.Second):
				t.Error("Serve did not end within 10 s")
			}
		})
		return result
	}
	t.Cleanup(func() { c.stop() })
	c.dial("client-1")
	select {
	case e := <-opened:
		c.engine, _ = e.(*script)
	case <-time.After(100 * time.Millisecond): // it is slow on purpose
	}
	return c
}

// dial connects the client's sockets under an identity.
func (c *client) dial(identity string) {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c.codec = wire.NewCodec(c.conn.Key)
	c.sockets = map[string]zmq4.Socket{}
	c.replies = map[string]chan *wire.Message{}
	c.iopub = make(chan *wire.Message, 10_000)
	id := zmq4.WithID(zmq4.SocketIdentity(identity))
	for name, port := range map[string]int{"shell": c.conn.Shell, "control": c.conn.Control, "stdin": c.conn.Stdin} {
		s := zmq4.NewDealer(ctx, id)
		c.sockets[name] = s
		replies := make(chan *wire.Message, 10_000)
		c.replies[name] = replies
		c.connect(s, port)
		go func() {
			for {
				m, err := s.Recv()
				if err != nil {
					return
				}
				replies <- c.decode(m)
			}
		}()
	}
	sub := zmq4.NewSub(ctx)
	if err := sub.SetOption(zmq4.OptionSubscribe, ""); err != nil {
		c.t.Fatal(err)
	}
	c.sockets["iopub"] = sub
	iopub := c.iopub
	c.connect(sub, c.conn.IOPub)
	go func() {
		for {
			m, err := sub.Recv()
			if err != nil {
				return
			}
			iopub <- c.decode(m)
		}
	}()
	sockets := c.sockets
	c.t.Cleanup(func() {
		cancel()
		for _, s := range sockets {
			s.Close()
		}
	})
	// Nothing that is published after the welcome is lost.
	if m := c.nextIOPub(); m.Header.Type != "iopub_welcome" || string(m.Content) != `{"subscription":""}` {
		c.t.Fatalf("first on iopub is %s %s, want iopub_welcome", m.Header.Type, m.Content)
	}
}

func (c *client) connect(s zmq4.Socket, port int) {
	c.t.Helper()
	endpoint := fmt.Sprintf("tcp://127.0.0.1:%d", port)
	if c.conn.Transport == "ipc" {
		endpoint = fmt.Sprintf("ipc://%s-%d", c.conn.IP, port)
	}
	if err := s.Dial(endpoint); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) decode(m zmq4.Msg) *wire.Message {
	msg, err := c.codec.Decode(m.Frames)
	if err != nil {
		c.t.Errorf("from the kernel: %v", err)
		return &wire.Message{}
	}
	return msg
}

// send sends a request and returns its msg_id.
func (c *client) send(channel, typ string, content any) string {
	c.t.Helper()
	m := c.codec.New(typ, nil, content)
	c.sendMessage(channel, m)
	return m.Header.ID
}

func (c *client) sendMessage(channel string, m *wire.Message) {
	c.t.Helper()
	if err := c.sockets[channel].SendMulti(zmq4.NewMsgFrom(c.codec.Encode(m)...)); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) next(ch chan *wire.Message) *wire.Message {
	c.t.Helper()
	select {
	case m := <-ch:
		return m
	case <-time.After(60 * time.Second): // the race detector on a busy machine
		c.t.Fatal("nothing came within 60 s")
		return nil
	}
}

func (c *client) nextIOPub() *wire.Message { c.t.Helper(); return c.next(c.iopub) }

// reply returns the next reply on a channel, which must be to the request.
func (c *client) reply(channel, id string) (content map[string]any) {
	c.t.Helper()
	m := c.next(c.replies[channel])
	if got := parentID(m); got != id {
		c.t.Fatalf("%s has parent %s, want %s", m.Header.Type, got, id)
	}
	if err := json.Unmarshal(m.Content, &content); err != nil {
		c.t.Fatal(err)
	}
	content["msg_type"] = m.Header.Type
	return content
}

func parentID(m *wire.Message) string {
	var h wire.Header
	json.Unmarshal(m.Parent, &h)
	return h.ID
}

// outputs returns what is published for a request between busy and idle.
func (c *client) outputs(id string) []string {
	c.t.Helper()
	var got []string
	for {
		m := c.nextIOPub()
		if parentID(m) != id {
			continue
		}
		s := show(m)
		if s == "status idle" {
			return got
		}
		if s != "status busy" {
			got = append(got, s)
		}
	}
}

// show is a message on one line.
func show(m *wire.Message) string {
	var c map[string]any
	json.Unmarshal(m.Content, &c)
	data, _ := c["data"].(map[string]any)
	transient, _ := c["transient"].(map[string]any)
	switch m.Header.Type {
	case "status":
		return fmt.Sprint("status ", c["execution_state"])
	case "stream":
		return fmt.Sprintf("%v %q", c["name"], c["text"])
	case "execute_input":
		return fmt.Sprintf("In [%v]", c["execution_count"])
	case "execute_result":
		return fmt.Sprintf("Out[%v] %v", c["execution_count"], data["text/plain"])
	case "display_data", "update_display_data":
		return fmt.Sprintf("%s %v %v", m.Header.Type, transient["display_id"], data["text/plain"])
	case "error":
		return fmt.Sprintf("error %v: %v %v", c["ename"], c["evalue"], c["traceback"])
	case "clear_output":
		return fmt.Sprintf("clear %v", c["wait"])
	}
	return m.Header.Type + " " + string(m.Content)
}

func execute(code string) map[string]any {
	return map[string]any{"code": code, "silent": false, "store_history": true, "allow_stdin": true, "stop_on_error": true}
}

// run executes a cell and returns its reply and its outputs.
func (c *client) run(code string) (map[string]any, []string) {
	c.t.Helper()
	id := c.send("shell", "execute_request", execute(code))
	reply := c.reply("shell", id)
	return reply, c.outputs(id)
}

func TestExecute(t *testing.T) {
	c := start(t)
	tests := []struct {
		name, code, status string
		want               []string
	}{
		{"nothing", "pass", "ok", []string{"In [1]"}},
		{"streams in order", "print a\nwarn b\nprint c", "ok", []string{"In [2]", `stdout "a\n"`, `stderr "b\n"`, `stdout "c\n"`}},
		{"result", "print x\nresult 42", "ok", []string{"In [3]", `stdout "x\n"`, "Out[3] 42"}},
		{"display and update", "display 1\nprint x\nupdate 2", "ok",
			[]string{"In [4]", "display_data d1 1", `stdout "x\n"`, "update_display_data d1 2"}},
		{"clear", "clear wait", "ok", []string{"In [5]", "clear true"}},
		{"error", "print x\nfail no such name", "error",
			[]string{"In [6]", `stdout "x\n"`, "error CompileError: no such name [CompileError: no such name cell:1:1]"}},
		{"a bug of the engine", "panic boom", "error",
			[]string{"In [7]", "error InternalError: this is a bug in holt; the kernel's log says more [InternalError: this is a bug in holt; the kernel's log says more]"}},
		{"after them", "print y", "ok", []string{"In [8]", `stdout "y\n"`}},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			reply, got := c.run(tt.code)
			if reply["status"] != tt.status || reply["execution_count"] != float64(i+1) {
				t.Errorf("reply is %v, want status %s, count %d", reply, tt.status, i+1)
			}
			if tt.status == "ok" && fmt.Sprint(reply["user_expressions"]) != "map[]" {
				t.Errorf("user_expressions is %v, want an empty object", reply["user_expressions"])
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestExecuteOptions(t *testing.T) {
	c := start(t)
	req := execute("print x\nresult 1")
	req["silent"] = true
	id := c.send("shell", "execute_request", req)
	if r := c.reply("shell", id); r["execution_count"] != 0.0 {
		t.Errorf("silent: count is %v, want 0", r["execution_count"])
	}
	if got := c.outputs(id); len(got) != 0 {
		t.Errorf("silent: published %q", got)
	}

	req = execute("print x")
	req["store_history"] = false
	id = c.send("shell", "execute_request", req)
	if r := c.reply("shell", id); r["execution_count"] != 0.0 {
		t.Errorf("store_history: count is %v, want 0", r["execution_count"])
	}
	if got := c.outputs(id); !slices.Equal(got, []string{"In [0]", `stdout "x\n"`}) {
		t.Errorf("store_history: published %q", got)
	}

	if r, _ := c.run(""); r["status"] != "ok" || r["execution_count"] != 0.0 {
		t.Errorf("empty cell: reply is %v", r)
	}

	m := c.codec.New("execute_request", nil, execute("cell"))
	m.Metadata = json.RawMessage(`{"cellId":"abc-1"}`)
	c.sendMessage("shell", m)
	c.reply("shell", m.Header.ID)
	if got := c.outputs(m.Header.ID); !slices.Contains(got, `stdout "abc-1\n"`) {
		t.Errorf("cellId: published %q", got)
	}
}

func TestUserExpressions(t *testing.T) {
	c := start(t)
	for _, tt := range []struct {
		code, want string
		silent     bool
	}{
		{"print x", `{"a":{"data":{"text/plain":"1"},"metadata":{},"status":"ok"},"b":{"ename":"CompileError","evalue":"undefined: y","status":"error","traceback":["here"]}}`, false},
		{"", `{"a":{"data":{"text/plain":"1"},"metadata":{},"status":"ok"},"b":{"ename":"CompileError","evalue":"undefined: y","status":"error","traceback":["here"]}}`, true},
		{"fail z", "{}", false}, // they are evaluated after a cell that succeeds
	} {
		req := execute(tt.code)
		req["silent"] = tt.silent
		req["user_expressions"] = map[string]string{"a": "1", "b": "y"}
		r := c.reply("shell", c.send("shell", "execute_request", req))
		got, _ := json.Marshal(r["user_expressions"])
		if string(got) != tt.want {
			t.Errorf("%q: got  %s\nwant %s", tt.code, got, tt.want)
		}
	}
}

func TestStopOnError(t *testing.T) {
	c := start(t)
	hold := c.send("shell", "execute_request", execute("sleep\nfail x"))
	var after []string
	for range 3 {
		after = append(after, c.send("shell", "execute_request", execute("print never")))
	}
	if r := c.reply("shell", hold); r["status"] != "error" {
		t.Errorf("reply is %v", r)
	}
	for _, id := range after {
		if r := c.reply("shell", id); r["status"] != "aborted" {
			t.Errorf("reply is %v, want aborted", r)
		}
		if got := c.outputs(id); len(got) != 0 {
			t.Errorf("published %q, want nothing but busy and idle", got)
		}
	}

	req := execute("fail x")
	req["stop_on_error"] = false
	id := c.send("shell", "execute_request", req)
	next := c.send("shell", "execute_request", execute("print b"))
	c.reply("shell", id)
	if r := c.reply("shell", next); r["status"] != "ok" {
		t.Errorf("reply after stop_on_error=false is %v, want ok", r)
	}

	// One that was on its way when the cell failed is too late.
	c.run("fail x")
	m := c.codec.New("execute_request", nil, execute("print never"))
	m.Header.Date = time.Now().Add(-time.Second).UTC().Format(time.RFC3339Nano)
	c.sendMessage("shell", m)
	if r := c.reply("shell", m.Header.ID); r["status"] != "aborted" {
		t.Errorf("a cell that was on its way: reply is %v, want aborted", r)
	}

	// A client that has seen the failure may go on at once.
	c.run("fail x")
	if r, _ := c.run("print c"); r["status"] != "ok" {
		t.Errorf("reply after a failure that was seen is %v, want ok", r)
	}
}

func TestInterrupt(t *testing.T) {
	c := start(t)
	id := c.send("shell", "execute_request", execute("print a\nwait"))
	queued := c.send("shell", "execute_request", execute("print never"))
	// An interrupt before the cell has begun would take the cell away.
	for !strings.HasPrefix(show(c.nextIOPub()), "stdout") {
	}
	ask := c.send("control", "interrupt_request", map[string]any{})
	if r := c.reply("control", ask); r["msg_type"] != "interrupt_reply" || r["status"] != "ok" {
		t.Errorf("reply is %v", r)
	}
	if r := c.reply("shell", id); r["ename"] != "Interrupted" {
		t.Errorf("reply is %v, want Interrupted", r)
	}
	if r := c.reply("shell", queued); r["status"] != "aborted" {
		t.Errorf("queued cell: reply is %v, want aborted", r)
	}

	// Without a cell it does nothing.
	c.reply("control", c.send("control", "interrupt_request", map[string]any{}))
	if r, _ := c.run("print b"); r["status"] != "ok" {
		t.Errorf("next cell: reply is %v", r)
	}
}

func TestSecondInterruptKills(t *testing.T) {
	c := start(t)
	id := c.send("shell", "execute_request", execute("print begun\nhang"))
	// An interrupt before the cell has begun would take the cell away.
	for !strings.HasPrefix(show(c.nextIOPub()), "stdout") {
	}
	// Two at once are one.
	for range 2 {
		c.reply("control", c.send("control", "interrupt_request", map[string]any{}))
	}
	select {
	case m := <-c.replies["shell"]:
		t.Fatalf("a double click killed the host: %s", m.Content)
	case <-time.After(patience + 100*time.Millisecond):
	}
	c.reply("control", c.send("control", "interrupt_request", map[string]any{}))
	if r := c.reply("shell", id); r["ename"] != "HostDied" {
		t.Errorf("reply is %v, want HostDied", r)
	}
}

// Everything but cells is answered while a cell runs, on the socket it came by.
func TestAnswersWhileCellRuns(t *testing.T) {
	c := start(t)
	cell := c.send("shell", "execute_request", execute("wait"))
	for show(c.nextIOPub()) != "In [1]" {
	}
	for _, channel := range []string{"shell", "control"} {
		for _, typ := range []string{"kernel_info", "comm_info", "complete", "inspect", "is_complete", "history", "usage"} {
			id := c.send(channel, typ+"_request", map[string]any{"code": "x", "cursor_pos": 1, "hist_access_type": "tail", "n": 1})
			if r := c.reply(channel, id); r["msg_type"] != typ+"_reply" || r["status"] == "error" {
				t.Errorf("%s_request on %s: reply is %v", typ, channel, r)
			}
			c.outputs(id)
			// The notebook still sees that the cell runs.
			if m := c.nextIOPub(); show(m) != "status busy" || parentID(m) != cell {
				t.Errorf("after idle came %s of %s, want busy of the cell", show(m), parentID(m))
			}
		}
	}
	c.send("control", "interrupt_request", map[string]any{})
	c.reply("shell", cell)
}

func TestRequests(t *testing.T) {
	c := start(t)
	c.run("print history one")
	c.run("print history two")
	tests := []struct {
		name, typ string
		content   string
		want      string
	}{
		{"complete, cursor in code points", "complete", `{"code":"🦦fmt","cursor_pos":4}`,
			`"cursor_end":4,"cursor_start":1,"matches":["fmtln"],"metadata":{"_jupyter_types_experimental":[{"end":4,"signature":"","start":1,"text":"fmtln","type":"function"}]},"status":"ok"`},
		{"inspect", "inspect", `{"code":"世x","cursor_pos":1}`, `"data":{"text/plain":"offset 3"},"found":true,"metadata":{},"status":"ok"`},
		{"inspect nothing", "inspect", `{"code":"x","cursor_pos":0}`, `"data":{},"found":false,"metadata":{},"status":"ok"`},
		{"complete code", "is_complete", `{"code":"x"}`, `"status":"complete"`},
		{"incomplete code", "is_complete", `{"code":"for {"}`, `"indent":"\t","status":"incomplete"`},
		{"tail", "history", `{"hist_access_type":"tail","n":1,"output":false,"raw":true}`, `"history":[[1,2,"print history two"]],"status":"ok"`},
		{"range", "history", `{"hist_access_type":"range","session":0,"start":1,"stop":2,"output":false}`, `"history":[[1,1,"print history one"]],"status":"ok"`},
		{"search with output", "history", `{"hist_access_type":"search","pattern":"*two","output":true}`, `"history":[[1,2,["print history two",null]]],"status":"ok"`},
		{"unknown request", "debug", `{}`, `"ename":"UnknownRequest","evalue":"kernel: debug_request: holt does not know this request","status":"error","traceback":[]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c.t = t
			r := c.reply("shell", c.send("shell", tt.typ+"_request", json.RawMessage(tt.content)))
			delete(r, "msg_type")
			got, _ := json.Marshal(r)
			if string(got) != "{"+tt.want+"}" {
				t.Errorf("got  %s\nwant {%s}", got, tt.want)
			}
		})
	}
}

func TestKernelInfoWhileEngineStarts(t *testing.T) {
	hold := make(chan struct{})
	began := time.Now()
	c := startOn(t, freeConnection(t), func(out session.Output) (Engine, error) {
		<-hold
		return newScript(out), nil
	})
	cell := c.send("shell", "execute_request", execute("print x"))
	r := c.reply("shell", c.send("shell", "kernel_info_request", map[string]any{}))
	if took := time.Since(began); took > time.Second {
		t.Errorf("kernel_info took %v, want less than a second", took)
	}
	info, _ := r["language_info"].(map[string]any)
	if r["protocol_version"] != "5.4" || r["implementation"] != "holt" || info["name"] != "go" || info["file_extension"] != ".go" ||
		info["mimetype"] != "text/x-go" || info["pygments_lexer"] != "go" || info["codemirror_mode"] != "go" {
		t.Errorf("kernel_info is %v", r)
	}
	close(hold)
	if r := c.reply("shell", cell); r["status"] != "ok" {
		t.Errorf("the cell that waited: reply is %v", r)
	}
}

func TestEngineThatCannotStart(t *testing.T) {
	c := startOn(t, freeConnection(t), func(session.Output) (Engine, error) {
		return nil, fmt.Errorf("session: go is not installed; get it from https://go.dev/dl")
	})
	if r, _ := c.run("print x"); r["ename"] != "StartError" || r["evalue"] != "session: go is not installed; get it from https://go.dev/dl" {
		t.Errorf("reply is %v", r)
	}
	if r := c.reply("shell", c.send("shell", "is_complete_request", map[string]any{"code": "x"})); r["status"] != "unknown" {
		t.Errorf("is_complete is %v, want unknown", r)
	}
}

func TestInput(t *testing.T) {
	c := start(t)
	answer := func(value string) map[string]any {
		var content map[string]any
		json.Unmarshal(c.next(c.replies["stdin"]).Content, &content)
		c.send("stdin", "input_reply", map[string]any{"value": value})
		return content
	}
	c.send("stdin", "input_reply", map[string]any{"value": "stale"}) // nobody asked
	time.Sleep(100 * time.Millisecond)
	id := c.send("shell", "execute_request", execute("print above\ninput name: "))
	if q := answer("otter"); q["prompt"] != "name:" || q["password"] != false {
		t.Errorf("input_request is %v", q)
	}
	c.reply("shell", id)
	if got := c.outputs(id); !slices.Equal(got, []string{"In [1]", `stdout "above\n"`, `stdout "got otter\n"`}) {
		t.Errorf("published %q", got)
	}

	req := execute("input name")
	req["allow_stdin"] = false
	id = c.send("shell", "execute_request", req)
	if r := c.reply("shell", id); r["evalue"] != "no input" {
		t.Errorf("without allow_stdin: reply is %v", r)
	}

	id = c.send("shell", "execute_request", execute("password key"))
	m := c.next(c.replies["stdin"])
	if !strings.Contains(string(m.Content), `"password":true`) {
		t.Errorf("input_request is %s", m.Content)
	}
	c.send("control", "interrupt_request", map[string]any{})
	if r := c.reply("shell", id); r["evalue"] != "context canceled" {
		t.Errorf("interrupted question: reply is %v", r)
	}
}

func TestInputWithoutStdinChannel(t *testing.T) {
	c := start(t)
	c.sockets["stdin"].Close()
	time.Sleep(100 * time.Millisecond)
	r, _ := c.run("input name")
	if want := "kernel: input: this client cannot be asked for input; run the cell in a notebook or console, or give the value in code"; r["evalue"] != want {
		t.Errorf("reply is %v\nwant %s", r, want)
	}
}

func TestComms(t *testing.T) {
	c := start(t)
	id := c.send("shell", "comm_open", map[string]any{"comm_id": "a", "target_name": "holt.test", "data": map[string]any{"x": 1}})
	if got := c.outputs(id); len(got) != 0 {
		t.Errorf("known target: published %q", got)
	}
	id = c.send("shell", "comm_open", map[string]any{"comm_id": "b", "target_name": "other", "data": map[string]any{}})
	if got := c.outputs(id); !slices.Equal(got, []string{`comm_close {"comm_id":"b","data":{}}`}) {
		t.Errorf("unknown target: published %q", got)
	}
	_, got := c.run("comm c")
	if !slices.Contains(got, `comm_open {"comm_id":"c","target_name":"holt.test","data":{"a":1}}`) {
		t.Errorf("opened by a cell: published %q", got)
	}
	for range 100 {
		c.send("shell", "comm_msg", map[string]any{"comm_id": "a", "data": map[string]any{}})
	}
	c.outputs(c.send("shell", "comm_close", map[string]any{"comm_id": "a", "data": map[string]any{}}))
	r := c.reply("shell", c.send("shell", "comm_info_request", map[string]any{"target_name": "holt.test"}))
	if s := fmt.Sprint(r["comms"]); s != "map[c:map[target_name:holt.test]]" {
		t.Errorf("comm_info is %s", s)
	}
	c.engine.mu.Lock()
	defer c.engine.mu.Unlock()
	if n := len(c.engine.comms); n != 103 || c.engine.comms[102].Kind != CommClose {
		t.Errorf("%d comm messages reached the engine, the last %v", n, c.engine.comms[n-1])
	}
}

func TestShutdown(t *testing.T) {
	for _, channel := range []string{"shell", "control"} {
		t.Run(channel, func(t *testing.T) {
			c := start(t)
			cell := c.send("shell", "execute_request", execute("wait"))
			for show(c.nextIOPub()) != "In [1]" {
			}
			id := c.send(channel, "shutdown_request", map[string]any{"restart": true})
			if r := c.reply(channel, id); r["restart"] != true || r["status"] != "ok" {
				t.Errorf("reply is %v", r)
			}
			if got := c.outputs(id); !slices.Equal(got, []string{`shutdown_reply {"restart":true,"status":"ok"}`}) {
				t.Errorf("published %q", got)
			}
			if channel == "control" { // the running cell is answered, too
				c.reply("shell", cell)
			}
			select {
			case <-c.engine.closed:
			case <-time.After(5 * time.Second):
				t.Error("the engine was not closed")
			}
			if err := c.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// What a goroutine prints after its cell belongs to the last cell that began.
func TestLateOutput(t *testing.T) {
	c := start(t)
	id := c.send("shell", "execute_request", execute("later x"))
	c.reply("shell", id)
	c.outputs(id)
	if m := c.nextIOPub(); show(m) != `stdout "x\n"` || parentID(m) != id {
		t.Errorf("got %s of %s", show(m), parentID(m))
	}
}

func TestHeartbeat(t *testing.T) {
	c := start(t)
	hb := zmq4.NewReq(context.Background())
	defer hb.Close()
	c.connect(hb, c.conn.Heartbeat)
	for i := range 3 {
		want := fmt.Sprint("ping ", i)
		if err := hb.Send(zmq4.NewMsgString(want)); err != nil {
			t.Fatal(err)
		}
		if m, err := hb.Recv(); err != nil || string(m.Bytes()) != want {
			t.Fatalf("got %q, %v, want %q", m.Bytes(), err, want)
		}
	}
}

func TestIPC(t *testing.T) {
	dir, err := os.MkdirTemp("", "holt") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	conn := wire.Connection{Transport: "ipc", IP: filepath.Join(dir, "k"), Shell: 1, Control: 2, Stdin: 3, IOPub: 4, Heartbeat: 5}
	c := startOn(t, conn, func(out session.Output) (Engine, error) { return newScript(out), nil })
	if r, got := c.run("print x"); r["status"] != "ok" || !slices.Contains(got, `stdout "x\n"`) {
		t.Errorf("reply is %v, published %q", r, got)
	}
	c.stop()
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("sockets are left behind: %v", left)
	}
}

// A client that comes back with its identity gets the replies.
func TestReconnect(t *testing.T) {
	c := start(t)
	for i := range 3 {
		if r, _ := c.run("print x"); r["execution_count"] != float64(i+1) {
			t.Errorf("reply is %v", r)
		}
		for _, s := range c.sockets {
			s.Close()
		}
		c.dial("client-1")
	}
}

// Ten thousand malformed messages: none answered, none fatal, and the
// heartbeat goes on.
func TestMalformedMessages(t *testing.T) {
	c := start(t)
	good := c.codec.Encode(c.codec.New("kernel_info_request", nil, map[string]any{}))
	other := wire.NewCodec("another key")
	forged := other.Encode(other.New("shutdown_request", nil, map[string]any{}))
	random := rand.New(rand.NewPCG(1, 2))
	hb := zmq4.NewReq(context.Background())
	defer hb.Close()
	c.connect(hb, c.conn.Heartbeat)
	for i := range 10_000 {
		frames := slices.Clone(good) // delimiter, signature, header, parent, metadata, content
		switch i % 9 {
		case 0:
			frames = frames[:1+random.IntN(len(frames)-1)]
		case 1:
			frames = forged
		case 2:
			frames[1] = []byte("not a signature")
		case 3:
			frames[2+random.IntN(4)] = []byte("{")
		case 4:
			frames[5] = []byte(`{"x":1}`)
		case 5:
			frames = make([][]byte, 1+random.IntN(9))
		case 6:
			frames[0] = []byte("<IDS>")
		case 7:
			frames[1] = nil
		case 8: // well signed, and no message
			m := c.codec.New("", nil, map[string]any{})
			m.Parent = [][]byte{[]byte("[]"), []byte(`"x"`), []byte("{")}[random.IntN(3)]
			frames = c.codec.Encode(m)
		}
		channel := []string{"shell", "control", "stdin"}[random.IntN(3)]
		if err := c.sockets[channel].SendMulti(zmq4.NewMsgFrom(frames...)); err != nil {
			t.Fatal(err)
		}
		if i%1000 == 0 {
			if err := hb.Send(zmq4.NewMsgString("ping")); err != nil {
				t.Fatal(err)
			}
			if m, err := hb.Recv(); err != nil || string(m.Bytes()) != "ping" {
				t.Fatalf("heartbeat after %d messages: %q, %v", i+1, m.Bytes(), err)
			}
		}
	}
	// What comes on a socket is read in order: these are answered after all of it.
	for _, channel := range []string{"control", "shell"} {
		id := c.send(channel, "kernel_info_request", map[string]any{})
		if r := c.reply(channel, id); r["msg_type"] != "kernel_info_reply" {
			t.Fatalf("got %v on %s", r, channel)
		}
	}
	send := func() { c.sockets["shell"].SendMulti(zmq4.NewMsgFrom(good...)) }
	send()
	c.next(c.replies["shell"])
	send() // a replay
	if r, _ := c.run("print x"); r["status"] != "ok" {
		t.Errorf("reply is %v", r)
	}
	for channel, replies := range c.replies {
		if len(replies) > 0 {
			t.Errorf("%d answers on %s", len(replies), channel)
		}
	}
}

// A subscriber that never reads costs the others nothing.
func TestStalledSubscriber(t *testing.T) {
	c := start(t)
	stalled, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", c.conn.IOPub))
	if err != nil {
		t.Fatal(err)
	}
	defer stalled.Close()
	greeting := make([]byte, 64)
	greeting[0], greeting[9], greeting[10] = 0xff, 0x7f, 3
	copy(greeting[12:], "NULL")
	stalled.Write(greeting)
	stalled.Write([]byte("\x04\x19\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB"))
	stalled.Write([]byte("\x00\x01\x01"))
	silent, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", c.conn.IOPub)) // never greets
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for i := range 10 { // 40 MiB, beyond what is kept for one client
		began := time.Now()
		r, got := c.run("big\nprint end")
		if last := got[len(got)-1]; r["status"] != "ok" || !strings.HasSuffix(last, `end\n"`) {
			t.Fatalf("round %d: reply is %v, last output %.40q", i, r, last)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Fatalf("round %d took %v", i, took)
		}
	}

	// When it reads again it is told what it missed, and the last idle is there.
	r := bufio.NewReader(stalled)
	var missed, idle bool
	stalled.SetDeadline(time.Now().Add(60 * time.Second))
	last := c.send("shell", "kernel_info_request", map[string]any{})
	for buf := make([]byte, 1<<20); !missed || !idle; {
		n, err := r.Read(buf)
		if err != nil {
			t.Fatalf("read: %v; told of missing outputs: %v, last idle: %v", err, missed, idle)
		}
		missed = missed || bytes.Contains(buf[:n], []byte("outputs are missing here: this client did not read them in time"))
		idle = idle || bytes.Contains(buf[:n], []byte(last))
	}
}

// A cell that prints 30 MB ends in time, and the kernel lives.
func TestFlood(t *testing.T) {
	c := start(t)
	began := time.Now()
	r, got := c.run("flood\nprint end")
	if last := got[len(got)-1]; r["status"] != "ok" || !strings.HasSuffix(last, `end\n"`) {
		t.Fatalf("reply is %v, last output %.40q", r, last)
	}
	if len(got) > 100 {
		t.Errorf("%d messages, want at most 100", len(got))
	}
	if !strings.Contains(strings.Join(got, "\n"), "not shown here: more than a notebook can take") {
		t.Error("there is no notice")
	}
	t.Logf("took %v, %d messages", time.Since(began), len(got))
}
