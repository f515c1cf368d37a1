package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// The last stage: what each declaration of the cell uses, for those that read the model of
// the notebook once the cell is part of it. What changes later is looked up there to find
// what must be compiled again, and no text is parsed for it.

// A declared is what a declaration is found by: its name, and of a method its receiver's type.
type declared struct{ recv, name string }

// declarations finds the cell's declarations in what was checked last.
func (r *Result) declarations() map[declared]ast.Node {
	decls := map[declared]ast.Node{}
	for _, f := range r.Files {
		if f.Kind != syntax.DeclFile {
			continue
		}
		for _, d := range f.AST.Decls {
			for _, n := range scope.Declares(d) {
				decls[declared{n.Recv, n.Name.Name}] = d
			}
			// A group of types was found as a whole: each of its names is to lead to its own line.
			if types, ok := d.(*ast.GenDecl); ok && types.Tok == token.TYPE {
				for _, s := range types.Specs { // each is a unit of its own
					decls[declared{"", s.(*ast.TypeSpec).Name.Name}] = s
				}
			}
		}
	}
	return decls
}

// findUses records which names of the notebook, which of its methods and which packages
// a unit of this cell uses. Types and functions are told apart by Signature and Body, since a
// change of what a signature mentions makes another declaration, and a change of what only
// the body mentions makes another body: see findChanged. What is declared inside the unit is
// none of them, nor is a name that the unit itself declares.
func (r *Result) findUses(u *scope.Unit, decls map[declared]ast.Node) {
	u.Imports, u.Signature, u.Body, u.Calls = map[string]string{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	n := decls[declared{u.Recv, u.Names[0]}]
	if n == nil && u.Recv != "" { // a method that only gets another body is a function
		n = decls[declared{"", spell.MethodFunc(u.Recv, u.Names[0])}]
	}
	if n == nil { // it is not in what was checked
		return
	}
	var body *ast.BlockStmt
	if fn, ok := n.(*ast.FuncDecl); ok {
		body = fn.Body
	}
	ast.Inspect(n, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if m := r.Method(sel); m != "" {
				u.Calls[m] = true
			}
		}
		id, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		obj := r.Info.Uses[id]
		if pn, ok := obj.(*types.PkgName); ok {
			u.Imports[id.Name] = pn.Imported().Path()
			if id.Name == "C" {
				u.C = r.Preamble
			}
		}
		if obj == nil || !r.PackageLevel(obj) || spell.IsOfC(obj.Name()) || slices.Contains(u.Names, id.Name) && u.Recv == "" {
			return true
		}
		// Names as the model has them: a hidden type with its mark, a variable without.
		name := strings.TrimPrefix(id.Name, spell.NewMark)
		if _, isOld := r.Old[obj]; isOld {
			name = spell.Written(name)
		}
		if body != nil && id.Pos() >= body.Pos() {
			u.Body[name] = true
		} else {
			u.Signature[name] = true
		}
		return true
	})
}
