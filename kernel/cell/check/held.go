package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/holt-dl/holt/kernel/cell/spell"
)

// Held lists the notebook's variables that something reaches by another way than their name
// since the cell: their address was taken, or a function literal uses them.
//
//	p := &x            x, also of &x.field and &x[1]
//	v.Set(1)           v, where Set has a pointer receiver, which may keep it
//	part := array[:]   array
//	f := func() { x }  x
//
// Their memory must stay as it is when the name is given to another variable. A function that
// the notebook declares is compiled again then, and does not count.
func (r *Result) Held() []string {
	held := map[string]bool{}
	for _, file := range r.Files {
		ast.Inspect(file.AST, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				// What the check wrote, ˣzero(&x), keeps nothing.
				if id, ok := n.Fun.(*ast.Ident); ok && spell.Ours(id.Name) {
					return false
				}
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					r.hold(held, n.X)
				}
			case *ast.SliceExpr:
				if isArray(r.Info.TypeOf(n.X)) {
					r.hold(held, n.X)
				}
			case *ast.SelectorExpr:
				if r.takesAddress(n) {
					r.hold(held, n.X)
				}
			case *ast.FuncLit:
				ast.Inspect(n.Body, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						r.hold(held, id)
					}
					return true
				})
			}
			return true
		})
	}
	return slices.Sorted(maps.Keys(held))
}

// hold notes the variable whose memory an operand is in: x for x.f[1]. What a pointer, slice or
// map leads to is not in it, but is noted all the same, which costs only memory.
func (r *Result) hold(held map[string]bool, x ast.Expr) {
	for {
		switch e := x.(type) {
		case *ast.ParenExpr:
			x = e.X
		case *ast.SelectorExpr:
			x = e.X
		case *ast.IndexExpr:
			x = e.X
		case *ast.Ident:
			if v, ok := r.Info.Uses[e].(*types.Var); ok && v.Pkg() != nil && v.Pkg().Path() == spell.Path && r.PackageLevel(v) {
				held[spell.Written(e.Name)] = true
			}
			return
		default:
			return
		}
	}
}

// takesAddress reports whether a selector is a method with a pointer receiver, of a value.
func (r *Result) takesAddress(x *ast.SelectorExpr) bool {
	s := r.Info.Selections[x]
	if s == nil || s.Kind() != types.MethodVal {
		return false
	}
	_, byPointer := s.Obj().(*types.Func).Signature().Recv().Type().(*types.Pointer)
	_, isPointer := s.Recv().Underlying().(*types.Pointer)
	return byPointer && !isPointer
}

func isArray(t types.Type) bool {
	if t == nil {
		return false
	}
	_, ok := t.Underlying().(*types.Array)
	return ok
}
