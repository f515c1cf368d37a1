package cell

import (
	"go/ast"
	"sort"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// asFunc turns the text of a method into that of a function whose first
// parameter is the receiver: func (p *T) m(x int) becomes func Ħˣm_T_m(p *T, x int).
func (c *check) asFunc(text string) string {
	ed := &editor{text: []byte(text), edits: c.asFuncEdits(text)}
	s, _ := ed.render(0, len(text))
	return s
}

func (c *check) asFuncEdits(text string) []edit {
	f, off, err := c.alone(text)
	if err != nil {
		return nil
	}
	fn := f.Decls[0].(*ast.FuncDecl)
	recv, _ := receiver(fn.Recv.List[0].Type)
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
	edits := []edit{{off(fn.Recv.Opening), open + 1, methodFunc(recv, fn.Name.Name) + "(" + name + " " + typ + sep}}
	for _, p := range fn.Type.Params.List {
		if len(p.Names) == 0 {
			edits = append(edits, edit{off(p.Pos()), off(p.Pos()), "_ "})
		}
	}
	return edits
}

func methodFunc(recv, name string) string { return "Ħˣm_" + recv + "_" + name }

// redeclaredUnits lists the units that are declared again, types with their methods.
func (c *check) redeclaredUnits() []*unit {
	seen := map[*unit]bool{}
	var list []*unit
	for _, name := range sortedKeys(c.redeclared) {
		e := c.redeclared[name]
		if !seen[e.unit] {
			seen[e.unit] = true
			list = append(list, e.unit)
		}
	}
	for _, name := range sortedKeys(c.revived) {
		b := c.revived[name]
		if b.e == nil {
			list = append(list, b.unit)
			continue
		}
		for _, m := range sortedKeys(b.e.methods) {
			list = append(list, b.e.methods[m])
		}
	}
	for _, name := range sortedKeys(c.nb.names) {
		e := c.nb.names[name]
		if plain, isHidden := strings.CutPrefix(name, spell.TypeMark); isHidden && c.unhide[plain] {
			name = plain
		}
		if e.kind != kType || c.redeclared[name] == nil && !c.ownType(name) {
			continue
		}
		for _, m := range sortedKeys(e.methods) {
			if !c.ownMethod(name, m) && c.dropped[name+"."+m] == "" {
				list = append(list, e.methods[m])
			}
		}
	}
	return list
}

func (c *check) ownType(name string) bool {
	for _, u := range c.own {
		if u.kind == kType && u.names[0] == name {
			return true
		}
	}
	return false
}

// newBodyUnits lists the units of earlier cells whose body alone is compiled.
func (c *check) newBodyUnits() []*unit {
	var list []*unit
	for u := range c.newBodies {
		mine := false
		for _, o := range c.own {
			mine = mine || o == u
		}
		name := u.names[0]
		if u.recv != "" {
			name = u.recv + "." + name
		}
		if !mine && c.dropped[name] == "" {
			list = append(list, u)
		}
	}
	sort.Slice(list, func(i, j int) bool {
		return list[i].recv+"."+list[i].names[0] < list[j].recv+"."+list[j].names[0]
	})
	return list
}

// unitFile is the source of a unit as it is checked in this pass, a method as a
// function if asked for.
func (c *check) unitFile(u *unit, kind passKind, function bool) *file {
	source := u.text
	text, back := c.respell(u, kind)
	if function {
		method, place := text, back
		text = c.asFunc(method)
		shift := len(text) - len(method) // only its first line moved
		back = func(i int) int { return place(max(0, i-shift)) }
	}
	if u.kind == kConst {
		// Names of the group that mean something else by now are left out.
		text = c.blankOthers(u, text)
	}
	return &file{kind: unitFile, name: u.cell, line: u.line, source: source, body: text, back: back, unit: u}
}

// blankOthers replaces the names of a const group that it no longer declares by _.
func (c *check) blankOthers(u *unit, text string) string {
	f, off, err := c.alone(text)
	if err != nil {
		return text
	}
	ed := &editor{text: []byte(text)}
	for _, s := range f.Decls[0].(*ast.GenDecl).Specs {
		for _, n := range s.(*ast.ValueSpec).Names {
			if e := c.entity(n.Name); e == nil || e.unit != u || c.ownNames[n.Name] {
				at := off(n.Pos())
				ed.replace(at, at+len(n.Name), "_"+strings.Repeat(" ", len(n.Name)-1))
			}
		}
	}
	s, _ := ed.render(0, len(text))
	return s
}
