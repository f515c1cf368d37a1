package dl

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"strings"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// DataLoader reads a data set in batches, ahead of the loop that uses them.
//
//	inputs  [N …]  N is BatchSize, or fewer in the last batch; the rest is an example's shape
//	labels  [N]    int64; [N …] where the examples have a Target
//
// The same Seed gives the same batches, whatever the number of Workers: the
// order depends on the seed and the epoch, and the randomness of an example
// ([RandomDataset]) on the seed, the epoch and the example's index.
//
// Where the examples are structs of your own ([DatasetOf]), a batch has a tensor
// for each of their fields.
//
// A loader is a plain value. [DataLoader.Epoch] may be used by several goroutines
// at once; [DataLoader.Batches], which counts epochs, may not.
//
// The head of a loop cannot return an error, so an example that cannot be read,
// or does not fit the others, panics there with an error that names it; no loop
// ends early unnoticed. Where such a loop is inside of [Start], [Evaluate] and
// the like, they return that error.
type DataLoader struct {
	Dataset   Dataset // required
	BatchSize int     // examples in a batch; 0 means 1
	Shuffle   bool    // a new random order in every epoch
	DropLast  bool    // leave out a last batch that is smaller
	Seed      uint64  // of the order and of random transforms
	Sampler   Sampler // chooses the examples of an epoch in place of Shuffle

	// SkipErrors leaves out examples that cannot be read, such as damaged
	// files, and names them in a notice at the end of the epoch. Batches have
	// that many examples less. Without it the first one ends the epoch.
	SkipErrors bool

	// Collate makes a batch of its examples; nil stacks them. It is called by
	// several goroutines at once.
	Collate func([]Example) (Batch, error)

	// Workers is the number of goroutines that read ahead; each makes whole
	// batches, and at most two batches per worker are kept ready. 0 means one
	// per processor, at most 8. With -1 the loop reads each batch itself.
	Workers int

	// Distributed has each process of a job read only its rows of every batch, and of
	// BatchSize rows those of rank r are the rows r, r+n, … of n processes, as
	// torch.utils.data.DistributedSampler deals them out. Such batches are for steps
	// with Options.Devices [All]. [Start] sets it for these, where Data is a loader without
	// Collate, which would get the rows of this process alone.
	Distributed bool

	// Device, such as "cuda" or dl.Backend(), is where batches are copied, the
	// next one while the loop works at one. Empty leaves that to the code that uses
	// them: a run that Start began copies ahead by itself, Step.Run when it
	// gets the batch.
	Device string

	next int // the epoch that Batches reads
}

// Len returns the number of batches in an epoch.
func (l DataLoader) Len() int {
	if l.Dataset == nil || l.BatchSize < 0 {
		return 0
	}
	n, size := l.examples(), max(l.BatchSize, 1)
	if l.DropLast {
		return n / size
	}
	return (n + size - 1) / size
}

// examples returns how many an epoch has.
func (l DataLoader) examples() int {
	if l.Sampler != nil {
		return l.Sampler.Len()
	}
	return l.Dataset.Len()
}

// Batches returns the batches of the next epoch: of the first one at the
// first call, and so on. It is the loop that courses teach:
//
//	for batch := range loader.Batches() {
//		step.Run(batch)
//	}
func (l *DataLoader) Batches() iter.Seq[Batch] {
	l.next++
	return l.Epoch(l.next - 1)
}

// First returns the first batch of the first epoch, to look at. It does not
// count as an epoch of [DataLoader.Batches].
func (l DataLoader) First() (Batch, error) {
	l.Workers = -1 // no others are read ahead
	for batch, err := range l.read(0, 0) {
		return batch, err
	}
	return Batch{}, errors.New("dl: DataLoader: no example could be read")
}

// Epoch yields the batches of one epoch, counted from 0; the same epoch
// yields the same batches each time.
//
// When the loop is left, early or not, no goroutine of the loader is left
// behind; leaving waits for the examples that are being read.
func (l DataLoader) Epoch(epoch int) iter.Seq[Batch] {
	return func(yield func(Batch) bool) {
		for batch, err := range l.epochFrom(epoch, 0) {
			if err != nil {
				panic(err)
			}
			if !yield(batch) {
				return
			}
		}
	}
}

// epochFrom yields an epoch without its first batches, which are not read
// either: a training that was stopped goes on there. What cannot be read is
// yielded as an error and ends the epoch.
func (l DataLoader) epochFrom(epoch, first int) iter.Seq2[Batch, error] {
	if l.Device == "" {
		return l.read(epoch, first)
	}
	return func(yield func(Batch, error) bool) {
		on, err := xla.Find("DataLoader", l.Device)
		if err != nil {
			yield(Batch{}, err)
			return
		}
		batches := prefetch(l.read(epoch, first), func(b Batch) (Batch, error) { return b.to(on) })
		batches(yield)
	}
}

func (l DataLoader) read(epoch, first int) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		p, err := l.plan(epoch)
		if err != nil {
			yield(Batch{}, err)
			return
		}
		defer p.skipped.notice()
		p.ahead(first, func(got loaded) bool {
			if got.err == nil && got.batch.empty() { // all of its examples were left out
				return true
			}
			return yield(got.batch, got.err) && got.err == nil
		})
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
	switch {
	case l.Sampler != nil:
		fmt.Fprintf(&b, ", chosen by %T", l.Sampler)
	case l.Shuffle:
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
	case l.Sampler != nil && l.Shuffle:
		return errors.New("dl: DataLoader: both Sampler and Shuffle are set, want one: the sampler chooses the order")
	case l.Len() == 0:
		return fmt.Errorf("dl: DataLoader: %d examples make no batch of %d; leave out DropLast or choose a smaller BatchSize", l.examples(), max(l.BatchSize, 1))
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
