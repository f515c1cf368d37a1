package cell

import (
	"fmt"
	"go/ast"
	"go/types"
	"slices"
)

// printed says that Go's own print shows where a value lies, not the value.
func (c *check) printed(p *passed) {
	for _, f := range p.files {
		if f.kind != stmtFile {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			id, ok := call.Fun.(*ast.Ident)
			if b, isBuiltin := p.info.Uses[id].(*types.Builtin); !ok || !isBuiltin || b.Name() != "print" && b.Name() != "println" {
				return true
			}
			for _, arg := range call.Args {
				if _, basic := p.info.Types[arg].Type.Underlying().(*types.Basic); !basic {
					note := fmt.Sprintf("%s is Go's own and shows where %s lies in memory: fmt.Println(%s) shows its value", id.Name, f.text(arg), f.text(arg))
					if !slices.Contains(c.notices, note) {
						c.notices = append(c.notices, note)
					}
					break
				}
			}
			return true
		})
	}
}
