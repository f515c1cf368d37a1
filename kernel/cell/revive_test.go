package cell

import (
	"slices"
	"strings"
	"testing"
)

// TestGoneAndBack changes what declarations rest on, and puts it right again.
func TestGoneAndBack(t *testing.T) {
	tests := []struct {
		name    string
		cells   []string
		notices string   // of all cells, a line each
		gone    []string // names that are not there at the end
		want    string
	}{
		{"an array type whose constant changes", []string{"const K = 2\ntype A [K]int\nfunc size(a A) int { return len(a) }\ntype B struct{ a A }", "a := A{1, 2}\nvar bs []B", "const K = `s`", "K", "const K = 3", "size(A{})"},
			"A (cell[1]) no longer compiles and is gone: array length K (untyped string constant \"s\") must be integer; what is constant is known when the cell is compiled: use := or var for a value, and a slice or make for a length; change it and run its cell again\n" +
				"B (cell[1]) no longer compiles and is gone: undefined: A; change it and run its cell again\n" +
				"a (cell[2]) is gone with its type A; run cell[2] again to make it\n" +
				"bs (cell[2]) is gone with its type []B; run cell[2] again to make it\n" +
				"size (cell[1]) no longer compiles and is gone: undefined: A; change it and run its cell again\n" +
				"A (cell[1]) compiles again and is back\nB (cell[1]) compiles again and is back\nsize (cell[1]) compiles again and is back", []string{"a", "bs"}, "= s\n= 3\n"},
		{"the cell makes something of its own as well", []string{"const K = 2\ntype A [K]int\nvar a A", "const K = `s`\nx := K + `!`\nx"},
			"A (cell[1]) no longer compiles and is gone: array length K (untyped string constant \"s\") must be integer; what is constant is known when the cell is compiled: use := or var for a value, and a slice or make for a length; change it and run its cell again\n" +
				"a (cell[1]) is gone with its type A; run cell[1] again to make it", []string{"A", "a"}, "= s!\n"},
		{"a function and its callers", []string{"func f(x int) int { return x }", "func g() int { return f(1) }\nfunc h() int { return g() + 1 }", "func f(s string) string { return s }", "func f(x int) int { return x * 10 }\nh()", "h()"},
			"g (cell[2]) no longer compiles and is gone: cannot use 1 (untyped int constant) as string value in argument to f; change it and run its cell again\n" +
				"h (cell[2]) no longer compiles and is gone: undefined: g; change it and run its cell again\n" +
				"g (cell[2]) compiles again and is back\nh (cell[2]) compiles again and is back", nil, "= 11\n= 11\n"},
		{"a variable's type", []string{"v := 1\nfunc twice() int { return 2 * v }", "v := `s`", "v := 7", "twice()"},
			"twice (cell[1]) no longer compiles and is gone: invalid operation: 2 * v (mismatched types untyped int and string); change it and run its cell again\ntwice (cell[1]) compiles again and is back", nil, "= 14\n"},
		{"a method", []string{"v := 1\ntype T struct{ n int }\nfunc (t T) m() int { return t.n * v }\nfunc (t T) k() int { return t.n }", "t := T{3}\nfunc use() int { return t.m() }", "v := `s`", "t.k()", "v := 5", "t.m() + use()"},
			"T.m (cell[1]) no longer compiles and is gone: invalid operation: t.n * v (mismatched types int and string); change it and run its cell again\n" +
				"use (cell[2]) no longer compiles and is gone: t.m undefined (type T has no field or method m); change it and run its cell again\n" +
				"T.m (cell[1]) compiles again and is back\nuse (cell[2]) compiles again and is back", nil, "= 3\n= 30\n"},
		{"a method that was declared anew", []string{"v := 1\ntype T struct{ n int }\nfunc (t T) m() int { return t.n * v }", "v := `s`", "func (t T) m() int { return 5 }", "type T struct{ n, k int }\nv := 6", "v := 7", "T{n: 7}.m()"},
			"T.m (cell[1]) no longer compiles and is gone: invalid operation: t.n * v (mismatched types int and string); change it and run its cell again", nil, "= 5\n"},
		{"a type and a method of it, each for its own reason", []string{"const n = 2\nv := 1\ntype T struct{ a [n]int }\nfunc (t T) m() int { return v }\nfunc (t T) k() int { return len(t.a) }", "const n = -1\nv := `s`", "const n = 3", "T{}.k()", "v := 4", "T{}.m()"},
			"T (cell[1]) no longer compiles and is gone: invalid array length n (untyped int constant -1); what is constant is known when the cell is compiled: use := or var for a value, and a slice or make for a length; change it and run its cell again\n" +
				"T.m (cell[1]) no longer compiles and is gone: cannot use v (variable of type string) as int value in return statement; change it and run its cell again\n" +
				"T (cell[1]) compiles again and is back\nT.m (cell[1]) compiles again and is back", nil, "= 3\n= 4\n"},
		{"a type and a method of it, at once", []string{"const n = 2\nv := 1\ntype T struct{ a [n]int }\nfunc (t T) m() int { return v }", "const n = -1\nv := `s`", "const n = 3\nv := 4", "T{}.m()"},
			"T (cell[1]) no longer compiles and is gone: invalid array length n (untyped int constant -1); what is constant is known when the cell is compiled: use := or var for a value, and a slice or make for a length; change it and run its cell again\n" +
				"T.m (cell[1]) no longer compiles and is gone: cannot use v (variable of type string) as int value in return statement; change it and run its cell again\n" +
				"T (cell[1]) compiles again and is back\nT.m (cell[1]) compiles again and is back", nil, "= 4\n"},
		{"a type with methods", []string{"const n = 2\ntype T struct{ a [n]int }\nfunc (t T) Len() int { return len(t.a) }\nfunc mk() T { return T{} }", "const n = -1", "const n = 4", "mk().Len()"},
			"T (cell[1]) no longer compiles and is gone: invalid array length n (untyped int constant -1); what is constant is known when the cell is compiled: use := or var for a value, and a slice or make for a length; change it and run its cell again\n" +
				"mk (cell[1]) no longer compiles and is gone: undefined: T; change it and run its cell again\n" +
				"T (cell[1]) compiles again and is back\nmk (cell[1]) compiles again and is back", nil, "= 4\n"},
		{"a group of constants", []string{"type C int\nconst (\n\ta C = iota + 1\n\tb\n)", "type C string", "const b = 9", "type C float64", "fmt.Println(a, b)"},
			"a, b (cell[1]) no longer compile and are gone: cannot use iota + 1 (untyped int constant 1) as C value in constant declaration; change it and run its cell again\na (cell[1]) compiles again and is back", nil, "1 9\n"},
		{"what is declared anew is not tried again", []string{"v := 1\nfunc f() int { return v }", "v := `s`", "f := 3", "v := 2", "f"},
			"f (cell[1]) no longer compiles and is gone: cannot use v (variable of type string) as int value in return statement; change it and run its cell again", nil, "= 3\n"},
		{"still wrong in another way", []string{"v := 1\nfunc f() int { return v }", "v := `s`", "v := 2.5", "v := true\nx := v\nx"},
			"f (cell[1]) no longer compiles and is gone: cannot use v (variable of type string) as int value in return statement; change it and run its cell again", []string{"f"}, "= true\n"},
	}
	var nbs []*notebook
	for _, tt := range tests {
		n := newNotebook(t)
		nbs = append(nbs, n)
		for _, c := range tt.cells {
			n.cell(c)
		}
	}
	outs := runAll(t, nbs)
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var notices []string
			for _, p := range nbs[i].progs {
				slices.Sort(p.Notices)
				notices = append(notices, p.Notices...)
			}
			if got := strings.Join(notices, "\n"); got != tt.notices {
				t.Errorf("notices\n%s\nwant\n%s", got, tt.notices)
			}
			for _, name := range tt.gone {
				if nbs[i].nb.scope.Lookup(name) != nil {
					t.Errorf("%s is there", name)
				}
			}
			if outs[i] != tt.want {
				t.Errorf("n%d: got %q, want %q\n%s", i, outs[i], tt.want, nbs[i].all())
			}
		})
	}
}

func TestGoneMessages(t *testing.T) {
	n := newNotebook(t)
	n.cell("const K = 2\ntype A [K]int\nfunc (a A) sum() int { return 0 }")
	n.cell("a := A{1, 2}")
	n.cell("const K = `s`")
	for cell, want := range map[string]string{
		"a":      "undefined: a; a is gone since cell[3], with which its type no longer compiles: run cell[2] again to make it",
		"A{}":    "undefined: A; A is gone since cell[3], with which it no longer compiles: array length K",
		"x := a": "undefined: a; a is gone since cell[3]",
	} {
		if got := n.fails(cell); !strings.Contains(got, want) {
			t.Errorf("%s:\ngot  %s\nwant %s", cell, got, want)
		}
	}
	// A cell that changes the constant and uses what is lost by it takes no effect.
	n = newNotebook(t)
	n.cell("const K = 2\ntype A [K]int\na := A{1, 2}")
	if got, want := n.fails("const K = `s`\nb := a"), "undefined: a; with this cell its type no longer compiles"; !strings.Contains(got, want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
	n.cell("a[1] + K")
}
