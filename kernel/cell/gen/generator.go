package gen

import (
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
)

// RuntimePath is the package that generated code calls.
const RuntimePath = "github.com/holt-dl/holt/kernel/host/rt"

// Output is generated code and what it needs.
type Output struct {
	Files    []check.File     // f0.go and so on for those that were checked, embed.go, support.go
	Deps     []int            // the programs whose packages it needs, directly or not
	Imports  []string         // the other packages that it imports
	Embeds   []parse.Embed    // the //go:embed patterns that it uses
	CTypes   map[string]CType // C types that are those of earlier programs, by name
	Notices  []string         // sentences for the person who ran the cell
	HasRun   bool             // it has statements to run
	Declares bool             // it declares struct types that a later program could import

	generator *generator
}

// generator makes a program of a package that passed its check.
//
// It makes one program and is used once. What it finds out about the program, such as the
// shapes that it declares, is in maps of its own beside those of [Code], and goes over to
// these in commit: a program that fails to compile or to load leaves nothing behind that a
// later one would name.
type generator struct {
	in         *check.Result    // only read
	released   []*scope.Version // variables that no name means any more
	code       *Code            // of earlier programs; only read before commit
	out        *Output
	hooked     map[string]*scope.Version      // functions that get a new body only, with their home
	localAlias map[string]*types.TypeName     // embedded types of other programs
	converts   bool                           // a conversion needs ˣconvert
	shapes     map[string]shape               // of struct types without a name, by their shapeKey
	named      map[string][]namedShape        // of named types
	declared   map[string]shape               // those among both that this program declares
	structs    []*types.Struct                // one for each of declared; the i-th is called Ħˣs and i
	shaped     map[*types.Var]shape           // fields of struct types that this program spells
	files      map[*token.File]bool           // those of in, by which home goes
	owners     map[*types.Var]*types.TypeName // whose accessors reach a field

	deps     map[int]bool    // programs that a file imports
	external map[string]bool // other packages that one does
}

// home is the program whose package holds an object.
//
// The package that is checked holds all cells, so that the object does not say which program
// it is of. Its place does: objects of earlier cells are the very ones that go/types made
// then, and their positions lie in files of the check of that time, which commit noted. An
// object without a place is of program 0, which is none: programs are numbered from 1.
//
// A function that only gets a new body stays where it is. Its object is new, and lies in a
// file of this check, but what others call is the function with the hook:
//
//	cell 1    func f() int { return 1 }    in c1: Ħf, and its hook ĦˣH_f
//	cell 2    func f() int { return 2 }    in c2: Ħˣb_f, to which Run sets c1's hook
//	          f()                          ˣ1.Ħf()
//
// A method has the name of such a function by chance only, hence the look at the receiver.
func (g *generator) home(obj types.Object) int {
	tok := g.in.Fset.File(obj.Pos())
	if g.files[tok] {
		if fn, ok := obj.(*types.Func); ok && fn.Signature().Recv() == nil {
			if e := g.hooked[fn.Name()]; e != nil {
				return e.Home
			}
		}
		return g.in.Seq
	}
	return g.code.files[tok]
}

// declaresType reports whether the cell declares a type of that name.
func declaresType(in *check.Result, name string) bool {
	return slices.ContainsFunc(in.Own, func(u *scope.Unit) bool { return u.Kind == scope.Type && u.Names[0] == name })
}

// sortedKeys lists the keys of a map in order, so that generated text does not follow the
// order in which Go walks a map.
func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}
