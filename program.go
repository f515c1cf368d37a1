package holt

import (
	"embed"
	"io/fs"
)

//go:embed *.go go.mod go.sum
//go:embed cmd/holt cmd/holt-host
//go:embed kernel
//go:embed internal/*/*.go internal/*/*.c internal/*/*.h internal/*/*.s
//go:embed dl/*.go dl/*/*.go dl/internal/*/*.go dl/internal/small/*.s dl/vision/*/*.go dl/vision/cifarsample/sample.tar.gz dl/vision/imagenet/classes.txt dl/words/words.tsv dl/words/pytorch.txt
//go:embed display/*.go display/*/*.go
//go:embed notebooks/*.ipynb notebooks/gallery/*.ipynb
var program embed.FS

// Program is the module without its tests, as far as holt itself is built from
// it: go build ./cmd/holt works where it is written to. It shares the files of
// [Source], which a binary holds once.
var Program fs.FS = source{program}

//go:embed notebooks/*.ipynb notebooks/gallery/*.ipynb
var notebooks embed.FS

// Course is the notebooks of the course, without the folder that they are in here.
var Course = sub(notebooks, "notebooks")

func sub(fsys fs.FS, dir string) fs.FS {
	f, err := fs.Sub(fsys, dir)
	if err != nil {
		panic(err) // dir is not a valid path
	}
	return f
}
