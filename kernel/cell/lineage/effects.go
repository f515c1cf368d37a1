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
//
// For a notebook of three cells:
//
//	func f() int { return x }     uses nothing, since nothing runs; changes f
//	x := 1                        changes x, by the fixed text x := 1
//	y := f() + 1                  uses f, and x by f; changes y
type Effects struct {
	// Uses holds every name whose meaning, as it was before the cell, the
	// cell's result rests on, and the name in the cell's own text by which it
	// does: of a function that is called, also what its body uses.
	// A name that the cell has given a new value before it mentions it is not here, and nor
	// are names of Go, of packages and of the cell's own local variables.
	Uses    map[string]string
	Changes []Change // each name once, declarations first and then in the order of the statements
}

// Change is a name that a cell defines, assigns to or alters a part of.
type Change struct {
	Name string
	// Fixed is the text that made the value, where it makes the same value
	// whenever it runs: a definition by constants and literals alone. It is
	// empty for every other change.
	// It lets a cell such as lr := 0.1 run again without all that used lr being out of date.
	Fixed string

	after int // how many top-level statements are done when the change is
}

// Reached leaves out the changes that a cell which failed did not come to.
// Reached counts top-level statements; a negative number says all.
//
// The count is that of the last mark that was passed. Package check puts one, ˣmark(i+1),
// behind each statement that defines variables or assigns to whole ones; a change of another
// kind, such as m[k] = v, counts when a later statement of that kind has ended. Declarations
// are always there.
func (e Effects) Reached(reached int) Effects {
	// A clone: the effects belong to the program, which may be asked again.
	if reached >= 0 {
		e.Changes = slices.DeleteFunc(slices.Clone(e.Changes), func(c Change) bool { return c.after > reached })
	}
	return e
}

// Find finds what a checked cell uses and changes.
//
// It reads the final pass of the check, in which statements are already written as
// package-level code: x := 1 is there x = 1, and var x int is ˣzero(&x).
func Find(r *check.Result) Effects {
	f := &effectFinder{cell: r, made: map[string]bool{}, own: map[string]*scope.Unit{}, followed: map[*scope.Unit]bool{}, effects: Effects{Uses: map[string]string{}}}
	// What the cell declares, unless the same declaration stood there before. A declaration
	// runs nothing: what it rests on is used only when a statement calls it.
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
	// init and main run as a statement would; of func _() nothing runs.
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
	cell *check.Result          // what the cell means
	made map[string]bool        // variables that the cell has given a whole new value
	own  map[string]*scope.Unit // what the cell declares itself, methods as T.m
	// followed are those of own that were gone into: once is enough, and recursion ends.
	followed map[*scope.Unit]bool
	effects  Effects
}

// use records a name, and what it rests on in turn.
//
// by is the name in the cell's text that leads to it, which a message names: the person wrote
// f and may not know of x. The first way that is found is kept.
func (f *effectFinder) use(name, by string) {
	if _, known := f.effects.Uses[name]; known {
		return
	}
	// Its value is the cell's own by now, whatever it was before.
	if f.made[name] {
		return
	}
	// What the cell declares has no meaning from before, so it is not recorded itself; but
	// what it rests on may be of earlier cells.
	u := f.own[name]
	if u == nil {
		// T.m is known where T is.
		recv, _, _ := strings.Cut(name, ".")
		if f.cell.Scope.Lookup(recv) == nil {
			return
		}
		f.effects.Uses[name] = by
		u = f.cell.Scope.Unit(name)
	}
	if u == nil || f.followed[u] {
		return
	}
	f.followed[u] = true
	for _, dep := range slices.Sorted(maps.Keys(u.RestsOn())) {
		f.use(dep, by)
	}
}

// change records that statement i, counted from 0, changes a name.
//
// It keeps the first statement that changes the name: with that the change has begun.
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
//
// In the final pass a name may stand under a longer one (see package spell): ˣold_x is x
// before the cell, and ˣnew_print is the variable print.
func (f *effectFinder) name(id *ast.Ident) string {
	obj := f.cell.Info.Uses[id]
	if obj == nil {
		return ""
	}
	if old, ok := f.cell.Old[obj]; ok {
		return old
	}
	name := strings.TrimPrefix(id.Name, spell.NewMark) // a hidden type cannot change
	// Local variables, and what text of ours calls, such as ˣmark.
	if !f.cell.PackageLevel(obj) || spell.Ours(name) {
		return ""
	}
	return name
}

// root returns the variable through which an assignment to x reaches what it
// alters: s of s[i].f, p of *p.
//
// It is "" where there is none, as for f().n = 1, and for a local variable.
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

// statements goes through the statements of the cell in their order, which is that in which
// they run, so that made is known before what comes after.
func (f *effectFinder) statements(file *syntax.File) {
	top := f.cell.Cell.Stmts
	// They are the body of the last function of the file (parse.RunHead). What is put in
	// behind a statement, such as ˣmark(2), has its end for a place, and counts as part of it.
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
	// In x = 2 the x is changed and not used; in x = x + 1 the second one is used.
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
	// a, b := 1, 2 has no text of one value alone.
	if len(changed) == 1 && f.fixed(st) {
		t := f.cell.Cell.Stmts[i]
		fixed = string(f.cell.Cell.Text[t.Start:t.End])
	}
	for _, name := range changed {
		f.change(name, i, fixed)
	}
	// Made anew in any case: no condition stands before it.
	// if c { x = 2 } leaves the old value in one case, so that what follows rests on it as
	// well.
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
//
// Function literals are looked into, too, though they may run later or never:
// go func() { x++ }() changes x. An address counts where it is an argument, as most functions
// that take one write to it; p := &x does not, or every pointer would be a change.
func (f *effectFinder) assigned(st ast.Stmt) (changed []string, overwritten map[*ast.Ident]bool) {
	overwritten = map[*ast.Ident]bool{}
	// update says that the new value is made from the old one, as by ++ and +=.
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
//
// The name is the one that package check writes; no cell can have it.
func isZero(call *ast.CallExpr) bool {
	id, ok := call.Fun.(*ast.Ident)
	return ok && id.Name == "ˣzero"
}

// fixed reports whether a statement gives the same value whenever it runs.
//
// Only literals, conversions, operators, Go's constants and those of packages may be in it. A
// call may give anything, a variable may have changed, and so may a constant of the notebook.
// A function literal is left out, since what it refers to would have to be looked at.
//
//	x := []float64{float64(1), 2}   fixed
//	x := len("a")                   not: a call, though of a function of Go's own
//	x := math.Pi                    fixed
//	x := k                          not, for a constant k of another cell
func (f *effectFinder) fixed(st ast.Stmt) bool {
	a, ok := st.(*ast.AssignStmt)
	if !ok || a.Tok != token.ASSIGN {
		return false
	}
	// A part, such as xs[0] = 1, leaves the rest as it was.
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
					// A key of a literal is a field, as in dl.SGD{LR: 0.1}.
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
