package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holt-dl/holt/kernel"
	"github.com/holt-dl/holt/kernel/jupyter/wire"
	"github.com/holt-dl/holt/kernel/session"
)

// TestMain is also the holt of the machine that the tests reach.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != "remote" && os.Args[1] != "kernel" {
		os.Exit(m.Run())
	}
	self := os.Args[0]
	var err error
	switch strings.Join(os.Args[1:min(len(os.Args), 3)], " ") {
	case "remote agent":
		err = Agent(context.Background(), os.Stdin, os.Stdout, []string{self, "remote", "keep"})
	case "remote keep":
		err = Keep(os.Stdin, os.Stdout, []string{self, "kernel", "-f"})
	case "kernel -f":
		var conn wire.Connection
		if conn, err = wire.ReadConnection(os.Args[3]); err == nil {
			err = kernel.Serve(context.Background(), conn, kernel.Options{},
				func(out session.Output) (kernel.Engine, error) { return &engine{out: out}, nil })
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// engine runs cells that are commands, one a line.
type engine struct {
	out session.Output
	n   int
}

func (e *engine) Execute(ctx context.Context, req session.Request) *session.Failure {
	fail := func(name, value string) *session.Failure {
		return &session.Failure{Name: name, Value: value, Traceback: []string{name + ": " + value}}
	}
	for text := range strings.Lines(req.Code) {
		word := strings.Fields(text)
		switch word[0] {
		case "count": // to a number, so many milliseconds each
			to, _ := strconv.Atoi(word[1])
			ms, _ := strconv.Atoi(word[2])
			for i := range to {
				fmt.Fprintf(writer{e.out}, "%d\n", i)
				select {
				case <-ctx.Done():
					return fail("Interrupted", "the cell was interrupted")
				case <-time.After(time.Duration(ms) * time.Millisecond):
				}
			}
		case "set":
			e.n, _ = strconv.Atoi(word[1])
		case "get":
			fmt.Fprintln(writer{e.out}, e.n)
		case "where":
			dir, _ := os.Getwd()
			fmt.Fprintln(writer{e.out}, dir, os.Getenv("HOLT_BACKEND"), os.Getenv("HOLT_REMOTE"), filepath.Base(os.Args[3]))
		case "ask":
			answer, err := req.Input("name? ", false)
			if err != nil {
				return fail("Input", err.Error())
			}
			fmt.Fprintln(writer{e.out}, "hello", answer)
		case "die":
			time.Sleep(300 * time.Millisecond) // for the output to leave the kernel
			fmt.Fprintln(os.Stderr, "last words")
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	return nil
}

func (e *engine) IsComplete(string) (string, string) { return "complete", "" }
func (e *engine) Kill()                              {}
func (e *engine) Close() error                       { return nil }

type writer struct{ out session.Output }

func (w writer) Write(p []byte) (int, error) {
	w.out.Stream("stdout", p)
	return len(p), nil
}

// fakeMachine is a machine that is this one with another home, and an ssh to it that can
// be cut.
type fakeMachine struct {
	Machine
	t    *testing.T
	dir  string
	home string
}

func newFakeMachine(t *testing.T) *fakeMachine {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	m := &fakeMachine{t: t, dir: t.TempDir()}
	m.home = filepath.Join(m.dir, "home")
	write := func(name, text string) string {
		path := filepath.Join(m.dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := os.Mkdir(m.home, 0o755); err != nil {
		t.Fatal(err)
	}
	m.Machine = Machine{Name: "gpu", Destination: "me@gpu", Grace: time.Minute,
		Holt: write("holt", "exec "+self+` "$@"`),
		SSH: write("ssh", "cd "+m.dir+`
if [ -e down ]; then
	echo "ssh: connect to host gpu port 22: Connection refused" >&2
	exit 255
fi
echo $$ >>lines
echo "Welcome to gpu"
for last; do :; done
unset HOLT_HOME XDG_DATA_HOME XDG_STATE_HOME
export HOME=`+m.home+`
exec sh -c "$last"
`)}
	return m
}

// cut kills the line that is.
func (m *fakeMachine) cut() {
	m.t.Helper()
	data, err := os.ReadFile(filepath.Join(m.dir, "lines"))
	if err != nil {
		m.t.Fatal(err)
	}
	lines := strings.Fields(string(data))
	pid, _ := strconv.Atoi(lines[len(lines)-1])
	syscall.Kill(pid, syscall.SIGKILL) // it may be gone
}

// down lets no line be made, or one again.
func (m *fakeMachine) down(is bool) {
	m.t.Helper()
	flag := filepath.Join(m.dir, "down")
	var err error
	if is {
		err = os.WriteFile(flag, nil, 0o644)
	} else {
		err = os.Remove(flag)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

// sessions are the folders of the sessions there.
func (m *fakeMachine) sessions() []string {
	dirs, _ := filepath.Glob(filepath.Join(m.home, ".local/state/holt/remote/*"))
	return dirs
}

// emptied waits until no session is left there.
func (m *fakeMachine) emptied() {
	m.t.Helper()
	eventually(m.t, "the session is left behind", func() bool { return len(m.sessions()) == 0 })
}

const limit = time.Minute // for what should take a moment

func eventually(t *testing.T, otherwise string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(otherwise)
		}
	}
}

// notebook is a client of a proxy.
type notebook struct {
	t      *testing.T
	codec  *wire.Codec
	client *wire.Client
	ended  chan error // how Serve ended
	stop   func()     // ends Serve
	key    wire.Key

	mu    sync.Mutex
	shown map[string]*shown // by msg_id of the cell
}

// shown is what a request brought.
type shown struct {
	stdout, stderr string
	idle           bool
	reply          map[string]any
}

func (m *fakeMachine) start() *notebook {
	m.t.Helper()
	key := wire.Key(wire.NewID())
	conn := wire.NewIPC(filepath.Join(m.t.TempDir(), "k"), key)
	ctx, cancel := context.WithCancel(context.Background())
	n := &notebook{t: m.t, codec: wire.NewCodec(key), ended: make(chan error, 1), stop: cancel, key: key, shown: map[string]*shown{}}
	go func() { n.ended <- Serve(ctx, "kernel-0a1b.json", conn, m.Machine) }()
	eventually(m.t, "the proxy does not listen", func() bool {
		var err error
		n.client, err = wire.Dial(ctx, conn, "notebook")
		return err == nil
	})
	for _, c := range []*wire.Conn{n.client.IOPub, n.client.Shell, n.client.Control} {
		go n.read(c)
	}
	m.t.Cleanup(func() {
		cancel()
		n.client.Close()
		m.emptied()
	})
	return n
}

func (n *notebook) read(c *wire.Conn) {
	for {
		frames, err := c.Receive()
		if err != nil {
			return
		}
		msg, err := n.codec.Decode(frames)
		if err != nil {
			n.t.Errorf("a client got nonsense: %v", err)
			continue
		}
		var parent wire.Header
		json.Unmarshal(msg.Parent, &parent)
		var content map[string]any
		json.Unmarshal(msg.Content, &content)
		n.mu.Lock()
		s := n.shown[parent.ID]
		if s == nil {
			s = new(shown)
			n.shown[parent.ID] = s
		}
		text, _ := content["text"].(string)
		switch {
		case msg.Header.Type == "stream" && content["name"] == "stdout":
			s.stdout += text
		case msg.Header.Type == "stream":
			s.stderr += text
		case msg.Header.Type == "status":
			s.idle = content["execution_state"] == "idle"
		case strings.HasSuffix(msg.Header.Type, "_reply") && c != n.client.IOPub:
			if s.reply != nil {
				n.t.Errorf("%s has two replies", parent.Type)
			}
			s.reply = content
		}
		n.mu.Unlock()
	}
}

// send sends a request and returns its id.
func (n *notebook) send(conn *wire.Conn, typ string, content map[string]any) string {
	n.t.Helper()
	msg := n.codec.New(typ, nil, content)
	if err := conn.Send(n.codec.Encode(msg)); err != nil {
		n.t.Fatal(err)
	}
	return msg.Header.ID
}

func (n *notebook) cell(code string) string {
	n.t.Helper()
	return n.send(n.client.Shell, "execute_request", map[string]any{"code": code, "allow_stdin": true, "stop_on_error": true})
}

// until waits for what a request brings.
func (n *notebook) until(id, what string, is func(shown) bool) shown {
	n.t.Helper()
	var s shown
	for end := time.Now().Add(limit); ; time.Sleep(10 * time.Millisecond) {
		n.mu.Lock()
		if n.shown[id] != nil {
			s = *n.shown[id]
		}
		n.mu.Unlock()
		if is(s) {
			return s
		}
		if time.Now().After(end) {
			n.t.Fatalf("%s did not come, but %+v", what, s)
		}
	}
}

// finish waits for a cell's reply and its idle.
func (n *notebook) finish(id string) shown {
	n.t.Helper()
	return n.until(id, "the end of the cell", func(s shown) bool { return s.reply != nil && s.idle })
}

// run runs a cell that must succeed and returns what it printed.
func (n *notebook) run(code string) string {
	n.t.Helper()
	s := n.finish(n.cell(code))
	if s.reply["status"] != "ok" {
		n.t.Fatalf("%q failed: %v", code, s.reply)
	}
	return s.stdout
}

// end waits for the end of the proxy.
func (n *notebook) end() error {
	n.t.Helper()
	select {
	case err := <-n.ended:
		return err
	case <-time.After(limit):
		n.t.Fatal("the proxy does not end")
		return errors.New("unreachable")
	}
}
