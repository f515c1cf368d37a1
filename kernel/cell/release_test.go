package cell

import (
	"strings"
	"testing"
)

// TestRelease looks for the statements that set variables to zero which no name means any more:
// a package stays loaded, and with it what its variables hold.
func TestRelease(t *testing.T) {
	tests := []struct {
		name  string
		cells []string
		want  string // the statements, each with the number of its cell
	}{
		{"another type", []string{"x := 1", "x := `s`", "0"}, "3: ˣzero(&ˣ1.Ħx)"},
		{"a type declared again, with the same memory", []string{"type T struct{ n int }\nt := T{1}", "func (t T) m() {}", "0"}, ""}, // it stays where it is
		{"the same, and a value of it", []string{"type T struct{ n int }\nt := T{1}", "func (t T) m() {}\nt := T{t.n + 1}", "0"}, ""},
		{"the same, and then another type", []string{"type T struct{ n int }\nt := T{1}", "func (t T) m() {}", "t := 1", "0"}, "4: ˣzero(&(*ˣ2.Ħt))"},
		{"a type declared again, with other memory", []string{"type T struct{ n int }\nt := T{1}", "type T struct{ n, k int }", "0"}, "2: ˣzero(&ˣ1.Ħt)"},
		{"a type declared again, and a value of it", []string{"type T struct{ n int }\nt := T{1}", "type T struct{ n, k int }\nt := T{1, 2}", "0"}, "3: ˣzero(&ˣ1.Ħt)"},
		{"a type that no longer compiles", []string{"const n = 2\ntype T [n]int\nvar t T", "const n = -1", "0"}, "3: ˣzero(&ˣ1.Ħt)"},
		{"one that a pointer leads to", []string{"x, y, z, a := 1, [2]int{}, 2, 3", "p, q := &x, y[:]\nf := func() int { return z }", "x, y, z, a := `s`, `s`, `s`, `s`", "0"}, "4: ˣzero(&ˣ1.Ħa)"},
		{"one with a method that may keep a pointer", []string{"type T struct{ n int }\nfunc (t *T) at() *T { return t }\nfunc (t T) m() {}\nt, u := T{1}, T{2}", "p := t.at()\nu.m()", "t, u := 1, 1", "0"}, "4: ˣzero(&ˣ1.Ħu)"},
		{"several at once, in one order", []string{"a, b, c, d, e := 1, 2, 3, 4, 5", "e, d, c, b, a := `e`, `d`, `c`, `b`, `a`", "0"},
			"3: ˣzero(&ˣ1.Ħa)|3: ˣzero(&ˣ1.Ħb)|3: ˣzero(&ˣ1.Ħc)|3: ˣzero(&ˣ1.Ħd)|3: ˣzero(&ˣ1.Ħe)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newNotebook(t)
			var got []string
			for _, cell := range tt.cells {
				for line := range strings.Lines(n.cell(cell).Describe()) {
					if line = strings.TrimSpace(line); strings.HasPrefix(line, "ˣzero(&") && !strings.HasPrefix(line, "ˣzero(&Ħ") {
						got = append(got, string(rune('0'+n.n))+": "+line)
					}
				}
			}
			if got := strings.Join(got, "|"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestReleasePart leaves the old variable alone where the cell failed before it defined the new
// one, under whose name the old one goes on.
func TestReleasePart(t *testing.T) {
	n := newNotebook(t)
	n.cell("type T struct{ n int }\nt := T{1}")
	n.n++
	p, err := n.nb.Check(t.Context(), Source{Name: "cell[2]", Text: "type T struct{ n, k int }\npanic(`end`)\nt := T{1, 2}"})
	if err != nil {
		t.Fatal(err)
	}
	p.Commit(0)
	v := n.nb.scope.Lookup("t")
	if v == nil || v.Home != 1 || len(n.nb.release) > 0 {
		t.Errorf("t is %+v, and %d variables are released; want the one of cell 1, and none", v, len(n.nb.release))
	}
}
