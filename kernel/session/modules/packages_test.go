package modules

import (
	"go/types"
	"testing"
)

type panicImporter struct{}

func (panicImporter) Import(path string) (*types.Package, error) {
	panic("export data version 4 is greater than maximum supported version 2")
}

// TestImportOfNewerGo: a package of a Go that is newer than the one which built Holt
// says what to do; any other panic goes on.
func TestImportOfNewerGo(t *testing.T) {
	_, err := importWith(panicImporter{}, "fmt", "go1.27.0 X:none", "go1.26.8")
	const want = "package fmt was compiled by go1.27.0, and this Holt was built by go1.26.8, which cannot read it " +
		"(export data version 4 is greater than maximum supported version 2); build Holt again with go1.27.0, or put go1.26.8 first in PATH"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	for _, compiler := range []string{"go1.26.9", "go1.25.1"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a panic with packages of %s is gone", compiler)
				}
			}()
			importWith(panicImporter{}, "fmt", compiler, "go1.26.8")
		}()
	}
}
