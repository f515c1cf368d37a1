package check

import (
	"go/ast"
	"sort"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// Declarations of earlier cells that are checked again, from their source: whole, or,
// of a function or method whose type is as before, its body alone. A method cannot be
// declared in another package than its type, so that its new body is a function with
// the receiver as first parameter.
//
// Each such unit is a file of its own, with the imports of its own cell, so that one package
// name may mean two packages in two units.

// asFunc turns the text of a method into that of a function whose first
// parameter is the receiver: func (p *T) m(x int) becomes func Ħˣm_Tˣ_m(p *T, x int).
func (c *checker) asFunc(text string) string {
	ed := &syntax.Editor{Text: []byte(text), Edits: c.asFuncEdits(text)}
	s, _ := ed.Render(0, len(text))
	return s
}

// asFuncEdits are the edits that do it, by places in the text of the method; none where it does
// not parse. Go wants all parameters named or none (spec, Function types), and the receiver
// has a name, so that parameters without one get _. Without parameters no comma follows it.
func (c *checker) asFuncEdits(text string) []syntax.Edit {
	f, off, err := c.Cell.Alone(text)
	if err != nil {
		return nil
	}
	fn := f.Decls[0].(*ast.FuncDecl)
	recv, _ := scope.Receiver(fn.Recv.List[0].Type)
	name := "_"
	if n := fn.Recv.List[0].Names; len(n) > 0 {
		name = n[0].Name
	}
	typ := text[off(fn.Recv.List[0].Type.Pos()):off(fn.Recv.List[0].Type.End())]
	sep := ""
	if len(fn.Type.Params.List) > 0 {
		sep = ", "
	}
	open := off(fn.Type.Params.Opening)
	edits := []syntax.Edit{syntax.Replacement(off(fn.Recv.Opening), open+1, spell.MethodFunc(recv, fn.Name.Name)+"("+name+" "+typ+sep)}
	for _, p := range fn.Type.Params.List {
		if len(p.Names) == 0 {
			edits = append(edits, syntax.Insertion(off(p.Pos()), "_ "))
		}
	}
	return edits
}

// redeclaredUnits lists the units that are declared again, types with their methods, in the
// same order for the same cell: it is the order of the files.
func (c *checker) redeclaredUnits() []*scope.Unit {
	seen := map[*scope.Unit]bool{}
	var list []*scope.Unit
	for _, name := range sortedKeys(c.Redeclared) {
		e := c.Redeclared[name]
		if !seen[e.Unit] {
			seen[e.Unit] = true
			list = append(list, e.Unit)
		}
	}
	// What is tried again: a broken version is in Redeclared, so that its methods are missing; the
	// model does not know it. A broken method is all there is of it.
	for _, name := range sortedKeys(c.Revived) {
		b := c.Revived[name]
		if b.Version == nil {
			list = append(list, b.Unit)
			continue
		}
		for _, m := range sortedKeys(b.Version.Methods) {
			list = append(list, b.Version.Methods[m])
		}
	}
	// Methods of the types that are declared again, by the cell or here, but for those that the
	// cell declares itself and those that no longer compile.
	withMethods := map[string]*scope.Version{}
	for name, e := range c.Scope.All() {
		if len(e.Methods) == 0 {
			continue
		}
		if plain, isHidden := strings.CutPrefix(name, spell.TypeMark); isHidden && c.Unhide[plain] {
			name = plain
		}
		if c.Redeclared[name] != nil || c.ownType(name) {
			withMethods[name] = e
		}
	}
	for _, name := range sortedKeys(withMethods) {
		e := withMethods[name]
		for _, m := range sortedKeys(e.Methods) {
			if !c.ownMethod(name, m) && c.Dropped[name+"."+m] == "" {
				list = append(list, e.Methods[m])
			}
		}
	}
	return list
}

// newBodyUnits lists the units of earlier cells whose body alone is compiled. Those of the cell
// itself are in its own text.
func (c *checker) newBodyUnits() []*scope.Unit {
	var list []*scope.Unit
	for u := range c.NewBodies {
		mine := false
		for _, o := range c.Own {
			mine = mine || o == u
		}
		name := u.Names[0]
		if u.Recv != "" {
			name = u.Recv + "." + name
		}
		if !mine && c.Dropped[name] == "" {
			list = append(list, u)
		}
	}
	sort.Slice(list, func(i, j int) bool {
		return list[i].Recv+"."+list[i].Names[0] < list[j].Recv+"."+list[j].Names[0]
	})
	return list
}

// unitFile is the source of a unit as it is checked in this pass, a method as a
// function if asked for. Places in it lead back to the unit's text, and that to a line of its
// own cell, so that an error names the cell that declared it.
func (c *checker) unitFile(u *scope.Unit, kind passKind, function bool) *syntax.File {
	source := u.Text
	text, back := c.respell(u, kind)
	if function {
		method, place := text, back
		text = c.asFunc(method)
		shift := len(text) - len(method) // only its head changed: behind it all moved by as much
		back = func(i int) int { return place(max(0, i-shift)) }
	}
	if u.Kind == scope.Const {
		// Names of the group that mean something else by now are left out. Their lines stay,
		// so that iota counts as before.
		text = c.blankOthers(u, text)
	}
	return &syntax.File{Kind: syntax.UnitFile, Name: u.Cell, Line: u.Line, Source: source, Body: text, Back: back, Unit: u}
}

// blankOthers replaces the names of a const group that it no longer declares by _:
//
//	const ( red = iota; green; blue )    becomes    const ( red = iota; _    ; blue )
//
// where green is a variable by now.
func (c *checker) blankOthers(u *scope.Unit, text string) string {
	f, off, err := c.Cell.Alone(text)
	if err != nil {
		return text
	}
	ed := &syntax.Editor{Text: []byte(text)}
	for _, s := range f.Decls[0].(*ast.GenDecl).Specs {
		for _, n := range s.(*ast.ValueSpec).Names {
			if e := c.meaning(n.Name); e == nil || e.Unit != u || c.OwnNames[n.Name] {
				at := off(n.Pos())
				ed.Replace(at, at+len(n.Name), "_"+strings.Repeat(" ", len(n.Name)-1))
			}
		}
	}
	s, _ := ed.Render(0, len(text))
	return s
}
