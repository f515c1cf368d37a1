package dl_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// opCases are the operations of testdata/ref/ops.py.
func opCases() map[string]func(x, y *dl.Tensor) *dl.Tensor {
	zeros := dl.FromSlice([]float32{1, 0, -2, 3, 0, 0, 5, 1.5, 2, 2, -0.5, 2.5}, 3, 4)
	index := dl.FromSlice([]int64{3, 0, 1, 1, 2, 0}, 3, 2)
	cube := fill(3, 2, 2, 3, 4)
	float := func(t *dl.Tensor) *dl.Tensor { return t.As(dl.Float32) }
	row := func(t *dl.Tensor, i int) *dl.Tensor { return t.Narrow(0, i, 1).Reshape(-1) }
	above := func(t *dl.Tensor, v float64) *dl.Tensor { return t.Greater(dl.Full(v)) }
	joined := func(axis int, parts []*dl.Tensor) *dl.Tensor {
		for i := range parts {
			parts[i] = parts[i].Scale(float64(i + 1))
		}
		return dl.Concat(axis, parts...)
	}
	return map[string]func(x, y *dl.Tensor) *dl.Tensor{
		"zeros_like":    func(x, y *dl.Tensor) *dl.Tensor { return dl.ZerosLike(x).Add(x) },
		"eye":           func(x, y *dl.Tensor) *dl.Tensor { return dl.Eye(3).MatMul(x) },
		"linspace":      func(x, y *dl.Tensor) *dl.Tensor { return dl.Linspace(-1, 3, 4).Mul(x) },
		"not_equal":     func(x, y *dl.Tensor) *dl.Tensor { return float(x.Round().NotEqual(y.Round())).Mul(x) },
		"greater_equal": func(x, y *dl.Tensor) *dl.Tensor { return float(x.GreaterEqual(y)).Mul(x) },
		"less_equal":    func(x, y *dl.Tensor) *dl.Tensor { return float(x.LessEqual(y)).Mul(x) },
		"logical_and":   func(x, y *dl.Tensor) *dl.Tensor { return float(above(x, 0).LogicalAnd(above(y, 0))).Mul(x) },
		"logical_or":    func(x, y *dl.Tensor) *dl.Tensor { return float(above(x, 0).LogicalOr(above(y, 0))).Mul(x) },
		"logical_not":   func(x, y *dl.Tensor) *dl.Tensor { return float(above(x, 0).LogicalNot()).Mul(x) },
		"any": func(x, y *dl.Tensor) *dl.Tensor {
			return float(above(x, 1.5).Any(1)).Mul(x.Narrow(1, 0, 1).Reshape(-1))
		},
		"all":         func(x, y *dl.Tensor) *dl.Tensor { return float(above(x, -1.5).All(0)).Mul(x) },
		"masked_fill": func(x, y *dl.Tensor) *dl.Tensor { return x.MaskedFill(above(y, 0), -3.5) },
		"flip":        func(x, y *dl.Tensor) *dl.Tensor { return x.Flip(0, 1) },
		"roll":        func(x, y *dl.Tensor) *dl.Tensor { return x.Roll(3, 1).Add(y.Roll(-1, 0)) },
		"split":       func(x, y *dl.Tensor) *dl.Tensor { return joined(1, x.Split(3, 1)) },
		"chunk":       func(x, y *dl.Tensor) *dl.Tensor { return joined(0, x.Chunk(2, 0)) },
		"repeat":      func(x, y *dl.Tensor) *dl.Tensor { return x.Repeat(2, 3, 2) },
		"tril":        func(x, y *dl.Tensor) *dl.Tensor { return x.Tril(1) },
		"triu":        func(x, y *dl.Tensor) *dl.Tensor { return x.Triu(-1) },
		"diag":        func(x, y *dl.Tensor) *dl.Tensor { return x.Diag().Diag().Scale(2) },
		"gather":      func(x, y *dl.Tensor) *dl.Tensor { return x.Gather(1, index) },
		"scatter_add": func(x, y *dl.Tensor) *dl.Tensor { return x.ScatterAdd(1, index, y.Narrow(1, 0, 2)) },
		"argmin":      func(x, y *dl.Tensor) *dl.Tensor { return x.Argmin(1).Reshape(-1, 1).Mul(x) },
		"topk": func(x, y *dl.Tensor) *dl.Tensor {
			v, i := x.TopK(2, 1)
			return v.Mul(i)
		},
		"sort": func(x, y *dl.Tensor) *dl.Tensor {
			v, i := x.Sort(1)
			return v.Mul(i)
		},
		"argsort":         func(x, y *dl.Tensor) *dl.Tensor { return x.Argsort(0).Mul(x) },
		"cumsum":          func(x, y *dl.Tensor) *dl.Tensor { return x.Cumsum(1) },
		"prod":            func(x, y *dl.Tensor) *dl.Tensor { return x.Prod(1) },
		"prod with zeros": func(x, y *dl.Tensor) *dl.Tensor { return zeros.Prod(1).Add(x.Sub(x.Detach()).Add(zeros).Prod(1)) },
		"prod of all":     func(x, y *dl.Tensor) *dl.Tensor { return x.Prod() },
		"ceil":            func(x, y *dl.Tensor) *dl.Tensor { return x.Ceil().Add(x) },
		"round":           func(x, y *dl.Tensor) *dl.Tensor { return x.Round().Add(dl.Full(2.5, 3, 4).Round()).Add(x) },
		"tan":             func(x, y *dl.Tensor) *dl.Tensor { return x.Tan() },
		"erf":             func(x, y *dl.Tensor) *dl.Tensor { return x.Erf() },
		"log1p":           func(x, y *dl.Tensor) *dl.Tensor { return x.Abs().Scale(1e-3).Log1p() },
		"expm1":           func(x, y *dl.Tensor) *dl.Tensor { return x.Scale(1e-4).Expm1().Add(x.Expm1()) },
		"rsqrt":           func(x, y *dl.Tensor) *dl.Tensor { return x.Abs().Shift(1).Rsqrt() },
		"outer":           func(x, y *dl.Tensor) *dl.Tensor { return row(x, 0).Outer(row(y, 1)) },
		"dot":             func(x, y *dl.Tensor) *dl.Tensor { return row(x, 0).Dot(row(y, 1)) },
		"normalize":       func(x, y *dl.Tensor) *dl.Tensor { return x.Normalize(1).Add(x.Scale(0).Normalize(1)) },
		"cosine_similarity": func(x, y *dl.Tensor) *dl.Tensor {
			return x.CosineSimilarity(y, 1)
		},
		"einsum matmul": func(x, y *dl.Tensor) *dl.Tensor { return dl.Einsum("ij,kj->ik", x, y) },
		"einsum batch": func(x, y *dl.Tensor) *dl.Tensor {
			return dl.Einsum("bij, jk -> kbi", cube, dl.Einsum("ij,kj->jk", x, y).Narrow(1, 0, 3))
		},
		"einsum sum":      func(x, y *dl.Tensor) *dl.Tensor { return dl.Einsum("ij,ik->j", x, y) },
		"einsum implicit": func(x, y *dl.Tensor) *dl.Tensor { return dl.Einsum("ij,jk", x, y.Transpose(1, 0)) },
		"einsum diagonal": func(x, y *dl.Tensor) *dl.Tensor { return dl.Einsum("ii,ik->i", x.Narrow(1, 0, 3), y) },
		"einsum three":    func(x, y *dl.Tensor) *dl.Tensor { return dl.Einsum("ij,kj,kl->il", x, y, x) },
		"einsum product":  func(x, y *dl.Tensor) *dl.Tensor { return dl.Einsum("ij,ij->ij", x, y) },
	}
}

// TestOperationsLikePyTorch compares values and gradients with PyTorch's, at once
// and compiled.
func TestOperationsLikePyTorch(t *testing.T) {
	on(t, "go")
	var ref map[string]json.RawMessage
	if err := json.Unmarshal(must(os.ReadFile("testdata/ref/ops.json")), &ref); err != nil {
		t.Fatal(err)
	}
	delete(ref, "torch")
	cases := opCases()
	for name, raw := range ref {
		op := cases[name]
		if op == nil {
			t.Errorf("%s is in ops.json and not in the test", name)
			continue
		}
		delete(cases, name)
		var shape []int
		var value, ofX, ofY []float64
		if err := json.Unmarshal(raw, &[]any{&shape, &value, &ofX, &ofY}); err != nil {
			t.Fatal(err)
		}
		run := func(x, y *dl.Tensor) (*dl.Tensor, *dl.Tensor, *dl.Tensor) {
			x, y = x.RequiresGrad(), y.RequiresGrad()
			out := op(x, y)
			out.Mul(fill(7, 1, out.Shape()...)).Sum().Backward()
			grad := func(t *dl.Tensor) *dl.Tensor {
				if t.Grad() == nil {
					return dl.ZerosLike(t)
				}
				return t.Grad()
			}
			return out, grad(x), grad(y)
		}
		for how, f := range map[string]func(x, y *dl.Tensor) (a, b, c *dl.Tensor){"at once": run, "compiled": dl.Compile(run).Call} {
			out, gx, gy := f(fill(1, 2, 3, 4), fill(2, 2, 3, 4))
			if !slices.Equal(out.Shape(), shape) {
				t.Errorf("%s %s has the shape %v, want %v", name, how, out.Shape(), shape)
			}
			// float32, and some results are sums of a few dozen products.
			near(t, name+" "+how, brief(out), value, 2e-6)
			near(t, name+" "+how+", gradient of x", brief(gx), ofX, 5e-6)
			near(t, name+" "+how+", gradient of y", brief(gy), ofY, 5e-6)
		}
	}
	for name := range cases {
		t.Errorf("%s is not in ops.json", name)
	}
}

// TestOperationErrors shows what wrong arguments are answered.
func TestOperationErrors(t *testing.T) {
	on(t, "go")
	x, i := fill(1, 1, 2, 3), dl.FromSlice([]int64{0, 3}, 1, 2)
	for _, tt := range []struct {
		f    func()
		want string
	}{
		{func() { x.Gather(1, i) }, "dl: Gather: number 1 of the index is 3, want 0 to 2"},
		{func() { x.IndexSelect(0, dl.FromSlice([]int64{0, 2})) }, "dl: IndexSelect: number 1 of the index is 2, want 0 to 1"},
		{func() { dl.Compile(func(x, i *dl.Tensor) *dl.Tensor { return x.Gather(1, i) }).Call(x, i) }, "dl: compiled function: Gather: number 1 of the index is 3, want 0 to 2"},
		{func() { x.Gather(1, x) }, "dl: Gather: the index is [2 3] float32, want integers with as many axes as the tensor, which is [2 3]"},
		{func() { x.ScatterAdd(1, i, x) }, "dl: ScatterAdd: input is [2 3], want [1 2], as the index"},
		{func() { x.TopK(4, 1) }, "dl: TopK: k is 4, want 1 to 3, the length of axis 1"},
		{func() { x.Repeat(2) }, "dl: Repeat: input is [2 3], want at most as many axes as the numbers [2], which are 0 or more"},
		{func() { x.Split(0, 1) }, "dl: Split: the length of a part is 0, want above 0"},
		{func() { x.Chunk(0, 1) }, "dl: Chunk: the number of parts is 0, want above 0"},
		{func() { x.MaskedFill(x, 1) }, "dl: MaskedFill: the mask is [2 3] float32, want bools; make them with x.Greater(y), x.Equal(y) or x.Less(y)"},
		{func() { x.Sum().Tril(0) }, "dl: Tril: input is [], want matrices [… M N]"},
		{func() { x.Outer(x) }, "dl: Outer: input is [2 3], want [M], for a [N] of [2 3]"},
		{func() { x.Dot(x) }, "dl: Dot: input is [2 3], want [N], as the other tensor, which is [2 3]"},
		{func() { x.Flip(2) }, "dl: Flip: input is [2 3], want at least 3 axes; axis 2 does not exist"},
		{func() { dl.Einsum("ij,jk->ik", x) }, `dl: Einsum("ij,jk->ik"): the equation is for 2 tensors, got 1`},
		{func() { dl.Einsum("ij,jk->ik", x, x) }, `dl: Einsum("ij,jk->ik"): axis j is 3 in one tensor and 2 in tensor 2`},
		{func() { dl.Einsum("i->i", x) }, `dl: Einsum("i->i"): tensor 1 is [2 3], want 1 axes, for i`},
		{func() { dl.Einsum("ij->k", x) }, `dl: Einsum("ij->k"): axis k of the result is in no tensor, or twice in the result`},
		{func() { dl.RandInt(3, 3, 2) }, "dl: RandInt: low is 3 and high 3, want low below high by at most 2³¹; high itself is not drawn"},
	} {
		got := panics(tt.f)
		if got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// panics returns the text of the error that f panics with.
func panics(f func()) (text string) {
	defer func() {
		if err, ok := recover().(error); ok {
			text = err.Error()
		}
	}()
	f()
	return ""
}

// TestRandInt draws each number, and no other, about equally often; a seed gives
// the same again.
func TestRandInt(t *testing.T) {
	on(t, "go")
	draw := dl.Compile(func() *dl.Tensor { return dl.RandInt(-2, 5, 7000) })
	dl.Seed(5)
	first := dl.RandInt(-2, 5, 7000).Int64s()
	for _, values := range [][]int64{first, draw.Call().Int64s()} {
		count := map[int64]int{}
		for _, v := range values {
			count[v]++
		}
		for v := int64(-2); v < 5; v++ {
			if math.Abs(float64(count[v]-1000)) > 150 { // five deviations
				t.Errorf("%d was drawn %d times of 7000, want about 1000", v, count[v])
			}
		}
		if len(count) != 7 {
			t.Errorf("drew %d different numbers, want 7", len(count))
		}
	}
	dl.Seed(5)
	if again := dl.RandInt(-2, 5, 7000).Int64s(); !slices.Equal(first, again) {
		t.Error("the same seed gives other numbers")
	}
}
