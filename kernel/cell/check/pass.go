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
//
// For a cell
//
//	func twice(n int) int { return 2 * n }
//	x := twice(k)
//
// after one that defined k, the first pass checks
//
//	package notebook; func twice(n int) int
//	package notebook; func ˣrun() { x := twice(k); _ = x }
//
// and the final pass, with x as an object of the package's scope beside k,
//
//	package notebook; func twice(n int) int { return 2 * n }
//	package notebook; func ˣrun() { x  = twice(k); ˣmark(1) }
//
// Errors are in the result, and do not end the pass. It costs what go/types takes for the cell
// and for what is compiled again; what stays as it is costs an entry in a map, and text that
// an earlier pass parsed is not parsed again.
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
	// Objects come first. Files follow: the cell's own, then those of earlier cells, a unit each.
	c.declareEarlier(p)
	c.declareHelpers(p)
	c.addCell(p, first)
	for _, u := range c.redeclaredUnits() {
		c.addFile(p, c.unitFile(u, kind, false), "", "")
	}
	// In the first pass, functions that get another body are still objects: their types are as
	// before, and bodies are left out in any case.
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
	// Last, since all files must have been looked at for their names of C.
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
// one leaves as it is. go/types takes what is in a package's scope before it begins for declared,
// and does not ask for its source. What a file of this pass declares must not be there, or it
// would be declared twice.
func (c *checker) declareEarlier(p *passed) {
	again := map[string]bool{} // functions that get another body
	for u := range c.NewBodies {
		if u.Recv == "" {
			again[u.Names[0]] = true
		}
	}
	for name, e := range c.Scope.All() {
		if c.isDeclaredAnew(name) || c.kind == passFinal && again[name] {
			continue
		}
		plain, isHidden := strings.CutPrefix(name, spell.TypeMark)
		if e.Kind == scope.Var {
			name = spell.Var(name)
		}
		insert(p.pkg, name, e.Obj)
		// user := user{"eve"}, run again: for this pass the type has its own name beside the longer
		// one, by which earlier code means it.
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

// isDeclaredAnew reports whether what this pass checks gives a name of the notebook another
// meaning, or none.
func (c *checker) isDeclaredAnew(name string) bool {
	if c.OwnNames[name] || c.Redeclared[name] != nil || c.Retyped[name] != nil || c.Dropped[name] != "" || c.Imported[name] {
		return true
	}
	if plain, isHidden := strings.CutPrefix(name, spell.TypeMark); isHidden && c.Unhide[plain] {
		return true
	}
	if c.kind == passFinal {
		return c.NewVars[name]
	}
	// In the first pass, time of time := time.Now(), run twice, means the package again, and an
	// array whose length is needed has its new type.
	return c.before[name] || c.arrays[name] != nil
}

// declareHelpers puts the functions into the package's scope that text of ours calls:
// what they do is the runtime's, and they take anything. Their types serve the check alone:
// in generated code package gen writes the runtime's functions in their place, or declares
// functions of these names.
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

// addFile adds a file to the package, or its syntax errors to the result. The tree that is
// checked is a copy where this pass wants another one than was parsed, since other passes have
// the same tree.
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
	c.addImports(f) // first: its imports show whether the file uses C
	c.cNames(f)
	c.wrapOldTypes(f.AST)
	switch {
	// x := 1 as a whole cell is no error: a variable of a notebook need not be used in its cell.
	case c.kind == passFirst && f.Kind == syntax.StmtFile:
		f.AST = syntax.WithUses(f.AST, c.Cell.Defined())
	// A body may mention the cell's variables, which are no names of the package yet.
	case c.kind == passFirst && !c.bodies:
		f.AST = syntax.WithoutBodies(f.AST)
	}
	p.files = append(p.files, f)
}

// addCell adds the cell's declarations and statements. In the final pass, a name that
// the cell defines anew means what it meant before under a longer name: after x := 1, the cell
// x := fmt.Sprint(x) is checked as
//
//	x  = fmt.Sprint(ˣold_x)
//
// where x is a string and ˣold_x the int of before.
func (c *checker) addCell(p *passed, first *passed) {
	cellFile := func(k syntax.Kind, r parse.Rendered) *syntax.File {
		return &syntax.File{Kind: k, Name: c.Cell.Name, Line: 1, Source: string(c.Cell.Text), Body: r.Text, Back: r.Back}
	}
	c.addFile(p, cellFile(syntax.DeclFile, c.Cell.DeclText(c.editDecls)), "", "")
	if c.kind == passFirst {
		c.addFile(p, cellFile(syntax.StmtFile, c.Cell.StmtText(c.editFirst)), parse.RunHead, parse.RunTail)
		return
	}
	// What the compiler fills for //go:embed is copied by a statement, from an object that has the
	// type of the cell's own variable; where text has to say the type, varFile declares it.
	for _, t := range c.Cell.Stmts {
		if len(t.Embed) > 0 && asObject(c.Vars[t.Defs[0]]) {
			p.pkg.Scope().Insert(types.NewVar(0, p.pkg, spell.Embed(t.Defs[0]), c.Vars[t.Defs[0]]))
		}
	}
	c.addFile(p, cellFile(syntax.StmtFile, c.Cell.StmtText(func(ed *syntax.Editor) { c.editFinal(ed, first) })), parse.RunHead, parse.RunTail)
	// What is declared again in this pass has no old meaning left that the statements could have.
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
// noC that they could not be had: then C.x is of no known type, so that the C compiler's
// errors are not buried under go/types'. Only one of the two can hold.
func (c *checker) checkTypes(p *passed, hasC, noC bool) {
	byTok := map[*token.File]*syntax.File{} // to find the file of an error
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
			// Without a file it is in none of these texts, and what cmd/cgo wrote is not the
			// person's to mend.
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

// ignored are complaints that hold for a program but not for a cell. They are known by their
// text: types.Error has a code, but does not export it. Imports are ours, one for each name
// before a dot, which has no use where a pass leaves out bodies. What begins with a tab says
// more about the error before, such as where else a name is declared, which may be a place
// that the cell does not have.
func ignored(msg string) bool {
	return strings.HasSuffix(msg, "imported and not used") || strings.Contains(msg, " imported as ") && strings.HasSuffix(msg, "and not used") ||
		strings.HasPrefix(msg, "\t") ||
		// The checker compares packages by pointer here, not by path, and each pass has a package
		// of its own: to it a struct of an earlier cell is another package's.
		implicitField(msg)
}

// implicitField reports whether a message is about a literal {1, 2} of a type of
// the notebook, or of a type parameter, which has no package before its name.
func implicitField(msg string) bool {
	_, typ, _ := strings.Cut(msg, " of type ")
	return strings.HasPrefix(msg, "implicit assignment to unexported field") && (strings.HasPrefix(typ, spell.Path+".") || !strings.Contains(typ, "."))
}

// bodiless reports whether a message comes of bodies that the first pass left out.
func bodiless(msg string) bool {
	return strings.Contains(msg, "missing function body") || strings.Contains(msg, "must have a body") || strings.Contains(msg, "missing return")
}
