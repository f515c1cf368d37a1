package dl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/holt-dl/holt/dl/internal/xla"
	"github.com/holt-dl/holt/internal/hooks"
)

// plan is one epoch of a loader: which examples it reads, in which order.
type plan struct {
	DataLoader
	epoch   int
	order   []int // nil for the data set's own
	rank    int   // of this process, of so many that read
	size    int
	skipped *skipped
}

func (l DataLoader) plan(epoch int) (*plan, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	p := &plan{DataLoader: l, epoch: epoch, skipped: &skipped{}, size: 1}
	if l.Distributed {
		j := thisJob()
		if j.wrong != nil {
			return nil, j.wrong
		}
		p.rank, p.size = j.world.Rank, j.world.Size
	}
	switch {
	case l.Sampler != nil:
		order, err := l.Sampler.Indices(epoch)
		if err != nil {
			return nil, err
		}
		if len(order) < l.Sampler.Len() {
			return nil, fmt.Errorf("dl: DataLoader: the sampler %T chose %d examples, want %d as its Len says", l.Sampler, len(order), l.Sampler.Len())
		}
		for _, i := range order {
			if i < 0 || i >= l.Dataset.Len() {
				return nil, fmt.Errorf("dl: DataLoader: the sampler %T chose example %d, want 0 to %d; it needs one weight for each example", l.Sampler, i, l.Dataset.Len()-1)
			}
		}
		p.order = order
	case l.Shuffle:
		p.order = rng(l.Seed, epoch, -1).Perm(l.Dataset.Len())
	}
	return p, nil
}

// pick is an example to read.
type pick struct {
	index int // in the data set
	key   int // of its randomness
}

// part returns the examples of the b-th batch.
func (p *plan) part(b int) []pick {
	size := max(p.BatchSize, 1)
	part := make([]pick, 0, size)
	for i := b * size; i < min((b+1)*size, p.examples()); i++ {
		at := pick{i, i}
		if p.order != nil {
			at = pick{p.order[i], p.order[i]}
		}
		if p.Sampler != nil { // which may choose an example twice
			at.key = i
		}
		part = append(part, at)
	}
	return part
}

// job is a batch to read and where to hand it over.
type job struct {
	part []pick
	done chan loaded // holds one
}

type loaded struct {
	batch Batch
	err   error
}

// ahead yields the batches from the first on, in order, while workers read
// the next ones. It owns the workers and returns when they have ended.
func (p *plan) ahead(first int, yield func(loaded) bool) {
	var stop atomic.Bool
	n := p.Len()
	if p.workers() == 0 {
		for b := first; b < n; b++ {
			if !yield(p.read(p.part(b), &stop)) {
				return
			}
		}
		return
	}
	workers := p.workers()
	var (
		window  = min(2*workers, max(n-first, 0))
		wg      sync.WaitGroup
		jobs    = make(chan job, window)
		pending []chan loaded // of the batches that are being read, in order
		next    = first
	)
	defer wg.Wait()
	defer close(jobs)
	defer stop.Store(true)
	for range workers {
		wg.Go(func() {
			for j := range jobs {
				got := loaded{err: errCellEnded}
				func() {
					defer func() { j.done <- got }()
					if stop.Load() {
						got = loaded{}
						return
					}
					got = p.read(j.part, &stop)
				}()
			}
		})
	}
	push := func() {
		j := job{p.part(next), make(chan loaded, 1)}
		next++
		pending = append(pending, j.done)
		jobs <- j // never blocks: at most window jobs are not handed over
	}
	for range window {
		push()
	}
	for len(pending) > 0 {
		got := <-pending[0]
		pending = pending[1:]
		if next < n {
			push()
		}
		if !yield(got) {
			return
		}
	}
}

var errStopped = errors.New("dl: DataLoader: stopped")

// read makes a batch of examples, of this process's alone where several share it. When stop
// is set it returns early, with an error that is not seen.
func (p *plan) read(all []pick, stop *atomic.Bool) loaded {
	if p.size == 1 {
		return p.readPart(all, stop)
	}
	part := &batchPart{rows: len(all), order: checksumOf(all)}
	got := p.readPart(own(all, p.rank, p.size), stop)
	for i := 0; i < len(all) && got.err == nil && got.batch.empty(); i++ {
		part.none = true
		got = p.readPart(all[i:i+1], stop) // a row of the right shape, which does not count
	}
	got.batch.setPart(part)
	return got
}

// own returns what a process has of a batch: every size-th from its rank on, as
// torch.utils.data.DistributedSampler deals examples out.
func own[T any](all []T, rank, size int) (part []T) {
	for i := rank; i < len(all); i += size {
		part = append(part, all[i])
	}
	return part
}

// checksumOf tells batches of examples apart.
func checksumOf(picks []pick) uint32 {
	var text []byte
	for _, at := range picks {
		text = binary.AppendVarint(text, int64(at.index))
	}
	return crc32.ChecksumIEEE(text)
}

// readPart makes a batch of examples. When stop is set it returns early, with an
// error that is not seen.
func (p *plan) readPart(part []pick, stop *atomic.Bool) loaded {
	examples := make([]Example, 0, len(part))
	first := 0 // the index of the first one in the batch
	for _, at := range part {
		if stop.Load() {
			return loaded{err: errStopped}
		}
		e, err := p.get(at)
		if err == nil && p.Collate == nil && len(examples) > 0 {
			err = fits(e, examples[0], first)
		}
		if err != nil {
			err = fmt.Errorf("dl: DataLoader: example %d: %w", at.index, err)
			if !p.SkipErrors {
				return loaded{err: err}
			}
			p.skipped.add(at.index, err)
			continue
		}
		if len(examples) == 0 {
			first = at.index
		}
		examples = append(examples, e)
	}
	if len(examples) == 0 {
		return loaded{}
	}
	if p.Collate == nil {
		return collate(examples)
	}
	var got loaded
	err := p.safely(func() { got.batch, got.err = p.Collate(examples) })
	if err == nil {
		err = got.err
	}
	if err != nil {
		return loaded{err: fmt.Errorf("dl: DataLoader: Collate: %w", err)}
	}
	if len(got.batch.Fields) == 0 && (got.batch.Inputs == nil || got.batch.Labels == nil) {
		return loaded{err: errors.New("dl: DataLoader: Collate returned a batch without Inputs or Labels, want both")}
	}
	return got
}

// fits tells why an example cannot be stacked with the first of its batch.
func fits(e, with Example, first int) error {
	if e.Input == nil || with.Input == nil {
		if (e.Input == nil) != (with.Input == nil) {
			return fmt.Errorf("one of it and example %d of its batch has an Input, want both or none", first)
		}
		return fieldsFit(e.fields, with.fields, first)
	}
	a, b := e.Input.shape, with.Input.shape
	switch {
	case len(a) == 3 && len(b) == 3 && a[0] != b[0]:
		return fmt.Errorf("input is %v, want %v as example %d of its batch; it has other channels: convert gray pictures with RGB(), or all to gray", a, b, first)
	case !e.Input.shape.Equal(with.Input.shape) || e.Input.dtype != with.Input.dtype:
		return fmt.Errorf("input is %v %s, want %v %s as example %d of its batch; resize or crop the pictures to one size",
			e.Input.shape, typeName(e.Input.dtype), with.Input.shape, typeName(with.Input.dtype), first)
	case (e.Target == nil) != (with.Target == nil):
		return fmt.Errorf("one of it and example %d of its batch has a Target, want both or none", first)
	case e.Target != nil && (!e.Target.shape.Equal(with.Target.shape) || e.Target.dtype != with.Target.dtype):
		return fmt.Errorf("target is %v %s, want %v %s as example %d of its batch",
			e.Target.shape, typeName(e.Target.dtype), with.Target.shape, typeName(with.Target.dtype), first)
	}
	return nil
}

// collate makes a batch of examples that fit one another.
func collate(examples []Example) (got loaded) {
	if examples[0].Input == nil {
		got.err = xla.Guard(func() { got.batch = collateFields(examples) })
		return got
	}
	inputs := make([]*Tensor, len(examples))
	targets := make([]*Tensor, len(examples))
	labels := make([]int64, len(examples))
	for k, e := range examples {
		inputs[k], targets[k], labels[k] = e.Input, e.Target, int64(e.Label)
	}
	got.err = xla.Guard(func() {
		got.batch = Batch{Inputs: Stack(inputs)}
		if targets[0] != nil {
			got.batch.Labels = Stack(targets)
		} else {
			got.batch.Labels = FromSlice(labels)
		}
	})
	return got
}

// get reads one example.
func (p *plan) get(at pick) (e Example, err error) {
	panicked := p.safely(func() {
		if d, ok := p.Dataset.(RandomDataset); ok {
			e, err = d.GetRand(at.index, rng(p.Seed, p.epoch, at.key))
			return
		}
		e, err = p.Dataset.Get(at.index)
	})
	if panicked != nil {
		return e, panicked
	}
	if err == nil && (p.Collate == nil || e.Fields == nil) {
		err = e.apart()
	}
	return e, err
}

// safely runs the user's code. A panic becomes an error with the place where
// it happened: in a worker it would end the process.
func (p *plan) safely(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v%s", r, panicPlace())
			if cause, ok := r.(error); ok {
				err = fmt.Errorf("panic: %w%s", cause, panicPlace())
			}
		}
	}()
	f()
	return nil
}

// skipped is which examples of an epoch were left out, and why.
type skipped struct {
	mu     sync.Mutex
	errors map[int]error
}

func (s *skipped) add(i int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.errors == nil {
		s.errors = map[int]error{}
	}
	s.errors[i] = err
}

// notice names them to the user.
func (s *skipped) notice() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.errors) == 0 {
		return
	}
	const most = 3
	var indices []int
	for i := range s.errors {
		indices = append(indices, i)
	}
	slices.Sort(indices)
	var why []string
	for _, i := range indices[:min(most, len(indices))] {
		why = append(why, strings.TrimPrefix(s.errors[i].Error(), "dl: DataLoader: "))
	}
	if more := len(indices) - most; more > 0 {
		why = append(why, fmt.Sprintf("and %d more", more))
	}
	hooks.Notice(fmt.Sprintf("dl: DataLoader: left out %d examples that cannot be read: %s", len(indices), strings.Join(why, "; ")))
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
