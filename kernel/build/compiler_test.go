package build_test

import (
	"bytes"
	"os"
	"os/exec"
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
	for end := time.Now().Add(3 * time.Minute); !exists(h.World.Compiler()); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Skip("the compiler is not built after three minutes")
		}
	}
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
