package check

import (
	"fmt"
	"go/token"
	"go/types"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
	"github.com/holt-dl/holt/kernel/cell/witness"
)

// The variables of the checked package. Those that the cell defines, and those whose type is
// declared again, are declared in a file of its own, a line each. Where text would say no
// more than the type itself, or cannot say it, the variable is put into the package as an
// object: the checker compares types by identity, so that it is the type that matters.
//
// Text is needed where the type mentions one of the notebook, since such a type may be declared
// again in this very pass: text means the new one by its name, where an object would keep the
// old. So it is for types with fields, methods or parameters, which have places of their own.

// canKeep reports whether a later cell can have a variable of this type although its text cannot
// be written: the compiler can infer it from something that a library exports.
func (c *checker) canKeep(t types.Type) bool {
	_, ok := witness.NewFinder(c.checkPrinter(map[string]string{}), "").Of(t)
	return ok
}

// mixesOwnTypes reports whether a type that cannot be written mentions types of the
// notebook as well, which may be declared again.
func mixesOwnTypes(t types.Type) (found bool) {
	if witness.Needed(t) {
		spell.NotebookTypes(t, func(*types.TypeName) { found = true })
	}
	return found
}

// madeHere names a type of this program in a type that cannot be written, or
// returns "". Such a variable would have to be an object of that type, and the type that the
// final pass declares is another one than that of the first, of which there is an object.
func (c *checker) madeHere(t types.Type) (name string) {
	if witness.Needed(t) {
		spell.NotebookTypes(t, func(t *types.TypeName) {
			if n := c.typeName(t); c.OwnNames[n] || c.Redeclared[n] != nil {
				name = n
			}
		})
	}
	return name
}

// asObject reports whether a variable of this type is put into the checked package
// as an object, and not declared by text: its type cannot be written, or it is the
// same whatever the package declares and text would only be parsed again.
func asObject(t types.Type) bool {
	if witness.Needed(t) {
		return true
	}
	same := true
	spell.Walk(t, func(t types.Type) {
		switch t := t.(type) {
		case *types.Basic:
			same = same && t.Kind() != types.Invalid
		case *types.Pointer, *types.Slice, *types.Array, *types.Map, *types.Chan:
		case *types.Named:
			same = same && (t.Obj().Pkg() == nil || t.Obj().Pkg().Path() != spell.Path)
		default: // its parts have names and places of their own
			same = false
		}
	})
	return same
}

// declareObjects gives the checked package the variables that varFile leaves out. One that the
// cell defines anew is declared once, with its new type, also where its old one was to be
// declared again.
func (c *checker) declareObjects(p *passed, kind passKind) {
	pos := token.NoPos // in a file of this program, which is then the variables' home
	for _, f := range p.files {
		if f.Kind == syntax.StmtFile {
			pos = f.Tok.Pos(0)
		}
	}
	for name, e := range c.Retyped {
		if c.Dropped[name] == "" && asObject(e.Obj.Type()) && !(kind == passFinal && c.NewVars[name]) {
			p.pkg.Scope().Insert(types.NewVar(pos, p.pkg, spell.Var(name), e.Obj.Type()))
		}
	}
	if kind != passFinal {
		return
	}
	for name := range c.NewVars {
		if asObject(c.Vars[name]) {
			p.pkg.Scope().Insert(types.NewVar(pos, p.pkg, spell.Var(name), c.Vars[name]))
		}
	}
}

// varFile declares variables that the package defines, one a line, and returns what
// it imports. It is nil where there are none. The others are objects: see asObject. A file
// with a variable p of a type of the notebook, and one with a name of Go's, is
//
//	package notebook;
//	var ˣnew_max point
//	var p []point
//
// The line of an error tells the variable: see [syntax.File.Variable].
func (c *checker) varFile(kind passKind) (*syntax.File, []syntax.Imported) {
	names := map[string]types.Type{} // what is new goes over what is only declared again
	for name, e := range c.Retyped {
		if c.Dropped[name] == "" && !asObject(e.Obj.Type()) {
			names[name] = e.Obj.Type()
		}
	}
	if kind == passFinal {
		for name := range c.NewVars {
			if !asObject(c.Vars[name]) {
				names[name] = c.Vars[name]
			}
		}
		for _, t := range c.Cell.Stmts {
			if len(t.Embed) > 0 && !asObject(c.Vars[t.Defs[0]]) {
				names[spell.Embed(t.Defs[0])] = c.Vars[t.Defs[0]]
			}
		}
	}
	if len(names) == 0 {
		return nil, nil
	}
	f := &syntax.File{Kind: syntax.VarFile, Name: c.Cell.Name, Line: 1, Back: func(i int) int { return 0 }}
	aliases := map[string]string{}
	tp := c.checkPrinter(aliases)
	var b strings.Builder
	for _, name := range sortedKeys(names) {
		fmt.Fprintf(&b, "\nvar %s %s", spell.Var(name), tp.String(names[name]))
		f.Vars = append(f.Vars, name)
	}
	f.Body = b.String()
	var list []syntax.Imported
	for _, path := range sortedKeys(aliases) {
		list = append(list, syntax.Imported{Name: aliases[path], Path: path})
	}
	return f, list
}

// checkPrinter writes types as the checked package names them. It notes in aliases what the text
// imports, path → name. Struct types without a name are written out: they are one package here.
func (c *checker) checkPrinter(aliases map[string]string) *spell.Printer {
	return &spell.Printer{
		Pkg:  aliasFor(aliases),
		Name: c.typeName,
		Anon: func(*types.Struct) (string, bool) { return "", false },
	}
}

// aliasFor gives each package a name of ours, ˣi0 and so on, which no declaration can hide.
func aliasFor(aliases map[string]string) func(*types.Package) string {
	return func(p *types.Package) string {
		if aliases[p.Path()] == "" {
			aliases[p.Path()] = "ˣi" + strconv.Itoa(len(aliases))
		}
		return aliases[p.Path()]
	}
}
