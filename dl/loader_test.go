package dl_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holt-dl/holt/dl"
)

// numbers is a data set of n vectors [i i i], labelled i.
type numbers struct {
	n     int
	bad   map[int]error
	wild  int // this index panics
	wide  int // this index is longer
	sleep time.Duration
	gets  *atomic.Int32
}

func (d numbers) Len() int { return d.n }

func (d numbers) Get(i int) (dl.Example, error) {
	if d.gets != nil {
		d.gets.Add(1)
	}
	time.Sleep(d.sleep)
	if err := d.bad[i]; err != nil {
		return dl.Example{}, err
	}
	if d.wild > 0 && i == d.wild {
		var s []int
		_ = s[i]
	}
	v := []float32{float32(i), float32(i), float32(i)}
	if d.wide > 0 && i == d.wide {
		v = append(v, 0)
	}
	return dl.Example{Input: dl.FromSlice(v), Label: i}, nil
}

// noisy adds a random number to each vector.
type noisy struct{ numbers }

func (d noisy) GetRand(i int, rng *rand.Rand) (dl.Example, error) {
	e, err := d.Get(i)
	if err != nil {
		return e, err
	}
	v := e.Input.Float32s()
	for k := range v {
		v[k] += rng.Float32()
	}
	e.Input = dl.FromSlice(v)
	return e, nil
}

// collect reads an epoch into one line per batch.
func collect(t *testing.T, l dl.DataLoader, epoch int) []string {
	t.Helper()
	var all []string
	for b, err := range dl.EpochOf(l, epoch) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprint(b.Inputs.Shape(), b.Inputs.Float32s(), b.Labels.Int64s()))
	}
	return all
}

func TestDataLoader(t *testing.T) {
	tests := []struct {
		name   string
		loader dl.DataLoader
		sizes  []int
	}{
		{"one by one", dl.DataLoader{Dataset: numbers{n: 3}}, []int{1, 1, 1}},
		{"last is smaller", dl.DataLoader{Dataset: numbers{n: 10}, BatchSize: 4}, []int{4, 4, 2}},
		{"drop last", dl.DataLoader{Dataset: numbers{n: 10}, BatchSize: 4, DropLast: true}, []int{4, 4}},
		{"shuffled", dl.DataLoader{Dataset: numbers{n: 10}, BatchSize: 4, Shuffle: true}, []int{4, 4, 2}},
		{"one batch", dl.DataLoader{Dataset: numbers{n: 3}, BatchSize: 64, Workers: 9}, []int{3}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.loader.Len(); got != len(tt.sizes) {
				t.Errorf("Len is %d, want %d", got, len(tt.sizes))
			}
			var sizes []int
			var labels []int64
			for b, err := range dl.EpochOf(tt.loader, 0) {
				if err != nil {
					t.Fatal(err)
				}
				sizes = append(sizes, b.Inputs.Shape()[0])
				got := b.Labels.Int64s()
				labels = append(labels, got...)
				for k, v := range b.Inputs.Float32s() {
					if v != float32(got[k/3]) {
						t.Fatalf("input %v beside label %v", b.Inputs.Float32s(), got)
					}
				}
			}
			if !slices.Equal(sizes, tt.sizes) {
				t.Errorf("batches of %v, want %v", sizes, tt.sizes)
			}
			if sorted := slices.IsSorted(labels); sorted == tt.loader.Shuffle {
				t.Errorf("order is %v", labels)
			}
			slices.Sort(labels)
			if labels = slices.Compact(labels); len(labels) < tt.loader.Dataset.Len() && !tt.loader.DropLast {
				t.Errorf("examples are missing: %v", labels)
			}
		})
	}
}

// The promise of DESIGN.md: the same seed gives the same run, whatever the
// number of workers.
func TestDataLoaderSameForAnyWorkers(t *testing.T) {
	loader := dl.DataLoader{Dataset: noisy{numbers{n: 103}}, BatchSize: 8, Shuffle: true, Seed: 7, Workers: -1}
	want := [][]string{collect(t, loader, 0), collect(t, loader, 1)}
	if slices.Equal(want[0], want[1]) {
		t.Error("two epochs are alike")
	}
	for _, workers := range []int{0, 1, 2, 3, 16, 200} {
		loader.Workers = workers
		for epoch := range want {
			if got := collect(t, loader, epoch); !slices.Equal(got, want[epoch]) {
				t.Errorf("%d workers, epoch %d: other batches than without workers", workers, epoch)
			}
		}
		loader := loader
		for epoch := range want { // Batches counts the epochs itself
			var got []string
			for b := range loader.Batches() {
				got = append(got, fmt.Sprint(b.Inputs.Shape(), b.Inputs.Float32s(), b.Labels.Int64s()))
			}
			if !slices.Equal(got, want[epoch]) {
				t.Errorf("%d workers: call %d of Batches differs from epoch %d", workers, epoch, epoch)
			}
		}
	}
	loader.Seed = 8
	if slices.Equal(collect(t, loader, 0), want[0]) {
		t.Error("two seeds are alike")
	}
}

func TestDataLoaderErrors(t *testing.T) {
	lost := errors.New("cat.jpg: unexpected EOF")
	tests := []struct {
		name   string
		loader dl.DataLoader
		after  int // batches before the error
		err    string
	}{
		{"no data set", dl.DataLoader{}, 0, "dl: DataLoader: Dataset is nil, want a data set, such as that of vision.CIFAR10{…}.Open()"},
		{"empty", dl.DataLoader{Dataset: numbers{}}, 0, "dl: DataLoader: the data set is empty"},
		{"negative size", dl.DataLoader{Dataset: numbers{n: 3}, BatchSize: -1}, 0, "dl: DataLoader: BatchSize is -1, want at least 1"},
		{"negative workers", dl.DataLoader{Dataset: numbers{n: 3}, Workers: -2}, 0, "dl: DataLoader: Workers is -2, want at least -1"},
		{"nothing left", dl.DataLoader{Dataset: numbers{n: 3}, BatchSize: 4, DropLast: true}, 0,
			"dl: DataLoader: 3 examples make no batch of 4; leave out DropLast or choose a smaller BatchSize"},
		{"bad example", dl.DataLoader{Dataset: numbers{n: 10, bad: map[int]error{5: lost, 9: lost}}, BatchSize: 2}, 2, "dl: DataLoader: example 5: cat.jpg: unexpected EOF"},
		{"two sizes", dl.DataLoader{Dataset: numbers{n: 10, wide: 3}, BatchSize: 2}, 1,
			"dl: DataLoader: example 3: input is [4] float32, want [3] float32 as example 2 of its batch; resize or crop the pictures to one size"},
		{"panic", dl.DataLoader{Dataset: numbers{n: 10, wild: 4}, BatchSize: 2}, 2,
			"dl: DataLoader: example 4: panic: runtime error: index out of range [4] with length 0 (at "},
	}
	for _, tt := range tests {
		for _, workers := range []int{-1, 3} {
			if tt.loader.Workers < -1 {
				workers = tt.loader.Workers
			}
			t.Run(fmt.Sprint(tt.name, " ", workers), func(t *testing.T) {
				tt.loader.Workers = workers
				n := 0
				var got error
				for _, err := range dl.EpochOf(tt.loader, 0) {
					if got != nil {
						t.Fatal("the epoch goes on after an error")
					}
					if err == nil {
						n++
					}
					got = err
				}
				if got == nil || !strings.HasPrefix(got.Error(), tt.err) || n != tt.after {
					t.Errorf("after %d batches: error is %v, want after %d: %s", n, got, tt.after, tt.err)
				}
				if strings.HasPrefix(tt.err, "dl: DataLoader: example 4: panic") && !strings.Contains(got.Error(), "loader_test.go:") {
					t.Errorf("the error does not name the line: %v", got)
				}
			})
		}
	}
	t.Run("Batches panics", func(t *testing.T) {
		loader := tests[5].loader
		defer func() {
			if err, ok := recover().(error); !ok || !errors.Is(err, lost) {
				t.Errorf("panic is %v", err)
			}
		}()
		for range loader.Batches() {
		}
	})
}

// Leaving a loop ends every goroutine of the loader, and few examples are
// read in vain.
func TestDataLoaderBreak(t *testing.T) {
	before := runtime.NumGoroutine()
	var gets atomic.Int32
	loader := dl.DataLoader{Dataset: numbers{n: 100_000, gets: &gets}, BatchSize: 10, Workers: 4}
	for range loader.Epoch(0) {
		break
	}
	if n := gets.Load(); n > 130 { // two batches a worker, and those being read
		t.Errorf("%d examples were read for one batch", n)
	}
	for batch := range loader.Batches() {
		_ = batch
		break
	}
	func() {
		defer func() { recover() }()
		for range loader.Epoch(0) {
			panic("a bug in the loop")
		}
	}()
	for range 100 { // the runtime needs a moment to count down
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}

// Eight workers read eight examples at the same time: none returns before all have begun.
func TestDataLoaderReadsAhead(t *testing.T) {
	all := meeting{numbers: numbers{n: 16}, here: new(sync.WaitGroup)}
	all.here.Add(8)
	loader := dl.DataLoader{Dataset: all, Workers: 8}
	if got := collect(t, loader, 0); len(got) != 16 {
		t.Errorf("%d batches of one example, want 16", len(got))
	}
}

// meeting is a data set of which the first eight examples wait for one another.
type meeting struct {
	numbers
	here *sync.WaitGroup
}

func (m meeting) Get(i int) (dl.Example, error) {
	if i < 8 {
		m.here.Done()
		met := make(chan struct{})
		go func() { m.here.Wait(); close(met) }()
		select {
		case <-met:
		case <-time.After(20 * time.Second):
			return dl.Example{}, errors.New("eight examples were not read at the same time")
		}
	}
	return m.numbers.Get(i)
}

func TestDataLoaderShared(t *testing.T) {
	loader := dl.DataLoader{Dataset: noisy{numbers{n: 64}}, BatchSize: 4, Shuffle: true, Workers: 2}
	want := collect(t, loader, 3)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			i := 0
			for b, err := range dl.EpochOf(loader, 3) {
				if err != nil || fmt.Sprint(b.Inputs.Shape(), b.Inputs.Float32s(), b.Labels.Int64s()) != want[i] {
					t.Errorf("batch %d differs: %v", i, err)
					return
				}
				i++
			}
		})
	}
	wg.Wait()
}

func ExampleDataLoader() {
	loader := dl.DataLoader{Dataset: numbers{n: 5}, BatchSize: 2}
	fmt.Println(loader)
	for batch := range loader.Batches() {
		fmt.Println(batch.Inputs.Shape(), batch.Labels.Int64s())
	}
	// Output:
	// DataLoader: 3 batches of 2 from 5 examples
	// [2 3] [0 1]
	// [2 3] [2 3]
	// [1 3] [4]
}

func TestLoaderFirst(t *testing.T) {
	var gets atomic.Int32
	l := dl.DataLoader{Dataset: numbers{n: 9, gets: &gets}, BatchSize: 4, Workers: 3, Shuffle: true}
	b, err := l.First()
	if err != nil || gets.Load() != 4 {
		t.Fatalf("%d examples were read, %v; want 4", gets.Load(), err)
	}
	for want := range l.Batches() {
		if got := fmt.Sprint(b.Labels.Int64s()); got != fmt.Sprint(want.Labels.Int64s()) {
			t.Errorf("labels are %s, want %v", got, want.Labels.Int64s())
		}
		break
	}
	l.Dataset = nil
	if _, err := l.First(); err == nil || !strings.HasPrefix(err.Error(), "dl: DataLoader: Dataset is nil") {
		t.Errorf("error is %v", err)
	}
}
