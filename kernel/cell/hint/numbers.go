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
//
// Python does, so that these are the most frequent errors of its users. The specification
// ("Conversions") has them written out, and an answer shows how, for the side that is better
// converted.

// mismatch shows how one operand becomes a number of the other's type.
//
//	n * f, of int and float64   →   ; Go does not convert numbers by itself: write float64(n)
//	"loss: " + n                →   ; a number becomes text by fmt.Sprint(n), …
//
// It is "" for other types, such as tensors, which habits explain.
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
	// The left one is converted, unless its type is the wider.
	from, to := left, y
	if wider(x, y) {
		from, to = right, x
	}
	return fmt.Sprintf("; Go does not convert numbers by itself: write %s(%s)", spell.Type(to), f.Text(from))
}

// operands are both sides of an operator, or of an assignment such as x *= y.
//
// The innermost one counts: the message is about it.
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

// isText reports whether a type is a string's, by name or not. nil is none.
func isText(t types.Type) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

// usedAs finds the type that is wanted, where that is one word.
var usedAs = regexp.MustCompile(`^cannot use .* as (\S+) value in `)

// converted shows the conversion that a number needs.
//
//	math.Sqrt(n * 2)   →   ; Go does not convert numbers by itself: write float64(n * 2)
//	var s Shape = Sq{} →   ; write &Sq{}, where Area has a pointer receiver
func converted(f *File, path []ast.Node, msg string) string {
	m := usedAs.FindStringSubmatch(msg)
	if m == nil || len(path) == 0 {
		return ""
	}
	// The method set of T lacks what *T has (specification, "Method sets").
	if lit, ok := innermost[*ast.CompositeLit](path); ok && strings.HasSuffix(msg, "has pointer receiver)") {
		return "; write &" + f.Text(lit)
	}
	// The message is at n of n * 2, and path ends there: outwards, expressions that begin at
	// the same place, up to one that is not of them.
	x, ok := path[len(path)-1].(ast.Expr)
	for i := len(path) - 1; i >= 0 && ok; i-- { // the whole argument, not its first word
		outer, isExpr := path[i].(ast.Expr)
		if !isExpr || outer.Pos() != x.Pos() {
			break
		}
		// A call without a value, such as n.f(…), is no operand, though it begins there.
		if _, isCall := outer.(*ast.CallExpr); isCall && outer != x && f.Info.Types[outer].IsVoid() {
			break
		}
		x = outer
	}
	if !ok || !isNumber(f.Info.Types[x].Type) {
		return ""
	}
	// Only to numbers of Go's own. A constant is not converted: it does not fit, as 1.5 for an
	// int.
	if obj, ok := types.Universe.Lookup(m[1]).(*types.TypeName); !ok || !isNumber(obj.Type()) || f.Info.Types[x].Value != nil {
		return ""
	}
	return fmt.Sprintf("; Go does not convert numbers by itself: write %s(%s)", m[1], f.Text(x))
}

// isNumber reports whether a type is a number's, of Go's own or one declared as such. nil is
// none, as is a type parameter.
func isNumber(t types.Type) bool {
	if t == nil {
		return false
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsNumeric != 0
}

// sizes are those of the machine the kernel runs on, where cells run, too: an int has 8 bytes.
var sizes = types.SizesFor("gc", runtime.GOARCH)

// wider reports whether values of y are better converted to x than the other way.
//
//	int32, int64     int64
//	int, float32     float32: fractions are kept, though int has more bytes
//	int, uint        neither: false, so that the left one is converted
//
// Both are numbers.
func wider(x, y types.Type) bool {
	// More than any size, so that every float is wider than every integer.
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
