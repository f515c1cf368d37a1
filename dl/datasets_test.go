package dl_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
)

func labels(t *testing.T, d dl.Dataset) []int {
	t.Helper()
	var all []int
	for i := range d.Len() {
		e, err := d.Get(i)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Label)
	}
	return all
}

// named are examples whose labels have names.
type named struct {
	blobs
	Classes []string
}

// TestClassesOfParts has the names of a data set's classes in its parts, and in
// what is joined of parts that agree; a confusion matrix shows them.
func TestClassesOfParts(t *testing.T) {
	on(t, "go")
	names := []string{"ant", "bee"}
	data := &named{blobs{n: 20, fail: -1}, names}
	parts := must(dl.RandomSplit(data, 1, 12, 8))
	inner := dl.Subset{Dataset: parts[0], Indices: []int{1, 2}}
	for name, got := range map[string][]string{
		"a part": parts[1].Classes(), "a part of a part": inner.Classes(),
		"parts joined": dl.ConcatDataset{inner, parts[1], data}.Classes(),
	} {
		if !slices.Equal(got, names) {
			t.Errorf("%s has classes %q, want %q", name, got, names)
		}
	}
	other := dl.ConcatDataset{data, &named{data.blobs, []string{"bee", "ant"}}}
	if got := slices.Concat(other.Classes(), dl.ConcatDataset{}.Classes(), dl.Subset{Dataset: data.blobs}.Classes()); got != nil {
		t.Errorf("data without names that agree has classes %q", got)
	}
	for _, source := range []dl.Source{parts[1], dl.DataLoader{Dataset: parts[1], BatchSize: 4}} {
		if c := must(dl.Evaluate(smallNet(), source, dl.ConfusionMatrix{})).Confusion; !slices.Equal(c.Classes, names) {
			t.Errorf("the confusion matrix of a %T names %q, want %q", source, c.Classes, names)
		}
	}
}

func TestSubset(t *testing.T) {
	part := dl.Subset{Dataset: noisy{numbers{n: 10}}, Indices: []int{7, 0, 7}}
	if got := labels(t, part); !slices.Equal(got, []int{7, 0, 7}) {
		t.Errorf("labels are %v", got)
	}
	// The randomness of the whole reaches through.
	e, err := part.GetRand(0, rand.New(rand.NewPCG(1, 1)))
	if err != nil || e.Input.Float32s()[0] == 7 {
		t.Errorf("GetRand gives %v, %v, without noise", e.Input, err)
	}
	if _, err := part.Get(3); err == nil || err.Error() != "dl: Subset: index is 3, want 0 to 2" {
		t.Errorf("error is %v", err)
	}
}

func TestRandomSplit(t *testing.T) {
	parts, err := dl.RandomSplit(numbers{n: 10}, 1, 6, 0, 3)
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for k, n := range []int{6, 0, 3} {
		if parts[k].Len() != n {
			t.Errorf("part %d has %d examples, want %d", k, parts[k].Len(), n)
		}
		all = append(all, labels(t, parts[k])...)
	}
	again, _ := dl.RandomSplit(numbers{n: 10}, 1, 6, 0, 3)
	if !slices.Equal(labels(t, again[0]), labels(t, parts[0])) {
		t.Error("the same seed gives other parts")
	}
	if other, _ := dl.RandomSplit(numbers{n: 10}, 2, 6, 0, 3); slices.Equal(labels(t, other[0]), labels(t, parts[0])) {
		t.Error("another seed gives the same parts")
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != 9 {
		t.Errorf("the parts overlap: %v", all)
	}
	_, err = dl.RandomSplit(numbers{n: 10}, 1, 6, 5)
	if err == nil || err.Error() != "dl: RandomSplit: lengths are [6 5], want at most the 10 examples in all" {
		t.Errorf("error is %v", err)
	}
}

func ExampleConcatDataset() {
	all := dl.ConcatDataset{numbers{n: 2}, numbers{}, numbers{n: 3}}
	e, err := all.Get(4)
	fmt.Println(all, e.Label, err)
	_, err = all.Get(5)
	fmt.Println(err)
	// Output:
	// 5 examples of 3 data sets 2 <nil>
	// dl: ConcatDataset: index is 5, want 0 to 4
}
