// Package parse is the first stage of a check: a cell's text, cut apart and parsed, before
// it is known what any name means.
//
// A [Cell] is the text with its chunks and its top-level statements, each a [Stmt]. A cell
// is not a Go file: declarations and statements stand side by side in it. So it is parsed
// in parts. Each part is a text of the cell's length in which all that belongs to the
// others is blank ([Cell.DeclText], [Cell.StmtText]), so that lines and columns stay the
// cell's; declarations are parsed as a Go file, and statements as the body of a function.
//
// A check looks at the same text many times: to find what the cell declares, which
// packages it names, and in each pass of go/types. Cell remembers what it parsed, so that
// no text is parsed twice: this is the one place below kernel/cell that calls go/parser.
//
// [Parse] is for what must know a cell that is not checked: one that has not run yet, or
// that is compiled for a browser.
//
// # Where to read
//
//	cell.go      what a cell consists of
//	parts.go     its text, of which all but one part is blank
//	tree.go      text that is parsed once; what is wrong with its syntax
//	stmts.go     its statements, and what each defines
//	order.go     var declarations in order of need
//	embed.go     //go:embed
//	parsed.go    a cell that is only parsed
package parse
