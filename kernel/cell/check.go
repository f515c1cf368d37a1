package cell

import (
	"context"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// Source is the text of a cell, with its commands already taken out (their
// lines left blank, so that line numbers stay).
type Source struct {
	Name string // how errors and traces name it, such as cell[5]
	Text string
}

// check is one run of [Notebook.Check]. Its stages, in the order of run:
//
//	split, parse      the text in chunks; imports, declarations and statements apart
//	collect           what the cell imports and declares (own), and its statements (top)
//	classify          declarations that give a function another body, and those that
//	                  change what a name means
//	findImports       packages that are named without an import
//	findChanged       what of earlier cells must be compiled again
//	infer             the first passes of go/types: the types of new variables, calls
//	                  whose error is taken, the value of the last line
//	pass, handleErrors   the final pass, and what it found
//	generate          the program
//
// What no longer compiles is left out, and the stages from findChanged on are gone
// through again. Nothing of the notebook changes before the program is committed.
type check struct {
	nb     *Notebook
	scope  *scope.Model // what names mean before the cell
	ctx    context.Context
	src    Source
	seq    int
	text   []byte
	chunks []syntax.Chunk
	open   bool            // a bracket, a string or a comment is not closed
	trees  map[string]tree // what was parsed, by its name and text; see tree.go
	parses int             // how often the parser was called
	passes int             // how often go/types was

	imports  map[string]string // live imports and those of this cell
	imported map[string]bool   // names that this cell imports
	blank    []string          // import _ "path"
	dots     map[string]bool   // import . "path", live ones and those of this cell

	own       []*scope.Unit   // what this cell declares, and changes
	ownNames  map[string]bool // the package-level names among them
	unchanged [][2]int        // ranges of declarations that are as before
	hasMain   bool

	top    []*topStmt // the statements, in the order in which they run
	groups [][2]int   // what encloses the specs of "var ( … )"
	pulls  []pull     // declarations that run before their place
	vars   map[string]types.Type

	changed    map[string]bool             // names that mean something else from now on
	redeclared map[string]*scope.Version   // declared again in the new package from their source
	newBodies  map[*scope.Unit]*scope.Unit // functions and methods compiled alone: unit → the live one it replaces
	kind       passKind                    // of the pass that runs
	bodies     bool                        // the first pass looks into functions, too
	before     map[string]bool             // variables defined again from what their names hide
	hides      map[string]bool             // variables that take the name of a type
	constEdits []syntax.Edit               // of constants that are made of their own old values
	arrays     map[string]types.Type       // arrays of the cell whose length its declarations need
	unhide     map[string]bool             // names of hidden types that are declared again
	locals     map[*types.Var]bool         // of the first pass, the cell's variables
	retyped    map[string]*scope.Version   // variables whose type was declared again
	newVars    map[string]bool             // variables that this cell defines with a new type
	revived    map[string]*scope.Broken    // what no longer compiled and is tried again
	refused    map[string]bool             // what still does not
	dropped    map[string]string           // live names that no longer compile: why

	pre     *scope.Preamble                      // of import "C"
	cUses   map[*scope.Preamble]map[cName]string // the names of C in use: where
	cText   string                               // what cmd/cgo makes of them
	cShared map[string]*types.TypeName           // C types that are an earlier program's

	takenErr map[int]int // top statements whose error is taken: index → number of the variable
	nested   []nestedErr // likewise inside of loops and branches
	notices  []string
}

// A nestedErr is a definition x := f() in a loop or a branch of a cell's top level
// that leaves out the error.
type nestedErr struct {
	names, end int // where the names end, and the statement
}

// A topStmt is a statement at the top level of a cell.
type topStmt struct {
	stmt       ast.Stmt     // a line of "var ( … )" as a declaration of its own
	file       *syntax.File // in which it was parsed
	start, end int          // in the cell's text
	isVar      bool         // a var declaration
	spec       bool         // one of "var ( … )", so that its text lacks the var
	values     []ast.Expr
	embed      []Embed  // of //go:embed
	defs       []string // the variables that it defines
	sets       []string // the variables that it gives a new value
	last       bool     // it is the cell's last line
	hide       bool     // it ends with a semicolon: its value is not shown
	value      bool     // a call of a builtin or a conversion, which Go refuses as a statement
}

// Check parses and checks a cell. The error is an [*Error] unless ctx ended.
func (nb *Notebook) Check(ctx context.Context, src Source) (*Program, error) {
	return nb.newCheck(ctx, src).run()
}

// Rebuild returns a program that declares everything again, for a new host
// process. Variables keep their types and are lost.
func (nb *Notebook) Rebuild(ctx context.Context) (*Program, error) {
	// What the packages of the old process hold is out of reach.
	nb.code.Restart()
	nb.release = nil
	ed := nb.scope.Edit()
	for name, v := range nb.scope.All() {
		if v.Kind == scope.Var && mentionsC(v.Obj.Type()) {
			ed.Drop(name) // only its own cell can say its type
			ed.SetGone(name, name+" is gone with the host process that ended, and its type is one of C: run "+v.Cell+" again to make it")
		}
	}
	nb.scope = ed.Model() // what was dropped has no value to release
	c := nb.newCheck(ctx, Source{Name: "cell[0]"})
	for name, v := range nb.scope.All() {
		c.changed[name] = true
		if v.Kind == scope.Var {
			c.retyped[name] = v
		} else {
			c.redeclared[name] = v
		}
	}
	return c.run()
}

func (nb *Notebook) newCheck(ctx context.Context, src Source) *check {
	return &check{
		nb: nb, scope: nb.scope, ctx: ctx, src: src, seq: nb.seq + 1, text: []byte(src.Text), trees: map[string]tree{},
		imports: maps.Clone(nb.scope.Imports()), imported: map[string]bool{}, dots: maps.Clone(nb.scope.Dots()),
		ownNames: map[string]bool{}, changed: map[string]bool{}, redeclared: map[string]*scope.Version{},
		newBodies: map[*scope.Unit]*scope.Unit{}, retyped: map[string]*scope.Version{}, newVars: map[string]bool{},
		revived: map[string]*scope.Broken{}, refused: map[string]bool{},
		arrays: map[string]types.Type{}, before: map[string]bool{}, hides: map[string]bool{}, unhide: map[string]bool{}, locals: map[*types.Var]bool{},
		dropped: map[string]string{}, takenErr: map[int]int{}, cUses: map[*scope.Preamble]map[cName]string{}, vars: map[string]types.Type{},
	}
}

func (c *check) run() (*Program, error) {
	c.chunks, c.open = syntax.Split(c.text)
	if err := c.syntaxErrors(); err != nil {
		return nil, err
	}
	if err := c.collect(); err != nil {
		return nil, err
	}
	c.classify()
	if err := c.findImports(); err != nil {
		return nil, err
	}
	for {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		for more := true; more; {
			c.findChanged()
			more = c.revive()
		}
		first, err := c.infer()
		if err != nil && c.refuseRevived() {
			continue
		}
		if err != nil {
			return nil, err
		}
		c.findChanged()
		p := first
		if !c.isFinal() {
			p = c.pass(passFinal, first)
		}
		again, err := c.handleErrors(p)
		if again {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := c.refuseLost(p); err != nil {
			return nil, err
		}
		c.reviveNotices()
		return c.generate(p)
	}
}

// isFinal reports whether the final pass would check what the first one did: the cell
// declares nothing, defines no variable, and has nothing compiled again.
func (c *check) isFinal() bool {
	return len(c.own)+len(c.defined())+len(c.takenErr)+len(c.redeclared)+len(c.retyped)+len(c.newBodies)+len(c.revived)+len(c.dropped)+len(c.before) == 0 &&
		!c.hasGoNames()
}

// collect finds what the cell imports, declares and runs.
func (c *check) collect() error {
	imports, err := c.importDecls()
	if err != nil {
		return err
	}
	for _, s := range imports.AST.Imports {
		if err := c.addImport(imports, s); err != nil {
			return err
		}
	}
	decls, err := c.decls()
	if err != nil {
		return err
	}
	for _, d := range decls.AST.Decls {
		switch d := d.(type) {
		case *ast.GenDecl:
			c.collectTypes(decls, d)
			c.collectConsts(decls, d)
		case *ast.FuncDecl:
			c.collectFunc(decls, d)
		}
	}
	stmts, err := c.stmts()
	if err != nil {
		return err
	}
	if err := c.collectStmts(stmts); err != nil {
		return err
	}
	return c.orderVars(stmts, decls)
}

// collectTypes makes a unit of each type of a declaration: in a group, of each line.
func (c *check) collectTypes(f *syntax.File, d *ast.GenDecl) {
	if d.Tok != token.TYPE {
		return
	}
	for _, s := range d.Specs {
		s := s.(*ast.TypeSpec)
		start, end := f.Span(d)
		text := string(c.text[start:end])
		if d.Lparen.IsValid() {
			start, end = f.Span(s)
			text = "type " + string(c.text[start:end])
		}
		c.add(&scope.Unit{Names: []string{s.Name.Name}, Kind: scope.Type, Text: text, Generic: s.TypeParams != nil}, start, end)
	}
}

// collectConsts makes one unit of a declaration of constants, since the lines of a
// group depend on one another.
func (c *check) collectConsts(f *syntax.File, d *ast.GenDecl) {
	if d.Tok != token.CONST || len(d.Specs) == 0 { // const () says nothing
		return
	}
	u := &scope.Unit{Kind: scope.Const}
	for _, s := range d.Specs {
		for _, n := range s.(*ast.ValueSpec).Names {
			u.Names = append(u.Names, n.Name)
		}
	}
	start, end := f.Span(d)
	ed := &syntax.Editor{Text: c.text, Edits: c.ownValues(f, d)}
	u.Text, _ = ed.Render(start, end)
	c.constEdits = append(c.constEdits, ed.Edits...)
	c.add(u, start, end)
}

// collectFunc makes a unit of a function or a method.
func (c *check) collectFunc(f *syntax.File, d *ast.FuncDecl) {
	start, end := f.Span(d)
	u := &scope.Unit{Names: []string{d.Name.Name}, Kind: scope.Func, Text: string(c.text[start:end]), Generic: d.Type.TypeParams != nil}
	if d.Recv != nil && len(d.Recv.List) > 0 {
		u.Recv, u.Generic = scope.Receiver(d.Recv.List[0].Type)
		rs, re := f.Span(d.Recv.List[0].Type)
		u.Sig = string(c.text[rs:re]) + " "
	}
	ts, _ := f.Span(d.Type.Params)
	_, te := f.Span(d.Type)
	u.Sig += strings.Join(strings.Fields(string(c.text[ts:te])), " ")
	if d.Recv == nil && d.Name.Name == "main" {
		c.hasMain = true
	}
	c.add(u, start, end)
}

// collectStmts lists the statements at the top level, with what each defines and sets,
// and notes which one is the cell's last line.
func (c *check) collectStmts(f *syntax.File) error {
	for _, st := range f.AST.Decls[0].(*ast.FuncDecl).Body.List {
		if _, ok := st.(*ast.EmptyStmt); ok {
			continue
		}
		if d, ok := st.(*ast.DeclStmt); ok {
			if err := c.collectVars(f, d); err != nil {
				return err
			}
			continue
		}
		start, end := f.Span(st)
		t := &topStmt{start: start, end: end, stmt: st, file: f}
		if st, ok := st.(*ast.AssignStmt); ok {
			for _, l := range st.Lhs {
				id, ok := l.(*ast.Ident)
				switch {
				case !ok || id.Name == "_":
				case st.Tok == token.DEFINE:
					t.defs = append(t.defs, id.Name)
				case st.Tok == token.ASSIGN:
					t.sets = append(t.sets, id.Name)
				}
			}
		}
		c.top = append(c.top, t)
	}
	if n := len(c.chunks); n > 0 && len(c.top) > 0 {
		last, t := c.chunks[n-1], c.top[len(c.top)-1]
		t.last = !last.IsDecl() && t.end > last.Start && last.Tok != token.VAR
		t.hide = last.Semi
	}
	return nil
}

// collectVars takes a var declaration apart: each line of a group is one of its own.
func (c *check) collectVars(f *syntax.File, d *ast.DeclStmt) error {
	g, ok := d.Decl.(*ast.GenDecl)
	if !ok || g.Tok != token.VAR {
		return nil
	}
	grouped := g.Lparen.IsValid()
	if grouped {
		from, to := f.Back(f.Offset(g.TokPos)), f.Back(f.Offset(g.Lparen))
		end := f.Back(f.Offset(g.Rparen))
		c.groups = append(c.groups, [2]int{from, to + 1}, [2]int{end, end + 1})
	}
	for _, sp := range g.Specs {
		vs := sp.(*ast.ValueSpec)
		t := &topStmt{isVar: true, spec: grouped, values: vs.Values, stmt: d, file: f}
		if t.start, t.end = f.Span(d); grouped {
			t.start, t.end = f.Span(vs)
			t.stmt = &ast.DeclStmt{Decl: &ast.GenDecl{TokPos: vs.Pos(), Tok: token.VAR, Specs: []ast.Spec{vs}}}
		}
		for _, id := range vs.Names {
			if id.Name != "_" {
				t.defs = append(t.defs, id.Name)
			}
		}
		if err := c.takeEmbed(f, t, vs.Type != nil); err != nil {
			return err
		}
		c.top = append(c.top, t)
	}
	return nil
}

func (c *check) add(u *scope.Unit, start, end int) {
	u.Doc = string(c.text[commentAbove(c.text[:start]):start])
	u.Cell = c.src.Name
	u.Line = 1 + strings.Count(string(c.text[:start]), "\n")
	if u.Unnamed() {
		c.own = append(c.own, u)
		return
	}
	if old := c.live(u); old != nil && old.Text == u.Text && c.sameImports(old) && c.sameC(old) && !c.restsOnValues(old) {
		c.unchanged = append(c.unchanged, [2]int{start, end})
		return
	}
	c.own = append(c.own, u)
	if u.Recv == "" {
		for _, n := range u.Names {
			c.ownNames[n] = true
		}
	}
}
