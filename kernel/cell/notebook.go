package cell

import (
	"context"
	"errors"
	"go/token"
	"go/types"
	"sort"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// ErrAgain is wrapped by the error of [Packages.Add] when packages that earlier
// cells were compiled with are others now. [Notebook.Check] returns that error
// as it is; after a [Notebook.Rebuild] the cell can be checked again.
var ErrAgain = errors.New("packages of earlier cells changed")

// Packages gives the front end the packages that cells import.
type Packages interface {
	types.Importer
	// Add makes the packages known, building or fetching them as needed.
	Add(ctx context.Context, paths []string) error
	// Guess names the package that goimports would import for name, given the
	// names that are selected from it; ok is false when there is none.
	Guess(name string, selected []string) (path string, ok bool)
	// Names lists the names for which Guess may know a package, for a hint
	// when one is misspelt.
	Names() []string
}

// Notebook is what the cells so far have declared. It is not safe for
// concurrent use.
type Notebook struct {
	pk      Packages
	fset    *token.FileSet
	seq     int                            // of the last program
	names   map[string]*entity             // what each live name means
	imports map[string]string              // live imports: name → path
	dots    map[string]bool                // live dot imports, by path
	files   map[*token.File]int            // the program that a source file went into
	shapes  map[string]shape               // struct types without a name, by their shapeKey; see anon.go
	named   map[string][]namedShape        // the structs of named types, in order
	shaped  map[*types.Var]shape           // fields that a shape declares
	owners  map[*types.Var]*types.TypeName // the type whose accessors reach a field
	deps    map[int][]int                  // programs that a program's package imports
	release []*entity                      // variables that no name means any more
	broken  map[string]*broken             // their sources
	gone    map[string]string              // what no longer compiled: why
	cTypes  map[string]cType               // C types that programs have declared
	hidden  map[*types.TypeName]string     // types that have another name now; see hide.go
	old     []string                       // types that were declared again, such as notebook/c1.T
}

// New returns an empty notebook.
func New(pk Packages) *Notebook {
	return &Notebook{
		pk:      pk,
		fset:    token.NewFileSet(),
		names:   map[string]*entity{},
		imports: map[string]string{},
		dots:    map[string]bool{},
		files:   map[*token.File]int{},
		shapes:  map[string]shape{},
		named:   map[string][]namedShape{},
		shaped:  map[*types.Var]shape{},
		owners:  map[*types.Var]*types.TypeName{},
		deps:    map[int][]int{},
		gone:    map[string]string{},
		cTypes:  map[string]cType{},
		broken:  map[string]*broken{},
		hidden:  map[*types.TypeName]string{},
	}
}

type kind int

const (
	kVar kind = iota
	kConst
	kType
	kFunc
)

func (k kind) String() string { return [...]string{"var", "const", "type", "func"}[k] }

// An entity is what one package-level name of the notebook means.
type entity struct {
	name    string
	kind    kind
	obj     types.Object
	home    int              // the program whose package holds it
	unit    *unit            // its source; nil for a variable
	methods map[string]*unit // of a type, by name
	lost    string           // why its value is gone; empty when it is there
	cell    string           // the cell that made it
}

// A unit is the source of a declaration, kept so that it can be compiled again.
type unit struct {
	names   []string // what it declares; of a method, its name
	recv    string   // of a method, the receiver's type
	kind    kind
	text    string
	doc     string            // the comment above it
	cell    string            // the source's name, such as cell[5]
	line    int               // of the text's first line in the cell
	imports map[string]string // the packages it names
	iface   map[string]bool   // the notebook's names in its signature or type
	body    map[string]bool   // the notebook's names in its function body
	calls   map[string]bool   // the notebook's methods that it mentions, as T.m
	pre     *preamble         // the C code that its C.x means
	sig     string            // of a function or method, its signature as text
	generic bool
}

// unnamed reports whether the unit is a function that no other code can call:
// it runs with its cell, and declares nothing.
func (u *unit) unnamed() bool {
	return u.recv == "" && u.kind == kFunc && (isInit(u.names[0]) || u.names[0] == "_" || u.names[0] == "main")
}

// isInit reports whether a function is run where it stands, as Go's init and
// GoNB's init_x are.
func isInit(name string) bool { return name == "init" || strings.HasPrefix(name, "init_") }

func pkgPath(seq int) string { return "notebook/c" + strconv.Itoa(seq) }

// Declaration describes a live name, for %list and for completion.
type Declaration struct {
	Kind string // "var", "const", "type" or "func"
	Name string
	Type string // of a variable or constant its type, of a function its signature
	Cell string
	Lost string // why the value is gone; empty when it is there
}

// Declarations lists the live names in order of kind and name.
func (nb *Notebook) Declarations() []Declaration {
	var list []Declaration
	for _, e := range nb.names {
		if spell.IsMarked(e.name) {
			continue
		}
		list = append(list, Declaration{
			Kind: e.kind.String(), Name: e.name, Cell: e.cell, Lost: e.lost,
			Type: types.TypeString(e.obj.Type(), func(p *types.Package) string {
				if p.Path() == spell.Path {
					return ""
				}
				return p.Name()
			}),
		})
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].Kind != list[j].Kind {
			return list[i].Kind < list[j].Kind
		}
		return list[i].Name < list[j].Name
	})
	return list
}

// Imports lists the live imports, name → path.
func (nb *Notebook) Imports() map[string]string { return nb.imports }

// Remove forgets a name, and reports whether it was there. What a variable
// held is released when the next program runs.
func (nb *Notebook) Remove(name string) bool {
	if _, ok := nb.names[name]; !ok {
		_, ok = nb.imports[name]
		delete(nb.imports, name)
		if nb.broken[name] != nil {
			delete(nb.broken, name)
			ok = true
		}
		return ok
	}
	nb.drop(name)
	nb.reveal(name)
	return true
}

// Lose marks every variable's value as gone, because the host process ended.
// It returns their names.
func (nb *Notebook) Lose(why string) []string {
	var names []string
	for _, e := range nb.names {
		if e.kind == kVar && e.lost == "" {
			e.lost = why
			names = append(names, e.name)
		}
	}
	sort.Strings(names)
	return names
}

func (nb *Notebook) drop(name string) {
	if e := nb.names[name]; e != nil && e.kind == kVar {
		nb.release = append(nb.release, e)
	}
	delete(nb.names, name)
}
