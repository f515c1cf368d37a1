package check

import (
	"fmt"
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

// The first passes. In a notebook x := f() defines a variable of the package, and Go
// infers the types of such definitions only inside of functions. So the statements are
// first checked as the body of a function, where := is Go's own, and what the checker
// finds out there decides how the final pass writes them:
//
//   - the types of the variables, from then on declared at package level;
//   - calls whose error a statement leaves out, as in data := os.ReadFile("x"), which
//     Go refuses and a cell takes: the error ends it;
//   - whether the last line is a value to be shown that is no statement, such as len(x);
//   - variables that are made from what their own name means before, as in
//     time := time.Now();
//   - arrays whose length a declaration of the cell needs.
//
// Each of these changes the text, so that the pass is made again until none is new.

// infer finds the types of the variables that the statements define. It returns the last of
// the first passes, which found no errors in the cell's text. There may be some in the bodies
// of functions, which it left out, and in declarations of earlier cells.
//
// Each turn but the last found something to change, and each place of the text can be found
// once in each way: so it ends. A cell that has none of these takes one turn.
func (c *checker) infer() (*passed, error) {
search:
	for {
		// What is new may be another thing after another edit, and is found again.
		c.NewVars, c.Hides = map[string]bool{}, map[string]bool{}
		p := c.pass(passFirst, nil)
		if c.takeErrors(p) || c.isValue(p) || c.findRedefined(p) || c.findArrays(p) {
			continue
		}
		// What of the cell's own text is wrong even so.
		var ds []syntax.Diagnostic
		for _, e := range p.errs {
			if e.file.Kind == syntax.StmtFile || e.file.Kind == syntax.DeclFile {
				ds = append(ds, e.Diagnostic)
			}
		}
		if len(ds) > 0 {
			if c.dropBroken(p) { // the cause may be what no longer compiles
				c.findChanged()
				continue
			}
			return nil, &syntax.Error{Diagnostics: syntax.Trim(append(ds, c.inBodies()...))}
		}
		// The types are known.
		for _, f := range p.files {
			if f.Kind != syntax.StmtFile {
				continue
			}
			if err := c.variables(p, f); err != nil {
				if c.dropBroken(p) {
					c.findChanged()
					continue search
				}
				return nil, err
			}
		}
		return p, nil
	}
}

// inBodies finds the errors inside the cell's functions, when its statements have
// errors: all are shown at once. A function that mentions a variable of the cell
// is left out, since its type is not known.
func (c *checker) inBodies() (ds []syntax.Diagnostic) {
	c.bodies = true
	p := c.pass(passFirst, nil)
	c.bodies = false
	for _, e := range p.errs {
		if e.file.Kind != syntax.DeclFile || !e.pos.IsValid() {
			continue
		}
		for _, d := range e.file.AST.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if ok && fn.Body != nil && e.pos > fn.Body.Pos() && e.pos < fn.Body.End() && !slices.ContainsFunc(parse.Mentions(e.file, fn), c.Cell.Defines) {
				ds = append(ds, e.Diagnostic)
			}
		}
	}
	return ds
}

// isValue reports whether the last line is a call that only gives a value:
// a conversion, or a builtin such as len. From its syntax it is a statement as any call, but Go
// refuses it (spec, Expression statements): len(x) becomes ˣresult(len(x)). It is true once, in
// the pass that found it out.
func (c *checker) isValue(p *passed) bool {
	if len(c.Cell.Stmts) == 0 {
		return false
	}
	t := c.Cell.Stmts[len(c.Cell.Stmts)-1]
	if !t.Last || c.LastValue {
		return false
	}
	for _, f := range p.files {
		if f.Kind != syntax.StmtFile {
			continue
		}
		for _, st := range body(f).List {
			es, ok := st.(*ast.ExprStmt)
			if start, _ := f.Span(st); !ok || start != t.Start {
				continue
			}
			call, ok := ast.Unparen(es.X).(*ast.CallExpr)
			if !ok {
				continue
			}
			fun := p.info.Types[call.Fun]
			// A builtin whose value has no type was called in a wrong way, and is left to go/types.
			c.LastValue = fun.IsType() || fun.IsBuiltin() && !p.info.Types[call].IsVoid() && p.info.Types[call].Type != nil
			// copy and recover give values and are statements all the same.
			if id, ok := call.Fun.(*ast.Ident); ok && (id.Name == "copy" || id.Name == "recover" || id.Name == "ˣresult") {
				c.LastValue = false
			}
		}
	}
	return c.LastValue
}

// variables records the types of the top-level variables. Those in loops and branches end with
// them, as in Go, and names that begin with ˣ are of our own edits.
func (c *checker) variables(p *passed, f *syntax.File) error {
	for _, st := range body(f).List {
		for _, d := range scope.Declares(st) {
			if d.Tok != token.DEFINE && d.Tok != token.VAR {
				continue
			}
			// Of x, err := f(), go/types says which names are new: the others have no object here.
			if obj, ok := p.info.Defs[d.Name].(*types.Var); ok && d.Name.Name != "_" && !strings.HasPrefix(d.Name.Name, "ˣ") {
				if err := c.variable(p, f, d.Name, obj); err != nil {
					return err
				}
			}
		}
	}
	return c.refuseBefore(p, f)
}

// variable records a variable that the cell defines. It is the one that an earlier cell
// defined, with a new value, where it has the same type; else a new one takes its name,
// and what mentions the name is compiled again.
func (c *checker) variable(p *passed, f *syntax.File, id *ast.Ident, obj *types.Var) error {
	if why := c.refuseVariable(id.Name, obj.Type()); why != "" {
		return &syntax.Error{Diagnostics: []syntax.Diagnostic{f.Diagnose(id.Pos(), why)}}
	}
	c.Vars[id.Name] = obj.Type()
	c.locals[obj] = true
	e := c.Scope.Lookup(id.Name)
	if e != nil && e.Kind == scope.Var && c.isSameVariable(p, e, obj) {
		return nil // nothing that mentions it is stale
	}
	c.NewVars[id.Name] = true
	switch {
	case e == nil: // the name meant nothing, so nothing mentions it
	case e.Kind == scope.Type: // the type lives on under a longer name: see hide.go
		c.Hides[id.Name] = true
	default:
		c.changed[id.Name] = true
	}
	return nil
}

// isSameVariable reports whether a variable that the cell defines is that of an earlier cell. Of
// one whose type is declared again, the type is the one that this pass gives it, and its memory
// must serve under that (see package gen, Keeps): its old value is then what the cell reads in
//
//	func (p point) Len() float64 { … }
//	p := point{p.x + 1}
func (c *checker) isSameVariable(p *passed, e *scope.Version, obj *types.Var) bool {
	if c.Retyped[e.Name] == nil {
		return types.Identical(e.Obj.Type(), obj.Type())
	}
	again := p.pkg.Scope().Lookup(spell.Var(e.Name))
	return again != nil && e.Lost == "" && types.Identical(again.Type(), obj.Type()) && spell.SameLayout(e.Obj.Type(), obj.Type())
}

// refuseVariable says why there can be no variable of this name and type at package
// level, or returns "". A function's variable may have any type; one of the notebook must be
// declared in generated code, where later cells reach it.
func (c *checker) refuseVariable(name string, t types.Type) string {
	tp := c.checkPrinter(map[string]string{})
	tp.String(t)
	if tp.Err != nil && !c.canKeep(t) {
		return fmt.Sprintf("%s cannot be kept for later cells: %v; use it inside a function, or give it an interface type", name, tp.Err)
	}
	if own := c.madeHere(t); own != "" {
		return fmt.Sprintf("%s, of type %s, cannot be made in the cell that declares %s, since another package does not export its type; declare %s in a cell of its own before this one", name, spell.Type(t), own, own)
	}
	if c.OwnNames[name] {
		return name + " is declared twice in this cell, as a variable and as something else; rename one"
	}
	return ""
}

// takeErrors finds statements that leave out the error of a call, and reports
// whether there are new ones. Go's error for x := f(), where f returns two values, is an error
// of p as well; the next pass has the statement rewritten, and is without it.
func (c *checker) takeErrors(p *passed) bool {
	found := false
	for _, f := range p.files {
		if f.Kind != syntax.StmtFile {
			continue
		}
		for _, st := range body(f).List {
			if p.leavesOutError(assigned(st)) {
				start, _ := f.Span(st)
				for i, t := range c.Cell.Stmts {
					if _, done := c.TakenErr[i]; t.Start == start && !done {
						c.TakenErr[i] = len(c.TakenErr)
						found = true
					}
				}
			}
			// An assignment at top level was looked at; loops and branches are left.
			if _, plain := st.(*ast.AssignStmt); !plain {
				found = c.takeNested(p, f, st) || found
			}
		}
		found = c.takeInner(p, f, body(f)) || found
	}
	return found
}

// assigned counts what a statement gives values to, and returns these. There are none
// where it is neither an assignment nor a declaration of variables without a type. With a
// type, as in var x int = f(), the call stands for one value, and takeInner takes its error.
func assigned(st ast.Stmt) (n int, values []ast.Expr) {
	switch st := st.(type) {
	case *ast.AssignStmt:
		if st.Tok == token.DEFINE || st.Tok == token.ASSIGN {
			return len(st.Lhs), st.Rhs
		}
	case *ast.DeclStmt:
		g := st.Decl.(*ast.GenDecl)
		if g.Tok != token.VAR || len(g.Specs) != 1 {
			return 0, nil
		}
		if vs := g.Specs[0].(*ast.ValueSpec); vs.Type == nil {
			return len(vs.Names), vs.Values
		}
	}
	return 0, nil
}

// leavesOutError reports whether n variables take all results of a call but the last,
// which is an error. A call that only returns an error is none of these: err := f() takes it.
func (p *passed) leavesOutError(n int, values []ast.Expr) bool {
	if len(values) != 1 {
		return false
	}
	call, ok := ast.Unparen(values[0]).(*ast.CallExpr)
	if !ok {
		return false
	}
	results, ok := p.info.Types[call].Type.(*types.Tuple)
	return ok && results.Len() == n+1 && spell.IsError(results.At(n).Type())
}

// takeNested finds definitions inside of a loop or a branch that leave out the
// error of a call, and reports whether there are new ones. In a function, and in
// an assignment to what is there already, Go stays Go.
func (c *checker) takeNested(p *passed, f *syntax.File, st ast.Stmt) bool {
	found := false
	take := func(list []ast.Stmt) {
		for _, st := range list {
			as, ok := st.(*ast.AssignStmt)
			if !ok || as.Tok != token.DEFINE || !p.leavesOutError(len(as.Lhs), as.Rhs) {
				continue
			}
			// Places of the cell's text: the statement may move, and is parsed again.
			var n NestedErr
			_, n.Names = f.Span(as.Lhs[len(as.Lhs)-1])
			_, n.End = f.Span(as)
			if !slices.Contains(c.Nested, n) {
				c.Nested = append(c.Nested, n)
				found = true
			}
		}
	}
	// Only definitions that stand in a list of statements. The head of an if has no place behind
	// it for what takes the error; takeInner puts a call around its own.
	ast.Inspect(st, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BlockStmt:
			take(n.List)
		case *ast.CaseClause:
			take(n.Body)
		case *ast.CommClause:
			take(n.Body)
		}
		return true
	})
	return found
}
