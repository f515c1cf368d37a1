package history

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/holt-dl/holt/internal/limit"
)

// TestHugeFile opens a history of 1 TB, most of it a hole, in little memory.
func TestHugeFile(t *testing.T) {
	if !limit.Memory(t, 256<<20) {
		return
	}
	path := filepath.Join(t.TempDir(), "history.jsonl")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	const size = 1 << 40
	if err := f.Truncate(size); err != nil {
		t.Skipf("needs a file system with holes: %v", err)
	}
	if _, err := f.WriteAt([]byte("\n"+`{"session":3,"line":1,"input":"x"}`+"\n"), size); err != nil {
		t.Fatal(err)
	}
	f.Close()
	h := Open(path)
	defer h.Close()
	if got := inputs(h.Find(Query{Access: "tail"})); got != "3:1:x" {
		t.Errorf("got %s", got)
	}
}

// FuzzOpen reads any bytes as a history, and keeps new inputs after them.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"session":1,"line":1,"input":"a"}` + "\n" + `{"session":2,"line":1,"input":"cut`))
	f.Add([]byte(`{"session":9223372036854775807,"line":1,"input":"a"}`))
	f.Add([]byte("\x00\xff\n[]\n{}\nnull\n\"\""))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "history.jsonl")
		if err := os.WriteFile(path, append(data, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		h := Open(path)
		h.Add(Entry{Line: 1, Input: "new"})
		h.Close()
		h = Open(path)
		defer h.Close()
		all := h.Find(Query{Access: "range", Session: -1})
		if len(all) != 1 || all[0].Input != "new" {
			t.Fatalf("the session before is %v", all)
		}
	})
}
