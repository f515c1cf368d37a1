package wire

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
)

// Client is connected to the sockets of a kernel, as a notebook is.
type Client struct {
	Shell, Control, Stdin *Conn // DEALER, of one identity
	IOPub                 *Conn // SUB, of everything
}

// Dial connects to the kernel that listens at a connection. Its shell,
// control and stdin have one identity, so that the kernel's request for input reaches
// the client that sent the cell on shell. All that is published after Dial is received.
func Dial(ctx context.Context, c Connection, identity string) (*Client, error) {
	c = c.withDefaults()
	client := new(Client)
	for _, d := range []struct {
		conn **Conn
		kind Kind
		port int
	}{
		{&client.IOPub, Sub, c.IOPub}, // first, so that no output is missed
		{&client.Stdin, Dealer, c.Stdin},
		{&client.Control, Dealer, c.Control},
		{&client.Shell, Dealer, c.Shell},
	} {
		conn, err := connect(ctx, d.kind, c.endpoint(d.port), identity)
		if err != nil {
			client.Close()
			return nil, err
		}
		*d.conn = conn
	}
	if err := client.IOPub.subscribe(); err != nil {
		client.Close()
		return nil, fmt.Errorf("wire: subscribe to %s: %w", c.endpoint(c.IOPub), err)
	}
	return client, nil
}

// subscribe subscribes to all topics, and waits for the kernel's iopub_welcome: what
// is published before that is lost.
func (c *Conn) subscribe() error {
	c.nc.SetDeadline(time.Now().Add(handshakeTimeout))
	defer c.nc.SetDeadline(time.Time{})
	if err := c.Send([][]byte{{1}}); err != nil {
		return err
	}
	_, err := c.Receive()
	return err
}

// Close disconnects from all sockets.
func (c *Client) Close() {
	for _, conn := range []*Conn{c.Shell, c.Control, c.Stdin, c.IOPub} {
		if conn != nil {
			conn.nc.Close()
		}
	}
}

// Conn is one connection to a socket. One goroutine may receive while others send.
type Conn struct {
	nc   net.Conn
	conn *peerConn
	mu   sync.Mutex // held while writing
}

func connect(ctx context.Context, kind Kind, endpoint, identity string) (*Conn, error) {
	network, address, ok := strings.Cut(endpoint, "://")
	if ok && network == "ipc" {
		network = "unix"
	}
	address = strings.TrimPrefix(address, "*")
	nc, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("wire: connect to %s: %w", endpoint, err)
	}
	nc.SetDeadline(time.Now().Add(handshakeTimeout))
	conn, err := handshake(nc, kind, identity)
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("wire: connect to %s: %w", endpoint, err)
	}
	nc.SetDeadline(time.Time{})
	return &Conn{nc: nc, conn: conn}, nil
}

// Send sends a message. It waits while the kernel does not read.
func (c *Conn) Send(frames [][]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.conn.send("", frames); err != nil {
		return err
	}
	return c.conn.on.flush()
}

// Receive waits for the next message, or for the end of the connection.
func (c *Conn) Receive() ([][]byte, error) {
	for {
		frames, command, err := c.conn.receive()
		if err != nil {
			return nil, err
		}
		if command == nil {
			return frames, nil
		}
		if command.Name == zmq4.CmdError {
			return nil, fmt.Errorf("wire: the kernel reports an error: %q", command.Body)
		}
	}
}
