package check

import (
	"context"
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

// A variable may take the name of what it is made from, as in a Go function:
//
//	time := time.Now()
//	user := user{"ann"}
//	max := max(1, 2)
//
// From the next statement on the name means the variable, until %rm removes it
// or a later cell declares or imports the name. What was written before goes on
// to mean what it meant, also where it is compiled again. Go has no such scopes
// at package level, so that in what is checked one of the two has a longer name:
//
//	ˣold_x    what x means before this cell defines it anew, and a package that
//	          earlier code means by x
//	ˣtype_x   a type that a variable hides
//	ˣnew_x    the variable, where x is a name of Go's own

// insert puts an object into the scope of the checked package, under a name
// that may not be the one it was declared with. Go's objects cannot be renamed, so then it is
// another object of the same type: a TypeName made so is an alias. It returns the object that
// is in the scope.
func insert(pkg *types.Package, name string, obj types.Object) types.Object {
	if obj.Name() != name {
		switch o := obj.(type) {
		case *types.Var:
			obj = types.NewVar(o.Pos(), pkg, name, o.Type())
		case *types.Const:
			obj = types.NewConst(o.Pos(), pkg, name, o.Type(), o.Val())
		case *types.TypeName:
			obj = types.NewTypeName(o.Pos(), pkg, name, o.Type())
		case *types.Func:
			obj = types.NewFunc(o.Pos(), pkg, name, o.Signature())
		}
	}
	pkg.Scope().Insert(obj)
	return obj
}

// findRedefined finds statements that define a variable again from what its name
// hides, as when a cell with time := time.Now() is run twice, and reports whether
// there are new ones. They are those in which the variable that has the name does
// not fit.
func (c *checker) findRedefined(p *passed) bool {
	// time := time.Now(), run again, is checked with time as the variable that the first run
	// made. Its error says that this is not meant: a time.Time has no Now.
	found := false
	for _, e := range p.errs {
		if e.file.Kind != syntax.StmtFile || !e.pos.IsValid() {
			continue
		}
		at := e.file.Back(e.file.Offset(e.pos))
		for _, t := range c.Cell.Stmts { // the statement that the error is in
			if at < t.Start || at > t.End {
				continue
			}
			for _, name := range t.Defs {
				if v := c.Scope.Lookup(name); v != nil && v.Kind == scope.Var && !c.before[name] && c.madeFrom(t, name) {
					c.before[name] = true
					found = true
				}
			}
		}
	}
	return found
}

// madeFrom reports whether a statement that defines a variable of this name can
// mean by it what the variable hides. It must mention the name where nothing in it declares
// it, and what is hidden must be a type, one of Go's own names, or a package that has all
// that is selected. Of a package, the name is then noted as its import.
func (c *checker) madeFrom(t *parse.Stmt, name string) bool {
	text := string(c.Cell.Text[t.Start:t.End])
	if t.Spec { // a line of "var ( … )"
		text = "var " + text
	}
	f, _, err := c.Cell.Alone("func _() {" + text + "\n}")
	if err != nil || !slices.ContainsFunc(f.Unresolved, func(id *ast.Ident) bool { return id.Name == name }) {
		return false
	}
	if c.Scope.Lookup(spell.TypeMark+name) != nil || spell.OfGo(name) {
		return true
	}
	path := "" // stays empty where nothing is selected, as in time := time
	for _, sel := range selectorBases(f)[name] {
		if path = c.packageOf(name, sel); path == "" {
			return false
		}
	}
	if path != "" {
		c.Imports[name] = path
	}
	return path != ""
}

// packageOf returns the path of the package that a name would mean, were it not
// for the variable, when that package has what is selected; "" otherwise. C has nothing that
// could be looked up here.
func (c *checker) packageOf(name, sel string) string {
	path := c.Imports[name]
	if path == "" {
		path, _ = c.Packages.Guess(c.ctx, name, []string{sel})
	}
	if path == "" || path == "C" {
		return ""
	}
	pkg, err := c.Packages.Import(path)
	if err != nil || pkg.Scope().Lookup(sel) == nil || !token.IsExported(sel) {
		return ""
	}
	return path
}

// goNames finds the places in the cell's declarations or statements where a name
// of Go's own means a variable of an earlier cell, or, in declarations, one that the cell
// defines. These get ˣnew_ before them. The package could declare max itself, but then every
// max of every text in it would be the variable, also where earlier code means Go's.
func (c *checker) goNames(f *syntax.File) []int {
	var at []int
	for _, id := range f.AST.Unresolved {
		if !spell.OfGo(id.Name) || c.before[id.Name] || c.OwnNames[id.Name] {
			continue
		}
		if e := c.Scope.Lookup(id.Name); e != nil && e.Kind == scope.Var || f.Kind == syntax.DeclFile && c.Cell.Defines(id.Name) {
			start, _ := f.Span(id)
			at = append(at, start)
		}
	}
	return at
}

// mark writes the mark of variables with names of Go's own in the cell's
// declarations, or in its statements for the first pass. For the final pass newRefs finds more
// of them, by what the first one found out.
func (c *checker) mark(ed *syntax.Editor, kind syntax.Kind) {
	if !c.hasGoNames() {
		return
	}
	parse := c.Cell.Decls // the text without edits, which was parsed before
	if kind == syntax.StmtFile {
		parse = c.Cell.Body
	}
	f, err := parse()
	if err != nil {
		return
	}
	f.Kind = kind
	for _, at := range c.goNames(f) {
		ed.Insert(at, spell.NewMark)
	}
}

// hasGoNames reports whether a variable, of the cell or of the notebook, has a name of Go's own.
// There is seldom one. Without, no text is looked through for them.
func (c *checker) hasGoNames() bool {
	for _, t := range c.Cell.Stmts {
		if slices.ContainsFunc(t.Defs, spell.OfGo) {
			return true
		}
	}
	for name, e := range c.Scope.All() {
		if e.Kind == scope.Var && spell.OfGo(name) {
			return true
		}
	}
	return false
}

// newRefs finds the places in the statements that mean a variable with a name of
// Go's own, once the variables of the cell are those of the package.
func (c *checker) newRefs(first *passed) []int {
	var at []int
	for _, f := range first.files {
		if f.Kind != syntax.StmtFile {
			continue
		}
		for _, uses := range []map[*ast.Ident]types.Object{first.info.Uses, first.info.Defs} {
			for id, obj := range uses {
				v, ok := obj.(*types.Var)
				if !ok || !spell.OfGo(spell.Written(id.Name)) || c.Fset.File(id.Pos()) != f.Tok || f.Tok.Offset(id.Pos())-f.Prelude >= len(f.Body) {
					continue
				}
				// One of the cell's own, or one of an earlier cell that has not got another meaning
				// here: where it has, oldRefs writes its mark.
				isNew := c.locals[v] ||
					spell.PackageLevel(v) && !(c.NewVars[spell.Written(id.Name)] && c.Retyped[spell.Written(id.Name)] == nil)
				start, _ := f.Span(id)
				if isNew && strings.HasPrefix(string(c.Cell.Text[start:]), spell.Written(id.Name)) { // not in text of ours
					at = append(at, start)
				}
			}
		}
	}
	slices.Sort(at)
	return slices.Compact(at)
}

// Spelled is the source of a declaration with the longer names of what it means, where
// variables have taken them since. After time := time.Now(),
//
//	func day() time.Time { return time.Now() }
//
// of a cell before reads
//
//	func day() ˣold_time.Time { return ˣold_time.Now() }
//
// It needs no packages and checks nothing.
func Spelled(m *scope.Model, u *scope.Unit) string {
	c := newChecker(context.Background(), Input{Scope: m})
	c.Cell = parse.New(token.NewFileSet(), parse.Source{}, nil)
	text, _ := c.respell(u, passFirst)
	return text
}

// respell returns the source of a unit as it is checked in this pass, with the
// longer names of what it means, and where each byte came from. A text that does not parse is
// returned as it is: it did when its cell ran.
func (c *checker) respell(u *scope.Unit, kind passKind) (string, func(int) int) {
	other, own := c.spellings(u, kind)
	same := func(i int) int { return i }
	if len(other) == 0 && own == "" {
		return u.Text, same
	}
	f, off, err := c.Cell.Alone(u.Text)
	if err != nil {
		return u.Text, same
	}
	ed := &syntax.Editor{Text: []byte(u.Text)}
	at := func(id *ast.Ident) int { return off(id.Pos()) }
	// What the unit does not declare. Locals of the same name are resolved, and stay.
	for _, id := range f.Unresolved {
		if to := other[id.Name]; to != "" {
			ed.Replace(at(id), at(id)+len(id.Name), to)
		}
	}
	// The type that it declares, where it stands and where its own text mentions it.
	if obj := f.Scope.Lookup(own); obj != nil {
		ast.Inspect(f, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && id.Obj == obj {
				ed.Replace(at(id), at(id)+len(id.Name), spell.TypeMark+own)
			}
			return true
		})
	}
	return ed.Render(0, len(u.Text))
}

// spellings returns the names in a unit that are longer in this pass, and the name of
// the type that the unit itself declares under a longer one. Both are by the name that the text
// has, without a mark.
func (c *checker) spellings(u *scope.Unit, kind passKind) (other map[string]string, own string) {
	other = map[string]string{}
	for name := range u.Imports {
		if name != "C" && c.shadows(name) {
			other[name] = spell.OldMark + name
		}
	}
	hidden := func(name string) bool { // whether a variable has the name of the type
		plain, isMarked := strings.CutPrefix(name, spell.TypeMark)
		return isMarked && !c.Unhide[plain] || kind == passFinal && c.Hides[name]
	}
	for _, uses := range []map[string]bool{u.Signature, u.Body} {
		for name := range uses {
			switch e := c.Scope.Lookup(name); {
			case hidden(name):
				plain := strings.TrimPrefix(name, spell.TypeMark)
				other[plain] = spell.TypeMark + plain
			case spell.OfGo(name) && !c.OwnNames[name] && (c.Vars[name] != nil || e != nil && e.Kind == scope.Var):
				other[name] = spell.NewMark + name
			}
		}
	}
	if plain := strings.TrimPrefix(u.Recv, spell.TypeMark); u.Recv != "" && hidden(u.Recv) {
		other[plain] = spell.TypeMark + plain
	}
	if u.Kind == scope.Type {
		if plain, isMarked := strings.CutPrefix(u.Names[0], spell.TypeMark); isMarked || kind == passFinal && c.Hides[plain] {
			own = plain
		}
	}
	return other, own
}
