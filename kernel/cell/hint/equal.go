package hint

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// Compared says, for each == and != of two tensors in a file, that it asks whether they
// are one tensor, where PyTorch compares value by value. Each sentence is there once.
//
//	x == y   →   x == y asks whether both are one and the same tensor, not what is in them: …
//
// This is no error: the cell runs, and the person sees the note with its result. A comparison
// with nil has no pointer on one side, and so no note.
func (f *File) Compared() (notes []string) {
	isPointer := func(e ast.Expr) bool {
		pointer, ok := types.Unalias(f.Info.Types[e].Type).(*types.Pointer)
		return ok && isTensor(pointer.Elem())
	}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		e, ok := n.(*ast.BinaryExpr)
		if !ok || e.Op != token.EQL && e.Op != token.NEQ || !isPointer(e.X) || !isPointer(e.Y) {
			return true
		}
		x, y, method := f.Text(e.X), f.Text(e.Y), "Equal"
		if e.Op == token.NEQ {
			method = "NotEqual"
		}
		note := fmt.Sprintf("%s %s %s asks whether both are one and the same tensor, not what is in them: %s.%s(%s) compares value by value", x, e.Op, y, x, method, y)
		if !slices.Contains(notes, note) {
			notes = append(notes, note)
		}
		return true
	})
	return notes
}
