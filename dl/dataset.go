package dl

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
)

// Example is one item of a data set: a picture, say, and its class.
type Example struct {
	Input *Tensor // without the batch axis, such as [C H W]
	Label int     // 0 for the first class

	// Target, if set, is what the loss compares the output with in place of
	// Label: a number to predict, say, or a mask.
	Target *Tensor

	// Fields, if set, is an example of your own, a struct, in place of all that:
	// see [DatasetOf].
	Fields any

	fields []field // its parts, once they are known
}

// Dataset is a collection of examples that can be read in any order. Get must
// allow calls from several goroutines at once.
type Dataset interface {
	Len() int
	Get(i int) (Example, error)
}

// RandomDataset is a [Dataset] whose examples change at random, as augmented
// pictures do. A loader calls GetRand instead of Get, with a generator of its
// own for every example, so that a seed fixes the whole run.
type RandomDataset interface {
	Dataset
	GetRand(i int, rng *rand.Rand) (Example, error)
}

// Subset is a part of a data set: the examples with the given indices, in
// this order. It is a [RandomDataset] when the whole is one.
type Subset struct {
	Dataset Dataset // required
	Indices []int
}

// Len returns the number of indices.
func (s Subset) Len() int { return len(s.Indices) }

// Get returns the example of the i-th index.
func (s Subset) Get(i int) (Example, error) { return s.get(i, nil) }

// GetRand is [Subset.Get] with the randomness of rng.
func (s Subset) GetRand(i int, rng *rand.Rand) (Example, error) { return s.get(i, rng) }

func (s Subset) get(i int, rng *rand.Rand) (Example, error) {
	if i < 0 || i >= len(s.Indices) {
		return Example{}, fmt.Errorf("dl: Subset: index is %d, want 0 to %d", i, len(s.Indices)-1)
	}
	if k, n := s.Indices[i], s.Dataset.Len(); k < 0 || k >= n {
		return Example{}, fmt.Errorf("dl: Subset: Indices[%d] is %d, want 0 to %d, the examples of the data set", i, k, n-1)
	}
	return getWith(s.Dataset, s.Indices[i], rng)
}

// String says how much of what the subset is.
func (s Subset) String() string {
	return fmt.Sprintf("%d of %d examples of %s", len(s.Indices), s.Dataset.Len(), describe(s.Dataset))
}

func describe(d Dataset) string {
	if s, ok := d.(fmt.Stringer); ok {
		return s.String()
	}
	return fmt.Sprintf("%T", d)
}

// getWith reads an example, by chance where the data set has it and rng is
// not nil.
func getWith(d Dataset, i int, rng *rand.Rand) (Example, error) {
	if r, ok := d.(RandomDataset); ok && rng != nil {
		return r.GetRand(i, rng)
	}
	return d.Get(i)
}

// RandomSplit divides a data set at random into parts of the given lengths,
// without overlap. What the lengths leave over is in no part. The same seed
// gives the same parts.
func RandomSplit(d Dataset, seed uint64, lengths ...int) ([]Subset, error) {
	total := 0
	for _, n := range lengths {
		if n < 0 || n > d.Len()-total {
			return nil, fmt.Errorf("dl: RandomSplit: lengths are %v, want at most the %d examples in all", lengths, d.Len())
		}
		total += n
	}
	order := rng(seed, 0, -2).Perm(d.Len())
	parts := make([]Subset, len(lengths))
	for k, n := range lengths {
		parts[k] = Subset{Dataset: d, Indices: order[:n:n]}
		order = order[n:]
	}
	return parts, nil
}

// ConcatDataset joins data sets one after the other.
type ConcatDataset []Dataset

// Len returns the number of examples of all parts.
func (c ConcatDataset) Len() int {
	n := 0
	for _, d := range c {
		n += d.Len()
	}
	return n
}

// Get returns the i-th example, counted through all parts.
func (c ConcatDataset) Get(i int) (Example, error) { return c.get(i, nil) }

// GetRand is [ConcatDataset.Get] with the randomness of rng.
func (c ConcatDataset) GetRand(i int, rng *rand.Rand) (Example, error) { return c.get(i, rng) }

func (c ConcatDataset) get(i int, rng *rand.Rand) (Example, error) {
	if i >= 0 {
		k := i
		for _, d := range c {
			if n := d.Len(); k >= n {
				k -= n
				continue
			}
			return getWith(d, k, rng)
		}
	}
	return Example{}, fmt.Errorf("dl: ConcatDataset: index is %d, want 0 to %d", i, c.Len()-1)
}

// String lists the number of examples and of parts.
func (c ConcatDataset) String() string {
	return fmt.Sprintf("%d examples of %d data sets", c.Len(), len(c))
}

// Classes returns the names of the whole data set's classes, nil where it has
// none.
func (s Subset) Classes() []string { return classesOf(s.Dataset) }

// Classes returns the names of the parts' classes where all have the same,
// else nil: label 1 of one part would be another class than that of the next.
func (c ConcatDataset) Classes() []string {
	if len(c) == 0 {
		return nil
	}
	names := classesOf(c[0])
	for _, d := range c[1:] {
		if !slices.Equal(names, classesOf(d)) {
			return nil
		}
	}
	return names
}

// classesOf returns the names that data gives its labels: by a method Classes,
// as [Subset] has, by a field, as data sets of pictures have, or by those of
// its field Dataset, as a loader.
func classesOf(data any) []string {
	if d, ok := data.(interface{ Classes() []string }); ok {
		return d.Classes()
	}
	v := reflect.ValueOf(data)
	for (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) && !v.IsNil() {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct {
		return nil
	}
	if f := v.FieldByName("Classes"); f.IsValid() && f.CanInterface() {
		names, _ := f.Interface().([]string)
		return names
	}
	if f := v.FieldByName("Dataset"); f.IsValid() && f.CanInterface() && f.Kind() == reflect.Interface && !f.IsNil() {
		return classesOf(f.Interface())
	}
	return nil
}
