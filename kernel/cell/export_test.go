package cell

import "github.com/holt-dl/holt/kernel/cell/gen"

// What other packages have by now, under the names that the tests have for it.
const runtimePath = gen.RuntimePath

var sizes = gen.Sizes
