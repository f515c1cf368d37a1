package dl_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/plugins"
)

// TestPlan plans the networks of the benchmarks. The largest batch, for which programs are compiled
// until one does not fit, is looked for with the smallest network alone: that takes long.
func TestPlan(t *testing.T) {
	on(t, "cpu")
	if _, ok := plugins.Compiler(); !ok {
		t.Skip("the compiler for CUDA is not installed; run holt backend install cuda-compiler")
	}
	cifar, batch := cifarStep()
	pictures := dl.Batch{Inputs: fill(1, 1, 16, 3, 64, 64), Labels: dl.FromSlice(make([]int64, 16))}
	for _, tt := range []struct {
		name  string
		plan  func() (dl.Plan, error)
		flops float64 // of a training step: three times that of its products and convolutions
	}{
		{"tutorial network", func() (dl.Plan, error) { return cifar.Plan("h100", batch) }, 3 * 64 * 24.7e6},
		{"ResNet18", func() (dl.Plan, error) {
			m := must(dl.Build(resnet18(64, 10), dl.Shape{16, 3, 64, 64}))
			return dl.PlanBatch(dl.TrainStep(m, nil, dl.SGD{LR: 0.01}), "h200", pictures)
		}, 3 * 16 * 2 * 148e6}, // torchvision's 1.8 G multiplications of 224×224 pictures
		{"transformer", func() (dl.Plan, error) {
			m := must(dl.Build(transformer(), dl.Shape{32, 64}, dl.Int64))
			words := dl.Batch{Inputs: whole(fill(1, 1, 32, 64), 1000), Labels: dl.FromSlice(make([]int64, 32))}
			return dl.PlanBatch(dl.TrainStep(m, nil, dl.Adam{}), "l4", words)
		}, 3 * 32 * 64 * 2 * (2 * (4*128*128 + 2*128*512 + 2*64*128))},
	} {
		p, err := tt.plan()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		t.Log("\n" + p.String())
		line := p.Lines[len(p.Lines)-1]
		if line.Name != "training step" || !line.Fits || p.Note != "" || tt.name == "tutorial network" && line.LargestBatch < 4*line.Batch {
			t.Errorf("%s: plan is %+v", tt.name, p)
		}
		if r := line.FLOPs / tt.flops; r < 0.85 || r > 1.05 { // the first layer's input has no gradient
			t.Errorf("%s: %.4g operations, want about %.4g", tt.name, line.FLOPs, tt.flops)
		}
	}
}

// TestPlanPrograms plans a step of several programs, one of all devices, and a compiled function.
func TestPlanPrograms(t *testing.T) {
	on(t, "cpu")
	if _, ok := plugins.Compiler(); !ok {
		t.Skip("the compiler for CUDA is not installed; run holt backend install cuda-compiler")
	}
	m := must(dl.Build(cifarNet(), dl.Shape{4, 3, 32, 32}))
	batch := dl.Batch{Inputs: fill(1, 1, 4, 3, 32, 32), Labels: dl.FromSlice(make([]int64, 4))}
	weights := dl.Bytes(4 * m.NumParams())
	step := dl.TrainStep(m, nil, dl.Adam{})
	whole := must(dl.PlanBatch(step, "h100", batch)).Lines[0]
	p := must(dl.PlanBatch(step.With(dl.Options{Accumulate: 4}), "h100", batch))
	if len(p.Lines) != 2 || p.Lines[0].Name != "gradients of a batch" || p.Lines[1].Name != "update of the weights" {
		t.Fatalf("plan is %+v", p)
	}
	// Weights, the sums before and after, and Adam's two slots; all but the latter change in an update.
	if got := p.Lines[0]; got.Peak < 5*weights || got.FLOPs != whole.FLOPs {
		t.Errorf("gradients are %+v, want at least %v and the operations of %+v", got, 5*weights, whole)
	}
	if got := p.Lines[1]; got.Peak < 7*weights || got.Peak > 9*weights {
		t.Errorf("update is %+v, want about %v", got, 7*weights)
	}
	p = must(dl.PlanBatch(step.With(dl.Options{Devices: dl.All}), "h100", batch))
	if len(p.Lines) != 1 || !reflect.DeepEqual(p.Lines[0], whole) || p.Note == "" {
		t.Errorf("plan of all devices is %+v, want %+v", p, whole)
	}
	four := must(m.Plan("h100", dl.Options{Devices: 4, Shard: dl.FSDP}))
	one := must(m.Plan("h100"))
	if len(four.Lines) != 2 || four.Lines[0].Peak >= one.Lines[0].Peak || four.Lines[1].Peak >= one.Lines[1].Peak/2 {
		t.Errorf("plan of four devices is %+v, of one %+v", four, one)
	}
	call := dl.Compile(func(x *dl.Tensor) *dl.Tensor { return m.Call(x).Softmax(1) })
	p = must(call.Plan("h100", batch.Inputs))
	if l := p.Lines[0]; l.Name != "compiled function" || l.Batch != 4 || !l.Fits || l.FLOPs <= whole.FLOPs/4 || l.FLOPs >= whole.FLOPs/2 {
		t.Errorf("plan of a function is %+v", p)
	}
}

// hostOptions are ways to train on two hosts of eight GPUs.
var hostOptions = []dl.Options{
	{Devices: 16}, {Devices: 16, Shard: dl.ZeRO1}, {Devices: 16, Shard: dl.FSDP}, {Devices: 16, Shard: dl.FSDP, TensorParallel: 2},
}

// hostStep is a step of a transformer, and a batch for it.
func hostStep(t *testing.T) (*dl.Model, *dl.Step, dl.Batch) {
	t.Helper()
	on(t, "cpu")
	m := must(dl.Build(transformer(), dl.Shape{32, 64}, dl.Int64))
	if err := m.Parallelize(dl.ParallelPlan{"*.linear1": dl.Colwise, "*.linear2": dl.Rowwise}); err != nil {
		t.Fatal(err)
	}
	return m, dl.TrainStep(m, nil, dl.Adam{}), dl.Batch{Inputs: whole(fill(1, 1, 32, 64), 1000), Labels: dl.FromSlice(make([]int64, 32))}
}

// TestPlanHosts plans one program for the GPUs of two hosts, and looks at what they send each other.
func TestPlanHosts(t *testing.T) {
	m, step, batch := hostStep(t)
	if _, ok := plugins.Compiler(); !ok {
		t.Skip("the compiler for CUDA is not installed; run holt backend install cuda-compiler")
	}
	weights := dl.Bytes(4 * m.NumParams())
	one := must(dl.PlanBatch(step, "h100", batch)).Lines[0]
	for i, want := range [][]string{{"all-reduce"}, {"all-gather", "reduce-scatter"}, {"all-gather", "reduce-scatter"}, {"all-gather"}} {
		p := must(dl.PlanBatch(step.With(hostOptions[i]), "h100", batch))
		t.Logf("%+v\n%v", hostOptions[i], p)
		line := p.Lines[0]
		if p.Hosts != 2 || line.FLOPs != one.FLOPs || line.Peak >= one.Peak || !strings.HasPrefix(p.Note, "one program for the GPUs of 2 hosts is planned, and does not run yet") {
			t.Errorf("%+v: plan is %+v", hostOptions[i], p)
		}
		between, within := map[string]dl.Bytes{}, dl.Bytes(0)
		for _, c := range line.Collectives {
			if c.BetweenHosts {
				between[c.Name] += c.Bytes
			} else {
				within += c.Bytes
			}
		}
		for _, name := range want {
			// All gradients or weights go over the network, but for those that each device has whole.
			if between[name] < weights/2 {
				t.Errorf("%+v: %s of %v between hosts, want at least half of %v: %v", hostOptions[i], name, between[name], weights, line.Collectives)
			}
		}
		if hostOptions[i].TensorParallel > 1 && within == 0 {
			t.Errorf("%+v: pairs of GPUs add up over hosts alone: %v", hostOptions[i], line.Collectives)
		}
	}
	// Hosts of sixteen GPUs have no others to reach.
	p := must(dl.PlanBatch(step.With(dl.Options{Devices: 16}), "h100:16", batch))
	if l := p.Lines[0]; p.Hosts != 1 || p.Note != "" || len(l.Collectives) == 0 || l.Collectives[0].BetweenHosts {
		t.Errorf("plan of a host of sixteen is %+v", p)
	}
	p = must(dl.PlanBatch(step.With(dl.Options{Devices: dl.All}), "h100:4", batch))
	if l := p.Lines[0]; p.Hosts != 1 || p.Note != "" || len(l.Collectives) == 0 || l.Peak >= one.Peak {
		t.Errorf("plan of this process's host of four is %+v", p)
	}
	_, err := dl.PlanBatch(step.With(dl.Options{Devices: 16}), "h100:5", batch)
	wantError(t, err, "16 devices are not those of hosts of 5 GPUs each, want a multiple of that; h100:4 says that a host has 4")
}

// TestHostPrograms writes the programs of two hosts, as make cuda collects them.
func TestHostPrograms(t *testing.T) {
	_, step, batch := hostStep(t)
	if os.Getenv("HOLT_PROGRAMS") == "" {
		t.Setenv("HOLT_PROGRAMS", t.TempDir())
	}
	defer hooks.Set(func(h *hooks.Hooks) {
		h.CompileAhead = func(_ context.Context, _ string, devices int, _ [][]byte, done func(int, hooks.Compiled)) (hooks.GPU, error) {
			done(0, hooks.Compiled{})
			return hooks.GPU{Hosts: devices / 8}, nil
		}
	})()
	for _, o := range hostOptions {
		must(dl.PlanBatch(step.With(o), "h100", batch))
	}
	files := must(filepath.Glob(filepath.Join(os.Getenv("HOLT_PROGRAMS"), "16-*-training_step.mlir")))
	if len(files) < len(hostOptions) {
		t.Errorf("there are %q, want %d programs for 16 GPUs", files, len(hostOptions))
	}
}

func TestPlanErrors(t *testing.T) {
	on(t, "cpu")
	m := must(dl.Build(cifarNet(), dl.Shape{4, 3, 32, 32}))
	if _, err := m.Plan("h99"); err == nil || !strings.HasPrefix(err.Error(), `dl: Plan: GPU is "h99", want one of h100, h100-pcie, h200, a100, `) {
		t.Errorf("error is %v", err)
	}
	_, err := m.Plan("h100:none")
	wantError(t, err, `dl: Plan: GPU is "h100:none", want a number of GPUs of each host behind the colon, such as h100:8`)
	_, err = m.Plan("h100", dl.Options{Devices: 12})
	wantError(t, err, "dl: Plan: 12 devices are not those of hosts of 8 GPUs each, want a multiple of that; h100:4 says that a host has 4")
	_, err = m.Plan("h100", dl.Options{Devices: 4, Shard: 7})
	wantError(t, err, "dl: Plan: Options: Shard is 7, want dl.NoShard, dl.ZeRO1 or dl.FSDP")
	_, err = m.Plan("h100", dl.Options{}, dl.Options{})
	wantError(t, err, "dl: Plan: got 2 options, want one dl.Options or none")
	_, err = m.Plan("h100", dl.Options{Devices: 4, TensorParallel: 2})
	wantError(t, err, "dl: Plan: Options: TensorParallel is 2, and no weight is to be divided; call model.Parallelize first")
	step := dl.TrainStep(m, nil, dl.Adam{})
	if _, err := step.Plan("h100", dl.Batch{}); err == nil || !strings.Contains(err.Error(), "no inputs or no labels") {
		t.Errorf("error is %v", err)
	}
	call := dl.Compile(func(x *dl.Tensor) *dl.Tensor { return m.Call(x).Softmax(1) })
	_, err = call.Plan("h100")
	wantError(t, err, "dl: Plan: got 0 arguments, want 1, as the function func(*dl.Tensor) *dl.Tensor has")
	_, err = call.Plan("h100", 3)
	wantError(t, err, "dl: Plan: argument 0 is int, want *dl.Tensor, as the function func(*dl.Tensor) *dl.Tensor has")
	_, err = call.Plan("h100", fill(1, 1, 4, 5, 32, 32))
	wantError(t, err, "dl: Plan: 0 Conv2d: input is [4 5 32 32], want [N 3 H W]; set In: 5, or leave In out")
	t.Setenv(plugins.HomeEnv, t.TempDir())
	t.Setenv(plugins.PathEnv, t.TempDir())
	if _, err := m.Plan("h100"); err == nil || err.Error() != "dl: Plan: the compiler for NVIDIA's GPUs is not installed; run holt backend install cuda-compiler" {
		t.Errorf("error is %v", err)
	}
}

// TestLargestBatch looks for batches of programs whose memory is known.
func TestLargestBatch(t *testing.T) {
	for _, tt := range []struct {
		name         string
		first, step  int
		memory       func(rows int) int64 // of usable 1000
		fails        int                  // the first batch that does not compile
		least, most  int
		mostCompiled int
	}{
		{name: "even", first: 1, step: 1, memory: func(n int) int64 { return 100 + int64(n) }, least: 850, most: 900, mostCompiled: 3},
		{name: "too large at first", first: 2000, step: 1, memory: func(n int) int64 { return 100 + int64(n) }, least: 850, most: 900, mostCompiled: 3},
		{name: "uneven", first: 4, step: 1, memory: func(n int) int64 { return 100 + int64(n) + int64(n*n)/1000 }, least: 520, most: 570, mostCompiled: 5},
		{name: "nothing fits", first: 1, step: 1, memory: func(int) int64 { return 2000 }, least: 0, most: 0},
		{name: "four devices", first: 4, step: 4, memory: func(n int) int64 { return 100 + int64(n)/4 }, least: 3400, most: 3600, mostCompiled: 3},
		{name: "no memory of its own", first: 4, step: 1, memory: func(int) int64 { return 10 }, least: 16, most: 16, mostCompiled: 1},
		{name: "does not compile", first: 4, step: 1, memory: func(n int) int64 { return 100 + int64(n) }, fails: 400, least: 200, most: 399, mostCompiled: 5},
	} {
		compiled := 0
		got, err := dl.LargestBatch(tt.first, 1000, tt.step, func(rows int) (int64, error) {
			compiled++
			if tt.fails > 0 && rows >= tt.fails {
				return 0, errors.New("no")
			}
			if rows%tt.step != 0 {
				t.Errorf("%s: %d rows are not for %d devices", tt.name, rows, tt.step)
			}
			return tt.memory(rows), nil
		})
		if err != nil || got < tt.least || got > tt.most || compiled-1 > tt.mostCompiled {
			t.Errorf("%s: batch is %d with %d programs, %v, want %d to %d with %d", tt.name, got, compiled-1, err, tt.least, tt.most, tt.mostCompiled)
		}
	}
}

// TestProgramsForCUDA keeps calls of the processor's libraries out of what CUDA gets, also where they are
// asked for from the first run on.
func TestProgramsForCUDA(t *testing.T) {
	on(t, "cpu")
	folder := t.TempDir()
	t.Setenv("HOLT_PROGRAMS", folder)
	t.Setenv("HOLT_ONEDNN", "1")
	dl.AlwaysXLA(true)
	defer dl.AlwaysXLA(false)
	step, batch := cifarStep()
	must(step.Run(batch))
	words := dl.TrainStep(must(dl.Build(transformer(), dl.Shape{32, 64}, dl.Int64)), nil, dl.Adam{})
	must(words.Run(dl.Batch{Inputs: whole(fill(1, 1, 32, 64), 1000), Labels: dl.FromSlice(make([]int64, 32))}))
	files := must(filepath.Glob(filepath.Join(folder, "1-*-training_step.mlir")))
	if len(files) != 2 {
		t.Fatalf("there are %d programs, want two", len(files))
	}
	for _, file := range files {
		text := must(os.ReadFile(file))
		if bytes.Contains(text, []byte("custom_call")) {
			t.Errorf("%s has a custom call", filepath.Base(file))
		}
		// CUDA's products are float32 where TF32 is not asked for, in its own words.
		if !bytes.Contains(text, []byte("precision HIGHEST")) {
			t.Errorf("%s is not written for CUDA", filepath.Base(file))
		}
	}
}
