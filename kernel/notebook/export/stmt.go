package export

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/scanner"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/gen"
	"github.com/holt-dl/holt/kernel/cell/listing"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// cell writes what a cell does.
func (w *writer) cell(c *cellInfo) {
	var b bytes.Buffer
	for _, write := range c.before {
		if code := write(); code != "" {
			b.WriteString(code + "\n")
		}
	}
	for _, k := range c.carried {
		w.carry(&b, k)
	}
	for _, u := range w.m.units {
		if u.cell == c && len(u.earlier) > 0 {
			fmt.Fprintf(&b, "%s = %d // %s.%s as this cell has it\n", u.switched, len(u.earlier)+1, u.decl.Recv, u.decl.Names[0])
		}
	}
	notes := c.comments()
	for _, s := range c.actions() {
		if s.call != nil {
			fmt.Fprintf(&b, "%s()\n", s.call.renamed)
			continue
		}
		b.WriteString(notes.before(s.stmt.Start))
		w.stmt(&b, c, s.stmt)
		b.WriteString(notes.behind(s.stmt.End))
		b.WriteByte('\n')
		if !c.separate {
			for _, name := range s.stmt.Defs {
				if e := c.names[name]; e.blank && !e.global {
					fmt.Fprintf(&b, "_ = %s\n", e.goName)
				}
			}
		}
	}
	b.WriteString(notes.rest())
	if c.main != nil {
		fmt.Fprintf(&b, "%s()\n", c.main.renamed)
	}
	if b.Len() == 0 {
		return
	}
	fmt.Fprintf(&w.body, "\n// Cell %d.\n", c.number)
	if !c.separate {
		w.body.Write(b.Bytes())
		return
	}
	name := w.own("cell" + strconv.Itoa(c.number))
	fmt.Fprintf(&w.body, "if err := %s(); err != nil {\nreturn err\n}\n", name)
	fmt.Fprintf(&w.funcs, "// %s does what cell %d does, which returns, defers or jumps.\nfunc %s() error {\n%sreturn nil\n}\n\n", name, c.number, name, b.String())
}

// carry writes a variable whose type was declared again: same memory, new type. One
// whose memory has another layout begins anew.
func (w *writer) carry(b *bytes.Buffer, k carry) {
	same := spell.SameLayout(k.from.version.Obj.Type(), k.to.version.Obj.Type())
	switch {
	case same:
		op := ":="
		if k.to.global {
			op = "="
		}
		fmt.Fprintf(b, "%s %s *(*%s)(%s.Pointer(&%s)) // %s keeps its value under the type that this cell declares again\n",
			k.to.goName, op, w.typeString(k.to), w.pkg("unsafe"), k.from.goName, k.to.name)
	case !k.to.global:
		fmt.Fprintf(b, "var %s %s\n", k.to.goName, w.typeString(k.to))
	}
	if k.to.blank && !k.to.global {
		fmt.Fprintf(b, "_ = %s\n", k.to.goName)
	}
}

// failed is the statement that ends the program with a cell's error.
func (w *writer) failed(c *cellInfo) string {
	return fmt.Sprintf("if %s != nil {\nreturn %s.Errorf(\"cell %d: %%w\", %s)\n}", w.local("err"), w.pkg("fmt"), c.number, w.local("err"))
}

// stmt writes one statement.
func (w *writer) stmt(b *bytes.Buffer, c *cellInfo, s *listing.Stmt) {
	text := c.listing.Text
	edits := append(w.around(s), w.renames(s.Uses, c.meaning)...)
	plain := func() string { return apply(text, s.Start, s.End, edits) }
	st, at := s.Node, s.Offset
	switch {
	case s.Unused:
		b.WriteString("_ = " + plain())
	case len(s.Results) > 0 && (s.Fails || s.Value):
		w.results(b, c, s, plain(), hasLiteral(st))
	case len(s.Defs) > 0 || s.Takes:
		w.define(b, c, s, st, at, edits)
	default:
		if c.separate {
			edits = append(edits, returns(st, at)...)
		}
		for _, d := range s.Dropped {
			if d.Results == 0 {
				edits = append(edits, edit{d.Start, d.Start, ", " + w.local("err")}, edit{d.End, d.End, "\n" + w.failed(c)})
				continue
			}
			names := append(slices.Repeat([]string{"_"}, d.Results-1), w.local("err"))
			edits = append([]edit{{d.Start, d.Start, "if " + strings.Join(names, ", ") + " := ("}}, edits...)
			edits = append(edits, edit{d.End, d.End, "); " + strings.TrimPrefix(w.failed(c), "if ")})
		}
		b.WriteString(plain())
	}
}

// around writes must around the calls inside of a statement whose error ends the program,
// and names the parameters of functions that display.Interact is given.
func (w *writer) around(s *listing.Stmt) (list []edit) {
	for _, n := range s.Named {
		before, after := gen.WithNames(w.imported("display", displayPath), n.Params)
		list = append(list, edit{n.Start, n.Start, before}, edit{n.End, n.End, after})
	}
	for _, in := range s.Inner {
		name := "must"
		if in.Values == 2 {
			name = "must2"
		}
		w.helpers[name], w.helpers["musts"] = true, true
		list = append(list, edit{in.Start, in.Start, w.own(name) + "("}, edit{in.End, in.End, ")"})
	}
	return list
}

// hasLiteral reports whether a statement holds a composite literal, which the
// head of an if cannot.
func hasLiteral(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		_, lit := n.(*ast.CompositeLit)
		found = found || lit
		return !found
	})
	return found
}

// returns makes the returns of a statement return no error.
func returns(st ast.Stmt, at func(token.Pos) int) []edit {
	var list []edit
	ast.Inspect(st, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			list = append(list, edit{at(n.End()), at(n.End()), " nil"})
		}
		return true
	})
	return list
}

// jumps reports whether a statement of a cell has to stand in a function of its
// own: it returns, defers or jumps.
func jumps(st ast.Stmt) bool {
	found := false
	ast.Inspect(st, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt, *ast.DeferStmt, *ast.LabeledStmt:
			found = true
		case *ast.BranchStmt:
			found = found || n.Tok == token.GOTO
		}
		return !found
	})
	return found
}

// results writes an expression whose error ends the cell, or whose value is
// shown.
func (w *writer) results(b *bytes.Buffer, c *cellInfo, s *listing.Stmt, text string, literal bool) {
	err := w.local("err")
	n := len(s.Results)
	if s.Fails {
		n--
	}
	var names []string
	for i := range n {
		name := "_"
		if s.Value {
			name = w.local("value")
			if n > 1 {
				name = w.local("value" + strconv.Itoa(i+1))
			}
		}
		names = append(names, name)
	}
	switch {
	case !s.Fails && n == 1:
		b.WriteString(w.show(s.Results[0], text))
	case !s.Value && !literal:
		fmt.Fprintf(b, "if %s := %s; %s", strings.Join(append(names, err), ", "), text, strings.TrimPrefix(w.failed(c), "if "))
	case !s.Value:
		w.err = w.err || !c.separate
		if c.separate {
			fmt.Fprintf(b, "{\n%s := %s\n%s\n}", strings.Join(append(names, err), ", "), text, w.failed(c))
		} else {
			fmt.Fprintf(b, "%s = %s\n%s", strings.Join(append(names, err), ", "), text, w.failed(c))
		}
	default: // several values, or a value and an error
		b.WriteString("{\n")
		if s.Fails {
			fmt.Fprintf(b, "%s := %s\n%s\n", strings.Join(append(slices.Clone(names), err), ", "), text, w.failed(c))
		} else {
			fmt.Fprintf(b, "%s := %s\n", strings.Join(names, ", "), text)
		}
		if n == 1 {
			b.WriteString(w.show(s.Results[0], names[0]))
		} else {
			w.several(b, s.Results[:n], names)
		}
		b.WriteString("\n}")
	}
}

// several shows several values in a line, as a notebook shows a call's results.
func (w *writer) several(b *bytes.Buffer, results []types.Type, names []string) {
	for _, t := range results {
		if !printable(t) {
			w.helpers["show"] = true
			fmt.Fprintf(b, "%s(%s)", w.own("show"), strings.Join(names, ", "))
			return
		}
	}
	fmt.Fprintf(b, "%s.Printf(%q, %s)", w.pkg("fmt"), strings.Repeat(", %v", len(names))[2:]+"\n", strings.Join(names, ", "))
}

// show writes what prints a value.
func (w *writer) show(t types.Type, text string) string {
	if printable(t) {
		return w.pkg("fmt") + ".Println(" + text + ")"
	}
	w.helpers["show"] = true
	return w.own("show") + "(" + text + ")"
}

// printable reports whether fmt prints a type's values as a notebook shows
// them: numbers, truth values and strings, and lists of numbers.
func printable(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() != types.UnsafePointer && u.Kind() != types.UntypedNil && methodless(t)
	case *types.Slice:
		b, ok := u.Elem().Underlying().(*types.Basic)
		return ok && b.Info()&(types.IsNumeric|types.IsBoolean) != 0 && methodless(t) && methodless(u.Elem())
	}
	return false
}

func methodless(t types.Type) bool {
	return types.NewMethodSet(t).Len() == 0
}

// define writes a statement that defines variables, or that leaves out an
// error.
func (w *writer) define(b *bytes.Buffer, c *cellInfo, s *listing.Stmt, st ast.Stmt, at func(token.Pos) int, edits []edit) {
	text := c.listing.Text
	var names []*ast.Ident // of what is defined
	var lhs string         // with the program's names
	var values []ast.Expr
	var typ ast.Expr
	define := false
	switch st := st.(type) {
	case *ast.AssignStmt:
		define = st.Tok == token.DEFINE
		values = st.Rhs
		lhs = apply(text, at(st.Lhs[0].Pos()), at(st.Lhs[len(st.Lhs)-1].End()), edits)
		for _, l := range st.Lhs {
			if id, ok := l.(*ast.Ident); ok && define {
				names = append(names, id)
			}
		}
	case *ast.DeclStmt:
		vs := st.Decl.(*ast.GenDecl).Specs[0].(*ast.ValueSpec)
		define, values, typ, names = true, vs.Values, vs.Type, vs.Names
		var list []string
		for _, id := range vs.Names {
			list = append(list, apply(text, at(id.Pos()), at(id.End()), edits))
		}
		lhs = strings.Join(list, ", ")
	default:
		b.WriteString(apply(text, s.Start, s.End, edits))
		return
	}
	slice := func(from, to ast.Node) string { return apply(text, at(from.Pos()), at(to.End()), edits) }
	// Which variables are new here and stand in this function?
	fresh, others := []*entity{}, 0
	for _, id := range names {
		if id.Name == "_" {
			continue
		}
		if e := c.names[id.Name]; e.cell == c && !e.global && w.first(c, s, id.Name) {
			fresh = append(fresh, e)
		} else {
			others++
			if e.global {
				others = len(names) + 1
			}
		}
	}
	op := "="
	if define && len(fresh) > 0 && others <= len(names) {
		op = ":="
	} else {
		for _, e := range fresh {
			fmt.Fprintf(b, "var %s %s\n", e.goName, w.typeString(e))
		}
	}
	switch {
	case s.Takes:
		err := w.local("err")
		if op == "=" {
			if c.separate {
				fmt.Fprintf(b, "var %s error\n", w.m.free("err"))
				w.broken = fmt.Errorf("export: cell %d both leaves out an error and returns, defers or jumps; give the error a name there", c.number)
			}
			w.err = true
		}
		if typ != nil {
			w.broken = fmt.Errorf("export: cell %d declares a type for a value whose error is left out", c.number)
		}
		fmt.Fprintf(b, "%s, %s %s %s\n%s", lhs, err, op, slice(values[0], values[0]), w.failed(c))
	case len(values) == 0: // var x T
		t := slice(typ, typ)
		if op == ":=" && len(fresh) == len(names) {
			fmt.Fprintf(b, "var %s %s", lhs, t)
			return
		}
		var zero []string
		for range names {
			zero = append(zero, "*new("+t+")")
		}
		fmt.Fprintf(b, "%s %s %s", lhs, op, strings.Join(zero, ", "))
	case typ != nil && op == ":=":
		fmt.Fprintf(b, "var %s %s = %s", lhs, slice(typ, typ), slice(values[0], values[len(values)-1]))
	default:
		fmt.Fprintf(b, "%s %s %s", lhs, op, slice(values[0], values[len(values)-1]))
	}
}

// first reports whether no statement of the cell that runs before s defines the name.
func (w *writer) first(c *cellInfo, s *listing.Stmt, name string) bool {
	for i := range c.listing.Stmts {
		other := &c.listing.Stmts[i]
		if other == s {
			return true
		}
		if slices.Contains(other.Defs, name) {
			return false
		}
	}
	return true
}

// notes are the comments of a cell between its statements.
type notes struct {
	text string
	list []edit // where they stand
}

// comments finds the comments of a cell that stand outside statements and not
// above declarations.
func (c *cellInfo) comments() *notes {
	text := c.listing.Text
	n := &notes{text: text}
	var inside [][2]int
	for _, s := range c.listing.Stmts {
		inside = append(inside, [2]int{s.Start, s.End})
	}
	for _, d := range c.listing.Decls {
		inside = append(inside, [2]int{d.Start - len(comment(text, d.Start)), d.End})
	}
	var sc scanner.Scanner
	fset := token.NewFileSet()
	file := fset.AddFile("", fset.Base(), len(text))
	sc.Init(file, []byte(text), nil, scanner.ScanComments)
	for {
		pos, tok, lit := sc.Scan()
		if tok == token.EOF {
			return n
		}
		at := file.Offset(pos)
		if tok == token.COMMENT && !slices.ContainsFunc(inside, func(r [2]int) bool { return at >= r[0] && at < r[1] }) {
			n.list = append(n.list, edit{at, at + len(lit), lit})
		}
	}
}

// before takes the comments that stand above an offset, with an empty line
// where the cell has one.
func (n *notes) before(at int) string {
	var b strings.Builder
	from := at
	for len(n.list) > 0 && n.list[0].start < at {
		from = min(from, n.list[0].start)
		b.WriteString(n.list[0].text + "\n")
		n.list = n.list[1:]
	}
	space := n.text[:min(from, len(n.text))]
	space = space[len(strings.TrimRight(space, " \t\n")):]
	if strings.Count(space, "\n") > 1 {
		return "\n" + b.String()
	}
	return b.String()
}

// behind takes a comment that stands on the same line behind an offset.
func (n *notes) behind(at int) string {
	if len(n.list) == 0 || n.list[0].start < at || strings.ContainsAny(n.text[at:n.list[0].start], "\n") || strings.HasPrefix(n.list[0].text, "/*") {
		return ""
	}
	text := n.list[0].text
	n.list = n.list[1:]
	return " " + text
}

// rest takes the comments that are left.
func (n *notes) rest() string { return n.before(len(n.text) + 1) }
