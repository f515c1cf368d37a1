package dl_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/hooks"
)

func TestWeightedRandomSampler(t *testing.T) {
	s := dl.WeightedRandomSampler{Weights: []float64{1, 0, 3}, NumSamples: 40000, Seed: 7}
	got, err := s.Indices(0)
	if err != nil {
		t.Fatal(err)
	}
	var count [3]float64
	for _, i := range got {
		count[i]++
	}
	// A quarter of 40,000, whose standard deviation is 87: six of them.
	if count[1] != 0 || math.Abs(count[0]-10000) > 6*87 {
		t.Errorf("drawn %v times, want about 10000, 0, 30000", count)
	}
	again, _ := s.Indices(0)
	other, _ := s.Indices(1)
	if !slices.Equal(got, again) || slices.Equal(got, other) {
		t.Error("want the same examples in the same epoch, others in the next")
	}

	s = dl.WeightedRandomSampler{Weights: []float64{1, 0, 3, 1}, NumSamples: 3, NoReplacement: true}
	firsts := 0.0
	for epoch := range 4000 {
		got, err := s.Indices(epoch)
		if err != nil {
			t.Fatal(err)
		}
		if got[0] == 2 {
			firsts++
		}
		slices.Sort(got)
		if !slices.Equal(got, []int{0, 2, 3}) {
			t.Fatalf("drawn %v, want each example with a weight once", got)
		}
	}
	// The first draw is as with replacement: 3 of 5, standard deviation 31.
	if math.Abs(firsts-2400) > 6*31 {
		t.Errorf("example 2 was first in %v of 4000 epochs, want about 2400", firsts)
	}
	if got := dl.BalancedWeights([]int{0, 1, 1, 0, 1}); !slices.Equal(got, []float64{1. / 2, 1. / 3, 1. / 3, 1. / 2, 1. / 3}) {
		t.Errorf("weights are %v", got)
	}
}

// TestSamplerErrors reads through a loader, as a person meets them.
func TestSamplerErrors(t *testing.T) {
	tests := []struct {
		loader dl.DataLoader
		err    string
	}{
		{dl.DataLoader{Sampler: dl.WeightedRandomSampler{Weights: []float64{1, -1}}}, "dl: WeightedRandomSampler: weight 1 is -1, want a finite number not below 0"},
		{dl.DataLoader{Sampler: dl.WeightedRandomSampler{Weights: []float64{0, 0}}}, "dl: WeightedRandomSampler: none of the 2 weights is above 0: there is nothing to draw"},
		{dl.DataLoader{Sampler: dl.WeightedRandomSampler{Weights: []float64{1, 0}, NoReplacement: true}},
			"dl: WeightedRandomSampler: NumSamples is 2 with NoReplacement, want at most the 1 examples with a weight above 0"},
		{dl.DataLoader{Sampler: dl.WeightedRandomSampler{Weights: []float64{0, 0, 0, 0, 0, 0, 1}}},
			"dl: DataLoader: the sampler dl.WeightedRandomSampler chose example 6, want 0 to 3; it needs one weight for each example"},
		{dl.DataLoader{Shuffle: true, Sampler: dl.WeightedRandomSampler{Weights: []float64{1}}},
			"dl: DataLoader: both Sampler and Shuffle are set, want one: the sampler chooses the order"},
		{dl.DataLoader{Sampler: dl.WeightedRandomSampler{Weights: []float64{1}}, BatchSize: 4, DropLast: true},
			"dl: DataLoader: 1 examples make no batch of 4; leave out DropLast or choose a smaller BatchSize"},
	}
	for _, tt := range tests {
		tt.loader.Dataset = numbers{n: 4}
		for _, err := range dl.EpochOf(tt.loader, 0) {
			if err == nil || err.Error() != tt.err {
				t.Errorf("got %v\nwant %s", err, tt.err)
			}
		}
	}
}

// TestSamplerRandomness draws an example twice, and not as the same picture.
func TestSamplerRandomness(t *testing.T) {
	l := dl.DataLoader{Dataset: noisy{numbers{n: 2}}, BatchSize: 8, Sampler: dl.WeightedRandomSampler{Weights: []float64{0, 1}, NumSamples: 8}}
	if l.Len() != 1 {
		t.Fatalf("%d batches, want 1", l.Len())
	}
	for b, err := range dl.EpochOf(l, 0) {
		if err != nil {
			t.Fatal(err)
		}
		v := b.Inputs.Float32s()
		if b.Labels.Int64s()[0] != 1 || v[0] == v[3] {
			t.Errorf("labels %v, inputs %v: want example 1 with other noise each time", b.Labels.Int64s(), v)
		}
	}
	if got, want := l.String(), "DataLoader: 1 batches of 8 from 2 examples, chosen by dl.WeightedRandomSampler"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestLoaderEpochFrom(t *testing.T) {
	for _, workers := range []int{-1, 3} {
		l := dl.DataLoader{Dataset: noisy{numbers{n: 23}}, BatchSize: 4, Shuffle: true, Workers: workers, Seed: 3}
		whole := collect(t, l, 2)
		for first := range 8 {
			var rest []string
			for b, err := range l.EpochFrom(2, first) {
				if err != nil {
					t.Fatal(err)
				}
				rest = append(rest, fmt.Sprint(b.Inputs.Shape(), b.Inputs.Float32s(), b.Labels.Int64s()))
			}
			if want := whole[min(first, len(whole)):]; !slices.Equal(rest, want) {
				t.Errorf("from batch %d with %d workers: %v\nwant %v", first, workers, rest, want)
			}
		}
	}
}

// TestLoaderSkip leaves out what cannot be read, whole batches too, and says
// so once in an epoch.
func TestLoaderSkip(t *testing.T) {
	var notices []string
	defer hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { notices = append(notices, s) } })()
	bad := map[int]error{2: fmt.Errorf("otter.jpg: damaged"), 4: fmt.Errorf("a"), 5: fmt.Errorf("b"), 6: fmt.Errorf("c"), 7: fmt.Errorf("d")}
	for _, workers := range []int{-1, 3} {
		notices = nil
		l := dl.DataLoader{Dataset: numbers{n: 12, bad: bad, wide: 9}, BatchSize: 4, SkipErrors: true, Workers: workers}
		var labels []string
		for b, err := range dl.EpochOf(l, 0) {
			if err != nil {
				t.Fatal(err)
			}
			labels = append(labels, fmt.Sprint(b.Labels.Int64s()))
		}
		if got, want := strings.Join(labels, " "), "[0 1 3] [8 10 11]"; got != want {
			t.Errorf("labels are %s, want %s", got, want)
		}
		want := "dl: DataLoader: left out 6 examples that cannot be read: example 2: otter.jpg: damaged; example 4: a; example 5: b; and 3 more"
		if len(notices) != 1 || notices[0] != want {
			t.Errorf("noticed %q\nwant %q", notices, want)
		}
	}
}

// pairs is a data set whose answers are tensors.
type pairs struct{ numbers }

func (d pairs) Get(i int) (dl.Example, error) {
	e, err := d.numbers.Get(i)
	if i != 3 {
		e.Target = dl.FromSlice([]float32{float32(10 * i)})
	}
	return e, err
}

func TestLoaderTarget(t *testing.T) {
	l := dl.DataLoader{Dataset: pairs{numbers{n: 4}}, BatchSize: 3, Workers: -1}
	for b, err := range dl.EpochOf(l, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(b.Labels.Shape(), b.Labels.Float32s()); got != "[3 1] [0 10 20]" {
			t.Errorf("labels are %s", got)
		}
		break
	}
	l.BatchSize = 4
	want := "dl: DataLoader: example 3: one of it and example 0 of its batch has a Target, want both or none"
	for _, err := range dl.EpochOf(l, 0) {
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestLoaderCollate(t *testing.T) {
	l := dl.DataLoader{Dataset: numbers{n: 4, wide: 2}, BatchSize: 4, Collate: func(es []dl.Example) (dl.Batch, error) {
		lengths := make([]float32, len(es))
		for i, e := range es {
			lengths[i] = float32(e.Input.Shape()[0])
		}
		return dl.Batch{Inputs: dl.FromSlice(lengths), Labels: dl.FromSlice(make([]int64, len(es)))}, nil
	}}
	for b, err := range dl.EpochOf(l, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Inputs.Float32s(); !slices.Equal(got, []float32{3, 3, 4, 3}) {
			t.Errorf("collated %v, want the lengths", got)
		}
	}
	for _, tt := range []struct {
		collate func([]dl.Example) (dl.Batch, error)
		err     string
	}{
		{func([]dl.Example) (dl.Batch, error) { return dl.Batch{}, fmt.Errorf("no room") }, "dl: DataLoader: Collate: no room"},
		{func([]dl.Example) (dl.Batch, error) { return dl.Batch{}, nil }, "dl: DataLoader: Collate returned a batch without Inputs or Labels, want both"},
		{func(es []dl.Example) (dl.Batch, error) { return dl.Batch{Inputs: es[9].Input}, nil }, "dl: DataLoader: Collate: panic: runtime error: index out of range [9] with length 4 (at "},
	} {
		l.Collate = tt.collate
		for _, err := range dl.EpochOf(l, 0) {
			if err == nil || !strings.HasPrefix(err.Error(), tt.err) {
				t.Errorf("got %v\nwant %s", err, tt.err)
			}
		}
	}
}
