package dl

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/holt-dl/holt/dl/internal/xla"
)

// Derivatives are a model's output and what follows from it.
type Derivatives struct {
	Output, Input   *Tensor
	Params, Buffers map[string]*Tensor // gradients; values afterwards
}

// Differentiate runs a model on x, and finds the gradients of Σ output·by for
// the input and the parameters.
func Differentiate(m *Model, x, by *Tensor, training bool) (Derivatives, error) {
	on, err := xla.Current()
	if err != nil {
		return Derivatives{}, err
	}
	d := Derivatives{Params: map[string]*Tensor{}, Buffers: map[string]*Tensor{}}
	r := m.record("differentiate", on)
	defer r.close()
	r.training = training
	var wanted []*Tensor
	var put []func(*Tensor)
	want := func(x *Tensor, to func(*Tensor)) { wanted, put = append(wanted, x), append(put, to) }
	err = xla.Guard(func() {
		defer r.begin()()
		in := m.begin(r.argument(x, false))
		weight := r.argument(by, false)
		var at []leaf
		if x.dtype.IsFloat() {
			at = append(at, leaf{in.id, in})
		}
		var learn []spec
		for i, s := range m.specs {
			if s.trained {
				at, learn = append(at, leaf{r.id(m.vars[i]), m.vars[i]}), append(learn, s)
			}
		}
		y := m.call(r, in)
		want(y, func(t *Tensor) { d.Output = t })
		if len(at) > 0 {
			g := r.differentiate(y.Mul(weight).Sum(), at)
			if x.dtype.IsFloat() {
				want(g[0], func(t *Tensor) { d.Input = t })
				g = g[1:]
			}
			for i, s := range learn {
				want(g[i], func(t *Tensor) { d.Params[s.name] = t })
			}
		}
		for i, s := range m.specs {
			if !s.trained {
				want(r.of(m.vars[i]), func(t *Tensor) { d.Buffers[s.name] = t })
			}
		}
	})
	if err != nil {
		return d, err
	}
	r.changed = nil
	out, err := r.run(xla.Context(), x.shape, wanted)
	if err != nil {
		return d, err
	}
	for i, to := range put {
		to(out[i])
	}
	return d, nil
}

// Kept lists the parameters for which a step's optimizer keeps something.
func Kept(s *Step) []string { return slices.Sorted(maps.Keys(s.kept)) }

// DevicesOf returns how many devices a backend shows.
func DevicesOf(kind string) int {
	for _, b := range xla.Backends() {
		if b.Kind == kind {
			return len(b.Devices)
		}
	}
	return 0
}

// HeldOn returns the bytes that the weights, and what the optimizer keeps for them, take on
// a device.
func (s *Step) HeldOn(device string) (weights, slots int64) {
	on, err := xla.Find("HeldOn", device)
	if err != nil {
		panic(err)
	}
	for _, v := range s.model.vars {
		weights += v.v.now.Load().data.BytesOn(on)
	}
	for _, kept := range s.kept {
		for _, t := range kept {
			slots += t.data.BytesOn(on)
		}
	}
	return weights, slots
}

// PartOf returns the numbers of the examples that a process of a job reads, batch by batch.
func PartOf(l DataLoader, epoch, rank, size int) (batches [][]int) {
	p, err := l.plan(epoch)
	if err != nil {
		panic(err)
	}
	for b := range l.Len() {
		var indices []int
		for _, at := range own(p.part(b), rank, size) {
			indices = append(indices, at.index)
		}
		batches = append(batches, indices)
	}
	return batches
}

// OwnPart returns what a step reads of a run's data.
func OwnPart(s *Step, data Batches) Batches { return s.ownPart(data) }

// SlotSize returns how many values the optimizer keeps.
func (s *Step) SlotSize() int {
	n := 0
	for _, slots := range s.kept {
		for _, t := range slots {
			n += t.Size()
		}
	}
	return n
}

// StepOf returns the step of a run.
func StepOf(r *Run) *Step { return r.step }

// Stopping tells whether a run was told to stop.
func Stopping(r *Run) bool {
	return r.stop.Load()
}

// Compilations returns how often a compiler has run.
func Compilations() int { return xla.Compilations() }

// NoticeAfter is how long nothing is said of a compilation.
const NoticeAfter = xla.NoticeAfter

// RetryOOM is what becomes of a backend's error.
func RetryOOM(err error) error {
	on, e := xla.Current()
	if e != nil {
		return e
	}
	return on.RetryOOM(func() error { return err })
}

// Prefetch reads ahead of a loop, to a device.
func Prefetch(seq iter.Seq2[Batch, error], device string) iter.Seq2[Batch, error] {
	on, err := xla.Find("Prefetch", device)
	if err != nil {
		panic(err)
	}
	return prefetch(seq, func(b Batch) (Batch, error) { return b.to(on) })
}

// EpochOf yields an epoch of batches, and the error that ends it.
func EpochOf(b Batches, epoch int) iter.Seq2[Batch, error] { return from(b, epoch, 0) }

// EpochFrom is an epoch without its first batches.
func (l DataLoader) EpochFrom(epoch, first int) iter.Seq2[Batch, error] {
	return l.epochFrom(epoch, first)
}

// Momentum is the momentum of a step's first group.
func Momentum(s *Step) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.momenta[0]
}

// Rows is how many rows a step's program has.
func Rows(s *Step) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// AlwaysXLA turns small programs off, so that all operations are compiled.
func AlwaysXLA(on bool) { alwaysXLA = on }

// Record records what f does with arguments, up to the key that finds its program, and
// returns how many operations that is. Nothing runs.
func Record(f func(xs []*Tensor), args ...*Tensor) int {
	on, err := xla.Current()
	if err != nil {
		panic(err)
	}
	r := newRecording("benchmark", on)
	defer r.close()
	r.newKey = func() *Tensor { return randomKey(1, 0) }
	defer r.begin()()
	xs := make([]*Tensor, len(args))
	for i, x := range args {
		xs[i] = r.argument(x, false)
	}
	f(xs)
	var ids []int32
	for _, v := range r.changed {
		ids = append(ids, r.pending[v].id)
	}
	r.keyOf(ids)
	return len(r.list)
}

// LargestBatch is largestBatch for programs whose memory is known.
func LargestBatch(first int, usable Bytes, step int, memory func(rows int) (int64, error)) (int, error) {
	plan := func(rows int) (PlanLine, error) {
		n, err := memory(rows)
		return PlanLine{Batch: rows, Peak: Bytes(n), Fits: Bytes(n) <= usable}, err
	}
	line, err := plan(first)
	if err != nil {
		return 0, err
	}
	return largestBatch(line, usable, step, plan)
}

// PlanBatch is Step.Plan without the search for the largest batch.
func PlanBatch(s *Step, gpu string, batch Batch) (Plan, error) {
	p, _, err := s.planBatch(gpu, batch, batch.Inputs.shape[0])
	return p, err
}

// OfPart marks a batch as the rows of one process of a job, of so many in all.
func OfPart(b Batch, rows int) { b.setPart(&batchPart{rows: rows}) }

// SentToNext is how many bytes of arrays this process has sent to the next one of its job.
func SentToNext() int64 {
	if g := thisJob().group; g != nil {
		return g.Sent()
	}
	return 0
}

// OwnRows is how many rows of a batch a process computes.
func OwnRows(b Batch, rank, size int) int { _, rows := partOf(b, rank, size); return rows }

// SetNCCLKind has NCCL add up between devices of another kind than cuda.
func SetNCCLKind(kind string) { onNCCL = kind }

// AddsUpBy is what adds up over the processes.
func (s *Step) AddsUpBy() string {
	if s.onGPUs() {
		return "NCCL"
	}
	return "ring"
}

// Offer is what a process says of NCCL.
type Offer = offer

// NoNCCL says why processes cannot add up by NCCL.
func NoNCCL(all []Offer) string { return noNCCL(all) }

// AloneByNCCL has a communicator of this process alone do to a tensor all that jobs do by NCCL, and
// returns NCCL's version.
func AloneByNCCL(t *Tensor) (version string, err error) {
	on, err := xla.Current()
	if err != nil {
		return "", err
	}
	c, err := on.Collective(nil)
	if err != nil {
		return "", err
	}
	ids, err := c.NewIDs()
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := c.Join(ctx, 0, 1, ids); err != nil {
		return "", err
	}
	defer c.Close()
	for _, f := range []func(context.Context, []*xla.Array) error{c.AllReduce, c.ReduceScatter, c.AllGather} {
		if err := f(ctx, []*xla.Array{t.data}); err != nil {
			return "", err
		}
	}
	return c.Version(), nil
}
