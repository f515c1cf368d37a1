package dl

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
)

// DataLoader reads a data set in batches, ahead of the loop that uses them.
//
//	inputs  [N …]  N is BatchSize, or fewer in the last batch; the rest is an example's shape
//	labels  [N]    int64
//
// The same Seed gives the same batches, whatever the number of Workers: the
// order depends on the seed and the epoch, and the randomness of an example
// ([RandomDataset]) on the seed, the epoch and the example's index.
//
// A loader is a plain value. [DataLoader.Epoch] may be used by several
// goroutines at once; [DataLoader.Batches] counts epochs and may not.
type DataLoader struct {
	Dataset   Dataset // required
	BatchSize int     // examples in a batch; 0 means 1
	Shuffle   bool    // a new random order in every epoch
	DropLast  bool    // leave out a last batch that is smaller
	Seed      uint64  // of the order and of random transforms

	// Workers is the number of goroutines that read ahead; each makes whole
	// batches, and at most two batches per worker are kept ready. 0 means one
	// per processor, at most 8. With -1 the loop reads each batch itself.
	Workers int

	next int // the epoch that Batches reads
}

// Len returns the number of batches in an epoch.
func (l DataLoader) Len() int {
	if l.Dataset == nil || l.BatchSize < 0 {
		return 0
	}
	n, size := l.Dataset.Len(), max(l.BatchSize, 1)
	if l.DropLast {
		return n / size
	}
	return (n + size - 1) / size
}

// Batches returns the batches of the next epoch: of the first one at the
// first call, and so on. It is the loop that courses teach:
//
//	for batch := range loader.Batches() {
//		loss := step.Run(batch)
//	}
//
// An example that cannot be read panics with an error that names it, so that
// no loop ends early unnoticed; in a cell that is the cell's error. Use
// [DataLoader.Epoch] to handle such errors.
func (l *DataLoader) Batches() iter.Seq[Batch] {
	epoch := l.next
	l.next++
	return func(yield func(Batch) bool) {
		for batch, err := range l.Epoch(epoch) {
			if err != nil {
				panic(err)
			}
			if !yield(batch) {
				return
			}
		}
	}
}

// Epoch yields the batches of one epoch, counted from 0; the same epoch
// yields the same batches each time. An example that cannot be read, or does
// not fit the others, is yielded as an error that names it and ends the
// epoch.
//
// When the loop is left, early or not, no goroutine of the loader is left
// behind; leaving waits for the examples that are being read.
func (l DataLoader) Epoch(epoch int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		if err := l.check(); err != nil {
			yield(Batch{}, err)
			return
		}
		order := l.order(epoch)
		if l.workers() == 0 {
			var stop atomic.Bool
			for b := range l.Len() {
				batch, err := l.read(epoch, l.part(order, b), &stop)
				if !yield(batch, err) || err != nil {
					return
				}
			}
			return
		}
		l.ahead(epoch, order, yield)
	}
}

// String says in one line what the loader reads.
func (l DataLoader) String() string {
	if l.Dataset == nil {
		return "DataLoader without a Dataset"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "DataLoader: %d batches of %d from ", l.Len(), max(l.BatchSize, 1))
	if s, ok := l.Dataset.(fmt.Stringer); ok {
		b.WriteString(s.String())
	} else {
		fmt.Fprintf(&b, "%d examples", l.Dataset.Len())
	}
	if l.Shuffle {
		fmt.Fprintf(&b, ", shuffled with seed %d", l.Seed)
	}
	return b.String()
}

func (l DataLoader) check() error {
	switch {
	case l.Dataset == nil:
		return errors.New("dl: DataLoader: Dataset is nil, want a data set, such as that of vision.CIFAR10{…}.Open()")
	case l.BatchSize < 0:
		return fmt.Errorf("dl: DataLoader: BatchSize is %d, want at least 1", l.BatchSize)
	case l.Workers < -1:
		return fmt.Errorf("dl: DataLoader: Workers is %d, want at least -1", l.Workers)
	case l.Dataset.Len() == 0:
		return errors.New("dl: DataLoader: the data set is empty")
	case l.Len() == 0:
		return fmt.Errorf("dl: DataLoader: %d examples make no batch of %d; leave out DropLast or choose a smaller BatchSize", l.Dataset.Len(), l.BatchSize)
	}
	return nil
}

// workers returns how many goroutines read, 0 for none.
func (l DataLoader) workers() int {
	n := l.Workers
	if n == 0 {
		n = min(runtime.GOMAXPROCS(0), 8)
	}
	return min(max(n, 0), l.Len())
}

// order returns the indices of an epoch in the order in which they are read,
// nil for their own order.
func (l DataLoader) order(epoch int) []int {
	if !l.Shuffle {
		return nil
	}
	return rng(l.Seed, epoch, -1).Perm(l.Dataset.Len())
}

// part returns the indices of the b-th batch.
func (l DataLoader) part(order []int, b int) []int {
	size := max(l.BatchSize, 1)
	from, to := b*size, min((b+1)*size, l.Dataset.Len())
	if order != nil {
		return order[from:to]
	}
	part := make([]int, 0, to-from)
	for i := from; i < to; i++ {
		part = append(part, i)
	}
	return part
}

// rng returns the generator of one example in one epoch; index -1 is the
// order itself. The three numbers are mixed, since PCG's streams of
// neighbouring seeds begin alike.
func rng(seed uint64, epoch, index int) *rand.Rand {
	a := mix(seed ^ mix(uint64(epoch)+1))
	return rand.New(rand.NewPCG(a, mix(a^uint64(index))))
}

// mix is the finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// job is a batch to read and where to hand it over.
type job struct {
	part []int
	done chan loaded // holds one
}

type loaded struct {
	batch Batch
	err   error
}

// ahead yields the batches in order while workers read the next ones. It
// owns the workers and returns when they have ended.
func (l DataLoader) ahead(epoch int, order []int, yield func(Batch, error) bool) {
	workers, n := l.workers(), l.Len()
	window := min(2*workers, n)
	var (
		stop    atomic.Bool
		wg      sync.WaitGroup
		jobs    = make(chan job, window)
		pending = make([]chan loaded, 0, n)
	)
	defer wg.Wait()
	defer close(jobs)
	defer stop.Store(true)
	for range workers {
		wg.Go(func() {
			for j := range jobs {
				var got loaded
				if !stop.Load() {
					got.batch, got.err = l.read(epoch, j.part, &stop)
				}
				j.done <- got
			}
		})
	}
	push := func() {
		j := job{l.part(order, len(pending)), make(chan loaded, 1)}
		pending = append(pending, j.done)
		jobs <- j // never blocks: at most window jobs are not handed over
	}
	for range window {
		push()
	}
	for b := range n {
		got := <-pending[b]
		pending[b] = nil
		if len(pending) < n {
			push()
		}
		if !yield(got.batch, got.err) || got.err != nil {
			return
		}
	}
}

var errStopped = errors.New("dl: DataLoader: stopped")

// read makes a batch of the examples with the given indices. When stop is
// set it returns early, with an error that nobody sees.
func (l DataLoader) read(epoch int, part []int, stop *atomic.Bool) (Batch, error) {
	var (
		inputs = make([]*Tensor, len(part))
		labels = make([]int64, len(part))
	)
	for k, i := range part {
		if stop.Load() {
			return Batch{}, errStopped
		}
		e, err := l.get(epoch, i)
		switch {
		case err != nil:
			return Batch{}, fmt.Errorf("dl: DataLoader: example %d: %w", i, err)
		case e.Input == nil:
			return Batch{}, fmt.Errorf("dl: DataLoader: example %d: Input is nil, want a tensor", i)
		case k > 0 && (!e.Input.shape.Equal(inputs[0].shape) || e.Input.dtype != inputs[0].dtype):
			return Batch{}, fmt.Errorf("dl: DataLoader: example %d: input is %v %s, want %v %s as example %d of its batch; resize or crop the pictures to one size",
				i, e.Input.shape, typeName(e.Input.dtype), inputs[0].shape, typeName(inputs[0].dtype), part[0])
		}
		inputs[k], labels[k] = e.Input, int64(e.Label)
	}
	var b Batch
	err := guard(func() { b = Batch{Inputs: Stack(inputs), Labels: FromSlice(labels)} })
	return b, err
}

// get reads one example. A panic of the data set's code becomes an error
// with the place where it happened: in a worker it would end the process.
func (l DataLoader) get(epoch, i int) (e Example, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v%s", r, panicPlace())
			if cause, ok := r.(error); ok {
				err = fmt.Errorf("panic: %w%s", cause, panicPlace())
			}
		}
	}()
	if d, ok := l.Dataset.(RandomDataset); ok {
		return d.GetRand(i, rng(l.Seed, epoch, i))
	}
	return l.Dataset.Get(i)
}

// panicPlace names the line that panicked, when a deferred function calls it.
func panicPlace() string {
	pcs := make([]uintptr, 32)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for panicking := false; ; {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			panicking = true
		case panicking && !strings.HasPrefix(f.Function, "runtime."):
			return fmt.Sprintf(" (at %s:%d)", f.File, f.Line)
		}
		if !more {
			return ""
		}
	}
}

// Context returns the context of the cell that is running, for code that
// waits in its behalf, such as a download: an interrupt cancels it. Outside a
// notebook it is the background context.
func Context() context.Context { return callerContext() }
