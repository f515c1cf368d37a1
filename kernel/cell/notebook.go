package cell

import (
	"go/token"
	"go/types"
	"sort"

	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/gen"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// Notebook is what the cells so far have declared. It is not safe for
// concurrent use; what [Notebook.Scope] returned is.
//
// A cell goes through [Notebook.Check], is compiled, loaded and run by others, and takes effect
// by [Program.Commit]. What is not committed leaves no trace, but in the file set: places of
// cells that failed stay known there.
type Notebook struct {
	pk      check.Packages   // what cells import
	fset    *token.FileSet   // of all checks: objects of earlier ones keep their places in it
	seq     int              // of the last program that was committed
	scope   *scope.Model     // what names mean
	release []*scope.Version // variables that no name means any more, for the next program to zero
	code    *gen.Code        // of the programs so far
}

// New returns an empty notebook.
func New(pk check.Packages) *Notebook {
	return &Notebook{
		pk:    pk,
		fset:  token.NewFileSet(),
		scope: scope.New(),
		code:  gen.NewCode(),
	}
}

// Declaration describes a live name, for %list and for completion.
type Declaration struct {
	Kind string // "var", "const", "type" or "func"
	Name string
	Type string // of a variable or constant its type, of a function its signature
	Cell string
	Lost string // why the value is gone; empty when it is there
}

// Declarations lists the live names in order of kind and name. Types that variables hide are
// left out: no cell can name them.
func (nb *Notebook) Declarations() []Declaration {
	var list []Declaration
	for _, e := range nb.scope.All() {
		if spell.IsMarked(e.Name) {
			continue
		}
		list = append(list, Declaration{
			Kind: e.Kind.String(), Name: e.Name, Cell: e.Cell, Lost: e.Lost,
			Type: types.TypeString(e.Obj.Type(), func(p *types.Package) string {
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

// Scope returns what names mean now. It never changes: after the next commit there is
// another one.
func (nb *Notebook) Scope() *scope.Model { return nb.scope }

// Remove forgets a name, and reports whether it was there. What a variable
// held is released when the next program runs. Then the name means again what it hid: a type
// by its own declaration, a package by the import that stays, and Go's own by itself. An
// import goes, or the source of what no longer compiled, where nothing is declared so.
func (nb *Notebook) Remove(name string) bool {
	ed := nb.scope.Edit()
	isName := nb.scope.Lookup(name) != nil
	there := isName || nb.scope.Imports()[name] != "" || nb.scope.Broken()[name] != nil
	if isName {
		ed.Drop(name)
		ed.Reveal(name)
	} else {
		ed.DropImport(name)
		ed.Mend(name)
	}
	nb.setModel(ed)
	return there
}

// MarkLost marks every variable's value as gone, because the host process ended.
// It returns their names, in order. One that was lost before keeps its first reason, which
// is the one that the person was told.
func (nb *Notebook) MarkLost(why string) []string {
	var names []string
	ed := nb.scope.Edit()
	for name, v := range nb.scope.All() {
		if v.Kind == scope.Var && v.Lost == "" {
			ed.Update(name, func(v *scope.Version) { v.Lost = why })
			names = append(names, name)
		}
	}
	nb.setModel(ed)
	sort.Strings(names)
	return names
}

// setModel makes a change of the model live that no program made. Released variables add up
// until a program runs, where [Program.Commit] begins a new list.
func (nb *Notebook) setModel(ed *scope.Edit) {
	nb.release = append(nb.release, ed.Released()...)
	nb.scope = ed.Model()
}
