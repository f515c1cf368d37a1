package cell

import (
	"strings"
	"testing"
)

// hideTests are notebooks whose variables have the names of what they are made
// from.
var hideTests = []struct {
	name  string
	cells []string
	want  string
}{
	{"a package", []string{"time := time.Unix(0, 0).UTC()\nfmt.Println(time.Year())", "time.Month()"}, "1970\n= January\n"},
	{"the same cell again", []string{"time := time.Unix(0, 0).UTC()", "time := time.Unix(86400, 0).UTC()\ntime.Day()", "time := time.Unix(0, 0).Unix()\ntime", "time := time.Unix(7, 0).Unix()\ntime"}, "= 2\n= 0\n= 7\n"},
	{"an imported package", []string{"import `strings`\nstrings := strings.Split(`a b`, ` `)\nlen(strings)", "strings[1]", "import `strings`\nstrings.ToUpper(`x`)"}, "= 2\n= b\n= X\n"},
	{"a var declaration", []string{"var time = time.Duration(5)\nvar (\n\tmath = math.Sqrt(16)\n\tstrconv, err = strconv.Atoi(`7`)\n)", "int(time) + int(math) + strconv", "var time = time.Duration(6)\nint(time)"}, "= 16\n= 6\n"},
	{"an error that is taken", []string{"strconv := strconv.Atoi(`42`)\nstrconv", "strconv := strconv.Atoi(`43`)\nstrconv + 1", "var strconv = strconv.Atoi(`1`)\nstrconv"}, "= 42\n= 44\n= 1\n"},
	{"several at once", []string{"time, strings := time.Unix(0, 0).UTC(), strings.Repeat(`ab`, 2); math := math.Sqrt(4)\nfmt.Println(time.Year(), strings, math)", "time, strings := time.Unix(0, 0).UTC(), strings.Repeat(`c`, 2)\nstrings"}, "1970 abab 2\n= cc\n"},
	{"before and behind the definition", []string{"a := strings.Repeat(`a`, 2)\nf := func() string { return strings.ToUpper(a) }\nstrings := strings.Split(`b c`, ` `)\ng := func() int { return len(strings) }\nfmt.Println(a, f(), g())", "f() + strings[0]"}, "aa AA 2\n= AAb\n"},
	{"in bodies", []string{"func year() int { time := time.Unix(0, 0).UTC(); return time.Year() }\nfunc top() int { max := max(1, 2); return max }", "year() + top()"}, "= 1972\n"},
	{"functions of earlier cells keep the package", []string{"const n = 3\nfunc rep(s string) string { return strings.Repeat(s, n) }", "strings := strings.Split(`x y`, ` `)", "const n = 2", "rep(strings[1])"}, "= yy\n"},
	{"a type", []string{"type user struct{ name string }\nfunc (u user) Hi() string { return `hi ` + u.name }\nfunc greet(u user) string { return u.Hi() + `!` }", "user := user{`ann`}\nfmt.Println(user.name)", "greet(user)", "u2 := user\nu2.name = `bob`\ngreet(u2)", "user := user{`eve`}\nuser.Hi()", "user.name"}, "ann\n= hi ann!\n= hi bob!\n= hi eve\n= eve\n"},
	{"a type is declared again after it was hidden", []string{"type user struct{ name string }\nfunc greet(u user) string { return `hi ` + u.name }", "user := user{`ann`}\nother := user", "type user struct{ name string; age int }", "greet(user{`bob`, 3})"}, "= hi bob\n"},
	{"the same type again after it was hidden", []string{"type user struct{ name string }\nfunc (u user) N() int { return len(u.name) }", "user := user{`ann`}\nkeep := user", "type user struct{ name string }", "user := user{`bobby`}\nuser.N() + keep.N()"}, "= 8\n"},
	{"pointers, slices and generic types", []string{"type node struct{ v int; next *node }\ntype box[T any] struct{ v T }\nfunc (b box[T]) get() T { return b.v }", "node := &node{v: 3}\nbox := box[int]{4}", "node.next = node\nnode.next.v + box.get()", "node := node.next\nbox := box.get()\nnode.v + box"}, "= 7\n= 7\n"},
	{"methods of a hidden type follow", []string{"const n = 1\ntype user struct{ name string }\nfunc (u user) Hi() int { return n + len(u.name) }", "user := user{`ann`}", "const n = 10", "user.Hi()", "func mk() int { return user.Hi() }\nmk()"}, "= 13\n= 13\n"},
	{"a hidden type is made again", []string{"const n = 1\ntype user struct{ a [n]int; s string }\nfunc size(u user) int { return len(u.a) }", "user := user{s: `x`}", "const n = 10", "fmt.Println(size(user{}))"}[:3], ""},
	{"builtins", []string{"max := max(1, 2)\nmin, cap := min(3, 4), cap([]int{1})\nfmt.Println(max, min, cap)", "max + min + cap", "max := max(5, 6)\nmax", "len := len(`abc`)\nlen++\nlen", "new := new(int)\n*new = 3\nmake := make([]int, 2)\n*new + make[0]", "string := string([]byte{65})\nstring", "max := max > 3\nmax"}, "2 3 1\n= 6\n= 6\n= 4\n= 3\n= A\n= true\n"},
	{"builtins in code of before and after", []string{"const n = 2\nfunc longest(xs []int) int { return max(n, len(xs)) }", "max := max(1, 9)\nvar len int\nlen = 5\nvar cap, x float64 = 2, 3", "const n = 3", "func twice() int { return max * 2 }\nlongest(nil) + twice() + len", "max = strconv.Atoi(`8`)\nmax", "func() int { max := 3; return max }() + max", "for len = 0; len < 3; len++ {}\nlen"}, "= 26\n= 8\n= 11\n= 3\n"},
	{"a function, a constant, a variable", []string{"func area(x int) int { return x * x }\nconst k = 4\nfunc gen[T any](x T) T { return x }", "area := area(3)\nk := k + 1\ngen := gen(`g`)\nfmt.Println(area, k, gen)", "area := fmt.Sprint(area)\narea"}, "9 5 g\n= 9\n"},
}

func TestHiddenNames(t *testing.T) {
	var nbs []*notebook
	for _, tt := range hideTests {
		n := newNotebook(t)
		nbs = append(nbs, n)
		for _, c := range tt.cells {
			n.cell(c)
		}
	}
	outs := runAll(t, nbs)
	for i, tt := range hideTests {
		t.Run(tt.name, func(t *testing.T) {
			if outs[i] != tt.want {
				t.Errorf("n%d: got %q, want %q\n%s", i, outs[i], tt.want, nbs[i].all())
			}
		})
	}
}

// TestHiddenNamesRebuild makes everything again after what was hidden.
func TestHiddenNamesRebuild(t *testing.T) {
	for _, tt := range hideTests {
		t.Run(tt.name, func(t *testing.T) {
			n := newNotebook(t)
			for _, c := range tt.cells {
				n.cell(c)
			}
			before := len(n.nb.scope.Names())
			n.nb.MarkLost("the host ended")
			p, err := n.nb.Rebuild(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Notices) > 0 {
				t.Errorf("notices %q", p.Notices)
			}
			p.Commit(-1)
			if len(n.nb.scope.Names()) != before {
				t.Errorf("%d names, want %d", len(n.nb.scope.Names()), before)
			}
			n.cell("1")
		})
	}
}

func TestHidingMessages(t *testing.T) {
	tests := []struct{ before, cell, want string }{
		{"time := time.Unix(0, 0)", "time.Now()", `cell[1]:1:6: time.Now undefined (type time.Time has no field or method Now); time is a variable since cell[1], which hides package time: import "time" or %rm time makes it the package again`},
		{"type user struct{ n int }\n---\nuser := user{3}", "u := user{4}", "cell[1]:1:6: user (package-level variable) is not a type; user is a variable since cell[1], which hides the type: %rm user makes it that again"},
		{"type user struct{ n int }\n---\nuser := user{3}", "func (u user) M() {}", "; user is a variable since cell[1], which hides the type: %rm user makes it that again"},
		{"max := max(1, 2)", "max(3, 4)", "cannot call max (variable of type int): int is not a function; max is a variable since cell[1], which hides Go's own max: %rm max makes it that again"},
		{"", "func f() int { time := 3; return time.Now() }", "; time is a variable here, which hides package time: give it another name"},
	}
	for _, tt := range tests {
		n := newNotebook(t)
		for text := range strings.SplitSeq(tt.before, "\n---\n") {
			n.cell(text)
			n.n = 0
		}
		if got := n.fails(tt.cell); !strings.Contains(got, tt.want) {
			t.Errorf("%s:\ngot  %s\nwant %s", tt.cell, got, tt.want)
		}
	}
}

func TestRemoveReveals(t *testing.T) {
	n := newNotebook(t)
	n.cell("type user struct{ name string }\nfunc greet(u user) string { return u.name }")
	n.cell("user := user{`ann`}\nother := user\nmax := max(1, 2)\ntime := time.Unix(0, 0)")
	for _, name := range []string{"user", "max", "time"} {
		if !n.nb.Remove(name) {
			t.Errorf("%s is not there", name)
		}
	}
	n.cell("fmt.Println(greet(user{`bob`}), greet(other), max(3, 4), time.Unix(0, 0).UTC().Year())\ntype pair struct{ a, b user }")
	if got, want := n.run(), "bob ann 4 1970\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
