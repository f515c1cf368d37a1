package dl_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/hooks"
)

// trained is what a process of a job says of its training.
type trained struct {
	Losses  []float64 // of the steps
	Weights string    // a checksum of all weights and buffers
	First   []float32 // weights of the first layer
	Err     string
	Full    bool   // the error is that of memory
	Again   string // the error of what follows after one
	Logged  int    // numbers that went to the log
	Read    int    // examples that were read
	Slots   int    // numbers that the optimizer keeps
	Numbers int    // in the weights
	Sent    int64  // bytes of arrays to the next process
	Devices []string
	Adds    string   // what adds up
	Notices []string // that the user gets
}

// AddScalar is for a run's Log.
func (f *trained) AddScalar(string, float64, int) { f.Logged++ }

// plan is what the processes of a job do.
type plan struct {
	Net    string // tutorial or norm, other for one that differs in rank 1, or devices to list those
	Shard  dl.Sharding
	Tensor int    // TensorParallel
	Rule   string // the optimizer: adam, with clipped gradients, own, or "" for SGD
	Hosts  bool   // each process is alone on its host, and so has all devices that the plugin shows
	Accum  int
	Dir    string // for checkpoints; "" for none
	Resume bool
	Kill   int    // the rank that is killed after step 3; 0 for none
	Odd    int    // the rank that has another batch size; 0 for none
	Said   string // the folder for a file of what each process says; "" to print it
	Fail   string // what fails in rank 1 alone, after which all go on: data, label, step or memory
	Stop   string // how rank 1 is stopped in step 3: run, cell, or loop for a training by hand
	Late   bool   // rank 0 reads so slowly then that rank 1 waits for it
	NCCL   bool   // NCCL, which is one for tests, adds up between devices of the cpu plugin
}

const planEnv = "HOLT_TEST_JOB"

// TestDistributed trains in jobs of processes: this test program, started again with the
// variables that torchrun sets.
func TestDistributed(t *testing.T) {
	if text := os.Getenv(planEnv); text != "" {
		var p plan
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Fatal(err)
		}
		found := p.run(t)
		out, err := json.Marshal(found)
		if err != nil {
			t.Fatal(err)
		}
		if p.Said == "" {
			fmt.Printf("trained %s\n", out)
		} else if err := os.WriteFile(filepath.Join(p.Said, strconv.Itoa(dl.Rank())), out, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	on(t, "cpu")
	t.Run("as one process", func(t *testing.T) {
		for _, p := range []plan{{Net: "tutorial"}, {Net: "tutorial", Accum: 2}} {
			one := p.train(t)
			bound := 1e-6
			if onGPU() {
				bound = 1e-5 // a batch of another size takes other kernels
			}
			for _, n := range []int{2, 4} {
				all := p.launch(t, n)
				for rank, r := range all {
					if r.Err != "" || r.Weights != all[0].Weights {
						t.Fatalf("%d processes, rank %d: %q, weights %s and %s", n, rank, r.Err, r.Weights, all[0].Weights)
					}
					if logs := r.Logged > 0; logs != (rank == 0) {
						t.Errorf("%d processes, rank %d: %d numbers go to the log", n, rank, r.Logged)
					}
					near(t, fmt.Sprintf("losses of rank %d of %d", rank, n), r.Losses, one.Losses, bound)
					// In two epochs of batches of 10, 10 and 3. A process without a row reads one.
					want := 2 * (2*((10-rank+n-1)/n) + max((3-rank+n-1)/n, 1))
					if len(r.Devices) != n || !strings.HasPrefix(r.Devices[rank], fmt.Sprint(rank, " ")) {
						t.Errorf("%d processes, rank %d: devices are %q", n, rank, r.Devices)
					}
					if r.Read != want {
						t.Errorf("%d processes, rank %d: %d examples were read, want %d", n, rank, r.Read, want)
					}
				}
				near(t, fmt.Sprintf("weights of %d processes", n), wide(all[0].First), wide(one.First), 10*bound)
			}
		}
	})
	t.Run("under mpirun", func(t *testing.T) {
		p := plan{Net: "tutorial"}
		one := p.train(t)
		for _, n := range []int{2, 4} {
			all := p.mpirun(t, n)
			for rank, r := range all {
				if r.Err != "" || r.Weights != all[0].Weights {
					t.Errorf("%d processes, rank %d: %q, weights %s and %s", n, rank, r.Err, r.Weights, all[0].Weights)
				}
				near(t, fmt.Sprintf("losses of rank %d of %d", rank, n), r.Losses, one.Losses, 1e-6)
			}
		}
	})
	t.Run("sharded on each host", func(t *testing.T) {
		fourDevices(t)
		one := plan{Net: "tutorial"}.train(t)
		for _, p := range []plan{{Shard: dl.ZeRO1}, {Shard: dl.FSDP}, {Shard: dl.FSDP, Accum: 2}, {Shard: dl.FSDP, Tensor: 2}} {
			p.Net, p.Hosts = "tutorial", true
			want := one
			if p.Accum > 0 {
				want = plan{Net: p.Net, Accum: p.Accum}.train(t)
			}
			for rank, r := range p.launch(t, 2) {
				if r.Err != "" {
					t.Fatalf("%+v, rank %d: %s", p, rank, r.Err)
				}
				near(t, fmt.Sprintf("losses of %+v, rank %d", p, rank), r.Losses, want.Losses, 1e-6)
				near(t, fmt.Sprintf("weights of %+v, rank %d", p, rank), wide(r.First), wide(want.First), 1e-5)
			}
		}
	})
	t.Run("sharded between processes", func(t *testing.T) {
		for p, sizes := range map[plan][]int{{}: {2, 3, 4}, {Rule: "adam", Accum: 2}: {3}, {Rule: "own"}: {2}} {
			p.Net = "tutorial"
			one := p.train(t)
			p.Shard = dl.ZeRO1
			for _, n := range sizes {
				all := p.launch(t, n)
				slots := 0
				for rank, r := range all {
					if r.Err != "" || r.Weights != all[0].Weights {
						t.Fatalf("%+v, %d processes, rank %d: %q, weights %s and %s", p, n, rank, r.Err, r.Weights, all[0].Weights)
					}
					bound := 1e-6
					if p.Rule == "adam" { // whose losses grow; a third of a batch may be too small for calls that the whole has
						bound = 1e-5
					}
					near(t, fmt.Sprintf("losses of %+v, rank %d of %d", p, rank, n), r.Losses, one.Losses, bound)
					if p.Rule != "own" && r.Slots*n > one.Slots*11/10 {
						t.Errorf("%+v: rank %d of %d keeps %d numbers for the optimizer, of %d", p, rank, n, r.Slots, one.Slots)
					}
					slots += r.Slots
				}
				near(t, fmt.Sprintf("weights of %+v, %d processes", p, n), wide(all[0].First), wide(one.First), 1e-5)
				// Weights once at the start, and at each step gradients to where their pieces are, and
				// pieces of weights to all; gradients to all where their length is wanted, or the rule
				// needs them. Losses go another way.
				weights := 4 * float64(one.Numbers)
				around := float64(n-1) / float64(n) * weights * float64(len(one.Losses))
				times := map[string]float64{"": 2, "adam": 3, "own": 2}[p.Rule]
				begin := 2 * float64(n-1) / float64(n) * weights
				if got := (float64(all[0].Sent) - begin) / around; math.Abs(got-times) > 0.01 {
					t.Errorf("%+v, %d processes: rank 0 sends %.3f times the weights a step, want %v", p, n, got, times)
				}
				again := ""
				if p.Rule == "adam" {
					again = "dl: training step: what the optimizer keeps is divided between the processes of the job, as Options.Shard had it; " +
						"keep that, or save the state, and load it into a step that has other options"
				}
				if got := all[0].Again; got != again {
					t.Errorf("%+v: a step of one process says %q, want %q", p, got, again)
				}
				want := one.Slots
				if p.Rule == "own" {
					want *= n // whole in each process
				}
				if slots != want {
					t.Errorf("%+v, %d processes keep %d numbers for the optimizer, want %d", p, n, slots, want)
				}
			}
		}
		for rank, r := range (plan{Net: "tutorial", Shard: dl.FSDP}).launch(t, 2) {
			want := "dl: training step: Options: Shard is FSDP, and this is one of 2 processes that use one of their devices each; " +
				"weights are divided between the devices of a process, and between processes what the optimizer keeps; " +
				"use dl.ZeRO1, or start one process on each host"
			if r.Err != want {
				t.Errorf("rank %d says %q, want %q", rank, r.Err, want)
			}
		}
	})
	t.Run("devices", func(t *testing.T) {
		for rank, r := range (plan{Net: "devices"}).launch(t, 3) {
			want := `1 none false Use: backend is "tpu", want cuda, cpu or go; see dl.Devices()`
			if !slices.Contains(r.Devices, want) || !strings.HasPrefix(r.Devices[0], "0 ") || !strings.HasPrefix(r.Devices[len(r.Devices)-1], "2 ") {
				t.Errorf("rank %d lists %q, want %q among them", rank, r.Devices, want)
			}
		}
	})
	t.Run("normalization", func(t *testing.T) {
		all := plan{Net: "norm"}.launch(t, 2)
		if all[0].Err+all[1].Err != "" || all[0].Weights != all[1].Weights {
			t.Errorf("weights and running means differ: %+v", all)
		}
	})
	t.Run("killed and resumed", func(t *testing.T) {
		for _, shard := range []dl.Sharding{dl.NoShard, dl.ZeRO1} {
			undisturbed := plan{Net: "tutorial", Shard: shard}.launch(t, 2)
			p := plan{Net: "tutorial", Dir: t.TempDir(), Kill: 1, Shard: shard}
			want := "dl: training step: rank 1 is lost: its process has ended"
			if shard == dl.ZeRO1 { // the state after the epoch is the first that needs it again
				want = "dl: save training state: rank 1 is lost: its process has ended; the state after step 3 is not saved, the last whole one is "
			}
			want += map[dl.Sharding]string{dl.ZeRO1: filepath.Join(p.Dir, "step-0000000003-0000000003.safetensors")}[shard]
			if got := p.launch(t, 2)[0].Err; got != want {
				t.Errorf("%v: rank 0 says %q, want %q", shard, got, want)
			}
			p.Kill, p.Resume = 0, true
			for rank, r := range p.launch(t, 2) {
				if r.Err != "" || r.Weights != undisturbed[0].Weights || len(r.Losses) != 3 {
					t.Errorf("%v: rank %d has gone on: %+v, want the weights %s", shard, rank, r, undisturbed[0].Weights)
				}
			}
			// The state is whole: one process takes it up, too, and has nothing left to do.
			alone := p.train(t)
			if alone.Err != "" || len(alone.Losses) != 0 || alone.Weights != undisturbed[0].Weights {
				t.Errorf("%v: one process has gone on: %+v, want the weights %s", shard, alone, undisturbed[0].Weights)
			}
		}
	})
	t.Run("stopped and resumed", func(t *testing.T) {
		whole := map[plan]trained{} // without a stop
		for _, p := range []plan{
			{Shard: dl.ZeRO1, Stop: "run"}, {Shard: dl.ZeRO1, Stop: "run", Late: true}, {Shard: dl.ZeRO1, Stop: "cell", Late: true},
			{Shard: dl.ZeRO1, Stop: "run", Late: true, Accum: 2}, {Stop: "run", Late: true},
		} {
			p.Net = "tutorial"
			alike := plan{Net: p.Net, Shard: p.Shard, Accum: p.Accum}
			undisturbed, ok := whole[alike]
			if !ok {
				undisturbed = alike.launch(t, 2)[0]
				whole[alike] = undisturbed
			}
			p.Dir = t.TempDir()
			all := p.launch(t, 2)
			done := len(all[0].Losses)
			for rank, r := range all {
				want := "dl: training step: rank 1 could not do its part: it was stopped"
				if rank == 1 {
					want = map[string]string{"run": "", "cell": "context canceled"}[p.Stop]
				}
				if r.Err != want || len(r.Losses) != done || r.Weights != all[0].Weights {
					t.Errorf("%+v: rank %d says %q after %d steps with weights %s, want %q, and %d and %s as rank 0", p, rank, r.Err, len(r.Losses), r.Weights, want, done, all[0].Weights)
				}
			}
			// Rank 1 was waiting in step 4, or between batches 2 and 3 of those that are added up for it.
			if want := map[int]int{0: 4, 2: 3}[p.Accum]; p.Late && done != want {
				t.Errorf("%+v: %d steps were done, want %d", p, done, want)
			}
			names := must(filepath.Glob(filepath.Join(p.Dir, fmt.Sprintf("step-%010d-*", done))))
			if len(names) != 1 {
				t.Errorf("%+v: states after step %d are %q, want one", p, done, names)
			}
			p.Stop, p.Resume = "", true
			for rank, r := range p.launch(t, 2) {
				if r.Err != "" || r.Weights != undisturbed.Weights || done+len(r.Losses) != len(undisturbed.Losses) {
					t.Errorf("%+v: rank %d has gone on: %+v, want the weights %s", p, rank, r, undisturbed.Weights)
				}
			}
		}
	})
	t.Run("stopped by hand", func(t *testing.T) {
		p := plan{Net: "tutorial", Shard: dl.ZeRO1, Stop: "loop", Late: true, Dir: t.TempDir()}
		all := p.launch(t, 3)
		for rank, r := range all {
			want := "dl: training step: rank 1 could not do its part: it was stopped"
			if rank == 1 {
				want = "dl: training step: context canceled"
			}
			// Rank 1 has no loss of step 4, which all have done.
			if r.Err != want || r.Weights != all[0].Weights || r.Again != "4 steps, 6 steps" {
				t.Errorf("rank %d says %q after %s with weights %s, want %q, and those of rank 0", rank, r.Err, r.Again, r.Weights, want)
			}
		}
	})
	t.Run("another program", func(t *testing.T) {
		for rank, r := range (plan{Net: "tutorial", Odd: 2}).launch(t, 4) {
			if !strings.Contains(r.Err, "rank 2 does something else than the others: batch 1 of shape [5 3 32 32] with examples of checksum ") {
				t.Errorf("rank %d says %q", rank, r.Err)
			}
		}
	})
}

// TestDistributedFailure has one process fail in what it does by itself: all others say so with its
// number, nothing was changed, and the job goes on.
func TestDistributedFailure(t *testing.T) {
	on(t, "cpu")
	for fail, own := range map[string]string{
		"data":   "dl: Start: epoch 1: DataLoader: example 14: it cannot be read",
		"label":  "dl: training step: label 1 of the batch is 10, want 0 to 9, the model's outputs; set the last layer's Out to the number of classes",
		"step":   "that is enough",
		"memory": "dl: training step: run on cpu:0: out of memory: ",
		"update": "dl: training step: this gradient is not wanted",
	} {
		t.Run(fail, func(t *testing.T) {
			if fail == "memory" && (onGPU() || runtime.GOOS != "linux") {
				t.Skip("skipped: it limits a process's memory as Linux does")
			}
			p := plan{Net: "tutorial", Fail: fail}
			if fail == "update" {
				p.Shard = dl.ZeRO1 // the others wait for pieces of the weights
			}
			all := p.launch(t, 3)
			for rank, r := range all {
				want := own
				if rank != 1 {
					want = "dl: training step: rank 1 could not do its part: " + strings.TrimPrefix(strings.TrimPrefix(own, "dl: "), "training step: ")
				}
				if !strings.HasPrefix(r.Err, want) || r.Full != (fail == "memory") {
					t.Errorf("rank %d says %q, want %q", rank, r.Err, want)
				}
				if r.Again != "" || r.Weights != all[0].Weights || !slices.Equal(r.Losses, all[0].Losses) {
					t.Errorf("rank %d goes on: %q, losses %v and %v, weights %s and %s", rank, r.Again, r.Losses, all[0].Losses, r.Weights, all[0].Weights)
				}
			}
		})
	}
}

// TestDistributedWrong starts jobs that cannot train: every process that is there says why. That of
// a process which others do not reach is among the tests of package collective.
func TestDistributedWrong(t *testing.T) {
	on(t, "cpu")
	const soon = "HOLT_JOIN_TIMEOUT=10s"
	inAll := func(text string) [3]string { return [3]string{text, text, text} }
	for _, tt := range []struct {
		name      string
		plan      plan
		variables func(rank int) []string
		wants     [3]string // of each process
	}{
		{"a missing rank", plan{Net: "tutorial"}, func(int) []string { return []string{soon, "WORLD_SIZE=4"} }, inAll("rank 3 of 4 has not come to rank 0 within 10s")},
		{"two of one rank", plan{Net: "tutorial"}, func(rank int) []string {
			return []string{soon, fmt.Sprint("RANK=", min(rank, 1))}
		}, inAll("two processes have rank 1")},
		{"a wrong address", plan{Net: "tutorial"}, func(int) []string {
			return []string{soon, "MASTER_ADDR=no-such-host.invalid"}
		}, [3]string{
			"ranks 1, 2 of 3 have not come to rank 0 within 10s",
			"rank 0 is not reached at no-such-host.invalid:",
			"rank 0 is not reached at no-such-host.invalid:",
		}},
		{"another network in one", plan{Net: "other"}, func(int) []string { return nil }, inAll("rank 1 does something else than the others: it begins at step 0")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel() // they wait
			for i, r := range tt.plan.launchAs(t, 3, tt.variables) {
				if !strings.Contains(r.Err, tt.wants[i]) {
					t.Errorf("process %d says %q, want %q", i, r.Err, tt.wants[i])
				}
			}
		})
	}
}

// meanMomentum is an optimizer of a user's whose update of a number depends on all others of its
// parameter.
type meanMomentum struct{}

func (meanMomentum) Rate() float64   { return 0.05 }
func (meanMomentum) Slots() []string { return []string{"buffer"} }
func (meanMomentum) Update(u dl.Update) (*dl.Tensor, []*dl.Tensor) {
	m := u.Slots[0].Scale(0.9).Add(u.Grad)
	return u.Param.Sub(m.Add(m.Mean()).Scale(u.LR)), []*dl.Tensor{m}
}
func (r meanMomentum) For(of ...any) *dl.Optim { return dl.NewOptim(r, of...) }

// noise is as many pictures of 3×32×32.
type noise int

func (n noise) Len() int { return int(n) }

func (n noise) Get(i int) (dl.Example, error) {
	return dl.Example{Input: fill(i, 1, 3, 32, 32), Label: i * 7 % 10}, nil
}

// readCounter counts the examples that are read.
type readCounter struct {
	dl.Dataset
	n *atomic.Int64
}

func (c readCounter) Get(i int) (dl.Example, error) {
	c.n.Add(1)
	return c.Dataset.Get(i)
}

// TestDistributedLoader compares what each process reads with PyTorch's DistributedSampler.
func TestDistributedLoader(t *testing.T) {
	var ref struct {
		Jobs []struct {
			Examples, Batch, Processes int
			Ranks                      [][][]int
		}
	}
	if err := json.Unmarshal(must(os.ReadFile("testdata/ref/sampler.json")), &ref); err != nil {
		t.Fatal(err)
	}
	for _, job := range ref.Jobs {
		for rank, want := range job.Ranks {
			got := dl.PartOf(dl.DataLoader{Dataset: noise(job.Examples), BatchSize: job.Batch}, 0, rank, job.Processes)
			// DistributedSampler begins again at example 0 until all have as many; here none is read twice.
			for b := range want {
				want[b] = slices.DeleteFunc(want[b], func(i int) bool { return b > 0 && i < job.Batch })
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%d examples in batches of %d, rank %d of %d: %v, want %v", job.Examples, job.Batch, rank, job.Processes, got, want)
			}
		}
	}
	// In any order, the parts of a batch are the batch.
	l := dl.DataLoader{Dataset: noise(23), BatchSize: 10, Shuffle: true, Seed: 3}
	whole := dl.PartOf(l, 1, 0, 1)
	for b := range whole {
		all := make([]int, len(whole[b]))
		for rank := range 4 {
			for i, index := range dl.PartOf(l, 1, rank, 4)[b] {
				all[rank+4*i] = index
			}
		}
		if !slices.Equal(all, whole[b]) {
			t.Errorf("the parts of batch %d are %v, want %v", b, all, whole[b])
		}
	}
}

// TestOwnPart says of which loaders each process of a job reads its own rows alone.
func TestOwnPart(t *testing.T) {
	on(t, "cpu")
	m := must(dl.Build(dl.Linear{Out: 2}, dl.Shape{4, 3}))
	step := dl.TrainStep(m, nil, dl.SGD{LR: 0.1})
	plain := dl.DataLoader{Dataset: noise(4)}
	collating := dl.DataLoader{Dataset: noise(4), Collate: func([]dl.Example) (dl.Batch, error) { return dl.Batch{}, nil }}
	for _, tt := range []struct {
		what    string
		data    dl.Batches
		devices int
		want    bool
	}{
		{"a loader", plain, dl.All, true},
		{"a pointer to one", &plain, dl.All, true},
		{"one with Collate, which may need the whole batch", collating, dl.All, false},
		{"a loader of a step of one process", plain, 1, false},
	} {
		got := dl.OwnPart(step.With(dl.Options{Devices: tt.devices}), tt.data)
		if l, ok := got.(dl.DataLoader); !ok || l.Distributed != tt.want {
			t.Errorf("%s: %+v, want Distributed %v", tt.what, got, tt.want)
		}
	}
	if plain.Distributed {
		t.Error("the caller's loader was changed")
	}
}

// TestPartMadeAnew has the rows of one process stay that in a batch that a loop makes anew of
// one of its tensors: cut once more, most of the data would train nothing.
func TestPartMadeAnew(t *testing.T) {
	on(t, "cpu")
	b := dl.Batch{Inputs: fill(1, 1, 4, 3), Labels: dl.FromSlice(make([]int64, 4))}
	if n := dl.OwnRows(b, 1, 2); n != 2 {
		t.Errorf("of a whole batch of 4 rows a process of two has %d", n)
	}
	dl.OfPart(b, 8)
	m := must(dl.Build(dl.Linear{Out: 2}, dl.Shape{4, 3}))
	const alone = "the batch has the rows of rank 0 of 1 alone, as its loader is Distributed"
	if _, err := dl.Doctor(m, once{b}, nil); err == nil || !strings.HasPrefix(err.Error(), "dl: Doctor: "+alone) {
		t.Errorf("Doctor says %v", err)
	}
	if _, err := m.Gradients(b, nil); err == nil || !strings.Contains(err.Error(), alone) {
		t.Errorf("Gradients says %v", err)
	}
	for what, anew := range map[string]dl.Batch{
		"as it is": b, "other inputs": {Inputs: b.Inputs.Scale(2), Labels: b.Labels}, "other labels": {Inputs: b.Inputs, Labels: dl.FromSlice(make([]int64, 4))},
	} {
		if n := dl.OwnRows(anew, 1, 2); n != 4 {
			t.Errorf("%s: a process has %d rows, want the 4 that it read", what, n)
		}
		step := dl.TrainStep(m, nil, dl.SGD{LR: 0.1})
		if _, err := step.Run(anew); err == nil || !strings.Contains(err.Error(), alone) {
			t.Errorf("%s: a step of one process says %v", what, err)
		}
	}
}

func wide(xs []float32) []float64 {
	all := make([]float64, len(xs))
	for i, x := range xs {
		all[i] = float64(x)
	}
	return all
}

// run does what the plan says.
func (p plan) run(t *testing.T) trained {
	if p.NCCL {
		dl.SetNCCLKind("cpu")
	}
	switch {
	case p.Net == "devices":
		if dl.Rank() == 1 {
			t.Setenv("HOLT_BACKEND", "tpu")
		} else {
			on(t, "cpu")
		}
		var found trained
		for _, d := range dl.Devices() {
			found.Devices = append(found.Devices, fmt.Sprint(d.Rank, " ", d.Name, " ", d.Usable, " ", d.Detail))
		}
		return found
	case p.Fail == "memory":
		return p.fill(t)
	}
	return p.train(t)
}

// fill has rank 1 get a batch for which it has too little memory, and then all one that is small.
func (p plan) fill(t *testing.T) (found trained) {
	on(t, "cpu")
	net := dl.Sequential{dl.Conv2d{Out: 16, Kernel: 5, Padding: 2}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2}, dl.Flatten{}, dl.Linear{Out: 10}}
	m := must(dl.Build(net, dl.Shape{4, 1, 32, 32}))
	step := dl.TrainStep(m, nil, dl.SGD{LR: 0.01}).With(dl.Options{Devices: dl.All})
	batch := func(n int) dl.Batch {
		return dl.Batch{Inputs: fill(1, 1, n, 1, 32, 32), Labels: dl.FromSlice(make([]int64, n))}
	}
	loss := func(n int) error {
		r, err := step.Run(batch(n))
		found.Losses = append(found.Losses, r.Loss)
		return err
	}
	if err := loss(6); err != nil {
		t.Fatal(err)
	}
	if dl.Rank() == 1 {
		limitMemory(t)
	}
	err := loss(1 << 15)
	found.Err, found.Full = fmt.Sprint(err), errors.Is(err, dl.ErrOutOfMemory)
	if err := loss(6); err != nil {
		found.Again = err.Error()
	}
	found.weigh(m)
	return found
}

// weigh notes the weights.
func (f *trained) weigh(m *dl.Model) {
	sum := sha256.New()
	for _, name := range m.Names() {
		binary.Write(sum, binary.LittleEndian, m.Param(name).Float32s())
	}
	f.Weights, f.First = fmt.Sprintf("%x", sum.Sum(nil)), m.Param(m.Names()[0]).Float32s()
}

// damaged is noise that rank 1 cannot read, or with a label that is none.
type damaged struct {
	noise
	fail string
}

func (d damaged) Get(i int) (dl.Example, error) {
	e, err := d.noise.Get(i)
	switch {
	case dl.Rank() != 1 || i != 14:
	case d.fail == "data":
		err = errors.New("it cannot be read")
	case d.fail == "label":
		e.Label = 10
	}
	return e, err
}

// train trains for two epochs of batches of 10, 10 and 3 examples.
func (p plan) train(t *testing.T) (found trained) {
	on(t, "cpu")
	if p.Stop == "cell" {
		defer hooks.Set(func(h *hooks.Hooks) { h.Context = func() context.Context { return cells } })()
	}
	dl.Seed(uint64(7 + dl.Rank())) // the weights are those of rank 0
	net := cifarNet()
	switch {
	case p.Net == "other" && dl.Rank() == 1:
		net = dl.Sequential{dl.Flatten{}, dl.Linear{Out: 11}}
	case p.Net == "other":
		net = dl.Sequential{dl.Flatten{}, dl.Linear{Out: 10}}
	case p.Net == "norm":
		net = dl.Sequential{dl.Conv2d{Out: 8, Kernel: 5}, dl.BatchNorm2d{}, dl.ReLU{}, dl.Flatten{}, dl.Dropout{P: 0.3}, dl.Linear{Out: 10}}
	}
	m := must(dl.Build(net, dl.Shape{10, 3, 32, 32}))
	size := 10
	if p.Odd != 0 && dl.Rank() == p.Odd {
		size = 5
	}
	if p.Tensor > 0 {
		if err := m.Parallelize(dl.ParallelPlan{"*weight": dl.Colwise}); err != nil {
			t.Fatal(err)
		}
	}
	defer hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { found.Notices = append(found.Notices, s) } })()
	var read atomic.Int64
	third := make(chan struct{})
	training := dl.Training{
		Data:      dl.DataLoader{Dataset: readCounter{damaged{23, p.Fail}, &read}, BatchSize: size, Shuffle: p.Fail == ""},
		Optimizer: dl.SGD{LR: 0.05, Momentum: 0.9}, Epochs: 2,
		Options:    dl.Options{Devices: dl.All, Accumulate: p.Accum, Shard: p.Shard, TensorParallel: p.Tensor},
		Checkpoint: p.checkpoint(), Log: &found,
		OnStep: func(s dl.StepDone) error {
			if p.Kill != 0 && dl.Rank() == p.Kill && s.N == 3 {
				syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
			found.Losses = append(found.Losses, s.Result.Loss)
			if s.N == 3 {
				close(third)
				p.late()
			}
			if p.Fail == "step" && dl.Rank() == 1 && s.N == 3 {
				return errors.New("that is enough")
			}
			return nil
		},
	}
	if p.Fail == "update" && dl.Rank() == 1 {
		updates := 0
		m.Param(m.Names()[0]).OnGrad(func(g *dl.Tensor) *dl.Tensor {
			if updates++; updates == 3 {
				panic(errors.New("this gradient is not wanted"))
			}
			return g
		})
	}
	switch p.Rule {
	case "adam":
		training.Optimizer, training.Options.ClipNorm = dl.Adam{LR: 0.01}, 0.5
	case "own":
		training.Optimizer = meanMomentum{}
	}
	if p.Stop == "loop" {
		return p.loop(t, m, training)
	}
	run := dl.Start(m, training)
	go func() {
		<-third
		p.stop(run)
	}()
	if err := run.Wait(); err != nil {
		found.Err = err.Error()
	}
	found.Slots, found.Sent, found.Adds = dl.StepOf(run).SlotSize(), dl.SentToNext(), dl.StepOf(run).AddsUpBy()
	if p.Rule == "adam" && p.Shard == dl.ZeRO1 {
		batch := dl.Batch{Inputs: fill(1, 1, 4, 3, 32, 32), Labels: dl.FromSlice(make([]int64, 4))}
		if _, err := dl.StepOf(run).With(dl.Options{}).Run(batch); err != nil {
			found.Again = err.Error()
		}
	}
	if p.Fail != "" {
		training.Data, training.OnStep = dl.DataLoader{Dataset: noise(23), BatchSize: size}, nil
		run := dl.Start(m, training)
		if err := run.Wait(); err != nil {
			found.Again = err.Error()
		}
		for _, e := range run.Epochs() {
			found.Losses = append(found.Losses, e.Train.Loss)
		}
	}
	found.Read = int(read.Load())
	host := must(os.Hostname())
	for _, d := range dl.Devices() {
		if d.Name == dl.Backend() && d.Host == host {
			found.Devices = append(found.Devices, fmt.Sprint(d.Rank, " ", d.Name))
		}
	}
	found.Numbers = m.NumParams()
	found.weigh(m)
	return found
}

func (p plan) checkpoint() dl.Checkpoint {
	switch {
	case p.Dir == "":
		return dl.Checkpoint{}
	case p.Stop != "": // a state of each epoch's end, and one of the run's
		return dl.Checkpoint{Dir: p.Dir}
	}
	return dl.Checkpoint{Dir: p.Dir, Every: 1, Resume: p.Resume}
}

// late has rank 0 come late to the next exchange, in which the others wait for it.
func (p plan) late() {
	if p.Late && dl.Rank() == 0 {
		time.Sleep(time.Second)
	}
}

// stop stops rank 1.
func (p plan) stop(run *dl.Run) {
	if dl.Rank() != 1 {
		return
	}
	if p.Late {
		time.Sleep(300 * time.Millisecond)
	}
	switch p.Stop {
	case "run":
		run.Stop()
	case "cell":
		interruptCell()
	}
}

// interruptCell cancels the context of cells.
var cells, interruptCell = context.WithCancel(context.Background())

// loop trains by hand, saves and goes on in another cell, after rank 1 was interrupted.
func (p plan) loop(t *testing.T, m *dl.Model, training dl.Training) (found trained) {
	step := dl.TrainStep(m, nil, training.Optimizer).With(training.Options)
	loader := training.Data.(dl.DataLoader)
	loader.Distributed = true
	batches := func(n int) {
		for batch := range loader.Batches() {
			if _, err := step.Run(batch); err != nil {
				found.Err = err.Error()
				return
			}
			if n--; n == 0 {
				return
			}
		}
	}
	batches(3)
	if dl.Rank() == 1 {
		defer hooks.Set(func(h *hooks.Hooks) { h.Context = func() context.Context { return cells } })()
		time.AfterFunc(300*time.Millisecond, interruptCell)
	}
	p.late()
	batches(2)
	done := step.N()
	if dl.Rank() == 1 {
		hooks.Set(func(h *hooks.Hooks) { h.Context = nil })
	}
	if err := step.Save(filepath.Join(p.Dir, strconv.Itoa(dl.Rank()))); err != nil {
		t.Error(err)
	}
	said := found.Err
	batches(2)
	if found.Err != said {
		t.Error(found.Err)
	}
	found.Again = fmt.Sprintf("%d steps, %d steps", done, step.N())
	found.weigh(m)
	return found
}

// mpirun starts a job of n processes by Open MPI and returns what each says.
func (p plan) mpirun(t *testing.T, n int) []trained {
	t.Helper()
	mpirun, err := exec.LookPath("mpirun")
	if err != nil {
		t.Skip("skipped: Open MPI's mpirun is not here")
	}
	return p.under(t, n, exec.CommandContext(t.Context(), mpirun, "--oversubscribe", "--allow-run-as-root", "-n", strconv.Itoa(n)))
}

// under starts a job of n processes by a launcher's command, which lacks the program, and returns
// what each says.
func (p plan) under(t *testing.T, n int, launcher *exec.Cmd) []trained {
	t.Helper()
	p.Said = t.TempDir()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	launcher.Args = append(launcher.Args, os.Args[0], "-test.run=^TestDistributed$")
	launcher.Env = append(launcher.Environ(), planEnv+"="+string(text), "HOLT_NCCL=0")
	if out, err := launcher.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	all := make([]trained, n)
	for rank := range n {
		if err := json.Unmarshal(must(os.ReadFile(filepath.Join(p.Said, strconv.Itoa(rank)))), &all[rank]); err != nil {
			t.Error(err)
		}
	}
	return all
}

// launch starts a job of n processes and returns what each says, nothing for one that was
// killed.
func (p plan) launch(t *testing.T, n int) []trained {
	t.Helper()
	return p.launchAs(t, n, func(int) []string { return nil })
}

// launchAs is launch with variables for each process that come before those of the launcher.
func (p plan) launchAs(t *testing.T, n int, variables func(rank int) []string) []trained {
	t.Helper()
	port := freePorts(t, 1)[0]
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]trained, n)
	var wg sync.WaitGroup
	for rank := range n {
		wg.Go(func() {
			local, beside := rank, n
			if p.Hosts {
				local, beside = 0, 1
			}
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestDistributed$")
			cmd.Env = append(os.Environ(), planEnv+"="+string(text), "RANK="+strconv.Itoa(rank), "WORLD_SIZE="+strconv.Itoa(n),
				"LOCAL_RANK="+strconv.Itoa(local), "LOCAL_WORLD_SIZE="+strconv.Itoa(beside), "MASTER_ADDR=127.0.0.1", "MASTER_PORT="+strconv.Itoa(port))
			if !p.NCCL { // whatever GPUs are here
				cmd.Env = append(cmd.Env, "HOLT_NCCL=0")
			}
			cmd.Env = append(cmd.Env, variables(rank)...) // the last one of a name counts
			out, err := cmd.CombinedOutput()
			_, rest, ok := bytes.Cut(out, []byte("trained "))
			line, _, _ := bytes.Cut(rest, []byte("\n"))
			if ok {
				err = json.Unmarshal(line, &all[rank])
			}
			if err != nil && (p.Kill == 0 || rank != p.Kill) {
				t.Errorf("rank %d: %v\n%s", rank, err, out)
			}
		})
	}
	wg.Wait()
	return all
}
