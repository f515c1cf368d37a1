package cell

import (
	"github.com/holt-dl/holt/kernel/cell/check"
	"github.com/holt-dl/holt/kernel/cell/gen"
	"github.com/holt-dl/holt/kernel/cell/parse"
	"github.com/holt-dl/holt/kernel/cell/syntax"
)

// What other packages have, under the names that the tests have for it.
const runtimePath = gen.RuntimePath

var sizes = check.Sizes

type (
	Source = parse.Source
	File   = check.File
	Error  = syntax.Error
)
