package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
)

// NewIPC returns a connection whose sockets are files: path-1 to path-5. Every
// user who may open them may try the key, so they belong in a private folder.
func NewIPC(path string, key Key) Connection {
	return Connection{Transport: "ipc", IP: path, Shell: 1, Control: 2, Stdin: 3, IOPub: 4, Heartbeat: 5,
		Scheme: "hmac-sha256", Key: key}
}

// NewTCP returns a connection on ports of this machine that are free
// now, with a new key. Only programs of this machine can connect; others need an ssh
// tunnel.
func NewTCP() (Connection, error) {
	c := Connection{Transport: "tcp", IP: "127.0.0.1", Scheme: "hmac-sha256", Key: Key(NewID() + NewID())}
	for _, port := range []*int{&c.Shell, &c.Control, &c.Stdin, &c.IOPub, &c.Heartbeat} {
		l, err := net.Listen("tcp", c.IP+":0")
		if err != nil {
			return Connection{}, fmt.Errorf("wire: find a free port: %w", err)
		}
		defer l.Close() // once all are found, so that they differ
		*port = l.Addr().(*net.TCPAddr).Port
	}
	return c, nil
}

// ErrExist says that a connection file is there already.
var ErrExist = errors.New("wire: the connection file is there already")

// Write writes a connection file that only this user can read. It returns
// [ErrExist] rather than write over a file, as a client may be using it.
func (c Connection) Write(path string) error {
	data, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("wire: connection file: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return ErrExist
	}
	if err != nil {
		return fmt.Errorf("wire: connection file: %w", err)
	}
	if _, err := f.Write(append(data, '\n')); err != nil {
		f.Close()
		return fmt.Errorf("wire: connection file: %w", err)
	}
	return f.Close()
}
