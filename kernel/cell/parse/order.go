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

// orderVars puts c.Stmts in the order in which it runs, and notes what moved.
func (c *Cell) orderVars(stmts, decls *syntax.File) error {
	declaredAt := map[string]int{} // the declaration that defines a name
	for i, t := range c.Stmts {
		if t.IsVar {
			for _, d := range t.Defs {
				declaredAt[d] = i
			}
		}
	}
	if len(declaredAt) == 0 {
		return nil
	}
	n := newNeeds(decls)
	needs := make([][]int, len(c.Stmts))
	other := make([]map[string]bool, len(c.Stmts)) // names that no declaration defines
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

// refusePull is an error when declaration j cannot run before declaration i,
// which needs it, because a statement between them makes what j needs.
func (c *Cell) refusePull(i, j int, needs map[string]bool, stmts *syntax.File) error {
	for k := i; k < j; k++ {
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
	funcs map[string][]string // by function, and by method as ".name"
}

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
func (c *Cell) pulled(ed *syntax.Editor) Rendered {
	var out strings.Builder
	type mark struct {
		out  int
		back func(int) int
	}
	var marks []mark
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
	rest := func(end int) {
		piece(at, end, func(e syntax.Edit) bool {
			return e.Start < e.End || (e.Start != removed || e.Start == 0) && (e.Start < end || end == len(c.Text))
		})
	}
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
