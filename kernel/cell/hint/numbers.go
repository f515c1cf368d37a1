package hint

import (
	"fmt"
	"go/ast"
	"go/types"
	"regexp"
	"runtime"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// Go converts no number by itself: here are the messages about it.

// mismatch shows how one operand becomes a number of the other's type.
func mismatch(f *File, path []ast.Node) string {
	left, right, ok := operands(path)
	if !ok {
		return ""
	}
	x, y := f.Info.Types[left].Type, f.Info.Types[right].Type
	if isText(x) && isNumber(y) {
		return fmt.Sprintf("; a number becomes text by fmt.Sprint(%s), and fmt.Println takes both: fmt.Println(%s, %s)", f.Text(right), f.Text(left), f.Text(right))
	}
	if !isNumber(x) || !isNumber(y) {
		return ""
	}
	from, to := left, y
	if wider(x, y) {
		from, to = right, x
	}
	return fmt.Sprintf("; Go does not convert numbers by itself: write %s(%s)", spell.Type(to), f.Text(from))
}

// operands are both sides of an operator, or of an assignment such as x *= y.
func operands(path []ast.Node) (x, y ast.Expr, ok bool) {
	for i := len(path) - 1; i >= 0; i-- {
		switch n := path[i].(type) {
		case *ast.BinaryExpr:
			return n.X, n.Y, true
		case *ast.AssignStmt:
			if len(n.Lhs) == 1 && len(n.Rhs) == 1 {
				return n.Lhs[0], n.Rhs[0], true
			}
		}
	}
	return nil, nil, false
}

func isText(t types.Type) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

var usedAs = regexp.MustCompile(`^cannot use .* as (\S+) value in `)

// converted shows the conversion that a number needs.
func converted(f *File, path []ast.Node, msg string) string {
	m := usedAs.FindStringSubmatch(msg)
	if m == nil || len(path) == 0 {
		return ""
	}
	if lit, ok := innermost[*ast.CompositeLit](path); ok && strings.HasSuffix(msg, "has pointer receiver)") {
		return "; write &" + f.Text(lit)
	}
	x, ok := path[len(path)-1].(ast.Expr)
	for i := len(path) - 1; i >= 0 && ok; i-- { // the whole argument, not its first word
		outer, isExpr := path[i].(ast.Expr)
		if !isExpr || outer.Pos() != x.Pos() {
			break
		}
		if _, isCall := outer.(*ast.CallExpr); isCall && outer != x && f.Info.Types[outer].IsVoid() {
			break
		}
		x = outer
	}
	if !ok || !isNumber(f.Info.Types[x].Type) {
		return ""
	}
	if obj, ok := types.Universe.Lookup(m[1]).(*types.TypeName); !ok || !isNumber(obj.Type()) || f.Info.Types[x].Value != nil {
		return ""
	}
	return fmt.Sprintf("; Go does not convert numbers by itself: write %s(%s)", m[1], f.Text(x))
}

func isNumber(t types.Type) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsNumeric != 0
}

var sizes = types.SizesFor("gc", runtime.GOARCH)

// wider reports whether values of y are better converted to x than the other way.
func wider(x, y types.Type) bool {
	rank := func(t types.Type) int64 {
		b := t.Underlying().(*types.Basic)
		n := sizes.Sizeof(b)
		if b.Info()&types.IsFloat != 0 {
			n += 100
		}
		return n
	}
	return rank(x) > rank(y)
}
