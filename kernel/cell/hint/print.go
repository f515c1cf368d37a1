package hint

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
)

// Printed says, for each call of Go's own print or println in a file, that it shows
// the address of a value and not the value. Each sentence is there once.
//
//	print(xs)   →   print is Go's own and shows where xs lies in memory: fmt.Println(xs) …
//
// Python's print is the habit. Numbers, strings and bools are shown well by Go's, so that they
// get no note; a cell that has a variable print of its own does not mean the builtin.
func (f *File) Printed() (notes []string) {
	ast.Inspect(f.AST, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		// Where it is none, id is nil and Uses[nil] too: the conversion is then not ok.
		id, ok := call.Fun.(*ast.Ident)
		if b, isBuiltin := f.Info.Uses[id].(*types.Builtin); !ok || !isBuiltin || b.Name() != "print" && b.Name() != "println" {
			return true
		}
		for _, arg := range call.Args {
			if _, basic := f.Info.Types[arg].Type.Underlying().(*types.Basic); !basic {
				note := fmt.Sprintf("%s is Go's own and shows where %s lies in memory: fmt.Println(%s) shows its value", id.Name, f.Text(arg), f.Text(arg))
				if !slices.Contains(notes, note) {
					notes = append(notes, note)
				}
				break
			}
		}
		return true
	})
	return notes
}
