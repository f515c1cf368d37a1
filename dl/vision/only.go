package vision

import (
	"fmt"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/holt-dl/holt/internal/aside"
)

// Only returns the data set of the pictures of some classes, whose labels are
// 0, 1, … in the order in which they are named. It reads the same files and has
// the same Transform. A class that d does not have is an error.
//
//	two, err := cifar.Only("bird", "frog")
func (d *Images) Only(classes ...string) (*Images, error) {
	if len(classes) == 0 {
		return nil, fmt.Errorf("vision: %s: Only has no classes, want some of %q", d.name, d.Classes)
	}
	label := map[int]int{} // by that in d
	for i, c := range classes {
		was := slices.Index(d.Classes, c)
		if was < 0 {
			return nil, fmt.Errorf("vision: %s: there is no class %q, want one of %q", d.name, c, d.Classes)
		}
		if _, twice := label[was]; twice {
			return nil, fmt.Errorf("vision: %s: class %q is named twice", d.name, c)
		}
		label[was] = i
	}
	kept := &Images{
		Classes:   slices.Clone(classes),
		Transform: d.Transform,
		name:      d.name + ", only " + strings.Join(classes, " and "),
		source:    d.source,
	}
	var at []int // in d
	for i, was := range d.Targets() {
		l, ok := label[was]
		if !ok {
			continue
		}
		at, kept.labels = append(at, i), append(kept.labels, l)
		if d.paths != nil {
			kept.paths = append(kept.paths, d.paths[i])
		}
	}
	kept.n = len(at)
	load := d.load
	kept.load = func(i int) (picture, int, error) {
		p, _, err := load(at[i])
		return p, kept.labels[i], err
	}
	return kept, nil
}

// WriteFolder writes the pictures of a data set, as they are before the
// transform, into a folder for each class, which [ImageFolder] reads: as PNG
// files, which keep every pixel, named by their number in d. Of each class it
// writes at most the first most; 0 means all. It returns how many it has
// written. Folders are made when missing, and files that are there overwritten.
func WriteFolder(root string, d *Images, most int) (n int, err error) {
	if most < 0 {
		return 0, fmt.Errorf("vision: WriteFolder: most is %d, want at least 0", most)
	}
	for _, c := range d.Classes {
		if c != filepath.Base(c) || strings.HasPrefix(c, ".") {
			return 0, fmt.Errorf("vision: WriteFolder: class %q is no name of a folder", c)
		}
	}
	written := make([]int, len(d.Classes))
	for i, label := range d.Targets() {
		if most > 0 && written[label] == most {
			continue
		}
		m, _, err := d.Picture(i)
		if err != nil {
			return n, fmt.Errorf("vision: WriteFolder: picture %d: %w", i, err)
		}
		dir := filepath.Join(root, d.Classes[label])
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return n, fmt.Errorf("vision: WriteFolder: %w", err)
		}
		err = aside.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.png", i)), func(w io.Writer) error {
			return png.Encode(w, m.Image())
		})
		if err != nil {
			return n, fmt.Errorf("vision: WriteFolder: %w", err)
		}
		written[label]++
		n++
	}
	return n, nil
}
