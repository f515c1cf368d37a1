package cell

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/gen"
	"github.com/holt-dl/holt/kernel/cell/lineage"
	"github.com/holt-dl/holt/kernel/cell/listing"
	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/spell"
)

// Program is a checked cell as a Go package that exports a function Run.
type Program struct {
	Seq     int    // its number; programs are never numbered alike
	Path    string // its import path
	Files   []check.File
	Deps    []int                // the programs whose packages it needs, directly or not
	Imports []string             // the other packages that it imports
	Embeds  []parse.Embed        // the //go:embed patterns that it uses
	CTypes  map[string]gen.CType // C types that are those of earlier programs, by name
	Notices []string             // sentences for the person who ran the cell
	Empty   bool                 // nothing to compile or run
	Effects lineage.Effects      // on other cells, when all of it runs
	Leaf    bool                 // it declares nothing that a later program could import

	notebook *Notebook
	checked  *check.Result
	code     *gen.Output
}

// Check parses and checks a cell, and writes its code. The error is a [*syntax.Error]
// unless ctx ended, or wraps [check.ErrAgain]: after a [Notebook.Rebuild] the cell can be
// checked again. Nothing of the notebook changes before the program is committed.
func (nb *Notebook) Check(ctx context.Context, src parse.Source) (*Program, error) {
	c, err := check.Run(ctx, nb.input(), src)
	if err != nil {
		return nil, err
	}
	return nb.newProgram(c)
}

// Rebuild returns a program that declares everything again, for a new host
// process. Variables keep their types and are lost.
func (nb *Notebook) Rebuild(ctx context.Context) (*Program, error) {
	// What the packages of the old process hold is out of reach.
	nb.code.Restart()
	nb.release = nil
	ed := nb.scope.Edit()
	for name, v := range nb.scope.All() {
		if v.Kind == scope.Var && spell.MentionsC(v.Obj.Type()) {
			ed.Drop(name) // only its own cell can say its type
			ed.SetGone(name, name+" is gone with the host process that ended, and its type is one of C: run "+v.Cell+" again to make it")
		}
	}
	nb.scope = ed.Model() // what was dropped has no value to release
	c, err := check.Rebuild(ctx, nb.input(), "cell[0]")
	if err != nil {
		return nil, err
	}
	return nb.newProgram(c)
}

// input is what a check of the next cell reads.
func (nb *Notebook) input() check.Input {
	return check.Input{Seq: nb.seq + 1, Packages: nb.pk, Fset: nb.fset, Scope: nb.scope, CType: nb.code.CType}
}

// newProgram generates the code of a cell that passed its check.
func (nb *Notebook) newProgram(c *check.Result) (*Program, error) {
	out, err := gen.Generate(c, nb.release, nb.code)
	if err != nil {
		return nil, err
	}
	return &Program{
		Seq: c.Seq, Path: spell.PkgPath(c.Seq), Files: out.Files, Deps: out.Deps, Imports: out.Imports, Embeds: out.Embeds, CTypes: out.CTypes,
		Notices: append(c.Notices, out.Notices...),
		Empty:   !out.HasRun && !c.HasMain && len(c.Own)+len(c.Redeclared)+len(c.Retyped)+len(c.NewBodies)+len(c.Blank) == 0,
		Effects: lineage.Find(c),
		Leaf: !out.Declares && len(c.NewVars)+len(c.Retyped)+len(c.Redeclared)+len(c.CNames) == 0 &&
			!slices.ContainsFunc(c.Own, func(u *scope.Unit) bool { return !u.Unnamed() && c.NewBodies[u] == nil }),
		notebook: nb, checked: c, code: out,
	}, nil
}

// Listing returns the cell as it was written, with what the check found out. It is empty
// for a program that [Notebook.Rebuild] made.
func (p *Program) Listing() *listing.Listing { return listing.Of(p.checked) }

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
