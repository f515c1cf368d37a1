// Package front is the side of a kernel that clients see: its five sockets, the
// requests that come on them, what is published, the signals of the process, and
// the end of the process that started it. Package kernel serves the requests where cells
// run on this machine, package remote where they run on another.
package front

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/holt-dl/holt/kernel/jupyter/wire"
	"github.com/holt-dl/holt/kernel/machine/orphan"
)

// linger is how long clients may take to read the last messages.
const linger = time.Second

// Request is a message of a client.
type Request struct {
	*wire.Message
	Socket *wire.Socket // where it came, and where its reply goes
	Frames [][]byte     // as it came
}

// Front is the sockets of one kernel. Its methods may be called by several
// goroutines.
type Front struct {
	*wire.Sockets
	*wire.Codec
	name string // in logs

	mu     sync.Mutex
	logged time.Time // when a message that was dropped was last logged
	silent int       // messages dropped since then
}

// Open binds the sockets of a connection for the kernel of the name, which logs
// give. Clients may connect, and wait for Accept.
func Open(name string, conn wire.Connection) (*Front, error) {
	sockets, err := wire.Open(conn)
	if err != nil {
		return nil, err
	}
	f := &Front{Sockets: sockets, Codec: wire.NewCodec(conn.Key), name: name}
	sockets.IOPub.OnSubscribe(f.Welcome)
	sockets.IOPub.OnDropped(f.Missed)
	sockets.Verify(f.Signed)
	return f, nil
}

// Close closes the sockets, once clients have read the last messages or have had
// the time to.
func (f *Front) Close() { f.Sockets.Close(linger) }

// Watch calls interrupt for each SIGINT, and stop when the process gets SIGTERM,
// when the process named by JPY_PARENT_PID is gone, or when ctx ends, in goroutines
// of work that end with ctx. Until release is called, these signals do not end
// the process.
func Watch(ctx context.Context, work *sync.WaitGroup, interrupt, stop func()) (release func()) {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	work.Go(func() { orphan.Watch(ctx, stop) })
	work.Go(func() {
		for {
			select {
			case sig := <-signals:
				if sig == syscall.SIGINT {
					interrupt()
				} else {
					stop()
				}
			case <-ctx.Done():
				stop()
				return
			}
		}
	})
	return func() { signal.Stop(signals) }
}

// Read passes what clients send to one socket to take, until ctx ends. What is
// malformed or not signed is dropped.
func (f *Front) Read(ctx context.Context, socket *wire.Socket, channel string, take func(Request)) {
	for {
		select {
		case <-ctx.Done():
			return
		case frames := <-socket.Messages():
			msg, err := f.Decode(frames)
			if err != nil {
				f.Dropped(channel, err)
				continue
			}
			take(Request{msg, socket, frames})
		}
	}
}

// Dropped logs a message that is dropped, at most one line a second.
func (f *Front) Dropped(channel string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.logged) < time.Second {
		f.silent++
		return
	}
	slog.Warn(f.name+": message dropped", "channel", channel, "err", err, "others", f.silent)
	f.logged, f.silent = time.Now(), 0
}

// Publish sends a message to every client.
func (f *Front) Publish(typ string, parent json.RawMessage, content any) {
	f.PublishMessage(f.New(typ, parent, content))
}

// PublishMessage sends a message to every client.
func (f *Front) PublishMessage(msg *wire.Message) {
	frames := f.EncodePublished(msg)
	f.IOPub.Publish(frames, wire.Essential(frames))
}

// Status publishes that the kernel is "busy" or "idle" with the request of which
// parent is the header.
func (f *Front) Status(parent json.RawMessage, state string) {
	f.Publish("status", parent, map[string]any{"execution_state": state})
}

// Reply sends the reply to a request.
func (f *Front) Reply(req Request, typ string, content any) {
	f.Send(req.Socket, req, f.New(typ, req.RawHeader, content))
}

// Send sends a message to the client that a request came from. Where that has
// gone, it returns [wire.ErrNoPeer].
func (f *Front) Send(socket *wire.Socket, to Request, msg *wire.Message) error {
	msg.Identities = to.Identities
	err := socket.Send(f.Encode(msg))
	if err != nil {
		slog.Debug(f.name+": the client of a reply has gone", "type", msg.Header.Type)
	}
	return err
}

// SetLog has the process log to its standard error what HOLT_LOG says, warnings unless
// told otherwise.
func SetLog() {
	var level slog.Level
	if level.UnmarshalText([]byte(os.Getenv("HOLT_LOG"))) != nil {
		level = slog.LevelWarn
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
}
