package dl_test

import (
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holt-dl/holt/dl"
)

// numbered yields batches that hold their number, then an error if there is
// one.
type numbered struct {
	n    int
	err  error
	read *atomic.Int64
}

func (b numbered) Len() int { return b.n }

func (b numbered) Epoch(int) iter.Seq[dl.Batch] {
	return func(yield func(dl.Batch) bool) {
		for i := range b.n {
			b.read.Add(1)
			if !yield(dl.Batch{Inputs: dl.FromSlice([]float32{float32(i), 1}, 1, 2), Labels: dl.FromSlice([]int64{0})}) {
				return
			}
		}
		if b.err != nil {
			panic(b.err)
		}
	}
}

// TestPrefetch reads in order, one batch ahead and no more, has errors in their
// place, and leaves nothing behind.
func TestPrefetch(t *testing.T) {
	on(t, "go")
	goroutines := runtime.NumGoroutine()
	for _, c := range []struct {
		name  string
		stop  int // leave the loop there; 99 for never
		err   error
		reads int64
	}{
		{"all", 99, nil, 5},
		{"left early", 2, nil, 4},
		{"an error at the end", 99, errors.New("no more"), 5},
	} {
		var read atomic.Int64
		var seen []float64
		var err error
		for b, e := range dl.Prefetch(dl.EpochOf(numbered{5, c.err, &read}, 0), "go:0") {
			if e != nil {
				err = e
				break
			}
			i := b.Inputs.Float64s()[0]
			if seen = append(seen, i); b.Inputs.Device() != "go:0" {
				t.Errorf("%s: batch %v lies on %s", c.name, i, b.Inputs.Device())
			}
			if r := read.Load(); r > int64(i)+2 {
				t.Errorf("%s: %d batches were read while the loop is at %v", c.name, r, i)
			}
			if int(i) == c.stop {
				break
			}
		}
		if want := []float64{0, 1, 2, 3, 4}[:min(c.stop+1, 5)]; !slices.Equal(seen, want) || !errors.Is(err, c.err) || read.Load() != c.reads {
			t.Errorf("%s: batches %v, error %v and %d reads, want %v, %v and %d", c.name, seen, err, read.Load(), want, c.err, c.reads)
		}
	}
	deadline := time.Now().Add(time.Minute)
	for runtime.NumGoroutine() > goroutines && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	if n := runtime.NumGoroutine(); n > goroutines {
		t.Errorf("%d goroutines are left, want %d", n, goroutines)
	}
}

// TestLoaderDevice has the loader's batches on the device that it names, with
// the values that they have without it.
func TestLoaderDevice(t *testing.T) {
	on(t, "go")
	loader := dl.DataLoader{Dataset: blobs{n: 43, fail: -1}, BatchSize: 8, Shuffle: true, Workers: 3}
	ahead := loader
	ahead.Device = "go"
	var plain []dl.Batch
	for b := range loader.Batches() {
		plain = append(plain, b)
	}
	n := 0
	for b := range ahead.Batches() {
		if b.Inputs.Device() != "go:0" || b.Labels.Device() != "go:0" {
			t.Errorf("batch %d lies on %s and %s", n, b.Inputs.Device(), b.Labels.Device())
		}
		if !slices.Equal(b.Inputs.Float32s(), plain[n].Inputs.Float32s()) || !slices.Equal(b.Labels.Int64s(), plain[n].Labels.Int64s()) {
			t.Errorf("batch %d has other values", n)
		}
		n++
	}
	if n != len(plain) {
		t.Errorf("%d batches, want %d", n, len(plain))
	}
	ahead.Dataset = blobs{n: 43, fail: 20}
	ahead.Shuffle = false
	n = 0
	var err error
	for _, e := range dl.EpochOf(ahead, 0) {
		if err = e; e == nil {
			n++
		}
	}
	if n != 2 || fmt.Sprint(err) != "dl: DataLoader: example 20: no such picture" {
		t.Errorf("%d batches and then %v, want 2 and the example that cannot be read", n, err)
	}
	ahead.Device = "tpu"
	for _, e := range dl.EpochOf(ahead, 0) {
		err = e
	}
	wantError(t, err, `dl: DataLoader: backend is "tpu", want cuda, cpu or go; see dl.Devices()`)
}

// TestRunPrefetches finds the batch after the one that is trained on already on
// the device.
func TestRunPrefetches(t *testing.T) {
	on(t, "cpu")
	dl.AlwaysXLA(true) // a step in Go wants nothing on the device
	defer dl.AlwaysXLA(false)
	var mu sync.Mutex
	var made []*dl.Tensor
	data := inOrder{data: blobs{n: 40, fail: -1}, size: 8}
	spied := spy{data, func(b dl.Batch) {
		mu.Lock()
		defer mu.Unlock()
		made = append(made, b.Inputs)
	}}
	third := func() string {
		mu.Lock()
		defer mu.Unlock()
		if len(made) < 3 {
			return "nothing yet"
		}
		return made[2].Device()
	}
	waits := make(chan struct{}, 9)
	run := dl.Start(smallNet(), dl.Training{Data: spied, OnStep: func(s dl.StepDone) error {
		if s.N != 2 {
			return nil
		}
		deadline := time.Now().Add(time.Minute)
		for third() != dl.Backend() && time.Now().Before(deadline) {
			time.Sleep(time.Millisecond)
		}
		if at := third(); at != dl.Backend() {
			t.Errorf("the third batch lies on %s while OnStep runs for the second one", at)
		}
		waits <- struct{}{}
		return nil
	}})
	if err := run.Wait(); err != nil || len(waits) != 1 {
		t.Fatal(err, len(waits))
	}
}

type spy struct {
	inOrder
	look func(dl.Batch)
}

func (s spy) Epoch(epoch int) iter.Seq[dl.Batch] {
	return func(yield func(dl.Batch) bool) {
		for b := range s.inOrder.Epoch(epoch) {
			s.look(b)
			if !yield(b) {
				return
			}
		}
	}
}

// BenchmarkPrefetch trains on batches as they come, and with the next one
// copied ahead.
func BenchmarkPrefetch(b *testing.B) {
	on(b, "cpu")
	loader := dl.DataLoader{Dataset: images{n: 64 * 16}, BatchSize: 64}
	for _, device := range []string{"", "cpu"} {
		b.Run("device="+device, func(b *testing.B) {
			m := must(dl.Build(cifarNet(), dl.Shape{64, 3, 32, 32}))
			step := dl.TrainStep(m, nil, dl.SGD{LR: 0.01})
			must(step.Run(must(loader.First())))
			l := loader
			l.Device = device
			for b.Loop() {
				for batch := range l.Batches() {
					must(step.Run(batch))
				}
			}
		})
	}
}

// images are noise, made anew each time.
type images struct{ n int }

func (d images) Len() int { return d.n }

func (d images) Get(i int) (dl.Example, error) {
	return dl.Example{Input: fill(i, 1, 3, 32, 32), Label: i % 10}, nil
}
