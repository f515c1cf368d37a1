package vision

import (
	"fmt"
	"path/filepath"

	"github.com/holt-dl/holt/internal/thousands"
)

// Hymenoptera is the data set of PyTorch's transfer-learning tutorial: 397
// photographs of ants and bees, in the layout of [ImageFolder], below the
// folder hymenoptera_data: train with 244 of them, val with 153.
type Hymenoptera struct {
	Root      string    // the folder of hymenoptera_data; empty means "data"
	Train     bool      // the pictures for training; false means those of val
	Download  bool      // bring the 47 MB archive when the folder is missing
	Transform Transform // of each picture; nil means ToTensor

	// Progress, when not nil, is called with how much is downloaded, in bytes.
	Progress func(done, total int64)
}

const hymenopteraFolder = "hymenoptera_data"

// The archive and its checksum are those of PyTorch's tutorials
// (github.com/pytorch/tutorials, .jenkins/download_data.py).
var hymenopteraArchive = archive{
	URL:    "https://download.pytorch.org/tutorial/hymenoptera_data.zip",
	Size:   47_286_322,
	SHA256: "fbc41b31d544714d18dd1230b1e2b455e1557766e13e67f9f5a7a23af7c02209",
	Folder: hymenopteraFolder,
}

// Open lists the files, which are read when they are asked for. It looks in
// Root, then in the folder that HOLT_DATA names; when neither has them,
// Download brings them into Root, and without it that is an error.
func (h Hymenoptera) Open() (*Images, error) {
	p := published{name: "Hymenoptera", hint: "use Download: true to bring it, 47 MB", read: h.read, archives: []archive{hymenopteraArchive}}
	return p.open(h.Root, h.Download, h.Progress)
}

func (h Hymenoptera) read(root string) (*Images, error) {
	part := "val"
	if h.Train {
		part = "train"
	}
	d, err := ImageFolder{Root: filepath.Join(root, hymenopteraFolder, part), Transform: h.Transform}.Open()
	if err != nil {
		return nil, err
	}
	d.name = "Hymenoptera " + part
	d.source = fmt.Sprintf("Hymenoptera: %s %s pictures, from %s", thousands.Text(d.n), part, filepath.Join(root, hymenopteraFolder))
	return d, nil
}
