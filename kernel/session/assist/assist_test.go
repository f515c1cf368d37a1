package assist

import (
	"bufio"
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// notebook is what earlier cells declared.
var notebook = Snapshot{
	Mod: "module notebook\n\ngo 1.26\n",
	Decls: `package main

import "strings"

// Otter swims.
type Otter struct {
	Name   string
	weight float64
}

// Dive goes below, to a depth in metres.
func (o *Otter) Dive(depth int) error { return nil }

var pet *Otter
var größe int
var builder strings.Builder

// feed gives an otter some fish.
func feed(o *Otter, fish ...string) int { return len(fish) }
`,
	Declared: map[string]bool{"Otter": true, "pet": true, "größe": true, "builder": true, "feed": true},
}

// cut is a cell whose declarations are the lines that begin with func or type.
func cut(text string) Cell {
	var decls, stmts strings.Builder
	inDecl := false
	declared := map[string]bool{}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "func ") || strings.HasPrefix(line, "type ") {
			inDecl = true
			name, _, _ := strings.Cut(strings.Fields(line)[1], "(")
			declared[name] = true
		}
		text := strings.TrimSuffix(line, "\n")
		blank := strings.Repeat(" ", len(text)) + line[len(text):]
		if inDecl {
			decls.WriteString(line)
			stmts.WriteString(blank)
		} else {
			stmts.WriteString(line)
			decls.WriteString(blank)
		}
		if strings.HasPrefix(line, "}") || strings.HasSuffix(line, "}\n") {
			inDecl = false
		}
	}
	return Cell{Decls: decls.String(), Stmts: stmts.String(), Declared: declared}
}

func gopls(t testing.TB) *Assistant {
	t.Helper()
	file, err := Find()
	if err != nil {
		t.Skip("gopls is not installed: holt gopls")
	}
	a := New(file, filepath.Join(t.TempDir(), "assist"))
	t.Cleanup(func() { a.Close() })
	return a
}

// at takes the cursor, a |, out of a cell.
func at(text string) (Cell, int) {
	before, after, ok := strings.Cut(text, "|")
	if !ok {
		panic("no cursor in " + text)
	}
	return cut(before + after), len(before)
}

func TestComplete(t *testing.T) {
	a := gopls(t)
	tests := []struct {
		name, cell string
		want       string // a match
		typ        string
		start      int // bytes before the cursor that it replaces
	}{
		{"method of an earlier value", "pet.Di|", "Dive", "function", 2},
		{"field, unexported", "pet.|", "weight", "field", 0},
		{"function of an earlier cell", "n := fe|", "feed", "function", 2},
		{"variable with an umlaut", "grö|", "größe", "variable", 4},
		{"behind an otter", "s := \"🦦世界\"; pet.Na|", "Name", "field", 2},
		{"package that an earlier cell imported", "builder.Write|", "WriteString", "function", 5},
		{"package that no cell imported", "fmt.Printl|", "Println", "function", 6},
		{"within a function that is being written", "func f(o *Otter) {\n\to.Di|\n}", "Dive", "function", 2},
		{"name of this cell", "total := 1\nfmt.Println(tot|", "total", "variable", 3},
		{"keyword", "fo|", "for", "keyword", 2},
		{"a cell of many lines", "x := 1\n\nfor i := range 3 {\n\tx += i\n}\npet.Dive(x)\npet.We|", "weight", "field", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, offset := at(tt.cell)
			got, err := a.Complete(t.Context(), notebook, c, offset)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(got.Matches, func(m Match) bool { return m.Text == tt.want })
			if i < 0 {
				t.Fatalf("%s is not among %v", tt.want, got.Matches)
			}
			if got.Matches[i].Type != tt.typ {
				t.Errorf("type is %s, want %s", got.Matches[i].Type, tt.typ)
			}
			if got.End != offset || got.Start != offset-tt.start {
				t.Errorf("replaces %d to %d, want %d to %d", got.Start, got.End, offset-tt.start, offset)
			}
			for _, m := range got.Matches {
				if strings.HasPrefix(m.Text, ours) {
					t.Errorf("our own name %s is offered", m.Text)
				}
			}
		})
	}
}

func TestInspect(t *testing.T) {
	a := gopls(t)
	tests := []struct {
		name, cell string
		detail     int
		want       []string // parts of the plain text
	}{
		{"function", "feed|", 0, []string{"func feed(o *Otter, fish ...string) int", "feed gives an otter some fish."}},
		{"call that is being written", "feed(|", 0, []string{"func feed(o *Otter, fish ...string) int"}},
		{"type in a declaration", "func f(o *Ott|er) {}", 0, []string{"type Otter struct", "Otter swims."}},
		{"standard library", "import \"fmt\"\nfmt.Prin|tln()", 0, nil},
		{"source of a function", "feed|", 1, []string{"feed gives an otter some fish.", "{ return len(fish) }"}},
		{"source of a method", "pet.Dive|", 1, []string{"{ return nil }"}},
		{"source in the standard library", "builder.WriteString|", 1, []string{"b.buf = append(b.buf, s...)"}},
		{"source of the cell itself", "func twice(x int) int { return 2 * x }\nfeed(nil)\ntwice|", 1, []string{"{ return 2 * x }"}},
		{"nothing", "|", 0, nil},
		{"a number", "12|", 0, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, offset := at(tt.cell)
			got, err := a.Inspect(t.Context(), notebook, c, offset, tt.detail)
			if err != nil {
				t.Fatal(err)
			}
			if tt.want == nil && tt.name != "standard library" && len(got) > 0 {
				t.Errorf("got %v, want nothing", got)
			}
			for _, w := range tt.want {
				if !strings.Contains(got["text/plain"], w) || got["text/markdown"] == "" {
					t.Errorf("got %q, want %q in it", got["text/plain"], w)
				}
			}
			if strings.Contains(got["text/plain"], "```") {
				t.Errorf("markdown in plain text: %q", got["text/plain"])
			}
		})
	}
}

// What is declared later is known without a restart, and so are new modules.
func TestNotebookGrows(t *testing.T) {
	a := gopls(t)
	c, offset := at("late|")
	s := notebook
	for i, want := range []bool{false, true} {
		got, err := a.Complete(t.Context(), s, c, offset)
		if err != nil {
			t.Fatal(err)
		}
		if has := slices.ContainsFunc(got.Matches, func(m Match) bool { return m.Text == "lateComer" }); has != want {
			t.Errorf("round %d: lateComer is offered: %v, want %v", i, has, want)
		}
		s.Decls += "\nvar lateComer int\n"
	}
	s.Mod += "\n// changed\n"
	if got, err := a.Complete(t.Context(), s, c, offset); err != nil || len(got.Matches) == 0 {
		t.Errorf("after go.mod changed: %v, %v", got, err)
	}
}

// Imports of earlier cells stay, which is fast, but for names that have come to
// mean something else.
func TestImportsAreKept(t *testing.T) {
	a := gopls(t)
	offers := func(s Snapshot, text, want string, imports map[string]string) {
		t.Helper()
		c, offset := at(text)
		c.Imports = imports
		got, err := a.Complete(t.Context(), s, c, offset)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(got.Matches, func(m Match) bool { return m.Text == want }) {
			t.Errorf("%s offers %v, want %s", text, got.Matches, want)
		}
	}
	offers(notebook, "sort.Str|", "Strings", map[string]string{"sort": "sort"})
	head := a.head(notebook, Cell{Imports: map[string]string{"ring": "container/ring"}})
	if want := "import ring \"container/ring\"\nimport sort \"sort\"\n"; head != want {
		t.Errorf("the head is %q, want %q", head, want)
	}
	s := notebook
	s.Decls += "\nvar sort *Otter\n"
	s.Declared = map[string]bool{"sort": true}
	offers(s, "sort.Di|", "Dive", nil)
	offers(notebook, "func ring(o *Otter) {}\nrin|", "ring", nil)
}

func TestGoplsThatDies(t *testing.T) {
	a := gopls(t)
	c, offset := at("pet.|")
	if _, err := a.Complete(t.Context(), notebook, c, offset); err != nil {
		t.Fatal(err)
	}
	a.server.kill()
	<-a.server.done
	if _, err := a.Complete(t.Context(), notebook, c, offset); err != errEnded {
		t.Errorf("error is %v, want %v: it is not started again at once", err, errEnded)
	}
	a.started = time.Now().Add(-time.Minute)
	if _, err := a.Complete(t.Context(), notebook, c, offset); err != nil {
		t.Errorf("after a while: %v", err)
	}
}

func TestErrors(t *testing.T) {
	a := New("/no/such/gopls", t.TempDir())
	if _, err := a.Complete(t.Context(), notebook, Cell{Decls: "x", Stmts: "xy"}, 0); err == nil || err.Error() != "assist: offset is 0 in texts of 1 and 2 bytes, want texts of one length and an offset within" {
		t.Errorf("error is %v", err)
	}
	if _, err := a.Complete(t.Context(), notebook, Cell{Decls: " ", Stmts: "x"}, 1); err == nil || !strings.HasPrefix(err.Error(), "assist: start /no/such/gopls: ") {
		t.Errorf("error is %v", err)
	}
	// A server that says nothing ends with the question's context.
	silent := New("/bin/cat", t.TempDir())
	defer silent.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := silent.Complete(ctx, notebook, Cell{Decls: " ", Stmts: "x"}, 1); err == nil {
		t.Error("a server that answers nothing gave no error")
	}
}

func TestUnits(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "é世": 2, "🦦": 2, "a🦦b": 4} {
		if got := units(s); got != want {
			t.Errorf("units(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestPlain(t *testing.T) {
	got := plain("```go\nfunc f(x int)\n```\n\n---\n\nf adds 1\\_000 \\\\ things.\n")
	if want := "func f(x int)\n\nf adds 1_000 \\ things."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzReadBody(f *testing.F) {
	f.Add("Content-Length: 2\r\n\r\n{}")
	f.Add("Content-Length: 99999999999\r\n\r\n")
	f.Add("content-length: -1\r\nX: y\r\n\r\n")
	f.Fuzz(func(t *testing.T, data string) {
		body, err := readBody(bufio.NewReader(strings.NewReader(data)))
		if err == nil && len(body) > len(data) {
			t.Fatalf("%d bytes came from %d", len(body), len(data))
		}
	})
}

func BenchmarkComplete(b *testing.B) {
	a := gopls(b)
	c, offset := at("fmt.Printl|")
	if _, err := a.Complete(b.Context(), notebook, c, offset); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := a.Complete(b.Context(), notebook, c, offset); err != nil {
			b.Fatal(err)
		}
	}
}
