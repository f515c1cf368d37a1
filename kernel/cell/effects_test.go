package cell

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/cell/lineage"
)

// describe writes effects as "uses a, b by f; changes c, d=text".
func describe(e lineage.Effects) string {
	var uses, changes []string
	for _, name := range slices.Sorted(maps.Keys(e.Uses)) {
		if by := e.Uses[name]; by != name {
			name += " by " + by
		}
		uses = append(uses, name)
	}
	for _, c := range e.Changes {
		if c.Fixed != "" {
			c.Name += "=" + c.Fixed
		}
		changes = append(changes, c.Name)
	}
	slices.Sort(changes)
	return fmt.Sprintf("uses %s; changes %s", strings.Join(uses, ", "), strings.Join(changes, ", "))
}

// TestEffects checks what the last of some cells uses and changes.
func TestEffects(t *testing.T) {
	tests := []struct {
		name  string
		cells []string
		want  string
	}{
		{"definition", []string{"x := 1"}, "uses ; changes x=x := 1"},
		{"by a conversion and a literal", []string{"x := []float64{float64(1), 2}"}, "uses ; changes x=x := []float64{float64(1), 2}"},
		{"by a call", []string{`x := len("a") + 1; y := strings.Repeat("a", 2)`}, "uses ; changes x, y"},
		{"declared", []string{"var x, y int; var z = 2"}, "uses ; changes x, y, z=var z = 2"},
		{"from another", []string{"x := 1", "y := x + 1"}, "uses x; changes y"},
		{"of its own", []string{"x := 1; y := x + 1; x = 2"}, "uses ; changes x, y"},
		{"defined again", []string{"x := 1", "x := 2; fmt.Println(x)"}, "uses ; changes x=x := 2"},
		{"used and defined again", []string{"x := 1", "x := x + 1"}, "uses x; changes x"},
		{"used and given another type", []string{"x := 1", "x := fmt.Sprint(x)"}, "uses x; changes x"},
		{"counted", []string{"x := 1", "x++"}, "uses x; changes x"},
		{"added to", []string{"x := 1", "x += 2"}, "uses x; changes x"},
		{"set under a condition", []string{"x := 1; c := true", "if c { x = 2 }; x"}, "uses c, x; changes x"},
		{"a part", []string{"m := map[string]int{}", `m["a"] = 1`}, "uses m; changes m"},
		{"a field", []string{"type T struct{ n int }; t := &T{}", "t.n = 1"}, "uses t; changes t"},
		{"by address", []string{"x := 1", `fmt.Sscan("2", &x)`}, "uses x; changes x"},
		{"a local of the same name", []string{"x := 1", "{ x := 2; x++; fmt.Println(x) }"}, "uses ; changes "},
		{"an error taken", []string{"n := 0", `n = strconv.Atoi("5")`}, "uses ; changes n"},
		{"a loop over it", []string{"xs := []int{1}; i := 0", "for i = range xs {}"}, "uses xs; changes i"},
		{"through a function", []string{"x := 1; func f() int { return x }", "f()"}, "uses f, x by f; changes "},
		{"through two", []string{"func f() int { return 1 }", "func g() int { return f() }", "g()"}, "uses f by g, g; changes "},
		{"only declared", []string{"x := 1", "func f() int { return x }"}, "uses ; changes f"},
		{"its own function, called twice", []string{"x := 1; func f() int { return x }", "func f() int { return x + 1 }; y := f(); z := f()"}, "uses x by f; changes f, y, z"},
		{"its own method, called twice", []string{"type T struct{}; func (T) m() int { return 1 }", "func (T) m() int { return 2 }; y := T{}.m(); z := T{}.m()"}, "uses T by T.m; changes T.m, y, z"},
		{"its own function", []string{"x := 1", "func f() int { return x }; f()"}, "uses x by f; changes f"},
		{"init", []string{"x := 1", "func init() { fmt.Println(x) }"}, "uses x; changes "},
		{"recursion", []string{"func f(n int) int { if n == 0 { return 0 }; return f(n-1) }", "f(3)"}, "uses f; changes "},
		{"a method", []string{"type T int; func (t T) m() int { return 1 }; t := T(1)", "t.m()"}, "uses T by T.m, T.m, t; changes "},
		{"a method changed", []string{"type T int; func (t T) m() int { return 1 }", "func (t T) m() int { return 2 }"}, "uses ; changes T.m"},
		{"a method through a function", []string{"type T int; func (t T) m() int { return 1 }; func f() int { return T(1).m() }", "f()"},
			"uses T by f, T.m by f, f; changes "},
		{"a constant", []string{"const k = 2; const l = k * 2", "l"}, "uses k by l, l; changes "},
		{"the same again", []string{"func f() {}; type T int", "func f() {}; type T int"}, "uses ; changes "},
		{"goroutine", []string{"x := 1", "go func() { x++ }()"}, "uses x; changes x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newNotebook(t)
			var p *Program
			for _, c := range tt.cells {
				p = n.cell(c)
			}
			if got := describe(p.Effects); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestEffectsReached: a cell that failed changed what it came to.
func TestEffectsReached(t *testing.T) {
	n := newNotebook(t)
	p := n.cell(`func f() {}; a := 1; panic("boom"); b := 2`)
	if got, want := describe(p.Effects.Reached(1)), "uses ; changes a=a := 1, f"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
