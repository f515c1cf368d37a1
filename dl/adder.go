package dl

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl/internal/xla"
	"github.com/holt-dl/holt/internal/collective"
	"github.com/holt-dl/holt/internal/hooks"
)

// adder adds up over the processes of a job. All of them call its methods in the same order, with
// texts that say what is added up and must agree.
type adder interface {
	// add adds up numbers and arrays, which are on the host, and the gradients' sums of this process,
	// in whose places it puts those of all. A divided one may be this process's piece then, unless a
	// process needs all.
	add(ctx context.Context, text string, numbers []float64, all bool, p *pieces, sums []*gradientSum, arrays [][]float32) (totals []float64, err error)
	// gather brings tensors of some shapes together, of which each process has a piece.
	gather(ctx context.Context, text string, p *pieces, mine []*Tensor, shapes []Shape) ([]*Tensor, error)
}

// gradientSum is the sum of a parameter's gradients.
type gradientSum struct {
	name    string // of the parameter
	of      *Tensor
	divided bool // its update is divided between processes
}

// ring adds up on processors.
type ring struct{ *collective.Group }

func (r ring) add(ctx context.Context, text string, numbers []float64, all bool, p *pieces, sums []*gradientSum, arrays [][]float32) ([]float64, error) {
	var scattered, whole [][]float32
	values := make([][]float32, len(sums))
	for i, s := range sums {
		values[i] = s.of.Float32s()
		if s.divided {
			scattered = append(scattered, values[i])
		} else {
			whole = append(whole, values[i])
		}
	}
	totals, inPieces, err := r.ReduceScatter(ctx, text, numbers, all, scattered, append(whole, arrays...)...)
	if err != nil {
		return nil, err
	}
	for i, s := range sums {
		s.of.Free()
		if s.divided && inPieces {
			s.of = p.cut(values[i])
		} else {
			s.of = newTensor(values[i], s.of.shape)
		}
	}
	return totals, nil
}

func (r ring) gather(ctx context.Context, text string, p *pieces, mine []*Tensor, shapes []Shape) ([]*Tensor, error) {
	arrays := make([][]float32, len(mine))
	for i, t := range mine {
		arrays[i] = make([]float32, shapes[i].Size())
		from, _ := collective.Piece(len(arrays[i]), p.rank, p.processes)
		copy(arrays[i][from:], t.Float32s())
	}
	if err := r.AllGather(ctx, text, arrays...); err != nil {
		return nil, &sharedError{err}
	}
	whole := make([]*Tensor, len(mine))
	for i, x := range arrays {
		whole[i] = newTensor(x, shapes[i])
	}
	return whole, nil
}

// betweenGPUs adds up by NCCL where the numbers are, on GPUs. What the processes say of it, and
// what is on the host, goes over the ring first: a process that does something else has done so
// before NCCL would wait for it.
type betweenGPUs struct {
	ring
	gpus *xla.Collective
}

func (b betweenGPUs) add(ctx context.Context, text string, numbers []float64, all bool, p *pieces, sums []*gradientSum, arrays [][]float32) ([]float64, error) {
	needs := 0.0
	if all {
		needs = 1
	}
	var others []*gradientSum // of another type than NCCL is called for
	for _, s := range sums {
		if s.of.dtype != Float32 {
			others = append(others, s)
		}
	}
	totals, err := b.ring.add(ctx, text, append(slices.Clone(numbers), needs), true, nil, others, arrays)
	if err != nil {
		return nil, err
	}
	last := len(totals) - 1
	inPieces := totals[last] == 0
	var divided, whole []*xla.Array
	for _, s := range sums {
		switch {
		case slices.Contains(others, s):
		case s.divided && inPieces:
			divided = append(divided, s.of.data)
		default:
			whole = append(whole, s.of.data)
		}
	}
	return totals[:last], b.await(ctx, text, func(ctx context.Context) error {
		if err := b.gpus.ReduceScatter(ctx, divided); err != nil {
			return err
		}
		return b.gpus.AllReduce(ctx, whole)
	})
}

// gather brings tensors together that have all numbers, of which the piece of this process is
// right.
func (b betweenGPUs) gather(ctx context.Context, text string, p *pieces, mine []*Tensor, shapes []Shape) ([]*Tensor, error) {
	if _, err := b.AllReduce(ctx, text, nil); err != nil {
		return nil, &sharedError{err}
	}
	arrays := make([]*xla.Array, len(mine))
	for i, t := range mine {
		arrays[i] = t.data
	}
	err := b.await(ctx, text, func(ctx context.Context) error { return b.gpus.AllGather(ctx, arrays) })
	if err != nil {
		return nil, &sharedError{err}
	}
	return mine, nil
}

// await does f with all processes, which have agreed on it, so that one which is interrupted does
// it as well. Where one is lost meanwhile, or cannot, the job is at an end.
func (b betweenGPUs) await(ctx context.Context, text string, f func(context.Context) error) error {
	return b.Await(context.WithoutCancel(ctx), text+", between GPUs", func(ctx context.Context) error {
		err := f(ctx)
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w; %s=0 has the processors add up", err, ncclEnv)
		}
		return err
	})
}

// ncclEnv is the variable that keeps NCCL from being used where it is 0.
const ncclEnv = "HOLT_NCCL"

// onNCCL is the kind of devices between which NCCL adds up.
var onNCCL = "cuda"

// offer is what a process says of NCCL to rank 0.
type offer struct {
	Kind    string   // of its device
	Why     string   // NCCL is not used; empty where it can be
	Wanted  bool     // NCCL was not asked not to be used
	Version string   // of NCCL
	GPUs    []string // names that no other GPU has
	Joined  bool     // the processes have found each other with these GPUs
}

// choice is what rank 0 has found in the offers.
type choice struct {
	Ring   bool
	Joined bool     // the processes need not find each other again
	IDs    [][]byte // by which they do
}

// offer opens NCCL for the devices of the step.
func (s *Step) offer(on *xla.Device, share *xla.Group) (o offer, n *xla.Collective) {
	o = offer{Kind: on.Kind, Wanted: os.Getenv(ncclEnv) != "0"}
	var err error
	switch j := thisJob(); {
	case !o.Wanted:
		o.Why = ncclEnv + " is 0"
	case on.Kind != onNCCL:
		o.Why = "it uses " + on.Label()
	case s.options.TensorParallel > 1:
		o.Why = fmt.Sprintf("TensorParallel is %d", s.options.TensorParallel)
	case j.gpus != nil && j.gpus.Is(on, share):
		n, o.Joined = j.gpus, true
	default:
		n, err = on.Collective(share)
	}
	if err != nil {
		o.Why = plainNCCL(err)
	} else if n != nil {
		o.Version, o.GPUs = n.Version(), n.GPUs()
	}
	return o, n
}

// plainNCCL is an error in a sentence that speaks of NCCL.
func plainNCCL(err error) string { return strings.TrimPrefix(err.Error(), "nccl: ") }

// noNCCL says why the processes cannot add up by NCCL; empty where they can.
func noNCCL(all []offer) string {
	of := map[string]int{}
	for rank, o := range all {
		switch {
		case o.Why != "":
			return fmt.Sprintf("rank %d: %s", rank, o.Why)
		case o.Version != all[0].Version:
			return fmt.Sprintf("rank 0 has NCCL %s, and rank %d %s", all[0].Version, rank, o.Version)
		case len(o.GPUs) != len(all[0].GPUs):
			return fmt.Sprintf("the numbers of GPUs of ranks 0 and %d are %d and %d", rank, len(all[0].GPUs), len(o.GPUs))
		}
		for _, gpu := range o.GPUs {
			if other, taken := of[gpu]; taken {
				return fmt.Sprintf("ranks %d and %d use the same GPU", other, rank)
			}
			of[gpu] = rank
		}
	}
	return ""
}

// choose is rank 0's choice. Where there are GPUs, and NCCL is wanted and not used, the user gets
// to know why, once. The caller holds choosing.
func (j *processes) choose(n *xla.Collective, texts []string) (c choice) {
	all := make([]offer, len(texts))
	for i, text := range texts {
		if err := json.Unmarshal([]byte(text), &all[i]); err != nil {
			all[i].Why = err.Error()
		}
	}
	why := noNCCL(all)
	if why == "" {
		c.Joined = !slices.ContainsFunc(all, func(o offer) bool { return !o.Joined })
	}
	if why == "" && !c.Joined {
		var err error
		if c.IDs, err = n.NewIDs(); err != nil {
			why = "rank 0: " + plainNCCL(err)
		}
	}
	c.Ring = why != ""
	gpus := slices.ContainsFunc(all, func(o offer) bool { return o.Kind == onNCCL })
	unwanted := slices.ContainsFunc(all, func(o offer) bool { return !o.Wanted })
	if c.Ring && gpus && !unwanted && !j.noticed {
		j.noticed = true
		hooks.Notice("gradients go from GPU to GPU through the processors, not by NCCL: " + why)
	}
	return c
}

// chooseAdder decides with the other processes what adds up, before the first step: NCCL where each
// has GPUs of its own and the same NCCL, and else the ring.
func (s *Step) chooseAdder(ctx context.Context, g *collective.Group) (adder, error) {
	ctx = context.WithoutCancel(ctx) // all have agreed on the step, and do this, too
	on, err := s.model.on()
	if err != nil {
		return nil, err
	}
	share, err := s.groupOn(on)
	if err != nil {
		return nil, err
	}
	j := thisJob()
	j.choosing.Lock()
	defer j.choosing.Unlock()
	mine, n := s.offer(on, share)
	text, err := json.Marshal(mine)
	if err != nil {
		return nil, err
	}
	made, err := g.Decide(ctx, string(text), func(texts []string) string {
		text, err := json.Marshal(j.choose(n, texts))
		if err != nil {
			panic(err) // strings and numbers only
		}
		return string(text)
	})
	if err != nil {
		return nil, &sharedError{err}
	}
	var c choice
	if err := json.Unmarshal([]byte(made), &c); err != nil {
		return nil, fmt.Errorf("rank 0's choice of what adds up: %w", err)
	}
	b := betweenGPUs{ring{g}, n}
	switch {
	case c.Ring:
		return b.ring, nil
	case c.Joined:
		return b, nil
	}
	err = b.await(ctx, "they find each other", func(ctx context.Context) (err error) {
		if j.gpus != nil {
			j.gpus.Close()
			j.gpus = nil
			if b.gpus, err = on.Collective(share); err != nil {
				return err
			}
		}
		return b.gpus.Join(ctx, j.world.Rank, j.world.Size, c.IDs)
	})
	if err != nil {
		return nil, &sharedError{err}
	}
	j.gpus = b.gpus
	return b, nil
}

// adder returns what adds up over the processes.
func (s *Step) adder(g *collective.Group) adder {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.adds == nil {
		return ring{g}
	}
	return s.adds
}

// onGPUs reports whether the processes add up on GPUs.
func (s *Step) onGPUs() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, yes := s.adds.(betweenGPUs)
	return yes
}
