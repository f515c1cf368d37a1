package vision

import (
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// MNIST is the data set of 70,000 handwritten digits, gray pictures of 28×28
// pixels (Y. LeCun, C. Cortes and C. Burges, 1998), in its IDX files, which
// may be compressed by gzip: MNIST/raw/train-images-idx3-ubyte, with 60,000
// pictures for training, t10k-images-idx3-ubyte with 10,000 for testing, and
// the labels beside each. Ink is bright: 255 on a ground of 0.
type MNIST struct {
	Root      string    // the folder of MNIST/raw; empty means "data"
	Train     bool      // the pictures for training; false means those for testing
	Download  bool      // bring the files, 12 MB, when they are missing
	Transform Transform // of each picture; nil means ToTensor

	// Progress, when not nil, is told how much of a file is downloaded, in
	// bytes.
	Progress func(done, total int64)
}

// FashionMNIST is the data set of 70,000 gray pictures of clothes, of 28×28
// pixels (H. Xiao, K. Rasul and R. Vollgraf, 2017), in files like those of
// [MNIST], in the folder FashionMNIST/raw.
type FashionMNIST struct {
	Root      string    // the folder of FashionMNIST/raw; empty means "data"
	Train     bool      // the 60,000 pictures for training; false means the 10,000 for testing
	Download  bool      // bring the files, 31 MB, when they are missing
	Transform Transform // of each picture; nil means ToTensor

	// Progress, when not nil, is told how much of a file is downloaded, in
	// bytes.
	Progress func(done, total int64)
}

// Open reads the data set into memory, 47 MB for training. It looks in Root,
// then in the folder that HOLT_DATA names. When neither has it, Download
// brings it into Root; without that it is an error that wraps [ErrNotFound].
func (m MNIST) Open() (*Images, error) {
	return digits.open(m.Root, m.Train, m.Download, m.Transform, m.Progress)
}

// Open reads the data set as [MNIST.Open] does.
func (m FashionMNIST) Open() (*Images, error) {
	return clothes.open(m.Root, m.Train, m.Download, m.Transform, m.Progress)
}

// idxSet is a data set in four IDX files.
type idxSet struct {
	name, title string
	url         string // of the folder with the files, compressed
	classes     []string
	md5         map[string]string // of the compressed files
}

var digits = idxSet{
	name: "MNIST", title: "MNIST",
	url:     "https://ossci-datasets.s3.amazonaws.com/mnist/", // the mirror that torchvision asks first
	classes: []string{"0 - zero", "1 - one", "2 - two", "3 - three", "4 - four", "5 - five", "6 - six", "7 - seven", "8 - eight", "9 - nine"},
	md5: map[string]string{
		"train-images-idx3-ubyte": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
		"train-labels-idx1-ubyte": "d53e105ee54ea40749a09fcbcd1e9432",
		"t10k-images-idx3-ubyte":  "9fb629c4189551a2d022fa330f9573f3",
		"t10k-labels-idx1-ubyte":  "ec29112dd5afa0611ce80d1b7f02629c",
	},
}

var clothes = idxSet{
	name: "FashionMNIST", title: "Fashion-MNIST",
	url:     "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/", // the authors' own; torchvision's mirror has no https
	classes: []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"},
	md5: map[string]string{
		"train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
		"train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
		"t10k-images-idx3-ubyte":  "bef4ecab320f06d8554ea6380940ec79",
		"t10k-labels-idx1-ubyte":  "bb300cfdad3c16e7a12a480ee83cd310",
	},
}

const digitSide = 28

func (s idxSet) open(root string, train, download bool, transform Transform, progress func(done, total int64)) (*Images, error) {
	p := published{
		name: s.name, hint: "use Download: true to bring it",
		read: func(root string) (*Images, error) { return s.read(root, train) },
	}
	for _, file := range s.files(train) {
		p.archives = append(p.archives, Archive{URL: s.url + file + ".gz", MD5: s.md5[file], File: filepath.Join(s.name, "raw", file+".gz")})
	}
	d, err := p.open(root, download, progress)
	if err != nil {
		return nil, err
	}
	d.Transform = transform
	return d, nil
}

// files names the pictures and the labels.
func (s idxSet) files(train bool) [2]string {
	if train {
		return [2]string{"train-images-idx3-ubyte", "train-labels-idx1-ubyte"}
	}
	return [2]string{"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"}
}

func (s idxSet) read(root string, train bool) (*Images, error) {
	split, n := "test", 10_000
	if train {
		split, n = "train", 60_000
	}
	folder := filepath.Join(root, s.name, "raw")
	files := s.files(train)
	pix, err := readIDX(filepath.Join(folder, files[0]), n, digitSide, digitSide)
	if err != nil {
		return nil, err
	}
	labels, err := readIDX(filepath.Join(folder, files[1]), n)
	if err != nil {
		return nil, err
	}
	for i, l := range labels {
		if int(l) >= len(s.classes) {
			return nil, fmt.Errorf("%s: picture %d has label %d, want 0 to %d", files[1], i, l, len(s.classes)-1)
		}
	}
	const size = digitSide * digitSide
	return &Images{Classes: slices.Clone(s.classes), name: s.title + " " + split, source: allOf(s.title, n, train, root, filepath.Join(s.name, "raw")), n: n,
		load: func(i int) (picture, int, error) {
			return &Image{C: 1, H: digitSide, W: digitSide, Pix: pix[i*size : (i+1)*size]}, int(labels[i]), nil
		}}, nil
}

// readIDX reads a file of bytes with the given axes, at path or compressed at
// path.gz. An IDX file begins with two zeros, the type (8 for bytes), the
// number of axes, and the length of each as a big-endian uint32; the values
// follow.
func readIDX(path string, shape ...int) ([]byte, error) {
	f, err := os.Open(path)
	var r io.Reader = f
	if errors.Is(err, os.ErrNotExist) {
		if f, err = os.Open(path + ".gz"); err == nil {
			path += ".gz"
			if r, err = gzip.NewReader(f); err != nil {
				f.Close()
				return nil, fmt.Errorf("%s: %w", path, err)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 4+4*len(shape))
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, fmt.Errorf("%s is no IDX file: %w", path, err)
	}
	want := []byte{0, 0, 8, byte(len(shape))}
	size := 1
	for _, d := range shape {
		want = binary.BigEndian.AppendUint32(want, uint32(d))
		size *= d
	}
	if !slices.Equal(head, want) {
		return nil, fmt.Errorf("%s begins with % x, want % x: bytes of shape %v", path, head, want, shape)
	}
	values, err := io.ReadAll(io.LimitReader(r, int64(size)+1))
	if err == nil && len(values) != size {
		err = fmt.Errorf("it has %s values or more, want %s", thousands(len(values)), thousands(size))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return values, nil
}
