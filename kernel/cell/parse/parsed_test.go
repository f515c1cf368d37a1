package parse

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct {
		text         string
		decls, stmts int
	}{
		{"import \"fmt\"\nconst k = 1\nx := k\nvar y int\nfunc f() {}\nfmt.Println(x, y)", 2, 3},
		{"", 0, 0},
		{"x := 1\ny := )", 0, 2}, // the second without its value
		{"const k = )\nx := 1", 1, 1},
	}
	for _, tt := range tests {
		p := Parse(Source{Name: "cell[1]", Text: tt.text})
		if len(p.Decls) != tt.decls || len(p.Stmts) != tt.stmts {
			t.Errorf("%q has %d declarations and %d statements, want %d and %d", tt.text, len(p.Decls), len(p.Stmts), tt.decls, tt.stmts)
		}
	}
}

func TestHalves(t *testing.T) {
	decls, stmts := Parse(Source{Text: "x := 1\nfunc f() {}\ny := 2"}).Halves()
	if decls != "      \nfunc f() {}\n      " || stmts != "x := 1\n           \ny := 2" {
		t.Errorf("decls %q, stmts %q", decls, stmts)
	}
}

func TestThirds(t *testing.T) {
	p := Parse(Source{Name: "cell[1]", Text: "import \"fmt\"\nvar a = 1; b := 2\nfunc f() {} // does nothing\nvar c int\nfmt.Println(a, b, c, d.E)"})
	if p.Err != nil {
		t.Fatal(p.Err)
	}
	decls, vars, stmts := p.Thirds()
	for name, tt := range map[string]struct{ got, want string }{
		"declarations": {decls, "\n\nfunc f() {} // does nothing\n\n"},
		"variables":    {vars, "\nvar a = 1;\n\nvar c int\n"},
		"statements":   {stmts, "\nb := 2\n\n\nfmt.Println(a, b, c, d.E)"},
	} {
		var lines []string
		for line := range strings.SplitSeq(tt.got, "\n") {
			lines = append(lines, strings.TrimSpace(line))
		}
		if got := strings.Join(lines, "\n"); got != tt.want {
			t.Errorf("the %s are %q, want %q", name, got, tt.want)
		}
		if strings.Count(tt.got, "\n") != 4 {
			t.Errorf("the %s have another number of lines: %q", name, tt.got)
		}
	}
	if got := strings.Join(slices.Sorted(maps.Keys(p.Free)), " "); got != "d fmt int" {
		t.Errorf("free are %q, want d, fmt and int", got)
	}
	var names []string
	for _, d := range p.Declares() {
		names = append(names, d.Name.Name)
	}
	if got := strings.Join(names, " "); got != "f a b c" {
		t.Errorf("declared are %q, want f, a, b and c", got)
	}
	if err := Parse(Source{Name: "cell[7]", Text: "x := 1\ny := )"}).Err; err == nil || !strings.HasPrefix(err.Error(), "cell[7]:2:") {
		t.Errorf("the error is %v, want one of cell[7], line 2", err)
	}
}
