package dl_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/golden"
)

type twoHeads struct{ A, B dl.Linear }

func (h *twoHeads) Forward(x *dl.Tensor) *dl.Tensor { return h.A.Forward(x).Add(h.B.Forward(x)) }

type residual struct{ Conv dl.Conv2d }

func (r *residual) Forward(x *dl.Tensor) *dl.Tensor { return x.Add(r.Conv.Forward(x)) }

type byName struct{ Layers map[string]dl.Layer }

func (b *byName) Forward(x *dl.Tensor) *dl.Tensor { return x }

type sameNames struct {
	FC dl.Linear
	Fc dl.Linear
}

func (s *sameNames) Forward(x *dl.Tensor) *dl.Tensor { return s.Fc.Forward(s.FC.Forward(x)) }

type lazyLayer struct{ Layers dl.Sequential }

func (l *lazyLayer) Forward(x *dl.Tensor) *dl.Tensor {
	return dl.BatchNorm2d{}.Forward(l.Layers.Forward(x))
}

// TestWrongPrograms lists what people get wrong, and exactly what they are
// told.
func TestWrongPrograms(t *testing.T) {
	on(t, "go")
	build := func(net dl.Layer, inputs ...any) func() error {
		return func() error { _, err := dl.Build(net, inputs...); return err }
	}
	train := func(net dl.Layer, loss dl.Loss, x, y *dl.Tensor) func() error {
		return func() error {
			m, err := dl.Build(net, x.Shape(), x.DType())
			if err != nil {
				return fmt.Errorf("the network does not build: %w", err)
			}
			_, err = dl.TrainStep(m, loss, dl.SGD{LR: 0.1}).Run(dl.Batch{Inputs: x, Labels: y})
			return err
		}
	}
	at := func(f func()) func() error {
		return func() (err error) {
			defer func() { err, _ = recover().(error) }()
			f()
			return nil
		}
	}
	x := func(shape ...int) *dl.Tensor { return fill(1, 1, shape...) }
	classes := func(labels ...int64) *dl.Tensor { return dl.FromSlice(labels) }
	ids := func(n ...int64) *dl.Tensor { return dl.FromSlice(n, 1, len(n)) }

	tests := []struct {
		program string
		run     func() error
	}{
		{"Linear after a convolution, without Flatten", build(dl.Sequential{dl.Conv2d{Out: 4, Kernel: 3}, dl.Linear{In: 144, Out: 10}}, dl.Shape{2, 3, 8, 8})},
		{"In of the second Linear is not Out of the first", build(dl.Sequential{dl.Linear{Out: 64}, dl.ReLU{}, dl.Linear{In: 32, Out: 10}}, dl.Shape{2, 8})},
		{"pictures with their channels last", build(dl.Sequential{dl.Conv2d{In: 3, Out: 4, Kernel: 3}}, dl.Shape{2, 32, 32, 3})},
		{"grey pictures for a network of color", build(dl.Sequential{dl.Conv2d{In: 3, Out: 4, Kernel: 3}}, dl.Shape{2, 1, 28, 28})},
		{"one picture without a batch", build(dl.Sequential{dl.Conv2d{Out: 4, Kernel: 3}}, dl.Shape{3, 32, 32})},
		{"a convolution after Flatten", build(dl.Sequential{dl.Flatten{}, dl.Conv2d{Out: 4, Kernel: 3}}, dl.Shape{2, 3, 8, 8})},
		{"pooled until nothing is left", build(dl.Sequential{dl.MaxPool2d{Kernel: 2}, dl.MaxPool2d{Kernel: 2}, dl.MaxPool2d{Kernel: 2}, dl.MaxPool2d{Kernel: 2}}, dl.Shape{2, 3, 8, 8})},
		{"a filter larger than the picture", build(dl.Sequential{dl.Conv2d{Out: 4, KernelHW: dl.HW{3, 9}}}, dl.Shape{2, 3, 8, 8})},
		{"a convolution without Kernel", build(dl.Sequential{dl.Conv2d{Out: 4}}, dl.Shape{2, 3, 8, 8})},
		{"a Linear without Out", build(dl.Sequential{dl.Flatten{}, dl.Linear{}}, dl.Shape{2, 3, 8, 8})},
		{"groups that do not divide the channels", build(dl.Sequential{dl.Conv2d{Out: 8, Kernel: 3, Groups: 3}}, dl.Shape{2, 4, 8, 8})},
		{"Same with a stride", build(dl.Conv2d{Out: 8, Kernel: 5, Same: true, Stride: 2}, dl.Shape{2, 4, 8, 8})},
		{"OutputPadding as large as Stride", build(dl.ConvTranspose2d{Out: 8, Kernel: 3, Stride: 2, OutputPadding: 2}, dl.Shape{2, 4, 8, 8})},
		{"padding of a pooling above half its window", build(dl.MaxPool2d{Kernel: 2, Padding: 2}, dl.Shape{2, 4, 8, 8})},
		{"BatchNorm2d after Flatten", build(dl.Sequential{dl.Flatten{}, dl.BatchNorm2d{}}, dl.Shape{2, 4, 8, 8})},
		{"BatchNorm1d on pictures", build(dl.Sequential{dl.Conv2d{Out: 4, Kernel: 3}, dl.BatchNorm1d{}}, dl.Shape{2, 4, 8, 8})},
		{"BatchNorm2d with the channels of another place", build(dl.Sequential{dl.Conv2d{Out: 4, Kernel: 3}, dl.BatchNorm2d{In: 8}}, dl.Shape{2, 4, 8, 8})},
		{"Conv1d on pictures", build(dl.Conv1d{Out: 4, Kernel: 3}, dl.Shape{2, 3, 8, 8})},
		{"sequences with their channels last", build(dl.Conv1d{In: 3, Out: 4, Kernel: 3}, dl.Shape{2, 20, 3})},
		{"a filter longer than the sequence", build(dl.Conv1d{Out: 4, Kernel: 9}, dl.Shape{2, 3, 5})},
		{"a Conv1d without Kernel", build(dl.Sequential{dl.Conv1d{Out: 4}}, dl.Shape{2, 3, 8})},
		{"padding of a pooling of sequences above half its window", build(dl.MaxPool1d{Kernel: 2, Padding: 2}, dl.Shape{2, 4, 8})},
		{"GroupNorm without Groups", build(dl.GroupNorm{}, dl.Shape{2, 6, 4, 4})},
		{"GroupNorm whose groups do not divide the channels", build(dl.Sequential{dl.Conv2d{Out: 6, Kernel: 3}, dl.GroupNorm{Groups: 4}}, dl.Shape{2, 3, 8, 8})},
		{"RMSNorm over another length", build(dl.Sequential{dl.Linear{Out: 6}, dl.RMSNorm{Shape: dl.Shape{8}}}, dl.Shape{2, 4})},
		{"PReLU with slopes of another number", build(dl.Sequential{dl.Linear{Out: 6}, dl.PReLU{Slopes: 3}}, dl.Shape{2, 4})},
		{"LayerNorm over another length", build(dl.Sequential{dl.Linear{Out: 6}, dl.LayerNorm{Shape: dl.Shape{8}}}, dl.Shape{2, 4})},
		{"Dropout of 50, meant as percent", build(dl.Dropout{P: 50}, dl.Shape{2, 4})},
		{"an Embedding in a network built for floats", build(dl.Sequential{dl.Embedding{In: 10, Out: 4}}, dl.Shape{2, 5})},
		{"PaddingIdx outside of the vocabulary", build(dl.Embedding{In: 10, Out: 4, PaddingIdx: new(10)}, dl.Shape{2, 5}, dl.Int64)},
		{"an LSTM on numbers of words", build(dl.Sequential{dl.LSTM{Hidden: 4}}, dl.Shape{2, 5})},
		{"an LSTM without Hidden", build(dl.LSTM{}, dl.Shape{2, 5, 3})},
		{"heads that do not divide the vector", build(dl.MultiheadAttention{Heads: 3}, dl.Shape{5, 2, 8})},
		{"attention to vectors of another length", build(dl.MultiheadAttention{In: 16, Heads: 2, BatchFirst: true}, dl.Shape{2, 5, 8})},
		{"a residual whose sides differ", build(&residual{dl.Conv2d{Out: 8, Kernel: 3, Padding: 1}}, dl.Shape{2, 4, 8, 8})},
		{"heads of different lengths, added", build(&twoHeads{dl.Linear{Out: 3}, dl.Linear{Out: 4}}, dl.Shape{2, 8})},
		{"layers in a map", build(&byName{map[string]dl.Layer{"a": dl.ReLU{}}}, dl.Shape{2, 8})},
		{"fields that differ in case only", build(&sameNames{dl.Linear{Out: 3}, dl.Linear{Out: 4}}, dl.Shape{2, 8})},
		{"a layer that is made in Forward", build(&lazyLayer{dl.Sequential{dl.ReLU{}}}, dl.Shape{2, 8, 4, 4})},
		{"a reshape to another number of values", build(dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Reshape(2, 100) }), dl.Shape{2, 3, 8, 8})},
		{"a softmax along an axis that is not there", build(dl.Sequential{dl.Softmax{Axis: 2}}, dl.Shape{2, 8})},
		{"a batch of no examples", build(dl.Linear{Out: 2}, dl.Shape{0, 8})},
		{"more classes in the labels than outputs", train(dl.Linear{Out: 2}, nil, x(3, 4), classes(0, 1, 2))},
		{"labels as rows of ones and zeros, of integers", train(dl.Linear{Out: 2}, nil, x(2, 4), dl.FromSlice([]int64{0, 1, 1, 0}, 2, 2))},
		{"feature maps given to the loss", train(dl.Conv2d{Out: 2, Kernel: 1}, nil, x(2, 3, 4, 4), classes(0, 1))},
		{"another number of labels than inputs", train(dl.Linear{Out: 2}, nil, x(3, 4), classes(0, 1))},
		{"MSELoss of a column against a row", train(dl.Linear{Out: 1}, dl.MSELoss{}, x(3, 4), dl.FromSlice([]float32{1, 2, 3}))},
		{"MSELoss of outputs in another number than targets", train(dl.Linear{Out: 5}, dl.MSELoss{}, x(3, 4), x(3, 2))},
		{"as many weights as not classes", train(dl.Linear{Out: 3}, dl.CrossEntropyLoss{Weight: []float64{1, 2}}, x(2, 4), classes(0, 1))},
		{"a reduction that there is not", train(dl.Linear{Out: 3}, dl.MSELoss{Reduction: "average"}, x(2, 4), x(2, 3))},
		{"training on terms", train(dl.Linear{Out: 3}, dl.MSELoss{Reduction: "none"}, x(2, 4), x(2, 3))},
		{"label smoothing of 10, meant as percent", train(dl.Linear{Out: 3}, dl.CrossEntropyLoss{LabelSmoothing: 10}, x(2, 4), classes(0, 1))},
		{"a word that is not in the vocabulary", train(dl.Sequential{dl.Embedding{In: 10, Out: 2}, dl.Flatten{}, dl.Linear{Out: 2}}, nil, ids(1, 10, 3), classes(0))},
		{"batch normalization of one value", train(dl.Sequential{dl.Linear{Out: 3}, dl.BatchNorm1d{}}, nil, x(1, 4), classes(0))},
		{"pictures of another size than the model's", func() error {
			m := must(dl.Build(dl.Sequential{dl.Flatten{}, dl.Linear{Out: 2}}, dl.Shape{2, 3, 8, 8}))
			_, err := m.Predict(x(2, 3, 9, 9))
			return err
		}},
		{"the name of a parameter, misspelled", at(func() { smallNet().Param("0.weigth") })},
		{"the path of a layer, misspelled", func() error { _, err := smallNet().Features("layer1", x(2, 2)); return err }},
		{"a gradient of more than one number", func() error {
			_, err := dl.Grad(func(x ...*dl.Tensor) *dl.Tensor { return x[0].Square() }, x(2, 3))
			return err
		}},
		{"a gradient for integers", func() error {
			_, err := dl.Grad(func(x ...*dl.Tensor) *dl.Tensor { return x[0].Sum().Mul(x[1].Sum()) }, x(2, 3), ids(1, 2))
			return err
		}},
		{"tensors that do not spread over one another", at(func() { x(2, 3).Add(x(2, 4)) })},
		{"a filter without its axes", at(func() { x(1, 1, 5, 5).Conv2d(x(3, 3), nil, dl.Conv2d{}) })},
	}
	var b strings.Builder
	for _, test := range tests {
		err := test.run()
		if err == nil {
			t.Errorf("%s: no error", test.program)
			continue
		}
		fmt.Fprintf(&b, "%s\n    %v\n", test.program, err)
	}
	golden.Check(t, "wrong", []byte(b.String()))
}
