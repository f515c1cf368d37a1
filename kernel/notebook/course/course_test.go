package course

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

func files(pairs ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return m
}

// TestWrite writes a course three times, with the person's changes between.
func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "course")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	step := func(what string, from fstest.MapFS, want string, holds ...string) {
		t.Helper()
		r, err := Write(dir, from)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := fmt.Sprintf("written %v kept %v same %v", r.Written, r.Kept, r.Same); got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
		for i := 0; i < len(holds); i += 2 {
			if got, err := os.ReadFile(filepath.Join(dir, holds[i])); err != nil || string(got) != holds[i+1] {
				t.Errorf("%s: %s holds %q (%v), want %q", what, holds[i], got, err, holds[i+1])
			}
		}
	}
	first := files("a.ipynb", "a1", "b.ipynb", "b1", "more/c.ipynb", "c1")
	step("the first time", first, "written [a.ipynb b.ipynb more/c.ipynb] kept [] same []", "more/c.ipynb", "c1")
	step("again", first, "written [] kept [] same [a.ipynb b.ipynb more/c.ipynb]")

	write("a.ipynb", "mine")
	second := files("a.ipynb", "a2", "b.ipynb", "b2", "more/c.ipynb", "c1", "d.ipynb", "d1")
	step("a newer one", second, "written [b.ipynb d.ipynb] kept [a.ipynb] same [more/c.ipynb]", "a.ipynb", "mine", "b.ipynb", "b2")
	step("that again", second, "written [] kept [a.ipynb] same [b.ipynb d.ipynb more/c.ipynb]", "a.ipynb", "mine")

	if err := os.Remove(filepath.Join(dir, record)); err != nil {
		t.Fatal(err)
	}
	step("without its record", files("b.ipynb", "b3", "d.ipynb", "d1"), "written [] kept [b.ipynb] same [d.ipynb]", "b.ipynb", "b2")
	write(record, "no JSON")
	step("with a damaged record", files("b.ipynb", "b3"), "written [] kept [b.ipynb] same []", "b.ipynb", "b2")
}

func TestWriteErrors(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(file, files("a", "1")); err == nil || !strings.HasPrefix(err.Error(), "course: mkdir "+file) {
		t.Errorf("a file in the place of the folder: %v", err)
	}
	if err := os.Mkdir(filepath.Join(dir, "a"), 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Write(dir, files("a", "1")); err == nil || !strings.HasPrefix(err.Error(), "course: read "+filepath.Join(dir, "a")) {
		t.Errorf("a folder in the place of a file: %v", err)
	}
}
