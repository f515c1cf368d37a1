package dl_test

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/hooks"
)

// TestCallbacks sees every step and epoch, with the schedule's rates, and ends
// a run by an error.
func TestCallbacks(t *testing.T) {
	on(t, "go")
	data := blobs{n: 43, fail: -1}
	var steps []dl.StepDone
	var epochs []dl.Epoch
	log := logger{}
	run := dl.Start(smallNet(), dl.Training{
		Data: inOrder{data: data, size: 8}, Eval: data, Epochs: 3, Optimizer: dl.SGD{LR: 0.1}, Log: log,
		Options: dl.Options{Accumulate: 4, GradNorms: true}, Scheduler: dl.StepLR{StepSize: 1, Gamma: 0.5},
		Metrics: []dl.Metric{dl.TopK{K: 1}, dl.F1{}, dl.ConfusionMatrix{}},
		OnStep:  func(s dl.StepDone) error { steps = append(steps, s); return nil },
		OnEpoch: func(e dl.Epoch) error {
			epochs = append(epochs, e)
			if e.N == 2 {
				return errors.New("enough")
			}
			return nil
		},
	})
	if err := run.Wait(); err == nil || err.Error() != "enough" {
		t.Fatalf("error is %v, want enough", err)
	}
	// Six batches an epoch, four a step, and a step for the rest.
	if len(steps) != 4 || steps[0].Result.N != 32 || steps[1].Result.N != 11 || steps[3].N != 4 || steps[3].Epoch != 2 {
		t.Fatalf("steps are %+v", steps)
	}
	if got := []float64{steps[0].LR, steps[2].LR, run.LR()}; !slices.Equal(got, []float64{0.1, 0.05, 0.025}) {
		t.Errorf("rates are %v", got)
	}
	if !(steps[0].GradNorm > 0) || len(log["train/grad norm"]) != 4 {
		t.Errorf("gradient norms are %v and %v", steps[0].GradNorm, log["train/grad norm"])
	}
	if len(epochs) != 2 || !reflect.DeepEqual(epochs, []dl.Epoch(run.Epochs())) {
		t.Errorf("epochs are %v", epochs)
	}
	e := epochs[1].Eval
	if top := e.Metric("top-1 accuracy"); top != e.Accuracy || e.Confusion.Accuracy() != top || !math.IsNaN(e.Metric("nothing")) {
		t.Errorf("metrics are %v and accuracy %v", e.Metrics, e.Accuracy)
	}
	if x, y := run.Curve("eval/macro F1"); len(x) != 2 || y[1] != e.Metric("macro F1") || len(log["eval/macro F1"]) != 2 {
		t.Errorf("the curve of F1 is %v %v", x, y)
	}
}

// TestEarlyStop lets a run get worse by a rate that is far too large, and has
// the best weights back.
func TestEarlyStop(t *testing.T) {
	on(t, "go")
	data := blobs{n: 43, fail: -1}
	m := smallNet()
	var best []float32
	var run *dl.Run
	ready := make(chan struct{})
	run = dl.Start(m, dl.Training{
		Data: inOrder{data: data, size: 8}, Eval: data, Epochs: 50, Optimizer: dl.SGD{LR: 0.1}, Patience: 2, RestoreBest: true,
		OnEpoch: func(e dl.Epoch) error {
			<-ready
			switch e.N {
			case 3:
				best = m.Param("0.weight").Float32s()
				run.SetLR(-0.2) // uphill from here on
			}
			return nil
		},
	})
	close(ready)
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := len(run.Epochs()); n != 5 {
		t.Errorf("%d epochs, want 3 good ones and 2 of patience", n)
	}
	if s := run.String(); !strings.HasPrefix(s, "stopped early at epoch 5/50") {
		t.Errorf("status is %q", s)
	}
	if !slices.Equal(m.Param("0.weight").Float32s(), best) {
		t.Error("the weights are not those of the best epoch")
	}
}

func TestTrainingErrors(t *testing.T) {
	on(t, "go")
	full := t.TempDir()
	data := inOrder{data: blobs{n: 16, fail: -1}, size: 8}
	if err := dl.Start(smallNet(), dl.Training{Data: data, Checkpoint: dl.Checkpoint{Dir: full}}).Wait(); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name     string
		training dl.Training
		err      string
	}{
		{"watch", dl.Training{Watch: "eval/F1"}, `dl: Start: Watch is "eval/F1", want one of train/loss, train/accuracy`},
		{"no dir", dl.Training{Checkpoint: dl.Checkpoint{Resume: true}}, "dl: Checkpoint: Dir is empty, want a folder, such as runs/first"},
		{"used dir", dl.Training{Checkpoint: dl.Checkpoint{Dir: full}}, "dl: Start: " + full + " holds 1 states of a training, want an empty folder; set Resume to go on from the newest, or choose another Dir"},
		{"other optimizer", dl.Training{Optimizer: dl.Adam{}, Checkpoint: dl.Checkpoint{Dir: full, Resume: true}}, "dl: load training state " + full},
		{"scheduler", dl.Training{Scheduler: dl.StepLR{}}, "dl: StepLR: StepSize is 0"},
		{"plateau", dl.Training{Scheduler: dl.ReduceLROnPlateau{}, EachStep: true}, "dl: Start: EachStep is set and the Scheduler is ReduceLROnPlateau, which looks at epochs; leave EachStep out"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.training.Data = data
			if err := dl.Start(smallNet(), test.training).Wait(); err == nil || !strings.HasPrefix(err.Error(), test.err) {
				t.Errorf("error is %v, want %s", err, test.err)
			}
		})
	}
}

// restless is a training with everything that has a state: dropout, batch
// normalization, a shuffled loader, Adam, a schedule, accumulation.
func restless(dir string) (*dl.Model, dl.Training) {
	dl.Seed(5)
	m := must(dl.Build(dl.Sequential{dl.Linear{Out: 8}, dl.BatchNorm1d{}, dl.ReLU{}, dl.Dropout{P: 0.3}, dl.Linear{Out: 2}}, dl.Shape{8, 2}))
	data := blobs{n: 60, fail: -1}
	return m, dl.Training{
		Data: dl.DataLoader{Dataset: data, BatchSize: 8, Shuffle: true, Seed: 9}, Eval: data, Epochs: 4,
		Optimizer: dl.Adam{LR: 0.02}, Options: dl.Options{Accumulate: 3, ClipNorm: 1}, RestoreBest: true, Patience: 3,
		Scheduler:  dl.SequentialLR{Schedulers: []dl.Scheduler{dl.LinearLR{TotalIters: 2}, dl.CosineAnnealingLR{TMax: 3}}, Milestones: []int{2}},
		Checkpoint: dl.Checkpoint{Dir: dir, Every: 1},
	}
}

// TestResume stops a training at every place, in the middle of an epoch and
// of a step too, and goes on in a new model: the weights are the same to the
// last bit.
func TestResume(t *testing.T) {
	on(t, "go")
	m, training := restless("")
	training.Checkpoint = dl.Checkpoint{}
	whole := dl.Start(m, training)
	if err := whole.Wait(); err != nil {
		t.Fatal(err)
	}
	want := m.StateDict()
	wantX, wantY := whole.Curve("train/loss")
	// Stop takes effect after the batch that the run is at; a step is three.
	for stop := 1; stop < 32; stop += 5 {
		dir := filepath.Join(t.TempDir(), "run")
		m, training := restless(dir)
		training.Checkpoint.Every = 2
		pause := &pausing{DataLoader: training.Data.(dl.DataLoader), after: stop, reached: make(chan struct{}), goOn: make(chan struct{})}
		training.Data = pause
		run := dl.Start(m, training)
		<-pause.reached
		stopped := make(chan struct{})
		go func() {
			run.Stop()
			close(stopped)
		}()
		for !dl.Stopping(run) {
			time.Sleep(time.Millisecond)
		}
		close(pause.goOn)
		<-stopped
		if err := run.Err(); err != nil {
			t.Fatal(err)
		}

		m, training = restless(dir)
		training.Checkpoint.Resume = true
		run = dl.Start(m, training)
		if err := run.Wait(); err != nil {
			t.Fatal(err)
		}
		for name, w := range want {
			if got := m.Param(name); !slices.Equal(got.Float64s(), w.Float64s()) {
				t.Fatalf("stopped at batch %d: %s differs after resuming", stop, name)
			}
		}
		if x, y := run.Curve("train/loss"); !slices.Equal(x, wantX) || !slices.Equal(y, wantY) {
			t.Errorf("stopped at batch %d: the curve differs", stop)
		}
		a, b := whole.Epochs(), run.Epochs()
		for i := range a {
			a[i].Took, b[i].Took = 0, 0
		}
		if !reflect.DeepEqual(a, b) {
			t.Errorf("stopped at batch %d: epochs are %v, want %v", stop, b, a)
		}
	}
}

// pausing is a loader that waits before a batch.
type pausing struct {
	dl.DataLoader
	after         int // batches, over all epochs
	reached, goOn chan struct{}
	n             int
}

func (p *pausing) Epoch(epoch int) iter.Seq[dl.Batch] {
	return func(yield func(dl.Batch) bool) {
		for b := range p.DataLoader.Epoch(epoch) {
			if p.n == p.after {
				close(p.reached)
				<-p.goOn
			}
			p.n++
			if !yield(b) {
				return
			}
		}
	}
}

func TestStepSaves(t *testing.T) {
	on(t, "go")
	path := filepath.Join(t.TempDir(), "state.safetensors")
	batches := func(from, to int, step *dl.Step) {
		for n := from; n < to; n++ {
			must(step.Run(optimBatch(n)))
		}
	}
	start := func() (*dl.Model, *dl.Step) {
		m := optimNet()
		step := dl.TrainStep(m, nil, dl.RMSprop{LR: 0.01, Momentum: 0.9})
		return m, step
	}
	m, step := start()
	batches(0, 10, step)
	if err := step.Save(path); err != nil {
		t.Fatal(err)
	}
	step.SetLR(1) // not in the file
	batches(10, 12, step)
	if err := step.Load(path); err != nil {
		t.Fatal(err)
	}
	batches(10, 20, step)
	n, other := start()
	if err := other.Load(path); err != nil {
		t.Fatal(err)
	}
	batches(10, 20, other)
	if other.N() != 20 || step.N() != 20 {
		t.Errorf("%d and %d steps, want 20", step.N(), other.N())
	}
	for _, name := range m.Names() {
		if !slices.Equal(m.Param(name).Float32s(), n.Param(name).Float32s()) {
			t.Errorf("%s differs", name)
		}
	}
	before := n.Param("0.weight").Float32s()
	err := dl.TrainStep(n, nil, dl.Adam{}).Load(path)
	if err == nil || !strings.Contains(err.Error(), "it was trained with the optimizer settings") {
		t.Errorf("another optimizer's state: %v", err)
	}
	weights := filepath.Join(t.TempDir(), "weights.safetensors")
	if err := n.Save(weights); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`dl: load training state %s: the file has no "training.json", so it holds weights only; use Model.Load`, weights)
	wantError(t, other.Load(weights), want)
	if !slices.Equal(before, n.Param("0.weight").Float32s()) {
		t.Error("a failed Load changed the weights")
	}
}

// TestKilledWhileSaving kills a process again and again while it trains and
// saves, and has a whole state each time.
func TestKilledWhileSaving(t *testing.T) {
	on(t, "go")
	dir := filepath.Join(t.TempDir(), "run")
	if child := os.Getenv("HOLT_TEST_SAVES"); child != "" {
		m, training := restless(child)
		training.Epochs, training.Patience, training.Checkpoint.Resume = 1e6, 0, true
		fmt.Println(dl.Start(m, training).Wait())
		return
	}
	steps := -1
	for kill := range 8 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWhileSaving$")
		cmd.Env = append(os.Environ(), "HOLT_TEST_SAVES="+dir)
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Wait until it has saved anew, then kill it at some moment of the
		// next saves.
		deadline := time.Now().Add(2 * time.Minute)
		for newest(dir) <= steps && time.Now().Before(deadline) && cmd.ProcessState == nil {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Duration(kill*kill) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		steps = newest(dir)
		m, training := restless(dir)
		training.Epochs, training.Checkpoint.Resume = 0, true // only takes the state up
		var notices []string
		undo := hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { notices = append(notices, s) } })
		step := dl.TrainStep(m, nil, training.Optimizer).With(training.Options)
		must(step.Schedule(training.Scheduler))
		files, err := filepath.Glob(filepath.Join(dir, "step-*.safetensors"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no state is left, %v; the child says %s", err, out.String())
		}
		for _, f := range files {
			if err := step.Load(f); err != nil {
				t.Errorf("after kill %d: %v", kill, err)
			}
		}
		undo()
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 4 {
		t.Errorf("%d files are left, want at most Keep and one more: %v", len(left), left)
	}

	// Damage the newest state in several ways; the run goes on from the one
	// before it and says so.
	files, _ := filepath.Glob(filepath.Join(dir, "step-*.safetensors"))
	slices.Sort(files)
	last := files[len(files)-1]
	good, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	flipped := slices.Clone(good)
	flipped[len(flipped)-9] ^= 1
	for name, bad := range map[string][]byte{"cut": good[:len(good)/2], "empty": nil, "flipped": flipped, "header": append([]byte{1}, good[1:]...)} {
		if err := os.WriteFile(last, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		var notices []string
		undo := hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { notices = append(notices, s) } })
		m, training := restless(dir)
		training.Epochs, training.Patience, training.Checkpoint.Resume = 1, 0, true
		run := dl.Start(m, training) // the epochs are done: nothing is trained or saved
		err := run.Wait()
		undo()
		if err != nil || len(notices) != 1 || !strings.HasPrefix(notices[0], "a checkpoint is left out and the one before it is used: load "+last) {
			t.Errorf("%s: error %v, notices %q", name, err, notices)
		}
		if run.N() == 0 {
			t.Errorf("%s: the run began anew", name)
		}
	}
}

// newest is the number of steps of the newest state in a folder, -1 for none.
func newest(dir string) int {
	files, _ := filepath.Glob(filepath.Join(dir, "step-*.safetensors"))
	n := -1
	for _, f := range files {
		var steps, seen int
		if _, err := fmt.Sscanf(filepath.Base(f), "step-%d-%d", &steps, &seen); err == nil {
			n = max(n, steps)
		}
	}
	return n
}

// TestMetricsLikeScikitLearn compares with numbers of scikit-learn, on whole
// data and in parts.
func TestMetricsLikeScikitLearn(t *testing.T) {
	ref := readOptim(t).Metrics
	scores := fill(3, 1, 50, 7).Float32s()
	labels := make([]int64, 50)
	for i := range labels {
		labels[i] = int64((i*i*5 + 3) % 6)
		scores[i*7+int(labels[i])] += 0.8
		scores[i*7+4] -= 3
	}
	output, wanted := dl.FromSlice(scores, 50, 7), dl.FromSlice(labels)
	check := func(metric dl.Metric, want float64) {
		t.Helper()
		near(t, metric.Name(), []float64{must(dl.Score(metric, output, wanted))}, []float64{want}, 1e-12) // float64
		meter := metric.Start()
		for _, cut := range [][2]int{{0, 20}, {20, 21}, {21, 50}} {
			err := meter.Add(dl.FromSlice(scores[cut[0]*7:cut[1]*7], cut[1]-cut[0], 7), dl.FromSlice(labels[cut[0]:cut[1]]))
			if err != nil {
				t.Error(err)
			}
		}
		near(t, metric.Name()+" in parts", []float64{meter.Value()}, []float64{want}, 1e-12) // as above
	}
	for i, k := range []int{1, 2, 3, 5} {
		check(dl.TopK{K: k}, ref.Top[i])
	}
	for average, want := range map[dl.Average][]float64{"": ref.Macro, "micro": ref.Micro, "weighted": ref.Weighted} {
		check(dl.Precision{average}, want[0])
		check(dl.Recall{average}, want[1])
		check(dl.F1{average}, want[2])
	}
	c := &dl.Confusion{Classes: []string{"ant", "<b>"}}
	if err := c.Add(output, wanted); err != nil || !reflect.DeepEqual(c.Counts, ref.Confusion) {
		t.Errorf("the matrix is %v, %v, want %v", c.Counts, err, ref.Confusion)
	}
	if s := c.String(); !strings.Contains(s, "ant") || len(strings.Split(s, "\n")) != 8 {
		t.Errorf("the matrix prints as\n%s", s)
	}
	if names, counts := c.Matrix(); !slices.Equal(names, []string{"ant", "<b>", "2", "3", "4", "5", "6"}) || !reflect.DeepEqual(counts, ref.Confusion) {
		t.Errorf("the matrix is %q, %v", names, counts)
	}
	for metric, want := range map[dl.Metric]string{
		dl.TopK{K: 9}:   "dl: Score: top-9 accuracy: K is 9, want 1 to 7, the number of classes",
		dl.F1{"binary"}: `dl: Score: binary F1: Average is "binary", want macro, weighted or micro`,
	} {
		_, err := dl.Score(metric, output, wanted)
		wantError(t, err, want)
	}
	_, err := dl.Score(dl.TopK{}, output, dl.FromSlice(make([]int64, 49)))
	wantError(t, err, "dl: Score: top-5 accuracy: output is [50 7] and labels [49] int64, want scores [N classes] and integers [N]; use a metric of your own for other shapes")
}

// TestPythonReadsState reads a training state as Python's users do.
func TestPythonReadsState(t *testing.T) {
	on(t, "go")
	python := os.Getenv("HOLT_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import torch, safetensors").Run(); err != nil {
		t.Skipf("skipped: %s has no torch and safetensors (pip install torch safetensors; HOLT_PYTHON names another Python)", python)
	}
	m := optimNet()
	step := dl.TrainStep(m, nil, dl.AdamW{})
	must(step.Run(optimBatch(0)))
	path := filepath.Join(t.TempDir(), "state.safetensors")
	if err := step.Save(path); err != nil {
		t.Fatal(err)
	}
	const script = `
import json, sys, torch
from safetensors.torch import load_file
state = load_file(sys.argv[1])
net = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3))
net.load_state_dict({k[6:]: v for k, v in state.items() if k.startswith("model.")})
assert state["optimizer.0.weight.exp_avg_sq"].shape == (5, 6)
assert json.loads(bytes(state["training.json"].tolist()))["N"] == 1
print(net[2].bias[1].item())`
	out, err := exec.Command(python, "-c", script, path).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var got float64
	if _, err := fmt.Sscan(string(out), &got); err != nil || got != m.Param("2.bias").Float64s()[1] {
		t.Errorf("Python reads %s, %v, want %v", out, err, m.Param("2.bias").Float64s()[1])
	}
}
