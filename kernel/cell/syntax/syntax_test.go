package syntax

import (
	"fmt"
	"strings"
	"testing"
)

func TestSplit(t *testing.T) {
	tests := []struct {
		name, text, want string // each chunk as its token and text; ILLEGAL is a statement
		open             bool
	}{
		{"a statement", "x := 1", "ILLEGAL x := 1", false},
		{"a declaration of each kind", "import \"fmt\"\ntype T int\nconst c = 1\nvar v = 2\nfunc f() {}", "import import \"fmt\"|type type T int|const const c = 1|var var v = 2|func func f() {}", false},
		{"a method", "func (t T) m() {}", "func func (t T) m() {}", false},
		{"a function literal that is called", "func() { f() }()", "ILLEGAL func() { f() }()", false},
		{"one that takes and returns", "func(x int) int { return x }(1)", "ILLEGAL func(x int) int { return x }(1)", false},
		{"one that returns a value of a generic type", "func(x int) list[int] { return nil }(1)\nfunc() list[[2]int] { return nil }()", "ILLEGAL func(x int) list[int] { return nil }(1)|ILLEGAL func() list[[2]int] { return nil }()", false},
		{"a method with type parameters", "func (t T) m[A any](x A) {}", "func func (t T) m[A any](x A) {}", false},
		{"semicolons", "a := 1; b := 2;", "ILLEGAL a := 1|ILLEGAL b := 2", false},
		{"the head of a loop", "for i := 0; i < 3; i++ { f(i); g() }\nh()", "ILLEGAL for i := 0; i < 3; i++ { f(i); g() }|ILLEGAL h()", false},
		{"an open bracket", "f(1,", "ILLEGAL f(1,", true},
		{"an open comment", "x := 1 /* and", "ILLEGAL x := 1 /* and", true},
		{"an operator at the end", "x := 1 +", "ILLEGAL x := 1 +", true},
		{"nothing", " \n", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			chunks, open := Split([]byte(tt.text))
			var got []string
			for _, c := range chunks {
				got = append(got, fmt.Sprint(c.Tok, " ", tt.text[c.Start:c.End]))
			}
			if s := strings.Join(got, "|"); s != tt.want || open != tt.open {
				t.Errorf("got  %q, open %v\nwant %q, open %v", s, open, tt.want, tt.open)
			}
		})
	}
}

// The edits of a text apply in order, and each place of the result has one in the text.
func TestEditor(t *testing.T) {
	ed := &Editor{Text: []byte("x := f()\n// end")}
	ed.Replace(2, 4, "=")
	ed.Insert(5, "take(")
	ed.Insert(8, ")")
	ed.Blank(9, 15)
	got, back := ed.Render(0, len(ed.Text))
	if want := "x = take(f())\n      "; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
	for _, tt := range []struct {
		of   string
		want int
	}{{"x", 0}, {"take", 5}, {"f()", 5}, {")\n", 8}, {"\n", 8}, {"   ", 9}} {
		if at := strings.Index(got, tt.of); back(at) != tt.want {
			t.Errorf("%q at %d comes from %d, want %d", tt.of, at, back(at), tt.want)
		}
	}
	part, _ := ed.Render(5, 8)
	if part != "take(f())" {
		t.Errorf("a part is %q, want the edits at its ends too", part)
	}
}

// A message names the place in the cell, whatever was put before it and in its text.
func TestFilePlaces(t *testing.T) {
	f := &File{Name: "cell[3]", Line: 4, Source: "a := 1\nb := a\n"}
	tests := []struct {
		offset int
		want   string
	}{
		{0, "cell[3]:4:1: wrong"},
		{12, "cell[3]:5:6: wrong"},
		{14, "cell[3]:5:7: wrong"}, // the end of the text is on its last line
	}
	for _, tt := range tests {
		if got := f.At(tt.offset, Diagnostic{Cell: f.Name, Msg: "wrong"}).String(); got != tt.want {
			t.Errorf("at %d: got %s, want %s", tt.offset, got, tt.want)
		}
	}
}

func TestTrim(t *testing.T) {
	var ds []Diagnostic
	for line := 20; line > 0; line-- {
		ds = append(ds, Diagnostic{Cell: "cell[1]", Line: line, Msg: "wrong"}, Diagnostic{Cell: "cell[1]", Line: line, Msg: "wrong"})
	}
	got := Trim(ds)
	if len(got) != 11 || got[0].Line != 1 || got[10].String() != "and 10 more errors" {
		t.Errorf("got %v, want the first ten lines and how many more there are", got)
	}
}
