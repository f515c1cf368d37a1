package vision

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/holt-dl/holt/internal/thousands"
)

// InMemory is a data set of pictures that a program has made or read itself.
//
//	d, err := vision.InMemory{Pictures: pictures, Labels: labels, Classes: []string{"cat", "dog"}}.Open()
type InMemory struct {
	Name     string   // what messages call it; empty means "pictures"
	Pictures []*Image // required; of any sizes
	Labels   []int    // one for each picture; required

	// Classes are the names of the labels, label 0 first; empty means the
	// numbers, up to the largest that occurs.
	Classes []string

	Transform Transform // of each picture; nil means ToTensor
}

// Open returns the data set. It keeps the pictures, which must not be changed.
// Another number of labels than of pictures, and a label without a class, are
// errors.
func (m InMemory) Open() (*Images, error) {
	name := m.Name
	if name == "" {
		name = "pictures"
	}
	if len(m.Labels) != len(m.Pictures) {
		return nil, fmt.Errorf("vision: InMemory: %s has %s labels, want %s, one for each picture", name, thousands.Text(len(m.Labels)), thousands.Text(len(m.Pictures)))
	}
	classes := slices.Clone(m.Classes)
	if len(classes) == 0 && len(m.Labels) > 0 {
		for i := range max(0, slices.Max(m.Labels)+1) {
			classes = append(classes, strconv.Itoa(i))
		}
	}
	for i, label := range m.Labels {
		if label < 0 {
			return nil, fmt.Errorf("vision: InMemory: picture %d of %s has label %d, want 0 or more", i, name, label)
		}
		if label >= len(classes) {
			return nil, fmt.Errorf("vision: InMemory: picture %d of %s has label %d, want 0 to %d", i, name, label, len(classes)-1)
		}
		if p := m.Pictures[i]; p == nil {
			return nil, fmt.Errorf("vision: InMemory: picture %d of %s is nil", i, name)
		} else if len(p.Pix) != p.C*p.H*p.W || len(p.Pix) == 0 {
			return nil, fmt.Errorf("vision: InMemory: picture %d of %s has %d bytes in Pix, want C·H·W = %d·%d·%d and more than none", i, name, len(p.Pix), p.C, p.H, p.W)
		}
	}
	pictures, labels := slices.Clone(m.Pictures), slices.Clone(m.Labels)
	return &Images{Classes: classes, Transform: m.Transform, name: name, source: name + " in memory", n: len(pictures), labels: labels,
		load: func(i int) (picture, int, error) { return pictures[i], labels[i], nil }}, nil
}
