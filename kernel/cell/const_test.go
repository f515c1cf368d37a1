package cell

import "testing"

// constTests are the constants whose values are repeated, and those that another
// declaration of the cell makes.
var constTests = []struct {
	name  string
	cells []string
	want  string
}{
	{"repeated in a body", []string{"const X = 2", "func f() (int, int) {\n\tconst (\n\t\tX = X + X\n\t\tY\n\t\tZ = iota\n\t)\n\treturn X, Y + Z\n}", "fmt.Println(f())"}, "4 10\n"},
	{"as Go's test const8", []string{"const X = 2", "func f() {\n\tconst (\n\t\tA    = X\n\t\tB\n\t\tC\n\t)\n\tconst (\n\t\tX = X + X\n\t\tY\n\t\tZ = iota\n\t)\n\tfmt.Println(X, Y, Z)\n}\nfunc g() {\n\tconst (\n\t\tX = iota + X\n\t\tY\n\t)\n\tfmt.Println(X, Y)\n}", "f(); g()"}, "4 8 2\n2 3\n"},
	{"in the cell's own statements", []string{"const X = 2", "if true {\n\tconst (\n\t\tX = X + X\n\t\tY\n\t)\n\tfmt.Println(X, Y)\n}\nX"}, "4 8\n= 2\n"},
	{"all in one cell", []string{"const X = 2\nfunc f() int {\n\tconst (\n\t\tX = X + X\n\t\tY\n\t)\n\treturn X + Y\n}\nf()"}, "= 12\n"},
	{"at top level", []string{"const X = 2", "const (\n\tX = X + X\n\tY\n)\nfmt.Println(X, Y)", "X, Y"[:1]}, "4 8\n= 4\n"},
	{"at top level, with iota", []string{"const k = 3", "const (\n\t_ = iota + k\n\tk\n\tl\n)\nfmt.Println(k, l)"}, "4 6\n"},
	{"the length of an array of the cell", []string{"var arr [4]int\nconst n = len(arr)\nn", "const m = len(arr) + cap(arr) + n\nvar arr [2]string\nm"}, "= 4\n= 8\n"},
	{"an array that a later declaration has", []string{"const n = len(arr) * 2\nvar arr [3]int\nvar b [n]string\nfmt.Println(n, len(b))", "type T [len(b)]int\nlen(T{})"}, "6 6\n= 6\n"},
	{"again, with another length", []string{"arr := [4]int{}\nconst n = len(arr)\nvar b [n]int\nlen(b)", "arr := [5]int{}\nconst n = len(arr)\nvar b [n]int\nlen(b)"}, "= 4\n= 5\n"},
	{"again, after the one it is made of", []string{"const n = 2", "const a = n * 2", "const n = 5", "const a = n * 2\na"}, "= 10\n"},
	{"of several kinds", []string{"const (\n\tf = 1.5\n\tt = 3.0\n\tr = 'a'\n\ts = `x`\n\ti int8 = 7\n)", "const f, t, r, s, i = f / 3, t / 2, r + 1, s + s, i + 1\nfmt.Printf(`%v %v %c %v %T`, f, t, r, s, i)"}, "0.5 1.5 b xx int8"},
	{"of an array in another value", []string{"var b struct{ a [10]int }\nvar m map[string][20]int\nconst n = len(b.a) + len(m[``])\nn"}, "= 30\n"},
	{"of a short definition", []string{"arr := [...]string{`a`, `b`}\nconst n = len(arr)\ntype T [n]int\nn + len(T{})"}, "= 4\n"},
}

func TestConstants(t *testing.T) {
	var nbs []*notebook
	for _, tt := range constTests {
		n := newNotebook(t)
		nbs = append(nbs, n)
		for _, c := range tt.cells {
			n.n++
			p, err := n.nb.Check(t.Context(), Source{Name: "cell[1]", Text: c})
			if err != nil {
				t.Errorf("%s: %v\n%s", tt.name, err, c)
				break
			}
			p.Commit(-1)
			n.progs = append(n.progs, p)
		}
	}
	outs := runAll(t, nbs)
	for i, tt := range constTests {
		t.Run(tt.name, func(t *testing.T) {
			if outs[i] != tt.want {
				t.Errorf("n%d: got %q, want %q\n%s", i, outs[i], tt.want, nbs[i].all())
			}
		})
	}
}
