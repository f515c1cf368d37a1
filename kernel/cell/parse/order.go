package parse

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// The var declarations of a cell are initialised as Go initialises those of a
// package: one that another needs comes first, wherever it stands.
//
//	var a = b + 1
//	var b = f()       // runs before a's
//
// A declaration also needs what the functions of its own cell that it mentions
// need. Everything else runs where it stands, and so does a declaration that
// nothing above it needs: a cell is read from top to bottom.
//
// Go's own order (spec, "Package initialization") is that of a package without statements. Here
// a declaration comes forward only if one above it needs it. A statement, such as x := 1 or a
// call, runs where it stands and is not brought forward:
//
//	n := 2
//	var a = b + n     // b's declaration runs here, before a's, and behind n := 2
//	fmt.Println(a)
//	var b = 40

// orderVars puts c.Stmts in the order in which it runs, and notes what moved.
//
// It goes by names alone: nothing has a type yet. So a method counts as needed wherever a
// selector has its name, which may bring a declaration forward without need.
func (c *Cell) orderVars(stmts, decls *syntax.File) error {
	if !slices.ContainsFunc(c.Stmts, func(t *Stmt) bool { return t.IsVar }) {
		return nil
	}
	needs, other := c.varNeeds(stmts, decls)
	// run takes statement i as the next one. It is pulled if one above it has not run yet: it
	// then runs before the first of those.
	done := make([]bool, len(c.Stmts))
	first := 0 // of those that are not done
	var order []*Stmt
	run := func(i int) error {
		for ; first < len(done) && done[first]; first++ {
		}
		if i > first {
			if err := c.refusePull(first, i, other[i], stmts); err != nil {
				return err
			}
			c.pulls = append(c.pulls, pull{c.Stmts[first].Start, c.Stmts[i].Start, c.Stmts[i].End})
		}
		done[i] = true
		order = append(order, c.Stmts[i])
		return nil
	}
	// Each round ends when statement i has run. Declarations that follow one another are looked
	// at together, as Go does in a package: of var a = b and var b = 1, b is the first to be ready.
	// Those behind the next statement are in the group only if one in it needs them.
	for i := 0; i < len(c.Stmts); i++ {
		group := map[int]bool{} // the declarations until the next statement, and what they need
		var add func(int)
		add = func(j int) {
			if !done[j] && !group[j] {
				group[j] = true
				for _, k := range needs[j] {
					add(k)
				}
			}
		}
		for j := i; j < len(c.Stmts) && (c.Stmts[j].IsVar || j == i); j++ {
			add(j)
		}
		for !done[i] {
			// The earliest that needs nothing more comes next, as in a package;
			// what needs itself keeps its place.
			list := slices.Sorted(maps.Keys(group))
			next := slices.IndexFunc(list, func(j int) bool {
				return !slices.ContainsFunc(needs[j], func(k int) bool { return k != j && group[k] })
			})
			j := list[max(0, next)]
			if err := run(j); err != nil {
				return err
			}
			delete(group, j)
		}
	}
	c.Stmts = order
	return nil
}

// varNeeds finds what each var declaration needs: others of the cell, by their places in
// c.Stmts, and the names that a statement or an earlier cell gives a value.
func (c *Cell) varNeeds(stmts, decls *syntax.File) (needs [][]int, other []map[string]bool) {
	declaredAt := map[string]int{} // the declaration that defines a name
	for i, t := range c.Stmts {
		if t.IsVar {
			for _, d := range t.Defs {
				declaredAt[d] = i
			}
		}
	}
	n := newNeeds(decls)
	needs, other = make([][]int, len(c.Stmts)), make([]map[string]bool, len(c.Stmts))
	for i, t := range c.Stmts {
		if !t.IsVar {
			continue
		}
		other[i] = map[string]bool{}
		for _, name := range n.of(stmts, t.Values) {
			if j, ok := declaredAt[name]; ok {
				needs[i] = append(needs[i], j)
			} else {
				other[i][name] = true
			}
		}
	}
	return needs, other
}

// refusePull is an error when declaration j cannot run before declaration i,
// which needs it, because a statement between them makes what j needs.
//
//	var a = b
//	n := 2
//	var b = n     // a needs b, b needs n, and n is 2 only behind a
//
// Names that nothing in the cell sets are those of earlier cells, and have their values.
func (c *Cell) refusePull(i, j int, needs map[string]bool, stmts *syntax.File) error {
	for k := i; k < j; k++ {
		// Declarations between the two do not count: what j needs of them is brought forward too.
		for _, name := range slices.Concat(c.Stmts[k].Defs, c.Stmts[k].Sets) {
			if c.Stmts[k].IsVar || !needs[name] {
				continue
			}
			a, b := c.Stmts[i].Defs, c.Stmts[j].Defs
			return &syntax.Error{Diagnostics: []syntax.Diagnostic{stmts.At(c.Stmts[i].Start, syntax.Diagnostic{Cell: c.Name, Msg: fmt.Sprintf(
				"%s needs %s, which is declared below and needs %s, which a statement between them sets; move the declaration of %s below that of %s",
				strings.Join(a, ", "), strings.Join(b, ", "), name, strings.Join(a, ", "), strings.Join(b, ", "))})}}
		}
	}
	return nil
}

// needs knows which names the functions of a cell mention.
type needs struct {
	funcs map[string][]string // what each mentions, by function, and by method as ".name"
}

// newNeeds reads the functions that the cell declares. Those of earlier cells do not matter: they
// cannot mention a variable that this cell is about to define, but for one of the same name,
// which has a value.
func newNeeds(decls *syntax.File) *needs {
	n := &needs{funcs: map[string][]string{}}
	for _, d := range decls.AST.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		name := fn.Name.Name
		if fn.Recv != nil {
			name = "." + name // whatever its receiver: types are not known yet
		}
		n.funcs[name] = append(n.funcs[name], Mentions(decls, fn.Body)...)
	}
	return n
}

// of lists what expressions need, themselves and through functions.
//
// A name that is a function leads to what the function mentions, and so on. Functions that call
// each other are gone through once.
func (n *needs) of(f *syntax.File, values []ast.Expr) []string {
	var list []string
	seen := map[string]bool{}
	var add func([]string)
	add = func(names []string) {
		for _, name := range names {
			if !seen[name] {
				seen[name] = true
				list = append(list, name)
				add(n.funcs[name])
			}
		}
	}
	for _, v := range values {
		add(Mentions(f, v))
	}
	return list
}

// Mentions lists the names in a node that are declared elsewhere, and the
// selectors, as ".name".
//
// Go's parser resolves names inside of a file: Unresolved are those that the file does not
// declare, and Obj says where another is declared. That is behind or before n for a variable of
// the cell's statements, and inside of n for a parameter, say. The file must have been parsed
// with that, as all files here are.
func Mentions(f *syntax.File, n ast.Node) []string {
	free := map[*ast.Ident]bool{}
	for _, id := range f.AST.Unresolved {
		free[id] = true
	}
	var list []string
	ast.Inspect(n, func(x ast.Node) bool {
		switch x := x.(type) {
		case *ast.SelectorExpr:
			list = append(list, "."+x.Sel.Name)
		case *ast.Ident:
			if free[x] || x.Obj != nil && (x.Obj.Pos() < n.Pos() || x.Obj.Pos() > n.End()) {
				list = append(list, x.Name)
			}
		}
		return true
	})
	return list
}

// pulled renders the statements with declarations in the place where they run.
// A comment /*line …*/ keeps the place of each piece for the compiler.
//
// The cell of the comment at the head of this file becomes, without its edits,
//
//	/*line cell[5]:1:1*//*line cell[5]:2:1*/var b = f(); /*line cell[5]:1:1*/var a = b + 1
//	/*line cell[5]:2:12*/
//
// so that lines of the text are not the cell's any more, and Back and the comments lead there.
// A place in the text belongs to the last piece that begins before it.
func (c *Cell) pulled(ed *syntax.Editor) Rendered {
	var out strings.Builder
	// A mark is where a piece begins, and the way back from an offset in it.
	type mark struct {
		out  int
		back func(int) int
	}
	var marks []mark
	// piece writes text[start:end] with those of its edits for which ok is true.
	piece := func(start, end int, ok func(syntax.Edit) bool) {
		fmt.Fprintf(&out, "/*line %s:%d:%d*/", c.Name, 1+strings.Count(string(c.Text[:start]), "\n"),
			start-strings.LastIndexByte(string(c.Text[:start]), '\n'))
		text, back := ed.RenderIf(start, end, ok)
		marks = append(marks, mark{out.Len(), back})
		out.WriteString(text)
	}
	cuts := map[int][]pull{} // by the place at which they go or come
	for _, p := range c.pulls {
		cuts[p.at] = append(cuts[p.at], p)
		cuts[p.start] = append(cuts[p.start], p)
	}
	at := 0
	removed := -1 // where a declaration ended that was left out
	// rest writes what stands between the last cut and this one. An insertion at a cut belongs
	// to one side of it: one at the end of a declaration that was left out has gone with it, and
	// one at the end of this piece goes to the piece that begins there.
	rest := func(end int) {
		piece(at, end, func(e syntax.Edit) bool {
			return e.Start < e.End || (e.Start != removed || e.Start == 0) && (e.Start < end || end == len(c.Text))
		})
	}
	// At a place, declarations come in, each with a semicolon; or one begins that was put in
	// elsewhere, and is left out.
	for _, place := range slices.Sorted(maps.Keys(cuts)) {
		rest(place)
		at, removed = place, -1
		for _, p := range cuts[place] {
			if p.at == place {
				piece(p.start, p.end, func(syntax.Edit) bool { return true })
				out.WriteString("; ")
			} else {
				at, removed = p.end, p.end
			}
		}
	}
	rest(len(c.Text))
	return Rendered{out.String(), func(i int) int {
		n := sort.Search(len(marks), func(n int) bool { return marks[n].out > i }) - 1
		if n < 0 {
			return 0
		}
		return marks[n].back(i - marks[n].out)
	}}
}
