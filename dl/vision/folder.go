package vision

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/holt-dl/holt/internal/hooks"
)

// ImageFolder is a data set of one's own: a folder for each class, with its
// pictures inside, at any depth.
//
//	root/ants/0013035.jpg
//	root/bees/1092977343.jpg
//
// The classes are the folders' names, sorted; hidden folders, such as .git and
// the .ipynb_checkpoints of JupyterLab, are none, and it is said. Files are those that
// torchvision takes, by their extension: jpg, jpeg, png, ppm, bmp, pgm, tif,
// tiff and webp. Pictures become three channels, whatever they were.
//
// Files are decoded to the pixels that torchvision sees. A Go program of your
// own imports dl/vision/formats for formats other than JPEG; notebooks have
// it. Gray pictures of 16 bits are cut off at 255, as torchvision's loader
// does, which makes photographs white: read those with [Open] and
// [Photo.Tensor] in a data set of your own.
type ImageFolder struct {
	Root      string    // required
	Transform Transform // of each picture; nil means ToTensor

	// ExifTranspose turns pictures upright that a camera stored otherwise. It is
	// off in torchvision, and here.
	ExifTranspose bool
}

var extensions = []string{".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"}

// Open lists the files. Each is read when it is asked for; one that cannot be
// read is an error then, which names it. A folder without classes, and a
// class without pictures, are errors now.
func (f ImageFolder) Open() (*Images, error) {
	entries, err := os.ReadDir(f.Root)
	if err != nil {
		return nil, fmt.Errorf("vision: ImageFolder: %w", err)
	}
	d := &Images{Transform: f.Transform, name: "ImageFolder " + f.Root, source: "pictures in " + f.Root}
	var labels []int
	var hidden []string
	for _, e := range entries { // sorted by name
		dir := filepath.Join(f.Root, e.Name())
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		if strings.HasPrefix(e.Name(), ".") {
			hidden = append(hidden, e.Name())
			continue
		}
		files, err := pictures(dir, 0)
		if err != nil {
			return nil, fmt.Errorf("vision: ImageFolder: %w", err)
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("vision: ImageFolder: class %s has no picture in %s, want files ending in %s", e.Name(), dir, strings.Join(extensions, ", "))
		}
		for _, file := range files {
			d.paths, labels = append(d.paths, file), append(labels, len(d.Classes))
		}
		d.Classes = append(d.Classes, e.Name())
	}
	if len(hidden) > 0 {
		hooks.Notice(fmt.Sprintf("ImageFolder %s: hidden folders are no classes, and left out: %s", f.Root, strings.Join(hidden, ", ")))
	}
	if len(d.Classes) == 0 {
		return nil, fmt.Errorf("vision: ImageFolder: no folder in %s, want one for each class", f.Root)
	}
	d.n = len(d.paths)
	d.load = func(i int) (picture, int, error) {
		img, err := readListed(d.paths[i], f.ExifTranspose)
		return img, labels[i], err
	}
	d.labels = labels
	return d, nil
}

// readListed reads a file that was found in a folder, which may be a link whose
// file is gone.
func readListed(path string, upright bool) (picture, error) {
	p, err := readPicture(path, upright)
	if errors.Is(err, fs.ErrNotExist) {
		if to, _ := os.Readlink(path); to != "" {
			err = fmt.Errorf("vision: %s: the link leads to %s, which is not there; leave such pictures out with the loader's SkipErrors", path, to)
		}
	}
	return p, err
}

// checkpoints is the folder in which JupyterLab keeps copies of files that it
// opened.
const checkpoints = ".ipynb_checkpoints"

// pictures lists the files below dir, sorted. Links are followed, but no
// deeper than folders are likely to be. One that leads nowhere is listed, and an
// error when it is read.
func pictures(dir string, depth int) (files []string, err error) {
	if depth > 32 {
		return nil, fmt.Errorf("%s: folders are more than 32 deep; does a link lead back?", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		mode := e.Type()
		if mode&fs.ModeSymlink != 0 {
			info, err := os.Stat(path)
			switch {
			case err == nil:
				mode = info.Mode()
			case errors.Is(err, fs.ErrNotExist):
				mode = 0 // a file, as far as its name says
			default:
				return nil, err
			}
		}
		switch {
		case mode.IsDir() && e.Name() == checkpoints:
		case mode.IsDir():
			more, err := pictures(path, depth+1)
			if err != nil {
				return nil, err
			}
			files = append(files, more...)
		case mode.IsRegular() && slices.Contains(extensions, strings.ToLower(filepath.Ext(path))):
			files = append(files, path)
		}
	}
	return files, nil
}
