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
	Path    string // its import path, such as notebook/c5
	Files   []check.File
	Deps    []int                // the programs whose packages it needs, directly or not
	Imports []string             // the other packages that it imports
	Embeds  []parse.Embed        // the //go:embed patterns that it uses
	CTypes  map[string]gen.CType // C types that are those of earlier programs, by name
	Notices []string             // sentences for the person who ran the cell
	Empty   bool                 // nothing to compile or run
	Effects lineage.Effects      // on other cells, when all of it runs
	Leaf    bool                 // it declares nothing that a later program could import: its archive may go

	notebook *Notebook     // that it is committed to
	checked  *check.Result // what [Program.Commit] writes into the model
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
// process. Variables keep their types and are lost, which [Notebook.MarkLost] has noted before.
//
// All that lives comes into one package, whichever cells declared it, and is at home there
// once the program is committed. A type is another one then, which does no harm: no value of
// the old one is left. It may be called again after it failed.
func (nb *Notebook) Rebuild(ctx context.Context) (*Program, error) {
	// What the packages of the old process hold is out of reach.
	nb.code.Restart()
	nb.release = nil
	// A C type is declared by what cmd/cgo makes of the C code of one cell. A variable has no
	// source that would bring this code along.
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

// input is what a check of the next cell reads. A cell that is not committed leaves its number
// to the next one.
func (nb *Notebook) input() check.Input {
	return check.Input{Seq: nb.seq + 1, Packages: nb.pk, Fset: nb.fset, Scope: nb.scope, CType: nb.code.CType}
}

// newProgram generates the code of a cell that passed its check. A cell that only imports, or
// whose declarations all stand there as they did, is empty: nothing is compiled for it. A
// function that gets another body is no reason for others to import its new package: they
// import the first one, where the hook is.
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
