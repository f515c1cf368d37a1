package goxla

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/gomlx/go-xla/compute/xla"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision/models"
	"github.com/holt-dl/holt/internal/executables"
	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/pjrt"
	"github.com/holt-dl/holt/internal/plugins"
)

// A process of this test stands for the host of a kernel: it trains a network
// for three steps and tells the losses and what the cache did.

const trainEnv = "HOLT_TEST_TRAIN" // the name of a network

func TestMain(m *testing.M) {
	if name := os.Getenv(trainEnv); name != "" {
		t, err := train(name)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		json.NewEncoder(os.Stdout).Encode(t)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

type trained struct {
	Losses                 []float64
	Loaded, Saved, Refused int64
	Early                  int64 // of those loaded
	ReLU, First            cost  // first calls, with all that they bring about
}

// cost is the time that something takes, and that of all the process's threads.
type cost struct{ Wall, CPU time.Duration }

func measure(f func() error) (c cost, err error) {
	used := func() time.Duration {
		var u syscall.Rusage
		syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	began, before := time.Now(), used()
	err = f()
	return cost{time.Since(began), used() - before}, err
}

var nets = map[string]struct {
	net   any
	shape dl.Shape
}{
	"small":    {dl.Sequential{dl.Conv2d{Out: 8, Kernel: 3}, dl.BatchNorm2d{}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2}, dl.Flatten{}, dl.Linear{Out: 4}}, dl.Shape{16, 3, 12, 12}},
	"calls":    {dl.Sequential{dl.Conv2d{Out: 32, Kernel: 5}, dl.ReLU{}, dl.MaxPool2d{Kernel: 2}, dl.Conv2d{Out: 32, Kernel: 3, Stride: 2}, dl.AvgPool2d{Kernel: 4}, dl.Flatten{}, dl.Linear{Out: 4}}, dl.Shape{16, 3, 24, 24}},
	"tutorial": {dl.Sequential{dl.Conv2d{Out: 32, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2}, dl.Conv2d{Out: 32, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2}, dl.Conv2d{Out: 64, Kernel: 5, Padding: 2}, dl.MaxPool2d{Kernel: 2}, dl.Flatten{}, dl.Linear{Out: 64}, dl.Linear{Out: 10}}, dl.Shape{64, 3, 32, 32}},
	"resnet18": {models.ResNet18(10), dl.Shape{16, 3, 64, 64}},
}

func train(name string) (*trained, error) {
	Install()
	var c *diskCache
	hooks.Set(func(h *hooks.Hooks) {
		h.Opened = func(b any, kind, library string) {
			libraries.Store(b, library)
			if store, ok := executables.Default(); ok {
				c = keepIn(store, b.(*xla.Backend), kind, library)
			}
		}
	})
	if err := dl.Use("cpu"); err != nil {
		return nil, err
	}
	var t trained
	dl.Seed(1)
	big := dl.Randn(1024, 1024)
	big.Float32s()
	t.ReLU, _ = measure(func() error { big.ReLU().Float32s(); return nil })
	of := nets[name]
	model, err := dl.Build(of.net, of.shape)
	if err != nil {
		return nil, err
	}
	step := dl.TrainStep(model, dl.CrossEntropyLoss{}, dl.SGD{LR: 0.01})
	batch := dl.Batch{Inputs: dl.Randn(of.shape...), Labels: dl.FromSlice(make([]int64, of.shape[0]))}
	run := func() error {
		r, err := step.Run(batch)
		t.Losses = append(t.Losses, r.Loss)
		return err
	}
	if t.First, err = measure(run); err == nil {
		err = errors.Join(run(), run())
	}
	if err != nil {
		return nil, err
	}
	if c != nil {
		t.Loaded, t.Saved, t.Refused, t.Early = c.loaded.Load(), c.saved.Load(), c.refused.Load(), c.taken.Load()
		if c.early != nil {
			c.early.write()
		}
	}
	return &t, nil
}

// restart starts a process that trains a network, with a folder of executables, and returns
// what waits for it.
func restart(t testing.TB, net, folder string, env ...string) func() trained {
	t.Helper()
	if _, ok := plugins.Find(plugins.SearchDirs(), "cpu"); !ok {
		t.Skip("the XLA plugin for cpu is not here")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), trainEnv+"="+net, executables.Env+"="+folder), env...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() (r trained) {
		t.Helper()
		if err := cmd.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, &said)
		}
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatalf("%v: %s", err, &out)
		}
		t.Logf("%s: %+v", net, r)
		return r
	}
}

// programs are the files of programs in a folder, without that of the plugin's sum.
func programs(t *testing.T, folder string) (files []string) {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(folder, "*.xla"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if info, err := os.Stat(f); err == nil && info.Size() > 1000 {
			files = append(files, f)
		}
	}
	return files
}

// TestRestart compares a host that compiles, one that loads, and what becomes of damaged files,
// of another's files and of a folder that cannot be written.
func TestRestart(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "executables")
	first := restart(t, "small", folder)()
	files := programs(t, folder)
	if first.Saved == 0 || first.Loaded != 0 || int(first.Saved) != len(files) {
		t.Fatalf("the first host saved %d programs and loaded %d; there are %d files", first.Saved, first.Loaded, len(files))
	}
	same := func(what string, r trained, loaded, saved int64) {
		t.Helper()
		if !slices.Equal(r.Losses, first.Losses) {
			t.Errorf("%s: losses are %v, and were %v", what, r.Losses, first.Losses)
		}
		if r.Loaded != loaded || r.Saved != saved || r.Refused != 0 {
			t.Errorf("%s: %d were loaded, %d saved, %d refused, want %d, %d, 0", what, r.Loaded, r.Saved, r.Refused, loaded, saved)
		}
	}
	all := first.Saved
	same("from disk", restart(t, "small", folder)(), all, 0)

	// One file is cut off, one has another byte, one is another's, one is empty.
	if len(files) < 4 {
		t.Fatalf("there are only %d programs", len(files))
	}
	contents := make([][]byte, 4)
	for i := range contents {
		b, err := os.ReadFile(files[i])
		if err != nil {
			t.Fatal(err)
		}
		contents[i] = b
	}
	damaged := [][]byte{contents[0][:len(contents[0])-1], bytes.Clone(contents[1]), contents[3], nil}
	damaged[1][len(damaged[1])/2] ^= 1
	for i, b := range damaged {
		if err := os.WriteFile(files[i], b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	same("four files damaged", restart(t, "small", folder)(), all-4, 4)
	same("written again", restart(t, "small", folder)(), all, 0)

	same("other flags", restart(t, "small", folder, "XLA_FLAGS=--xla_cpu_enable_fast_min_max=false")(), 0, all)
	same("flags that dump", restart(t, "small", folder, "XLA_FLAGS=--xla_dump_to="+t.TempDir())(), 0, 0)
	same("with a notebook", restart(t, "small", folder, sessionEnv+"=a.ipynb")(), all, 0)
	r := restart(t, "small", folder, sessionEnv+"=a.ipynb")()
	same("loaded early", r, all, 0)
	if r.Early == 0 && runtime.NumCPU() > 1 { // with one processor nothing is loaded early
		t.Error("a host with a notebook loads nothing early")
	}
	same("none kept", restart(t, "small", "0")(), 0, 0)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	same("a file in the place of the folder", restart(t, "small", file)(), 0, 0)
}

// TestCallsRestart compares a host that compiles a program with calls of package calls, one that
// loads it, and one that loads it early, before anything was written with such a call.
func TestCallsRestart(t *testing.T) {
	folder := t.TempDir()
	first := restart(t, "calls", folder)()
	for name, env := range map[string]string{"from disk": "", "with a notebook": "a.ipynb", "loaded early": "a.ipynb"} {
		r := restart(t, "calls", folder, sessionEnv+"="+env)()
		if !slices.Equal(r.Losses, first.Losses) || r.Loaded != first.Saved || r.Saved != 0 || r.Refused != 0 {
			t.Errorf("%s: %+v, after %+v", name, r, first)
		}
	}
}

// TestTwoHosts lets two hosts begin at a time with an empty folder.
func TestTwoHosts(t *testing.T) {
	folder := t.TempDir()
	a, b := restart(t, "small", folder), restart(t, "small", folder)
	one, other := a(), b()
	if !slices.Equal(one.Losses, other.Losses) || one.Refused+other.Refused != 0 {
		t.Errorf("they say %+v and %+v", one, other)
	}
	if third := restart(t, "small", folder)(); third.Saved != 0 || third.Loaded != one.Loaded+one.Saved || !slices.Equal(third.Losses, one.Losses) {
		t.Errorf("the next one says %+v, after %+v", third, one)
	}
}

// BenchmarkRestart is a process that has its programs on disk: its first x.ReLU() of 1024×1024
// and its first training step, in ms of the clock and of all processors.
func BenchmarkRestart(b *testing.B) {
	for _, net := range []string{"tutorial", "resnet18"} {
		b.Run(net, func(b *testing.B) {
			folder := b.TempDir()
			restart(b, net, folder)()
			var relu, first cost
			for b.Loop() {
				r := restart(b, net, folder)()
				relu, first = relu.add(r.ReLU), first.add(r.First)
			}
			relu.report(b, "relu")
			first.report(b, "step")
		})
	}
}

func (c cost) add(o cost) cost { return cost{c.Wall + o.Wall, c.CPU + o.CPU} }

func (c cost) report(b *testing.B, name string) {
	for unit, d := range map[string]time.Duration{"-ms": c.Wall, "-cpu-ms": c.CPU} {
		b.ReportMetric(d.Seconds()*1000/float64(b.N), name+unit)
	}
}

// TestUnoptimised reads what is asked of the compiler for a program with such a name, and for
// others.
func TestUnoptimised(t *testing.T) {
	own := []byte{0x10, 0x01} // parameter_is_tupled_arguments
	ask := func(quickly bool, program string) []byte {
		return (&diskCache{quickly: quickly}).Options(pjrt.Compilation{Program: []byte(program), Options: own})
	}
	const marked = "module @training_step" + hooks.Unoptimised + " {\n}"
	for name, got := range map[string][]byte{
		"another name":             ask(true, "module @training_step {\n}"),
		"the name inside":          ask(true, "module @training_step {\nfunc.func @f"+hooks.Unoptimised+" {}\n}"),
		"flags that the user gave": ask(false, marked),
	} {
		if !bytes.Equal(got, own) {
			t.Errorf("%s: the options are %x, want %x", name, got, own)
		}
	}

	rest, ok := bytes.CutPrefix(ask(true, marked), own)
	if !ok {
		t.Fatalf("the options begin with %x, want %x", rest, own)
	}
	got := map[string]uint64{}
	field := func(b []byte, want protowire.Number) (value, rest []byte) {
		n, typ, size := protowire.ConsumeTag(b)
		if n != want || typ != protowire.BytesType {
			t.Fatalf("field %d of type %d, want %d of bytes", n, typ, want)
		}
		value, more := protowire.ConsumeBytes(b[size:])
		return value, b[size+more:]
	}
	for len(rest) > 0 {
		var entry []byte
		entry, rest = field(rest, 7)
		flag, entry := field(entry, 1)
		value, _ := field(entry, 2)
		_, _, size := protowire.ConsumeTag(value)
		got[string(flag)], _ = protowire.ConsumeVarint(value[size:])
	}
	if want := map[string]uint64{"xla_backend_optimization_level": 0, "xla_cpu_use_fusion_emitters": 0}; !maps.Equal(got, want) {
		t.Errorf("the flags are %v, want %v", got, want)
	}
}
