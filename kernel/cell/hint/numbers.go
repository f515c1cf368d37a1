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
	return "; Go does not convert numbers by itself: write " + converted(to, f.Info.Types[from].Type, f.Text(from))
}

// converted writes a number of one type as a number of another.
//
//	n of int, to float64               float64(n)
//	n of int, to complex128            complex(float64(n), 0)
//	c of complex128, to float64        real(c)
//	c of complex128, to float32        float32(real(c))
//
// Go converts no real number to a complex one, nor the other way (specification, "Conversions"):
// the builtins complex and real do, with the type of the parts that belongs to theirs.
func converted(to, from types.Type, text string) string {
	if isComplex(to) == isComplex(from) {
		return spell.Type(to) + "(" + text + ")"
	}
	parts := types.Typ[types.Float64] // of the complex number
	whole := types.Typ[types.Complex128]
	complexType := to
	if isComplex(from) {
		complexType = from
	}
	if complexType.Underlying().(*types.Basic).Kind() == types.Complex64 {
		parts, whole = types.Typ[types.Float32], types.Typ[types.Complex64]
	}
	if isComplex(from) {
		text = "real(" + text + ")"
		if !types.Identical(to, parts) {
			text = spell.Type(to) + "(" + text + ")"
		}
		return text
	}
	if !types.Identical(from, parts) {
		text = spell.Type(parts) + "(" + text + ")"
	}
	text = "complex(" + text + ", 0)"
	if !types.Identical(to, whole) {
		text = spell.Type(to) + "(" + text + ")"
	}
	return text
}

// isComplex reports whether a type of numbers has an imaginary part.
func isComplex(t types.Type) bool {
	return t.Underlying().(*types.Basic).Info()&types.IsComplex != 0
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

// wantedNumber shows the conversion that a number needs where another type is wanted.
//
//	math.Sqrt(n * 2)   →   ; Go does not convert numbers by itself: write float64(n * 2)
//	var s Shape = Sq{} →   ; write &Sq{}, where Area has a pointer receiver
func wantedNumber(f *File, path []ast.Node, msg string) string {
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
	to, ok := types.Universe.Lookup(m[1]).(*types.TypeName)
	if !ok || !isNumber(to.Type()) || f.Info.Types[x].Value != nil {
		return ""
	}
	return "; Go does not convert numbers by itself: write " + converted(to.Type(), f.Info.Types[x].Type, f.Text(x))
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
//	int32, int64          int64
//	int, float32          float32: fractions are kept, though int has more bytes
//	float64, complex64    complex64: the imaginary part is kept
//	int, uint             neither: false, so that the left one is converted
//
// Both are numbers.
func wider(x, y types.Type) bool {
	// More than any size, so that every float is wider than every integer, and every complex
	// number than both.
	rank := func(t types.Type) int64 {
		b := t.Underlying().(*types.Basic)
		n := sizes.Sizeof(b)
		switch {
		case b.Info()&types.IsComplex != 0:
			n += 200
		case b.Info()&types.IsFloat != 0:
			n += 100
		}
		return n
	}
	return rank(x) > rank(y)
}
