package host_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/kernel/build"
	"github.com/holt-dl/holt/kernel/host/hosttest"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/proc"
)

// rtImport is what generated code imports for interrupt checks.
const rtImport = `import "github.com/holt-dl/holt/kernel/host/rt"
`

func TestValuesLive(t *testing.T) {
	h := hosttest.Start(t)
	if got := h.Must(`import "fmt"
var X = 40
func Run() { fmt.Println("hello") }`); got != "hello\n" {
		t.Errorf("got %q", got)
	}
	if got := h.Must(`import ("fmt"; c1 "notebook/c1")
func Run() { c1.X += 2; fmt.Println(c1.X) }`); got != "42\n" {
		t.Errorf("got %q", got)
	}
}

// TestAsOnePackage runs, over several cells, what a program does in one.
func TestAsOnePackage(t *testing.T) {
	h := hosttest.Start(t)
	h.Must(`import "fmt"
type Shape interface { Area() float64 }
type Point struct{ X, Y float64 }
func (p Point) String() string { return fmt.Sprintf("(%g, %g)", p.X, p.Y) }
type Named struct { Point; Name string }
type Square float64
func (s Square) Area() float64 { return float64(s*s) }
func Map[T, U any](in []T, f func(T) U) (out []U) { for _, v := range in { out = append(out, f(v)) }; return }
type Stack[T any] struct{ items []T }
func (s *Stack[T]) Push(v T) { s.items = append(s.items, v) }
func (s *Stack[T]) All() func(func(int, T) bool) { return func(yield func(int, T) bool) { for i, v := range s.items { if !yield(i, v) { return } } } }
type NotFound struct{ Name string }
func (e *NotFound) Error() string { return e.Name + " not found" }
var Any any = Point{1, 2}
var Ints Stack[int]
var Keys = map[any]int{Point{1, 2}: 7}
var Ch = make(chan Point, 4)
func Run() { Ints.Push(1) }`)
	got := h.Must(`import ("encoding/json"; "errors"; "fmt"; "reflect"; c1 "notebook/c1")
var Area c1.Shape = c1.Square(3)
var Double = func(x int) int { return x * 2 }
func Run() {
	switch v := c1.Any.(type) { case c1.Point: fmt.Println("point", v, v.X) }
	c1.Ints.Push(2)
	for i, v := range c1.Ints.All() { fmt.Print(i, ":", v, " ") }
	fmt.Println(c1.Map([]int{1, 2}, Double), c1.Keys[c1.Point{1, 2}], Area.Area())
	n := c1.Named{c1.Point{3, 4}, "n"}
	fmt.Println(n, n.X, reflect.TypeOf(c1.Any) == reflect.TypeOf(c1.Point{}))
	var nf *c1.NotFound
	err := fmt.Errorf("wrapped: %w", &c1.NotFound{"otter"})
	fmt.Println(errors.As(err, &nf), nf.Name)
	text, _ := json.Marshal(n)
	fmt.Println(string(text))
	fmt.Printf("%T\n", c1.Any)
	go func() { c1.Ch <- c1.Point{5, 6} }()
	String := c1.Any.(fmt.Stringer).String
	fmt.Println(<-c1.Ch, String())
}`)
	want := `point (1, 2) 1
0:1 1:2 [2 4] 7 9
(3, 4) 3 true
true otter
{"X":3,"Y":4,"Name":"n"}
c1.Point
(5, 6) (1, 2)
`
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	// A later cell sees the value of the moment, and one copy of everything.
	if got := h.Must(`import ("fmt"; c1 "notebook/c1"; c2 "notebook/c2")
var Y = len(c1.Map([]int{1}, c2.Double)) + 1
func Run() { c1.Ints.Push(3); fmt.Println(Y, c2.Area, c1.Ints) }`); got != "2 3 {[1 2 3]}\n" {
		t.Errorf("got %q", got)
	}
}

// TestMapLiterals is rule 1: without -d=wrapglobalmapctl=1 both maps are empty
// for the second cell, because the first one did not use them.
func TestMapLiterals(t *testing.T) {
	h := hosttest.Start(t)
	var entries strings.Builder
	for i := range 60 {
		fmt.Fprintf(&entries, "\t%q: %d,\n", fmt.Sprint("k", i), i)
	}
	// text/template/parse keeps its keywords in a map literal; the host does
	// not hold the package.
	if _, err := h.World.Add(context.Background(), []string{"text/template/parse"}); err != nil {
		t.Fatal(err)
	}
	if h.World.InHost("text/template/parse") {
		t.Fatal("the host holds text/template/parse; take another package")
	}
	h.Must("import \"text/template/parse\"\nvar Big = map[string]int{\n" + entries.String() + "}\nvar T parse.NodeType\nfunc Run() {}")
	if got := h.Must(`import ("fmt"; c1 "notebook/c1"; "text/template/parse")
func Run() {
	trees, err := parse.Parse("x", "{{if .A}}{{end}}", "", "")
	fmt.Println(len(c1.Big), c1.Big["k59"], len(trees), err)
}`); got != "60 59 1 <nil>\n" {
		t.Errorf("got %q", got)
	}
}

// TestRefused is rule 2: a plugin with another version of a package, and every
// one after it, is refused in words.
func TestRefused(t *testing.T) {
	src, err := hosttest.Source(map[string]string{"kernel/host/rt/other.go": "package rt\n\nvar Other = 1\n"})
	if err != nil {
		t.Fatal(err)
	}
	cache, err := hosttest.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	other, err := build.Open(context.Background(), build.Options{Source: src, CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	b, err := other.Build(context.Background(), build.Unit{Path: "notebook/c1", Dir: t.TempDir(),
		Files: []build.File{{Name: "cell.go", Text: []byte("package c1\nfunc Run() {}")}}})
	if err != nil {
		t.Fatal(err)
	}
	h := hosttest.Start(t)
	d, err := h.Run(context.Background(), proc.Unit{Plugin: b.Plugin, Path: "notebook/c1", Cell: 1})
	if err != nil || d.Result != msg.Refused || !strings.Contains(d.Value, "different version of package") {
		t.Fatalf("got %+v, %v", d, err)
	}
	h.Compile("func Run() {}") // takes the number 1
	d, err = h.Cell("func Run() {}")
	if err != nil || d.Result != msg.Refused || !strings.Contains(d.Value, "restart the host") {
		t.Errorf("after a refusal: got %+v, %v", d, err)
	}
}

// TestInitialiserPanics is rule 3: the process must load no more after it.
func TestInitialiserPanics(t *testing.T) {
	h := hosttest.Start(t)
	d, err := h.Cell("var X = f()\nfunc f() int { panic(\"early\") }\nfunc Run() {}")
	if err != nil || d.Result != msg.Refused || d.Value != "the initialiser of notebook/c1 panicked: early" {
		t.Fatalf("got %+v, %v", d, err)
	}
	var calls []string
	for _, f := range d.Frames {
		calls = append(calls, f.Func)
	}
	if got := strings.Join(calls, " "); got != "notebook/c1.f notebook/c1.init" {
		t.Errorf("the frames are %s", got)
	}
	d, err = h.Cell("import c1 \"notebook/c1\"\nfunc Run() { println(c1.X) }")
	if err != nil || d.Result != msg.Refused || !strings.Contains(d.Value, "restart the host") {
		t.Errorf("after the panic: got %+v, %v", d, err)
	}
}

// TestInterfaceIdentity is rule 4: a reachable conversion in the declaring
// cell makes values equal that were converted dynamically and statically.
func TestInterfaceIdentity(t *testing.T) {
	h := hosttest.Start(t)
	h.Must(rtImport + `type E struct{ N int }
func (e E) Error() string { return "e" }
func Run() { if rt.Never { rt.Keep(E{}, []error{E{}}) } }`)
	h.Must(`import ("notebook/c1")
var Dynamic error
var Map = map[error]string{}
func Run() { var v any = c1.E{1}; Dynamic = v.(error); Map[Dynamic] = "found" }`)
	if got := h.Must(`import ("errors"; "fmt"; "notebook/c1"; "notebook/c2")
var static error = c1.E{1}
func Run() { fmt.Println(static == c2.Dynamic, c2.Map[static], errors.Is(c2.Dynamic, static)) }`); got != "true found true\n" {
		t.Errorf("got %q", got)
	}
}

// TestReflectTypes is rule 5: types that reflect makes before a plugin holds
// them are the compiled ones, once the declaring cell keeps them.
func TestReflectTypes(t *testing.T) {
	h := hosttest.Start(t)
	h.Must(rtImport + `type T struct{ A int }
func Run() { if rt.Never { rt.Keep([]T(nil), (*[]T)(nil), map[string]T(nil), chan T(nil), (func(T))(nil), [2]T{}) } }`)
	h.Must(`import ("reflect"; "notebook/c1")
var Slice, Map, Chan any
func Run() {
	t := reflect.TypeOf(c1.T{})
	Slice = reflect.MakeSlice(reflect.SliceOf(t), 3, 3).Interface()
	Map = reflect.MakeMap(reflect.MapOf(reflect.TypeOf(""), t)).Interface()
	Chan = reflect.MakeChan(reflect.ChanOf(reflect.BothDir, t), 0).Interface()
}`)
	if got := h.Must(`import ("fmt"; "notebook/c1"; "notebook/c2")
func Run() {
	_, a := c2.Slice.([]c1.T)
	_, b := c2.Map.(map[string]c1.T)
	_, c := c2.Chan.(chan c1.T)
	fmt.Println(a, b, c)
}`); got != "true true true\n" {
		t.Errorf("got %q", got)
	}
}

// TestPathOnce is rule 6: a path that was loaded is not loaded again, and the
// process stays usable.
func TestPathOnce(t *testing.T) {
	h := hosttest.Start(t)
	u, err := h.Compile("func Run() {}")
	if err != nil {
		t.Fatal(err)
	}
	if d, err := h.Run(context.Background(), u); err != nil || d.Result != msg.OK {
		t.Fatalf("got %+v, %v", d, err)
	}
	u.Cell = 100
	if d, err := h.Run(context.Background(), u); err != nil || d.Result != msg.Refused || !strings.Contains(d.Value, "notebook/c1 was loaded before, as cell 1") {
		t.Errorf("got %+v, %v", d, err)
	}
	h.Must("func Run() {}")
}

// TestUnexported reaches unexported names of an earlier cell by linkname.
func TestUnexported(t *testing.T) {
	h := hosttest.Start(t)
	h.Must(`type T struct{ n int }
func (t *T) inc(by int) int { t.n += by; return t.n }
func double(x int) int { return 2 * x }
var count = 5
var V T
func Run() { V.inc(1); count++; double(1) }`)
	if got := h.Must(`import ("fmt"; "notebook/c1"; _ "unsafe")
//go:linkname inc notebook/c1.(*T).inc
func inc(t *c1.T, by int) int
//go:linkname double notebook/c1.double
func double(x int) int
//go:linkname count notebook/c1.count
var count int
func Run() { fmt.Println(inc(&c1.V, 4), double(21), count) }`); got != "5 42 6\n" {
		t.Errorf("got %q", got)
	}
}

// TestStress loads cells while the garbage collector runs all the time.
func TestStress(t *testing.T) {
	h := hosttest.StartIn(t, hosttest.World(t), proc.Options{Env: []string{"GOGC=1"}})
	h.Must(`import "runtime"
type Node struct{ Next *Node; Data map[string][]int }
var Head *Node
func Run() {
	go func() { for { runtime.GC() } }()
	go func() { for { grow(200) } }()
}
func grow(n int) int { var pad [64]int; if n == 0 { return pad[1] }; return grow(n-1) + pad[n%64] }`)
	for i := range 8 {
		got := h.Must(fmt.Sprintf(`import ("fmt"; c1 "notebook/c1")
func Run() {
	for i := range 200 { c1.Head = &c1.Node{c1.Head, map[string][]int{fmt.Sprint(i): {i, %d}}} }
	n := 0
	for p := c1.Head; p != nil; p = p.Next { n++; for k, v := range p.Data { if fmt.Sprint(v[0]) != k { panic("lost") } } }
	fmt.Println(n)
}`, i))
		if want := fmt.Sprintln(200 * (i + 1)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestResults(t *testing.T) {
	h := hosttest.Start(t)
	tests := []struct{ name, code, want string }{
		{"one", `rt.Result(42)`, "<result 1: 42>"},
		{"two", `rt.Result(1, "a")`, "<result 2: 1, a>"},
		{"with error", `rt.ResultErr(7, error(nil))`, "<result 3: 7>"},
		{"only an error", `rt.ResultErr(error(nil))`, ""},
		{"dropped", `rt.Drop(3, error(nil)); rt.Err(nil)`, ""},
		{"panics in String", `rt.Result(bad{})`, "<result 6: %!v(PANIC=String method: no)>"},
	}
	for _, tt := range tests {
		got := h.Must(rtImport + "type bad struct{}\nfunc (bad) String() string { panic(\"no\") }\nfunc Run() { " + tt.code + " }")
		if got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestFailures(t *testing.T) {
	h := hosttest.Start(t)
	tests := []struct {
		name, imports, code string // the code starts at line 4 of the cell
		result              msg.Result
		typ, value          string
		line                int
	}{
		{"error", `"errors"`, "rt.Err(errors.New(\"no file\"))", msg.Error, "*errors.errorString", "no file", 4},
		{"dropped error", `"os"`, "rt.Drop(os.Open(\"/none\"))", msg.Error, "*fs.PathError", "open /none: no such file or directory", 4},
		{"error beside a result", `"strconv"`, "\nrt.ResultErr(strconv.Atoi(\"x\"))", msg.Error, "*strconv.NumError", `strconv.Atoi: parsing "x": invalid syntax`, 5},
		{"panic with a string", "", `panic("boom")`, msg.Panic, "string", "boom", 4},
		{"panic with an error", `"errors"`, `panic(errors.New("oh"))`, msg.Panic, "*errors.errorString", "oh", 4},
		{"index", "", "s := []int{1}; i := 5\n_ = s[i]", msg.Panic, "runtime error", "index out of range [5] with length 1", 5},
		{"nil map", "", "var m map[string]int; m[\"a\"] = 1", msg.Panic, "runtime error", "assignment to entry in nil map", 4},
		{"nil pointer", "", "var p *int; *p = 1", msg.Panic, "runtime error", "invalid memory address or nil pointer dereference", 4},
		{"wild pointer", `"unsafe"`, "*(*int)(unsafe.Pointer(uintptr(0xdead0000))) = 1", msg.Panic, "runtime error", "invalid memory address or nil pointer dereference", 4},
		{"division", "", "a := 0; println(1 / a)", msg.Panic, "runtime error", "integer divide by zero", 4},
		{"assertion", "", "var v any = 1; println(v.(string))", msg.Panic, "runtime error", "interface conversion: interface {} is int, not string", 4},
		{"closed channel", "", "c := make(chan int); close(c); close(c)", msg.Panic, "runtime error", "close of closed channel", 4},
		{"in a library", `"regexp"`, "regexp.MustCompile(\"(\")", msg.Panic, "string", "regexp: Compile(`(`): error parsing regexp: missing closing ): `(`", 4},
		{"panic nil", "", "panic(nil)", msg.Panic, "runtime error", "panic called with nil argument", 4},
		{"goexit", `"runtime"`, "runtime.Goexit()", msg.Goexit, "Goexit", "the cell called runtime.Goexit", 0},
		{"in a deferred function", "", "defer func() { panic(\"second\") }()\npanic(\"first\")", msg.Panic, "string", "second", 4},
	}
	if _, err := h.World.Add(context.Background(), []string{"regexp"}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		imp := tt.imports
		d, err := h.Cell(rtImport + "import (" + imp + ")\nfunc Run() { _ = rt.Never\n" + tt.code + "\n}")
		if err != nil {
			t.Fatalf("%s: %v\n%s", tt.name, err, h.Stderr())
		}
		line := 0
		if d.Pos != nil {
			line = d.Pos.Line
			if want := fmt.Sprintf("cell[%d]", h.Count()); d.Pos.File != want {
				t.Errorf("%s: file is %q, want %q", tt.name, d.Pos.File, want)
			}
		}
		if d.Result != tt.result || d.Name != tt.typ || d.Value != tt.value || line != tt.line {
			t.Errorf("%s: got %s %q %q at line %d, want %s %q %q at line %d\n%s", tt.name, d.Result, d.Name, d.Value, line, tt.result, tt.typ, tt.value, tt.line, d.Stack)
		}
	}
	h.Must("func Run() {}")
}

func TestFrames(t *testing.T) {
	h := hosttest.Start(t)
	h.Must("func Outer(f func()) { inner(f) }\nfunc inner(f func()) { f() }\nfunc Run() {}")
	d, err := h.Cell("import \"notebook/c1\"\nfunc Run() {\nc1.Outer(func() {\n  panic(1)\n})\n}")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range d.Frames {
		got = append(got, fmt.Sprintf("%s %s:%d", f.Func, f.File, f.Line))
	}
	want := "notebook/c2.Run.func1 cell[2]:4; notebook/c1.inner cell[1]:2; notebook/c1.Outer cell[1]:1; notebook/c2.Run cell[2]:3"
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	if !strings.Contains(d.Stack, "goroutine ") {
		t.Errorf("stack is %q", d.Stack)
	}
}

func TestChdirAndEnv(t *testing.T) {
	h := hosttest.Start(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	if got, err := h.Chdir(ctx, dir); err != nil || got != dir {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := h.Chdir(ctx, "/none"); err == nil || err.Error() != "chdir /none: no such file or directory" {
		t.Errorf("got %v", err)
	}
	if err := h.Setenv(ctx, "OTTER", "den"); err != nil {
		t.Fatal(err)
	}
	if got := h.Must("import (\"fmt\"; \"os\")\nfunc Run() { d, _ := os.Getwd(); fmt.Println(d, os.Getenv(\"OTTER\")) }"); got != dir+" den\n" {
		t.Errorf("got %q", got)
	}
	m, err := h.Memory(ctx)
	if err != nil || m.RSS < 1<<20 || m.Plugins != 1 || m.Goroutines < 1 {
		t.Errorf("got %+v, %v", m, err)
	}
	if h.PID() == os.Getpid() {
		t.Error("the host is the test")
	}
}

func TestContext(t *testing.T) {
	h := hosttest.StartIn(t, worldWith(t, `func main() {
	Get = host.Context
	host.Main(host.Options{})
}
`), proc.Options{})
	h.Must(`import "github.com/holt-dl/holt/ctx"
import "context"
var Bg context.Context
var Ready = make(chan bool)
func Run() { go func() { Bg = ctx.Get(); close(Ready); <-Bg.Done() }(); <-Ready }`)
	stop, cancel := context.WithCancel(context.Background())
	time.AfterFunc(300*time.Millisecond, cancel)
	d, err := h.CellContext(stop, rtImport+`import "github.com/holt-dl/holt/ctx"
func Run() { c := ctx.Get(); <-c.Done(); rt.Err(c.Err()) }`)
	if err != nil || d.Result != msg.Interrupted || d.Stuck != "" {
		t.Errorf("got %+v, %v", d, err)
	}
	if got := h.Must("import (\"fmt\"; c1 \"notebook/c1\")\nfunc Run() { fmt.Println(c1.Bg.Err()) }"); got != "<nil>\n" {
		t.Errorf("the context of an earlier cell is cancelled: %q", got)
	}
}

// worldWith returns a world whose host's main also has the package ctx, with a
// variable Get for what main gives it.
func worldWith(t *testing.T, main string) *build.World {
	t.Helper()
	src, err := hosttest.Source(map[string]string{
		"ctx/ctx.go": "package ctx\n\nimport \"context\"\n\nvar Get func() context.Context\n",
		"cmd/holt-host/main.go": `package main

import (
	_ "fmt"

	"github.com/holt-dl/holt/ctx"
	"github.com/holt-dl/holt/kernel/host"
)

` + strings.Replace(main, "Get =", "ctx.Get =", 1),
	})
	if err != nil {
		t.Fatal(err)
	}
	cache, err := hosttest.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	w, err := build.Open(context.Background(), build.Options{Source: src, CacheDir: cache})
	if err != nil {
		t.Fatal(err)
	}
	return w
}
