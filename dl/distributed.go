package dl

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"reflect"
	"strconv"
	"strings"
	"sync"

	"github.com/holt-dl/holt/dl/internal/xla"
	"github.com/holt-dl/holt/internal/collective"
	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/launch"
)

// All, as Options.Devices, has all devices of the job share each batch: those of this
// host, and those of all processes that a launcher (srun, mpirun, torchrun) has started
// with this one. Without a launcher the process is alone.
const All = -1

// Rank returns the number of this process in its job, from 0 on, as
// torch.distributed.get_rank: 0 where no launcher has started it. The launcher's variables
// are read: RANK of torchrun, OMPI_COMM_WORLD_RANK of Open MPI, SLURM_PROCID of srun.
func Rank() int { return thisJob().world.Rank }

// WorldSize returns the number of processes in this process's job, as
// torch.distributed.get_world_size: 1 where no launcher has started it.
func WorldSize() int { return thisJob().world.Size }

// processes are those of the job that this one belongs to.
type processes struct {
	world launch.World
	wrong error // of the launcher's variables

	mu    sync.Mutex
	group *collective.Group // nil until it is needed
	err   error             // the job is at an end

	choosing sync.Mutex      // what adds up; guards what follows
	gpus     *xla.Collective // that the processes have joined; nil where they have not
	noticed  bool            // that gradients go through the processors
}

var thisJob = sync.OnceValue(func() *processes {
	w, err := launch.FromEnv()
	return &processes{world: w, wrong: err}
})

// join returns the group of the job's processes, for which it waits at the first call;
// nil where this process is alone.
func (j *processes) join(ctx context.Context) (*collective.Group, error) {
	if j.wrong != nil {
		return nil, j.wrong
	}
	if j.world.Size == 1 {
		return nil, nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.group == nil && j.err == nil {
		j.group, j.err = collective.Join(ctx, j.world, noteOfDevices())
	}
	return j.group, j.err
}

// joined is the group, where this process has joined it, and nil elsewhere.
func (j *processes) joined() *collective.Group {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.group
}

// Classes of failures.
const (
	outOfMemory = "out of memory" // wraps ErrOutOfMemory, in all processes
	stopped     = "stopped"       // by an interrupt, or Run.Stop: no error of a run that was stopped
)

// fail tells the other processes, where they have joined, that this one cannot do what they do next,
// and why: they would wait for it. An error that came from them is known to them.
func (j *processes) fail(ctx context.Context, err error) {
	g := j.joined()
	var shared *sharedError
	if g == nil || errors.As(err, &shared) {
		return
	}
	// The others are in a training step, too, when they hear it, and say that themselves.
	class, reason := "", strings.TrimPrefix(strings.TrimPrefix(err.Error(), "dl: "), "training step: ")
	switch {
	case errors.Is(err, ErrOutOfMemory):
		class = outOfMemory
	case errors.Is(err, context.Canceled):
		class, reason = stopped, "it was stopped"
	}
	defer hooks.Hold()()
	g.Fail(ctx, class, errors.New(reason))
}

// sharedError is an error that all processes of the job know.
type sharedError struct{ err error }

func (e *sharedError) Error() string { return e.err.Error() }

func (e *sharedError) Unwrap() []error {
	var f *collective.Failure
	if errors.As(e.err, &f) && f.Class == outOfMemory {
		return []error{e.err, ErrOutOfMemory}
	}
	return []error{e.err}
}

// wait waits for the other processes to come to the same place, where they still go on.
func (j *processes) wait(ctx context.Context, text string) {
	if g := j.joined(); g != nil {
		g.AllReduce(ctx, text, nil) // its error is that of what follows, too
	}
}

// isStop reports whether an error is that of a run which was stopped, in this process or in
// another.
func isStop(err error) bool {
	var f *collective.Failure
	return errors.Is(err, context.Canceled) || errors.As(err, &f) && f.Class == stopped
}

// writes reports whether this process writes files: in a job that trains together it is
// the one of rank 0 alone.
func (j *processes) writes() bool {
	return j.joined() == nil || j.world.Rank == 0
}

// localDevices is the number of devices of this process that share a batch from a device
// on.
func (o Options) localDevices(on *xla.Device) int {
	switch {
	case o.Devices != All:
		return max(o.Devices, 1)
	case on.Plans():
		return max(gpusHere(on.Kind), 1)
	case on.Kind == "go" || on.Num != 0 || thisJob().world.LocalSize > 1:
		return 1
	}
	return on.Backend.NumDevices()
}

// gpusHere is the number of GPUs of this process that would share a batch: those that a host has
// by the name of a planned kind, such as h100:4, or those that are there.
func gpusHere(kind string) int {
	if thisJob().world.LocalSize > 1 {
		return 1
	}
	if _, each, ok := strings.Cut(kind, ":"); ok {
		n, _ := strconv.Atoi(each) // the compiler refuses what is none
		return n
	}
	for _, b := range xla.Backends() {
		if b.Kind == "cuda" {
			return len(b.Devices)
		}
	}
	return 0
}

// A step of several processes is one with Options.Accumulate: each adds up the gradients
// of its part of the batch, the sums are added up over the processes, and all do the step
// by them. Gradients are those of the sum of the loss's terms until then, so parts of any
// sizes give what one process finds for the whole batch, but for rounding.

// partOf returns the rows of a batch that a process computes, every size-th from its rank
// on, as torch.utils.data.DistributedSampler deals them out; those of a loader with Distributed
// are that already. Where there are none, it returns the first row, and rows is 0.
func partOf(batch Batch, rank, size int) (part Batch, rows int) {
	n := batch.Inputs.shape[0]
	switch p := batch.part(); {
	case p != nil && p.none:
		return batch, 0
	case p != nil:
		return batch, n
	}
	if rank >= n {
		return Batch{Inputs: everyNth(batch.Inputs, 0, n), Labels: everyNth(batch.Labels, 0, n)}, 0
	}
	return Batch{Inputs: everyNth(batch.Inputs, rank, size), Labels: everyNth(batch.Labels, rank, size)}, (n - rank + size - 1) / size
}

// everyNth returns the rows first, first+n, … of a tensor.
func everyNth(t *Tensor, first, n int) *Tensor {
	flat := reflect.ValueOf(t.flat())
	row := flat.Len() / t.shape[0]
	rows := (t.shape[0] - first + n - 1) / n
	all := reflect.MakeSlice(flat.Type(), rows*row, rows*row)
	for i := range rows {
		from := (first + i*n) * row
		reflect.Copy(all.Slice(i*row, (i+1)*row), flat.Slice(from, from+row))
	}
	return hostTensor(t.dtype, append(Shape{rows}, t.shape[1:]...), all.Interface())
}

// group returns the processes that share each batch, for which it waits at the first call;
// nil where the step is this process's alone.
func (s *Step) group(ctx context.Context) (*collective.Group, error) {
	if s.options.Devices != All {
		return nil, nil
	}
	return thisJob().join(ctx)
}

// ownPart has a loader read this process's part alone, where the step is one of several processes.
// A loader with Collate reads all: that may mix the examples of a batch, or give them the length of
// the longest, so that only whole batches are those of one process.
func (s *Step) ownPart(data Batches) Batches {
	if s.options.Devices != All {
		return data
	}
	var part DataLoader
	switch l := data.(type) {
	case DataLoader:
		part = l
	case *DataLoader:
		part = *l
	default:
		return data
	}
	if part.Collate == nil {
		part.Distributed = true
	}
	return part
}

// errPart is the error of a batch of one process's rows where all are wanted.
func errPart(b Batch) error {
	if b.part() == nil {
		return nil
	}
	return fmt.Errorf("the batch has the rows of rank %d of %d alone, as its loader is Distributed; train with Options{Devices: dl.All}, or leave Distributed out", Rank(), WorldSize())
}

// sharing does f, which is a part of a step, and makes an error of this process one of all where
// several share each batch.
func (s *Step) sharing(ctx context.Context, f func() error) error {
	_, seen := s.counts()
	err := f()
	if err == nil || !s.options.severalProcesses() {
		return err
	}
	thisJob().fail(ctx, err)
	s.part(seen)
	return &sharedError{err}
}

// part ends what the step does with other processes, after one of them could not do its part: of
// the batches, so many count. The processes are no longer known to have the same weights: the next
// step compares where they are, and gives all the weights of rank 0.
func (s *Step) part(seen int) {
	s.turn.Lock() // a program that was interrupted may still run, and would count its batch
	defer s.turn.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.synced = false
	s.seen = seen
	s.sums.free()
}

// ended is a context that has ended: processes that get it wait some seconds for the others.
func ended(why error) context.Context {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(why)
	return ctx
}

// severalProcesses reports whether the job's processes share each batch, and are more than one.
func (o Options) severalProcesses() bool { return o.Devices == All && thisJob().world.Size > 1 }

// distributed does a batch with all processes of the job.
func (s *Step) distributed(ctx, running context.Context, g *collective.Group, on *xla.Device, batch Batch, rows int) (tally, error) {
	if err := s.broadcast(ctx, g); err != nil {
		return tally{}, err
	}
	w := thisJob().world
	part, own := partOf(batch, w.Rank, w.Size)
	whole := batch.part()
	if whole != nil {
		rows = whole.rows
	}
	most := max((rows+w.Size-1)/w.Size, own)
	s.mu.Lock()
	size := s.options.padded(max(s.size, most), on)
	s.mu.Unlock()
	t, err := s.attempt(ctx, running, on, part, own, size, s.gather)
	if err != nil {
		return tally{}, err
	}
	_, seen := s.counts()
	text := fmt.Sprintf("batch %d of shape %v with labels of checksum %08x", seen, batch.Inputs.shape, checksum(batch.Labels))
	if whole != nil {
		text = fmt.Sprintf("batch %d of shape %v with examples of checksum %08x", seen, batch.of(whole.rows), whole.order)
	}
	if t, err = s.allReduce(ctx, g, t, text, s.readyToStep()); err != nil {
		return tally{}, &sharedError{err}
	}
	s.mu.Lock()
	s.last = t.result()
	s.mu.Unlock()
	if s.readyToStep() {
		// All processes do it now, also one that is interrupted.
		ctx = context.WithoutCancel(ctx)
		err = s.apply(ctx, ctx)
	}
	return t, err
}

// broadcast gives all processes the weights of rank 0 before the first step, as
// torch.nn.parallel.DistributedDataParallel does.
func (s *Step) broadcast(ctx context.Context, g *collective.Group) error {
	s.mu.Lock()
	done, n, seen := s.synced, s.n, s.seen
	s.mu.Unlock()
	if done {
		return nil
	}
	var text strings.Builder
	fmt.Fprintf(&text, "it begins at step %d after %d batches to train with %s, %+v:", n, seen, s.rule, s.options)
	for _, sp := range s.model.specs {
		fmt.Fprintf(&text, " %s %v", sp.name, sp.shape)
	}
	values, release := s.model.snapshot()
	kept := make([]*Tensor, len(values))
	for i, sp := range s.model.specs {
		kept[i] = sp.keep(values[i])
	}
	release()
	var arrays [][]float32
	for _, t := range kept {
		if x, ok := t.flat().([]float32); ok {
			arrays = append(arrays, x)
		}
	}
	onlyRank0(arrays)
	if _, err := g.AllReduce(ctx, text.String(), nil, arrays...); err != nil {
		return &sharedError{err}
	}
	s.model.replace(s.model.vars, kept)
	adds, err := s.chooseAdder(ctx, g)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.synced, s.adds = true, adds
	s.mu.Unlock()
	return nil
}

// noiseSeed is where a step's random numbers begin: elsewhere in each process of a job, since
// their rows are different ones.
func (s *Step) noiseSeed() uint64 {
	if !s.synced {
		return s.seed
	}
	return s.seed + uint64(thisJob().world.Rank)*0x9e3779b97f4a7c15
}

// onlyRank0 sets arrays to 0 in all processes but that of rank 0, whose numbers their sums
// then are.
func onlyRank0(arrays [][]float32) {
	if thisJob().world.Rank != 0 {
		for _, x := range arrays {
			clear(x)
		}
	}
}

// allReduce adds up what a batch gave over the processes, and where a step follows, the
// sums of the gradients and what to divide them by: pieces of them, where no process needs more.
// Buffers, such as running means, become those of rank 0. The text says which batch it was.
func (s *Step) allReduce(ctx context.Context, g *collective.Group, t tally, text string, step bool) (tally, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	var sums []*gradientSum
	var p *pieces
	all := true
	if step {
		on, err := s.model.on()
		if err == nil {
			p, err = s.piecesOn(on)
		}
		if err != nil {
			return tally{}, err
		}
		trained, err := s.learners()
		if err != nil {
			return tally{}, err
		}
		all = p == nil || s.needsGradients(trained)
		for _, l := range trained {
			sp := s.model.specs[l.at]
			if sum := s.sums.of[sp.name]; sum != nil {
				sums = append(sums, &gradientSum{sp.name, sum, p.of(sp, s.groups[l.group].rule)})
			}
		}
	}
	buffers, kept := s.buffers()
	var those [][]float32
	for _, b := range kept {
		those = append(those, b.flat().([]float32))
	}
	onlyRank0(those)
	numbers := []float64{float64(t.Loss), float64(t.Weight), float64(t.Right), float64(t.Labels), float64(t.Rows), s.sums.total.Item()}
	text += fmt.Sprintf(", and the gradients of %d parameters", len(sums))
	totals, err := s.adder(g).add(ctx, text, numbers, all, p, sums, those)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.sums.free() // the other processes may have done the step or not
		return tally{}, err
	}
	for _, sum := range sums {
		s.sums.of[sum.name] = sum.of
	}
	if step && s.sums.counted {
		s.sums.total.Free()
		s.sums.total = Scalar(float32(totals[5]))
	}
	s.model.replace(buffers, kept)
	return tally{exact(totals[0]), exact(totals[1]), exact(totals[2]), exact(totals[3]), int(totals[4])}, nil
}

// allReduceRest adds up the gradients of the batches so far over the processes, where the
// step has several.
func (s *Step) allReduceRest(ctx context.Context) error {
	g, err := s.group(ctx)
	if err != nil || g == nil {
		return err
	}
	if _, err = s.allReduce(ctx, g, tally{}, "the rest of the batches", true); err != nil {
		return &sharedError{err}
	}
	return nil
}

// buffers are the model's buffers of float32, and copies of their values.
func (s *Step) buffers() (vars, kept []*Tensor) {
	values, release := s.model.snapshot()
	defer release()
	for i, sp := range s.model.specs {
		if !sp.trained && sp.dtype != Int64 {
			vars, kept = append(vars, s.model.vars[i]), append(kept, sp.keep(values[i]))
		}
	}
	return vars, kept
}

// checksum tells batches apart.
func checksum(t *Tensor) uint32 {
	bytes, err := binary.Append(nil, binary.LittleEndian, t.flat())
	if err != nil { // not of a type that has a size
		bytes = fmt.Append(nil, t.flat())
	}
	return crc32.ChecksumIEEE(bytes)
}
