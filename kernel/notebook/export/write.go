package export

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/listing"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// A writer writes a model as Go.
type writer struct {
	m        *model
	title    string
	markdown map[int][]string // what stands in Markdown cells before a cell, by the cell's place
	places   []int            // of the cells
	rest     []string         // Markdown after the last cell

	imports map[string]string // path → name; "" where it is the package's own
	helpers map[string]bool   // functions of the program's own that are needed
	names   map[string]string // the program's own names, as they are free
	err     bool              // a variable for errors must be declared ahead
	dl      bool              // cells use dl
	body    bytes.Buffer
	decls   bytes.Buffer
	vars    bytes.Buffer
	funcs   bytes.Buffer // cells that are functions of their own
	broken  error
}

// An edit replaces the text between two offsets.
type edit struct {
	start, end int
	text       string
}

// apply returns text[start:end] with the edits inside it.
func apply(text string, start, end int, edits []edit) string {
	slices.SortStableFunc(edits, func(a, b edit) int { return a.start - b.start })
	var b strings.Builder
	at := start
	for _, e := range edits {
		if e.start < at || e.end > end {
			continue
		}
		b.WriteString(text[at:e.start] + e.text)
		at = e.end
	}
	b.WriteString(text[at:end])
	return b.String()
}

// own is the name of a function that only the program has.
func (w *writer) own(name string) string {
	if w.names[name] == "" {
		w.names[name] = w.m.free(name)
	}
	return w.names[name]
}

// local is the name of a variable that only the program has. A function of the
// notebook may use it for itself.
func (w *writer) local(name string) string {
	if w.names[name] == "" {
		w.names[name] = name
		if w.m.given[name] {
			w.names[name] = w.m.free(name)
		}
	}
	return w.names[name]
}

// pkg returns the name of a package for the program's own use.
func (w *writer) pkg(path string) string {
	base := path[strings.LastIndexByte(path, '/')+1:]
	return w.imported(base, path)
}

// imported returns the name under which a package that cells call name is
// imported.
func (w *writer) imported(name, path string) string {
	if known, ok := w.imports[path]; ok {
		return known
	}
	as := name
	for _, used := range w.imports {
		if used == as {
			as = w.m.free(name + "pkg")
		}
	}
	if w.m.given[as] { // a variable or function of the notebook has the name
		as = w.m.free(name + "pkg")
	}
	w.imports[path] = as
	return as
}

// renames are the edits that give names in a text the names of the program.
func (w *writer) renames(uses []listing.Use, meaning func(listing.Use) *entity) []edit {
	var list []edit
	for _, u := range uses {
		switch e := meaning(u); {
		case u.Dot:
			list = append(list, edit{u.Start, u.Start, w.pkg(u.Path) + "."})
		case u.Path != "":
			if as := w.imported(u.Name, u.Path); as != u.Name {
				list = append(list, edit{u.Start, u.End, as})
			}
		case e != nil && e.goName != u.Name:
			list = append(list, edit{u.Start, u.End, e.goName})
		}
	}
	return list
}

// typeString writes a variable's type.
func (w *writer) typeString(e *entity) string {
	s, err := listing.TypeString(e.version.Obj.Type(), func(p *types.Package) string { return w.imported(p.Name(), p.Path()) },
		func(t *types.TypeName) string {
			if known := e.types[t]; known != nil {
				return known.goName
			}
			return t.Name()
		})
	if err != nil && w.broken == nil {
		w.broken = fmt.Errorf("export: the type of %s cannot be written: %w", e.name, err)
	}
	return s
}

// place finds out which variables must stand at package level: those that
// functions mention, and those of cells that are functions themselves.
func (w *writer) place() {
	global := func(e *entity) {
		if e != nil && e.version != nil && e.decl == nil {
			e.global = true
		}
	}
	for _, u := range w.m.units {
		if !u.isWritten() && !w.isEarlierBody(u) {
			continue
		}
		for _, e := range u.names {
			global(e)
		}
	}
	for _, c := range w.m.cells {
		if !c.separate {
			continue
		}
		for _, s := range c.listing.Stmts {
			for _, use := range s.Uses {
				global(c.meaning(use))
			}
			for _, name := range s.Defs {
				global(c.names[name])
			}
		}
	}
}

// isEarlierBody reports whether a method that was replaced is still an earlier body of
// the one in its place.
func (w *writer) isEarlierBody(u *unit) bool {
	for _, other := range w.m.units {
		if slices.Contains(other.earlier, u) {
			return true
		}
	}
	return false
}

// program writes main.go.
func (w *writer) program() ([]byte, error) {
	w.imports, w.helpers = map[string]string{}, map[string]bool{}
	w.vars.Reset()
	w.decls.Reset()
	w.body.Reset()
	w.funcs.Reset()
	w.place()
	// Names that cells use come first, so that they stay as they are.
	for _, c := range w.m.cells {
		for _, s := range c.listing.Stmts {
			w.renames(s.Uses, c.meaning)
		}
	}
	for _, u := range w.m.units {
		w.declare(u)
	}
	for i, c := range w.m.cells {
		w.text(w.markdown[w.places[i]])
		w.cell(c)
	}
	w.text(w.rest)
	for _, e := range w.m.all {
		if e.global {
			fmt.Fprintf(&w.vars, "%s %s\n", e.goName, w.typeString(e))
		}
	}
	if w.broken != nil {
		return nil, w.broken
	}
	run := w.own("runCells")
	fmtName, osName := w.pkg("fmt"), w.pkg("os")
	var b strings.Builder
	fmt.Fprintf(&b, "// Command %s does what the notebook of that name does.\n// Holt wrote it: holt export.\npackage main\n\nimport (\n", w.title)
	w.writeImports(&b)
	b.WriteString(")\n\n")
	if w.vars.Len() > 0 {
		fmt.Fprintf(&b, "// What functions of the notebook share with its cells.\nvar (\n%s)\n\n", w.vars.String())
	}
	fmt.Fprintf(&b, "func main() {\n")
	if w.dl {
		w.helpers["prepare"] = true
		fmt.Fprintf(&b, "%s()\n", w.own("prepare"))
	}
	call := run + "()"
	if w.helpers["musts"] {
		call = w.own("caught") + "(" + run + ")"
	}
	fmt.Fprintf(&b, "if err := %s; err != nil {\n%s.Fprintln(%s.Stderr, err)\n%s.Exit(1)\n}\n}\n\n", call, fmtName, osName, osName)
	fmt.Fprintf(&b, "// %s does what the cells do, in their order.\nfunc %s() error {\n", run, run)
	if w.err {
		fmt.Fprintf(&b, "var %s error\n", w.local("err"))
	}
	b.WriteString(strings.TrimLeft(w.body.String(), "\n"))
	b.WriteString("return nil\n}\n\n")
	b.WriteString(w.funcs.String())
	b.WriteString(w.decls.String())
	text, err := format.Source([]byte(b.String()))
	if err != nil {
		return nil, fmt.Errorf("export: the program does not parse: %w; please report the notebook\n%s", err, b.String())
	}
	return text, nil
}

// writeImports writes the imports, those of the standard library first.
func (w *writer) writeImports(b *strings.Builder) {
	var std, others []string
	add := func(path, line string) {
		if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
			others = append(others, line)
		} else {
			std = append(std, line)
		}
	}
	for _, path := range slices.Sorted(maps.Keys(w.imports)) {
		name := w.imports[path]
		if name == path[strings.LastIndexByte(path, '/')+1:] {
			name = ""
		}
		add(path, fmt.Sprintf("%s %q\n", name, path))
	}
	for _, path := range slices.Sorted(maps.Keys(w.m.blank)) {
		add(path, fmt.Sprintf("_ %q\n", path))
	}
	b.WriteString(strings.Join(std, "") + "\n" + strings.Join(others, ""))
}

// text writes Markdown as comments.
func (w *writer) text(cells []string) {
	for _, source := range cells {
		w.body.WriteByte('\n')
		for line := range strings.Lines(source) {
			line = strings.TrimRight(line, " \t\r\n")
			if line != "" {
				line = " " + line
			}
			w.body.WriteString("//" + line + "\n")
		}
	}
}

// declare writes a declaration of the notebook.
func (w *writer) declare(u *unit) {
	if !u.isWritten() {
		return
	}
	bodies := append(slices.Clone(u.earlier), u)
	// A method that recovers has its bodies inside of it, where dispatch writes them: recover works
	// in the function that is deferred, and not in one that it calls.
	inside := len(bodies) > 1 && slices.ContainsFunc(bodies, func(u *unit) bool { return u.decl.Recovers })
	for i, body := range bodies {
		if inside {
			break
		}
		d := body.decl
		text := body.text
		edits := w.renames(d.Uses, func(use listing.Use) *entity { return body.names[use.Name] })
		if d.Tok == token.FUNC && (u.renamed != "" || len(bodies) > 1) {
			name := u.renamed
			if name == "" {
				name = d.Names[0] + strconv.Itoa(i+1)
			}
			edits = append(edits, edit{d.Name, d.Name + len(d.Names[0]), name})
		}
		w.decls.WriteString(comment(text, d.Start))
		if d.Recv == "" {
			for _, e := range body.self {
				if e.again {
					fmt.Fprintf(&w.decls, "// %s is %s from cell %d on.\n", e.goName, spell.Written(e.name), e.cell.number)
				}
			}
		}
		if d.Group {
			w.decls.WriteString(d.Tok.String() + " ")
		}
		w.decls.WriteString(apply(text, d.Start, d.End, edits) + "\n\n")
	}
	if len(bodies) > 1 {
		w.dispatch(u, bodies, inside)
	}
}

// dispatch writes a method that has several bodies in the course of the notebook: it calls one
// of them, which are methods of their own, or has them inside.
func (w *writer) dispatch(u *unit, bodies []*unit, inside bool) {
	d := u.decl
	head, fn := w.head(u)
	if fn == nil {
		return
	}
	var names []edit // for parameters that have none
	n := 0
	name := func(field *ast.Field) []string {
		var list []string
		for _, id := range field.Names {
			if id.Name == "_" {
				n++
				names = append(names, edit{int(id.Pos()) - 1 - len(beforeHead), int(id.End()) - 1 - len(beforeHead), "a" + strconv.Itoa(n)})
				list = append(list, "a"+strconv.Itoa(n))
				continue
			}
			list = append(list, id.Name)
		}
		if len(field.Names) == 0 {
			n++
			at := int(field.Type.Pos()) - 1 - len(beforeHead)
			names = append(names, edit{at, at, "a" + strconv.Itoa(n) + " "})
			list = append(list, "a"+strconv.Itoa(n))
		}
		if _, variadic := field.Type.(*ast.Ellipsis); variadic {
			list[len(list)-1] += "..."
		}
		return list
	}
	recv := name(fn.Recv.List[0])[0]
	var args []string
	for _, field := range fn.Type.Params.List {
		args = append(args, name(field)...)
	}
	ret := ""
	if fn.Type.Results != nil && len(fn.Type.Results.List) > 0 {
		ret = "return "
	}
	fmt.Fprintf(&w.decls, "// %s has another body from cell %d on; %s says which one is meant.\n%s{\nswitch %s {\n",
		d.Names[0], bodies[1].cell.number, u.switched, apply(head, 0, len(head), names), u.switched)
	for i, body := range bodies {
		label := fmt.Sprintf("case %d:", i+1)
		if i == len(bodies)-1 {
			label = "default:"
		}
		if inside {
			fmt.Fprintf(&w.decls, "%s\n%s\n", label, w.insideBody(body, recv))
		} else {
			fmt.Fprintf(&w.decls, "%s\n%s%s.%s%d(%s)\n", label, ret, recv, d.Names[0], i+1, strings.Join(args, ", "))
		}
	}
	fmt.Fprintf(&w.decls, "}\n}\n\nvar %s = 1\n\n", u.switched)
}

// beforeHead makes a file of the head of a method and a body.
const beforeHead = "package p;"

// head is the head of a method with the program's names, as text and as Go; the latter is nil
// where it cannot be read, which ends the export.
func (w *writer) head(u *unit) (text string, fn *ast.FuncDecl) {
	text = w.part(u, u.decl.Start, u.decl.Body)
	f, err := parser.ParseFile(token.NewFileSet(), "", beforeHead+text+"{}", parser.SkipObjectResolution)
	if err != nil {
		w.broken = fmt.Errorf("export: the method %s cannot be read: %w", u.decl.Names[0], err)
		return "", nil
	}
	return text, f.Decls[0].(*ast.FuncDecl)
}

// part is a part of a declaration's text with the program's names.
func (w *writer) part(u *unit, from, to int) string {
	return apply(u.text, from, to, w.renames(u.decl.Uses, func(use listing.Use) *entity { return u.names[use.Name] }))
}

// insideBody is the body of a method as a block of another one, whose receiver is recv. Its
// parameters have the same names, since the signatures are the same text.
func (w *writer) insideBody(u *unit, recv string) string {
	block := w.part(u, u.decl.Body, u.decl.End)
	_, fn := w.head(u)
	if fn == nil || len(fn.Recv.List[0].Names) == 0 {
		return block
	}
	if own := fn.Recv.List[0].Names[0].Name; own != "_" && own != recv {
		return own + " := " + recv + "\n_ = " + own + "\n" + block // it may not mention it
	}
	return block
}

// comment is the comment that stands directly above an offset.
func comment(text string, at int) string {
	begin := strings.LastIndexByte(text[:at], '\n') + 1
	if strings.TrimSpace(text[begin:at]) != "" {
		return ""
	}
	start := begin
	for start > 0 {
		prev := strings.LastIndexByte(text[:start-1], '\n') + 1
		if !strings.HasPrefix(strings.TrimSpace(text[prev:start]), "//") {
			break
		}
		start = prev
	}
	return text[start:begin]
}

// An action is a statement of a cell, or a function that runs among them.
type action struct {
	start int
	stmt  *listing.Stmt
	call  *unit
}

// actions lists what a cell does, in order.
func (c *cellInfo) actions() []action {
	var list []action
	inOrder := true
	for i := range c.listing.Stmts {
		s := &c.listing.Stmts[i]
		inOrder = inOrder && (i == 0 || s.Start > c.listing.Stmts[i-1].Start)
		list = append(list, action{start: s.Start, stmt: s})
	}
	for at, u := range c.calls {
		list = append(list, action{start: at, call: u})
	}
	if inOrder {
		sort.SliceStable(list, func(i, j int) bool { return list[i].start < list[j].start })
	} else { // a var declaration runs before its place; functions of initialisation come first
		sort.SliceStable(list, func(i, j int) bool { return list[i].call != nil && list[j].call == nil })
	}
	return list
}
