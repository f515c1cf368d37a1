package host_test

import (
	"context"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/host/hosttest"
	"github.com/holt-dl/holt/kernel/host/msg"
	"github.com/holt-dl/holt/kernel/host/proc"
)

// boundHost starts a host under a collector that never rests and overwrites
// what it frees, and stacks that grow. Plugins that cannot be bound fail.
func boundHost(t *testing.T) *hosttest.Host {
	t.Helper()
	w := hosttest.World(t)
	if _, err := os.Stat(filepath.Join(filepath.Dir(w.Host()), "host.syms")); err != nil {
		t.Skipf("plugins are not bound with this Go: %v", err)
	}
	t.Setenv("HOLT_LINK", "bound")
	h := hosttest.StartIn(t, w, proc.Options{Env: []string{"GOGC=1", "GODEBUG=clobberfree=1"}})
	h.Must(`import "runtime"
func Run() {
	go func() { for { runtime.GC() } }()
	go func() { for { grow(200) } }()
}
func grow(n int) (sum int) {
	var big [64]int
	if n > 0 { sum = grow(n - 1) }
	return sum + big[n%64]
}`)
	return h
}

// TestBoundVariables: a plugin's variables, whatever their types are made of,
// keep what they point to. Their pointer masks come from the host's list, and
// for the second cell from the first one's.
func TestBoundVariables(t *testing.T) {
	h := boundHost(t)
	if _, err := h.World.Add(context.Background(), []string{"bytes", "container/list", "text/tabwriter"}); err != nil {
		t.Fatal(err)
	}
	h.Must(`import (
	"bytes"
	"container/list"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"
)
type Node struct { pad [3]uint64; Next *Node; Text string }
type Mixed struct {
	n     int
	Buf   bytes.Buffer
	Rep   strings.Builder
	mu    sync.Mutex
	Dec   [2]json.Number
	Any   any
	Timer time.Time
	Node
}
var (
	Buf    bytes.Buffer
	Bufs   [5]bytes.Buffer
	Table  tabwriter.Writer
	List   list.List
	M      Mixed
	Ms     [4]Mixed
	Anon   struct { n int; P *Node; S [2]struct { B bytes.Buffer; k uint8 } }
	Ptr    atomic.Pointer[Node]
	Map    sync.Map
	Pool   = map[string]*Node{}
	Fn     func() string
	Ch     = make(chan *Node, 1)
	File   *os.File
	Err    error
	Big    [3000]*Node
)
func New(s string) *Node { return &Node{Next: &Node{Text: fmt.Sprint(s, "'")}, Text: fmt.Sprint(s)} }
func Run() {
	Buf.WriteString(fmt.Sprint("buf"))
	for i := range Bufs { fmt.Fprint(&Bufs[i], "buf", i) }
	Table.Init(&Bufs[4], 8, 8, 1, ' ', 0)
	fmt.Fprint(&Table, "a\tb")
	for i := range 5 { List.PushBack(fmt.Sprint("e", i)) }
	M = Mixed{Any: fmt.Sprint("any"), Timer: time.Now(), Node: *New("m"), Dec: [2]json.Number{json.Number(fmt.Sprint(1)), json.Number(fmt.Sprint(2))}}
	M.Rep.WriteString(fmt.Sprint("rep"))
	M.Buf.WriteString(fmt.Sprint("mbuf"))
	for i := range Ms { fmt.Fprint(&Ms[i].Buf, "ms", i); Ms[i].Next = New(fmt.Sprint("n", i)) }
	Anon.P = New("anon"); fmt.Fprint(&Anon.S[1].B, "inner")
	Ptr.Store(New("ptr")); Map.Store("k", New("map")); Pool["k"] = New("pool"); Ch <- New("ch")
	word := fmt.Sprint("closure"); Fn = func() string { return word }
	_, Err = os.Open(fmt.Sprint("/none"))
	for i := range Big { Big[i] = New(fmt.Sprint(i)) }
}`)
	h.Must(`import "notebook/c2"
var (
	More  [3]c2.Mixed
	Other struct { x int; c2.Mixed; P *c2.Node }
)
func Run() {
	for i := range More { More[i].Next = c2.New("more"); More[i].Buf.WriteString(c2.M.Text) }
	Other.P, Other.Any = c2.New("other"), c2.New("any")
}`)
	const want = "buf buf0 buf3 5 e4 any m m' rep mbuf 1 2 ms3 n3' anon' inner ptr' map pool' closure open /none: no such file or directory 2999' more' m other' any'\n"
	for range 5 {
		if got := h.Must(`import ("fmt"; "notebook/c2"; "notebook/c3")
func Run() {
	v, _ := c2.Map.Load("k")
	fmt.Println(c2.Buf.String(), c2.Bufs[0].String(), c2.Bufs[3].String(), c2.List.Len(), c2.List.Back().Value,
		c2.M.Any, c2.M.Text, c2.M.Next.Text, c2.M.Rep.String(), c2.M.Buf.String(), c2.M.Dec[0], c2.M.Dec[1],
		c2.Ms[3].Buf.String(), c2.Ms[3].Next.Next.Text, c2.Anon.P.Next.Text, c2.Anon.S[1].B.String(),
		c2.Ptr.Load().Next.Text, v.(*c2.Node).Text, c2.Pool["k"].Next.Text, c2.Fn(), c2.Err, c2.Big[2999].Next.Text,
		c3.More[2].Next.Next.Text, c3.More[1].Buf.String(), c3.Other.P.Next.Text, c3.Other.Any.(*c2.Node).Next.Text)
}`); got != want {
			t.Fatalf("got  %swant %s", got, want)
		}
	}
}

// TestBoundGenerics: instances of generic types and functions, which each
// package that uses them holds, are one across cells and the host.
func TestBoundGenerics(t *testing.T) {
	h := boundHost(t)
	if _, err := h.World.Add(context.Background(), []string{"maps"}); err != nil {
		t.Fatal(err)
	}
	h.Must(`import ("encoding/json"; "fmt"; "sync/atomic")
type Box[T any] struct { V T; seen atomic.Pointer[T] }
func (b *Box[T]) Put(v T) { b.V = v; b.seen.Store(&v) }
func (b *Box[T]) Seen() T { return *b.seen.Load() }
func (b Box[T]) String() string { return fmt.Sprintf("box(%v)", b.V) }
type Shower interface { String() string; Seen() string }
func Map[T, U any](in []T, f func(T) U) (out []U) { for _, v := range in { out = append(out, f(v)) }; return out }
type Pair struct { A, B string }
func (p Pair) MarshalText() ([]byte, error) { return []byte(p.A + "+" + p.B), nil }
var Any any
func Run() {
	b := &Box[string]{}
	b.Put(fmt.Sprint("x"))
	Any = b
	_ = []any{(*atomic.Pointer[Pair])(nil), json.Number("")}
}`)
	if got := h.Must(`import ("encoding/json"; "errors"; "fmt"; "io/fs"; "maps"; "os"; "slices"; "sync/atomic"; c "notebook/c2")
type Wrap struct { *c.Box[string]; c.Pair }
type Cell[K comparable] = c.Box[map[K]c.Pair]
type E struct { error }
func Run() {
	s, ok := c.Any.(c.Shower)
	b, same := c.Any.(*c.Box[string])
	fmt.Println(ok, same, s.Seen(), b, s)
	fmt.Println(c.Map([]int{1, 2}, func(i int) c.Box[int] { return c.Box[int]{V: i} }))
	var m Cell[string]
	m.Put(map[string]c.Pair{"k": {"a", "b"}})
	text, err := json.Marshal(m.Seen())
	fmt.Println(string(text), err)
	w := Wrap{Box: b, Pair: c.Pair{"c", "d"}}
	text, err = w.MarshalText()
	fmt.Println(w.Seen(), string(text), err)
	var p atomic.Pointer[c.Pair]
	p.Store(&w.Pair)
	fmt.Printf("%T %T %v\n", p.Load(), any(&p), slices.SortedFunc(maps.Keys(m.Seen()), func(a, b string) int { return len(a) - len(b) }))
	_, err = os.Open("/none")
	var path *fs.PathError
	fmt.Println(errors.As(E{err}.error, &path), path.Path, errors.Is(err, fs.ErrNotExist))
}`); got != "true true x box(x) box(x)\n[box(1) box(2)]\n{\"k\":\"a+b\"} <nil>\nx c+d <nil>\n*c2.Pair *atomic.Pointer[notebook/c2.Pair] [k]\ntrue /none true\n" {
		t.Errorf("got %s", got)
	}
}

// TestBoundCopies: a package that the host lacks is linked into the first cell
// that imports it, and later cells share that one.
func TestBoundCopies(t *testing.T) {
	h := boundHost(t)
	if _, err := h.World.Add(context.Background(), []string{"text/template", "expvar"}); err != nil {
		t.Fatal(err)
	}
	h.Must(`import "text/template"
var T = template.Must(template.New("t").Parse("{{range .}}<{{printf \"%03d\" .}}>{{end}}"))
func Run() {}`)
	if got := h.Must(`import ("os"; "text/template"; "notebook/c2")
var Again *template.Template = c2.T
func Run() {
	c2.T.Execute(os.Stdout, []int{1, 2})
	template.Must(Again.Clone()).Execute(os.Stdout, []int{3})
}`); got != "<001><002><003>" {
		t.Errorf("got %q", got)
	}
	// Itabs of one pair of types, made by the package and by the cell, are one.
	if got := h.Must("import (\"expvar\"; \"fmt\")\nfunc Run() { n := expvar.NewInt(\"m\"); var v expvar.Var = n; fmt.Println(v == expvar.Get(\"m\"), map[expvar.Var]int{v: 7}[expvar.Get(\"m\")]) }"); got != "true 7\n" {
		t.Errorf("got %q", got)
	}
	h.Must("import \"expvar\"\nfunc Run() { expvar.NewInt(\"n\").Add(41) }")
	if got := h.Must("import (\"expvar\"; \"fmt\")\nfunc Run() { expvar.Get(\"n\").(*expvar.Int).Add(1); fmt.Println(expvar.Get(\"n\")) }"); got != "42\n" {
		t.Errorf("got %q", got)
	}
}

// TestBoundMany loads cells that each use the one before.
func TestBoundMany(t *testing.T) {
	h := boundHost(t)
	h.Must("type T struct { N int; Up *T; S []string }\nvar V = &T{}\nfunc (t *T) Depth() int { if t.Up == nil { return 0 }; return 1 + t.Up.Depth() }\nfunc Run() {}")
	const n = 25
	for i := 3; i < 3+n; i++ {
		h.Must(fmt.Sprintf(`import ("fmt"; first "notebook/c2"; before "notebook/c%d")
type T struct { first.T; n int }
func (t T) String() string { return fmt.Sprint(t.Depth(), len(t.S)) }
var V *first.T
var W T
func Run() {
	V = &first.T{N: %d, Up: before.V, S: append(before.V.S, fmt.Sprint(%d))}
	W = T{T: *V}
}`, i-1, i, i))
	}
	if got := h.Must(fmt.Sprintf("import (\"fmt\"; \"strings\"; \"notebook/c%d\")\nfunc Run() { fmt.Println(c%[1]d.W, strings.Join(c%[1]d.V.S[:3], \" \")) }", 2+n)); got != fmt.Sprintf("%d %[1]d 3 4 5\n", n) {
		t.Errorf("got %q", got)
	}
}

// TestBoundTraces: functions, lines and created-by lines of bound plugins are
// named as in one program.
func TestBoundTraces(t *testing.T) {
	h := boundHost(t)
	h.Must("type T struct{}\nfunc (T) Fail(i int) int { return []int{1}[i] }\nfunc Run() {}")
	d, err := h.Cell("import \"notebook/c2\"\ntype I interface { Fail(int) int }\nfunc call(v I) { v.Fail(7) }\nfunc Run() {\n\tcall(struct{ c2.T }{})\n}")
	if err != nil || d.Result != msg.Panic || d.Value != "index out of range [7] with length 1" {
		t.Fatalf("got %+v, %v", d, err)
	}
	var got []string
	for _, f := range d.Frames {
		got = append(got, fmt.Sprintf("%s %s:%d", f.Func, f.File, f.Line))
	}
	if s := strings.Join(got, "; "); s != "notebook/c2.T.Fail cell[2]:2; notebook/c3.call cell[3]:3; notebook/c3.Run cell[3]:5" {
		t.Errorf("got %s", s)
	}
}

// TestPlainAfterBound: a cell that is linked with copies shares what bound ones
// have, and the other way round.
func TestPlainAfterBound(t *testing.T) {
	h := boundHost(t)
	h.Must("type T struct{ S string }\nvar V = &T{\"bound\"}\nfunc Run() {}")
	t.Setenv("HOLT_LINK", "plain")
	h.Must("import \"notebook/c2\"\nvar W any = c2.V\nvar Set = map[string]*c2.T{\"k\": {\"plain\"}}\nfunc Run() {}")
	t.Setenv("HOLT_LINK", "bound")
	if got := h.Must("import (\"fmt\"; \"notebook/c2\"; \"notebook/c3\")\nfunc Run() { c2.V.S += \"!\"; fmt.Println(c3.W.(*c2.T).S, c3.Set[\"k\"].S, len(c3.Set)) }"); got != "bound! plain 1\n" {
		t.Errorf("got %q", got)
	}
}

// mixed is a cell with what a plugin may hold: variables with and without values,
// generic and anonymous types, itabs, closures, deferred calls, other packages.
const mixed = `import ("errors"; "fmt"; "io"; "os"; "sort"; "strings"; "sync"; "text/tabwriter")
type Pair[K comparable, V any] struct { Key K; Value V }
func (p *Pair[K, V]) String() string { return fmt.Sprint(p.Key, "=", p.Value) }
type Namer interface { Name() string }
type T struct { n int; Next *T }
func (t T) Name() string { return fmt.Sprint("T", t.n) }
type byLen []string
func (b byLen) Len() int { return len(b) }
func (b byLen) Less(i, j int) bool { return len(b[i]) < len(b[j]) }
func (b byLen) Swap(i, j int) { b[i], b[j] = b[j], b[i] }
var (
	Set = map[string]*T{"a": {n: 1}, "b": {n: 2}}
	Big [5000]*T
	Text = "text"
	Float = 2.5
	Anon struct { X, Y int; f func() int }
	Any any = struct{ A int }{7}
	Err = errors.New("failed")
	Once sync.Once
)
func fails() (err error) {
	defer func() { if r := recover(); r != nil { err = fmt.Errorf("%v: %w", r, Err) } }()
	var t *T
	return errors.New(t.Next.Name())
}
func Run() {
	Big[4999] = Set["b"]
	sum := 0
	Anon.f = func() int { sum++; return sum }
	ch := make(chan Namer)
	go func() { for i := range 3 { ch <- T{n: i} }; close(ch) }()
	for n := range ch { fmt.Print(n.Name(), " "); Anon.f() }
	words := byLen{"ccc", "a", "bb"}
	sort.Sort(words)
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 1, ' ', 0)
	io.WriteString(w, "x\ty\n"); w.Flush()
	Once.Do(func() { Text += "!" })
	_, isSyntax := Any.(fmt.Stringer)
	fmt.Println(&Pair[string, float64]{"k", Float}, sum, words, Big[4999].Name(), Text, fails(), errors.Is(fails(), Err), b.String(), isSyntax, os.Getpid() > 0, Any == any(struct{ A int }{7}))
}`

// TestSharedObject: a plugin that our linker writes as a shared object does what the one
// does that the system's linker writes of the same cell, and they share types.
func TestSharedObject(t *testing.T) {
	h := boundHost(t)
	if _, err := h.World.Add(context.Background(), []string{"text/tabwriter"}); err != nil {
		t.Fatal(err)
	}
	run := func(link, text string, ours bool) string {
		t.Helper()
		t.Setenv("HOLT_LINK", link)
		u, err := h.Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		f, err := elf.Open(u.Plugin)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if got := f.Section(".rela.plt") == nil; got != ours {
			t.Errorf("HOLT_LINK=%s: the plugin is ours: %v, want %v", link, got, ours)
		}
		if d, err := h.Run(context.Background(), u); err != nil || d.Result != msg.OK {
			t.Fatalf("HOLT_LINK=%s: got %+v, %v", link, d, err)
		}
		return h.Output()
	}
	ours := runtime.GOARCH == "amd64"
	want := run("system", mixed, false)
	if got := run("bound", mixed, ours); got != want || !strings.Contains(got, "runtime error: invalid memory address") {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
	const both = `import ("fmt"; "notebook/c2"; "notebook/c3")
func Run() {
	a, isA := c2.Any.(struct{ A int })
	_, isB := any(c3.Big[4999]).(*c2.T)
	_, isPair := any(c3.Pair[int, int]{}).(c2.Pair[int, int])
	c3.Any = a
	fmt.Println(isA, isB, isPair, c3.Any == c2.Any, c2.Text, c3.Text, c2.Anon.X + c3.Anon.Y)
}`
	for link, ours := range map[string]bool{"system": false, "bound": ours} {
		if got := run(link, both, ours); got != "true false false true text! text! 0\n" {
			t.Errorf("HOLT_LINK=%s: printed %q", link, got)
		}
	}
}

// TestCannotBind: a plugin that cannot be bound is linked with copies.
func TestCannotBind(t *testing.T) {
	h := boundHost(t)
	t.Setenv("HOLT_LINK", "")
	first, err := h.Compile("var X = 1\nfunc Run() {}")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Run(context.Background(), first); err != nil {
		t.Fatal(err)
	}
	// The linker takes no list that is not one.
	if err := os.WriteFile(filepath.Join(filepath.Dir(first.Plugin), "cell.syms"), []byte("garbage"), 0o644); err != nil {
		t.Fatal(err)
	}
	// The itab is in the cell and in the copy of package os.
	u, err := h.Compile("import (\"fmt\"; \"io/fs\"; \"notebook/c2\")\nfunc Run() { var err error = &fs.PathError{Op: \"op\", Path: \"p\", Err: fs.ErrExist}; c2.X++; fmt.Println(c2.X, err) }")
	if err != nil {
		t.Fatal(err)
	}
	if d, err := h.Run(context.Background(), u); err != nil || d.Result != msg.OK || h.Output() != "2 op p: file already exists\n" {
		t.Errorf("got %+v, %v", d, err)
	}
	for plugin, max := range map[string]int64{first.Plugin: 100_000, u.Plugin: 10_000_000} {
		if info, err := os.Stat(plugin); err != nil || info.Size() > max || info.Size() < max/20 {
			t.Errorf("%s: %v bytes, %v, want at most %d", plugin, info.Size(), err, max)
		}
	}
}
