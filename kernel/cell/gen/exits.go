package gen

import (
	"go/ast"
	"go/types"
)

// A program ends itself by os.Exit. In a cell's own text that ends the cell, and
// the values stay:
//
//	os.Exit         ˣrt.Exit
//	log.Fatal       a function that calls log.Print, and then ˣrt.Fatal
//
// the same for Fatalf and Fatalln, and for the methods of a *log.Logger. The
// function stands on the cell's line, which is the one that a logger with
// log.Lshortfile names. A library that calls os.Exit ends the host process.
//
// A function literal stands there, and not a call of another function, for three reasons:
// log.Fatal may be a value that is called elsewhere, its receiver is evaluated once and where
// it stands, and what it prints has to come from the cell's line.

// fatal holds what a call of package log does before it exits.
var fatal = map[string]string{"Fatal": "Print", "Fatalf": "Printf", "Fatalln": "Println"}

// exit rewrites a function that ends the process.
//
// log.Fatal(x) becomes, on one line,
//
//	(func(ˣp func(ˣv ...any)) func(ˣv ...any) {
//		return func(ˣv ...any) { ˣp(ˣv...); ˣrt.Fatal() } })(log.Print)(x)
//
// Only the name behind the dot is replaced, so that what stands before it, a package or a
// logger of another program, is written by ident as everywhere.
func (r *rewriter) exit(n *ast.SelectorExpr) {
	fn, ok := r.g.in.Info.Uses[n.Sel].(*types.Func)
	if !ok || fn.Pkg() == nil {
		return
	}
	start, sel, end := r.off(n.Pos()), r.off(n.Sel.Pos()), r.off(n.End())
	switch name := fn.FullName(); name {
	case "os.Exit":
		r.ed.Replace(start, end, r.rt("Exit")+r.breaks(n.X.End(), n.End()))
		r.skipAll(n)
	case "log.Fatal", "log.Fatalf", "log.Fatalln", "(*log.Logger).Fatal", "(*log.Logger).Fatalf", "(*log.Logger).Fatalln":
		format, more := "", ""
		if fn.Name() == "Fatalf" {
			format, more = "ˣf string, ", "ˣf, "
		}
		r.ed.Insert(start, "(func(ˣp func("+format+"ˣv ...any)) func("+format+"ˣv ...any) { return func("+format+"ˣv ...any) { ˣp("+more+"ˣv...); "+
			r.rt("Fatal")+"() } })(")
		r.ed.Replace(sel, end, fatal[fn.Name()]+")")
	}
}
