package gosource

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestApply(t *testing.T) {
	root := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(root, "src", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("p/a.go", "package p\n\nvar n = 1\n")
	write("p/b.go", "package p\n\nvar m = 2\nvar k = 2\n")
	edits := []Edit{
		{File: "p/a.go", Old: "n = 1\n", New: "n = 10\n"},
		{File: "p/gone.go", Old: "x", New: "y", Or: &Edit{File: "p/b.go", Old: "m = 2\n", New: "m = 20\n"}},
		{File: "p/a.go", Old: "n = 10\n", New: "n = 100\n"}, // after the first
	}
	files, err := Apply(root, edits)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"p/a.go": "package p\n\nvar n = 100\n", "p/b.go": "package p\n\nvar m = 20\nvar k = 2\n"} {
		if got := string(files[filepath.Join(root, "src", name)]); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}

	dir := t.TempDir()
	overlay, aside, err := Overlay(dir, files)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(overlay)
	if err != nil {
		t.Fatal(err)
	}
	var told struct{ Replace map[string]string }
	if err := json.Unmarshal(text, &told); err != nil || len(told.Replace) != 2 {
		t.Fatalf("got %s, %v", text, err)
	}
	for name, file := range aside {
		if text, err := os.ReadFile(file); err != nil || string(text) != string(files[name]) || told.Replace[name] != file {
			t.Errorf("%s: got %q, %v", name, text, err)
		}
	}

	for _, tt := range []struct {
		edit Edit
		want string
	}{
		{Edit{File: "p/b.go", Old: " = 2\n"}, `b.go holds "= 2" 2 times, want once; Holt does not know this Go`},
		{Edit{File: "p/a.go", Old: "n = 2\nx"}, `a.go holds "n = 2" 0 times, want once; Holt does not know this Go`},
		{Edit{File: "p/a.go", Old: "no", Or: &Edit{File: "p/b.go", Old: "no"}}, `a.go holds "no" 0 times`},
		{Edit{File: "p/gone.go"}, "the sources of Go: open "},
	} {
		if _, err := Apply(root, []Edit{tt.edit}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v\nwant %s", err, tt.want)
		}
	}
}

func TestSum(t *testing.T) {
	a := []Edit{{File: "a", Old: "b", New: "c", Or: &Edit{File: "d"}}}
	b := []Edit{{File: "a", Old: "b", New: "c", Or: &Edit{File: "d"}}}
	if Sum(a) != Sum(b) {
		t.Error("equal edits have two sums")
	}
	b[0].Or.New = "x"
	if Sum(a) == Sum(b) {
		t.Error("a change in another release's text does not change the sum")
	}
}
