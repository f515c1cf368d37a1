package dl_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gomlx/go-xla/pjrt"

	"github.com/holt-dl/holt/dl"
)

// TestOutOfMemory trains in a process of its own, which may not take much more
// memory than it has, or little of a GPU's: a batch that is too large fails with
// what to do about it and changes nothing, a smaller one goes on, and what no
// variable holds is freed when there is need.
func TestOutOfMemory(t *testing.T) {
	if os.Getenv("HOLT_TEST_FULL") != "" {
		fillMemory(t)
		return
	}
	on(t, "cpu")
	if !onGPU() && runtime.GOOS != "linux" {
		t.Skip("skipped: it limits a process's memory as Linux does")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestOutOfMemory$", "-test.v")
	cmd.Env = append(os.Environ(), "HOLT_TEST_FULL=1")
	if onGPU() {
		cmd.Env = append(cmd.Env, "HOLT_TEST_XLA=cuda,memory_fraction=0.01")
	}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
		t.Errorf("%v\n%s", err, out)
	}
}

// limitMemory lets the process take a gibibyte more than it has.
func limitMemory(t *testing.T) {
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var pages uint64
	if _, err := fmt.Sscan(string(statm), &pages); err != nil {
		t.Fatal(err)
	}
	most := pages*uint64(os.Getpagesize()) + 1<<30
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &syscall.Rlimit{Cur: most, Max: most}); err != nil {
		t.Fatal(err)
	}
}

func fillMemory(t *testing.T) {
	on(t, "cpu")
	net := dl.Sequential{dl.Conv2d{Out: 16, Kernel: 5, Padding: 2}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2}, dl.Flatten{}, dl.Linear{Out: 10}}
	m := must(dl.Build(net, dl.Shape{4, 1, 32, 32}))
	batch := func(n int) dl.Batch {
		return dl.Batch{Inputs: dl.FromSlice(make([]float32, n*32*32), n, 1, 32, 32), Labels: dl.FromSlice(make([]int64, n))}
	}
	huge := batch(1 << 14)
	step := dl.TrainStep(m, nil, dl.Adam{LR: 0.01})
	must(step.Run(batch(4)))
	before := m.StateDict()

	if strings.HasPrefix(dl.Backend(), "cpu") {
		limitMemory(t)
	}
	_, err := step.Run(huge)
	wanted := regexp.MustCompile(`^dl: training step: run on (cpu|cuda):0: out of memory: [0-9.]+ [GM]iB was asked for in one piece, and (cpu|cuda):0 has [0-9.]+ [GM]iB, of which [0-9.]+ [GM]iB are free; ` +
		`use a smaller batch, Options\{Accumulate: 2\} or Options\{Precision: dl.BFloat16\}, set variables that are not needed to nil$`)
	if err == nil || !wanted.MatchString(err.Error()) || !errors.Is(err, dl.ErrOutOfMemory) {
		t.Fatalf("error is %v", err)
	}
	if _, err := dl.Evaluate(m, once{huge}); !errors.Is(err, dl.ErrOutOfMemory) {
		t.Errorf("an evaluation's error is %v", err)
	}
	for name, w := range before {
		if !slices.Equal(w.Float32s(), m.Param(name).Float32s()) {
			t.Errorf("%s changed in a step that failed", name)
		}
	}
	if step.N() != 1 {
		t.Errorf("%d steps, want the one that did not fail", step.N())
	}
	must(step.Run(batch(4)))
	must(dl.Evaluate(m, once{batch(8)}))

	// Each of these fits alone, and all together do not. The collector sees no
	// need by itself: on the host there is little.
	x := fill(1, 1, 8192, 1)
	for range 6 {
		x.MatMul(x.Transpose(1, 0)) // 256 MiB on the device
	}
	if must(step.Run(batch(4))); step.N() != 3 {
		t.Errorf("%d steps, want 3", step.N())
	}
}

// once is one batch.
type once struct{ dl.Batch }

func (once) Len() int { return 1 }

func (o once) Epoch(int) iter.Seq[dl.Batch] {
	return func(yield func(dl.Batch) bool) { yield(o.Batch) }
}

// TestExhausted maps what backends say of memory to what a person reads.
func TestExhausted(t *testing.T) {
	on(t, "go")
	for _, c := range []struct{ said, want string }{
		{"PJRT error (code=8): RESOURCE_EXHAUSTED: Out of memory while trying to allocate 17179869184 bytes.", "out of memory: 16.0 GiB was asked for in one piece, and go:0 has "},
		{"PJRT error (code=13): Compute error: Error preparing computation: Out of memory allocating 1795162128 bytes.", "out of memory: 1.7 GiB was asked for in one piece, and go:0 has "},
		{"RESOURCE_EXHAUSTED: Failed to allocate request for 3.12GiB (3355443200B) on device ordinal 0", "out of memory: 3.12GiB was asked for in one piece, and go:0 has "},
		{"RESOURCE_EXHAUSTED: Out of memory while trying to allocate 2.50GiB.", "out of memory: 2.50GiB was asked for in one piece, and go:0 has "},
	} {
		if err := dl.RetryOOM(errors.New(c.said)); !errors.Is(err, dl.ErrOutOfMemory) || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("of %q the error is %v, want %s", c.said, err, c.want)
		}
	}
	other := errors.New("PJRT error (code=3): INVALID_ARGUMENT: not enough inputs")
	if err := dl.RetryOOM(other); err != other {
		t.Errorf("another error became %v", err)
	}
}

// TestFreeGivesMemoryBack has the device's buffers after Free at once, without
// the collector.
func TestFreeGivesMemoryBack(t *testing.T) {
	on(t, "cpu")
	x := must(dl.FromSlice(make([]float32, 1000)).To(dl.Backend()))
	y := x.Square()
	before := pjrt.BuffersAlive()
	x.Free()
	y.Free()
	y.Free()
	if now := pjrt.BuffersAlive(); now != before-2 {
		t.Errorf("%d buffers are left of %d, want 2 fewer", now, before)
	}
}
