package check

import (
	"context"

	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/scope"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// Run parses and checks a cell. The error is a [*syntax.Error] unless ctx ended, or wraps
// [ErrAgain]. It reads the input and changes nothing of it, so that a check that fails, or
// whose cell does not run, can be forgotten.
func Run(ctx context.Context, in Input, src parse.Source) (*Result, error) {
	return begin(ctx, in, src).run()
}

// Rebuild checks everything again that names mean, as one cell without a text. Variables
// keep their types. It is the check of an empty cell after which everything is stale: each
// source goes through the same stages as one that a cell's change reaches. What does not
// compile any more, since a package is another one, is dropped with a notice.
func Rebuild(ctx context.Context, in Input, name string) (*Result, error) {
	c := begin(ctx, in, parse.Source{Name: name})
	for name, v := range in.Scope.All() {
		c.changed[name] = true
		if v.Kind == scope.Var { // it has a type, and no source
			c.Retyped[name] = v
		} else {
			c.Redeclared[name] = v
		}
	}
	return c.run()
}

// begin cuts the cell apart. Hints to its syntax errors ask the check about names, so the
// checker is there before the cell is.
func begin(ctx context.Context, in Input, src parse.Source) *checker {
	c := newChecker(ctx, in)
	c.Cell = parse.New(in.Fset, src, c.names())
	return c
}

// run goes through the stages of a check:
//
//	SyntaxError       whether the cell can be parsed
//	collect           what the cell imports and declares (Own), and its statements
//	classify          declarations that give a function another body, and those that
//	                  change what a name means
//	guessImports      packages that are named without an import
//	findChanged       what of earlier cells must be compiled again
//	revive            what no longer compiled and is tried again
//	infer             the first passes of go/types: the types of new variables, calls
//	                  whose error is taken, the value of the last line
//	pass              the final pass
//	handleErrors      what it found: errors of the cell, and what no longer compiles
//	refuseLost        values that the cell uses and that are gone
//	finish            the result
//
// What no longer compiles is left out, and the stages from findChanged on are gone
// through again, until nothing more is.
func (c *checker) run() (*Result, error) {
	if err := c.Cell.SyntaxError(); err != nil {
		return nil, err
	}
	if err := c.collect(); err != nil {
		return nil, err
	}
	c.classify()
	if err := c.guessImports(); err != nil {
		return nil, err
	}
	// Each turn of this loop that is not the last has dropped or given up on something, of which
	// there is only so much: so it ends.
	for {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		// What is tried again changes what its name means, which may make more stale, and that may
		// be what other broken declarations wait for.
		for more := true; more; {
			c.findChanged()
			more = c.revive()
		}
		// The first passes. What was tried again may be why the cell does not compile, and is left
		// out before the person is told that it does not.
		first, err := c.infer()
		if err != nil && c.refuseRevived() {
			continue
		}
		if err != nil {
			return nil, err
		}
		// The cell's variables have types by now. Those that are new ones make stale what uses
		// their names.
		c.findChanged()
		p := first
		if !c.isFinal() {
			p = c.pass(passFinal, first)
		}
		again, err := c.handleErrors(p)
		if again {
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := c.refuseLost(p); err != nil {
			return nil, err
		}
		c.reviveNotices()
		return c.finish(p), nil
	}
}

// isFinal reports whether the final pass would check what the first one did: the cell
// declares nothing, defines no variable, and has nothing compiled again. Such are most cells
// in which a person looks at values, and they are spared half of the check. Declarations count
// because the first pass leaves out the bodies of functions, and names of Go's own because the
// two passes spell them apart.
func (c *checker) isFinal() bool {
	return len(c.Own)+len(c.Cell.Defined())+len(c.TakenErr)+len(c.Redeclared)+len(c.Retyped)+len(c.NewBodies)+len(c.Revived)+len(c.Dropped)+len(c.before) == 0 &&
		!c.hasGoNames()
}

// finish makes the result of a package that passed its check: notices that need the types of
// the last pass, and what the cell's units use. It fails no more.
func (c *checker) finish(p *passed) *Result {
	if c.Preamble != nil && len(c.cUses[c.Preamble]) == 0 {
		c.Notices = append(c.Notices, `the C code of this cell is for the Go code of the same cell, which has no C.name; import "C" did nothing`)
	}
	// Only of the cell itself: what earlier cells said was noticed when they ran.
	for _, f := range p.files {
		if f.Kind == syntax.StmtFile {
			c.Notices = append(c.Notices, c.hinted(p, f).Printed()...)
		}
		if f.Kind == syntax.StmtFile || f.Kind == syntax.DeclFile {
			c.Notices = append(c.Notices, c.hinted(p, f).Compared()...)
		}
	}
	c.Pkg, c.Info, c.Files, c.Old = p.pkg, p.info, p.files, p.old
	c.CNames = map[*scope.Preamble][]string{}
	for pre, uses := range c.cUses {
		for _, n := range sortedNames(uses) { // in order, since code is generated from it
			c.CNames[pre] = append(c.CNames[pre], n.name)
		}
	}
	decls := c.declarations()
	for _, u := range c.Own {
		c.findUses(u, decls)
	}
	return &c.Result
}
