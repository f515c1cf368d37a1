package dl_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/hooks"
)

// blobs is a data set of two classes that a line parts.
type blobs struct {
	n    int
	fail int // the example that cannot be read, or -1
}

func (b blobs) Len() int { return b.n }

func (b blobs) Get(i int) (dl.Example, error) {
	if i == b.fail {
		return dl.Example{}, errors.New("no such picture")
	}
	r := rand.New(rand.NewPCG(1, uint64(i)))
	class := i % 2
	at := float32(2*class - 1)
	return dl.Example{Input: dl.FromSlice([]float32{at + float32(r.NormFloat64()*0.3), at}), Label: class}, nil
}

// inOrder yields a data set's batches in order.
type inOrder struct {
	data dl.Dataset
	size int
	wait func() // called before each batch
}

func (o inOrder) Len() int { return (o.data.Len() + o.size - 1) / o.size }

func (o inOrder) Epoch(int) iter.Seq[dl.Batch] {
	return func(yield func(dl.Batch) bool) {
		for from := 0; from < o.data.Len(); from += o.size {
			if o.wait != nil {
				o.wait()
			}
			var xs []*dl.Tensor
			var ys []int64
			for i := from; i < min(from+o.size, o.data.Len()); i++ {
				e, err := o.data.Get(i)
				if err != nil {
					panic(fmt.Errorf("example %d: %w", i, err))
				}
				xs, ys = append(xs, e.Input), append(ys, int64(e.Label))
			}
			if !yield(dl.Batch{Inputs: dl.Stack(xs), Labels: dl.FromSlice(ys)}) {
				return
			}
		}
	}
}

func smallNet() *dl.Model {
	return must(dl.Build(dl.Sequential{dl.Linear{Out: 8}, dl.ReLU{}, dl.Linear{Out: 2}}, dl.Shape{8, 2}))
}

func TestRunTrains(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		dl.Seed(1)
		m := smallNet()
		data := blobs{n: 43, fail: -1} // 43 = 5·8 + 3, so the last batch is smaller
		log := logger{}
		run := dl.Start(m, dl.Training{Data: inOrder{data: data, size: 8}, Eval: data, Epochs: 3, Optimizer: dl.SGD{LR: 0.1}, Log: log})
		if err := run.Wait(); err != nil {
			t.Fatal(err)
		}
		if got, want := run.N(), 3*6; got != want {
			t.Errorf("%d steps, want %d", got, want)
		}
		e := run.Epochs()
		if len(e) != 3 || e[2].Train.N != 43 || e[2].Eval.N != 43 {
			t.Fatalf("epochs are %v", e)
		}
		if e[2].Eval.Accuracy != 1 {
			t.Errorf("accuracy is %v, want 1", e[2].Eval.Accuracy)
		}
		again := must(dl.Evaluate(m, data))
		if !reflect.DeepEqual(again, e[2].Eval) {
			t.Errorf("evaluated again %v, want %v", again, e[2].Eval)
		}
		if got := strings.Join(run.Names(), " "); got != "train/loss train/accuracy eval/loss eval/accuracy" {
			t.Errorf("names are %s", got)
		}
		for _, name := range run.Names() {
			x, y := run.Curve(name)
			want := 3
			if name == "train/loss" {
				want = 18
			}
			if len(x) != want || len(y) != want || x[len(x)-1] != 3 {
				t.Errorf("curve %s is %v %v", name, x, y)
			}
		}
		if len(log["train/loss"]) != 18 || len(log["eval/accuracy"]) != 3 {
			t.Errorf("logged %v", log)
		}
		if s := run.String(); !strings.HasPrefix(s, "done: epoch 3/3  step 18") {
			t.Errorf("status is %q", s)
		}
		if done, total := run.Steps(); done != 18 || total != 18 {
			t.Errorf("%d of %d steps done, want 18 of 18", done, total)
		}
		if run.Rows() != 3 {
			t.Errorf("%d rows are planned, want 3", run.Rows())
		}
		if x, y, ok := run.Latest("train/accuracy"); ok {
			t.Errorf("after the last epoch the accuracy is still open: %v %v", x, y)
		}
		head, rows := run.Table()
		if got := strings.Join(head, ", "); got != "epoch, train loss (mean), train accuracy, eval loss, eval accuracy, lr, time" || len(rows) != 3 || len(rows[2]) != len(head) {
			t.Errorf("the table has columns %s and rows %v, want 3 rows", got, rows)
		}
		more := dl.Start(m, dl.Training{Data: inOrder{data: data, size: 8}, Epochs: 1, Optimizer: dl.SGD{LR: 0.1}})
		if err := more.Wait(); err != nil {
			t.Fatal(err)
		}
		if got := more.Epochs()[0].Train.Loss; got > e[2].Train.Loss {
			t.Errorf("a second run began at loss %v, want it to go on below %v", got, e[2].Train.Loss)
		}
	})
}

type logger map[string][]float64

func (l logger) AddScalar(name string, value float64, step int) { l[name] = append(l[name], value) }

// TestMaskIsExact trains and evaluates with a batch that is filled up, and
// without filling, on the same examples.
func TestMaskIsExact(t *testing.T) {
	on(t, "go")
	data := blobs{n: 11, fail: -1}
	var weights [][]float32
	var results []dl.Result
	for _, size := range []int{11, 8} {
		dl.Seed(3)
		m := smallNet()
		results = append(results, must(dl.Evaluate(m, inOrder{data: data, size: size})))
		step := dl.TrainStep(m, nil, dl.SGD{LR: 0.1})
		for b, err := range dl.EpochOf(inOrder{data: blobs{n: 3, fail: -1}, size: 3}, 0) {
			if err != nil {
				t.Fatal(err)
			}
			if size == 8 { // a larger batch first makes the program larger; a rate of 0 keeps the weights
				step.SetLR(0)
				for full := range (inOrder{data: data, size: 8}).Epoch(0) {
					must(step.Run(full))
					break
				}
				step.SetLR(0.1)
			}
			must(step.Run(b))
		}
		weights = append(weights, m.Param("0.weight").Float32s())
	}
	if r := results; r[0].N != 11 || r[0].Accuracy != r[1].Accuracy || math.Abs(r[0].Loss-r[1].Loss) > 1e-6 { // sums in another order
		t.Errorf("results differ: %v", results)
	}
	for i := range weights[0] {
		if d := math.Abs(float64(weights[0][i] - weights[1][i])); d > 1e-6 { // sums in another order
			t.Errorf("weight %d differs by %v", i, d)
		}
	}
}

func TestRunErrors(t *testing.T) {
	on(t, "go")
	good := inOrder{data: blobs{n: 16, fail: -1}, size: 8}
	tests := []struct {
		name string
		run  func() *dl.Run
		err  string
	}{
		{"no model", func() *dl.Run { return dl.Start(nil, dl.Training{Data: good}) }, "dl: Start: the model is nil, want one that dl.Build made"},
		{"no data", func() *dl.Run { return dl.Start(smallNet(), dl.Training{}) }, "dl: Start: Data is nil, want a loader; write dl.Training{Data: loader, …}"},
		{"no rate", func() *dl.Run { return dl.Start(smallNet(), dl.Training{Data: good, Optimizer: dl.SGD{}}) },
			"dl: SGD: LR is 0, Momentum 0 and WeightDecay 0, want LR above 0, Momentum in [0, 1) and no negative decay; try SGD{LR: 0.01, Momentum: 0.9}"},
		{"unreadable example", func() *dl.Run {
			return dl.Start(smallNet(), dl.Training{Data: inOrder{data: blobs{n: 16, fail: 9}, size: 8}})
		}, "dl: Start: epoch 1: example 9: no such picture"},
		{"too few outputs", func() *dl.Run {
			m := must(dl.Build(dl.Linear{Out: 1}, dl.Shape{8, 2}))
			return dl.Start(m, dl.Training{Data: good})
		}, "dl: training step: label 1 of the batch is 1, want 0 to 0, the model's outputs; set the last layer's Out to the number of classes"},
		{"other inputs", func() *dl.Run {
			return dl.Start(must(dl.Build(dl.Linear{Out: 2}, dl.Shape{8, 3})), dl.Training{Data: good})
		}, "dl: training step: Linear: input is [8 2], want [N 3]; the model was built for inputs of another size; resize them, or build it anew"},
		{"panic", func() *dl.Run {
			return dl.Start(smallNet(), dl.Training{Data: inOrder{data: good.data, size: 8, wait: func() { panic("ouch") }}})
		}, "dl: Start: epoch 1: panic: ouch"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			run := test.run()
			err := run.Wait()
			if err == nil || !strings.HasPrefix(err.Error(), test.err) {
				t.Errorf("error is %v, want %s", err, test.err)
			}
			if s := run.String(); !strings.HasPrefix(s, "failed at") {
				t.Errorf("status is %q", s)
			}
		})
	}
}

// ending is noise whose reading ends the goroutine, as an interrupt does with a cell's functions.
type ending struct {
	dl.Dataset
	at int
}

func (e ending) Get(i int) (dl.Example, error) {
	if i == e.at {
		runtime.Goexit()
	}
	return e.Dataset.Get(i)
}

// TestCellEnds has a goroutine of a run, or of its loader, end in a function of the cell. The run ends
// with an error, and its state is saved.
func TestCellEnds(t *testing.T) {
	on(t, "go")
	for _, tt := range []struct {
		name    string
		at      int // the example that ends its goroutine; -1 for OnStep
		workers int
		steps   int
	}{{"OnStep", -1, 0, 3}, {"Get", 13, 0, 3}, {"Get of two workers", 13, 2, 3}, {"Get of the first example", 0, 2, 0}} {
		m := must(dl.Build(dl.Sequential{dl.Flatten{}, dl.Linear{Out: 10}}, dl.Shape{4, 3, 32, 32}))
		dir := t.TempDir()
		run := dl.Start(m, dl.Training{
			Data:       dl.DataLoader{Dataset: ending{noise(23), tt.at}, BatchSize: 4, Workers: tt.workers},
			Checkpoint: dl.Checkpoint{Dir: dir},
			OnStep: func(s dl.StepDone) error {
				if tt.at < 0 && s.N == 3 {
					runtime.Goexit()
				}
				return nil
			},
		})
		err := run.Wait()
		const want = "a function of the cell that began this was interrupted with it: context canceled"
		if err == nil || !strings.HasSuffix(err.Error(), want) || !errors.Is(err, context.Canceled) || run.N() != tt.steps {
			t.Errorf("%s: error is %v after %d steps, want %s after %d", tt.name, err, run.N(), want, tt.steps)
		}
		if files := must(filepath.Glob(filepath.Join(dir, fmt.Sprintf("step-%010d-*", tt.steps)))); len(files) != 1 {
			t.Errorf("%s: states are %q, want one after step %d", tt.name, files, tt.steps)
		}
	}
}

func TestStopAndInterrupt(t *testing.T) {
	on(t, "go")
	m := smallNet()
	var once sync.Once
	started := make(chan struct{})
	data := inOrder{data: blobs{n: 64, fail: -1}, size: 8, wait: func() {
		once.Do(func() { close(started) })
		time.Sleep(time.Millisecond)
	}}
	run := dl.Start(m, dl.Training{Data: data, Epochs: 1e6})
	<-started

	ctx, cancel := context.WithCancel(context.Background())
	undo := hooks.Set(func(h *hooks.Hooks) { h.Context = func() context.Context { return ctx } })
	defer undo()
	time.AfterFunc(20*time.Millisecond, cancel)
	if err := run.Wait(); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted Wait returned %v", err)
	}
	if _, err := dl.Evaluate(m, data); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted Evaluate returned %v", err)
	}
	if _, err := m.Predict(dl.FromSlice([]float32{1, 2}, 1, 2)); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted Predict returned %v", err)
	}
	undo()
	select {
	case <-run.Done():
		t.Fatalf("the run ended with the cell: %v", run.Err())
	default:
	}
	run.Stop()
	n := run.N()
	w := m.Param("0.weight").Float32s()
	time.Sleep(20 * time.Millisecond)
	if run.N() != n || m.Param("0.weight").Float32s()[0] != w[0] {
		t.Error("a step landed after Stop")
	}
	if err := run.Err(); err != nil {
		t.Errorf("a stopped run has error %v", err)
	}
	if s := run.String(); !strings.HasPrefix(s, "stopped at epoch") {
		t.Errorf("status is %q", s)
	}
	run.Stop() // twice does nothing
}

// TestReadersWhileTraining reads and saves a model from several goroutines
// while it is trained.
func TestReadersWhileTraining(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		m := smallNet()
		data := inOrder{data: blobs{n: 64, fail: -1}, size: 8}
		run := dl.Start(m, dl.Training{Data: data, Epochs: 1e6, Optimizer: dl.Adam{LR: 1e-3}})
		defer run.Stop()
		dir := t.TempDir()
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Go(func() {
				x := fill(1, 1, 4, 2)
				path := filepath.Join(dir, fmt.Sprint(i))
				for n := 0; n < 5 || run.N() < 20 && run.Err() == nil; n++ {
					must(m.Predict(x)).Float32s()
					m.Param("2.bias").Float32s()
					must(dl.Evaluate(m, data.data))
					if err := m.Save(path); err != nil {
						t.Error(err)
					}
					if _, err := dl.LoadStateDict(path); err != nil {
						t.Error(err)
					}
					_ = run.String()
					run.Curve("train/loss")
					run.SetLR(1e-4)
				}
			})
		}
		wg.Wait()
		if run.Err() != nil || run.N() == 0 {
			t.Errorf("after %d steps: %v", run.N(), run.Err())
		}
	})
}

// TestStopSays has a checkpoint that cannot be written when the run is stopped: that is the run's
// error, though stopping is none.
func TestStopSays(t *testing.T) {
	on(t, "go")
	dir := filepath.Join(t.TempDir(), "run")
	first := make(chan struct{})
	var once sync.Once
	run := dl.Start(smallNet(), dl.Training{
		Data: inOrder{data: blobs{n: 1 << 20, fail: -1}, size: 8}, Checkpoint: dl.Checkpoint{Dir: dir},
		OnStep: func(dl.StepDone) error {
			once.Do(func() {
				if err := os.WriteFile(dir, nil, 0o666); err != nil { // in the folder's place
					t.Error(err)
				}
				close(first)
			})
			return nil
		},
	})
	<-first
	run.Stop()
	if err := run.Err(); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("error is %v, want one of the folder", err)
	}
	if s := run.String(); !strings.HasPrefix(s, "failed at epoch 1/1") {
		t.Errorf("status is %q", s)
	}
}

// TestResultJSON writes what a run found as JSON and reads it back, also numbers that are none.
func TestResultJSON(t *testing.T) {
	want := []dl.Epoch{{
		N: 1, Steps: 3, LR: math.Inf(1), Took: time.Second,
		Train: dl.Result{Loss: 1.0 / 3, Accuracy: math.NaN(), N: 4},
		Eval:  dl.Result{Loss: math.NaN(), N: 2, LossName: "MSELoss", Metrics: []dl.MetricValue{{Name: "F1", Value: math.NaN()}, {Name: "top-5", Value: 0.1}}},
	}}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got []dl.Epoch
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if g, w := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want); g != w {
		t.Errorf("read back:\n%s\nwant\n%s", g, w)
	}
}

// TestLeave leaves while a training goes on: it ends after the step that it is at, and saves its
// state, where it has a Checkpoint. One that has none goes on.
func TestLeave(t *testing.T) {
	on(t, "cpu")
	dir := t.TempDir()
	start := func(dir string) (*dl.Run, chan struct{}) {
		third := make(chan struct{})
		return dl.Start(must(dl.Build(dl.Sequential{dl.Flatten{}, dl.Linear{Out: 10}}, dl.Shape{4, 3, 32, 32})), dl.Training{
			Data: dl.DataLoader{Dataset: noise(4000), BatchSize: 4}, Epochs: 100, Checkpoint: dl.Checkpoint{Dir: dir},
			OnStep: func(s dl.StepDone) error {
				if s.N == 3 {
					close(third)
				}
				return nil
			},
		}), third
	}
	saved, third := start(dir)
	other, itsThird := start("")
	<-third
	<-itsThird
	hooks.Leave()
	select {
	case <-saved.Done():
	default:
		t.Fatal("the training goes on")
	}
	files := must(filepath.Glob(filepath.Join(dir, "step-*")))
	if want := fmt.Sprintf("step-%010d", saved.N()); saved.Err() != nil || len(files) != 1 || !strings.HasPrefix(filepath.Base(files[0]), want) {
		t.Errorf("%v, and there are %q, want %s…", saved.Err(), files, want)
	}
	select {
	case <-other.Done():
		t.Error("a training without a Checkpoint has ended")
	default:
	}
	other.Stop()
	hooks.Leave() // there is none to end
}
