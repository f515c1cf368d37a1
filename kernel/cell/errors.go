package cell

import "github.com/holt-dl/holt/kernel/cell/syntax"

// What is wrong with a cell, and where, is said in the same way by all that reads cells.
type (
	Diagnostic = syntax.Diagnostic
	Error      = syntax.Error
)
