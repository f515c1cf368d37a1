package scope

import (
	"go/ast"
	"go/token"
	"slices"
)

// A Declared is a name that a declaration, or a statement at the top level of a cell,
// declares. It is found by syntax alone, so that it serves cells that are not checked too.
type Declared struct {
	Name  *ast.Ident
	Tok   token.Token // as in Go, TYPE, CONST, VAR or FUNC, or DEFINE for :=
	Recv  string      // of a method, the receiver's type
	Type  ast.Expr    // as written, of a variable or constant; nil where it has none
	Value ast.Expr    // likewise; nil where it has none of its own
}

// Declares lists the names that a declaration or a statement declares, in order, with
// _ among them. Of an import, and of what declares nothing, there are none. Of x, err := f()
// there are both names, though Go declares only those that are new in their scope: which these
// are is not known from syntax.
func Declares(n ast.Node) (list []Declared) {
	switch n := n.(type) {
	case *ast.DeclStmt:
		return Declares(n.Decl)
	case *ast.FuncDecl:
		d := Declared{Name: n.Name, Tok: token.FUNC}
		if n.Recv != nil && len(n.Recv.List) > 0 {
			d.Recv, _ = Receiver(n.Recv.List[0].Type)
		}
		return []Declared{d}
	case *ast.GenDecl:
		for _, s := range n.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				list = append(list, Declared{Name: s.Name, Tok: n.Tok})
			case *ast.ValueSpec:
				list = append(list, values(n.Tok, s.Names, s.Type, s.Values)...)
			}
		}
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE { // x = 1 and x += 1 declare nothing
			return nil
		}
		names := make([]*ast.Ident, 0, len(n.Lhs))
		for _, l := range n.Lhs {
			if id, ok := l.(*ast.Ident); ok {
				names = append(names, id)
			}
		}
		return values(n.Tok, names, nil, n.Rhs)
	}
	return list
}

// values lists names with a value each, where there are as many. In a, b := f() neither has
// a value of its own; in a group of constants, a line without values repeats those above,
// which are not its own either.
func values(tok token.Token, names []*ast.Ident, typ ast.Expr, values []ast.Expr) (list []Declared) {
	for i, id := range names {
		d := Declared{Name: id, Tok: tok, Type: typ}
		if len(values) == len(names) {
			d.Value = values[i]
		}
		list = append(list, d)
	}
	return list
}

// Receiver returns the name of a receiver's type, and whether it is generic:
//
//	T, *T, (*T)        T, false
//	T[K], *T[K, V]     T, true
//
// The name is empty for what is no type name, of which go/types says what is wrong.
func Receiver(x ast.Expr) (name string, generic bool) {
	for {
		switch t := x.(type) {
		case *ast.StarExpr:
			x = t.X
		case *ast.ParenExpr:
			x = t.X
		case *ast.IndexExpr:
			x, generic = t.X, true
		case *ast.IndexListExpr:
			x, generic = t.X, true
		case *ast.Ident:
			return t.Name, generic
		default:
			return "", generic
		}
	}
}

// Free returns the names in a file that nothing in it declares, each with what is
// selected from it. The file must have been parsed with its names resolved. For
//
//	x := math.Sqrt(y) + math.Pi
//
// they are math with Sqrt and Pi, and y with nothing. Go's own names, such as int, are
// among them: the parser does not know the universe's scope.
func Free(f *ast.File) map[string][]string {
	free := map[string][]string{}
	unresolved := map[*ast.Ident]bool{}
	for _, id := range f.Unresolved {
		unresolved[id] = true
		free[id.Name] = nil
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if id, ok := n.X.(*ast.Ident); ok && unresolved[id] {
				free[id.Name] = append(free[id.Name], n.Sel.Name)
			}
		case *ast.KeyValueExpr: // a name or a field: go/parser leaves open which
			if id, ok := n.Key.(*ast.Ident); ok && id.Obj == nil {
				free[id.Name] = slices.Clip(free[id.Name]) // an entry, and what is selected as it was
			}
		}
		return true
	})
	return free
}
