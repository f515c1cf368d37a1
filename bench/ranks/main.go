// Command ranks adds up numbers over the GPUs of all processes of a job, by NCCL inside an XLA
// program, and beside it by dl's ring over TCP, and prints how long both take. A launcher starts
// it, a process for each GPU or for each host:
//
//	srun -N2 go run ./bench/ranks
//	torchrun --nproc-per-node 2 --no-python ./ranks -numbers 25000000
//
// It ends with status 1 and the reason, in every process, where the sums are not right, where the
// plugin does not know the devices of the others, and where a process is lost.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"time"

	"github.com/holt-dl/holt/internal/collective"
	"github.com/holt-dl/holt/internal/launch"
	"github.com/holt-dl/holt/internal/pjrt"
	"github.com/holt-dl/holt/internal/plugins"
)

func main() {
	backend := flag.String("backend", "cuda", "cuda, or another plugin that holt backend install has brought")
	numbers := flag.Int("numbers", 10_000_000, "how many numbers each device adds up")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	w, err := launch.FromEnv()
	if err == nil {
		err = run(ctx, w, *backend, *numbers)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "ranks: rank %d: %v\n", w.Rank, err)
		os.Exit(1)
	}
}

// run joins the job, and ends it for all where this process cannot go on.
func run(ctx context.Context, w launch.World, backend string, numbers int) error {
	if w.Size < 2 {
		return fmt.Errorf("this process is alone, want a job of two or more, such as that of srun -N2")
	}
	path, ok := plugins.Find(plugins.SearchDirs(), backend)
	if !ok {
		return fmt.Errorf("the plugin for %s is not installed; run holt backend install %s", backend, backend)
	}
	const visible = "CUDA_VISIBLE_DEVICES"
	if w.LocalSize > 1 && os.Getenv(visible) == "" {
		os.Setenv(visible, strconv.Itoa(w.LocalRank))
	}
	g, err := collective.Join(ctx, w, "")
	if err != nil {
		return err
	}
	if err := measure(ctx, w, g, path, numbers); err != nil {
		g.Leave(err)
		return err
	}
	return nil
}

// measure adds up by both ways, and prints what rank 0 finds.
func measure(ctx context.Context, w launch.World, g *collective.Group, path string, numbers int) error {
	c, err := pjrt.NewClient(ctx, path, pjrt.Job{Rank: w.Rank, Size: w.Size, Keys: g}, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	var ids []int
	processes := map[int]bool{}
	for _, d := range c.Devices() {
		ids = append(ids, d.ID)
		processes[d.Process] = true
	}
	if len(processes) != w.Size {
		return fmt.Errorf("the plugin lists the devices of %d of %d processes: it does not tell the others of its own", len(processes), w.Size)
	}
	p, err := c.Compile(pjrt.AllReduce(len(ids), numbers), pjrt.Assignment{Replicas: len(ids), Partitions: 1, Devices: ids})
	if err != nil {
		return err
	}
	defer p.Close()
	inputs := make([][]pjrt.Array, len(p.Devices()))
	want := float32(0)
	for i := range ids {
		want += float32(i + 1)
	}
	for d, id := range p.Devices() {
		x := make([]float32, numbers)
		for i := range x {
			x[i] = float32(slices.Index(ids, id) + 1)
		}
		inputs[d] = []pjrt.Array{{Dims: []int64{int64(numbers)}, Values: x}}
	}
	const times = 5
	var inside, ring []time.Duration
	for range times {
		begin := time.Now()
		err := g.Await(ctx, "sums by NCCL", func(ctx context.Context) error {
			out, err := p.Run(ctx, inputs)
			for _, of := range out {
				if i := slices.IndexFunc(of[0].Values, func(x float32) bool { return x != want }); i >= 0 {
					return fmt.Errorf("sum %d is %v, want %v", i, of[0].Values[i], want)
				}
			}
			return err
		})
		if err != nil {
			return err
		}
		inside = append(inside, time.Since(begin))
		x := make([]float32, numbers)
		begin = time.Now()
		if _, err := g.AllReduce(ctx, "sums by the ring", nil, x); err != nil {
			return err
		}
		ring = append(ring, time.Since(begin))
	}
	if w.Rank == 0 {
		slices.Sort(inside)
		slices.Sort(ring)
		fmt.Printf("%d devices of %d processes add up %d numbers: by XLA, copies from and to the host too, %v at least and %v in the middle; by the ring %v and %v\n",
			len(ids), w.Size, numbers, inside[0], inside[times/2], ring[0], ring[times/2])
	}
	return nil
}
