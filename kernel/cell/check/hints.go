package check

import (
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/holt-dl/holt/kernel/cell/hint"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// hinted is a checked file as hints see it.
func (c *checker) hinted(p *passed, f *syntax.File) *hint.File {
	part := map[syntax.Kind]hint.Part{syntax.StmtFile: hint.Statements, syntax.DeclFile: hint.Declarations, syntax.UnitFile: hint.Earlier}[f.Kind]
	return &hint.File{Part: part, AST: f.AST, Source: f.Source, Info: p.info, Pkg: p.pkg, Names: c.names(),
		Offset: func(pos token.Pos) int { return f.Back(f.Offset(pos)) }}
}

// names is what hints ask about names, or nil where no packages are known.
func (c *checker) names() hint.Names {
	if c.Packages == nil {
		return nil
	}
	return hintNames{c}
}

// hintNames implements hint.Names.
type hintNames struct{ c *checker }

func (n hintNames) Package(name string, selected ...string) *types.Package {
	path := n.c.Imports[name]
	if path == "" {
		path, _ = n.c.Packages.Guess(name, selected)
	}
	if path == "" || path == "C" {
		return nil
	}
	pkg, err := n.c.Packages.Import(path)
	if err != nil {
		return nil
	}
	return pkg
}

func (n hintNames) Packages() []string { return n.c.Packages.Names() }

func (n hintNames) Imports() []string { return slices.Collect(maps.Keys(n.c.Imports)) }

func (n hintNames) Defined(name string) (starts []int) {
	for _, t := range n.c.Cell.Stmts {
		if slices.Contains(t.Defs, name) {
			starts = append(starts, t.Start)
		}
	}
	return starts
}

func (n hintNames) Cell(name string) string {
	if e := n.c.Scope.Lookup(name); e != nil {
		return e.Cell
	}
	return ""
}

func (n hintNames) HidesType(name string) bool { return n.c.Scope.Lookup(spell.TypeMark+name) != nil }

func (n hintNames) Gone(name string, now bool) string {
	if why := n.c.Dropped[name]; why != "" && now {
		if n.c.Retyped[name] != nil {
			return "with this cell its type no longer compiles"
		}
		return "with this cell it no longer compiles: " + why
	}
	return n.c.Scope.Gone(name)
}
