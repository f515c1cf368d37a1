package cell

import (
	"context"
	"fmt"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// stdPackages imports the standard library from the export data that the go
// command makes.
type stdPackages struct {
	types.Importer
}

var exports sync.Map // path → file

func newStdPackages() *stdPackages {
	lookup := func(path string) (io.ReadCloser, error) {
		if f, ok := exports.Load(path); ok {
			return os.Open(f.(string))
		}
		cmd := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", path)
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("package %s is not known", path)
		}
		for line := range strings.Lines(string(out)) {
			p, f, _ := strings.Cut(strings.TrimSpace(line), "=")
			exports.Store(p, f)
		}
		f, _ := exports.Load(path)
		return os.Open(f.(string))
	}
	return &stdPackages{importer.ForCompiler(token.NewFileSet(), "gc", lookup)}
}

func (p *stdPackages) Add(ctx context.Context, paths []string) error {
	for _, path := range paths {
		if _, err := p.Import(path); err != nil {
			return err
		}
	}
	return nil
}

// unexportedPath is a library whose results have types that it does not export.
const unexportedPath = "github.com/holt-dl/holt/kernel/cell/testdata/unexported"

// guesses are the packages that cells of tests name without importing them.
var guesses = map[string]string{"fmt": "fmt", "strings": "strings", "os": "os", "errors": "errors", "time": "time",
	"strconv": "strconv", "math": "math", "sort": "sort", "json": "encoding/json", "reflect": "reflect", "sync": "sync", "runtime": "runtime"}

func (p *stdPackages) Guess(_ context.Context, name string, selected []string) (string, bool) {
	path, ok := guesses[name]
	return path, ok
}

func (p *stdPackages) Names() []string { return sortedKeys(guesses) }

// notebook checks cells one after the other and then runs them as one
// ordinary program, so that the front end is tested without plugins.
type notebook struct {
	t     *testing.T
	nb    *Notebook
	progs []*Program
	n     int
}

func newNotebook(t *testing.T) *notebook {
	return &notebook{t: t, nb: New(newStdPackages())}
}

func (n *notebook) cell(text string) *Program {
	n.t.Helper()
	n.n++
	p, err := n.nb.Check(context.Background(), Source{Name: fmt.Sprintf("cell[%d]", n.n), Text: text})
	if err != nil {
		n.t.Fatalf("cell %d: %v\n%s", n.n, err, text)
	}
	p.Commit(-1)
	n.progs = append(n.progs, p)
	return p
}

func (n *notebook) fails(text string) string {
	n.t.Helper()
	n.n++
	_, err := n.nb.Check(context.Background(), Source{Name: fmt.Sprintf("cell[%d]", n.n), Text: text})
	if err == nil {
		n.t.Fatalf("cell %d has no error:\n%s", n.n, text)
	}
	return err.Error()
}

// runAll builds the programs of all notebooks with one go command, runs each
// notebook and returns what it prints.
func runAll(t *testing.T, nbs []*notebook) []string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", "module cells\n\ngo 1.26\n")
	if err := os.CopyFS(filepath.Join(dir, "rt"), os.DirFS("../host/rt")); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "unexported"), os.DirFS("testdata/unexported")); err != nil {
		t.Fatal(err)
	}
	for i, n := range nbs {
		var imports, calls strings.Builder
		for _, p := range n.progs {
			for _, f := range p.Files {
				text := strings.ReplaceAll(f.Text, runtimePath, "cells/rt")
				text = strings.ReplaceAll(text, unexportedPath, "cells/unexported")
				write(fmt.Sprintf("n%d/c%d/%s", i, p.Seq, f.Name), strings.ReplaceAll(text, `"notebook/c`, fmt.Sprintf(`"cells/n%d/c`, i)))
			}
			fmt.Fprintf(&imports, "import \"cells/n%d/c%d\"\n", i, p.Seq)
			fmt.Fprintf(&calls, "\tc%d.Run()\n", p.Seq)
		}
		write(fmt.Sprintf("n%d/main.go", i), "package main\n\nimport \"fmt\"\nimport \"os\"\nimport \"time\"\nimport \"cells/rt\"\n"+imports.String()+
			"func main() {\n\trt.Stdout, rt.Stderr = os.Stdout, os.Stderr\n\trt.Host.Pause = func(ns int64, _ <-chan struct{}) { time.Sleep(time.Duration(ns)) }\n\trt.Host.Result = func(v []any) { fmt.Println(append([]any{\"=\"}, v...)...) }\n"+calls.String()+"}\n")
	}
	build := exec.Command("go", "build", "-ldflags=-checklinkname=0 -s -w", "-o", filepath.Join(dir, "bin")+"/", "./...")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out) // those that do compile are run
	}
	outs := make([]string, len(nbs))
	for i := range nbs {
		out, err := exec.Command(filepath.Join(dir, "bin", fmt.Sprintf("n%d", i))).CombinedOutput()
		if outs[i] = string(out); err != nil {
			outs[i] += err.Error()
		}
	}
	return outs
}

// run builds and runs all cells and returns what they print.
func (n *notebook) run() string {
	n.t.Helper()
	return runAll(n.t, []*notebook{n})[0]
}

// cellTests are notebooks and what they print. They are seeds of FuzzCell, too.
var cellTests = []struct {
	name  string
	cells []string
	want  string
}{
	{"a variable lives on", []string{"x := 41", "x++", "fmt.Println(x)"}, "42\n"},
	{"the last expression is the value", []string{"x := 6", "x * 7"}, "= 42\n"},
	{"a last call is the value", []string{`strings.ToUpper("go")`, `len("abc")`, "float64(2)"}, "= GO\n= 3\n= 2\n"},
	{"a semicolon hides the value", []string{`strings.ToUpper("go");`, "x := 1\nx;"}, ""},
	{"functions call earlier functions", []string{"func sq(x int) int { return x * x }", "func twice(x int) int { return 2 * sq(x) }", "twice(3)"}, "= 18\n"},
	{"callers follow a redefinition", []string{"func f() string { return `old` }", "func g() string { return f() }", "func f() string { return `new` }", "g()"}, "= new\n"},
	{"a redefinition twice", []string{"func f() int { return 1 }", "func g() int { return f() }", "func f() int { return 2 }", "func h() int { return f() }", "func f() int { return 3 }", "g() + h() + f()"}, "= 9\n"},
	{"another signature", []string{"func f() int { return 1 }", "func g() int { return f() + 1 }", "func f(xs ...int) int { return len(xs) + 10 }", "g()"}, "= 11\n"},
	{"unexported fields across cells", []string{
		"type point struct{ x, y int }", "p := point{1, 2}", "q := &point{y: 5,\n x: 4,\n}", "p.x += 10; q.y++", "fmt.Println(p, *q, p.x, q.y)", "ps := []point{{1, 2}, {3, 4}}\nps[1].y = 7", "ps",
		"func mk() point { return point{x: 9} }", "mk().x", "m := map[string]point{`a`: {x: 3}}", "m[`a`].x"},
		"{11 2} {4 6} 11 6\n= [{1 2} {3 7}]\n= 9\n= 3\n"},
	{"unexported methods and interfaces across cells", []string{
		"type shape interface { area() float64 }", "type sq struct{ s float64 }\nfunc (q sq) area() float64 { return q.s * q.s }", "var s shape = sq{3}", "s.area()", "f := sq{2}.area", "f()"},
		"= 9\n= 4\n"},
	{"a method in a later cell", []string{"type T struct{ n int }", "t := T{3}", "func (t T) String() string { return fmt.Sprint(`T#`, t.n) }", "fmt.Println(t)"}, "T#3\n"},
	{"a method redefined", []string{"type T struct{ n int }\nfunc (t *T) Get() int { return t.n }", "t := &T{3}", "func (t *T) Get() int { return t.n * 100 }", "t.Get()"}, "= 300\n"},
	{"another type for a variable", []string{"x := 1", "x := `a` + strconv.Itoa(x)", "x"}, "= a1\n"},
	{"embedding", []string{"type base struct{ id int }\nfunc (b base) ID() int { return b.id }", "type Derived struct { base; name string }", "d := Derived{base{7}, `n`}", "d.ID() + d.id", "fmt.Printf(`%+v`, d)"}, "= 14\n{base:{id:7} name:n}"},
	{"generics", []string{"type Pair[A any, B comparable] struct { a A; b B }\nfunc (p Pair[A, B]) First() A { return p.a }", "func Map[T, U any](xs []T, f func(T) U) []U {\n var out []U\n for _, x := range xs { out = append(out, f(x)) }\n return out }",
		"p := Pair[int, string]{a: 3, b: `x`}", "p.First(), p.b"[:9], "Map([]int{1,2}, func(i int) string { return strconv.Itoa(i) + p.b })"}, "= 3\n= [1x 2x]\n"},
	{"an error that is not taken", []string{"func load(ok bool) (int, error) { if ok { return 5, nil }; return 0, errors.New(`no`) }", "n := load(true)", "n", "load(true)", "var m = load(true)\nm = load(true)", "n + m"}, "= 5\n= 5\n= 10\n"},
	{"constants", []string{"const ( A = iota + 1; B; C )", "type Color int\nconst ( Red Color = iota; Green )", "func (c Color) String() string { return [...]string{`red`, `green`}[c] }", "fmt.Println(A, B, C, Green)"}, "1 2 3 green\n"},
	{"var forms", []string{"var a, b = 1, `x`\nvar c float64 = 2\nvar ( d int; e = []int{1} )", "fmt.Println(a, b, c, d, e)", "var d int = 4", "var d int", "d"}, "1 x 2 0 [1]\n= 0\n"},
	{"init and main", []string{"var n int\nfunc init() { n = 5 }\nfunc main() { fmt.Println(`main`, n) }", "func init_a() { n++ }\nn"}, "main 5\n= 6\n"},
	{"closures and goroutines", []string{"c := make(chan int)\nadd := func(d int) func() int { n := 0; return func() int { n += d; return n } }", "next := add(2)\ngo func() { for i := range 3 { c <- i } ; close(c) }()", "next(); next()", "sum := 0\nfor v := range c { sum += v }\nsum"}, "= 4\n= 3\n"},
	{"init, its name on another line", []string{"n := 1\nfunc\ninit() { n += 2 }\nfunc /* ( */ init_more() { n *= 5 }\nfunc initial() { n = 0 }", "n"}, "= 15\n"},
	{"a struct without a name, in bodies", []string{
		"func kind(v any) string {\n\tswitch v.(type) {\n\tcase struct{ x, y int }:\n\t\treturn \"point\"\n\tcase []struct{ n int }:\n\t\treturn \"slice\"\n\tcase map[string]chan struct{ n int }:\n\t\treturn \"map\"\n\tcase func(struct{ n int }) *struct{ x, y int }:\n\t\treturn \"func\"\n\t}\n\treturn \"other\"\n}",
		"fmt.Println(kind(struct{ x, y int }{1, 2}), kind([]struct{ n int }{}), kind(map[string]chan struct{ n int }{}), kind(func(struct{ n int }) *struct{ x, y int } { return nil }), kind(struct{ x, z int }{}))",
		"func one() any { return struct{ z int }{1} }",
		"func two() any { return struct{ z int }{1} }",
		"fmt.Println(one() == two(), one().(struct{ z int }).z)",
		"m := map[any]string{}\nfunc key(i int) any { return struct{ id int }{i} }",
		"m[key(1)] = \"x\"\nm[struct{ id int }{1}] = \"y\"\nfmt.Println(len(m))",
		"import `context`\nctx := context.WithValue(context.Background(), struct{ name string }{\"k\"}, 5)",
		"func viaSel(c context.Context) any { return c.Value(struct{ name string }{\"k\"}) }",
		"fmt.Println(viaSel(ctx))",
		"f := func(p *struct {\n\tx int\n\ty string `json:\"y\"`\n}) { p.x++ }",
		"q := &struct {\n\tx int // the first\n\n\ty string `json:\"y\"`\n}{x: 1}\nf(q)\nz := struct {\n\tx int\n\ty string `json:\"y\"`\n}{}\nfmt.Println(q.x, *q == z, reflect.TypeOf(z) == reflect.TypeOf(*q))",
		"var l, ok = any(struct{ in struct{ a, b int }; f interface{ m() } }{in: struct{ a, b int }{1, 2}}).(struct{ in struct{ a, b int }; f interface{ m() } })\nl.in.a += 5",
		"func get(v any) int { return v.(struct{ in struct{ a, b int }; f interface{ m() } }).in.a }",
		"fmt.Println(get(l), ok, l.in == struct{ a, b int }{6, 2})",
	}, "point slice map func other\ntrue 1\n1\n5\n2 false true\n6 true true\n"},
	{"a struct without a name, with type parameters", []string{
		"func eq[T comparable](a T, b any) bool { return any(struct{ a, b T }{a, a}) == b }\nfunc pair[T any](a, b T) struct{ a, b T } { return struct{ a, b T }{a, b} }",
		"eq(3, struct{ a, b int }{3, 3})",
		"p := pair(\"x\", \"y\")\nvar r struct{ a, b string } = p\nfmt.Println(r.a, p.b, eq(\"x\", pair(\"x\", \"x\")), eq(2, pair(2, 3)))",
		"func is[T any](v any) bool { _, ok := v.(struct{ a, b T }); return ok }\ntype box[T any] struct{ in struct{ a, b T } }\nfunc (b *box[T]) set(v T) { b.in.a = v; b.in = struct{ a, b T }{b.in.a, b.in.a} }",
		"b := &box[int]{}\nb.set(4)\nfmt.Println(is[int](pair(1, 2)), is[string](pair(1, 2)), is[int](b.in), b.in.b)",
		"type local struct{ n int }\nfunc f() (any, bool) {\n\ttype here int\n\tv := pair(here(1), 2)\n\tvar w struct{ a, b here } = v\n\tw.a += 10\n\t_, ok := any(v).(struct{ a, b int })\n\treturn w.a, ok\n}",
		"fmt.Println(f())\nfmt.Println(pair(local{1}, local{2}).b.n, is[local](struct{ a, b local }{}))",
	}, "= true\nx y true false\ntrue false true 4\n11 false\n2 true\n"},
	{"a struct without a name, and types made of it", []string{
		"p := struct{ x, y int }{1, 2}",
		"type T struct{ x, y int }\nt := T(p)\nvar u T = p\nu.x, t.y = 7, 8\nfunc (t T) sum() int { return t.x + t.y }\nfmt.Println(t, u.sum(), T{3, 4}.sum(), (&T{x: 5}).x)",
		"p = u\nfunc norm(v struct{ x, y int }) int { return v.x * v.y }\nfmt.Println(p.x, norm(t), norm(T{1, 2}), p == u, reflect.TypeOf(p).ConvertibleTo(reflect.TypeOf(t)))",
		"type A = struct{ x, y int }\ntype U A\ntype L struct{ next *L; v int }\nvar head any = struct{ next *L; v int }{}",
		"type M struct{ next *M; v int }\nl := &M{v: 1}\nl.next = &M{l, 2}\nfmt.Println(l.next.v, U(t).y, A(u).x, U{1, 2}.x, (*U)(&t).x)\nfunc pt[P ~struct{ x, y int }](p P) A { return A(p) }",
		"fmt.Println(pt(t).y, pt(U{3, 4}).x, pt(p).x)\nfor _, tt := range []struct{ x, y int }{{1, 2}, {y: 3}} { fmt.Print(norm(tt), T(tt).sum(), \" \") }\nfor k, v := range map[struct{ x, y int }]*struct{ x, y int }{{1, 2}: {3, 4}} { fmt.Println(k.y, v.x) }",
	}, "{1 8} 9 7 5\n7 8 2 true true\n2 8 7 1 1\n8 3 7\n2 3 0 3 2 3\n"},
	{"a struct without a name that embeds", []string{
		"type point struct{ x, y int }\nfunc (p point) sum() int { return p.x + p.y }\nvar v any = struct{ point; *strings.Builder; n int }{point{1, 2}, nil, 3}",
		"w := v.(struct{ point; *strings.Builder; n int })\nw.x += w.n\nfmt.Println(w.sum(), w.point.y)\nfunc isIt(v any) bool { _, ok := v.(struct{ point; *strings.Builder; n int }); return ok }",
		"fmt.Println(isIt(w), isIt(v), isIt(struct{ point; *strings.Builder; n int }{n: 4}), isIt(struct{ point }{}))\ne := struct{ point }{}",
		"e.x = 4\n_, ok := any(&e).(interface{ sum() int })\nfmt.Println(e.sum(), ok, any(e) == any(struct{ point }{point{x: 4}}))",
	}, "6 2\ntrue true true false\n4 true true\n"},
	{"named types of the same struct, and one without a name", []string{
		"type A struct{ x, y int }",
		"type B struct{ x, y int }",
		"p := struct{ x, y int }{1, 2}",
		"var a A = p\nvar b B = p\nfmt.Println(a, b, A(b) == a, *(*A)(&b))\nfunc (a *A) swap() { a.x, a.y = a.y, a.x }",
		"a.swap()\nfmt.Println(a, b == B(a))\np = a\nb = p\nfmt.Println(b, reflect.TypeOf(a).ConvertibleTo(reflect.TypeOf(b)))",
		"type A struct{ x, y, z int }\na := A{1, 2, 3}",
		"p = b\nfmt.Println(a.z, p)\ntype C struct { x, y int }\nvar c C = p\nfmt.Println(B(c))",
	}, "{1 2} {1 2} true {1 2}\n{2 1} false\n{2 1} true\n3 {2 1}\n{2 1}\n"},
	{"fields of generic and embedded types of other cells", []string{
		"type pt struct{ x, y int }\ntype G[T any] struct { v T; n int; pt }\nfunc (g *G[T]) inc() { g.n++; g.x++ }\ntype D[T any] struct { *G[T]; k T; }",
		"g := &G[string]{v: \"a\"}\ng.inc()\nd := D[string]{g, \"k\"}\nd.inc()\nd.v += \"b\"\nfmt.Println(g.n, d.n, d.x, d.G.pt.y, d.k, d.pt)",
		"type E struct { D[int]; m map[string]G[pt] }\ne := E{D: D[int]{G: &G[int]{n: 4}, k: 3}, m: map[string]G[pt]{\"z\": {v: pt{7, 8}}}}",
		"e.inc()\nfmt.Println(e.n, e.k, e.m[\"z\"].v.y, e.m[\"z\"].n, e.x)\nfunc (p pt) len() int { return p.x + p.y }",
		"fmt.Println(e.m[\"z\"].v.len())",
		"for i := range 3 { e.D.G.n += i; e.G.pt.x -= i }\nfmt.Println(e.n, e.x, e.D.x)\nl := []*pt{{1, 2}, {y: 5}}\nfor _, q := range l { q.x += q.y }\nfmt.Println(l[1].x, *l[0])",
	}, "2 2 2 0 k {2 0}\n5 3 8 0 1\n15\n8 -2 -2\n5 {3 2}\n"},
	{"a struct without a name, made of a type of a function", []string{
		"x := func() any { type t struct { a, b int }; v := t{1, 2}; v.a++; return struct{ a, b int }(v) }()",
		"fmt.Println(x == any(struct{ a, b int }{2, 2}))",
		"y := func() any { type t struct { a, b int }; v := t{1, 2}; v.a++; var w struct{ a, b int } = v; return w }()\nfmt.Println(x == y)",
		"func ptr[T any](v T) *T { return &v }",
		"fmt.Println(ptr(struct{ a, b int }{4, 5}).b, *ptr(struct{ a, b int }{4, 5}) == struct{ a, b int }{4, 5})\nfmt.Println(func() struct{ a, b int } { return struct{ a, b int }{a: 9} }().a)\nswitch z := x.(type) { case struct{ a, b int }: fmt.Println(z.a); default: fmt.Println(\"no\") }\nvar arr [2]struct{ a, b int }\narr[1].b = 3\ns := arr[:]\ns[0].a = 1\nfor i := range s { s[i].b += i }\nc := append([]struct{ a, b int }(nil), s...)\nfmt.Println(c, len(c))\nconst k = len([3]struct{ a, b int }{})\nfmt.Println(k)",
	}, "true\ntrue\n5 true\n9\n2\n[{1 0} {0 4}] 2\n3\n"},
	{"a literal of a type parameter", []string{
		"type S struct{ f int }\ntype PS = *S\ntype List []S",
		"func c[P *S]() []P { return []P{{f: 1}} }\nfunc d[P PS, V S](v int) (P, V) { w := &V{v}; return P(&S{v}), *w }\nfunc e[L ~[]S, V S]() (L, V) { vs := []V{{1}, {f: 2}}; _ = vs; return L{{1}, {f: 2}}, V{f: 3} }",
		"p, v := d[PS, S](5)\nq, w := e[List, S]()\nfmt.Println(c()[0].f, p.f, v.f, q[1].f, w.f)",
	}, "1 5 5 2 3\n"},
	{"an interface without a name, with an unexported method", []string{
		"f := func(i interface{ area() int }) int { return i.area() }",
		"type sq struct{ n int }\nfunc (s sq) area() int { return s.n * s.n }\nvar x interface{ area() int } = sq{3}\nfmt.Println(x.area(), f(x))",
		"func use(a interface{ area() int }) int { return a.area() }",
		"type holder struct{ s interface{ area() int } }\nvar v any = sq{4}\na := v.(interface{ area() int })\nfmt.Println(a.area(), use(a), use(holder{a}.s))",
		"var m = map[interface{ area() int }]struct{ i interface{ area() int } }{sq{5}: {sq{6}}}\nfunc g[T interface{ area() int }](v T) (r []interface{ area() int }) { return append(r, v) }",
		"for k, v := range m { fmt.Println(k.area(), v.i.area(), g(k)[0].area(), v.i.(interface{ area() int }).area()) }\nvar e interface { interface{ area() int }; fmt.Stringer }\n_, ok := any(m).(map[interface{ area() int }]struct{ i interface{ area() int } })\nfmt.Println(e, ok)",
		"_, ok = any(g[sq]).(func(sq) []interface{ area() int })\nok"},
		"9 9\n16 16 16\n25 36 25 36\n<nil> true\n= true\n"},
	{"a struct without a name", []string{"s := struct{ a int; B string }{1, `b`}", "s.a++\ns.B += `!`", "fmt.Printf(`%+v`, s)", "t := s\nt.a"}, "{a:2 B:b!}= 2\n"},
	{"labels and goto", []string{"i := 0\nloop:\n\tif i < 3 { i++; goto loop }\nouter:\n\tfor { for { break outer } }\ni"}, "= 3\n"},
	{"redefined type", []string{"type T struct{ a int }\nfunc (t T) A() int { return t.a }", "t := T{1}\nfunc use(t T) int { return t.A() }", "type T struct{ a, b int }", "t = T{1, 2}\nuse(t) + t.b"}, "= 3\n"},
	{"shadowed import", []string{"import str `strings`", "str.Repeat(`a`, 3)", "str := 5", "str"}, "= aaa\n= 5\n"},
	{"the same declaration again", []string{"type T struct{ n int }\nfunc (t *T) Inc() { t.n++ }", "t := &T{}\nt.Inc()", "type T struct{ n int }\nfunc (t *T) Inc() { t.n++ }", "t.Inc()\nt.n"}, "= 2\n"},
	{"a variable of its own old value", []string{"x := 2", "y := x\nx := fmt.Sprint(x, y)\nx"}, "= 2 2\n"},
	{"a function uses a variable of its cell", []string{"n := 3\nfunc get() int { return n }\nget()", "n = 4", "get()"}, "= 3\n= 4\n"},
	{"a function follows a variable's new type", []string{"v := 1\nfunc show() string { return fmt.Sprint(v) }", "v := `s`", "show()"}, "= s\n"},
	{"a type with a variable of an interface", []string{"var e error", "type myErr struct{}\nfunc (myErr) Error() string { return `mine` }\ne = myErr{}", "e"}, "= mine\n"},
	{"select, defer, switch", []string{"func f() (s string) { defer func() { s += fmt.Sprint(recover()) }(); panic(`p`) }\nc := make(chan int, 1)\nselect { case c <- 1: default: }\nswitch v := any(c).(type) { case chan int: fmt.Println(len(v)) }\nf()"}, "1\n= p\n"},
	{"field promoted through a pointer", []string{"type in struct{ v int }\ntype out struct{ *in; n []in }", "o := out{&in{1}, []in{{2}}}", "o.v += 5\no.n[0].v++", "o.v * o.n[0].v"}, "= 18\n"},
	{"method values and expressions", []string{"type acc struct{ n int }\nfunc (a *acc) add(d int) { a.n += d }", "a := acc{}\nf := a.add\nf(2)\n(*acc).add(&a, 3)", "a.n"}, "= 5\n"},
	{"names that our own could be mistaken for", []string{"run, zero, mark, rt, use := 1, 2, 3, 4, 5\nH_f := 6\nfunc f() int { return H_f }", "ħ := 1\nĦ := 2", "run + zero + mark + rt + use + H_f + f() + ħ + Ħ", "func b_f() int { return 1 }", "func f() int { return b_f() }", "f()"}, "= 30\n= 1\n"},
	{"names that differ from others by where _ stands", []string{
		"v := 1\ntype a struct{ b_c int }\nfunc (a) b() string { return fmt.Sprint(`a.b`, v) }\nfunc (a) b_d() string { return fmt.Sprint(`a.b_d`, v) }\ntype a_b struct{ c int }\nfunc (a_b) d() string { return fmt.Sprint(`a_b.d`, v) }\nfunc a_b_d() string { return `a_b_d` }\nfunc b_c() string { return `b_c` }",
		"fmt.Println(a{}.b(), a{}.b_d(), a_b{}.d(), a_b_d(), b_c(), a{b_c: 1}.b_c, a_b{c: 2}.c)",
		"func (a) b_d() string { return fmt.Sprint(`new a.b_d`, v) }\nfunc (a_b) d() string { return fmt.Sprint(`new a_b.d`, v) }",
		"v := `s`",
		"fmt.Println(a{}.b(), a{}.b_d(), a_b{}.d(), a_b_d(), b_c())",
		"type list[T any] struct{ v T }\ntype box[T any] struct{ list[T]; n_x int }\ntype box_n[T any] struct { list[T]; x, y int }",
		"b, c := box[int]{n_x: 1}, box_n[int]{x: 2}\nfmt.Println(b.n_x, c.x)",
	}, "a.b1 a.b_d1 a_b.d1 a_b_d b_c 1 2\na.bs new a.b_ds new a_b.ds a_b_d b_c\n1 2\n"},
	{"a type of an instance of a generic type", []string{
		"type list[T any] struct{ v T }\ntype box[K comparable, T any] struct{ list[T]; n int }\ntype abox box[string, int]\ntype num[T ~[]E, E any] struct{ list[T]; n E }",
		"type ibox box[string, int]\ntype gbox[T any] box[bool, T]\ntype inum num[[]int, int]\nb := ibox{n: 3}\ng := &gbox[string]{n: 4}\na := abox{n: 5}\nx := box[int, int]{n: 6}\ny := inum{n: 7}",
		"b.n++\ng.n++\na.n++\nx.n++\ny.n++\nfmt.Println(b.n, g.n, a.n, x.n, y.n, func() ibox { return b }().n, box[string, int](b).n)",
	}, "4 5 6 7 8 4 4\n"},
	{"a literal that is called, of a generic result", []string{"type list[T any] []T", "func(n int) list[int] { fmt.Println(n); return nil }(2)\nfunc() list[[2]int] { return nil }()"}, "2\n= []\n"},
	{"the lines of a function that is compiled again", []string{"type user struct{ n int }", "type V struct{}\nfunc line(u user, v V) int {\n\n\n\t_, _, n, _ := runtime.Caller(0)\n\treturn n\n}", "user := user{1}", "type V struct{ k int }", "line(user, V{})"}, "= 5\n"},
	{"recover in a literal of an earlier type", []string{
		"type problem struct{ what any; in *problem; n int }\ntype point struct{ x, y int }",
		"func f() (e *problem) {\n\tdefer func() {\n\t\te = &problem{\n\t\t\tn: 1,\n\t\t\tin: &problem{what: recover(), n: 2},\n\t\t}\n\t\te.what = recover()\n\t}()\n\tpanic(`x`)\n}",
		"e := f()\nfmt.Println(e.in.what, e.what, e.n, e.in.n)",
		"func g() (e problem) { defer func() { e = problem{what: []any{recover(), recover()}} }(); panic(`y`) }\nfunc h() (e problem) { defer func() { e = problem{what: func() any { return recover() }, n: 3}; recover() }(); panic(`z`) }",
		"fmt.Println(g().what, h().n)",
	}, "x <nil> 1 2\n[y <nil>] 3\n"},
	{"recover in a loop over a channel", []string{
		"c := make(chan int, 3)\nfunc f() (s string) { defer func() { for v := range c { s += fmt.Sprint(v, recover()) } }(); c <- 1; c <- 2; close(c); panic(`x`) }",
		"f()"}, "= 1x2 <nil>\n"},
	{"a function that recovers, with other bodies", []string{
		"v := 1\nfunc rescue(s *string) { *s = fmt.Sprint(`a`, v, recover()) }\nfunc f() (s string) { defer rescue(&s); panic(`x`) }",
		"fmt.Println(f())",
		"func rescue(s *string) { *s = fmt.Sprint(`b`, v, (recover)()) }",
		"fmt.Println(f())",
		"v := `w`",
		"fmt.Println(f())",
		"func rescue(s *string) { defer func() { *s = fmt.Sprint(`c`, recover()) }(); panic(`inner`) }",
		"func g() (s string) { defer func() { recover() }(); f(); return }\ng()",
		"func rescue(s *string) { *s = fmt.Sprint(`d`, recover()) }\nf()",
	}, "a1x\nb1x\nbwx\n= \n= dx\n"},
	{"a method that recovers, with other bodies", []string{
		"v := 1\ntype T struct{ s string }\nfunc (t *T) rescue() { t.s += fmt.Sprint(`a`, v, recover()) }\nt := &T{}\nfunc f() { defer t.rescue(); panic(`x`) }",
		"f()",
		"func (t *T) rescue() { t.s += fmt.Sprint(`b`, v, recover()) }",
		"f()",
		"v := `w`",
		"f()\nfmt.Println(t.s)",
	}, "a1xb1xbwx\n"},
	{"a type of an earlier type", []string{"type A struct{ n int }", "type B A\ntype C = A", "B{1}.n + C{2}.n", "type A struct{ n, m int }", "type D C", "D{3, 4}.m"}, "= 3\n= 4\n"},
	{"headers with semicolons", []string{"n := 0\nfor i := 0; ; i++ { n = i; if i > 3 { break } }\nif a := n; a > 2 { n++ }\nswitch b := n; { case b > 1: n++ }\nfor ; ; { break }; n++\nn"}, "= 7\n"},
	{"literals of pointers to an earlier type", []string{"type ( S struct { f int }; PS = *S )", "func a() []*S { return []*S{{f: 1}} }\nfunc b() []PS { return []PS{{f: 2}} }\nm := map[S]*S{{f: 1}: {f: 3}}", "a()[0].f, b()[0].f, m[S{1}].f"[:8]}, "= 1\n"},
	{"a struct type that is spelled again", []string{"s := struct{ a, b int }{1, 2}", "var p *struct{ a, b int } = &s\np.a = 5", "s.a"}, "= 5\n"},
	{"dot imports", []string{"import . `strings`", "ToUpper(`a`) + strings.ToLower(`B`)", "func shout(s string) string { return ToUpper(s) + `!` }\ntype B struct { Builder }", "shout(`x`)", "func ToUpper(s string) string { return s }", "ToUpper(`q`) + Repeat(`r`, 2)"}[:4], "= Ab\n= X!\n"},
	{"declarations in order of need", []string{"var a = b + 1\nvar b = f()\nfunc f() int { return t.get() * 2 }\nvar c = 5\ntype T struct{ n *int }\nfunc (t T) get() int { return *t.n }\nvar t = T{&c}\na + b", "var (\n\tx = y + 1 // of the next\n\ty, z = c, a; w = `w`\n)\nfmt.Println(x, y, z, w)", "var x = y * 2\nvar y = 100\nx"}, "= 21\n6 5 11 w\n= 200\n"},
	{"statements run where they stand", []string{"n := 1\nvar a = n\nn = 2\nvar b = n\nvar n2 = a + b\nn2", "var p = n2\nvar q = p\nvar p2 = q + p2b\nvar p2b = 4\nfmt.Println(p2, runtime.NumCPU() > 0)"}, "= 3\n7 true\n"},
	{"declarations that need each other keep their order", []string{"var a, b = 1, 2", "var a = b + 10\nvar b = a + 100\nfmt.Println(a, b)"}, "12 112\n"},
	{"the lines of a declaration that runs early", []string{"var a = b\nvar b = func() int {\n\t_, _, line, _ := runtime.Caller(0)\n\treturn line\n}()\n_, _, line, _ := runtime.Caller(0)\nfmt.Println(a, line)"}, "3 6\n"},
	{"conversions between structs of several cells", []string{"type A struct{ x int }", "type B struct{ x int }\na := A{3}", "b := B(a)\n(*B)(&a).x += 10\nb.x + a.x", "type In struct{ a A }\ntype Out struct{ a A }", "Out(In{a}).a.x + B(struct{ x int }{4}).x"}, "= 16\n= 17\n"},
	{"embedded generic types", []string{"type base[T any] struct{ v T }\nfunc (b *base[T]) get() T { return b.v }", "type D struct{ base[int]; n int }\nd := D{base: base[int]{7}}", "d.base.v++\nd.get() + d.v", "type G[T any] struct{ *base[T]; k string }\nfunc mk[T any](v T) G[T] { return G[T]{base: &base[T]{v}} }", "g := mk(`s`)\ng.v += `!`\ng.get() + g.base.v"}, "= 16\n= s!s!\n"},
	{"a variable named as the package that makes it", []string{"import str `strings`\nstr := str.ToUpper(`x`)\nstr", "str + strings.ToLower(`Y`)"}, "= X\n= Xy\n"},
	{"offsets of another cell's fields", []string{"import `unsafe`\ntype t struct{ i int8; j int64 }", "var v t\nunsafe.Offsetof(v.j) + unsafe.Sizeof(v)"}, "= 24\n"},
	{"declarations of several lines", []string{"var x interface {\n\tError() string\n} = errors.New(`x`)\nvar (\n\t_ int = f(1)\n\t_, b float64 = 2, 3\n\t_ = f(2)\n)\nfunc f(n int) int { fmt.Print(n); return n }\nfmt.Println(x, b)"}, "12x 3\n"},
	{"the earliest declaration that is ready comes first", []string{"var (\n\t_ = d\n\t_ = f(`_`, c, b)\n\ta = f(`a`)\n\tb = f(`b`)\n\tc = f(`c`)\n\td = f(`d`)\n)\nfunc f(s string, rest ...int) int { fmt.Print(s); return 0 }\nfmt.Println()"}, "abc_d\n"},
	{"structs without a name that embed or are type arguments", []string{"type a struct{ x int }\ntype box[T any] struct{ v T }\ntype g[T any] struct{ w T }", "anon := struct {\n\ta\n\t*g[int]\n\textra []int\n}{a{1}, &g[int]{2}, nil}\nvar e box[struct{ p, q int }]", "anon.x++\nanon.a.x++\nanon.w++\ne.v = struct{ p, q int }{3, 4}", "fmt.Println(anon.x, anon.g.w, e.v.q, e)", "len := 3", "len"}, "3 3 4 {{3 4}}\n= 3\n"},
	{"constants whose type changed", []string{"type C int\nconst ( _ C = iota - 1; X; Y )\nfunc f(c C) int { return int(c) }", "func (c C) String() string { return `C` + strconv.Itoa(int(c)) }", "fmt.Println(X, Y, f(Y))", "type C string", "const X C = `x`\nX"}, "C0 C1 1\n= x\n"},
	{"a blank on the left", []string{"a, _ := strconv.Atoi(`3`)\nvar _, b = 1, 2", "a + b"}, "= 5\n"},
	{"unnamed parameters", []string{"func f(int, string, ...float64) int { return 2 }\nfunc (T) M(int) string { return `m` }\ntype T int", "f(1, ``, 2, 3)", "T(0).M(1)"}, "= 2\n= m\n"},
}

func TestCells(t *testing.T) {
	var nbs []*notebook
	for _, tt := range cellTests {
		n := newNotebook(t)
		nbs = append(nbs, n)
		for _, c := range tt.cells {
			n.cell(c)
		}
	}
	outs := runAll(t, nbs)
	for i, tt := range cellTests {
		t.Run(tt.name, func(t *testing.T) {
			if outs[i] != tt.want {
				t.Errorf("n%d: got %q, want %q\n%s", i, outs[i], tt.want, nbs[i].all())
			}
		})
	}
}

func (n *notebook) all() string {
	var b strings.Builder
	for _, p := range n.progs {
		b.WriteString(p.Describe())
	}
	return b.String()
}

func TestSource(t *testing.T) {
	n := newNotebook(t)
	n.cell("import str `strings`\ntype T struct{ n int }\nfunc (t T) Get() int { return t.n }")
	n.cell("b := str.NewReplacer()\nt := []T{{1}}\nconst k = 3\nfunc f() int { return k }")
	n.cell("d := time.Second")
	want := `package main

import str "strings"
import time "time"

var b *str.Replacer

var d time.Duration

func f() int { return k }

const k = 3

var t []T

type T struct{ n int }

func (t T) Get() int { return t.n }
`
	got := n.nb.Source()
	// Names are sorted, capitals first.
	if strings.Join(sortedLines(got), "\n") != strings.Join(sortedLines(want), "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// BenchmarkCheck times the front end on a cell that does little, in a notebook
// of fifty cells.
func BenchmarkCheck(b *testing.B) {
	nb := New(fuzzStd())
	check := func(text string) {
		p, err := nb.Check(context.Background(), Source{Name: "cell[1]", Text: text})
		if err != nil {
			b.Fatal(err)
		}
		p.Commit(-1)
	}
	check("x := 1")
	for i := range 50 {
		check(fmt.Sprintf("type t%[1]d struct{ n int }\nfunc (t t%[1]d) get() int { return t.n + x }\nv%[1]d := t%[1]d{%[1]d}\nfunc f%[1]d() int { return v%[1]d.get() }", i))
	}
	for _, cell := range []string{"x++", "fmt.Println(x, f7())", "type u struct{ a t3 }; func (u u) sum() int { return u.a.get() + v9.n }; w := u{v3}; w.sum()"} {
		b.Run(cell[:3], func(b *testing.B) {
			for range b.N {
				check(cell)
			}
		})
	}
}

func sortedLines(s string) []string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return lines
}

func TestGarbage(t *testing.T) {
	// Quadratic work on 300 kB takes minutes.
	for _, text := range []string{
		strings.Repeat("\x87", 300_000), strings.Repeat("x ? y\n", 50_000), strings.Repeat("zz\n", 2_000) + "(",
		strings.Repeat("(", 10_000), strings.Repeat("{", 10_000), strings.Repeat("`", 99_999), strings.Repeat("var (a = 1)\n", 3_000),
	} {
		began := time.Now()
		_, err := New(newStdPackages()).Check(context.Background(), Source{Name: "cell[1]", Text: text})
		if err == nil {
			t.Errorf("%.20q… is no error", text)
		}
		if took := time.Since(began); took > time.Minute {
			t.Errorf("%.20q… takes %v", text, took)
		}
	}
}

func TestErrors(t *testing.T) {
	tests := []struct{ name, setup, cell, want string }{
		{"undefined", "", "x := 1\ny := x + z", "cell[2]:2:10: undefined: z"},
		{"syntax", "", "for i := range 3 {", "cell[2]:1:19: syntax error: expected '}', found 'EOF'"},
		{"a value in the middle", "v := 1", "v\nv++", "cell[2]:1:1: v (variable of type int) is not used; only the cell's last line shows its value: move it there, or print it"},
		{"unused in a function", "", "func f() { q := 1 }", "cell[2]:1:12: declared and not used: q"},
		{"a type that cannot be named later", "", "g := func() any { type t struct{}; return t{} }\ng(1)", "cell[2]:2:3: too many arguments in call to g"},
		{"a mismatch of counts", "", "a, b := 1", "cell[2]:1:9: assignment mismatch: 2 variables but 1 value"},
		{"two meanings in one cell", "", "func x() {}\nx := 1", "cell[2]:2:1: x is declared twice in this cell, as a variable and as something else; rename one"},
		{"a declaration that cannot run early", "", "x := 1\nvar a = b\nx = 2\nvar b = x", "cell[2]:2:1: a needs b, which is declared below and needs x, which a statement between them sets; move the declaration of a below that of b"},
		{"an error in a declaration that runs early", "", "var a = b\nvar (\n\tc = 1\n\tb = c + zz\n)", "cell[2]:4:10: undefined: zz"},
		{"a missing method", "type S interface{ Area() int }\ntype T struct{}", "var s S = T{}", "cell[2]:1:11: cannot use T{} (value of struct type T) as S value in variable declaration: T does not implement S (missing method Area)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newNotebook(t)
			n.cell(tt.setup)
			got, _, _ := strings.Cut(n.fails(tt.cell), "\n")
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
