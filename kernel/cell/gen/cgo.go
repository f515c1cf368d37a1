package gen

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// commitC remembers the C types of this program.
//
// Each is kept with the text by which cmd/cgo declares it, since a later cell's type of that
// name is this one if its text is the same. The check looks for it by [Code.CType], and then
// leaves the declaration out.
func (g *generator) commitC() {
	for _, f := range g.in.Files {
		if f.Kind != syntax.CgoFile {
			continue
		}
		for _, d := range f.AST.Decls {
			d, ok := d.(*ast.GenDecl)
			if !ok || d.Tok != token.TYPE || len(d.Specs) != 1 {
				continue
			}
			ts := d.Specs[0].(*ast.TypeSpec)
			// cmd/cgo declares more than the types of C: functions, variables and helpers.
			if obj, ok := g.in.Pkg.Scope().Lookup(ts.Name.Name).(*types.TypeName); ok && spell.IsCType(obj) {
				g.code.cTypes[ts.Name.Name] = cType{f.Text(ts), obj, g.in.Seq}
			}
		}
	}
}

// keepC names the C types of the cell again, since a variable's type may have
// been their only use: cmd/cgo declares what is used.
//
// A cell whose C types stand in var declarations alone has them in support.go, which does not
// import "C". Without a use in the file that does, the type would not be declared at all.
func (g *generator) keepC(pre *scope.Preamble) string {
	var b strings.Builder
	for _, name := range g.in.CNames[pre] {
		if g.in.Pkg.Scope().Lookup("_Ctype_"+name) != nil && !strings.Contains(b.String(), "= C."+name+"\n") {
			fmt.Fprintf(&b, "type _ = C.%s\n", name)
		}
	}
	return b.String()
}

// sharedC lists the C types that the build takes from earlier programs.
//
// They are reached by the alias Ħ_Ctype_int that support.go of that program declares.
func (g *generator) sharedC() map[string]CType {
	shared := map[string]CType{}
	for name := range g.in.SharedC {
		shared[name] = CType{Path: spell.PkgPath(g.code.cTypes[name].home), Alias: "Ħ" + name}
	}
	return shared
}
