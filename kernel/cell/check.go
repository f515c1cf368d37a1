package cell

import (
	"context"
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// Source is the text of a cell.
type Source = parse.Source

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
	seq    int
	cell   *parse.Cell // the text; its statements
	passes int         // how often go/types was called

	imports  map[string]string // live imports and those of this cell
	imported map[string]bool   // names that this cell imports
	blank    []string          // import _ "path"
	dots     map[string]bool   // import . "path", live ones and those of this cell

	own       []*scope.Unit   // what this cell declares, and changes
	ownNames  map[string]bool // the package-level names among them
	unchanged [][2]int        // ranges of declarations that are as before
	hasMain   bool

	vars      map[string]types.Type // the variables that the statements define
	lastValue bool                  // the last line is a call of a builtin or a conversion, which Go refuses as a statement

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
	inner    []innerCall // calls inside of statements whose error is taken
	notices  []string
}

// A nestedErr is a definition x := f() in a loop or a branch of a cell's top level
// that leaves out the error.
type nestedErr struct {
	names, end int // where the names end, and the statement
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
	c := &check{
		nb: nb, scope: nb.scope, ctx: ctx, seq: nb.seq + 1,
		imports: maps.Clone(nb.scope.Imports()), imported: map[string]bool{}, dots: maps.Clone(nb.scope.Dots()),
		ownNames: map[string]bool{}, changed: map[string]bool{}, redeclared: map[string]*scope.Version{},
		newBodies: map[*scope.Unit]*scope.Unit{}, retyped: map[string]*scope.Version{}, newVars: map[string]bool{},
		revived: map[string]*scope.Broken{}, refused: map[string]bool{},
		arrays: map[string]types.Type{}, before: map[string]bool{}, hides: map[string]bool{}, unhide: map[string]bool{}, locals: map[*types.Var]bool{},
		dropped: map[string]string{}, takenErr: map[int]int{}, cUses: map[*scope.Preamble]map[cName]string{}, vars: map[string]types.Type{},
	}
	c.cell = parse.New(nb.fset, src, c.names())
	return c
}

func (c *check) run() (*Program, error) {
	if err := c.cell.SyntaxError(); err != nil {
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
	return len(c.own)+len(c.cell.Defined())+len(c.takenErr)+len(c.redeclared)+len(c.retyped)+len(c.newBodies)+len(c.revived)+len(c.dropped)+len(c.before) == 0 &&
		!c.hasGoNames()
}

// collect finds what the cell imports, declares and runs.
func (c *check) collect() error {
	imports, err := c.cell.Imports()
	if err != nil {
		return err
	}
	for _, s := range imports.AST.Imports {
		if err := c.addImport(imports, s); err != nil {
			return err
		}
	}
	decls, err := c.cell.Decls()
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
	stmts, err := c.cell.Body()
	if err != nil {
		return err
	}
	return c.cell.FindStmts(decls, stmts)
}

// collectTypes makes a unit of each type of a declaration: in a group, of each line.
func (c *check) collectTypes(f *syntax.File, d *ast.GenDecl) {
	if d.Tok != token.TYPE {
		return
	}
	for _, s := range d.Specs {
		s := s.(*ast.TypeSpec)
		start, end := f.Span(d)
		text := string(c.cell.Text[start:end])
		if d.Lparen.IsValid() {
			start, end = f.Span(s)
			text = "type " + string(c.cell.Text[start:end])
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
	ed := &syntax.Editor{Text: c.cell.Text, Edits: c.ownValues(f, d)}
	u.Text, _ = ed.Render(start, end)
	c.constEdits = append(c.constEdits, ed.Edits...)
	c.add(u, start, end)
}

// collectFunc makes a unit of a function or a method.
func (c *check) collectFunc(f *syntax.File, d *ast.FuncDecl) {
	start, end := f.Span(d)
	u := &scope.Unit{Names: []string{d.Name.Name}, Kind: scope.Func, Text: string(c.cell.Text[start:end]), Generic: d.Type.TypeParams != nil}
	if d.Recv != nil && len(d.Recv.List) > 0 {
		u.Recv, u.Generic = scope.Receiver(d.Recv.List[0].Type)
		rs, re := f.Span(d.Recv.List[0].Type)
		u.Sig = string(c.cell.Text[rs:re]) + " "
	}
	ts, _ := f.Span(d.Type.Params)
	_, te := f.Span(d.Type)
	u.Sig += strings.Join(strings.Fields(string(c.cell.Text[ts:te])), " ")
	if d.Recv == nil && d.Name.Name == "main" {
		c.hasMain = true
	}
	c.add(u, start, end)
}

func (c *check) add(u *scope.Unit, start, end int) {
	u.Doc = string(c.cell.Text[parse.CommentAbove(c.cell.Text[:start]):start])
	u.Cell = c.cell.Name
	u.Line = 1 + strings.Count(string(c.cell.Text[:start]), "\n")
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
