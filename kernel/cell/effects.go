package cell

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// Effects are what a cell takes from earlier cells and what it changes for
// others. Names are those of the notebook; a method is written T.m.
//
// Only what the text says is known: a value that a function changes through a
// pointer is not seen to change.
type Effects struct {
	// Uses holds every name whose meaning, as it was before the cell, the
	// cell's result rests on, and the name in the cell's own text by which it
	// does: of a function that is called, also what its body uses.
	Uses    map[string]string
	Changes []Change
}

// Change is a name that a cell defines, assigns to or alters a part of.
type Change struct {
	Name string
	// Fixed is the text that made the value, where it makes the same value
	// whenever it runs: a definition by constants and literals alone. It is
	// empty for every other change.
	Fixed string

	after int // how many top-level statements are done when the change is
}

// Reached leaves out the changes that a cell which failed did not come to.
// Reached is as for [Program.Commit].
func (e Effects) Reached(reached int) Effects {
	if reached >= 0 {
		e.Changes = slices.DeleteFunc(slices.Clone(e.Changes), func(c Change) bool { return c.after > reached })
	}
	return e
}

// effects finds what the cell uses and changes.
func (g *result) effects() Effects {
	f := &effectFinder{g: g, made: map[string]bool{}, own: map[string]*scope.Unit{}, effects: Effects{Uses: map[string]string{}}}
	decls := g.declarations()
	for _, u := range g.c.own {
		g.findUses(u, decls)
		if u.Unnamed() {
			continue
		}
		for _, name := range u.Names {
			if u.Recv != "" {
				name = u.Recv + "." + name
			}
			if name != "_" {
				f.own[name] = u
				f.effects.Changes = append(f.effects.Changes, Change{Name: name})
			}
		}
	}
	// Functions that run with the cell.
	for _, u := range g.c.own {
		if u.Unnamed() && u.Names[0] != "_" {
			for _, name := range sortedKeys(u.RestsOn()) {
				f.use(name, name)
			}
		}
	}
	for _, file := range g.p.files {
		if file.Kind == syntax.StmtFile {
			f.statements(file)
		}
	}
	return f.effects
}

// effectFinder walks the statements of a cell in order.
type effectFinder struct {
	g       *result
	made    map[string]bool        // variables that the cell has given a whole new value
	own     map[string]*scope.Unit // what the cell declares itself
	effects Effects
}

// use records a name, and what it rests on in turn.
func (f *effectFinder) use(name, by string) {
	if _, known := f.effects.Uses[name]; known {
		return
	}
	if f.made[name] {
		return
	}
	u := f.own[name]
	if u == nil {
		recv, _, _ := strings.Cut(name, ".")
		if f.g.c.scope.Lookup(recv) == nil {
			return
		}
		f.effects.Uses[name] = by
		u = f.g.c.scope.Unit(name)
	}
	if u == nil {
		return
	}
	delete(f.own, name) // once is enough, and recursion ends
	for _, dep := range sortedKeys(u.RestsOn()) {
		f.use(dep, by)
	}
}

// change records that statement i, counted from 0, changes a name.
func (f *effectFinder) change(name string, i int, fixed string) {
	for at, c := range f.effects.Changes {
		if c.Name == name { // more than one change: only the last could be fixed
			f.effects.Changes[at].Fixed = ""
			return
		}
	}
	f.effects.Changes = append(f.effects.Changes, Change{Name: name, Fixed: fixed, after: i + 1})
}

// name returns the variable, function, type or constant of the notebook that
// an identifier stands for, or "".
func (f *effectFinder) name(id *ast.Ident) string {
	obj := f.g.p.info.Uses[id]
	if obj == nil {
		return ""
	}
	if old, ok := f.g.p.old[obj]; ok {
		return old
	}
	name := strings.TrimPrefix(id.Name, spell.NewMark) // a hidden type cannot change
	if !f.g.p.packageLevel(obj) || spell.Ours(name) {
		return ""
	}
	return name
}

// root returns the variable through which an assignment to x reaches what it
// alters: s of s[i].f, p of *p.
func (f *effectFinder) root(x ast.Expr) string {
	for {
		switch e := ast.Unparen(x).(type) {
		case *ast.Ident:
			return f.name(e)
		case *ast.SelectorExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.StarExpr:
			x = e.X
		default:
			return ""
		}
	}
}

func (f *effectFinder) statements(file *syntax.File) {
	top := f.g.c.cell.Stmts
	body := file.AST.Decls[len(file.AST.Decls)-1].(*ast.FuncDecl).Body
	for _, st := range body.List {
		start, _ := file.Span(st)
		if i := slices.IndexFunc(top, func(t *parse.Stmt) bool { return t.Start <= start && start <= t.End }); i >= 0 {
			f.statement(st, i)
		}
	}
}

// statement records what statement i uses and changes.
func (f *effectFinder) statement(st ast.Stmt, i int) {
	changed, overwritten := f.assigned(st)
	ast.Inspect(st, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			if name := f.name(n); name != "" && !overwritten[n] {
				f.use(name, name)
			}
		case *ast.SelectorExpr:
			if name := f.g.method(n); name != "" {
				f.use(name, name)
			}
		}
		return true
	})
	fixed := ""
	if len(changed) == 1 && f.fixed(st) {
		t := f.g.c.cell.Stmts[i]
		fixed = string(f.g.c.cell.Text[t.Start:t.End])
	}
	for _, name := range changed {
		f.change(name, i, fixed)
	}
	// Made anew in any case: no condition stands before it.
	switch st := st.(type) {
	case *ast.AssignStmt:
		for _, l := range st.Lhs {
			if id, ok := ast.Unparen(l).(*ast.Ident); ok && overwritten[id] {
				f.made[f.name(id)] = true
			}
		}
	case *ast.ExprStmt:
		if call, ok := st.X.(*ast.CallExpr); ok && isZero(call) {
			for _, name := range changed {
				f.made[name] = true
			}
		}
	}
}

// assigned finds the names that a statement, or one inside it, assigns to or gives away
// the address of, and the places at which one is mentioned whose value is not looked at.
func (f *effectFinder) assigned(st ast.Stmt) (changed []string, overwritten map[*ast.Ident]bool) {
	overwritten = map[*ast.Ident]bool{}
	assign := func(x ast.Expr, update bool) {
		name := f.root(x)
		if name == "" {
			return
		}
		changed = append(changed, name)
		if id, ok := ast.Unparen(x).(*ast.Ident); ok && !update {
			overwritten[id] = true
		}
	}
	ast.Inspect(st, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				assign(l, n.Tok != token.ASSIGN && n.Tok != token.DEFINE)
			}
		case *ast.IncDecStmt:
			assign(n.X, true)
		case *ast.RangeStmt:
			for _, x := range []ast.Expr{n.Key, n.Value} {
				if x != nil && n.Tok == token.ASSIGN {
					assign(x, false)
				}
			}
		case *ast.CallExpr: // json.Unmarshal(data, &x)
			for _, a := range n.Args {
				if u, ok := ast.Unparen(a).(*ast.UnaryExpr); ok && u.Op == token.AND {
					assign(u.X, !isZero(n))
				}
			}
		}
		return true
	})
	return changed, overwritten
}

// isZero recognises what "var x T" becomes: ˣzero(&x).
func isZero(call *ast.CallExpr) bool {
	id, ok := call.Fun.(*ast.Ident)
	return ok && id.Name == "ˣzero"
}

// method names the method of a notebook's type that a selector means, or
// returns "".
func (g *result) method(x *ast.SelectorExpr) string {
	fn, ok := g.p.info.Uses[x.Sel].(*types.Func)
	if !ok || fn.Signature().Recv() == nil || fn.Pkg() == nil || fn.Pkg().Path() != spell.Path {
		return ""
	}
	t := fn.Signature().Recv().Type()
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return ""
	}
	return n.Obj().Name() + "." + fn.Name()
}

// fixed reports whether a statement gives the same value whenever it runs.
func (f *effectFinder) fixed(st ast.Stmt) bool {
	a, ok := st.(*ast.AssignStmt)
	if !ok || a.Tok != token.ASSIGN {
		return false
	}
	same := !slices.ContainsFunc(a.Lhs, func(x ast.Expr) bool { _, whole := ast.Unparen(x).(*ast.Ident); return !whole })
	for _, x := range a.Rhs {
		ast.Inspect(x, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				same = false
			case *ast.UnaryExpr:
				same = same && n.Op != token.ARROW
			case *ast.CallExpr:
				same = same && f.g.p.info.Types[n.Fun].IsType()
			case *ast.Ident:
				switch obj := f.g.p.info.Uses[n].(type) {
				case *types.Var:
					same = same && obj.IsField()
				case *types.Const:
					same = same && f.name(n) == ""
				}
			}
			return same
		})
	}
	return same
}
