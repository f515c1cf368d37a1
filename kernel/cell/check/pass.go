package check

import (
	"errors"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// One run of go/types over everything. The package that is checked has
//
//   - as objects, what earlier cells declared and this one leaves as it is, the very
//     objects that go/types made of it then, so that types stay identical;
//   - as files, what the cell declares and its statements, and from their source the
//     declarations of earlier cells that have to be compiled again.
//
// The result has the types of all of it and the errors, each with the file that it is in:
// an error in the cell is the person's, one in an earlier cell's declaration means that
// it no longer compiles.

// maxExplained bounds the work on a cell with very many errors, of which ten are
// shown.
const maxExplained = 100

// pass checks the package that the cell becomes: all that lives in the notebook,
// with what the cell declares and what is compiled again because of it. The first
// pass has the statements as the body of a function, so that := defines variables
// whose types the checker finds. The final pass has these variables at package level;
// it has the result of the first one in first.
func (c *checker) pass(kind passKind, first *passed) *passed {
	c.kind = kind
	c.Passes++
	p := &passed{
		pkg: types.NewPackage(spell.Path, "notebook"),
		info: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{},
			Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
			Implicits: map[ast.Node]types.Object{}, Instances: map[*ast.Ident]types.Instance{},
		},
		old: map[types.Object]string{},
	}
	c.declareEarlier(p)
	c.declareHelpers(p)
	c.addCell(p, first)
	for _, u := range c.redeclaredUnits() {
		c.addFile(p, c.unitFile(u, kind, false), "", "")
	}
	if kind == passFinal {
		for _, u := range c.newBodyUnits() {
			c.addFile(p, c.unitFile(u, kind, u.Recv != ""), "", "")
		}
	}
	c.declareObjects(p, kind)
	if f, imports := c.varFile(kind); f != nil {
		if err := c.Cell.File(f, "", ""); err == nil {
			f.AST = syntax.WithImports(f.AST, imports)
			p.files = append(p.files, f)
		} else {
			p.errs = append(p.errs, passError{syntax.Diagnostic{Cell: c.Cell.Name, Msg: err.Error()}, f, token.NoPos})
		}
	}
	cf, err := c.cFile()
	if err != nil {
		p.errs = append(p.errs, c.cErrors(err)...)
	} else if cf != nil {
		c.shareC(cf, p.pkg.Scope())
		p.files = append(p.files, cf)
	}
	c.checkTypes(p, cf != nil, err != nil)
	return p
}

// declareEarlier puts into the package's scope what earlier cells declared and this
// one leaves as it is.
func (c *checker) declareEarlier(p *passed) {
	again := map[string]bool{} // functions that get another body
	for u := range c.NewBodies {
		if u.Recv == "" {
			again[u.Names[0]] = true
		}
	}
	for name, e := range c.Scope.All() {
		if c.OwnNames[name] || c.Redeclared[name] != nil || c.Retyped[name] != nil || c.Dropped[name] != "" || c.Imported[name] {
			continue
		}
		if c.kind == passFinal && (again[name] || c.NewVars[name]) {
			continue
		}
		plain, isHidden := strings.CutPrefix(name, spell.TypeMark)
		switch {
		case isHidden && c.Unhide[plain], c.kind == passFirst && (c.before[name] || c.arrays[name] != nil):
			continue
		case e.Kind == scope.Var:
			name = spell.Var(name)
		}
		insert(p.pkg, name, e.Obj)
		if isHidden && c.kind == passFirst && c.before[plain] {
			insert(p.pkg, plain, e.Obj)
		}
	}
	if c.kind == passFirst {
		for name, t := range c.arrays {
			p.pkg.Scope().Insert(types.NewVar(0, p.pkg, name, t))
		}
	}
}

// declareHelpers puts the functions into the package's scope that text of ours calls:
// what they do is the runtime's, and they take anything.
func (c *checker) declareHelpers(p *passed) {
	for _, values := range []int{1, 2} {
		p.pkg.Scope().Insert(mustFunc(p.pkg, values))
	}
	helpers := []string{"ˣresult", "ˣuse", "ˣzero", "ˣmark"}
	for _, ch := range c.Cell.Inits() {
		helpers = append(helpers, spell.Init(ch.Start))
	}
	anySlice := types.NewSlice(types.Universe.Lookup("any").Type())
	for _, name := range helpers {
		sig := types.NewSignatureType(nil, nil, nil, types.NewTuple(types.NewVar(0, p.pkg, "", anySlice)), nil, true)
		p.pkg.Scope().Insert(types.NewFunc(0, p.pkg, name, sig))
	}
}

// addFile adds a file to the package, or its syntax errors to the result.
func (c *checker) addFile(p *passed, f *syntax.File, head, tail string) {
	if err := c.Cell.File(f, head, tail); err != nil {
		var e *syntax.Error
		if errors.As(err, &e) {
			for _, d := range e.Diagnostics {
				p.errs = append(p.errs, passError{d, f, token.NoPos})
			}
		}
		return
	}
	c.addImports(f)
	c.cNames(f)
	c.wrapOldTypes(f.AST)
	switch {
	case c.kind == passFirst && f.Kind == syntax.StmtFile:
		f.AST = syntax.WithUses(f.AST, c.Cell.Defined())
	case c.kind == passFirst && !c.bodies:
		f.AST = syntax.WithoutBodies(f.AST)
	}
	p.files = append(p.files, f)
}

// addCell adds the cell's declarations and statements. In the final pass, a name that
// the cell defines anew means what it meant before under a longer name.
func (c *checker) addCell(p *passed, first *passed) {
	cellFile := func(k syntax.Kind, r parse.Rendered) *syntax.File {
		return &syntax.File{Kind: k, Name: c.Cell.Name, Line: 1, Source: string(c.Cell.Text), Body: r.Text, Back: r.Back}
	}
	c.addFile(p, cellFile(syntax.DeclFile, c.Cell.DeclText(c.editDecls)), "", "")
	if c.kind == passFirst {
		c.addFile(p, cellFile(syntax.StmtFile, c.Cell.StmtText(c.editFirst)), parse.RunHead, parse.RunTail)
		return
	}
	for _, t := range c.Cell.Stmts {
		if len(t.Embed) > 0 {
			p.pkg.Scope().Insert(types.NewVar(0, p.pkg, spell.Embed(t.Defs[0]), c.Vars[t.Defs[0]]))
		}
	}
	c.addFile(p, cellFile(syntax.StmtFile, c.Cell.StmtText(func(ed *syntax.Editor) { c.editFinal(ed, first) })), parse.RunHead, parse.RunTail)
	for name := range c.NewVars {
		if e := c.Scope.Lookup(name); e != nil && c.Retyped[name] == nil && c.Redeclared[name] == nil {
			mark := spell.OldMark
			if c.Hides[name] {
				mark = spell.TypeMark
			}
			p.old[insert(p.pkg, mark+name, e.Obj)] = name
		}
	}
}

// checkTypes runs go/types over the package's files, and adds the errors that hold
// for a cell, with what to try. HasC says that there are declarations of cmd/cgo, and
// noC that they could not be had.
func (c *checker) checkTypes(p *passed, hasC, noC bool) {
	byTok := map[*token.File]*syntax.File{}
	var files []*ast.File
	for _, f := range p.files {
		files = append(files, f.AST)
		byTok[f.Tok] = f
	}
	var errs []types.Error
	conf := types.Config{
		Importer:  c.Packages,
		GoVersion: "go1.26",
		Sizes:     Sizes,
		Error: func(err error) {
			e := err.(types.Error)
			f := byTok[c.Fset.File(e.Pos)]
			if f == nil || f.Kind == syntax.CgoFile || ignored(e.Msg) || c.kind == passFirst && f.Kind != syntax.StmtFile && !c.bodies && bodiless(e.Msg) {
				return
			}
			errs = append(errs, e)
		},
	}
	if hasC {
		usesCgo(&conf)
	}
	conf.FakeImportC = noC
	types.NewChecker(&conf, c.Fset, p.pkg, p.info).Files(files)
	// Messages are written when go/types has ended, since hints need what the whole check found.
	for i, e := range errs {
		f := byTok[c.Fset.File(e.Pos)]
		msg := e.Msg
		if i < maxExplained {
			msg = c.hinted(p, f).Explain(e)
		}
		p.errs = append(p.errs, passError{f.Diagnose(e.Pos, msg), f, e.Pos})
	}
}

// wrapOldTypes puts the A of "type B A" in parentheses when an earlier cell
// declared A: go/types looks for cycles among names alone, and fails on one that
// is in the package's scope but not in its files (Checker.directCycle, Go 1.26).
func (c *checker) wrapOldTypes(f *ast.File) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			ts := s.(*ast.TypeSpec)
			if id, ok := ts.Type.(*ast.Ident); ok && c.Scope.Lookup(id.Name) != nil {
				ts.Type = &ast.ParenExpr{Lparen: id.Pos(), X: id, Rparen: id.End()}
			}
		}
	}
}

// ignored are complaints that hold for a program but not for a cell.
func ignored(msg string) bool {
	return strings.HasSuffix(msg, "imported and not used") || strings.Contains(msg, " imported as ") && strings.HasSuffix(msg, "and not used") ||
		strings.HasPrefix(msg, "\t") ||
		// The checker compares packages by pointer here, not by path.
		implicitField(msg)
}

// implicitField reports whether a message is about a literal {1, 2} of a type of
// the notebook, or of a type parameter, which has no package before its name.
func implicitField(msg string) bool {
	_, typ, _ := strings.Cut(msg, " of type ")
	return strings.HasPrefix(msg, "implicit assignment to unexported field") && (strings.HasPrefix(typ, spell.Path+".") || !strings.Contains(typ, "."))
}

func bodiless(msg string) bool {
	return strings.Contains(msg, "missing function body") || strings.Contains(msg, "must have a body") || strings.Contains(msg, "missing return")
}
