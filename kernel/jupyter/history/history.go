// Package history keeps what was typed, over the sessions of all notebooks.
//
// A [History] holds the inputs of this session and, where it has a file, those
// of earlier ones. The file is one JSON object a line:
//
//	{"session":3,"line":1,"input":"x := 1"}
package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/gofrs/flock"
	"github.com/holt-dl/holt/internal/aside"
)

const (
	keep    = 10_000  // entries that are read from the file
	maxFile = 8 << 20 // bytes, beyond which the file is cut to its newer half

	maxSession = 1 << 31 // a larger number is no session's
)

// Entry is one input.
type Entry struct {
	Session int    `json:"session"`
	Line    int    `json:"line"` // execution count
	Input   string `json:"input"`
}

// Query is the content of a history_request
// (https://jupyter-client.readthedocs.io/en/stable/messaging.html#history).
type Query struct {
	Access  string `json:"hist_access_type"` // "range", "tail" or "search"
	Output  bool   `json:"output"`           // not kept: entries have inputs only
	Session int    `json:"session"`          // of a range: 0 is this one, -1 the one before, …
	Start   int    `json:"start"`            // of a range: first line
	Stop    int    `json:"stop"`             // of a range: the line after the last; 0 for all
	N       int    `json:"n"`                // of tail and search: how many at most; 0 for all
	Pattern string `json:"pattern"`          // of a search, with * and ?
	Unique  bool   `json:"unique"`           // of a search: each input once, its latest
}

// History keeps inputs. Its methods may be called by several goroutines.
type History struct {
	mu      sync.Mutex
	session int
	entries []Entry
	file    *os.File // nil where nothing is kept on disk
}

// Open reads the history in a file and begins a new session. An empty path, or
// a file that cannot be used, is a history of this session only.
func Open(path string) *History {
	h := &History{session: 1}
	if path == "" {
		return h
	}
	if err := h.load(path); err != nil {
		slog.Warn("history: inputs of this notebook are not kept", "err", err)
	}
	return h
}

func (h *History) load(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	// Kernels that start at the same time get different sessions.
	lock := flock.New(path + ".lock")
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("history: lock %s: %w", path, err)
	}
	defer lock.Unlock()
	if err := shorten(path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	h.entries = read(f)
	for _, e := range h.entries {
		h.session = max(h.session, e.Session+1)
	}
	// An entry without a line only takes the session's number.
	if err := write(f, Entry{Session: h.session}); err != nil {
		f.Close()
		return err
	}
	h.file = f
	return nil
}

// read returns the last entries of a file. A line that is damaged, as the last
// one is when the machine stopped, is passed over.
func read(f *os.File) []Entry {
	var all []Entry
	in := bufio.NewScanner(f)
	in.Buffer(nil, maxFile)
	for in.Scan() {
		var e Entry
		if json.Unmarshal(in.Bytes(), &e) == nil && e.Session > 0 && e.Session < maxSession {
			all = append(all, e)
		}
	}
	return all[max(0, len(all)-keep):]
}

// shorten cuts a file that has grown too large to its newer half.
func shorten(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return nil // there is none yet
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() <= maxFile {
		return err
	}
	data := make([]byte, maxFile/2)
	n, err := f.ReadAt(data, info.Size()-maxFile/2)
	if err != nil && err != io.EOF {
		return fmt.Errorf("history: %w", err)
	}
	data = data[:n]
	if i := slices.Index(data, '\n'); i >= 0 {
		data = data[i+1:]
	}
	if err := aside.WriteMode(path, 0o600, aside.Bytes(data)); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}

func write(f *os.File, e Entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	if _, err := f.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}

// Add keeps an input of this session; its Session need not be set.
func (h *History) Add(e Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e.Session = h.session
	h.entries = append(h.entries, e)
	if len(h.entries) > 2*keep {
		h.entries = slices.Clone(h.entries[len(h.entries)-keep:])
	}
	if h.file != nil {
		if err := write(h.file, e); err != nil {
			slog.Warn("history: inputs are no longer kept", "err", err)
			h.file.Close()
			h.file = nil
		}
	}
}

// Find returns the entries that a query asks for, oldest first.
func (h *History) Find(q Query) []Entry {
	h.mu.Lock()
	defer h.mu.Unlock()
	var found []Entry
	for _, e := range h.entries {
		if e.Line > 0 && h.matches(q, e) {
			found = append(found, e)
		}
	}
	if q.Access == "search" && q.Unique {
		seen := map[string]bool{}
		slices.Reverse(found)
		found = slices.DeleteFunc(found, func(e Entry) bool {
			again := seen[e.Input]
			seen[e.Input] = true
			return again
		})
		slices.Reverse(found)
	}
	if q.Access != "range" && q.N > 0 {
		found = found[max(0, len(found)-q.N):]
	}
	return found
}

func (h *History) matches(q Query, e Entry) bool {
	switch q.Access {
	case "tail":
		return true
	case "search":
		return glob(q.Pattern, e.Input)
	case "range":
		session := q.Session
		if session <= 0 {
			session += h.session
		}
		return e.Session == session && e.Line >= q.Start && (q.Stop <= 0 || e.Line < q.Stop)
	}
	return false
}

// glob reports whether the whole of text fits a pattern in which * stands for
// any text and ? for one character. An empty pattern fits everything.
func glob(pattern, text string) bool {
	if pattern == "" {
		return true
	}
	p, t := []rune(pattern), []rune(text)
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}

// Close ends the session.
func (h *History) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.file == nil {
		return nil
	}
	err := h.file.Close()
	h.file = nil
	return err
}
