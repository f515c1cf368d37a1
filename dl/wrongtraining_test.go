package dl_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/golden"
)

type square struct{ Fc dl.Linear }

func (s *square) Forward(x *dl.Tensor) *dl.Tensor { return s.Fc.Forward(x).MatMul(x) }

type nothing struct{ Fc dl.Linear }

func (n *nothing) Forward(*dl.Tensor) *dl.Tensor { return nil }

// TestWrongTraining lists what people who come from PyTorch get wrong after the
// network is there: data, optimizers, schedules, saving, tensors; and exactly
// the error that says so.
func TestWrongTraining(t *testing.T) {
	on(t, "go")
	net := func() *dl.Model { return must(dl.Build(dl.Linear{Out: 2}, dl.Shape{4, 2})) }
	good := blobs{n: 16, fail: -1}
	run := func(change func(*dl.Training)) func() error {
		return func() error {
			training := dl.Training{Data: dl.DataLoader{Dataset: good, BatchSize: 4}, Epochs: 1, Optimizer: dl.SGD{LR: 0.1}}
			change(&training)
			return dl.Start(net(), training).Wait()
		}
	}
	optimizer := func(o dl.Optimizer, options ...dl.Options) func() error {
		return func() error {
			step := dl.TrainStep(net(), nil, o)
			for _, with := range options {
				step.With(with)
			}
			_, err := step.Run(dl.Batch{Inputs: fill(1, 1, 4, 2), Labels: dl.FromSlice([]int64{0, 1, 0, 1})})
			return err
		}
	}
	load := func(l dl.DataLoader) func() error { return func() error { _, err := l.First(); return err } }
	sizes := func(shapes ...dl.Shape) dl.Dataset {
		return made{len(shapes), func(i int) dl.Example { return dl.Example{Input: fill(1, 1, shapes[i]...)} }}
	}
	at := func(f func()) func() error {
		return func() (err error) {
			defer func() { err, _ = recover().(error) }()
			f()
			return nil
		}
	}
	x := func(shape ...int) *dl.Tensor { return fill(1, 1, shape...) }
	schedule := func(s dl.Scheduler) func() error { return run(func(tr *dl.Training) { tr.Scheduler = s }) }
	dir := t.TempDir()

	type wrong struct {
		program string
		run     func() error
	}
	tests := []wrong{
		{"no data", run(func(tr *dl.Training) { tr.Data = nil })},
		{"no epochs", run(func(tr *dl.Training) { tr.Epochs = -1 })},
		{"a learning rate below 0", optimizer(dl.SGD{LR: -0.1})},
		{"SGD without a learning rate", optimizer(dl.SGD{})},
		{"a momentum of 9, meant as 0.9", optimizer(dl.SGD{LR: 0.1, Momentum: 9})},
		{"Nesterov without a momentum", optimizer(dl.SGD{LR: 0.1, Nesterov: true})},
		{"a beta of 1", optimizer(dl.Adam{Beta1: 1})},
		{"weight decay below 0", optimizer(dl.AdamW{WeightDecay: -1})},
		{"a group of parameters that are not there", optimizer(dl.ParamGroups{{Params: []string{"fc"}, Optimizer: dl.SGD{LR: 0.1}}})},
		{"no groups", optimizer(dl.ParamGroups{})},
		{"clipping below 0", optimizer(dl.SGD{LR: 0.1}, dl.Options{ClipNorm: -1})},
		{"accumulating fewer than no batches", optimizer(dl.SGD{LR: 0.1}, dl.Options{Accumulate: -2})},
		{"a precision of integers", optimizer(dl.SGD{LR: 0.1}, dl.Options{Precision: dl.Int64})},
		{"more devices than there are", optimizer(dl.SGD{LR: 0.1}, dl.Options{Devices: 99})},
		{"StepLR without StepSize", schedule(dl.StepLR{})},
		{"OneCycleLR without its steps", schedule(dl.OneCycleLR{MaxLR: 0.1})},
		{"CosineAnnealingLR without TMax", schedule(dl.CosineAnnealingLR{})},
		{"a loader without a data set", load(dl.DataLoader{BatchSize: 4})},
		{"a batch of -1", load(dl.DataLoader{Dataset: good, BatchSize: -1})},
		{"pictures of two sizes in a batch", load(dl.DataLoader{Dataset: sizes(dl.Shape{3, 32, 32}, dl.Shape{3, 32, 48}), BatchSize: 2})},
		{"gray and coloured pictures in a batch", load(dl.DataLoader{Dataset: sizes(dl.Shape{3, 8, 8}, dl.Shape{1, 8, 8}), BatchSize: 2})},
		{"an empty data set", run(func(tr *dl.Training) { tr.Data = dl.DataLoader{Dataset: blobs{fail: -1}} })},
		{"DropLast of fewer examples than a batch", run(func(tr *dl.Training) { tr.Data = dl.DataLoader{Dataset: good, BatchSize: 64, DropLast: true} })},
		{"Shuffle beside a Sampler", load(dl.DataLoader{Dataset: good, BatchSize: 4, Shuffle: true, Sampler: dl.WeightedRandomSampler{Weights: make([]float64, 16)}})},
		{"weights that are all 0", load(dl.DataLoader{Dataset: good, BatchSize: 4, Sampler: dl.WeightedRandomSampler{Weights: make([]float64, 16)}})},
		{"a split of more than there is", func() error { _, err := dl.RandomSplit(good, 1, 12, 8); return err }},
		{"an index that is not in the data set", load(dl.DataLoader{Dataset: dl.Subset{Dataset: good, Indices: []int{99}}, BatchSize: 1})},
		{"a data set that fails", load(dl.DataLoader{Dataset: blobs{n: 4, fail: 1}, BatchSize: 4})},
		{"weights of another network", func() error {
			return net().LoadStateDict(must(dl.Build(dl.Linear{Out: 3}, dl.Shape{4, 2})).StateDict())
		}},
		{"weights of other layers", func() error {
			return net().LoadStateDict(must(dl.Build(dl.Sequential{dl.Linear{Out: 2}}, dl.Shape{4, 2})).StateDict())
		}},
		{"a file that is not there", func() error { return net().Load("net.safetensors") }},
		{"a folder that is not there", func() error {
			err := net().Save(filepath.Join(dir, "models", "net.safetensors"))
			if err != nil {
				err = fmt.Errorf("%s", cutNumbers(strings.ReplaceAll(err.Error(), dir, "DIR")))
			}
			return err
		}},
		{"a checkpoint without its folder", run(func(tr *dl.Training) { tr.Checkpoint.Resume = true })},
		{"a value of another shape for a parameter", at(func() { net().Param("weight").Set(x(3, 3)) })},
		{"a path that freezes nothing", func() error { return net().Freeze("features") }},
		{"no network", func() error { _, err := dl.Build(nil, dl.Shape{4, 2}); return err }},
		{"a Forward that returns nothing", func() error { _, err := dl.Build(&nothing{dl.Linear{Out: 2}}, dl.Shape{4, 2}); return err }},
		{"matrices that do not fit", func() error { _, err := dl.Build(&square{dl.Linear{Out: 3}}, dl.Shape{4, 2}); return err }},
		{"an empty Sequential", func() error { _, err := dl.Build(dl.Sequential{nil}, dl.Shape{4, 2}); return err }},
		{"no input shape", func() error { _, err := dl.Build(dl.Linear{Out: 2}, dl.Shape{}); return err }},
		{"fewer values than the shape", at(func() { dl.FromSlice([]float32{1, 2, 3}, 2, 2) })},
		{"matrices with the wrong inner axis", at(func() { x(2, 3).MatMul(x(2, 3)) })},
		{"a reshape that does not fit", at(func() { x(2, 3).Reshape(4, 2) })},
		{"two axes of -1", at(func() { x(2, 3).Reshape(-1, -1) })},
		{"an axis that is not there", at(func() { x(2, 3).Sum(2) })},
		{"a permutation with an axis twice", at(func() { x(2, 3).Transpose(0, 0) })},
		{"an item of many", at(func() { x(2, 3).Item() })},
	}
	if !dl.CUDAAvailable() { // with a GPU, the sentence has the number of them
		tests = append(tests, wrong{"a device that is not there", func() error { return net().To("cuda:7") }})
	}
	var b strings.Builder
	for _, test := range tests {
		err := test.run()
		if err == nil {
			fmt.Fprintf(&b, "%s\n    NO ERROR\n", test.program)
			t.Errorf("%s: no error", test.program)
			continue
		}
		fmt.Fprintf(&b, "%s\n    %v\n", test.program, err)
	}
	golden.Check(t, "wrongtraining", []byte(b.String()))
}

// cutNumbers takes the random end off the name of a temporary file.
func cutNumbers(s string) string {
	if i := strings.Index(s, ".safetensors."); i >= 0 {
		end := i + len(".safetensors.")
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		return s[:i+len(".safetensors")] + ".N" + s[end:]
	}
	return s
}
