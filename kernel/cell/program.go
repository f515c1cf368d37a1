package cell

import (
	"fmt"
	"go/types"
	"slices"
	"sort"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/gen"
	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// What a program consists of is said by the package that generates it.
type (
	File  = gen.File
	Embed = parse.Embed
	CType = gen.CType
)

// Program is a checked cell as a Go package that exports a function Run.
type Program struct {
	Seq     int    // its number; programs are never numbered alike
	Path    string // its import path
	Files   []File
	Deps    []int            // the programs whose packages it needs, directly or not
	Imports []string         // the other packages that it imports
	Embeds  []Embed          // the //go:embed patterns that it uses
	CTypes  map[string]CType // C types that are those of earlier programs, by name
	Notices []string         // sentences for the person who ran the cell
	Empty   bool             // nothing to compile or run
	Effects Effects          // on other cells, when all of it runs
	Leaf    bool             // it declares nothing that a later program could import

	commit  func(reached int)
	listing func() *Listing
}

// Commit makes what the program declares live. Reached is how many of the
// cell's top-level statements were done: a variable that was not reached keeps
// its old meaning. A negative number says all.
func (p *Program) Commit(reached int) { p.commit(reached) }

// A result is a package that passed its check, and the code of it.
type result struct {
	c   *check
	p   *passed
	out *gen.Output
}

// generate makes the program of a package that passed its check.
func (c *check) generate(p *passed) (*Program, error) {
	if c.pre != nil && len(c.cUses[c.pre]) == 0 {
		c.notices = append(c.notices, `the C code of this cell is for the Go code of the same cell, which has no C.name; import "C" did nothing`)
	}
	for _, f := range p.files {
		if f.Kind == syntax.StmtFile {
			c.notices = append(c.notices, c.hinted(p, f).Printed()...)
		}
		if f.Kind == syntax.StmtFile || f.Kind == syntax.DeclFile {
			c.notices = append(c.notices, c.hinted(p, f).Compared()...)
		}
	}
	out, err := gen.Generate(c.checked(p), c.nb.code)
	if err != nil {
		return nil, err
	}
	g := &result{c, p, out}
	prog := &Program{
		Seq: c.seq, Path: spell.PkgPath(c.seq), Files: out.Files, Deps: out.Deps, Imports: out.Imports, Embeds: out.Embeds, CTypes: out.CTypes,
		Notices: append(c.notices, out.Notices...),
		Empty:   !out.HasRun && !c.hasMain && len(c.own) == 0 && len(c.redeclared) == 0 && len(c.retyped) == 0 && len(c.newBodies) == 0 && len(c.blank) == 0,
		Effects: g.effects(),
		Leaf: !out.Declares && len(c.newVars)+len(c.retyped)+len(c.redeclared)+len(c.cUses) == 0 &&
			!slices.ContainsFunc(c.own, func(u *scope.Unit) bool { return !u.Unnamed() && c.newBodies[u] == nil }),
		listing: g.listing,
	}
	prog.commit = func(reached int) { g.commit(prog, reached) }
	return prog, nil
}

// checked is what the check found out, for the package that generates code.
func (c *check) checked(p *passed) *gen.Checked {
	in := &gen.Checked{
		Seq: c.seq, Cell: c.cell.Name, Packages: c.nb.pk, Fset: c.nb.fset, Scope: c.scope,
		Pkg: p.pkg, Info: p.info, Files: p.files, Old: p.old,
		Imports: c.imports, Blank: c.blank, HasMain: c.hasMain, Shown: -1,
		Own: c.own, OwnNames: c.ownNames, NewVars: c.newVars, Hides: c.hides, Redeclared: c.redeclared, Retyped: c.retyped,
		NewBodies: c.newBodies, Dropped: c.dropped, Released: c.nb.release,
		Preamble: c.pre, CNames: map[*scope.Preamble][]string{}, SharedC: c.cShared,
	}
	if n := len(c.cell.Stmts); n > 0 && c.cell.Stmts[n-1].Last && !c.cell.Stmts[n-1].Hide {
		in.Shown = c.cell.Stmts[n-1].Start
	}
	for _, t := range c.cell.Stmts {
		if len(t.Embed) > 0 {
			in.Embeds = append(in.Embeds, gen.Embedded{Name: t.Defs[0], Patterns: t.Embed})
		}
	}
	for pre, uses := range c.cUses {
		for _, n := range sortedNames(uses) {
			in.CNames[pre] = append(in.CNames[pre], n.name)
		}
	}
	return in
}

// packageLevel reports whether obj is declared at package level of the notebook.
func (p *passed) packageLevel(obj types.Object) bool {
	return p.old[obj] != "" || spell.PackageLevel(obj)
}

// Describe is the text of a program's files, for tests and bug reports.
func (p *Program) Describe() string {
	var b strings.Builder
	files := slices.Clone(p.Files)
	sort.Slice(files, func(i, j int) bool { return files[i].Name < files[j].Name })
	for _, f := range files {
		fmt.Fprintf(&b, "-- %s --\n%s", f.Name, f.Text)
	}
	return b.String()
}
