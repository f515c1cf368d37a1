// Command ranks adds up numbers over the GPUs of all processes of a job, by NCCL inside an XLA
// program, by NCCL as a training of dl calls it, and by dl's ring over TCP, and prints how long
// each takes. A launcher starts it, a process for each GPU or for each host:
//
//	srun -N2 go run ./bench/ranks
//	torchrun --nproc-per-node 2 --no-python ./ranks -numbers 25000000
//
// It ends with status 1 and the reason, in every process, where the sums are not right, where the
// plugin does not know the devices of the others, and where a process is lost.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"time"

	"github.com/holt-dl/holt/internal/collective"
	"github.com/holt-dl/holt/internal/launch"
	"github.com/holt-dl/holt/internal/nccl"
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

// measure adds up by each way, and prints what rank 0 finds.
func measure(ctx context.Context, w launch.World, g *collective.Group, path string, numbers int) error {
	c, err := pjrt.NewClient(ctx, path, pjrt.Job{Rank: w.Rank, Size: w.Size, Keys: g}, map[string]any{"preallocate": false})
	if err != nil {
		return err
	}
	defer c.Close()
	inside, err := inProgram(ctx, w, g, c, numbers)
	if err != nil {
		return err
	}
	here := 0
	for _, d := range c.Devices() {
		if d.Here {
			here++
		}
	}
	between, err := byNCCL(ctx, w, g, path, here, numbers)
	if err != nil {
		return err
	}
	x := make([]float32, numbers)
	ring, err := timed(func() error {
		_, err := g.AllReduce(ctx, "sums by the ring", nil, x)
		return err
	})
	if err == nil && w.Rank == 0 {
		fmt.Printf("%d devices of %d processes add up %d numbers, at least and in the middle of %d: by an XLA program, copies from and to the host too, %v; by NCCL on the GPUs %v; by the ring on the host %v\n",
			len(c.Devices()), w.Size, numbers, times, inside, between, ring)
	}
	return err
}

const times = 5

// took is how long something takes, the least and the middle of some times.
type took struct{ least, middle time.Duration }

func (t took) String() string { return fmt.Sprint(t.least, " and ", t.middle) }

func timed(f func() error) (took, error) {
	var all []time.Duration
	for range times {
		begin := time.Now()
		if err := f(); err != nil {
			return took{}, err
		}
		all = append(all, time.Since(begin))
	}
	slices.Sort(all)
	return took{all[0], all[times/2]}, nil
}

// check returns an error where a sum is another number.
func check(sums []float32, want float32) error {
	if i := slices.IndexFunc(sums, func(x float32) bool { return x != want }); i >= 0 {
		return fmt.Errorf("sum %d is %v, want %v", i, sums[i], want)
	}
	return nil
}

func filled(n int, value float32) []float32 {
	return slices.Repeat([]float32{value}, n)
}

// inProgram adds up over all devices in one program.
func inProgram(ctx context.Context, w launch.World, g *collective.Group, c *pjrt.Client, numbers int) (took, error) {
	var ids []int
	processes := map[int]bool{}
	want := float32(0)
	for i, d := range c.Devices() {
		ids = append(ids, d.ID)
		processes[d.Process] = true
		want += float32(i + 1)
	}
	if len(processes) != w.Size {
		return took{}, fmt.Errorf("the plugin lists the devices of %d of %d processes: it does not tell the others of its own", len(processes), w.Size)
	}
	p, err := c.Compile(pjrt.AllReduce(len(ids), numbers), pjrt.Assignment{Replicas: len(ids), Partitions: 1, Devices: ids})
	if err != nil {
		return took{}, err
	}
	defer p.Close()
	var inputs [][]pjrt.Array
	for _, id := range p.Devices() {
		x := filled(numbers, float32(slices.Index(ids, id)+1))
		inputs = append(inputs, []pjrt.Array{{Dims: []int64{int64(numbers)}, Values: x}})
	}
	return timed(func() error {
		return g.Await(ctx, "sums in a program", func(ctx context.Context) error {
			out, err := p.Run(ctx, inputs)
			for _, of := range out {
				if err == nil {
					err = check(of[0].Values, want)
				}
			}
			return err
		})
	})
}

// byNCCL adds up on the GPUs, of which each of the process's has the same numbers.
func byNCCL(ctx context.Context, w launch.World, g *collective.Group, path string, gpus, numbers int) (took, error) {
	l, err := nccl.Open(nccl.Beside(path))
	if err != nil {
		return took{}, err
	}
	own := make([]nccl.ID, gpus)
	at := make([]int, gpus)
	for i := range own {
		at[i] = i
		if own[i], err = l.NewID(); err != nil {
			return took{}, err
		}
	}
	text, err := json.Marshal(own)
	if err != nil {
		return took{}, err
	}
	ofRank0, err := g.Decide(ctx, string(text), func(texts []string) string { return texts[0] })
	if err != nil {
		return took{}, err
	}
	var ids []nccl.ID
	if err := json.Unmarshal([]byte(ofRank0), &ids); err != nil {
		return took{}, err
	}
	var group *nccl.Group
	err = g.Await(ctx, "NCCL's ranks find each other", func(ctx context.Context) error {
		group, err = l.Join(ctx, nccl.Place{Rank: w.Rank, Size: w.Size}, at, ids)
		return err
	})
	if err != nil {
		return took{}, err
	}
	defer group.Close()
	a := nccl.Array{N: numbers, Same: true}
	x := filled(numbers, float32(w.Rank+1))
	for i := range gpus {
		p, err := group.Put(ctx, i, x)
		if err != nil {
			return took{}, err
		}
		a.At = append(a.At, p)
	}
	// The sums are added up the next time.
	want := float32(w.Size * (w.Size + 1) / 2)
	for range times - 1 {
		want *= float32(w.Size)
	}
	t, err := timed(func() error {
		return g.Await(ctx, "sums by NCCL", func(ctx context.Context) error { return group.AllReduce(ctx, func() {}, a) })
	})
	for i, p := range a.At {
		if err == nil {
			err = group.Read(ctx, i, p, x)
		}
		if err == nil {
			err = check(x, want)
		}
	}
	return t, err
}
