package cell

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestParses counts how often the parser is called for cells that are run one after
// the other: a text that was parsed is not parsed again.
func TestParses(t *testing.T) {
	nb := New(newStdPackages())
	tests := []struct {
		cell string
		want int
	}{
		{"x := 1", 2},         // as it is written, and as it is generated
		{"x := 2", 2},         // the same variable
		{"x + 1", 2},          // the value is shown
		{"fmt.Println(x)", 1}, // nothing is written otherwise
		{"", 1},
		{"func f() int { return x }", 2},  // declarations, and a function without statements
		{"var (\n\ta = b\n\tb = 2\n)", 3}, // the order is known after the first
		{"import \"strings\"\ns := strings.ToUpper(`a`)", 3},
		{"type T struct{ n int }\nfunc (t T) Get() int { return t.n }\nv := T{3}\nv.Get()", 4}, // and the type of v
		{"type T struct{ n, m int }", 4},                                                       // the method and v are declared again
	}
	for i, tt := range tests {
		p, err := nb.Check(context.Background(), Source{Name: fmt.Sprintf("cell[%d]", i+1), Text: tt.cell})
		if err != nil {
			t.Fatalf("%s: %v", tt.cell, err)
		}
		if p.checked.Cell.Parses != tt.want {
			t.Errorf("%q was parsed %d times, want %d", tt.cell, p.checked.Cell.Parses, tt.want)
		}
		p.Commit(-1)
	}
}

// TestPasses counts how often go/types looks at a cell: once where it defines nothing.
func TestPasses(t *testing.T) {
	nb := New(newStdPackages())
	for i, tt := range []struct {
		cell string
		want int
	}{
		{"x := 1", 2}, // to find x's type, and with x at package level
		{"x + 1", 1},
		{"fmt.Println(x)", 1},
		{"x = 2", 1},
		{"func f() int { return x }", 2}, // without bodies, and with them
		{"f()", 1},
		{"_ = strings.ToUpper(`a`)", 1},
		{"for i := range 3 { x += i }\nx", 1},
		{"x := 2", 2},
	} {
		p, err := nb.Check(context.Background(), Source{Name: fmt.Sprintf("cell[%d]", i+1), Text: tt.cell})
		if err != nil {
			t.Fatalf("%s: %v", tt.cell, err)
		}
		if p.checked.Passes != tt.want {
			t.Errorf("%q was checked %d times, want %d", tt.cell, p.checked.Passes, tt.want)
		}
		p.Commit(-1)
	}
}

// TestOneParser finds calls of the parser that TestParses would not count.
func TestOneParser(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, name := range append(files, more...) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		n := strings.Count(string(text), "parser.ParseFile(") + strings.Count(string(text), "parser.ParseExpr")
		if n > 0 && name != filepath.Join("parse", "tree.go") {
			t.Errorf("%s calls the parser; use parse.Cell", name)
		}
		calls += n
	}
	if calls != 1 {
		t.Errorf("the parser is called at %d places, want 1", calls)
	}
}
