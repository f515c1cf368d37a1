package build_test

import (
	"bytes"
	"context"
	"go/importer"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/kernel/build"
)

// shapes is a unit that reaches reflect.Type, whose iterators have shapes, and a
// generic function of its own.
const shapes = `import ("fmt"; "os"; "reflect"; "slices")
var files = []*os.File{os.Stdin} // a type with an atomic.Pointer inside
type Pair[T any] struct{ A, B T }
func (p Pair[T]) Swap() Pair[T] { return Pair[T]{p.B, p.A} }
type Swapper[T any] interface{ Swap() Pair[T] }
func twice[T any, S Swapper[T]](s S) Pair[T] { f := S.Swap; return f(s).Swap() }
func Run() {
	n := len(slices.Sorted(slices.Values([]int{2, 1})))
	for f, v := range reflect.ValueOf(Pair[string]{"a", "b"}).Fields() { n += len(f.Name) + len(v.String()) }
	for m := range reflect.TypeFor[Pair[int]]().Methods() { n += len(m.Name) }
	fmt.Print(n, twice[int](Pair[int]{1, 2}), twice[string](Pair[string]{"x", "y"}))
}
`

// symbols counts the functions of an archive whose names begin with prefix.
func symbols(t *testing.T, archive, prefix string) (n int) {
	t.Helper()
	out, err := exec.Command("go", "tool", "nm", archive).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(out) {
		if _, name, ok := strings.Cut(string(line), " T "); ok && strings.HasPrefix(name, prefix) {
			n++
		}
	}
	return n
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// awaitCompiler waits until the changed compiler is built.
func awaitCompiler(t *testing.T, w *build.World) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); !exists(w.Compiler()); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Skip("the compiler is not built after three minutes")
		}
	}
}

// TestCellCompiler: after some units a compiler is built that leaves out wrappers; what
// it compiles does the same. A build that does not end in time, since it takes minutes
// on a machine where Go has compiled no compiler before, is skipped.
func TestCellCompiler(t *testing.T) {
	h := newAheadHost(t)
	if err := build.CheckCompiler(h.World.Toolchain().Root); err != nil {
		t.Skip(err)
	}
	next := func(n int) (build.Built, string) {
		u := h.unit(n, shapes)
		h.World.Ahead(u)
		b, out := h.run(u, n)
		if !b.Ahead {
			t.Errorf("unit %d was not built ahead", n)
		}
		return b, out
	}
	h.World.DropCompiler()
	stock, want := next(1)
	n := 2
	for ; n <= build.UnitsBeforeCompiler; n++ {
		next(n)
	}
	awaitCompiler(t, h.World)
	b, got := next(n)
	if got != want || want != "10 {1 2} {x y}" {
		t.Errorf("printed %q with Go's compiler and %q with the changed one", want, got)
	}
	if with, without := symbols(t, stock.Archive, "sync/atomic.(*Pointer["), symbols(t, b.Archive, "sync/atomic.(*Pointer["); with == 0 || without != 0 {
		t.Errorf("%d methods of instances that the host has with Go's compiler, %d with the changed one", with, without)
	}
	if with, without := symbols(t, stock.Archive, "go.shape."), symbols(t, b.Archive, "go.shape."); with < 20 || without != 0 {
		t.Errorf("%d wrappers of shapes with Go's compiler, %d with the changed one", with, without)
	}
}

// TestReadAhead: what the compiler reads and encodes before it has its sources changes
// nothing of what it makes, except that it can inline functions of packages that the unit
// reaches without importing them.
func TestReadAhead(t *testing.T) {
	h := newAheadHost(t)
	if err := build.CheckCompiler(h.World.Toolchain().Root); err != nil {
		t.Skip(err)
	}
	for n := range build.UnitsBeforeCompiler {
		h.World.Ahead(h.unit(n, ""))
	}
	awaitCompiler(t, h.World)
	h.World.Ahead(h.unit(1, ""))
	h.run(h.unit(1, `import ("encoding/json"; "os"; "time")
var Files = []*os.File{os.Stdin}
var D *json.Decoder
var Ops = json.Marshal
var T time.Time
func Run() {}
`), 1)
	const named = "os:File\nos:Stdin\nencoding/json:Decoder\nencoding/json:Marshal\n"
	if got := h.World.Recent(); !strings.Contains(got, named) {
		t.Fatalf("the names are %q, want among them %q", got, named)
	}

	const imports = "import (\"fmt\"; \"os\"; \"encoding/json\")\n"
	tests := []struct{ name, text, want string }{
		{"none of it", "import \"fmt\"\nvar N = 3\nfunc Run() { fmt.Print(N) }\n", "3"},
		{"exported", imports + "var F = []*os.File{os.Stdin}\nvar D *json.Decoder\nfunc Run() { fmt.Print(F[0].Name(), D == nil) }\n", "/dev/stdintrue"},
		{"not exported", imports + "func Run() { var d json.Delim = '{'; fmt.Print(os.Stdin.Name(), d) }\n", "/dev/stdin{"},
		{"not imported", "import (\"fmt\"; c1 \"notebook/c1\")\nvar F = c1.Files\nfunc Run() { fmt.Print(F[0].Name(), c1.D == nil) }\n", "/dev/stdintrue"},
		{"embedded", imports + `
type File struct { *os.File; json.Number }
type namer interface { Name() string }
func (f File) Twice() string { return f.Name() + f.Name() }
func Run() { var n namer = File{os.Stdin, "7"}; i, _ := n.(File).Int64(); fmt.Print(n.Name(), n.(fmt.Stringer).String(), i) }
`, "/dev/stdin77"},
		{"generic", "import (\"fmt\"; \"os\")" + `
type List[T any] []T
func (l List[T]) First() T { return l[0] }
func Map[T, U any](l List[T], f func(T) U) (out List[U]) { for _, x := range l { out = append(out, f(x)) }; return out }
var F = List[*os.File]{os.Stdin}
func Run() { fmt.Print(Map(F, (*os.File).Name).First()) }
`, "/dev/stdin"},
		{"the same instance", "import (\"fmt\"; \"sync\"; \"sync/atomic\")\nvar M sync.Map\nvar P atomic.Pointer[string]\nfunc Run() { M.Store(1, 2); v, _ := M.Load(1); fmt.Print(v, P.Load() == nil) }\n", "2 true"},
		{"shadowed", "import \"fmt\"\ntype Decoder int\nfunc Run() { os := struct{ File Decoder }{4}; fmt.Print(os.File) }\n", "4"},
	}
	for i, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h.T = t
			compile := func() string {
				u := h.unit(i+2, tt.text)
				h.World.Ahead(h.unit(i+2, ""))
				time.Sleep(time.Second) // until it waits
				b, err := h.World.Build(context.Background(), u)
				if err != nil || !b.Ahead {
					t.Fatalf("%v, ahead %v", err, b.Ahead)
				}
				return b.Archive
			}
			h.World.Forget()
			without := describe(t, h.World, compile())
			// Every unit imports package rt, which reaches nothing of the others.
			h.World.Remember(named + "os:Gone\nnone/such:T\n:\ngithub.com/holt-dl/holt/kernel/host/rt:Entry\n")
			archive := compile()
			got := describe(t, h.World, archive)
			if tt.name == "not imported" {
				calls := func(line string) bool { return strings.HasPrefix(line, "U ") }
				got, without = slices.DeleteFunc(got, calls), slices.DeleteFunc(without, calls)
			}
			for _, line := range got {
				if !slices.Contains(without, line) {
					t.Errorf("only when it is read ahead: %s", line)
				}
			}
			for _, line := range without {
				if !slices.Contains(got, line) {
					t.Errorf("only when it is not read ahead: %s", line)
				}
			}
			// The compiler lists the files of all that it has read.
			if text, err := os.ReadFile(archive); err != nil || !bytes.Contains(text, []byte("src/os/types.go")) {
				t.Errorf("nothing was read ahead: %v", err)
			}
			h.World.Remember(named)
			h.World.Ahead(h.unit(i+2, ""))
			if b, out := h.run(h.unit(i+2, tt.text), i+2); out != tt.want || !b.Ahead {
				t.Errorf("printed %q, ahead %v; want %q", out, b.Ahead, tt.want)
			}
		})
	}
}

// describe returns the symbols of an archive, and what it exports with all methods.
func describe(t *testing.T, w *build.World, archive string) (list []string) {
	t.Helper()
	out, err := exec.Command("go", "tool", "nm", "-sort=name", archive).Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 1 {
			list = append(list, strings.Join(fields[len(fields)-2:], " "))
		}
	}
	lookup := func(path string) (io.ReadCloser, error) {
		if path == "cell" {
			return os.Open(archive)
		}
		return w.Open(path)
	}
	pkg, err := importer.ForCompiler(token.NewFileSet(), "gc", lookup).Import("cell")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		list = append(list, obj.String(), obj.Type().Underlying().String())
		for sel := range types.NewMethodSet(types.NewPointer(obj.Type())).Methods() {
			list = append(list, sel.String())
		}
	}
	return list
}
