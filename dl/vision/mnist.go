package vision

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// MNIST is the data set of 70,000 handwritten digits, gray pictures of 28×28
// pixels (Y. LeCun, C. Cortes and C. Burges, 1998), in its IDX files, which
// may be compressed by gzip: MNIST/raw/train-images-idx3-ubyte, with 60,000
// pictures for training, t10k-images-idx3-ubyte with 10,000 for testing, and
// the labels beside each. Ink is bright: 255 on a ground of 0.
//
// A set of another number of pictures is read too, as torchvision does, and so
// are files without those folders, directly in Root, and those with a dot in
// their names, such as train-images.idx3-ubyte.
type MNIST struct {
	Root      string    // the folder of MNIST/raw; empty means "data"
	Train     bool      // the pictures for training; false means those for testing
	Download  bool      // bring the files, 12 MB, when they are missing
	Transform Transform // of each picture; nil means ToTensor

	// Progress, when not nil, is called with how much of a file is downloaded, in
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

	// Progress, when not nil, is called with how much of a file is downloaded, in
	// bytes.
	Progress func(done, total int64)
}

// Open reads the data set into memory, 47 MB for training. It looks in Root,
// then in the folder that HOLT_DATA names. When neither has it, Download
// brings it into Root; without that it is an error that wraps [ErrNotFound].
func (m MNIST) Open() (*Images, error) {
	return digits.open(m.Root, m.Train, m.Download, m.Transform, m.Progress)
}

// KMNIST is the data set of 70,000 gray pictures of old Japanese letters, of
// 28×28 pixels (T. Clanuwat and others, 2018), in files like those of [MNIST],
// in the folder KMNIST/raw. It is not downloaded.
type KMNIST struct {
	Root      string    // the folder of KMNIST/raw; empty means "data"
	Train     bool      // the 60,000 pictures for training; false means the 10,000 for testing
	Transform Transform // of each picture; nil means ToTensor
}

// Open reads the data set as [MNIST.Open] does.
func (m KMNIST) Open() (*Images, error) {
	return letters.open(m.Root, m.Train, false, m.Transform, nil)
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

var letters = idxSet{name: "KMNIST", title: "KMNIST", classes: []string{"o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"}}

func (s idxSet) open(root string, train, download bool, transform Transform, progress func(done, total int64)) (*Images, error) {
	p := published{
		name: s.name, hint: "use Download: true to bring it",
		read: func(root string) (*Images, error) { return s.read(root, train) },
	}
	if s.url == "" {
		p.hint = "bring its files, or give them to vision.IDX"
	}
	for _, file := range s.files(train) {
		p.archives = append(p.archives, archive{URL: s.url + file + ".gz", MD5: s.md5[file], File: filepath.Join(s.name, "raw", file+".gz")})
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
	split, whole := "test", 10_000
	if train {
		split, whole = "train", 60_000
	}
	files := s.files(train)
	folder, images := s.find(root, files[0])
	_, labels := s.find(root, files[1])
	d, err := IDX{Images: images, Labels: labels, Classes: slices.Clone(s.classes)}.open()
	if err != nil {
		return nil, err
	}
	d.name, d.source = s.title+" "+split, sourceOf(s.title, d.n, whole, train, root, folder)
	return d, nil
}

// find returns the path of a file, and its folder below root: in the set's own
// folder, or directly in root, where others unpack it.
func (s idxSet) find(root, file string) (folder, path string) {
	own := filepath.Join(s.name, "raw")
	for _, folder := range []string{own, s.name, "raw", "."} {
		for _, name := range []string{file, strings.Replace(file, "-idx", ".idx", 1)} {
			for _, end := range []string{"", ".gz"} {
				path := filepath.Join(root, folder, name+end)
				info, err := os.Stat(path)
				if err == nil && info.IsDir() { // as Kaggle packs it
					path = filepath.Join(path, name+end)
					info, err = os.Stat(path)
				}
				if err == nil && info.Mode().IsRegular() {
					return folder, path
				}
			}
		}
	}
	return own, filepath.Join(root, own, file+".gz")
}
