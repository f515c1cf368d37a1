package dl_test

import (
	"math"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
)

func TestTensorString(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	tests := []struct {
		tensor *dl.Tensor
		want   string
	}{
		{dl.FromSlice([]float32{-1, 0, 1, 2}, 2, 2), "[2 2] float32 cpu x∈[-1, 2] μ=0.5 σ=1.12"},
		{dl.FromSlice([]float32{1, nan, inf, 3}), "[4] float32 cpu x∈[1, 3] μ=2 σ=1 NaN=1 Inf=1"},
		{dl.FromSlice([]float32{nan, nan}), "[2] float32 cpu NaN=2"},
		{dl.FromSlice([]bool{true, false}), "[2] bool cpu x∈[0, 1] μ=0.5 σ=0.5"},
		{dl.FromSlice([]int{7, 9}), "[2] int64 cpu x∈[7, 9] μ=8 σ=1"},
		{dl.FromSlice([]uint8{}, 0, 3), "[0 3] uint8 cpu empty"},
		{dl.Scalar(2.5), "[] float64 cpu 2.5"},
	}
	for _, test := range tests {
		if got := test.tensor.String(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
	freed := dl.FromSlice([]float32{1})
	freed.Free()
	freed.Free()
	if got, want := freed.String(), "[1] float32 cpu freed"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTensorPanics(t *testing.T) {
	on(t, "go")
	a := dl.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	tests := []struct {
		name string
		f    func()
		err  string
	}{
		{"size", func() { dl.FromSlice([]float32{1, 2, 3}, 2, 2) },
			"dl: FromSlice: input is [2 2], want a shape of 3 values; the product of the axes must be the length of the slice"},
		{"stack", func() { dl.Stack([]*dl.Tensor{a, dl.Scalar(1)}) },
			"dl: Stack: tensor 1: input is [], want [2 3] float32, as the first; resize or crop the pictures to one size"},
		{"stack nothing", func() { dl.Stack(nil) }, "dl: Stack: input is [], want at least one tensor"},
		{"item", func() { a.Item() }, "dl: Item: input is [2 3], want one element; use Float32s for more"},
		{"index", func() { a.Index(2) }, "dl: Index(2): input is [2 3], want a first axis longer than 2"},
		{"add", func() { a.Add(dl.FromSlice([]float32{1, 2})) }, "dl: Add: input is [2 3], want a shape that fits [2]; axes must be equal or 1, from the last on"},
		{"matmul", func() { a.MatMul(a) }, "dl: MatMul: input is [2 3], want [… K] for a [K N] of [2 3]; the last axis must be the other's first"},
		{"matmul of many that do not fit", func() { a.MatMul(a.Expand(2, 2, 3)) }, "dl: MatMul: input is [2 3], want [… K] for a [… K N] of [2 2 3]; the last axis must be the other's last but one"},
		{"matmul of many", func() { a.Expand(2, 2, 3).MatMul(a.Expand(3, 2, 3).Transpose(0, 2, 1)) }, "dl: MatMul: input is [2 2 3], want a shape that fits [3 3 2]; axes must be equal or 1, from the last on"},
		{"axis", func() { a.Softmax(2) }, "dl: Softmax: input is [2 3], want at least 3 axes; axis 2 does not exist"},
		{"reshape", func() { a.Reshape(4, -1) }, "dl: Reshape: input is [2 3], want as many elements as [4 -1]; the input has 6"},
		{"transpose", func() { a.Transpose(0, 0) }, "dl: Transpose: input is [2 3], want 2 axes, for [0 0]; name every axis once"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			defer func() {
				if err, _ := recover().(error); err == nil || err.Error() != test.err {
					t.Errorf("panic with %v\nwant       %s", err, test.err)
				}
			}()
			test.f()
		})
	}
}

func TestTensorFunctions(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		a := dl.FromSlice([]float32{-1, 0, 3, 4, 5, 6}, 2, 3)
		b := dl.FromSlice([]float32{1, 2, 3})
		tests := []struct {
			name string
			got  *dl.Tensor
			want []float32
		}{
			{"relu", a.ReLU(), []float32{0, 0, 3, 4, 5, 6}},
			{"add a row", a.Add(b), []float32{0, 2, 6, 5, 7, 9}},
			{"sub", a.Sub(b), []float32{-2, -2, 0, 3, 3, 3}},
			{"mul", a.Mul(b), []float32{-1, 0, 9, 4, 10, 18}},
			{"div", a.Div(b), []float32{-1, 0, 1, 4, 2.5, 2}},
			{"scale", a.Scale(2), []float32{-2, 0, 6, 8, 10, 12}},
			{"sum", a.Sum(), []float32{17}},
			{"sum of rows", a.Sum(-1), []float32{2, 15}},
			{"mean of columns", a.Mean(0), []float32{1.5, 2.5, 4.5}},
			{"max", a.Max(1), []float32{3, 6}},
			{"argmax", a.Argmax(1), []float32{2, 2}},
			{"transpose", a.Transpose(1, 0), []float32{-1, 4, 0, 5, 3, 6}},
			{"matmul by a vector", a.MatMul(dl.FromSlice([]float32{1, 0, 2})), []float32{5, 16}},
			{"matmul of many", dl.Stack([]*dl.Tensor{a, a.Scale(2)}).MatMul(dl.FromSlice([]float32{1, 0, 2, 1, 1, 1}, 2, 3, 1)), []float32{5, 16, 4, 30}},
			{"matmul of a row by many", b.MatMul(dl.FromSlice([]float32{1, 0, 2, 1, 1, 1}, 2, 3, 1)), []float32{7, 6}},
			{"matmul", a.MatMul(dl.FromSlice([]float32{1, 0, 0, 1, 1, 1}, 3, 2)), []float32{2, 3, 10, 11}},
			{"row", a.Index(1), []float32{4, 5, 6}},
			{"chain on the device", a.ReLU().Flatten().Reshape(6).Sum(0), []float32{18}},
			{"pool", dl.MaxPool2d{Kernel: 2}.Forward(dl.FromSlice([]float32{1, 2, 3, 4}, 1, 1, 2, 2)), []float32{4}},
		}
		for _, test := range tests {
			if got := test.got.Float32s(); !slices.Equal(got, test.want) {
				t.Errorf("%s is %v, want %v", test.name, got, test.want)
			}
		}
		p := a.Softmax(1).Float64s()
		if s := p[0] + p[1] + p[2]; math.Abs(s-1) > 1e-6 || p[2] < 0.9 {
			t.Errorf("softmax is %v", p)
		}
		if text := panicText(func() { dl.Linear{Out: 2}.Forward(a) }); text == "" {
			t.Error("a layer with weights ran without them")
		}
	})
}
