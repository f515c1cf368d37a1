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

// What package hint asks of a check. It comes before this package in the order of the engine
// and knows no checker, so it asks through an interface of its own.

// hinted is a checked file as hints see it. Offsets are those of the source, so that a hint can
// quote what the person wrote. A file of variables or of cmd/cgo is [hint.Other].
func (c *checker) hinted(p *passed, f *syntax.File) *hint.File {
	part := map[syntax.Kind]hint.Part{syntax.StmtFile: hint.Statements, syntax.DeclFile: hint.Declarations, syntax.UnitFile: hint.Earlier}[f.Kind]
	return &hint.File{Part: part, AST: f.AST, Source: f.Source, Info: p.info, Pkg: p.pkg, Names: c.names(),
		Offset: func(pos token.Pos) int { return f.Back(f.Offset(pos)) }}
}

// names is what hints ask about names, or nil where no packages are known, as in [Spelled].
func (c *checker) names() hint.Names {
	if c.Packages == nil {
		return nil
	}
	return hintNames{c}
}

// hintNames implements hint.Names, with what is known at the moment of the question.
type hintNames struct{ c *checker }

// Package imports what a name means or would mean. C is none: what cmd/cgo declares is no
// package that could be looked into.
func (n hintNames) Package(name string, selected ...string) *types.Package {
	path := n.c.Imports[name]
	if path == "" {
		path, _ = n.c.Packages.Guess(n.c.ctx, name, selected)
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

// Packages lists names of packages that nothing imports yet, for one that is misspelt.
func (n hintNames) Packages() []string { return n.c.Packages.Names() }

// Imports lists live imports, those of the cell, and those that were guessed for it.
func (n hintNames) Imports() []string { return slices.Collect(maps.Keys(n.c.Imports)) }

// Defined tells a name that is used above its definition from one that is unknown.
func (n hintNames) Defined(name string) (starts []int) {
	for _, t := range n.c.Cell.Stmts {
		if slices.Contains(t.Defs, name) {
			starts = append(starts, t.Start)
		}
	}
	return starts
}

// Cell names the cell to which the person is sent, as in "time is a variable since cell[1]".
func (n hintNames) Cell(name string) string {
	if e := n.c.Scope.Lookup(name); e != nil {
		return e.Cell
	}
	return ""
}

// HidesType reports what earlier cells hide.
func (n hintNames) HidesType(name string) bool { return n.c.Scope.Lookup(spell.TypeMark+name) != nil }

// Gone says why a name is gone: because of this cell, or, in the model's words, of an earlier
// one. The first is asked for by the cell's own text alone.
func (n hintNames) Gone(name string, now bool) string {
	if why := n.c.Dropped[name]; why != "" && now {
		if n.c.Retyped[name] != nil {
			return "with this cell its type no longer compiles"
		}
		return "with this cell it no longer compiles: " + why
	}
	return n.c.Scope.Gone(name)
}
