package dl_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

func TestOutput(t *testing.T) {
	rgb := dl.Conv2d{In: 3, Out: 8, Kernel: 3}
	tests := []struct {
		name  string
		layer interface {
			Output(dl.Shape) (dl.Shape, error)
		}
		in, want dl.Shape
		err      string
	}{
		{name: "no padding", layer: rgb, in: dl.Shape{1, 3, 28, 28}, want: dl.Shape{1, 8, 26, 26}},
		{name: "padding", layer: dl.Conv2d{Out: 8, Kernel: 3, Padding: 1}, in: dl.Shape{1, 3, 28, 28}, want: dl.Shape{1, 8, 28, 28}},
		{name: "stride rounds down", layer: dl.Conv2d{Out: 8, Kernel: 3, Stride: 2, Padding: 1}, in: dl.Shape{32, 3, 28, 28}, want: dl.Shape{32, 8, 14, 14}},
		{name: "dilation", layer: dl.Conv2d{Out: 8, Kernel: 3, Dilation: 2}, in: dl.Shape{1, 3, 9, 7}, want: dl.Shape{1, 8, 5, 3}},
		{name: "channels last", layer: rgb, in: dl.Shape{1, 28, 28, 3},
			err: "dl: Conv2d: input is [1 28 28 3], want [N 3 H W]; channels come second: use Transpose(0, 3, 1, 2)"},
		{name: "other channels", layer: rgb, in: dl.Shape{1, 1, 28, 28}, err: "dl: Conv2d: input is [1 1 28 28], want [N 3 H W]; set In: 1, or leave In out"},
		{name: "no batch", layer: rgb, in: dl.Shape{3, 28, 28}, err: "dl: Conv2d: input is [3 28 28], want [N 3 H W]; add the batch axis: Reshape(1, …)"},
		{name: "flat", layer: dl.Conv2d{Out: 8, Kernel: 3}, in: dl.Shape{1, 784}, err: "dl: Conv2d: input is [1 784], want [N C H W]; convolutions come before Flatten and Linear"},
		{name: "small picture", layer: dl.Conv2d{Out: 8, Kernel: 5}, in: dl.Shape{1, 3, 4, 4},
			err: "dl: Conv2d: input is [1 3 4 4], want [N 3 H W] with H and W at least 5; use a smaller Kernel, more Padding, or less pooling before it"},
		{name: "no Out", layer: dl.Conv2d{Kernel: 5}, in: dl.Shape{1, 3, 8, 8},
			err: "dl: Conv2d: Out is 0 and Kernel 5, want both above 0, and no negative setting; write Conv2d{Out: 32, Kernel: 3}"},
		{name: "groups", layer: dl.Conv2d{Out: 8, Kernel: 3, Groups: 2}, in: dl.Shape{1, 3, 8, 8},
			err: "dl: Conv2d: Groups is 2, want a divisor of both 3 input and 8 output channels"},
		{name: "pool", layer: dl.MaxPool2d{Kernel: 2}, in: dl.Shape{4, 3, 9, 8}, want: dl.Shape{4, 3, 4, 4}},
		{name: "pool overlaps", layer: dl.MaxPool2d{Kernel: 3, Stride: 2, Padding: 1}, in: dl.Shape{4, 3, 9, 8}, want: dl.Shape{4, 3, 5, 4}},
		{name: "pool flat", layer: dl.MaxPool2d{Kernel: 2}, in: dl.Shape{4, 3}, err: "dl: MaxPool2d: input is [4 3], want [N C H W]; pooling comes before Flatten and Linear"},
		{name: "pool too small", layer: dl.MaxPool2d{Kernel: 2}, in: dl.Shape{4, 3, 1, 1},
			err: "dl: MaxPool2d: input is [4 3 1 1], want [N C H W] with H and W at least 2; use a smaller Kernel, or fewer poolings before it"},
		{name: "pool without kernel", layer: dl.MaxPool2d{}, in: dl.Shape{4, 3, 8, 8},
			err: "dl: MaxPool2d: Kernel is 0, Stride 0 and Padding 0, want Kernel above 0 and Padding at most half of it; write MaxPool2d{Kernel: 2}"},
		{name: "linear", layer: dl.Linear{Out: 10}, in: dl.Shape{4, 7, 64}, want: dl.Shape{4, 7, 10}},
		{name: "linear other size", layer: dl.Linear{In: 64, Out: 10}, in: dl.Shape{4, 32}, err: "dl: Linear: input is [4 32], want [N 64]; set In: 32, or leave In out"},
		{name: "linear picture", layer: dl.Linear{In: 12, Out: 10}, in: dl.Shape{4, 3, 2, 2}, err: "dl: Linear: input is [4 3 2 2], want [N 12]; put Flatten{} before it"},
		{name: "linear without Out", layer: dl.Linear{}, in: dl.Shape{4, 32}, err: "dl: Linear: Out is 0, want above 0; write Linear{Out: 10}"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := test.layer.Output(test.in)
			if test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Errorf("error is %v\nwant     %s", err, test.err)
				}
				return
			}
			if err != nil || !got.Equal(test.want) {
				t.Errorf("output is %v, %v; want %v", got, err, test.want)
			}
		})
	}
}

type hidden struct{ head dl.Linear }

func (h *hidden) Forward(x *dl.Tensor) *dl.Tensor { return h.head.Forward(x) }

type Block struct {
	Conv  dl.Conv2d
	Extra *dl.Conv2d `dl:"downsample"`
}

func (b *Block) Forward(x *dl.Tensor) *dl.Tensor {
	y := b.Conv.Forward(x).ReLU()
	if b.Extra != nil {
		x = b.Extra.Forward(x)
	}
	return x.Add(y)
}

type Deep struct {
	Stem   dl.Conv2d
	Blocks []*Block
	Pair   [2]dl.Linear
	Act    dl.Layer
	Heads  struct{ FC dl.Linear }
}

func (d Deep) Forward(x *dl.Tensor) *dl.Tensor { // a value receiver: the layers are copies
	x = d.Stem.Forward(x)
	for _, b := range d.Blocks {
		x = b.Forward(x)
	}
	x = d.Pair[0].Forward(x.Flatten())
	x = d.Pair[1].Forward(d.Act.Forward(x))
	x = d.Pair[1].Forward(x) // twice: the same weights
	return d.Heads.FC.Forward(x)
}

type loose struct{}

func (loose) Forward(x *dl.Tensor) *dl.Tensor { return dl.Linear{Out: 3}.Forward(x) }

type broken struct{ Fields dl.Sequential }

func (b *broken) Forward(x *dl.Tensor) *dl.Tensor { return nil }

func TestBuildNames(t *testing.T) {
	on(t, "go")
	shared := &Block{Conv: dl.Conv2d{Out: 4, Kernel: 3, Padding: 1}}
	m, err := dl.Build(&Deep{
		Stem:   dl.Conv2d{Out: 2, Kernel: 1},
		Blocks: []*Block{{Conv: dl.Conv2d{Out: 4, Kernel: 3, Padding: 1}, Extra: &dl.Conv2d{Out: 4, Kernel: 1, NoBias: true}}, shared, shared},
		Pair:   [2]dl.Linear{{Out: 5}, {Out: 5}},
		Act:    dl.Sequential{dl.ReLU{}, dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Tanh() })},
		Heads:  struct{ FC dl.Linear }{dl.Linear{Out: 3}},
	}, dl.Shape{2, 3, 4, 4})
	if err != nil {
		t.Fatal(err)
	}
	want := "stem.weight stem.bias blocks.0.conv.weight blocks.0.conv.bias blocks.0.downsample.weight " +
		"blocks.1.conv.weight blocks.1.conv.bias pair.0.weight pair.0.bias pair.1.weight pair.1.bias heads.fc.weight heads.fc.bias"
	if got := strings.Join(m.Names(), " "); got != want {
		t.Errorf("names are\n%s\nwant\n%s", got, want)
	}
	for _, text := range []string{"(blocks): ModuleList(", "(2): Block (the same as blocks.1)", "(1): Func()", "(downsample): Conv2d(2, 4, kernel_size=(1, 1), stride=(1, 1), bias=False)"} {
		if !strings.Contains(m.String(), text) {
			t.Errorf("the tree lacks %q:\n%v", text, m)
		}
	}
	out, err := m.Predict(fill(1, 1, 5, 3, 4, 4))
	if err != nil || !dl.Shape(out.Shape()).Equal(dl.Shape{5, 3}) {
		t.Errorf("another batch size gives %v, %v", out, err)
	}
}

func TestBuildErrors(t *testing.T) {
	on(t, "go")
	tests := []struct {
		name string
		net  dl.Layer
		in   dl.Shape
		err  string
	}{
		{"nil", nil, dl.Shape{1, 3}, "dl: Build: the network is nil, want a layer; pass &Net{…} or Sequential{…}"},
		{"empty axis", dl.ReLU{}, dl.Shape{0, 3}, "dl: Build: input shape is [0 3], want every axis above 0; the first is the batch"},
		{"inner layer", dl.Sequential{dl.Conv2d{Out: 8, Kernel: 3}, dl.Sequential{dl.ReLU{}, dl.Conv2d{In: 3, Out: 8, Kernel: 3}}}, dl.Shape{1, 3, 8, 8},
			"dl: Build: 1.1 Conv2d: input is [1 8 6 6], want [N 3 H W]; set In: 8, or leave In out"},
		{"own struct", &Net{Features: dl.Sequential{dl.MaxPool2d{Kernel: 2}}, Head: dl.Linear{In: 10, Out: 2}}, dl.Shape{1, 3, 8, 8},
			"dl: Build: head Linear: input is [1 48], want [N 10]; set In: 48, or leave In out"},
		{"unexported field", &hidden{}, dl.Shape{1, 3}, "dl: Build: field head of hidden holds layers but is not exported, so its weights cannot be found; call it Head"},
		{"layer made in Forward", loose{}, dl.Shape{1, 3}, "dl: Build: Linear: the layer is not part of the model, so it has no weights; make it a field of the struct whose Forward uses it"},
		{"nothing returned", &broken{}, dl.Shape{1, 3}, "dl: Build: broken: Forward returned nil; return the last tensor"},
		{"nil element", dl.Sequential{dl.ReLU{}, nil}, dl.Shape{1, 3}, "dl: Build: layer 1 is nil, want a layer; fill it in or take it out"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := dl.Build(test.net, test.in)
			if err == nil || err.Error() != test.err {
				t.Errorf("error is %v\nwant     %s", err, test.err)
			}
		})
	}
	_, err := dl.Build(dl.Sequential{dl.Linear{In: 4, Out: 2}}, dl.Shape{1, 3})
	var shape *dl.ShapeError
	if !errors.As(err, &shape) || shape.Op != "0 Linear" {
		t.Errorf("error is %#v, want a ShapeError of 0 Linear", err)
	}
}

// TestInitialWeights checks PyTorch's distribution: even in ±1/√fan_in.
func TestInitialWeights(t *testing.T) {
	on(t, "go")
	dl.Seed(5)
	build := func() *dl.Model {
		return must(dl.Build(dl.Sequential{dl.Conv2d{Out: 64, Kernel: 5}, dl.Flatten{}, dl.Linear{Out: 10}}, dl.Shape{1, 4, 9, 9}))
	}
	a, b := build(), build()
	dl.Seed(5)
	c := build()
	w, fan := a.Param("0.weight").Float64s(), 100.0
	low, high, square := 0.0, 0.0, 0.0
	for _, v := range w {
		low, high, square = min(low, v), max(high, v), square+v*v/float64(len(w))
	}
	// 6,400 draws come within 1 % of the ends; the variance is bound²/3, here within 5 %.
	if low > -0.099 || low < -0.1 || high < 0.099 || high > 0.1 || square*3*fan < 0.95 || square*3*fan > 1.05 {
		t.Errorf("weights lie in [%v, %v] with variance %v, want ±0.1 and %v", low, high, square, 1/(3*fan))
	}
	if a.Param("0.weight").Float32s()[0] == b.Param("0.weight").Float32s()[0] {
		t.Error("two models in a row have the same weights")
	}
	if a.Param("2.bias").Float32s()[0] != c.Param("2.bias").Float32s()[0] {
		t.Error("the same seed gave other weights")
	}
}
