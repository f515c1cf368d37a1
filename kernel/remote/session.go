package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/holt-dl/holt/kernel/jupyter/wire"
)

// protocol is the version of what a proxy, an agent and a keeper say to one
// another.
const protocol = 1

// DefaultGrace is how long a kernel waits for a line that was cut.
const DefaultGrace = 30 * time.Minute

// What a hello asks for.
const (
	doOpen = "open" // a line to the session, which is started where Start says how
	doList = "list" // what sessions there are
	doStop = "stop" // end the session, or all where none is named
)

// hello opens a line.
type hello struct {
	Protocol int    `json:"protocol"`
	Do       string `json:"do"`
	Session  string `json:"session,omitempty"`
	Received uint64 `json:"received,omitempty"` // how many packets came over earlier lines
	Start    *start `json:"start,omitempty"`
}

// start says how to start a session.
type start struct {
	Key    wire.Key          `json:"key"`
	Name   string            `json:"name,omitempty"` // of the connection file that Jupyter wrote
	Dir    string            `json:"dir"`            // where the kernel runs; empty means home
	Env    map[string]string `json:"env"`
	Grace  time.Duration     `json:"grace"`
	Client string            `json:"client"` // the machine that Jupyter runs on, for lists
}

// reply answers a hello.
type reply struct {
	Protocol int       `json:"protocol"`
	Error    string    `json:"error,omitempty"` // why the line is not opened
	Gone     bool      `json:"gone,omitempty"`  // there is no such session, or no more
	Received uint64    `json:"received,omitempty"`
	Sessions []Session `json:"sessions,omitempty"`
}

// ending says why a kernel ended.
type ending struct {
	Asked  bool   `json:"asked"`  // it was asked to
	Reason string `json:"reason"` // such as "signal: killed"
	Log    string `json:"log"`    // the end of the kernel's log
}

// Session is a kernel that runs on a machine.
type Session struct {
	ID      string        `json:"id"`
	PID     int           `json:"pid"`    // of its keeper
	Kernel  int           `json:"kernel"` // process id of the kernel
	Host    string        `json:"host"`   // the machine's own name; machines may share a home
	Dir     string        `json:"dir"`
	Client  string        `json:"client"` // the machine that Jupyter runs on
	Started time.Time     `json:"started"`
	Grace   time.Duration `json:"grace"`
	State   string        `json:"state"`         // "starting", "idle", "busy" or "ended"
	Cut     *time.Time    `json:"cut,omitempty"` // since when there is no line; nil while there is one
}

// String is one line of a list.
func (s Session) String() string {
	line := "connected"
	if s.Cut != nil {
		left := time.Until(s.Cut.Add(s.Grace)).Round(time.Second)
		line = fmt.Sprintf("no line since %s, ends in %s", s.Cut.Local().Format(time.TimeOnly), max(left, 0))
	}
	return fmt.Sprintf("%.8s  %-8s  %s  started %s by %s, in %s", s.ID, s.State, line,
		s.Started.Local().Format("2006-01-02 15:04"), s.Client, s.Dir)
}

var validID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// record is the file session.json in a session's folder, by which agents find
// its keeper.
type record struct {
	ID     string `json:"id"`
	Host   string `json:"host"`
	Socket string `json:"socket"`
}

// sessionsDir is where sessions have their folders: holt/remote below
// XDG_STATE_HOME, else below ~/.local/state. Only this user may look into it.
func sessionsDir() (string, error) {
	dir := os.Getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(dir) {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("remote: sessions: %w", err)
		}
		dir = filepath.Join(home, ".local", "state")
	}
	dir = filepath.Join(dir, "holt", "remote")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("remote: sessions: %w", err)
	}
	if err := os.Chmod(dir, 0o700); err != nil { // it may be an old folder
		return "", fmt.Errorf("remote: sessions: %w", err)
	}
	return dir, nil
}

// maxSocketPath leaves room in a socket's 108 bytes for the names in the folder.
const maxSocketPath = 96

// socketsDir returns a private folder for the sockets of a session: its own,
// or a new one where the path would be too long for a socket.
func socketsDir(dir string) (string, error) {
	if len(dir) <= maxSocketPath {
		return dir, nil
	}
	short, err := os.MkdirTemp("", "holt-") // mode 0700
	if err != nil {
		return "", fmt.Errorf("remote: sockets: %w", err)
	}
	return short, nil
}

func readRecord(dir string) (record, error) {
	var r record
	data, err := os.ReadFile(filepath.Join(dir, "session.json"))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("remote: %s is no session: %w", dir, err)
	}
	if r.Socket == "" {
		return r, errors.New("remote: " + dir + " is no session")
	}
	return r, nil
}

// hostName is the machine's own name.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}
