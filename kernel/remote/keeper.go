package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/holt-dl/holt/internal/aside"
	"github.com/holt-dl/holt/internal/process"
	"github.com/holt-dl/holt/kernel/jupyter/wire"
)

// keeperReady is the first line that a keeper writes when its kernel is started. Any
// other line is an error.
const keeperReady = "ready"

const (
	killAfter  = 10 * time.Second // a kernel that is asked to end
	endTimeout = 5 * time.Second  // for a connected proxy to receive how the kernel ended
	logTail    = 2 << 10          // bytes of the kernel's log that an ending holds
)

// Keep starts a kernel and holds it until it ends, is stopped, or was without a
// line for the grace period. In holds the hello that asks for the session. Keep
// writes "ready" to said and closes it once lines may come, else it writes what
// went wrong. Kernel is the command that starts the kernel, to which the
// connection file is added.
func Keep(in io.Reader, said io.WriteCloser, kernel []string) error {
	k, err := newKeeper(in, kernel)
	if errors.Is(err, fs.ErrExist) { // another agent started the session just now
		fmt.Fprintln(said, keeperReady)
		said.Close()
		return nil
	}
	if err != nil {
		fmt.Fprintln(said, err)
		said.Close()
		return err
	}
	fmt.Fprintln(said, keeperReady)
	said.Close()
	return k.run()
}

// keeper holds one kernel.
type keeper struct {
	session  Session // as it started
	dir      string
	sockets  string // the folder of the sockets
	grace    time.Duration
	conn     wire.Connection
	codec    *wire.Codec
	cmd      *exec.Cmd
	listener net.Listener
	link     *link
	up       chan struct{} // closed when client is set, or never will be
	ended    chan struct{} // closed when the kernel has ended
	over     chan struct{} // closed when the grace period is over

	mu     sync.Mutex
	client *wire.Client
	state  string
	asked  bool          // a client has requested the end
	line   func()        // ends the line that is; nil where there is none
	idle   chan struct{} // closed when the line that is has ended
	cut    time.Time     // since when there is none
	timer  *time.Timer   // ends the kernel when there is none for too long
}

// jupyterName is how Jupyter names the connection file of a kernel, after the kernel's id.
var jupyterName = regexp.MustCompile(`^kernel-[0-9A-Za-z-]+\.json$`)

func newKeeper(in io.Reader, kernel []string) (_ *keeper, err error) {
	var h hello
	if err := json.NewDecoder(in).Decode(&h); err != nil || h.Start == nil || !validID.MatchString(h.Session) {
		return nil, errors.New("start the kernel: the request is not understood")
	}
	base, err := sessionsDir()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(base, h.Session)
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, fmt.Errorf("start the kernel: %w", err)
	}
	defer func() {
		if err != nil {
			os.RemoveAll(dir)
		}
	}()
	work := h.Start.Dir
	if work == "" {
		if work, err = os.UserHomeDir(); err != nil {
			return nil, fmt.Errorf("start the kernel: %w", err)
		}
	}
	if info, err := os.Stat(work); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("the kernel is to run in %s, which is no folder on that machine; make it there, or choose another with --dir", work)
	}
	k := &keeper{
		dir:   dir,
		grace: h.Start.Grace,
		codec: wire.NewCodec(h.Start.Key),
		up:    make(chan struct{}),
		ended: make(chan struct{}),
		over:  make(chan struct{}),
		cut:   time.Now(),
		state: "starting",
	}
	if k.sockets, err = socketsDir(dir); err != nil {
		return nil, err
	}
	k.conn = wire.NewIPC(filepath.Join(k.sockets, "k"), h.Start.Key)
	name := "connection.json"
	if jupyterName.MatchString(h.Start.Name) {
		name = h.Start.Name
	}
	file := filepath.Join(dir, name)
	if err := k.conn.Write(file); err != nil {
		return nil, err
	}
	k.link = newLink(pulse{}, k.toKernel)
	k.link.notice = func(n int, last packet) packet {
		return packet{kindIOPub, k.codec.LeftOut(n, last.frames, "while the line to this machine was cut or too slow")}
	}
	if err := k.listen(h.Session); err != nil {
		return nil, err
	}
	if err := k.startKernel(append(kernel, file), work, h.Start.Env); err != nil {
		k.listener.Close()
		return nil, err
	}
	k.session = Session{ID: h.Session, PID: os.Getpid(), Kernel: k.cmd.Process.Pid, Host: hostName(), Dir: work,
		Client: h.Start.Client, Started: time.Now(), Grace: k.grace}
	return k, nil
}

// listen opens the socket that agents find by the session's record.
func (k *keeper) listen(id string) error {
	socket := filepath.Join(k.sockets, "line")
	l, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("start the kernel: %w", err)
	}
	data, err := json.Marshal(record{ID: id, Host: hostName(), Socket: socket})
	if err != nil {
		return err
	}
	if err := aside.WriteMode(filepath.Join(k.dir, "session.json"), 0o600, aside.Bytes(data)); err != nil {
		l.Close()
		return fmt.Errorf("start the kernel: %w", err)
	}
	k.listener = l
	return nil
}

func (k *keeper) startKernel(argv []string, dir string, env map[string]string) error {
	log, err := os.OpenFile(k.logFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("start the kernel: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = os.Environ()
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	// The kernel ends when its keeper is killed.
	cmd.Env = append(cmd.Env, "JPY_PARENT_PID="+strconv.Itoa(os.Getpid()))
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the kernel: %w", err)
	}
	k.cmd = cmd
	return nil
}

func (k *keeper) logFile() string { return filepath.Join(k.dir, "kernel.log") }

// run holds the kernel to its end.
func (k *keeper) run() error {
	defer k.remove()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	k.mu.Lock()
	k.timer = time.AfterFunc(k.grace, k.expire)
	k.mu.Unlock()
	go k.accept(ctx)
	var relay sync.WaitGroup
	relay.Go(func() { k.connect(ctx, &relay) })
	err := k.cmd.Wait()
	close(k.ended)
	relay.Wait() // all messages of the kernel are in the link
	end := k.ending(err)
	k.link.Send(pack(kindEnd, end), true)
	k.deliverEnd(ctx, end.Asked)
	return nil
}

// deliverEnd waits until the proxy has received how the kernel ended. A proxy without a
// line receives it when it connects again; one that asked for the end does not connect
// again, and is not waited for.
func (k *keeper) deliverEnd(ctx context.Context, asked bool) {
	if asked {
		if k.now().Cut != nil {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, endTimeout)
		defer cancel()
		k.link.Flush(ctx)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-k.over:
			cancel()
		case <-ctx.Done():
		}
	}()
	k.link.Flush(ctx)
}

// ending returns how the kernel ended. An exit with status 0 is one that a client
// requested.
func (k *keeper) ending(err error) ending {
	k.mu.Lock()
	k.state = "ended"
	e := ending{Asked: k.asked || err == nil}
	k.mu.Unlock()
	if err != nil {
		e.Reason = err.Error()
		e.Log = tail(k.logFile())
	}
	return e
}

// tail returns the last lines of a file.
func tail(file string) string {
	data, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	if cut := len(data) - logTail; cut > 0 {
		data = data[cut:]
		if _, rest, ok := strings.Cut(string(data), "\n"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return strings.TrimSpace(string(data))
}

func (k *keeper) remove() {
	k.listener.Close()
	if k.sockets != k.dir {
		os.RemoveAll(k.sockets)
	}
	os.RemoveAll(k.dir)
}

// connect becomes the kernel's client, as soon as the kernel listens.
func (k *keeper) connect(ctx context.Context, relay *sync.WaitGroup) {
	defer close(k.up)
	for {
		// One client to the kernel: the identities of the notebook's own sockets
		// travel inside the messages, and bring the replies back.
		client, err := wire.Dial(ctx, k.conn, "holt-remote")
		if err == nil {
			k.mu.Lock()
			k.client = client
			k.mu.Unlock()
			relay.Go(func() { k.fromKernel(client.Shell, kindShell) })
			relay.Go(func() { k.fromKernel(client.Control, kindControl) })
			relay.Go(func() { k.fromKernel(client.Stdin, kindStdin) })
			relay.Go(func() { k.fromKernel(client.IOPub, kindIOPub) })
			return
		}
		select {
		case <-k.ended:
			return
		case <-ctx.Done():
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// fromKernel sends the messages of one of the kernel's sockets to the proxy, until the
// kernel ends.
func (k *keeper) fromKernel(conn *wire.Conn, kind kind) {
	for {
		frames, err := conn.Receive()
		if err != nil {
			return
		}
		p := packet{kind, frames}
		if kind == kindIOPub && wire.PublishedType(frames) == "status" {
			k.note(frames)
		}
		if !k.link.Send(p, essential(p)) && essential(p) {
			slog.Error("remote: a message is lost, as too many wait for the line", "kind", kind)
		}
	}
}

// note keeps the kernel's state, which lists of sessions show.
func (k *keeper) note(frames [][]byte) {
	var content struct {
		State string `json:"execution_state"`
	}
	if json.Unmarshal(wire.Content(frames), &content) == nil && content.State != "" {
		k.mu.Lock()
		k.state = content.State
		k.mu.Unlock()
	}
}

// toKernel sends the proxy's messages to the kernel. It waits until the kernel listens.
func (k *keeper) toKernel(p packet) {
	if p.kind == kindStop {
		k.stop()
		return
	}
	<-k.up
	k.mu.Lock()
	client := k.client
	k.mu.Unlock()
	if client == nil {
		return // the kernel has ended, and its ending is on the way
	}
	conn := map[kind]*wire.Conn{kindShell: client.Shell, kindControl: client.Control, kindStdin: client.Stdin}[p.kind]
	if conn == nil {
		return
	}
	if err := conn.Send(p.frames); err != nil {
		slog.Debug("remote: the kernel does not take a message", "err", err)
	}
}

// stop sends SIGTERM to the kernel, and kills it when it has not ended in time.
func (k *keeper) stop() {
	k.mu.Lock()
	again := k.asked
	k.asked = true
	k.mu.Unlock()
	if again {
		return
	}
	process.End(k.cmd.Process)
	go func() {
		select {
		case <-k.ended:
		case <-time.After(killAfter):
			k.cmd.Process.Kill()
		}
	}()
}
