package pth

import (
	"io"

	"github.com/holt-dl/holt/dl"
)

// ReadFile lets tests read bytes without a file.
func ReadFile(f File, r io.ReaderAt, size int64) (dl.StateDict, error) { return f.read(r, size) }
