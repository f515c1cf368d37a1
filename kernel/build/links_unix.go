//go:build unix

package build

import (
	"io/fs"
	"syscall"
)

// linked reports whether a file has another name.
func linked(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink > 1
}
