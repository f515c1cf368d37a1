package vision

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// LabelFolder is a data set of pictures in one folder and a text file for
// each in another, which holds its label on the first line:
//
//	train/ants_image/0013035.jpg    train/ants_label/0013035.txt: ants
//
// [WriteLabels] writes such files. Sets with the same Classes are joined by
// dl.ConcatDataset.
type LabelFolder struct {
	Images string // the folder of the pictures; required
	Labels string // the folder of the text files; required

	// Classes are the labels that may occur, label 0 first; empty means those
	// that do, sorted.
	Classes []string

	Transform     Transform // of each picture; nil means ToTensor
	ExifTranspose bool      // turn pictures upright that a camera stored otherwise
}

const maxLabel = 1 << 10 // bytes of a label

// Open reads the labels; pictures are read when they are asked for. A picture
// without a label file is an error, and so is a label that is not in Classes.
func (f LabelFolder) Open() (*Images, error) {
	files, err := pictures(f.Images, 0)
	if err != nil {
		return nil, fmt.Errorf("vision: LabelFolder: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("vision: LabelFolder: no picture in %q, want files ending in %s", f.Images, strings.Join(extensions, ", "))
	}
	names := make([]string, len(files))
	for i, file := range files {
		if names[i], err = readLabel(labelFile(f.Images, f.Labels, file)); err != nil {
			if errors.Is(err, os.ErrNotExist) {
				err = fmt.Errorf("%s has no label file (%w); vision.WriteLabels writes them", file, err)
			}
			return nil, fmt.Errorf("vision: LabelFolder: %w", err)
		}
	}
	classes := slices.Clone(f.Classes)
	if len(classes) == 0 {
		classes = slices.Compact(slices.Sorted(slices.Values(names)))
	}
	d := &Images{Classes: classes, Transform: f.Transform, name: "LabelFolder " + f.Images, source: "pictures in " + f.Images, paths: files, n: len(files)}
	for i, name := range names {
		label := slices.Index(classes, name)
		if label < 0 {
			return nil, fmt.Errorf("vision: LabelFolder: %s says %q, want one of the Classes %q", labelFile(f.Images, f.Labels, files[i]), name, classes)
		}
		d.labels = append(d.labels, label)
	}
	d.load = func(i int) (picture, int, error) {
		img, err := readListed(d.paths[i], f.ExifTranspose)
		return img, d.labels[i], err
	}
	return d, nil
}

// labelFile is where the label of a picture is written.
func labelFile(images, labels, file string) string {
	name, err := filepath.Rel(images, file)
	if err != nil {
		name = filepath.Base(file)
	}
	return filepath.Join(labels, strings.TrimSuffix(name, filepath.Ext(name))+".txt")
}

func readLabel(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	line, err := bufio.NewReader(io.LimitReader(f, maxLabel)).ReadString('\n')
	label := strings.TrimSpace(strings.TrimPrefix(line, "\ufeff")) // editors on Windows write a mark
	switch {
	case err != nil && err != io.EOF:
		return "", err
	case label == "":
		return "", fmt.Errorf("%s has no label on its first line", path)
	case len(line) == maxLabel:
		return "", fmt.Errorf("%s: its first line is longer than %d bytes, want a label", path, maxLabel)
	}
	return label, nil
}

// WriteLabels writes a text file with the label for each picture in a folder,
// into the folder labels, which is made when missing. It returns how many
// there are. Files that are there already are overwritten.
func WriteLabels(images, labels, label string) (n int, err error) {
	if strings.TrimSpace(label) == "" || strings.ContainsAny(label, "\r\n") || len(label) >= maxLabel {
		return 0, fmt.Errorf("vision: WriteLabels: label is %q, want one line", label)
	}
	files, err := pictures(images, 0)
	if err != nil {
		return 0, fmt.Errorf("vision: WriteLabels: %w", err)
	}
	for _, file := range files {
		path := labelFile(images, labels, file)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			return n, fmt.Errorf("vision: WriteLabels: %w", err)
		}
		if err := os.WriteFile(path, []byte(label+"\n"), 0o666); err != nil {
			return n, fmt.Errorf("vision: WriteLabels: %w", err)
		}
		n++
	}
	return n, nil
}
