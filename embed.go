// Package holt holds the sources that cells are compiled against, so that the
// holt binary works from any folder when the checkout is gone.
//
// Package kernel/build extracts [Source] into the user's cache and builds the
// host program from it.
package holt

import (
	"embed"
	"io/fs"
	"strings"
)

// Patterns name no testdata; test files are left out by [Source].
//
//go:embed go.mod go.sum
//go:embed cmd/holt-host/*.go
//go:embed kernel/host/*.go kernel/host/gotest/*.go kernel/host/msg/*.go kernel/host/rt/*.go
//go:embed internal/*/*.go internal/*/*.c internal/*/*.h internal/*/*.s
//go:embed dl/*.go dl/*/*.go dl/internal/*/*.go dl/internal/small/*.s dl/vision/*/*.go dl/vision/cifarsample/sample.tar.gz dl/vision/imagenet/classes.txt dl/words/words.tsv dl/words/pytorch.txt
//go:embed display/*.go display/*/*.go
var files embed.FS

// Source is the module without its tests and without the packages that only
// the kernel needs: go.mod, go.sum, and what cmd/holt-host imports.
var Source fs.FS = source{files}

// source hides test files and their data.
type source struct{ fs embed.FS }

func hidden(name string) bool {
	return strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "testdata") || name == "internal/arch" || name == "internal/fakenccl" || name == "internal/golden" || name == "internal/limit"
}

// Open implements [fs.FS].
func (s source) Open(name string) (fs.File, error) {
	if hidden(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return s.fs.Open(name)
}

// ReadDir implements [fs.ReadDirFS].
func (s source) ReadDir(name string) ([]fs.DirEntry, error) {
	all, err := s.fs.ReadDir(name)
	if err != nil {
		return nil, err
	}
	var list []fs.DirEntry
	for _, e := range all {
		path := e.Name()
		if name != "." {
			path = name + "/" + path
		}
		if !hidden(path) {
			list = append(list, e)
		}
	}
	return list, nil
}
