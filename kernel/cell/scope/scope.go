// Package scope is the model of what the notebook's names mean.
//
// A [Model] holds what is known after a cell: for each live name a [Version], which
// says what the name is, of which type, in which package and made by which cell, and
// for each declaration its source, a [Unit]. Versions lead to those before them, so
// that a model has the whole history of a name. [Notebook.Scope] of kernel/cell
// returns the live one.
//
// A model never changes. A cell that is committed makes a new one with an [Edit],
// which shares with the old one what stays. So a model can be read by several
// goroutines, and is the same however long it is read: completion reads one while
// the next cell runs.
//
// What is in a model was found out when the cell was checked, by one parse of its
// text and by go/types. What reads it need not parse a cell again: kernel/cell, which
// generates code, %wasm, export, completion and the list of what is out of date.
//
// [Declares] is the one place that says which names a piece of syntax declares.
//
// [Notebook.Scope]: https://pkg.go.dev/github.com/holt-dl/holt/kernel/cell#Notebook.Scope
package scope

import (
	"go/types"
	"iter"
	"maps"
	"slices"
	"strings"
)

// Kind is what a name is.
type Kind int

const (
	Var Kind = iota // has no Unit: its value is in the host, and no source makes it again
	Const
	Type // the only kind with methods
	Func
)

// String is the keyword of Go.
func (k Kind) String() string { return [...]string{"var", "const", "type", "func"}[k] }

// A Version is one meaning of a name at package level of the notebook. It does not
// change: where less than the meaning is new, such as the cell that last gave a
// variable a value, the model has a copy with the same Number.
type Version struct {
	Number   int    // counts all versions of all names, from 1, in the order in which they were made
	Name     string // with [spell.TypeMark] before it for a type that a variable hides
	Kind     Kind
	Obj      types.Object     // of the check that declared it: later checks take this very object
	Home     int              // the program whose package holds it, as 5 for notebook/c5
	Cell     string           // the cell that made it, such as cell[5]; of a variable, that last set all of it
	Unit     *Unit            // its source; nil for a variable
	Methods  map[string]*Unit // of a type, by name
	Lost     string           // why its value is gone; empty when it is there
	Pointer  bool             // of a variable: Home's package holds a pointer to it, see gen.Keeps
	Held     bool             // of a variable: pointers to it or function literals may be about, see check.Held
	Previous *Version         // what the name meant before; nil at first, and where it meant nothing
}

// A Unit is the source of a declaration, and what the names in it mean. It is what is
// compiled again as one: a function, a method, a type, of a type group each line, but of a
// group of constants all, whose lines depend on one another through iota. It is compared
// by pointer, and does not change once its cell is committed.
type Unit struct {
	Names     []string // what it declares; of a method, its name
	Recv      string   // of a method, the receiver's type
	Kind      Kind
	Text      string            // from its keyword to its end; of a line of a group, with the keyword
	Doc       string            // the comment above it
	Cell      string            // the source's name, such as cell[5]
	Line      int               // of the text's first line in the cell
	Imports   map[string]string // the packages it names: name → path, as its own cell had them
	Signature map[string]bool   // the notebook's names in its signature or type
	Body      map[string]bool   // the notebook's names in its function body
	Calls     map[string]bool   // the notebook's methods that it mentions, as T.m
	C         *Preamble         // the C code that its C.x means; nil where it has no C.x
	Sig       string            // of a function or method, its signature as text, spaces made alike
	Generic   bool              // it has type parameters, or its receiver's type has
	Recovers  bool              // its body calls recover itself, not in a function inside of it
}

// A Preamble is the comment above import "C". A cell has at most one. Units of the cell
// point to it, so that they are compiled again with the C code that they were written for,
// whatever other cells import.
type Preamble struct {
	Cell string
	Line int    // of its first line in the cell
	Text string // with its comment signs
}

// Broken is a declaration that no longer compiled. Its source is kept, since it is
// tried again when a later cell changes what it mentions.
type Broken struct {
	Version  *Version        // nil for a method
	Unit     *Unit           // the method, or the source of Version
	Mentions map[string]bool // the names in it that it does not declare, Go's own among them
}

// Model is what all names mean at one moment. The zero value is not one: see [New].
type Model struct {
	last    int                        // the newest version's number
	names   map[string]*Version        // the live ones
	imports map[string]string          // name → path, those that were guessed too
	dots    map[string]bool            // dot imports, by path
	hidden  map[*types.TypeName]string // types that have another name since a variable took theirs
	broken  map[string]*Broken         // by name, methods as T.m
	gone    map[string]string          // names that no longer compiled, or cannot be made again: why
}

// New returns a model without names.
func New() *Model {
	return &Model{names: map[string]*Version{}, imports: map[string]string{}, dots: map[string]bool{},
		hidden: map[*types.TypeName]string{}, broken: map[string]*Broken{}, gone: map[string]string{}}
}

// Lookup returns what a name means, or nil. Of a type that a variable hides, the name is
// that with [spell.TypeMark]: the plain one is the variable's.
func (m *Model) Lookup(name string) *Version { return m.names[name] }

// All yields the live versions by name, in no order. What is written from them, to the
// person or as code, is sorted first, or the same cell would be another program each time.
func (m *Model) All() iter.Seq2[string, *Version] { return maps.All(m.names) }

// Names lists the live names in alphabetic order.
func (m *Model) Names() []string { return slices.Sorted(maps.Keys(m.names)) }

// Imports are the live imports, name → path. The caller must not change them.
func (m *Model) Imports() map[string]string { return m.imports }

// Dots are the paths of live dot imports. The caller must not change them.
func (m *Model) Dots() map[string]bool { return m.dots }

// Broken returns the declarations that no longer compiled, by name, methods as T.m.
// The caller must not change them.
func (m *Model) Broken() map[string]*Broken { return m.broken }

// Gone says why a name is gone, or is empty. The reason is kept beside the broken source,
// since a variable whose type no longer compiles has no source and yet has a reason.
func (m *Model) Gone(name string) string { return m.gone[name] }

// TypeName is the name that a type of the notebook has in what is checked. It is not always
// that of its object, which was made when the type was declared and cannot be changed: after
//
//	type user struct{ name string }
//	user := user{"ann"}
//
// the object is still called user, and the name of the type is ˣtype_user.
func (m *Model) TypeName(t *types.TypeName) string {
	if name := m.hidden[t]; name != "" {
		return name
	}
	return t.Name()
}

// Unit returns the source of a name, or of a method, which is written T.m; nil where
// there is none.
func (m *Model) Unit(name string) *Unit {
	recv, method, isMethod := strings.Cut(name, ".")
	v := m.names[recv]
	switch {
	case v == nil:
		return nil
	case isMethod:
		return v.Methods[method]
	}
	return v.Unit
}
