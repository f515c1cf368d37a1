package vision

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/thousands"
)

// Images is a data set of labelled pictures, such as [CIFAR10.Open] returns.
// It is a dl.RandomDataset. Goroutines may share it, as long as none changes
// its fields.
type Images struct {
	// Classes are the names of the labels: label 0 is Classes[0].
	Classes []string

	// Transform prepares each picture. Nil, and a transform that leaves
	// bytes, are followed by [ToTensor].
	Transform Transform

	name   string   // such as "CIFAR-10 train"
	source string   // where it came from, in a few words
	paths  []string // of the files, where each picture has its own
	labels []int    // of all pictures; nil where load must be asked
	n      int
	load   func(i int) (picture, int, error)
}

// Len returns the number of pictures.
func (d *Images) Len() int { return d.n }

// Get returns the i-th picture, transformed, with its label. Random
// transforms give the same result at each call; a loader calls
// [Images.GetRand].
//
//	input  [C H W]  float32
func (d *Images) Get(i int) (dl.Example, error) {
	return d.GetRand(i, rand.New(rand.NewPCG(0, uint64(i))))
}

// GetRand returns the i-th picture, transformed with the randomness of rng.
func (d *Images) GetRand(i int, rng *rand.Rand) (dl.Example, error) {
	p, label, err := d.at(i)
	if err != nil {
		return dl.Example{}, err
	}
	c, ok := d.Transform.(chain)
	if !ok && d.Transform != nil {
		c = chain{d.Transform}
	}
	img, err := c.through(p, rng)
	if err != nil {
		return dl.Example{}, err
	}
	return dl.Example{Input: img.Tensor(), Label: label}, nil
}

// Picture returns the i-th picture as it is in the data set, without the
// transform, and its label. Its Pix must not be changed.
func (d *Images) Picture(i int) (*Image, int, error) {
	p, label, err := d.at(i)
	if err != nil {
		return nil, 0, err
	}
	img, err := p.cut(whole(p.size()).part)
	return img, label, err
}

func (d *Images) at(i int) (picture, int, error) {
	if i < 0 || i >= d.n {
		return nil, 0, fmt.Errorf("vision: %s: index is %d, want 0 to %d", d.name, i, d.n-1)
	}
	return d.load(i)
}

// Path returns the file of the i-th picture, or "" when the data set does not
// keep each in its own.
func (d *Images) Path(i int) string {
	if i < 0 || i >= len(d.paths) {
		return ""
	}
	return d.paths[i]
}

// Targets returns the label of every picture, as torchvision's targets.
func (d *Images) Targets() []int {
	if d.labels != nil {
		return slices.Clone(d.labels)
	}
	labels := make([]int, d.n)
	for i := range labels {
		_, labels[i], _ = d.load(i) // pictures in memory, which do not fail
	}
	return labels
}

// ClassToIdx returns the label of each class, as torchvision's class_to_idx.
func (d *Images) ClassToIdx() map[string]int {
	m := make(map[string]int, len(d.Classes))
	for i, c := range d.Classes {
		m[c] = i
	}
	return m
}

// Source says in a few words where the pictures come from, such as
// "CIFAR-10 sample: 7,500 of 50,000 training pictures".
func (d *Images) Source() string { return d.source }

// String is one line: the name, the size and the classes.
func (d *Images) String() string {
	classes := strings.Join(d.Classes, ", ")
	if len(d.Classes) > 12 {
		classes = strings.Join(d.Classes[:10], ", ") + ", …"
	}
	return fmt.Sprintf("%s: %s pictures in %d classes (%s)", d.name, thousands.Text(d.n), len(d.Classes), classes)
}
