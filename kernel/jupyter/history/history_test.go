package history

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func inputs(entries []Entry) string {
	var all []string
	for _, e := range entries {
		all = append(all, fmt.Sprintf("%d:%d:%s", e.Session, e.Line, e.Input))
	}
	return strings.Join(all, " ")
}

func TestFind(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "history.jsonl")
	first := Open(path)
	first.Add(Entry{Line: 1, Input: "a1"})
	first.Add(Entry{Line: 2, Input: "b*"})
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	h := Open(path)
	defer h.Close()
	h.Add(Entry{Line: 1, Input: "c"})
	h.Add(Entry{Line: 2, Input: "a1"})
	h.Add(Entry{Line: 3, Input: "世界"})
	tests := []struct {
		name string
		q    Query
		want string
	}{
		{"tail", Query{Access: "tail", N: 2}, "2:2:a1 2:3:世界"},
		{"whole tail", Query{Access: "tail"}, "1:1:a1 1:2:b* 2:1:c 2:2:a1 2:3:世界"},
		{"this session", Query{Access: "range", Start: 1, Stop: 3}, "2:1:c 2:2:a1"},
		{"to the end", Query{Access: "range", Start: 2}, "2:2:a1 2:3:世界"},
		{"the session before", Query{Access: "range", Session: -1}, "1:1:a1 1:2:b*"},
		{"a session by number", Query{Access: "range", Session: 1, Start: 2}, "1:2:b*"},
		{"no such session", Query{Access: "range", Session: 9}, ""},
		{"search", Query{Access: "search", Pattern: "a*"}, "1:1:a1 2:2:a1"},
		{"search, each once", Query{Access: "search", Pattern: "a*", Unique: true}, "2:2:a1"},
		{"search, the last", Query{Access: "search", Pattern: "*", N: 1}, "2:3:世界"},
		{"one character", Query{Access: "search", Pattern: "?界"}, "2:3:世界"},
		{"a star that is a star", Query{Access: "search", Pattern: "b?"}, "1:2:b*"},
		{"whole inputs only", Query{Access: "search", Pattern: "1"}, ""},
		{"unknown access", Query{Access: "x"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := inputs(h.Find(tt.q)); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestGlob(t *testing.T) {
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "x", true}, {"*", "", true}, {"?", "", false}, {"a*b*c", "aXbYbZc", true},
		{"a*b*c", "aXbYbZ", false}, {"*a", "aaab", false}, {"**a**", "bab", true}, {"line*", "line\ntwo", true},
	} {
		if got := glob(tt.pattern, tt.text); got != tt.want {
			t.Errorf("glob(%q, %q) = %v, want %v", tt.pattern, tt.text, got, tt.want)
		}
	}
	// No pattern takes exponential time.
	if glob(strings.Repeat("a*", 50)+"b", strings.Repeat("a", 5000)) {
		t.Error("it matches")
	}
}

func TestSessionsAtTheSameTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	a, b := Open(path), Open(path)
	a.Add(Entry{Line: 1, Input: "a"})
	b.Add(Entry{Line: 1, Input: "b"})
	a.Close()
	b.Close()
	c := Open(path)
	defer c.Close()
	if got := inputs(c.Find(Query{Access: "tail"})); got != "1:1:a 2:1:b" {
		t.Errorf("got %s", got)
	}
}

// A damaged file loses its damaged lines and no more.
func TestDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	text := `{"session":1,"line":1,"input":"good"}` + "\nnonsense\n[]\n" + `{"session":2,"line":1,"input":"cut`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h := Open(path)
	h.Add(Entry{Line: 1, Input: "new"})
	h.Close()
	h = Open(path)
	defer h.Close()
	if got := inputs(h.Find(Query{Access: "tail"})); got != "1:1:good 2:1:new" {
		t.Errorf("got %s", got)
	}
}

func TestFileStaysSmall(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.jsonl")
	var b strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&b, `{"session":1,"line":%d,"input":"a line of some length or other"}`+"\n", i+1)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	h := Open(path)
	defer h.Close()
	if info, err := os.Stat(path); err != nil || info.Size() > maxFile {
		t.Errorf("the file has %d bytes, %v", info.Size(), err)
	}
	got := h.Find(Query{Access: "tail", N: 1})
	if len(got) != 1 || got[0].Line != 200_000 {
		t.Errorf("the last entry is %v", got)
	}
}

// Without a place to keep it, history is that of this session.
func TestNoFile(t *testing.T) {
	for _, path := range []string{"", "/dev/null/history.jsonl"} {
		h := Open(path)
		h.Add(Entry{Line: 1, Input: "x"})
		if got := inputs(h.Find(Query{Access: "tail"})); got != "1:1:x" {
			t.Errorf("%q: got %s", path, got)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}
