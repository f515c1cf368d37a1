package cell

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"go/types"
	"sort"
	"strconv"
	"strings"
)

type fileKind int

const (
	declFile fileKind = iota // the cell's declarations
	stmtFile                 // the cell's statements
	varFile                  // variables, one a line
	unitFile                 // a declaration of an earlier cell
)

// A rendered text knows where each byte came from.
type rendered struct {
	text string
	back func(int) int
}

// A file is one source file of the package that is checked.
type file struct {
	kind    fileKind
	name    string // the cell, for errors and //line
	line    int    // of the source's first line in the cell
	source  string
	body    string // what follows the prelude: what is checked, and generated from
	back    func(int) int
	prelude int
	unit    *unit
	vars    []string // of a varFile, the names by line
	ast     *ast.File
	tok     *token.File
}

const (
	runHead = "func " + runName + "() {"
	runTail = "\n}"
	runName = "ˣrun"
)

// span returns where a node stands in the file's source.
func (f *file) span(n ast.Node) (start, end int) {
	s, e := f.offsets(n)
	return f.back(s), f.back(e)
}

// offsets returns where a node stands in the file's body.
func (f *file) offsets(n ast.Node) (start, end int) {
	return f.offset(n.Pos()), f.offset(n.End())
}

func (f *file) offset(pos token.Pos) int {
	return max(0, min(f.tok.Offset(pos)-f.prelude, len(f.body)))
}

func (f *file) diagnose(pos token.Pos, msg string) Diagnostic {
	d := Diagnostic{Cell: f.name, Msg: plainNames.Replace(msg)}
	if !pos.IsValid() {
		return d
	}
	return f.at(f.back(f.offset(pos)), d)
}

// plainNames takes our marks and the package of all cells off the names in a message.
var plainNames = strings.NewReplacer("notebook.", "", "ˣold_", "", "Ħˣb_", "", "Ħˣm_", "", "Ħ", "", "ˣ", "")

// at completes a diagnostic with the place of a source offset.
func (f *file) at(off int, d Diagnostic) Diagnostic {
	off = min(off, len(f.source))
	// The end of the text is reported on its last line.
	for off > 0 && off == len(f.source) && f.source[off-1] == '\n' {
		off--
	}
	begin := strings.LastIndexByte(f.source[:off], '\n') + 1
	end := len(f.source)
	if i := strings.IndexByte(f.source[off:], '\n'); i >= 0 {
		end = off + i
	}
	d.Line = f.line + strings.Count(f.source[:off], "\n")
	d.Col = off - begin + 1
	d.Source = f.source[begin:end]
	return d
}

// parseChunks reports the syntax errors of a cell.
func parseChunks(name string, text []byte, chunks []chunk) error {
	c := &check{nb: New(nil), src: Source{Name: name, Text: string(text)}, text: text, chunks: chunks}
	if _, err := c.parse(name, c.declText(nil), "", ""); err != nil {
		return err
	}
	if _, err := c.parse(name, c.part(func(ch chunk) bool { return ch.tok == token.IMPORT }, nil), "", ""); err != nil {
		return err
	}
	_, err := c.parse(name, c.stmtText(nil), runHead, runTail)
	return err
}

// declText is the cell with everything but its declarations blank.
func (c *check) declText(more func(*editor)) rendered {
	return c.part(func(ch chunk) bool { return ch.isDecl() && ch.tok != token.IMPORT }, more)
}

// stmtText is the cell with everything but its statements blank.
func (c *check) stmtText(more func(*editor)) rendered {
	return c.part(func(ch chunk) bool { return !ch.isDecl() }, more)
}

func (c *check) part(keep func(chunk) bool, more func(*editor)) rendered {
	ed := &editor{text: c.text}
	at := 0
	for _, ch := range c.chunks {
		if !keep(ch) {
			continue
		}
		c.blankGap(ed, at, ch)
		at = ch.end
		if ch.semi {
			at++
		}
	}
	ed.blank(at, len(c.text))
	base, _ := ed.render(0, len(c.text)) // the same length
	ed = &editor{text: []byte(base)}
	if more != nil {
		more(ed)
	}
	text, back := ed.render(0, len(base))
	return rendered{text, back}
}

// blankGap blanks what stands before a chunk, but for the line comments above a
// declaration: they may be directives such as //go:noinline.
func (c *check) blankGap(ed *editor, from int, ch chunk) {
	start := ch.start
	if ch.isDecl() {
		line := bytes.LastIndexByte(c.text[:ch.start], '\n') + 1
		for line > from && len(bytes.TrimSpace(c.text[line:start])) == 0 {
			prev := bytes.LastIndexByte(c.text[:line-1], '\n') + 1
			if prev < from || !bytes.HasPrefix(bytes.TrimSpace(c.text[prev:line]), []byte("//")) {
				break
			}
			start, line = prev, prev
		}
	}
	ed.blank(from, start)
}

// parse parses a piece of the cell.
func (c *check) parse(name string, r rendered, head, tail string) (*file, error) {
	f := &file{name: name, line: 1, source: string(c.text), body: r.text, back: r.back}
	return f, c.parseFile(f, "", head, tail)
}

func (c *check) parseFile(f *file, imports, head, tail string) error {
	prelude := "package notebook;" + imports + head
	f.prelude = len(prelude)
	// SkipObjectResolution is off: findImports reads File.Unresolved.
	parsed, err := parser.ParseFile(c.nb.fset, f.name, prelude+f.body+tail, parser.ParseComments)
	if parsed != nil {
		f.ast = parsed
		f.tok = c.nb.fset.File(parsed.FileStart)
	}
	if err == nil {
		return nil
	}
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return err
	}
	var ds []Diagnostic
	for _, e := range list {
		off := max(0, min(e.Pos.Offset-f.prelude, len(f.body)))
		ds = append(ds, f.at(f.back(off), Diagnostic{Cell: f.name, Msg: syntaxMessage(e.Msg)}))
	}
	return &Error{Diagnostics: trim(ds)}
}

func syntaxMessage(msg string) string {
	return "syntax error: " + strings.TrimPrefix(msg, "syntax error: ")
}

// addImport records an import declaration of the cell.
func (c *check) addImport(f *file, s *ast.ImportSpec) error {
	path, err := strconv.Unquote(s.Path.Value)
	if err != nil || path == "" {
		return &Error{Diagnostics: []Diagnostic{f.diagnose(s.Pos(), "import path "+s.Path.Value+" is not a string")}}
	}
	if path == "C" {
		return &Error{Diagnostics: []Diagnostic{f.diagnose(s.Pos(), `import "C" is not supported in a cell yet; put the C code in a package of a module and import that`)}}
	}
	name := "?" + path
	if s.Name != nil {
		name = s.Name.Name
	}
	switch name {
	case "_":
		c.blank = append(c.blank, path)
		return nil
	case ".":
		c.dots[path] = true
		return nil
	}
	c.imports[name] = path
	c.imported[name] = true
	return nil
}

// selectorBases finds the names x in x.Sel that nothing in the file declares,
// and what is selected from each.
func selectorBases(f *ast.File) map[string][]string {
	unresolved := map[*ast.Ident]bool{}
	for _, id := range f.Unresolved {
		unresolved[id] = true
	}
	bases := map[string][]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && unresolved[id] {
				bases[id.Name] = append(bases[id.Name], s.Sel.Name)
			}
		}
		return true
	})
	return bases
}

// passed is the result of checking the whole package once.
type passed struct {
	pkg   *types.Package
	info  *types.Info
	files []*file
	errs  []passError
	old   map[types.Object]string // objects under another name: what the name stood for before
}

type passError struct {
	Diagnostic
	file *file
}

type passKind int

const (
	passFirst passKind = iota // variables are local to the statements, bodies are left out
	passFinal                 // variables are package-level
)

// pass checks the package that the cell becomes.
func (c *check) pass(kind passKind, first *passed) *passed {
	p := &passed{
		pkg: types.NewPackage(notebookPath, "notebook"),
		info: &types.Info{
			Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{},
			Uses: map[*ast.Ident]types.Object{}, Selections: map[*ast.SelectorExpr]*types.Selection{},
			Implicits: map[ast.Node]types.Object{}, Instances: map[*ast.Ident]types.Instance{},
		},
		old: map[types.Object]string{},
	}
	again := map[string]bool{}
	for u := range c.rebody {
		if u.recv == "" {
			again[u.names[0]] = true
		}
	}
	for name, e := range c.nb.names {
		if c.ownNames[name] || c.rehome[name] != nil || c.moved[name] != nil || c.dropped[name] != "" ||
			c.imported[name] || again[name] && kind == passFinal || kind == passFinal && c.fresh[name] {
			continue
		}
		p.pkg.Scope().Insert(e.obj)
	}
	anySlice := types.NewSlice(types.Universe.Lookup("any").Type())
	helpers := []string{"ˣresult", "ˣuse", "ˣzero", "ˣmark"}
	for _, ch := range c.initChunks() {
		helpers = append(helpers, c.initName(ch.start))
	}
	for _, name := range helpers {
		sig := types.NewSignatureType(nil, nil, nil, types.NewTuple(types.NewVar(0, p.pkg, "", anySlice)), nil, true)
		p.pkg.Scope().Insert(types.NewFunc(0, p.pkg, name, sig))
	}

	add := func(f *file, head, tail string) {
		imports := c.preludeImports(f, head, tail)
		if err := c.parseFile(f, imports, head, tail); err != nil {
			var e *Error
			if errors.As(err, &e) {
				for _, d := range e.Diagnostics {
					p.errs = append(p.errs, passError{d, f})
				}
			}
			return
		}
		c.wrapOldTypes(f.ast)
		if kind == passFirst && f.kind != stmtFile {
			for _, d := range f.ast.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok {
					fn.Body = nil
				}
			}
		}
		p.files = append(p.files, f)
	}
	cellFile := func(k fileKind, r rendered) *file {
		return &file{kind: k, name: c.src.Name, line: 1, source: string(c.text), body: r.text, back: r.back}
	}
	add(cellFile(declFile, c.declText(c.editDecls)), "", "")
	if kind == passFirst {
		add(cellFile(stmtFile, c.stmtText(c.editFirst)), runHead, c.useAll()+runTail)
	} else {
		add(cellFile(stmtFile, c.stmtText(func(ed *editor) { c.editFinal(ed, first) })), runHead, runTail)
		for name := range c.fresh {
			if e := c.nb.names[name]; e != nil && e.kind == kVar && c.moved[name] == nil {
				v := types.NewVar(e.obj.Pos(), e.obj.Pkg(), "ˣold_"+name, e.obj.Type())
				p.pkg.Scope().Insert(v)
				p.old[v] = name
			}
		}
	}
	for _, u := range c.rehomed() {
		add(c.unitFile(u, u.text), "", "")
	}
	if kind == passFinal {
		for _, u := range c.rebodied() {
			text := u.text
			if u.recv != "" {
				text = asFunc(text)
			}
			add(c.unitFile(u, text), "", "")
		}
	}
	if f, imports := c.varFile(kind); f != nil {
		if err := c.parseFile(f, imports, "", ""); err == nil {
			p.files = append(p.files, f)
		} else {
			p.errs = append(p.errs, passError{Diagnostic{Cell: c.src.Name, Msg: err.Error()}, f})
		}
	}

	byTok := map[*token.File]*file{}
	var files []*ast.File
	for _, f := range p.files {
		files = append(files, f.ast)
		byTok[f.tok] = f
	}
	conf := types.Config{
		Importer:  c.nb.pk,
		GoVersion: "go1.26",
		Sizes:     sizes,
		Error: func(err error) {
			e := err.(types.Error)
			f := byTok[c.nb.fset.File(e.Pos)]
			if f == nil || ignored(e.Msg) || kind == passFirst && f.kind != stmtFile && bodiless(e.Msg) {
				return
			}
			p.errs = append(p.errs, passError{f.diagnose(e.Pos, explain(e.Msg)), f})
		},
	}
	types.NewChecker(&conf, c.nb.fset, p.pkg, p.info).Files(files)
	return p
}

// wrapOldTypes puts the A of "type B A" in parentheses when an earlier cell
// declared A: go/types looks for cycles among names alone, and fails on one that
// is in the package's scope but not in its files (Checker.directCycle, Go 1.26).
func (c *check) wrapOldTypes(f *ast.File) {
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			ts := s.(*ast.TypeSpec)
			if id, ok := ts.Type.(*ast.Ident); ok && c.nb.names[id.Name] != nil {
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
		strings.HasPrefix(msg, "implicit assignment to unexported field") && strings.Contains(msg, "of type "+notebookPath+".")
}

func bodiless(msg string) bool {
	return strings.Contains(msg, "missing function body") || strings.Contains(msg, "must have a body") || strings.Contains(msg, "missing return")
}

// explain adds what to try to messages that a person new to Go may not read.
func explain(msg string) string {
	if strings.HasSuffix(msg, "is not used") && !strings.HasPrefix(msg, "declared") {
		return msg + "; only the cell's last line shows its value: move it there, or print it"
	}
	return msg
}

func errName(n int) string { return "ˣe" + strconv.Itoa(n) }

// useAll uses every variable that the statements define, so that the checker
// does not ask for a use within this cell.
func (c *check) useAll() string {
	var b strings.Builder
	for _, t := range c.top {
		for _, d := range t.defs {
			b.WriteString("\n_ = " + d)
		}
	}
	return b.String()
}

// editFirst prepares the statements for the first pass.
func (c *check) editFirst(ed *editor) { c.editTop(ed, true) }

func (c *check) editTop(ed *editor, first bool) {
	for i, t := range c.top {
		if t.last && len(t.defs) == 0 && (t.value || c.isPlainExpr(t)) {
			if t.hide {
				ed.insert(t.start, "_ = ")
			} else {
				ed.insert(t.start, "ˣresult(")
				ed.insert(t.end, ")")
			}
		}
		if n, ok := c.fixErr[i]; ok {
			c.takeError(ed, t, n, first)
		}
	}
}

// takeError puts the results of a call in variables of our own, takes the
// error, and only then gives the others to those that the statement names: a
// call that fails leaves them as they were.
//
//	x := f()    becomes    ˣv0_0, ˣe0 := f(); ˣuse(ˣe0); x := ˣv0_0
func (c *check) takeError(ed *editor, t *topStmt, n int, first bool) {
	s, off := c.parseTop(t)
	var lhs, op string
	var names int
	var call token.Pos
	switch s := s.(type) {
	case *ast.AssignStmt:
		names, call = len(s.Lhs), s.Rhs[0].Pos()
		lhs = string(c.text[off(s.Lhs[0].Pos()):off(s.Lhs[names-1].End())])
		op = " " + s.Tok.String() + " "
	case *ast.DeclStmt:
		vs := s.Decl.(*ast.GenDecl).Specs[0].(*ast.ValueSpec)
		names, call = len(vs.Names), vs.Values[0].Pos()
		lhs = string(c.text[off(vs.Pos()):off(vs.Names[names-1].End())])
		op = " := "
	default:
		return
	}
	if !first || strings.Trim(lhs, "_, ") == "" {
		op = " = "
	}
	var own strings.Builder
	var list []string
	for i := range names {
		list = append(list, fmt.Sprintf("ˣv%d_%d", n, i))
		own.WriteString(list[i] + ", ")
	}
	ed.replace(t.start, off(call), own.String()+errName(n)+" := ")
	ed.insert(t.end, "; ˣuse("+errName(n)+"); "+lhs+op+strings.Join(list, ", "))
}

// parseTop parses one statement alone.
func (c *check) parseTop(t *topStmt) (ast.Stmt, func(token.Pos) int) {
	const head = "package p; func _() {"
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", head+string(c.text[t.start:t.end])+"\n}", parser.SkipObjectResolution)
	if err != nil || len(f.Decls) == 0 {
		return nil, nil
	}
	fn := f.Decls[0].(*ast.FuncDecl)
	if len(fn.Body.List) == 0 {
		return nil, nil
	}
	tf := fset.File(f.FileStart)
	return fn.Body.List[0], func(p token.Pos) int { return tf.Offset(p) - len(head) + t.start }
}

// isPlainExpr reports whether the statement is an expression that Go does not
// allow as a statement: anything but a call or a receive.
func (c *check) isPlainExpr(t *topStmt) bool {
	s, _ := c.parseTop(t)
	es, ok := s.(*ast.ExprStmt)
	if !ok {
		return false
	}
	switch x := ast.Unparen(es.X).(type) {
	case *ast.CallExpr:
		return false
	case *ast.UnaryExpr:
		return x.Op != token.ARROW
	}
	return true
}

// editFinal turns definitions into assignments, since the variables are
// package-level now, and names the old value where it is meant.
func (c *check) editFinal(ed *editor, first *passed) {
	c.editTop(ed, false)
	for _, ch := range c.initChunks() {
		ed.insert(ch.start, c.initName(ch.start)+"();")
	}
	for i, t := range c.top {
		if len(t.defs)+len(t.sets) > 0 {
			ed.insert(t.end, "; ˣmark("+strconv.Itoa(i+1)+")")
		}
	}
	for i, t := range c.top {
		if _, taken := c.fixErr[i]; taken || len(t.defs) == 0 {
			continue
		}
		s, off := c.parseTop(t)
		switch s := s.(type) {
		case *ast.AssignStmt:
			ed.replace(off(s.TokPos), off(s.TokPos)+2, " =")
		case *ast.DeclStmt:
			g := s.Decl.(*ast.GenDecl)
			ed.blank(off(g.TokPos), off(g.TokPos)+3)
			if g.Lparen.IsValid() {
				ed.blank(off(g.Lparen), off(g.Lparen)+1)
				ed.blank(off(g.Rparen), off(g.Rparen)+1)
			}
			for _, sp := range g.Specs {
				vs := sp.(*ast.ValueSpec)
				if len(vs.Values) == 0 {
					names := make([]string, 0, len(vs.Names))
					for _, n := range vs.Names {
						if n.Name != "_" {
							names = append(names, "&"+n.Name)
						}
					}
					for i := range names {
						names[i] = "ˣzero(" + names[i] + ")"
					}
					ed.insert(off(vs.Pos()), strings.Join(names, "; "))
					ed.blank(off(vs.Pos()), off(vs.End()))
				} else if vs.Type != nil {
					ed.blank(off(vs.Type.Pos()), off(vs.Type.End()))
				}
			}
		}
	}
	for _, r := range c.oldRefs(first) {
		ed.insert(r, "ˣold_")
	}
}

// oldRefs finds the places in the statements that mean a variable as it was
// before this cell defines it with another type.
func (c *check) oldRefs(first *passed) []int {
	var at []int
	for _, f := range first.files {
		if f.kind != stmtFile {
			continue
		}
		for id, obj := range first.info.Uses {
			if c.nb.fset.File(id.Pos()) == f.tok && c.fresh[id.Name] && c.moved[id.Name] == nil {
				if e := c.nb.names[id.Name]; e != nil && e.obj == obj {
					start, _ := f.span(id)
					at = append(at, start)
				}
			}
		}
	}
	sort.Ints(at)
	return at
}

// editDecls leaves out the declarations that did not change, and turns methods
// that only get a new body into functions.
func (c *check) editDecls(ed *editor) {
	for _, r := range c.unchanged {
		ed.blank(r[0], r[1])
	}
	for _, ch := range c.chunks {
		if ch.tok != token.FUNC {
			continue
		}
		text := string(c.text[ch.start:ch.end])
		for u := range c.rebody {
			if u.recv != "" && u.text == text {
				for _, e := range asFuncEdits(text) {
					ed.replace(ch.start+e.start, ch.start+e.end, e.text)
				}
				break
			}
		}
	}
}

// initChunks are the cell's init functions, which run where they stand.
func (c *check) initChunks() []chunk {
	var list []chunk
	for _, ch := range c.chunks {
		if ch.tok == token.FUNC && strings.HasPrefix(strings.TrimLeft(string(c.text[ch.start+len("func"):ch.end]), " \t"), "init") {
			rest := strings.TrimLeft(string(c.text[ch.start+len("func"):ch.end]), " \t")
			name, _, _ := strings.Cut(rest, "(")
			if name = strings.TrimSpace(name); name == "init" || strings.HasPrefix(name, "init_") {
				list = append(list, ch)
			}
		}
	}
	return list
}

// asFunc turns the text of a method into that of a function whose first
// parameter is the receiver: func (p *T) m(x int) becomes func Ħˣm_T_m(p *T, x int).
func asFunc(text string) string {
	ed := &editor{text: []byte(text), edits: asFuncEdits(text)}
	s, _ := ed.render(0, len(text))
	return s
}

func asFuncEdits(text string) []edit {
	const head = "package p;"
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", head+text, parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	fn := f.Decls[0].(*ast.FuncDecl)
	off := func(p token.Pos) int { return fset.Position(p).Offset - len(head) }
	recv, _ := receiver(fn.Recv.List[0].Type)
	name := "_"
	if n := fn.Recv.List[0].Names; len(n) > 0 {
		name = n[0].Name
	}
	typ := text[off(fn.Recv.List[0].Type.Pos()):off(fn.Recv.List[0].Type.End())]
	sep := ""
	if len(fn.Type.Params.List) > 0 {
		sep = ", "
	}
	open := off(fn.Type.Params.Opening)
	edits := []edit{{off(fn.Recv.Opening), open + 1, methodFunc(recv, fn.Name.Name) + "(" + name + " " + typ + sep}}
	for _, p := range fn.Type.Params.List {
		if len(p.Names) == 0 {
			edits = append(edits, edit{off(p.Pos()), off(p.Pos()), "_ "})
		}
	}
	return edits
}

func methodFunc(recv, name string) string { return "Ħˣm_" + recv + "_" + name }

// rehomed lists the units that are declared again, types with their methods.
func (c *check) rehomed() []*unit {
	seen := map[*unit]bool{}
	var list []*unit
	for _, name := range sortedKeys(c.rehome) {
		e := c.rehome[name]
		if !seen[e.unit] {
			seen[e.unit] = true
			list = append(list, e.unit)
		}
	}
	for _, name := range sortedKeys(c.nb.names) {
		e := c.nb.names[name]
		if e.kind != kType || c.rehome[name] == nil && !c.ownType(name) {
			continue
		}
		for _, m := range sortedKeys(e.methods) {
			if !c.ownMethod(name, m) && c.dropped[name+"."+m] == "" {
				list = append(list, e.methods[m])
			}
		}
	}
	return list
}

func (c *check) ownType(name string) bool {
	for _, u := range c.own {
		if u.kind == kType && u.names[0] == name {
			return true
		}
	}
	return false
}

// rebodied lists the units of earlier cells whose body alone is compiled.
func (c *check) rebodied() []*unit {
	var list []*unit
	for u := range c.rebody {
		mine := false
		for _, o := range c.own {
			mine = mine || o == u
		}
		name := u.names[0]
		if u.recv != "" {
			name = u.recv + "." + name
		}
		if !mine && c.dropped[name] == "" {
			list = append(list, u)
		}
	}
	sort.Slice(list, func(i, j int) bool {
		return list[i].recv+"."+list[i].names[0] < list[j].recv+"."+list[j].names[0]
	})
	return list
}

func (c *check) unitFile(u *unit, text string) *file {
	source := u.text
	back := func(i int) int { return i }
	if text != source { // a method as a function: only its first line moved
		shift := len(text) - len(source)
		back = func(i int) int { return max(0, i-shift) }
	}
	if u.kind == kConst {
		// Names of the group that mean something else by now are left out.
		text = c.blankOthers(u, text)
	}
	return &file{kind: unitFile, name: u.cell, line: u.line, source: source, body: text, back: back, unit: u}
}

// blankOthers replaces the names of a const group that it no longer declares by _.
func (c *check) blankOthers(u *unit, text string) string {
	const head = "package p;"
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "", head+text, parser.SkipObjectResolution)
	if err != nil {
		return text
	}
	ed := &editor{text: []byte(text)}
	for _, s := range f.Decls[0].(*ast.GenDecl).Specs {
		for _, n := range s.(*ast.ValueSpec).Names {
			if e := c.nb.names[n.Name]; e == nil || e.unit != u || c.ownNames[n.Name] {
				off := fset.Position(n.Pos()).Offset - len(head)
				ed.replace(off, off+len(n.Name), "_"+strings.Repeat(" ", len(n.Name)-1))
			}
		}
	}
	s, _ := ed.render(0, len(text))
	return s
}

// preludeImports writes the imports that a file needs, on its first line.
func (c *check) preludeImports(f *file, head, tail string) string {
	imports := c.imports
	if f.unit != nil && f.kind == unitFile {
		imports = f.unit.imports
	}
	if err := c.parseFile(f, "", head, tail); err != nil {
		return ""
	}
	var b strings.Builder
	bases := selectorBases(f.ast)
	for _, name := range sortedKeys(bases) {
		if path := imports[name]; path != "" && !c.shadows(name) {
			fmt.Fprintf(&b, "import %s %q;", name, path)
		}
	}
	for _, path := range sortedKeys(c.dots) {
		if c.needsDot(f.ast, path) {
			fmt.Fprintf(&b, "import . %q;", path)
		}
	}
	return b.String()
}

// needsDot reports whether a file uses a name that only a dot import declares.
func (c *check) needsDot(f *ast.File, path string) bool {
	p, err := c.nb.pk.Import(path)
	if err != nil {
		return false
	}
	for _, id := range f.Unresolved {
		if id.IsExported() && c.nb.names[id.Name] == nil && !c.ownNames[id.Name] && !c.fresh[id.Name] && p.Scope().Lookup(id.Name) != nil {
			return true
		}
	}
	return false
}

// shadows reports whether a declaration of the notebook hides the import of a
// name.
func (c *check) shadows(name string) bool {
	return c.ownNames[name] || c.fresh[name] || c.nb.names[name] != nil && !c.imported[name]
}

// varFile declares the variables that the package defines, one a line.
func (c *check) varFile(kind passKind) (*file, string) {
	names := map[string]types.Type{}
	for name, e := range c.moved {
		if c.dropped[name] == "" {
			names[name] = e.obj.Type()
		}
	}
	if kind == passFinal {
		for name := range c.fresh {
			names[name] = c.vars[name]
		}
	}
	if len(names) == 0 {
		return nil, ""
	}
	f := &file{kind: varFile, name: c.src.Name, line: 1, back: func(i int) int { return 0 }}
	aliases := map[string]string{}
	tp := c.checkPrinter(aliases)
	var b strings.Builder
	for _, name := range sortedKeys(names) {
		fmt.Fprintf(&b, "\nvar %s %s", name, tp.String(names[name]))
		f.vars = append(f.vars, name)
	}
	f.body = b.String()
	var imports strings.Builder
	for _, path := range sortedKeys(aliases) {
		fmt.Fprintf(&imports, "import %s %q;", aliases[path], path)
	}
	return f, imports.String()
}

// checkPrinter writes types as the checked package names them.
func (c *check) checkPrinter(aliases map[string]string) *typePrinter {
	return &typePrinter{
		pkg:  aliasFor(aliases),
		name: func(t *types.TypeName) string { return t.Name() },
		anon: func(*types.Struct) (string, bool) { return "", false },
	}
}

func aliasFor(aliases map[string]string) func(*types.Package) string {
	return func(p *types.Package) string {
		if aliases[p.Path()] == "" {
			aliases[p.Path()] = "ˣi" + strconv.Itoa(len(aliases))
		}
		return aliases[p.Path()]
	}
}

// infer finds the types of the variables that the statements define.
func (c *check) infer() (*passed, error) {
	for {
		c.fresh = map[string]bool{}
		p := c.pass(passFirst, nil)
		if c.takeErrors(p) || c.takeValue(p) {
			continue
		}
		var ds []Diagnostic
		for _, e := range p.errs {
			if e.file.kind == stmtFile || e.file.kind == declFile {
				ds = append(ds, e.Diagnostic)
			}
		}
		if len(ds) > 0 {
			return nil, &Error{Diagnostics: trim(ds)}
		}
		for _, f := range p.files {
			if f.kind != stmtFile {
				continue
			}
			if err := c.variables(p, f); err != nil {
				return nil, err
			}
		}
		return p, nil
	}
}

// takeValue finds out whether the last line is a call that only gives a value:
// a conversion, or a builtin such as len.
func (c *check) takeValue(p *passed) bool {
	if len(c.top) == 0 {
		return false
	}
	t := c.top[len(c.top)-1]
	if !t.last || t.value {
		return false
	}
	for _, f := range p.files {
		if f.kind != stmtFile {
			continue
		}
		for _, st := range f.ast.Decls[len(f.ast.Decls)-1].(*ast.FuncDecl).Body.List {
			es, ok := st.(*ast.ExprStmt)
			if start, _ := f.span(st); !ok || start != t.start {
				continue
			}
			call, ok := ast.Unparen(es.X).(*ast.CallExpr)
			if !ok {
				continue
			}
			fun := p.info.Types[call.Fun]
			t.value = fun.IsType() || fun.IsBuiltin() && !p.info.Types[call].IsVoid() && p.info.Types[call].Type != nil
			if id, ok := call.Fun.(*ast.Ident); ok && (id.Name == "copy" || id.Name == "recover" || id.Name == "ˣresult") {
				t.value = false
			}
		}
	}
	return t.value
}

// variables records the types of the top-level variables.
func (c *check) variables(p *passed, f *file) error {
	body := f.ast.Decls[len(f.ast.Decls)-1].(*ast.FuncDecl).Body
	record := func(id *ast.Ident) error {
		obj, ok := p.info.Defs[id].(*types.Var)
		if !ok || id.Name == "_" || strings.HasPrefix(id.Name, "ˣ") {
			return nil
		}
		tp := c.checkPrinter(map[string]string{})
		tp.String(obj.Type())
		if tp.err != nil {
			return &Error{Diagnostics: []Diagnostic{f.diagnose(id.Pos(), fmt.Sprintf(
				"%s cannot be kept for later cells: %v; use it inside a function, or give it an interface type", id.Name, tp.err))}}
		}
		if c.ownNames[id.Name] {
			return &Error{Diagnostics: []Diagnostic{f.diagnose(id.Pos(), fmt.Sprintf(
				"%s is declared twice in this cell, as a variable and as something else; rename one", id.Name))}}
		}
		c.vars[id.Name] = obj.Type()
		e := c.nb.names[id.Name]
		if e != nil && e.kind == kVar && c.moved[id.Name] == nil && types.Identical(e.obj.Type(), obj.Type()) && c.homed(obj.Type()) {
			return nil // the same variable gets a new value
		}
		c.fresh[id.Name] = true
		if e != nil {
			c.changed[id.Name] = true
		}
		return nil
	}
	for _, st := range body.List {
		switch st := st.(type) {
		case *ast.AssignStmt:
			if st.Tok != token.DEFINE {
				continue
			}
			for _, l := range st.Lhs {
				if id, ok := l.(*ast.Ident); ok {
					if err := record(id); err != nil {
						return err
					}
				}
			}
		case *ast.DeclStmt:
			g := st.Decl.(*ast.GenDecl)
			if g.Tok != token.VAR {
				continue
			}
			for _, sp := range g.Specs {
				for _, id := range sp.(*ast.ValueSpec).Names {
					if err := record(id); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// homed reports whether the type has no struct without a name that holds
// unexported fields: such types of two packages are never one.
func (c *check) homed(t types.Type) bool {
	ok := true
	var walk func(types.Type)
	walk = func(t types.Type) {
		switch t := t.(type) {
		case *types.Struct:
			for i := range t.NumFields() {
				ok = ok && t.Field(i).Exported()
				walk(t.Field(i).Type())
			}
		case *types.Pointer:
			walk(t.Elem())
		case *types.Slice:
			walk(t.Elem())
		case *types.Array:
			walk(t.Elem())
		case *types.Map:
			walk(t.Key())
			walk(t.Elem())
		case *types.Chan:
			walk(t.Elem())
		}
	}
	walk(t)
	return ok
}

// takeErrors finds statements that leave out the error of a call, and reports
// whether there are new ones.
func (c *check) takeErrors(p *passed) bool {
	found := false
	for _, f := range p.files {
		if f.kind != stmtFile {
			continue
		}
		body := f.ast.Decls[len(f.ast.Decls)-1].(*ast.FuncDecl).Body
		for _, st := range body.List {
			var lhs int
			var rhs []ast.Expr
			switch st := st.(type) {
			case *ast.AssignStmt:
				if st.Tok != token.DEFINE && st.Tok != token.ASSIGN {
					continue
				}
				lhs, rhs = len(st.Lhs), st.Rhs
			case *ast.DeclStmt:
				g := st.Decl.(*ast.GenDecl)
				if g.Tok != token.VAR || len(g.Specs) != 1 {
					continue
				}
				vs := g.Specs[0].(*ast.ValueSpec)
				if vs.Type != nil {
					continue
				}
				lhs, rhs = len(vs.Names), vs.Values
			}
			if len(rhs) != 1 {
				continue
			}
			call, ok := ast.Unparen(rhs[0]).(*ast.CallExpr)
			if !ok {
				continue
			}
			tuple, ok := p.info.Types[call].Type.(*types.Tuple)
			if !ok || tuple.Len() != lhs+1 || !isError(tuple.At(lhs).Type()) {
				continue
			}
			start, _ := f.span(st)
			for i, t := range c.top {
				if _, done := c.fixErr[i]; t.start == start && !done {
					c.fixErr[i] = len(c.fixErr)
					found = true
				}
			}
		}
	}
	return found
}
