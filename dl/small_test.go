package dl_test

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holt-dl/holt/dl"
)

// Operations on small tensors run in Go. These tests run each of them as a part of a
// program of XLA's too, and compare.

// inBoth runs functions of some tensors in Go and in one program of XLA's, with the
// gradients of the sum of their values for the floating-point inputs, and compares.
// Nothing may be compiled for the former.
func inBoth(t *testing.T, tolerance float64, names []string, fs []func(x []*dl.Tensor) *dl.Tensor, xs ...*dl.Tensor) {
	t.Helper()
	on(t, "cpu")
	type answer struct{ Values, Gradients []*dl.Tensor }
	all := func(xs []*dl.Tensor) (a answer) {
		var floats []*dl.Tensor
		for _, x := range xs {
			if x.DType().IsFloat() {
				floats = append(floats, x.RequiresGrad())
			}
		}
		for i, f := range fs {
			for _, x := range floats {
				x.ZeroGrad()
			}
			func() {
				defer func() {
					if r := recover(); r != nil {
						panic(fmt.Errorf("%s: %v", names[i], r))
					}
				}()
				y := f(xs)
				a.Values = append(a.Values, y)
				// The weights set the elements apart.
				if y.DType().IsFloat() && len(floats) > 0 {
					weights := dl.FromSlice(sequence(y.Size()), y.Shape()...).As(y.DType())
					total := y.Mul(weights).Sum()
					func() {
						defer func() {
							if r := recover(); r != nil && !errors.Is(r.(error), nil) {
								a.Gradients = append(a.Gradients, make([]*dl.Tensor, len(floats))...)
							}
						}()
						total.Backward()
						for _, x := range floats {
							a.Gradients = append(a.Gradients, x.Grad())
						}
					}()
				} else {
					a.Gradients = append(a.Gradients, make([]*dl.Tensor, len(floats))...)
				}
			}()
		}
		return a
	}
	want := dl.Compile(all).Call(xs)
	before := dl.Compilations()
	fresh := make([]*dl.Tensor, len(xs))
	for i, x := range xs {
		fresh[i] = x.Detach()
	}
	got := all(fresh)
	if n := dl.Compilations() - before; n > 0 {
		t.Errorf("%d compilations at once, want none", n)
	}
	n := len(want.Gradients) / len(fs)
	for i, name := range names {
		least := 1e-37
		// XLA's max(0, -0) depends on the order, and its extremes overlook NaN; ours are NaN then,
		// as PyTorch's.
		looseExtremes := slices.Contains([]string{"ReLU", "Maximum", "Minimum", "Max", "Min", "Argmax 0"}, name)
		if strings.HasPrefix(name, "GELU") {
			least = 1e-6 // 1 + erf(x) loses digits
		}
		if diff := difference(got.Values[i], want.Values[i], tolerance, least, looseExtremes); diff != "" {
			t.Errorf("%s of %v: %s", name, xs, diff)
		}
		for j := range n {
			a, b := got.Gradients[i*n+j], want.Gradients[i*n+j]
			switch {
			case a == nil && b == nil:
			case a == nil || b == nil:
				// A value that no gradient goes through has none at once, and zeros in a program, or the other way round.
				for _, g := range []*dl.Tensor{a, b} {
					if g != nil && g.Abs().Sum().Item() != 0 {
						t.Errorf("%s: gradient %d is %v in Go, %v by XLA", name, j, a, b)
					}
				}
			default:
				if diff := difference(a, b, tolerance, 2e-5, true); diff != "" {
					t.Errorf("%s of %v: gradient %d: %s", name, xs, j, diff)
				}
			}
		}
	}
}

func sequence(n int) []float32 {
	w := make([]float32, n)
	for i := range w {
		w[i] = float32(i%7) - 2.5
	}
	return w
}

// difference says how a result in Go differs from XLA's by more than a share, or than
// the least that counts. A negative tolerance is a share of the largest number.
func difference(got, want *dl.Tensor, tolerance, least float64, looseExtremes bool) string {
	if got.DType() != want.DType() || !dl.Shape(got.Shape()).Equal(want.Shape()) {
		return fmt.Sprintf("%v %v in Go, %v %v by XLA", got.Shape(), got.DType(), want.Shape(), want.DType())
	}
	a, b := got.Float64s(), want.Float64s()
	hasNaN := slices.ContainsFunc(a, math.IsNaN) || !got.DType().IsFloat()
	largest := 0.0 // of a sum's terms, roughly
	for _, v := range b {
		if !math.IsInf(v, 0) && !math.IsNaN(v) {
			largest = max(largest, math.Abs(v))
		}
	}
	if tolerance >= 0 {
		largest = 0
	}
	for i := range a {
		switch {
		case math.IsNaN(a[i]) && math.IsNaN(b[i]):
		case looseExtremes && hasNaN:
		case a[i] == b[i] && (math.Signbit(a[i]) == math.Signbit(b[i]) || tolerance < 0 || looseExtremes):
		case got.DType().IsFloat() && math.Abs(a[i]-b[i]) <= math.Abs(tolerance)*max(math.Abs(b[i]), largest)+least && a[i] != b[i]:
		default:
			return fmt.Sprintf("number %d is %v in Go, %v by XLA", i, a[i], b[i])
		}
	}
	return ""
}

// Of one value, of any floating-point type.
var smallUnary = map[string]func(x *dl.Tensor) *dl.Tensor{
	"ReLU":       (*dl.Tensor).ReLU,
	"LeakyReLU":  func(x *dl.Tensor) *dl.Tensor { return x.LeakyReLU(0.1) },
	"ELU":        func(x *dl.Tensor) *dl.Tensor { return x.ELU(1) },
	"GELU":       (*dl.Tensor).GELU,
	"GELUTanh":   (*dl.Tensor).GELUTanh,
	"SiLU":       (*dl.Tensor).SiLU,
	"Sigmoid":    (*dl.Tensor).Sigmoid,
	"Tanh":       (*dl.Tensor).Tanh,
	"Exp":        (*dl.Tensor).Exp,
	"Log":        (*dl.Tensor).Log,
	"Sqrt":       (*dl.Tensor).Sqrt,
	"Neg":        (*dl.Tensor).Neg,
	"Abs":        (*dl.Tensor).Abs,
	"Square":     (*dl.Tensor).Square,
	"Pow":        func(x *dl.Tensor) *dl.Tensor { return x.Pow(3) },
	"Pow half":   func(x *dl.Tensor) *dl.Tensor { return x.Pow(0.5) },
	"Pow -1.5":   func(x *dl.Tensor) *dl.Tensor { return x.Pow(-1.5) },
	"Scale":      func(x *dl.Tensor) *dl.Tensor { return x.Scale(-1.7) },
	"Shift":      func(x *dl.Tensor) *dl.Tensor { return x.Shift(0.3) },
	"Clamp":      func(x *dl.Tensor) *dl.Tensor { return x.Clamp(-0.5, 0.7) },
	"Sin":        (*dl.Tensor).Sin,
	"Cos":        (*dl.Tensor).Cos,
	"Sign":       (*dl.Tensor).Sign,
	"Floor":      (*dl.Tensor).Floor,
	"Reciprocal": (*dl.Tensor).Reciprocal,
	"Softplus":   (*dl.Tensor).Softplus,
	"to int64":   func(x *dl.Tensor) *dl.Tensor { return x.As(dl.Int64) },
	"to int32":   func(x *dl.Tensor) *dl.Tensor { return x.As(dl.Int32) },
	"to uint8":   func(x *dl.Tensor) *dl.Tensor { return x.As(dl.Uint8) },
	"to bool":    func(x *dl.Tensor) *dl.Tensor { return x.As(dl.Bool) },
	"to float64": func(x *dl.Tensor) *dl.Tensor { return x.As(dl.Float64) },
	"to float32": func(x *dl.Tensor) *dl.Tensor { return x.As(dl.Float32) },
	"Ceil":       (*dl.Tensor).Ceil,
	"Round":      (*dl.Tensor).Round,
	"Erf":        (*dl.Tensor).Erf,
	"Log1p":      (*dl.Tensor).Log1p,
	"Expm1":      (*dl.Tensor).Expm1,
	"Rsqrt":      (*dl.Tensor).Rsqrt,
	"IsNaN":      (*dl.Tensor).IsNaN,
}

// Of two values.
var smallBinary = map[string]func(x, y *dl.Tensor) *dl.Tensor{
	"Add":          (*dl.Tensor).Add,
	"Sub":          (*dl.Tensor).Sub,
	"Mul":          (*dl.Tensor).Mul,
	"Div":          (*dl.Tensor).Div,
	"Maximum":      (*dl.Tensor).Maximum,
	"Minimum":      (*dl.Tensor).Minimum,
	"Equal":        (*dl.Tensor).Equal,
	"Greater":      (*dl.Tensor).Greater,
	"Less":         (*dl.Tensor).Less,
	"NotEqual":     (*dl.Tensor).NotEqual,
	"GreaterEqual": (*dl.Tensor).GreaterEqual,
	"LessEqual":    (*dl.Tensor).LessEqual,
	"logic": func(x, y *dl.Tensor) *dl.Tensor {
		return x.LogicalAnd(y).LogicalOr(x.Greater(y)).LogicalNot()
	},
	"Where": func(x, y *dl.Tensor) *dl.Tensor { return dl.Where(x.Greater(y), x, y) },
}

// Of a matrix: what moves values and what adds them up.
var smallMatrix = map[string]func(x *dl.Tensor) *dl.Tensor{
	"Softmax":      func(x *dl.Tensor) *dl.Tensor { return x.Softmax(1) },
	"Softmax 0":    func(x *dl.Tensor) *dl.Tensor { return x.Softmax(0) },
	"LogSoftmax":   func(x *dl.Tensor) *dl.Tensor { return x.LogSoftmax(-1) },
	"LogSumExp":    func(x *dl.Tensor) *dl.Tensor { return x.LogSumExp(1) },
	"Argmax":       func(x *dl.Tensor) *dl.Tensor { return x.Argmax(1) },
	"Argmax 0":     func(x *dl.Tensor) *dl.Tensor { return x.Argmax(0) },
	"Sum":          func(x *dl.Tensor) *dl.Tensor { return x.Sum() },
	"Sum 0":        func(x *dl.Tensor) *dl.Tensor { return x.Sum(0) },
	"Sum 1":        func(x *dl.Tensor) *dl.Tensor { return x.Sum(1) },
	"Mean":         func(x *dl.Tensor) *dl.Tensor { return x.Mean() },
	"Mean 0":       func(x *dl.Tensor) *dl.Tensor { return x.Mean(0) },
	"Var":          func(x *dl.Tensor) *dl.Tensor { return x.Var(1) },
	"Std":          func(x *dl.Tensor) *dl.Tensor { return x.Std() },
	"Norm":         func(x *dl.Tensor) *dl.Tensor { return x.Norm(0) },
	"Max":          func(x *dl.Tensor) *dl.Tensor { return x.Max(1) },
	"Min":          func(x *dl.Tensor) *dl.Tensor { return x.Min() },
	"Transpose":    func(x *dl.Tensor) *dl.Tensor { return x.Transpose(1, 0) },
	"of transpose": func(x *dl.Tensor) *dl.Tensor { return x.Transpose(1, 0).Exp().Reshape(-1) },
	"Reshape":      func(x *dl.Tensor) *dl.Tensor { return x.Reshape(x.Dim(1), x.Dim(0)) },
	"Flatten":      (*dl.Tensor).Flatten,
	"Narrow":       func(x *dl.Tensor) *dl.Tensor { return x.Narrow(1, 1, 2) },
	"Narrow 0":     func(x *dl.Tensor) *dl.Tensor { return x.Narrow(0, 1, 1).Squeeze(0) },
	"Unsqueeze":    func(x *dl.Tensor) *dl.Tensor { return x.Unsqueeze(1) },
	"Expand":       func(x *dl.Tensor) *dl.Tensor { return x.Unsqueeze(0).Expand(3, -1, -1) },
	"Concat":       func(x *dl.Tensor) *dl.Tensor { return dl.Concat(1, x, x.Scale(2)) },
	"Concat 0":     func(x *dl.Tensor) *dl.Tensor { return dl.Concat(0, x, x.Scale(2), x) },
	"rows": func(x *dl.Tensor) *dl.Tensor {
		return x.IndexSelect(0, dl.FromSlice([]int64{1, 0, 1, 1}))
	},
	"columns": func(x *dl.Tensor) *dl.Tensor {
		return x.IndexSelect(1, dl.FromSlice([]int64{2, 0, 2}))
	},
	"MatMul": func(x *dl.Tensor) *dl.Tensor { return x.MatMul(x.Transpose(1, 0)) },
	"MatMul 2": func(x *dl.Tensor) *dl.Tensor {
		return x.Transpose(1, 0).MatMul(x)
	},
	"BMM":                   func(x *dl.Tensor) *dl.Tensor { return x.Unsqueeze(0).BMM(x.Transpose(1, 0).Unsqueeze(0)) },
	"rows minus their mean": func(x *dl.Tensor) *dl.Tensor { return x.Sub(x.Mean(1).Unsqueeze(1)) },
	"MSELoss":               func(x *dl.Tensor) *dl.Tensor { return x.Loss(dl.MSELoss{}, x.Detach().Scale(0.5)) },
	"Any":                   func(x *dl.Tensor) *dl.Tensor { return x.Greater(dl.Scalar(float32(1))).Any(1) },
	"All":                   func(x *dl.Tensor) *dl.Tensor { return x.Less(dl.Scalar(float32(1))).All() },
	"MaskedFill":            func(x *dl.Tensor) *dl.Tensor { return x.MaskedFill(x.Greater(x.Neg()), -3) },
	"Flip":                  func(x *dl.Tensor) *dl.Tensor { return x.Flip(1) },
	"Roll":                  func(x *dl.Tensor) *dl.Tensor { return x.Roll(1, 0) },
	"Split":                 func(x *dl.Tensor) *dl.Tensor { return x.Split(2, 1)[1] },
	"Repeat":                func(x *dl.Tensor) *dl.Tensor { return x.Repeat(2, 3) },
	"Tril":                  func(x *dl.Tensor) *dl.Tensor { return x.Tril(0) },
	"Stack":                 func(x *dl.Tensor) *dl.Tensor { return dl.Stack([]*dl.Tensor{x, x.Neg()}) },
	"Index":                 func(x *dl.Tensor) *dl.Tensor { return x.Index(1) },
	"Gather":                func(x *dl.Tensor) *dl.Tensor { return x.Gather(1, dl.FromSlice([]int64{2, 0, 1, 1}, 2, 2)) },
	"Cumsum":                func(x *dl.Tensor) *dl.Tensor { return x.Cumsum(1) },
	"Prod":                  func(x *dl.Tensor) *dl.Tensor { return x.Scale(0.3).Prod(1) },
	"L1Loss":                func(x *dl.Tensor) *dl.Tensor { return x.Loss(dl.L1Loss{}, x.Detach().Scale(0.5)) },
	"SmoothL1Loss": func(x *dl.Tensor) *dl.Tensor {
		return x.Loss(dl.SmoothL1Loss{Reduction: "none"}, x.Detach().Scale(0.5).Shift(0.1))
	},
	"BCEWithLogitsLoss": func(x *dl.Tensor) *dl.Tensor {
		return x.Loss(dl.BCEWithLogitsLoss{}, x.Detach().Sigmoid())
	},
}

func ofOne[F func(x *dl.Tensor) *dl.Tensor](m map[string]F) (names []string, fs []func(x []*dl.Tensor) *dl.Tensor) {
	for name, f := range m {
		names, fs = append(names, name), append(fs, func(x []*dl.Tensor) *dl.Tensor { return f(x[0]) })
	}
	return names, fs
}

func ofTwo(m map[string]func(x, y *dl.Tensor) *dl.Tensor) (names []string, fs []func(x []*dl.Tensor) *dl.Tensor) {
	for name, f := range m {
		names, fs = append(names, name), append(fs, func(x []*dl.Tensor) *dl.Tensor { return f(x[0], x[1]) })
	}
	return names, fs
}

var inf, nan = float32(math.Inf(1)), float32(math.NaN())

// special are floating-point numbers at which functions differ.
var special = []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, 2, -2, 0.7, -0.7, 1e-3, -1e-3, 3.5, -3.5, 10, -10, 20, -20, 80, -80, 100, -100,
	1e5, -1e5, 1e-6, -1e-6, 1e-30, -1e-30, 1e30, -1e30, 3e38, -3e38, 255, 256, 300, -300, 3e9, -3e9, 1e19, -1e19, inf, -inf, nan, 5, 6, 7, 8}

func TestSmallUnary(t *testing.T) {
	names, fs := ofOne(smallUnary)
	var others []string
	var theirs []func(x []*dl.Tensor) *dl.Tensor
	for i, name := range names {
		if !strings.HasPrefix(name, "GELU") { // XLA's GELU of -1e5 is -0.009
			others, theirs = append(others, name), append(theirs, fs[i])
		}
	}
	inBoth(t, 2e-5, others, theirs, dl.FromSlice(append(fill(1, 6, 100).Float32s(), special...)))
	gelu := []func(x []*dl.Tensor) *dl.Tensor{
		func(x []*dl.Tensor) *dl.Tensor { return x[0].GELU() },
		func(x []*dl.Tensor) *dl.Tensor { return x[0].GELUTanh() },
	}
	inBoth(t, 2e-5, []string{"GELU", "GELUTanh"}, gelu, fill(1, 6, 5, 3, 7))
	inBoth(t, 2e-5, []string{"GELU", "GELUTanh"}, gelu, dl.Scalar(float32(0.3)))
	inBoth(t, 2e-5, names, fs, fill(1, 4, 5, 3, 7).As(dl.Float64))
}

func TestSmallBinary(t *testing.T) {
	names, fs := ofTwo(smallBinary)
	n := len(special)
	inBoth(t, 2e-5, names, fs, dl.FromSlice(special, n, 1), dl.FromSlice(special, 1, n)) // each with each
	for _, pair := range [][2]dl.Shape{{{2, 1, 3}, {4, 1}}, {{}, {2, 300}}, {{5, 1}, {1, 1}}} {
		x, y := fill(1, 2, pair[0]...), fill(2, 2, pair[1]...)
		inBoth(t, -2e-5, names, fs, x, y)
	}
	inBoth(t, 1e-12, names, fs, fill(1, 2, 3, 5).As(dl.Float64), fill(2, 2, 5).As(dl.Float64))
	inBoth(t, 2e-5, names, fs, dl.FromSlice([]int64{1, -2, 3}), fill(2, 2, 2, 3)) // of two types
}

// TestSmallIntegers has overflow and division by zero.
func TestSmallIntegers(t *testing.T) {
	two := map[string]func(x, y *dl.Tensor) *dl.Tensor{}
	for name, f := range smallBinary {
		two[name] = f
	}
	names, fs := ofTwo(two)
	for _, name := range []string{"Abs", "Square", "Sign", "Neg", "to float32", "to float64", "to int64", "to int32", "to uint8", "to bool"} {
		if f := smallUnary[name]; f != nil {
			names, fs = append(names, name), append(fs, func(x []*dl.Tensor) *dl.Tensor { return f(x[0]) })
		}
	}
	for _, name := range []string{"Sum", "Sum 0", "Max", "Min", "Argmax", "Transpose", "MatMul", "Concat", "rows"} {
		f := smallMatrix[name]
		names, fs = append(names, name), append(fs, func(x []*dl.Tensor) *dl.Tensor { return f(x[0]) })
	}
	wide := []int64{0, 1, -1, 2, 7, -7, math.MaxInt64, math.MinInt64, 1 << 40, -1 << 40, 255, 256}
	narrow := []int32{0, 1, -1, 2, 7, -7, math.MaxInt32, math.MinInt32, 1 << 20, -1 << 20, 255, 256}
	inBoth(t, 1e-6, names, fs, dl.FromSlice(wide, 12, 1).Expand(12, 3), dl.FromSlice(wide, 12, 1, 1))
	inBoth(t, 1e-6, names, fs, dl.FromSlice(narrow, 12, 1).Expand(12, 3), dl.FromSlice(narrow, 12, 1, 1))
	var unsigned []func(x []*dl.Tensor) *dl.Tensor
	var theirs []string
	for i, name := range names {
		if name != "Neg" && name != "MatMul" && name != "Sign" && name != "Abs" { // for these XLA has no bytes
			theirs, unsigned = append(theirs, name), append(unsigned, fs[i])
		}
	}
	bytes := []uint8{0, 1, 2, 7, 100, 200, 254, 255}
	inBoth(t, 1e-6, theirs, unsigned, dl.FromSlice(bytes, 8, 1).Expand(8, 3), dl.FromSlice(bytes, 8, 1, 1))
	flags := dl.FromSlice([]bool{true, false, true, true, false, false}, 2, 3)
	inBoth(t, 0, []string{"Concat", "Transpose", "Where", "to float32"}, []func(x []*dl.Tensor) *dl.Tensor{
		func(x []*dl.Tensor) *dl.Tensor { return dl.Concat(0, x[0], x[0]) },
		func(x []*dl.Tensor) *dl.Tensor { return x[0].Transpose(1, 0) },
		func(x []*dl.Tensor) *dl.Tensor { return dl.Where(x[0], dl.Scalar(int32(3)), dl.Scalar(int32(4))) },
		func(x []*dl.Tensor) *dl.Tensor { return x[0].As(dl.Float32) },
	}, flags)
}

func TestSmallMatrices(t *testing.T) {
	names, fs := ofOne(smallMatrix)
	for _, shape := range []dl.Shape{{5, 4}, {2, 200}} {
		inBoth(t, -2e-5, names, fs, fill(3, 3, shape...))
	}
	with := append([]float32{}, special[:24]...)
	with[5], with[10], with[17] = nan, inf, -inf
	inBoth(t, -2e-5, names, fs, dl.FromSlice(with, 4, 6))
}

// TestSmallEmpty runs everything on a tensor without elements: the values, or the message, must be those
// of XLA's way.
func TestSmallEmpty(t *testing.T) {
	on(t, "cpu")
	names, fs := ofOne(smallUnary)
	more, others := ofOne(smallMatrix)
	pairs, ofPairs := ofTwo(smallBinary)
	names, fs = append(append(names, more...), pairs...), append(append(fs, others...), ofPairs...)
	x := dl.FromSlice([]float32{}, 0, 3)
	run := func(f func(x []*dl.Tensor) *dl.Tensor, xla bool) (y *dl.Tensor, message string) {
		dl.AlwaysXLA(xla)
		defer dl.AlwaysXLA(false)
		defer func() {
			if r := recover(); r != nil {
				message = fmt.Sprint(r)
			}
		}()
		y = f([]*dl.Tensor{x, x})
		y.Float32s()
		return y, ""
	}
	for i, name := range names {
		got, why := run(fs[i], false)
		want, whyNot := run(fs[i], true)
		if why != whyNot {
			t.Errorf("%s: %q in Go, %q by XLA", name, why, whyNot)
		} else if want != nil && why == "" {
			if diff := difference(got, want, 0, 0, true); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
}

// TestSmallLayers runs layers and losses with labels, in float32.
func TestSmallLayers(t *testing.T) {
	labels, targets := dl.FromSlice([]int64{1, 0, 3, 2}), fill(5, 1, 4, 4).Softmax(1)
	ids := dl.FromSlice([]int64{3, 0, 3, 1, 5, 5}, 2, 3)
	inBoth(t, -2e-5, []string{"Linear", "Linear without bias", "CrossEntropy", "weighted", "soft", "NLLLoss", "Embedding", "OneHot", "KLDivLoss"}, []func(x []*dl.Tensor) *dl.Tensor{
		func(x []*dl.Tensor) *dl.Tensor { return x[0].Linear(x[1], x[2]) },
		func(x []*dl.Tensor) *dl.Tensor { return x[0].Linear(x[1], nil) },
		func(x []*dl.Tensor) *dl.Tensor { return x[0].CrossEntropy(labels) },
		func(x []*dl.Tensor) *dl.Tensor {
			return x[0].Loss(dl.CrossEntropyLoss{Weight: []float64{1, 2, 3, 4}, LabelSmoothing: 0.1, IgnoreIndex: new(3)}, labels)
		},
		func(x []*dl.Tensor) *dl.Tensor { return x[0].CrossEntropy(targets) },
		func(x []*dl.Tensor) *dl.Tensor { return x[0].LogSoftmax(1).Loss(dl.NLLLoss{}, labels) },
		func(x []*dl.Tensor) *dl.Tensor { return ids.Embedding(x[1]) },
		func(x []*dl.Tensor) *dl.Tensor { return ids.OneHot(6) },
		func(x []*dl.Tensor) *dl.Tensor {
			return x[0].LogSoftmax(1).Loss(dl.KLDivLoss{Reduction: "batchmean"}, targets)
		},
	}, fill(1, 1, 4, 4), fill(2, 1, 6, 4), fill(3, 1, 6))
}

// TestSmallRandom draws the same numbers in Go and by XLA.
func TestSmallRandom(t *testing.T) {
	on(t, "cpu")
	ones := dl.Full(1, 40, 25)
	draw := func(xla bool) []*dl.Tensor {
		dl.AlwaysXLA(xla)
		defer dl.AlwaysXLA(false)
		dl.Seed(7)
		return []*dl.Tensor{dl.Rand(3, 50), dl.Randn(3, 50), ones.Dropout(0.3)}
	}
	got, want := draw(false), draw(true)
	for i := range got {
		if diff := difference(got[i], want[i], -1e-5, 0, true); diff != "" {
			t.Error(diff)
		}
	}
}

// TestSmallLayersAtOnce runs built layers at once, in Go and by XLA: their weights' gradients too.
func TestSmallLayersAtOnce(t *testing.T) {
	on(t, "cpu")
	net := dl.Sequential{dl.Linear{Out: 8}, dl.LayerNorm{}, dl.GELU{}, dl.Dropout{P: 0.5}, dl.BatchNorm1d{}, dl.Linear{Out: 3}}
	model := must(dl.Build(net, dl.Shape{5, 4}))
	x, labels := fill(1, 1, 5, 4), dl.FromSlice([]int64{0, 1, 2, 0, 1})
	run := func(xla bool) (all []*dl.Tensor) {
		dl.AlwaysXLA(xla)
		defer dl.AlwaysXLA(false)
		dl.Seed(3)
		opt := dl.Adam{LR: 1e-3}.For(model)
		opt.ZeroGrad()
		loss := model.Call(x).CrossEntropy(labels)
		loss.Backward()
		all = append(all, loss)
		for _, p := range opt.Params() {
			all = append(all, p.Grad())
		}
		return all
	}
	got, want := run(false), run(true)
	for i := range got {
		if diff := difference(got[i], want[i], -2e-5, 0, true); diff != "" {
			t.Errorf("%d: %s", i, diff)
		}
	}
}

// TestSmallSteps trains small networks in Go, where nothing is compiled, and by XLA: with momentum,
// with random numbers, clipping and a last batch that is filled up, and with gradients of two
// batches that are added up.
func TestSmallSteps(t *testing.T) {
	on(t, "cpu")
	labels := dl.FromSlice([]int64{0, 1, 2, 0, 1})
	whole := dl.Batch{Inputs: fill(1, 1, 5, 48), Labels: labels}
	part := dl.Batch{Inputs: fill(2, 1, 3, 48), Labels: labels.Narrow(0, 0, 3)}
	for _, tt := range []struct {
		name    string
		net     dl.Sequential
		rule    dl.Optimizer
		options dl.Options
	}{
		{"momentum", dl.Sequential{dl.Linear{Out: 32}, dl.ReLU{}, dl.Linear{Out: 3}}, dl.SGD{LR: 0.1, Momentum: 0.9}, dl.Options{}},
		{"dropout", dl.Sequential{dl.Linear{Out: 32}, dl.Tanh{}, dl.Dropout{P: 0.3}, dl.Linear{Out: 3}}, dl.Adam{LR: 1e-3}, dl.Options{ClipNorm: 1}},
		{"added up", dl.Sequential{dl.Linear{Out: 32}, dl.ReLU{}, dl.Linear{Out: 3}}, dl.SGD{LR: 0.1}, dl.Options{Accumulate: 2}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			train := func(xla bool) (losses []float64, weights dl.StateDict) {
				dl.AlwaysXLA(xla)
				defer dl.AlwaysXLA(false)
				dl.Seed(3)
				m := must(dl.Build(tt.net, whole.Inputs.Shape()))
				step := dl.TrainStep(m, nil, tt.rule).With(tt.options)
				for i := range 6 {
					batch := whole
					if i%2 != 0 {
						batch = part
					}
					losses = append(losses, must(step.Run(batch)).Loss)
				}
				return losses, m.StateDict()
			}
			before := dl.Compilations()
			losses, weights := train(false)
			if n := dl.Compilations() - before; n > 0 {
				t.Errorf("%d compilations, want none", n)
			}
			want, others := train(true)
			if dl.Compilations() == before {
				t.Error("XLA's training compiles nothing")
			}
			for i, loss := range losses {
				if !(math.Abs(loss-want[i]) <= 1e-5) {
					t.Errorf("loss %d is %v in Go, %v by XLA", i, loss, want[i])
				}
			}
			for name, w := range weights {
				if diff := difference(w, others[name], -2e-5, 0, true); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
		})
	}
}

// TestSmallStepsRepeat trains twice, and once with a break, in which XLA predicts with the weights:
// all have the same bits.
func TestSmallStepsRepeat(t *testing.T) {
	on(t, "cpu")
	batch := dl.Batch{Inputs: fill(1, 1, 4, 700), Labels: dl.FromSlice([]int64{0, 1, 1, 0})}
	begin := func() (*dl.Model, *dl.Step) {
		dl.Seed(3)
		m := must(dl.Build(dl.Sequential{dl.Linear{Out: 192}, dl.ReLU{}, dl.Linear{Out: 2}}, batch.Inputs.Shape()))
		return m, dl.TrainStep(m, nil, dl.SGD{LR: 0.01})
	}
	first, s := begin()
	before := dl.Compilations()
	runs(s, batch, 8)
	if n := dl.Compilations() - before; n > 0 && runtime.GOARCH == "amd64" { // others have no quick loops
		t.Errorf("%d compilations, want none", n)
	}
	sameBits(t, first, begin, batch, 4)
}

// TestSmallIsQuick wants a new shape of an operation within a millisecond, and its
// gradient, of the processor's time at its best.
func TestSmallIsQuick(t *testing.T) {
	on(t, "cpu")
	w := fill(2, 1, 16, 32).RequiresGrad()
	best := time.Hour
	before := dl.Compilations()
	for n := 10; n < 60; n++ {
		x := fill(1, 1, n, 32)
		began := time.Now()
		x.Linear(w, nil).LogSoftmax(1).Mean().Backward()
		best = min(best, time.Since(began))
	}
	if n := dl.Compilations() - before; n > 0 {
		t.Errorf("%d compilations, want none", n)
	}
	t.Logf("three operations and their gradients in a new shape: %v", best)
	if best > 10*time.Millisecond {
		t.Errorf("three operations and their gradients in a new shape take %v at their best, want some hundreds of microseconds", best)
	}
}

// TestSmallWide joins many tensors, another number of them in each round, more often than
// such programs are kept, and finds gradients through that.
func TestSmallWide(t *testing.T) {
	on(t, "cpu")
	w := dl.Full(1, 1, 1).RequiresGrad()
	before := dl.Compilations()
	for round := range 2 {
		for n := 60; n < 110; n++ {
			var xs []*dl.Tensor
			for range n {
				xs = append(xs, w.Scale(2))
			}
			w.ZeroGrad()
			dl.Concat(0, xs...).Squeeze(1).Mul(dl.Arange(n)).Sum().Backward()
			if got, want := w.Grad().Item(), float64(n*(n-1)); got != want {
				t.Fatalf("round %d, %d tensors: the gradient is %v, want %v", round, n, got, want)
			}
		}
	}
	if n := dl.Compilations() - before; n > 0 {
		t.Errorf("%d compilations, want none", n)
	}
}
