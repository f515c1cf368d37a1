package cell

import (
	"go/ast"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// commit makes what the program declares live.
func (g *generator) commit(prog *Program, reached int) {
	c, nb := g.c, g.c.nb
	nb.seq = prog.Seq
	delete(c.imports, "C") // which is its cell's alone
	if prog.Empty {
		maps.Copy(nb.imports, c.imports)
		maps.Copy(nb.dots, c.dots)
		return
	}
	nb.deps[prog.Seq] = prog.Deps
	for f := range g.files {
		nb.files[f] = prog.Seq
	}
	maps.Copy(nb.shapes, g.shapes)
	for key, list := range g.named {
		nb.named[key] = append(nb.named[key], list...)
	}
	maps.Copy(nb.shaped, g.shaped)
	maps.Copy(nb.owners, g.owners)
	nb.release = nil
	g.commitC(prog.Seq)
	nb.old = append(nb.old, g.replaced()...)
	maps.Copy(nb.imports, c.imports)
	maps.Copy(nb.dots, c.dots)
	for name, why := range c.dropped {
		if recv, m, ok := strings.Cut(name, "."); ok {
			if e := nb.names[recv]; e != nil && e.methods[m] != nil {
				c.keepBroken(nil, e.methods[m])
				delete(e.methods, m)
			}
			continue
		}
		if e := nb.names[name]; e != nil && e.unit != nil {
			c.keepBroken(e, e.unit)
		}
		nb.gone[name] = name + " is gone since " + c.src.Name + ", with which it no longer compiles: " + why
		if c.retyped[name] != nil {
			nb.gone[name] = name + " is gone since " + c.src.Name + ", with which its type no longer compiles: run " + c.retyped[name].cell + " again to make it"
		}
		nb.drop(name)
	}
	c.commitBroken()
	for name := range c.unhide {
		nb.drop(name)
		nb.reveal(name)
	}
	scope := g.p.pkg.Scope()
	uses := g.units()
	for _, u := range c.own {
		uses(u)
		switch {
		case u.recv != "":
			continue // below, when all types are there
		case u.unnamed():
			continue
		case c.newBodies[u] != nil:
			e := nb.names[u.names[0]]
			e.unit, e.cell = u, c.src.Name
			continue
		}
		for _, n := range u.names {
			if n == "_" {
				continue
			}
			e := &entity{name: n, kind: u.kind, obj: scope.Lookup(n), home: prog.Seq, unit: u, cell: c.src.Name}
			if u.kind == kType {
				e.methods = map[string]*unit{}
				if old := nb.names[n]; old != nil && old.kind == kType {
					e.methods = old.methods
				}
			}
			nb.define(e)
		}
	}
	for _, u := range c.own {
		if e := nb.names[u.recv]; u.recv != "" && e != nil && e.kind == kType {
			e.methods[u.names[0]] = u
		}
	}
	for name, e := range c.redeclared {
		if c.ownNames[name] || c.dropped[name] != "" {
			continue
		}
		in := name
		if c.hides[name] {
			in = spell.TypeMark + name
		}
		e.obj, e.home = scope.Lookup(in), prog.Seq
		if t, ok := e.obj.(*types.TypeName); ok && in != name {
			nb.hidden[t] = name
		}
	}
	for name, e := range c.retyped {
		if c.dropped[name] != "" || c.newVars[name] && !g.reached(name, reached) {
			continue
		}
		obj := scope.Lookup(spell.Var(name))
		if e.lost == "" && !c.newVars[name] && !spell.SameLayout(e.obj.Type(), obj.Type()) {
			e.lost = "the type of its value was changed in " + c.src.Name
		}
		e.obj, e.home = obj, prog.Seq
	}
	for name := range c.vars {
		if !g.reached(name, reached) {
			continue
		}
		e := nb.names[name]
		if c.newVars[name] {
			if c.hides[name] {
				nb.hide(name)
			}
			nb.define(&entity{name: name, kind: kVar, obj: scope.Lookup(spell.Var(name)), home: prog.Seq, cell: c.src.Name})
		} else if e != nil {
			e.lost, e.cell = "", c.src.Name
		}
	}
	for i, t := range c.top {
		for _, name := range t.sets {
			if e := nb.names[name]; e != nil && e.lost != "" && (reached < 0 || i < reached) {
				e.lost, e.cell = "", c.src.Name
			}
		}
	}
	for name := range c.imported {
		if nb.names[name] != nil && !c.ownNames[name] && c.vars[name] == nil {
			nb.drop(name)
		}
	}
}

// define makes e what its name means. A variable that it replaces is released
// by the next program.
func (nb *Notebook) define(e *entity) {
	if old := nb.names[e.name]; old != nil && old.kind == kVar && old.home != e.home {
		nb.release = append(nb.release, old)
	}
	nb.names[e.name] = e
}

// reached reports whether the statement that first defines a variable was done.
func (g *generator) reached(name string, reached int) bool {
	if reached < 0 {
		return true
	}
	for i, t := range g.c.top {
		if slices.Contains(t.defs, name) {
			return i < reached
		}
	}
	return true
}

// units returns a function that records which names of the notebook and which
// packages a unit of this cell uses.
func (g *generator) units() func(*unit) {
	type key struct{ recv, name string }
	decls := map[key]ast.Node{}
	for _, f := range g.p.files {
		if f.kind != declFile {
			continue
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				k := key{"", d.Name.Name}
				if d.Recv != nil && len(d.Recv.List) > 0 {
					k.recv, _ = receiver(d.Recv.List[0].Type)
				} else if rest, ok := strings.CutPrefix(k.name, "Ħˣm_"); ok {
					k.recv, k.name, _ = strings.Cut(rest, "_")
				}
				decls[k] = d
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						decls[key{"", s.Name.Name}] = s
					case *ast.ValueSpec:
						for _, n := range s.Names {
							decls[key{"", n.Name}] = d
						}
					}
				}
			}
		}
	}
	return func(u *unit) {
		u.imports, u.iface, u.body, u.calls = map[string]string{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
		n := decls[key{u.recv, u.names[0]}]
		if n == nil {
			return
		}
		var body *ast.BlockStmt
		if fn, ok := n.(*ast.FuncDecl); ok {
			body = fn.Body
		}
		ast.Inspect(n, func(n ast.Node) bool {
			if sel, ok := n.(*ast.SelectorExpr); ok {
				if m := g.method(sel); m != "" {
					u.calls[m] = true
				}
			}
			id, ok := n.(*ast.Ident)
			if !ok {
				return true
			}
			obj := g.p.info.Uses[id]
			if pn, ok := obj.(*types.PkgName); ok {
				u.imports[id.Name] = pn.Imported().Path()
				if id.Name == "C" {
					u.pre = g.c.pre
				}
			}
			if obj == nil || !g.packageLevel(obj) || namesOfC(obj.Name()) || slices.Contains(u.names, id.Name) && u.recv == "" {
				return true
			}
			name := strings.TrimPrefix(id.Name, spell.NewMark)
			if _, isOld := g.p.old[obj]; isOld {
				name = spell.Written(name)
			}
			if body != nil && id.Pos() >= body.Pos() {
				u.body[name] = true
			} else {
				u.iface[name] = true
			}
			return true
		})
	}
}
