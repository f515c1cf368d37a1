package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Connection is a client's connection file
// (https://jupyter-client.readthedocs.io/en/stable/kernels.html#connection-files).
// It does not print its key.
type Connection struct {
	Transport string `json:"transport"` // "tcp" or "ipc"; empty means tcp
	IP        string `json:"ip"`        // the address to bind, or the path of ipc sockets
	Shell     int    `json:"shell_port"`
	Control   int    `json:"control_port"`
	Stdin     int    `json:"stdin_port"`
	IOPub     int    `json:"iopub_port"`
	Heartbeat int    `json:"hb_port"`
	Scheme    string `json:"signature_scheme"` // empty means hmac-sha256
	Key       Key    `json:"key"`
}

// Key signs messages. It prints as "key(hidden)", so that it reaches no log.
type Key string

// String hides the key.
func (k Key) String() string { return "key(hidden)" }

// GoString hides the key from %#v.
func (k Key) GoString() string { return k.String() }

// ReadConnection reads and checks a connection file.
func ReadConnection(path string) (Connection, error) {
	f, err := os.Open(path)
	if err != nil {
		return Connection{}, fmt.Errorf("wire: connection file: %w", err)
	}
	defer f.Close()
	const most = 1 << 20 // bytes; Jupyter writes some 300
	data, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return Connection{}, fmt.Errorf("wire: connection file: %w", err)
	}
	c, err := ParseConnection(data)
	if err != nil {
		return Connection{}, fmt.Errorf("%w (in %s)", err, path)
	}
	return c, nil
}

// ParseConnection reads and checks the JSON of a connection file.
func ParseConnection(data []byte) (Connection, error) {
	var c Connection
	if err := json.Unmarshal(data, &c); err != nil {
		var typ *json.UnmarshalTypeError
		if errors.As(err, &typ) && typ.Field != "" {
			return Connection{}, fmt.Errorf("wire: connection file: %s is a %s, want %s", typ.Field, typ.Value, jsonName(typ.Type))
		}
		return Connection{}, errors.New("wire: connection file: it is not a JSON object; let Jupyter start the kernel, or pass a file that it wrote")
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return Connection{}, errors.New("wire: connection file: it is not a JSON object; let Jupyter start the kernel, or pass a file that it wrote")
	}
	for name, value := range all {
		if strings.HasPrefix(name, "curve_") && string(value) != "null" && string(value) != `""` {
			return Connection{}, fmt.Errorf("wire: connection file: %s asks for CurveZMQ encryption, which holt does not speak; start the kernel without it, and use ssh to reach another machine", name)
		}
	}
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return Connection{}, err
	}
	return c, nil
}

func jsonName(t reflect.Type) string {
	if t.Kind() == reflect.Int {
		return "a whole number"
	}
	return "a string"
}

func (c Connection) withDefaults() Connection {
	if c.Transport == "" {
		c.Transport = "tcp"
	}
	if c.Scheme == "" {
		c.Scheme = "hmac-sha256"
	}
	return c
}

func (c Connection) check() error {
	switch c.Transport {
	case "tcp":
		if c.Key == "" {
			return errors.New("wire: connection file: key is empty, want a secret on tcp, where anyone on the network could run code; leave c.Session.key as Jupyter sets it")
		}
	case "ipc":
		if c.IP == "" {
			return errors.New("wire: connection file: ip is empty, want the path of the ipc sockets")
		}
	default:
		return fmt.Errorf("wire: connection file: transport is %q, want tcp or ipc", c.Transport)
	}
	if c.Scheme != "hmac-sha256" {
		return fmt.Errorf("wire: connection file: signature_scheme is %q, want hmac-sha256", c.Scheme)
	}
	seen := map[int]string{}
	for _, p := range c.ports() {
		if p.number < 0 || p.number > 65535 {
			return fmt.Errorf("wire: connection file: %s is %d, want 0 to 65535", p.name, p.number)
		}
		if other := seen[p.number]; other != "" && p.number != 0 {
			return fmt.Errorf("wire: connection file: %s and %s are both %d", other, p.name, p.number)
		}
		seen[p.number] = p.name
	}
	return nil
}

type port struct {
	name   string
	number int
}

func (c Connection) ports() []port {
	return []port{{"shell_port", c.Shell}, {"control_port", c.Control}, {"stdin_port", c.Stdin}, {"iopub_port", c.IOPub}, {"hb_port", c.Heartbeat}}
}

// endpoint is where the socket with a port number is bound.
func (c Connection) endpoint(port int) string {
	if c.Transport == "ipc" {
		return fmt.Sprintf("ipc://%s-%d", c.IP, port)
	}
	ip := c.IP
	if ip == "" {
		ip = "127.0.0.1" // Jupyter's default; never every interface unasked
	}
	if ip == "*" {
		return fmt.Sprintf("tcp://*:%d", port)
	}
	return "tcp://" + net.JoinHostPort(ip, strconv.Itoa(port))
}

// Sockets are the five sockets of a kernel.
type Sockets struct {
	Shell, Control, Stdin *Socket // ROUTER
	IOPub                 *Socket // XPUB
	Heartbeat             *Socket // REP, which answers by itself
}

// Open binds the sockets that a connection names. Clients may connect from
// now on, and wait for [Sockets.Accept].
func Open(c Connection) (*Sockets, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	s := new(Sockets)
	for _, b := range []struct {
		socket **Socket
		kind   Kind
		port   int
	}{
		{&s.Heartbeat, Rep, c.Heartbeat},
		{&s.IOPub, XPub, c.IOPub},
		{&s.Stdin, Router, c.Stdin},
		{&s.Control, Router, c.Control},
		{&s.Shell, Router, c.Shell},
	} {
		var err error
		if *b.socket, err = Listen(b.kind, c.endpoint(b.port)); err != nil {
			s.Close(0)
			return nil, err
		}
	}
	return s, nil
}

// Verify sets what tells a genuine message, on all sockets that take any. Call it
// before Accept.
func (s *Sockets) Verify(signed func(frames [][]byte) bool) {
	for _, k := range []*Socket{s.Stdin, s.Control, s.Shell} {
		k.Verify(signed)
	}
}

// Accept lets clients in.
func (s *Sockets) Accept() {
	for _, k := range []*Socket{s.Heartbeat, s.IOPub, s.Stdin, s.Control, s.Shell} {
		k.Accept()
	}
}

// Close closes all sockets, giving clients up to linger to read what is queued.
func (s *Sockets) Close(linger time.Duration) {
	done := make(chan struct{})
	all := []*Socket{s.Shell, s.Control, s.Stdin, s.IOPub, s.Heartbeat}
	for _, k := range all {
		go func() {
			if k != nil {
				k.Close(linger)
			}
			done <- struct{}{}
		}()
	}
	for range all {
		<-done
	}
}
