package vision

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// CIFAR100 is the data set of 60,000 colour pictures of 32×32 pixels in a
// hundred classes (A. Krizhevsky, "Learning Multiple Layers of Features from
// Tiny Images", 2009), in its binary layout: the folder cifar-100-binary with
// train.bin (50,000 pictures), test.bin (10,000), fine_label_names.txt and
// coarse_label_names.txt. A record is a byte for the coarse label, one for the
// fine label, and 1,024 each for red, green and blue. Where that folder is
// missing, torchvision's own is read, cifar-100-python.
type CIFAR100 struct {
	Root      string    // the folder of cifar-100-binary or -python; empty means "data"
	Train     bool      // the pictures for training; false means those for testing
	Download  bool      // bring the archive of about 169 MB when the folder is missing
	Coarse    bool      // the 20 superclasses in place of the 100 classes
	Transform Transform // of each picture; nil means ToTensor

	// Progress, when not nil, is called with how much is downloaded, in bytes.
	Progress func(done, total int64)
}

const (
	cifar100Folder = "cifar-100-binary"
	cifar100Record = 2 + cifarPixels
)

// The archive as its author publishes it (https://www.cs.toronto.edu/~kriz/cifar.html).
var cifar100Archive = archive{
	URL:    "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
	MD5:    "03b5dce01913d631647c71ecec9e9cb8",
	Folder: cifar100Folder,
}

// Open reads the data set into memory, 154 MB for training. It looks in Root,
// then in the folder that HOLT_DATA names. When neither has it, Download
// brings it into Root; without that it is an error that wraps [ErrNotFound].
func (c CIFAR100) Open() (*Images, error) {
	p := published{name: "CIFAR100", hint: "use Download: true to bring it", read: c.read, archives: []archive{cifar100Archive}}
	d, err := p.open(c.Root, c.Download, c.Progress)
	if err != nil {
		return nil, err
	}
	d.Transform = c.Transform
	return d, nil
}

const cifar100PythonFolder = "cifar-100-python"

// The files of the Python version with the MD5s that torchvision checks.
var (
	cifar100Train = []pythonFile{{"train", "16019d7e3df5f24257cddd939b257f8d"}}
	cifar100Test  = []pythonFile{{"test", "f0ef6b0ae62326f3e7ffdfab6717acfc"}}
	cifar100Meta  = pythonFile{"meta", "7973b15100ade9c7d40fb424638fde48"}
)

// read reads the folder in root, or that of the Python version.
func (c CIFAR100) read(root string) (*Images, error) {
	if d, err := c.readBinary(root); err == nil || !isFolder(root, cifar100PythonFolder) || isFolder(root, cifar100Folder) {
		return d, err
	}
	split, files, whole := "test", cifar100Test, 10_000
	if c.Train {
		split, files, whole = "train", cifar100Train, 50_000
	}
	key, names, most := "fine_labels", "fine_label_names", 100
	if c.Coarse {
		key, names, most = "coarse_labels", "coarse_label_names", 20
	}
	folder := filepath.Join(root, cifar100PythonFolder)
	meta := filepath.Join(folder, cifar100Meta.name)
	d, _, err := readPython(meta, cifar100Meta.md5)
	if err != nil {
		return nil, err
	}
	classes, err := texts(meta, d, names, most)
	if err != nil {
		return nil, err
	}
	pix, labels, err := pythonSet("CIFAR-100", folder, files, key, most)
	if err != nil {
		return nil, err
	}
	images := pythonImages("CIFAR-100 "+split, sourceOf("CIFAR-100", len(labels), whole, c.Train, root, cifar100PythonFolder), pix, labels)
	images.Classes = classes
	return images, nil
}

// readBinary reads the folder of the binary version.
func (c CIFAR100) readBinary(root string) (*Images, error) {
	split, n := "test", 10_000
	if c.Train {
		split, n = "train", 50_000
	}
	names, at, most := "fine_label_names.txt", 1, 100
	if c.Coarse {
		names, at, most = "coarse_label_names.txt", 0, 20
	}
	text, err := os.ReadFile(filepath.Join(root, cifar100Folder, names))
	if err != nil {
		return nil, err
	}
	classes := strings.Fields(string(text))
	if len(classes) != most {
		return nil, fmt.Errorf("%s names %d classes, want %d", names, len(classes), most)
	}
	path := filepath.Join(root, cifar100Folder, split+".bin")
	records, err := readWhole(path, n*cifar100Record)
	if err != nil {
		return nil, err
	}
	for i := range n {
		if label := int(records[i*cifar100Record+at]); label >= most {
			return nil, fmt.Errorf("%s: picture %d has label %d, want 0 to %d", path, i, label, most-1)
		}
	}
	return &Images{Classes: classes, name: "CIFAR-100 " + split, source: allOf("CIFAR-100", n, c.Train, root, cifar100Folder), n: n,
		load: func(i int) (picture, int, error) {
			r := records[i*cifar100Record : (i+1)*cifar100Record]
			return &Image{C: 3, H: cifarSide, W: cifarSide, Pix: r[2:]}, int(r[at]), nil
		}}, nil
}
