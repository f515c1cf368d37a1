package dl_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/hooks"
)

// forge puts other JSON text into a training state and writes the file anew,
// so that its checksum is right.
func forge(t testing.TB, from dl.StateDict, text []byte, to string) {
	t.Helper()
	dict := dl.StateDict{}
	for name, v := range from {
		dict[name] = v
	}
	if len(text) > 0 {
		dict["training.json"] = dl.FromSlice(slices.Clone(text))
	} else {
		delete(dict, "training.json")
	}
	if err := dl.SaveStateDict(to, dict); err != nil {
		t.Fatal(err)
	}
}

// stateful is a training with a schedule, and its state after some steps.
func stateful(t testing.TB) (begin func() (*dl.Model, *dl.Step), state dl.StateDict, text []byte) {
	on(t, "go")
	begin = func() (*dl.Model, *dl.Step) {
		dl.Seed(5)
		m := smallNet()
		step := dl.TrainStep(m, nil, dl.SGD{LR: 0.1, Momentum: 0.9})
		step.Schedule(dl.OneCycleLR{MaxLR: 0.5, TotalSteps: 50})
		return m, step
	}
	_, step := begin()
	must(step.Run(stateBatch()))
	path := filepath.Join(t.TempDir(), "state.safetensors")
	if err := step.Save(path); err != nil {
		t.Fatal(err)
	}
	state, err := dl.LoadStateDict(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range state["training.json"].Int64s() {
		text = append(text, byte(v))
	}
	return begin, state, text
}

func stateBatch() dl.Batch {
	return dl.Batch{Inputs: fill(1, 1, 4, 2), Labels: dl.FromSlice([]int64{0, 1, 0, 1})}
}

// FuzzTrainingState loads states whose text was forged: an error leaves the
// training as it was, and what is taken up can be trained on and saved.
func FuzzTrainingState(f *testing.F) {
	begin, state, text := stateful(f)
	f.Add(text)
	for _, c := range [][2]string{
		{`"N":1`, `"N":-1`}, {`"Size":4`, `"Size":-4`}, {`"Size":4`, `"Size":4611686018427387904`}, {`"Version":1`, `"Version":2`},
		{`"Rates":[`, `"Rates":["NaN",`}, {`"Momenta":[`, `"Momenta":[7,`}, {`"Batches":0`, `"Batches":3`}, {`"Set":[`, `"Set":[1,`}, {`{`, `[`},
	} {
		f.Add(bytes.Replace(text, []byte(c[0]), []byte(c[1]), 1))
	}
	f.Add([]byte(`{"Version":1,"Rates":[1],"Schedule":{"Base":[1],"Scale":[1],"Set":[]}}`))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "state.safetensors")
		forge(t, state, text, path)
		m, step := begin()
		must(step.Run(stateBatch()))
		before, n, lr := m.StateDict(), step.N(), step.LR()
		if err := step.Load(path); err != nil {
			for name, w := range before {
				if !slices.Equal(w.Float32s(), m.Param(name).Float32s()) {
					t.Fatalf("a state that is refused (%v) changed %s", err, name)
				}
			}
			if step.N() != n || step.LR() != lr {
				t.Fatalf("a state that is refused (%v) changed the step's number or rate", err)
			}
			return
		}
		if math.IsNaN(step.LR()) || step.N() < 0 {
			t.Fatalf("taken up: rate %v and step %d", step.LR(), step.N())
		}
		if rows := dl.Rows(step); rows > 1<<12 {
			return // a large batch is no mistake, but takes long to fill
		}
		if _, err := step.Run(stateBatch()); err != nil {
			t.Fatalf("a state that was taken up cannot be trained on: %v", err)
		}
		if err := step.Save(path); err != nil {
			t.Fatal(err)
		}
	})
}

// TestForgedStates has each forgery's error, and a run that goes on from the
// state before it.
func TestForgedStates(t *testing.T) {
	begin, state, text := stateful(t)
	path := filepath.Join(t.TempDir(), "state.safetensors")
	for _, c := range []struct{ old, new, want string }{
		{`"N":1`, `"N":-1`, "its number of steps is -1: the file is damaged or not a safetensors file"},
		{`"Size":4`, `"Size":99999999`, "its batch size is 99999999: the file is damaged or not a safetensors file"},
		{`"Rates":[`, `"Rates":["NaN"],"Was":[`, "its learning rate is NaN: the file is damaged or not a safetensors file"},
		{`"Momenta":[`, `"Momenta":[1.5],"Were":[`, "its momentum is 1.5: the file is damaged or not a safetensors file"},
		{`"Set":[`, `"Set":[],"Was":[`, "its schedule set 0 rates, want 1: the file is damaged or not a safetensors file"},
		{`"Batches":0`, `"Batches":2`, "its sums have no total: the file is damaged or not a safetensors file"},
		{`"Seed"`, `"Run":{"Epoch":-2},"Seed"`, "its place in the data is epoch -2, batch 0, after 0 whole epochs: the file is damaged or not a safetensors file"},
		{`"Seed"`, `"Run":{"Epoch":1,"Epochs":[{"Eval":{"Confusion":{"Counts":[[1],[2,3]]}}}]},"Seed"`, "its epoch 1 has a confusion matrix of 2 rows and 1 columns: the file is damaged or not a safetensors file"},
	} {
		forged := bytes.Replace(text, []byte(c.old), []byte(c.new), 1)
		if bytes.Equal(forged, text) {
			t.Fatalf("the state has no %s: %s", c.old, text)
		}
		forge(t, state, forged, path)
		_, step := begin()
		wantError(t, step.Load(path), fmt.Sprintf("dl: load training state %s: %s", path, c.want))
	}

	// Of two states the newer one is forged.
	dir := filepath.Join(t.TempDir(), "run")
	train := func(epochs int) *dl.Run {
		return dl.Start(smallNet(), dl.Training{Data: inOrder{data: blobs{n: 16, fail: -1}, size: 8}, Epochs: epochs, Checkpoint: dl.Checkpoint{Dir: dir, Resume: true}})
	}
	if err := train(2).Wait(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "step-*.safetensors"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	newest, err := dl.LoadStateDict(files[1])
	if err != nil {
		t.Fatal(err)
	}
	forge(t, newest, []byte(`{"Version":1,"Rule":"SGD"`), files[1])
	var notices []string
	defer hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { notices = append(notices, s) } })()
	run := train(3)
	if err := run.Wait(); err != nil || run.N() != 6 || len(notices) != 1 {
		t.Errorf("the run did %d steps, error %v, notices %q; want it to go on from the state before the forged one", run.N(), err, notices)
	}
	if _, err := os.Stat(files[1]); err != nil {
		t.Error(err)
	}
}
