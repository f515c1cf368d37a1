package scope

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// notebook has a type T with a method, a function f that mentions T, a group of
// constants of which one is of T's length, and a variable of T.
func notebook() *Model {
	pkg := types.NewPackage(spell.Path, "notebook")
	name := types.NewTypeName(token.NoPos, pkg, "T", nil)
	named := types.NewNamed(name, types.Typ[types.Int], nil)
	pkg.Scope().Insert(name)
	get := &Unit{Names: []string{"Get"}, Recv: "T", Kind: Func, Body: map[string]bool{"k": true}}
	group := &Unit{Names: []string{"k", "l"}, Kind: Const, Signature: map[string]bool{"T": true}}
	ed := New().Edit()
	ed.Define(Version{Name: "T", Kind: Type, Obj: name, Unit: &Unit{Names: []string{"T"}, Kind: Type}})
	ed.SetMethod("T", "Get", get)
	ed.Define(Version{Name: "f", Kind: Func, Unit: &Unit{Names: []string{"f"}, Kind: Func, Signature: map[string]bool{"T": true}}})
	ed.Define(Version{Name: "k", Kind: Const, Unit: group})
	ed.Define(Version{Name: "l", Kind: Const, Unit: group})
	ed.Define(Version{Name: "v", Kind: Var, Home: 1, Obj: types.NewVar(token.NoPos, pkg, "v", types.NewSlice(named))})
	ed.Import(map[string]string{"fmt": "fmt"}, nil)
	return ed.Model()
}

// describe is all that a model says, to compare.
func describe(m *Model) string {
	var b strings.Builder
	for _, name := range m.Names() {
		v := m.Lookup(name)
		b.WriteString(v.Name + " " + v.Kind.String() + v.Cell + v.Lost)
		for _, u := range append(slices.Collect(maps.Values(v.Methods)), v.Unit) {
			if u != nil {
				b.WriteString(" " + u.FullName() + "{" + strings.Join(slices.Sorted(maps.Keys(u.RestsOn())), " ") + "}")
			}
		}
		b.WriteString("\n")
	}
	return b.String() + strings.Join(slices.Sorted(maps.Keys(m.Imports())), " ")
}

func TestModelDoesNotChange(t *testing.T) {
	m := notebook()
	before := describe(m)
	ed := m.Edit()
	ed.Hide("T")
	ed.Define(Version{Name: "T", Kind: Var, Cell: "cell[2]"})
	ed.Update("v", func(v *Version) { v.Lost = "the host ended" })
	ed.Again("f", func(v *Version) { v.Cell = "cell[2]" })
	ed.SetMethod(spell.TypeMark+"T", "Get", nil)
	ed.Drop("k")
	ed.Import(map[string]string{"os": "os"}, map[string]bool{"math": true})
	ed.DropImport("fmt")
	ed.Break("k", &Broken{})
	ed.SetGone("k", "it no longer compiles")
	if after := describe(m); after != before {
		t.Errorf("the model was\n%s\nand is, after an edit of another,\n%s", before, after)
	}
	if len(m.Broken()) != 0 || m.Gone("k") != "" || len(m.Dots()) != 0 {
		t.Errorf("broken %v, gone %q, dots %v, want none", m.Broken(), m.Gone("k"), m.Dots())
	}
}

func TestHide(t *testing.T) {
	m := notebook()
	before := describe(m)
	ed := m.Edit()
	ed.Hide("T")
	hidden := ed.Model()
	if got, want := describe(hidden), strings.ReplaceAll(before, "T", "ˣtype_T"); got != sortedLines(want) {
		t.Errorf("hidden it is\n%s\nwant\n%s", got, sortedLines(want))
	}
	if k, l := hidden.Lookup("k"), hidden.Lookup("l"); k.Unit != l.Unit {
		t.Error("the group of constants has two sources")
	}
	obj := hidden.Lookup("ˣtype_T").Obj.(*types.TypeName)
	if got := hidden.TypeName(obj); got != "ˣtype_T" {
		t.Errorf("the type is named %q, want ˣtype_T", got)
	}
	ed = hidden.Edit()
	ed.Reveal("T")
	if got := describe(ed.Model()); got != before {
		t.Errorf("revealed it is\n%s\nwant\n%s", got, before)
	}
	if got := ed.Model().TypeName(obj); got != "T" {
		t.Errorf("the type is named %q, want T", got)
	}
}

// sortedLines puts the lines of names in order, the imports last.
func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines[:len(lines)-1])
	return strings.Join(lines, "\n")
}

func TestVersions(t *testing.T) {
	m := notebook()
	ed := m.Edit()
	ed.Again("f", func(v *Version) { v.Cell = "cell[2]" })
	ed.Update("k", func(v *Version) { v.Cell = "cell[2]" })
	ed.Define(Version{Name: "v", Kind: Var, Home: 2, Obj: m.Lookup("v").Obj})
	n := ed.Model()
	var names []string
	for _, name := range n.Names() {
		v, before := n.Lookup(name), m.Lookup(name)
		if v.Number == before.Number {
			continue
		}
		names = append(names, name)
		if v.Previous != before {
			t.Errorf("%s comes after %v, want the version of the model before", name, v.Previous)
		}
	}
	if want := []string{"f", "v"}; !slices.Equal(names, want) {
		t.Errorf("new are %q, want %q: k only has another cell", names, want)
	}
	if r := ed.Released(); len(r) != 1 || r[0] != m.Lookup("v") {
		t.Errorf("released are %v, want the variable v that was", r)
	}
}

func TestReach(t *testing.T) {
	m := notebook()
	tests := []struct {
		names, except, want string
	}{
		{"f", "", "T f k"}, // k by a method of T
		{"v", "", "T k v"},
		{"v", "T", "v"},
		{"l fmt x", "", "T k l"},
	}
	for _, tt := range tests {
		got := m.Reach(strings.Fields(tt.names), func(name string) bool { return name == tt.except })
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%q without %q reach %q, want %q", tt.names, tt.except, got, tt.want)
		}
	}
}

func TestDeclares(t *testing.T) {
	const text = `package p
import "fmt"
type A int
type ( B[T any] struct{}; C = A )
const d, e = 1, 2
var g, h = f()
var i float64
func (b *B[T]) m() {}
func n() { o, p := 1, "a"; q, r := f(); var s = 3; s = 4; f() }
`
	f, err := parser.ParseFile(token.NewFileSet(), "", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	var nodes []ast.Node
	for _, d := range f.Decls {
		nodes = append(nodes, d)
	}
	for _, s := range f.Decls[len(f.Decls)-1].(*ast.FuncDecl).Body.List {
		nodes = append(nodes, s)
	}
	var got []string
	for _, n := range nodes {
		for _, d := range Declares(n) {
			s := d.Tok.String() + " " + d.Name.Name
			if d.Recv != "" {
				s = d.Tok.String() + " " + d.Recv + "." + d.Name.Name
			}
			if d.Type != nil {
				s += " " + types.ExprString(d.Type)
			}
			if d.Value != nil {
				s += " = " + types.ExprString(d.Value)
			}
			got = append(got, s)
		}
	}
	want := "type A, type B, type C, const d = 1, const e = 2, var g, var h, var i float64, func B.m, func n, := o = 1, := p = \"a\", := q, := r, var s = 3"
	if strings.Join(got, ", ") != want {
		t.Errorf("declared are\n%s\nwant\n%s", strings.Join(got, ", "), want)
	}
}

func TestFree(t *testing.T) {
	const text = "package p\nfunc f(a T) { x := fmt.Sprint(a, b); _ = map[string]int{k: len(x), x: 1}; strings.ToUpper(strings.ToLower(x)) }"
	f, err := parser.ParseFile(token.NewFileSet(), "", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	free := Free(f)
	if got, want := strings.Join(slices.Sorted(maps.Keys(free)), " "), "T b fmt int k len string strings"; got != want {
		t.Errorf("free are %s, want %s", got, want)
	}
	if got := strings.Join(free["strings"], " "); got != "ToUpper ToLower" {
		t.Errorf("of strings there are %s, want ToUpper ToLower", got)
	}
}
