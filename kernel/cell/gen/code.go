package gen

import (
	"go/token"
	"go/types"
)

// Code is what generated code of later programs may use of that of earlier ones. It is
// not safe for concurrent use.
//
// It speaks of packages that are loaded in the host process. A plugin cannot be unloaded or
// changed, so that nothing is taken out of it while that process lives; when it has ended,
// Restart empties what named things in its packages.
type Code struct {
	files    map[*token.File]int            // the program that a source file went into
	shapes   map[string]shape               // struct types without a name, by their shapeKey; see anon.go
	named    map[string][]namedShape        // the structs of named types, in order
	shaped   map[*types.Var]shape           // fields that a shape declares
	owners   map[*types.Var]*types.TypeName // the type whose accessors reach a field
	deps     map[int][]int                  // programs that a program needs, directly or not
	cTypes   map[string]cType               // C types that programs have declared
	replaced []string                       // types that were declared again, such as notebook/c1.T
}

// NewCode is what there is before the first program.
func NewCode() *Code {
	c := &Code{files: map[*token.File]int{}, deps: map[int][]int{}}
	c.Restart()
	return c
}

// Restart forgets what the packages of a host process hold that has ended. The sources
// that they were made of are declared again.
func (c *Code) Restart() {
	c.shapes, c.named, c.shaped = map[string]shape{}, map[string][]namedShape{}, map[*types.Var]shape{}
	c.owners, c.cTypes = map[*types.Var]*types.TypeName{}, map[string]cType{}
}

// CType returns the text by which an earlier program declares a C type, and the type;
// nil where none does.
func (c *Code) CType(name string) (text string, obj *types.TypeName) {
	t := c.cTypes[name]
	return t.text, t.obj
}

// A shape is a struct type but for the types of its fields.
//
// It stands for all struct types with the same names, tags and embedded types of fields,
// since the types of the other fields are the alias's type arguments:
//
//	struct{ x, y int }          ˣ3.Ħˣs0[int, int]
//	struct{ x int; y string }   ˣ3.Ħˣs0[int, string]
type shape struct {
	home int    // the program that declares its alias
	name string // of the alias
}

// A namedShape is the struct of a named type.
//
// It holds for the type that obj stands for, and as long as that one lives: see likeNamed.
type namedShape struct {
	shape
	obj *types.TypeName // the named type
}

// A cType is a C type that a program has declared.
type cType struct {
	text string          // of its declaration by cmd/cgo: a type is shared where it is the same
	obj  *types.TypeName // which a later check puts into its package
	home int             // the program that declares it
}

// CType is a C type of an earlier program: the package that declares it, and
// its name there.
//
// The build declares the type as an alias of it, in what cmd/cgo makes: an int of C is then
// one type in all cells.
type CType struct{ Path, Alias string }
