package lineage

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/check"
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
// Reached counts top-level statements; a negative number says all.
func (e Effects) Reached(reached int) Effects {
	if reached >= 0 {
		e.Changes = slices.DeleteFunc(slices.Clone(e.Changes), func(c Change) bool { return c.after > reached })
	}
	return e
}

// Find finds what a checked cell uses and changes.
func Find(r *check.Result) Effects {
	f := &effectFinder{cell: r, made: map[string]bool{}, own: map[string]*scope.Unit{}, effects: Effects{Uses: map[string]string{}}}
	for _, u := range r.Own {
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
	for _, u := range r.Own {
		if u.Unnamed() && u.Names[0] != "_" {
			for _, name := range slices.Sorted(maps.Keys(u.RestsOn())) {
				f.use(name, name)
			}
		}
	}
	for _, file := range r.Files {
		if file.Kind == syntax.StmtFile {
			f.statements(file)
		}
	}
	return f.effects
}

// effectFinder walks the statements of a cell in order.
type effectFinder struct {
	cell    *check.Result
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
		if f.cell.Scope.Lookup(recv) == nil {
			return
		}
		f.effects.Uses[name] = by
		u = f.cell.Scope.Unit(name)
	}
	if u == nil {
		return
	}
	delete(f.own, name) // once is enough, and recursion ends
	for _, dep := range slices.Sorted(maps.Keys(u.RestsOn())) {
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
	obj := f.cell.Info.Uses[id]
	if obj == nil {
		return ""
	}
	if old, ok := f.cell.Old[obj]; ok {
		return old
	}
	name := strings.TrimPrefix(id.Name, spell.NewMark) // a hidden type cannot change
	if !f.cell.PackageLevel(obj) || spell.Ours(name) {
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
	top := f.cell.Cell.Stmts
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
			if name := f.cell.Method(n); name != "" {
				f.use(name, name)
			}
		}
		return true
	})
	fixed := ""
	if len(changed) == 1 && f.fixed(st) {
		t := f.cell.Cell.Stmts[i]
		fixed = string(f.cell.Cell.Text[t.Start:t.End])
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
				same = same && f.cell.Info.Types[n.Fun].IsType()
			case *ast.Ident:
				switch obj := f.cell.Info.Uses[n].(type) {
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
