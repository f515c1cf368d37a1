package scratch

import (
	"errors"
	"os"
)

// tryLock fails: Windows locks no folders. So none is marked, and none that a process left is
// removed by another.
func tryLock(*os.File) error { return errors.ErrUnsupported }

func openFolder(path string) (*os.File, error) { return os.Open(path) }

// mine reports whether a file is a folder: TMPDIR is each user's own on Windows.
func mine(info os.FileInfo) bool { return info.IsDir() }
