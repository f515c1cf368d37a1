package vision

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/thousands"
)

// CIFAR10 is the data set of 60,000 colour pictures of 32×32 pixels in ten
// classes (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny
// Images", 2009), in its binary layout: the folder cifar-10-batches-bin with
// data_batch_1.bin to data_batch_5.bin (50,000 pictures for training) and
// test_batch.bin (10,000), whose records are one byte for the label and 1,024
// each for red, green and blue. Where that folder is missing, torchvision's own
// is read, cifar-10-batches-py.
type CIFAR10 struct {
	Root      string    // the folder of cifar-10-batches-bin or -py; empty means "data"
	Train     bool      // the pictures for training; false means those for testing
	Download  bool      // bring the 162 MB archive when the folder is missing
	OrSample  bool      // take the sample in Holt itself when the folder is missing
	Transform Transform // of each picture; nil means ToTensor

	// Progress, when not nil, is called with how much is downloaded, in bytes.
	Progress func(done, total int64)
}

// Names of the classes, in the order of their labels (batches.meta.txt).
var cifar10Classes = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

const (
	cifarFolder = "cifar-10-batches-bin"
	cifarSide   = 32
	cifarPixels = 3 * cifarSide * cifarSide
	cifarRecord = 1 + cifarPixels
	cifarBatch  = 10_000 * cifarRecord // bytes of a file
)

// The archive as its author publishes it (https://www.cs.toronto.edu/~kriz/cifar.html).
var cifar10Archive = archive{
	URL:    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
	Size:   170_052_171,
	MD5:    "c32a1d4ab5d03f1284b67883e8d87530",
	Folder: cifarFolder,
}

// Open reads the data set into memory, 154 MB for training. It looks in Root,
// then in the folder that HOLT_DATA names. When neither has it, Download
// brings it into Root, and OrSample takes the sample instead, in this order;
// without them, or when the download fails and there is no OrSample, that is
// an error. [Images.Source] says which it was.
func (c CIFAR10) Open() (*Images, error) {
	d, err := c.published().open(c.Root, c.Download, c.Progress)
	if err != nil && c.OrSample && hooks.Context().Err() == nil {
		d, err = c.sample(err)
	}
	if err != nil {
		if c.Download && !c.OrSample && hooks.Context().Err() == nil {
			err = fmt.Errorf("%w; or use OrSample: true, which takes the sample that is part of Holt", err)
		}
		return nil, err
	}
	d.Classes, d.Transform = slices.Clone(cifar10Classes), c.Transform
	return d, nil
}

func (c CIFAR10) published() published {
	return published{
		name: "CIFAR10", hint: "use Download: true to bring it, or OrSample: true",
		read: c.read, archives: []archive{cifar10Archive},
	}
}

func (c CIFAR10) split() (name string, files []string, whole int) {
	if c.Train {
		return "train", []string{"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"}, 50_000
	}
	return "test", []string{"test_batch.bin"}, 10_000
}

const cifarPythonFolder = "cifar-10-batches-py"

// The files of the Python version with the MD5s that torchvision checks.
var (
	cifar10Train = []pythonFile{
		{"data_batch_1", "c99cafc152244af753f735de768cd75f"},
		{"data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"},
		{"data_batch_3", "54ebc095f3ab1f0389bbae665268c751"},
		{"data_batch_4", "634d18415352ddfa80567beed471001a"},
		{"data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"},
	}
	cifar10Test = []pythonFile{{"test_batch", "40351d587109b95175f43aff81a1287e"}}
)

// read reads the folder in root, or that of the Python version.
func (c CIFAR10) read(root string) (*Images, error) {
	if d, err := c.readBinary(root); err == nil || !isFolder(root, cifarPythonFolder) || isFolder(root, cifarFolder) {
		return d, err
	}
	split, files := "test", cifar10Test
	if c.Train {
		split, files = "train", cifar10Train
	}
	pix, labels, err := pythonSet("CIFAR-10", filepath.Join(root, cifarPythonFolder), files, "labels", len(cifar10Classes))
	if err != nil {
		return nil, err
	}
	return pythonImages("CIFAR-10 "+split, sourceOf("CIFAR-10", len(labels), c.whole(), c.Train, root, cifarPythonFolder), pix, labels), nil
}

func (c CIFAR10) whole() int {
	_, _, n := c.split()
	return n
}

// readBinary reads the folder of the binary version.
func (c CIFAR10) readBinary(root string) (*Images, error) {
	split, files, whole := c.split()
	all := make([]byte, 0, whole*cifarRecord)
	for _, file := range files {
		records, err := readWhole(filepath.Join(root, cifarFolder, file), cifarBatch)
		if err == nil {
			err = checkCIFAR(filepath.Join(root, cifarFolder, file), records)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, records...)
	}
	return cifarImages("CIFAR-10 "+split, allOf("CIFAR-10", whole, c.Train, root, cifarFolder), all), nil
}

// checkCIFAR looks at every label of a file: nothing else in it can be wrong.
func checkCIFAR(path string, records []byte) error {
	if len(records) == 0 || len(records)%cifarRecord != 0 {
		return fmt.Errorf("%s has %d bytes, want a multiple of %d", path, len(records), cifarRecord)
	}
	for i := 0; i < len(records); i += cifarRecord {
		if int(records[i]) >= len(cifar10Classes) {
			return fmt.Errorf("%s: picture %d has label %d, want 0 to %d", path, i/cifarRecord, records[i], len(cifar10Classes)-1)
		}
	}
	return nil
}

// cifarImages makes a data set of checked records, which it keeps.
func cifarImages(name, source string, records []byte) *Images {
	return &Images{name: name, source: source, n: len(records) / cifarRecord,
		load: func(i int) (picture, int, error) {
			r := records[i*cifarRecord : (i+1)*cifarRecord]
			return &Image{C: 3, H: cifarSide, W: cifarSide, Pix: r[1:]}, int(r[0]), nil
		}}
}

// sample opens the sample, because the whole set gave an error.
func (c CIFAR10) sample(why error) (*Images, error) {
	cifar10Sample := hooks.Get().Sample
	if cifar10Sample == nil {
		return nil, fmt.Errorf("%w; OrSample needs import _ %q", why, "github.com/holt-dl/holt/dl/vision/cifarsample")
	}
	records, err := cifar10Sample(c.Train)
	if err != nil {
		return nil, fmt.Errorf("vision: CIFAR10: sample: %w", err)
	}
	if err := checkCIFAR("the sample", records); err != nil {
		return nil, fmt.Errorf("vision: CIFAR10: %w", err)
	}
	split, _, whole := c.split()
	d := cifarImages("CIFAR-10 sample "+split, "", records)
	d.source = fmt.Sprintf("CIFAR-10 sample: %s of %s %s pictures", thousands.Text(d.n), thousands.Text(whole), splitWord(c.Train))
	if c.Download {
		d.source += fmt.Sprintf(" (%s)", strings.TrimPrefix(why.Error(), "vision: CIFAR10: "))
	}
	return d, nil
}
