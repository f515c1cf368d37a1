package dl_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/holt-dl/holt/dl"
)

// finite compares the gradient of Σ f(x)·fill(9) with differences of the
// function itself, at each element.
func finite(t *testing.T, name string, f func(x *dl.Tensor) *dl.Tensor, x *dl.Tensor) {
	t.Helper()
	// The difference is exact to h² times the third derivative, and to the
	// rounding of float32 divided by h.
	finiteWithin(t, name, f, x, 3e-3)
}

// finiteWithin is finite with another tolerance, relative to the largest gradient
// above 1.
func finiteWithin(t *testing.T, name string, f func(x *dl.Tensor) *dl.Tensor, x *dl.Tensor, tolerance float64) {
	t.Helper()
	scalar := func(x ...*dl.Tensor) *dl.Tensor {
		y := f(x[0])
		return y.Mul(fixed(fill(9, 1, y.Shape()...))).Sum()
	}
	g, err := dl.Grad(scalar, x)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	// x with each element moved, one copy after the other.
	const h = 1e-2
	n := x.Size()
	values := x.Float32s()
	var all []*dl.Tensor
	for i := range n {
		moved := make([]float32, n)
		moved[i] = h
		d := fixed(dl.FromSlice(moved, x.Shape()...))
		all = append(all, scalar(x.Add(d)).Sub(scalar(x.Sub(d))).Reshape(1))
	}
	differences := dl.Concat(0, all...).Scale(1 / (2 * h))
	got, want := g[0].Float64s(), differences.Float64s()
	scale := 1.0
	for _, v := range want {
		scale = max(scale, math.Abs(v))
	}
	for i := range got {
		if d := math.Abs(got[i] - want[i]); !(d <= tolerance*scale) {
			t.Errorf("%s: gradient at %v (element %d) is %v, differences say %v", name, values[i], i, got[i], want[i])
			return
		}
	}
}

// operations are the operations on tensors that give a floating-point result, each
// with what it is called with: by the name of the method or function, and for some
// a second time with other arguments.
func operations() map[string]func(x *dl.Tensor) *dl.Tensor {
	square := func(x *dl.Tensor) *dl.Tensor { return fixed(fill(5, 1, 4, 4)) }
	image := func(x *dl.Tensor) *dl.Tensor { return x.Reshape(1, 2, 4, 2) }
	positive := func(x *dl.Tensor) *dl.Tensor { return x.Square().Shift(0.5) }
	return map[string]func(x *dl.Tensor) *dl.Tensor{
		"Abs":    func(x *dl.Tensor) *dl.Tensor { return x.Abs() },
		"Add":    func(x *dl.Tensor) *dl.Tensor { return x.Add(x.Narrow(0, 0, 1)) },
		"Sub":    func(x *dl.Tensor) *dl.Tensor { return x.Narrow(0, 0, 1).Sub(x) },
		"Mul":    func(x *dl.Tensor) *dl.Tensor { return x.Mul(x.Narrow(1, 0, 1)) },
		"Div":    func(x *dl.Tensor) *dl.Tensor { return x.Div(positive(x)) },
		"MatMul": func(x *dl.Tensor) *dl.Tensor { return x.MatMul(square(x)).MatMul(x.Transpose(1, 0)) },
		"MatMul of many": func(x *dl.Tensor) *dl.Tensor {
			return x.Reshape(2, 1, 2, 4).MatMul(x.Reshape(2, 4, 2)).MatMul(x.Reshape(-1).Narrow(0, 3, 2))
		},
		"Linear":  func(x *dl.Tensor) *dl.Tensor { return x.Linear(square(x), x.Narrow(0, 1, 1).Reshape(4)) },
		"Neg":     func(x *dl.Tensor) *dl.Tensor { return x.Neg() },
		"Square":  func(x *dl.Tensor) *dl.Tensor { return x.Square() },
		"Pow":     func(x *dl.Tensor) *dl.Tensor { return positive(x).Pow(1.5) },
		"Sqrt":    func(x *dl.Tensor) *dl.Tensor { return positive(x).Sqrt() },
		"Exp":     func(x *dl.Tensor) *dl.Tensor { return x.Exp() },
		"Log":     func(x *dl.Tensor) *dl.Tensor { return positive(x).Log() },
		"Scale":   func(x *dl.Tensor) *dl.Tensor { return x.Scale(3) },
		"Shift":   func(x *dl.Tensor) *dl.Tensor { return x.Shift(3).Square() },
		"Clamp":   func(x *dl.Tensor) *dl.Tensor { return x.Clamp(-0.5, 0.5) },
		"Sum":     func(x *dl.Tensor) *dl.Tensor { return x.Square().Sum(1) },
		"Mean":    func(x *dl.Tensor) *dl.Tensor { return x.Square().Mean(0) },
		"Var":     func(x *dl.Tensor) *dl.Tensor { return x.Var(1) },
		"Max":     func(x *dl.Tensor) *dl.Tensor { return x.Max(1) },
		"Min":     func(x *dl.Tensor) *dl.Tensor { return x.Min(0) },
		"Softmax": func(x *dl.Tensor) *dl.Tensor { return x.Softmax(0) }, "LogSoftmax": func(x *dl.Tensor) *dl.Tensor { return x.LogSoftmax(-1) },
		"ReLU": func(x *dl.Tensor) *dl.Tensor { return x.ReLU() }, "LeakyReLU": func(x *dl.Tensor) *dl.Tensor { return x.LeakyReLU(0.1) },
		"ELU":  func(x *dl.Tensor) *dl.Tensor { return x.ELU(0.7) },
		"GELU": func(x *dl.Tensor) *dl.Tensor { return x.GELU() }, "GELUTanh": func(x *dl.Tensor) *dl.Tensor { return x.GELUTanh() },
		"SiLU": func(x *dl.Tensor) *dl.Tensor { return x.SiLU() }, "Sigmoid": func(x *dl.Tensor) *dl.Tensor { return x.Sigmoid() }, "Tanh": func(x *dl.Tensor) *dl.Tensor { return x.Tanh() },
		"Reshape": func(x *dl.Tensor) *dl.Tensor { return x.Reshape(2, -1).Square() }, "Flatten": func(x *dl.Tensor) *dl.Tensor { return image(x).Flatten().Square() },
		"Transpose": func(x *dl.Tensor) *dl.Tensor { return x.Transpose(1, 0).Square() }, "Narrow": func(x *dl.Tensor) *dl.Tensor { return x.Narrow(1, 1, 2).Square() },
		"Unsqueeze": func(x *dl.Tensor) *dl.Tensor { return x.Unsqueeze(1).Square() }, "Squeeze": func(x *dl.Tensor) *dl.Tensor { return x.Reshape(16, 1).Squeeze(1).Square() },
		"Conv2d": func(x *dl.Tensor) *dl.Tensor {
			w := x.Reshape(-1).Narrow(0, 0, 8).Reshape(2, 1, 2, 2)
			return image(x).Conv2d(w, x.Reshape(-1).Narrow(0, 3, 2), dl.Conv2d{Stride: 2, Padding: 1, Groups: 2})
		},
		"ConvTranspose2d": func(x *dl.Tensor) *dl.Tensor {
			w := x.Reshape(-1).Narrow(0, 0, 8).Reshape(2, 1, 2, 2)
			return image(x).ConvTranspose2d(w, nil, dl.ConvTranspose2d{Stride: 2, Padding: 1, Groups: 2})
		},
		"MaxPool2d": func(x *dl.Tensor) *dl.Tensor {
			return image(x).MaxPool2d(dl.MaxPool2d{Kernel: 2, Stride: 1, Padding: 1})
		},
		"AvgPool2d": func(x *dl.Tensor) *dl.Tensor {
			return image(x).AvgPool2d(dl.AvgPool2d{Kernel: 2, Padding: 1, NoPad: true}).Square()
		},
		"AdaptiveAvgPool2d": func(x *dl.Tensor) *dl.Tensor { return image(x).AdaptiveAvgPool2d(3, 1).Square() },
		"Embedding":         func(x *dl.Tensor) *dl.Tensor { return fixed([]int64{1, 3, 1}).Embedding(x).Square() },
		"CrossEntropy":      func(x *dl.Tensor) *dl.Tensor { return x.CrossEntropy(fixed([]int64{1, 3, 0, 2})) },
		"Sin":               (*dl.Tensor).Sin, "Cos": (*dl.Tensor).Cos, "Softplus": (*dl.Tensor).Softplus,
		"Reciprocal": func(x *dl.Tensor) *dl.Tensor { return x.Shift(3).Reciprocal() },
		"Sign":       func(x *dl.Tensor) *dl.Tensor { return x.Sign().Mul(x) },
		"Floor":      func(x *dl.Tensor) *dl.Tensor { return x.Scale(0.01).Floor().Add(x) },
		"Maximum":    func(x *dl.Tensor) *dl.Tensor { return x.Maximum(square(x)) },
		"Minimum":    func(x *dl.Tensor) *dl.Tensor { return x.Minimum(square(x)).Square() },
		"Std":        func(x *dl.Tensor) *dl.Tensor { return x.Std(1) },
		"Norm":       func(x *dl.Tensor) *dl.Tensor { return x.Norm(0) },
		"LogSumExp":  func(x *dl.Tensor) *dl.Tensor { return x.Scale(3).LogSumExp(1) },
		"Expand":     func(x *dl.Tensor) *dl.Tensor { return x.Reshape(16, 1).Expand(2, -1, 3).Square() },
		"IndexSelect": func(x *dl.Tensor) *dl.Tensor {
			return x.IndexSelect(1, dl.FromSlice([]int64{3, 0, 3})).Square()
		},
		"BMM":            func(x *dl.Tensor) *dl.Tensor { return x.Reshape(2, 2, 4).BMM(x.Reshape(2, 4, 2)) },
		"Where":          func(x *dl.Tensor) *dl.Tensor { return dl.Where(square(x).Greater(x), x.Square(), x) },
		"PixelShuffle":   func(x *dl.Tensor) *dl.Tensor { return x.Reshape(1, 4, 2, 2).PixelShuffle(2).Square() },
		"PixelUnshuffle": func(x *dl.Tensor) *dl.Tensor { return x.Reshape(1, 1, 4, 4).PixelUnshuffle(2).Square() },
		"Upsample": func(x *dl.Tensor) *dl.Tensor {
			return image(x).Upsample(dl.Upsample{Size: dl.HW{3, 5}, Mode: "bilinear"}).Square()
		},
		"AffineGrid": func(x *dl.Tensor) *dl.Tensor {
			return x.Reshape(-1).Narrow(0, 2, 12).Reshape(2, 2, 3).AffineGrid(2, 3, dl.Sampling{}).Square()
		},
		"GridSample": func(x *dl.Tensor) *dl.Tensor {
			return image(x).GridSample(x.Reshape(1, 2, 4, 2).Scale(0.8), dl.Sampling{})
		},
		"Index":  func(x *dl.Tensor) *dl.Tensor { return x.Reshape(2, 2, 4).Index(1).Index(0).Square() },
		"Concat": func(x *dl.Tensor) *dl.Tensor { return dl.Concat(0, x, x.Square()) },
		"Flip":   func(x *dl.Tensor) *dl.Tensor { return x.Flip(1).Mul(x) }, "Roll": func(x *dl.Tensor) *dl.Tensor { return x.Roll(1, 0).Mul(x) },
		"Split": func(x *dl.Tensor) *dl.Tensor { return x.Split(3, 1)[0].Square() }, "Chunk": func(x *dl.Tensor) *dl.Tensor { return x.Chunk(2, 0)[1].Square() },
		"Repeat": func(x *dl.Tensor) *dl.Tensor { return x.Repeat(2, 1, 2).Square() },
		"Tril":   func(x *dl.Tensor) *dl.Tensor { return x.Tril(0).Square() }, "Triu": func(x *dl.Tensor) *dl.Tensor { return x.Triu(1).Square() },
		"Diag":   func(x *dl.Tensor) *dl.Tensor { return x.Diag().Diag().Square() },
		"Gather": func(x *dl.Tensor) *dl.Tensor { return x.Gather(1, fixed([]int64{1, 3, 0, 1}).Reshape(2, 2)).Square() },
		"ScatterAdd": func(x *dl.Tensor) *dl.Tensor {
			return x.ScatterAdd(0, fixed([]int64{1, 3, 0, 1}).Reshape(2, 2), x.Narrow(0, 0, 2).Narrow(1, 0, 2)).Square()
		},
		"Sort": func(x *dl.Tensor) *dl.Tensor {
			v, i := x.Sort(1)
			return v.Mul(i)
		},
		"TopK": func(x *dl.Tensor) *dl.Tensor {
			v, i := x.TopK(2, 0)
			return v.Mul(i)
		},
		"Cumsum": func(x *dl.Tensor) *dl.Tensor { return x.Cumsum(1).Square() },
		"Prod":   func(x *dl.Tensor) *dl.Tensor { return x.Shift(2).Prod(1) },
		"Ceil":   func(x *dl.Tensor) *dl.Tensor { return x.Scale(0.01).Ceil().Add(x) }, "Round": func(x *dl.Tensor) *dl.Tensor { return x.Scale(0.01).Round().Add(x) },
		"Tan": (*dl.Tensor).Tan, "Erf": (*dl.Tensor).Erf, "Expm1": (*dl.Tensor).Expm1,
		"Log1p":      func(x *dl.Tensor) *dl.Tensor { return x.Shift(2).Log1p() },
		"Rsqrt":      func(x *dl.Tensor) *dl.Tensor { return x.Shift(3).Rsqrt() },
		"MaskedFill": func(x *dl.Tensor) *dl.Tensor { return x.MaskedFill(square(x).Greater(x), 2).Square() },
		"Outer": func(x *dl.Tensor) *dl.Tensor {
			return x.Reshape(-1).Narrow(0, 0, 4).Outer(x.Reshape(-1).Narrow(0, 4, 3))
		},
		"Dot":              func(x *dl.Tensor) *dl.Tensor { return x.Reshape(-1).Dot(x.Reshape(-1)) },
		"Normalize":        func(x *dl.Tensor) *dl.Tensor { return x.Normalize(1).Mul(square(x)) },
		"CosineSimilarity": func(x *dl.Tensor) *dl.Tensor { return x.CosineSimilarity(square(x), 1) },
		"Stack":            func(x *dl.Tensor) *dl.Tensor { return dl.Stack([]*dl.Tensor{x, x.Square()}) },
		"As":               func(x *dl.Tensor) *dl.Tensor { return x.As(dl.Float64).Square().As(dl.Float32) },
		"FullLike":         func(x *dl.Tensor) *dl.Tensor { return dl.FullLike(x, 3).Mul(x) },
		"OnesLike":         func(x *dl.Tensor) *dl.Tensor { return dl.OnesLike(x).Mul(x) },
		"ZerosLike":        func(x *dl.Tensor) *dl.Tensor { return dl.ZerosLike(x).Sub(x) },
		"Scan": func(x *dl.Tensor) *dl.Tensor {
			start := x.Narrow(1, 0, 1).Reshape(4)
			last, all := dl.Scan(func(h, row *dl.Tensor) (next, out *dl.Tensor) {
				h = h.Mul(row).Tanh().Add(row)
				return h, h.Square()
			}, start, x)
			return dl.Concat(0, last.Reshape(1, 4), all)
		},
		"GoMLX": func(x *dl.Tensor) *dl.Tensor {
			return dl.GoMLX("cube", func(xs ...*graph.Node) []*graph.Node {
				return []*graph.Node{graph.Mul(xs[0], graph.Square(xs[0]))}
			}, x)[0]
		},
		"CustomGrad": dl.CustomGrad(
			func(x *dl.Tensor) *dl.Tensor { return x.Sin() },
			func(g, x *dl.Tensor) *dl.Tensor { return g.Mul(x.Cos()) },
		),
		"Einsum": func(x *dl.Tensor) *dl.Tensor { return dl.Einsum("ij,kj,kl->il", x, x, x) },
	}
}

// TestFiniteDifferences checks the gradient of every operation. A method that
// is added to Tensor must be added to operations, or be named here.
func TestFiniteDifferences(t *testing.T) {
	on(t, "go")
	x := fill(1, 1, 4, 4)
	ops := operations()
	for name, f := range ops {
		finite(t, name, f, x)
	}
	other := "All Any Argmax Argmin Argsort Equal Multinomial GreaterEqual IsNaN LessEqual LogicalAnd LogicalNot LogicalOr NotEqual Greater Less OneHot Backward DType Detach Device Dim Dropout Float32s Float64s Free Grad Int64s Item Loss OnGrad Rank RequiresGrad Set SetGrad Shape Size String To Training ZeroGrad Init"
	for i := range reflect.TypeFor[*dl.Tensor]().NumMethod() {
		name := reflect.TypeFor[*dl.Tensor]().Method(i).Name
		if ops[name] == nil && !strings.Contains(" "+other+" ", " "+name+" ") {
			t.Errorf("no gradient of %s is checked", name)
		}
	}
	// Those that give tensors without a gradient, find gradients, or are found
	// below; and While, which has none.
	other = "Arange Eye Full Linspace Ones Zeros Rand RandInt RandLike Randn RandnLike FromSlice Scalar NewParam ClipGradNorm Grad While"
	for _, name := range tensorFunctions(t) {
		if ops[name] == nil && !strings.Contains(" "+other+" ", " "+name+" ") {
			t.Errorf("no gradient of dl.%s is checked", name)
		}
	}
}

// tensorFunctions lists the package's functions that give tensors, or what a
// parameter's type says that is one.
func tensorFunctions(t *testing.T) (names []string) {
	t.Helper()
	files, _ := filepath.Glob("*.go")
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || !fn.Name.IsExported() || fn.Type.Results == nil {
				continue
			}
			generic := fn.Type.TypeParams != nil && !strings.HasSuffix(fn.Name.Name, "Dataset") && !strings.HasPrefix(fn.Name.Name, "Dataset")
			for _, r := range fn.Type.Results.List {
				switch types.ExprString(r.Type) {
				case "*Tensor", "[]*Tensor":
					names = append(names, fn.Name.Name)
				case "S", "Y", "F":
					if generic {
						names = append(names, fn.Name.Name)
					}
				}
			}
		}
	}
	if len(names) < 20 {
		t.Fatalf("found %v only", names)
	}
	return names
}

// losses are all losses, as functions of the output.
func losses() map[string]func(x *dl.Tensor) *dl.Tensor {
	labels := dl.FromSlice([]int64{1, 3, 0, 2})
	shares := fill(5, 1, 4, 4).Softmax(1)
	weight := []float64{1, 2, 0.5, 3}
	all := map[string]func(x *dl.Tensor) *dl.Tensor{
		"BCELoss": func(x *dl.Tensor) *dl.Tensor { return x.Sigmoid().Loss(dl.BCELoss{Weight: weight}, shares) },
	}
	for _, c := range []struct {
		loss   dl.Loss
		target *dl.Tensor
	}{
		{dl.CrossEntropyLoss{LabelSmoothing: 0.1, Weight: weight}, labels}, {dl.CrossEntropyLoss{}, shares}, {dl.NLLLoss{Weight: weight}, labels},
		{dl.MSELoss{}, shares}, {dl.L1Loss{}, shares}, {dl.SmoothL1Loss{Beta: 0.5}, shares}, {dl.HuberLoss{Delta: 0.5}, shares}, {dl.BCEWithLogitsLoss{PosWeight: weight}, shares},
		{dl.KLDivLoss{Reduction: "batchmean"}, shares}, {dl.KLDivLoss{LogTarget: true}, shares},
	} {
		all[fmt.Sprintf("%T%+v", c.loss, c.loss)] = func(x *dl.Tensor) *dl.Tensor { return x.Loss(c.loss, c.target) }
	}
	return all
}

// TestFiniteDifferencesOfLosses checks the gradients of all losses.
func TestFiniteDifferencesOfLosses(t *testing.T) {
	on(t, "go")
	for name, f := range losses() {
		finite(t, name, f, fill(1, 1, 4, 4))
	}
}

// layerCase is a layer, and the shape of an input for it.
type layerCase struct {
	layer dl.Layer
	shape dl.Shape
}

// layers are all layers with weights, and some without.
func layers() []layerCase {
	return []layerCase{
		{dl.Conv2d{Out: 2, Kernel: 3, Padding: 1, Stride: 2}, dl.Shape{1, 2, 4, 3}}, {dl.ConvTranspose2d{Out: 2, Kernel: 3, Stride: 2}, dl.Shape{1, 2, 2, 3}},
		{dl.Linear{Out: 3}, dl.Shape{3, 4}}, {dl.BatchNorm1d{}, dl.Shape{5, 3}}, {dl.BatchNorm2d{}, dl.Shape{2, 2, 2, 2}}, {dl.LayerNorm{}, dl.Shape{3, 5}},
		{dl.InstanceNorm2d{Affine: true}, dl.Shape{1, 2, 3, 2}}, {dl.GroupNorm{Groups: 2}, dl.Shape{1, 4, 3}}, {dl.RMSNorm{}, dl.Shape{2, 4}}, {dl.PReLU{Slopes: 2}, dl.Shape{1, 2, 4}},
		{dl.Conv1d{Out: 2, Kernel: 3, Stride: 2, Padding: 1}, dl.Shape{1, 2, 6}}, {dl.MaxPool1d{Kernel: 2, Stride: 1}, dl.Shape{1, 2, 5}}, {dl.AvgPool1d{Kernel: 3, Padding: 1}, dl.Shape{1, 1, 7}},
		{dl.AdaptiveAvgPool1d{Out: 2}, dl.Shape{1, 2, 5}}, {dl.PixelShuffle{Upscale: 2}, dl.Shape{1, 4, 2, 1}}, {dl.PixelUnshuffle{Downscale: 2}, dl.Shape{1, 1, 4, 2}},
		{dl.ReflectionPad2d{Padding: 2}, dl.Shape{1, 1, 3, 3}}, {dl.ReplicationPad2d{Padding: 3}, dl.Shape{1, 1, 3, 3}}, {dl.ZeroPad2d{Left: 2, Top: 1}, dl.Shape{1, 1, 3, 3}},
		{dl.Upsample{Scale: 2}, dl.Shape{1, 2, 2, 2}}, {dl.Upsample{Scale: 0.7}, dl.Shape{1, 1, 4, 4}},
		{dl.LSTM{Hidden: 2, Bidirectional: true}, dl.Shape{3, 2, 2}}, {dl.GRU{Hidden: 2, Bidirectional: true}, dl.Shape{3, 2, 2}},
		{dl.RNN{Hidden: 2, Layers: 2}, dl.Shape{3, 2, 2}}, {dl.MultiheadAttention{Heads: 2}, dl.Shape{3, 1, 4}},
		{dl.TransformerEncoderLayer{Heads: 2, Hidden: 3, GELU: true, Dropout: 1e-9}, dl.Shape{3, 1, 4}},
		{&decodes{dl.TransformerDecoderLayer{Heads: 2, Hidden: 3, GELU: true, Dropout: 1e-9}}, dl.Shape{3, 1, 4}},
	}
}

// TestFiniteDifferencesOfLayers checks the gradients of all layers with
// weights for their input and their weights, as the model computes them in training.
func TestFiniteDifferencesOfLayers(t *testing.T) {
	on(t, "go")
	for _, c := range layers() {
		name := fmt.Sprintf("%T", c.layer)
		dl.Seed(4)
		m := must(dl.Build(c.layer, c.shape))
		x := fill(1, 1, c.shape...)
		by := fill(9, 1, must(m.Predict(x)).Shape()...)
		found := must(dl.Differentiate(m, x, by, true))
		value := func(x *dl.Tensor) float64 {
			return must(dl.Differentiate(m, x, by, true)).Output.Mul(by).Sum().Item()
		}
		// check compares a gradient with differences: moved gives the value where one
		// element is another.
		check := func(what string, gradient, at *dl.Tensor, value func(moved *dl.Tensor) float64) {
			got, values := gradient.Float64s(), at.Float32s()
			const h = 1e-2
			for i := range values {
				side := func(h float32) float64 {
					moved := slices.Clone(values)
					moved[i] += h
					return value(dl.FromSlice(moved, at.Shape()...))
				}
				want := (side(h) - side(-h)) / (2 * h)
				// Normalized layers have third derivatives of some tens, times h².
				if d := math.Abs(got[i] - want); !(d <= 1e-2*max(1, math.Abs(want))) {
					t.Errorf("%s: gradient of %s %d is %v, differences say %v", name, what, i, got[i], want)
					return
				}
			}
		}
		check("input", found.Input, x, value)
		for n, gradient := range found.Params {
			p := m.Param(n)
			at := p.Detach()
			check(n, gradient, at, func(moved *dl.Tensor) float64 {
				p.Set(moved)
				defer p.Set(at)
				return value(x)
			})
		}
	}
}

// TestFiniteDifferencesOfCells checks the gradients of recurrent cells for their
// input and states.
func TestFiniteDifferencesOfCells(t *testing.T) {
	on(t, "go")
	x, state := dl.Shape{2, 3}, dl.Shape{2, 4}
	for _, c := range []struct {
		net    carries
		shapes []dl.Shape
	}{
		{&carriesLSTMCell{dl.LSTMCell{Hidden: 4}}, []dl.Shape{x, state, state}},
		{&carriesGRUCell{dl.GRUCell{Hidden: 4}}, []dl.Shape{x, state}},
		{&carriesRNNCell{dl.RNNCell{Hidden: 4}}, []dl.Shape{x, state}},
	} {
		var shapes []any
		var in []*dl.Tensor
		for i, s := range c.shapes {
			shapes, in = append(shapes, s), append(in, fill(1+i, 1, s...))
		}
		dl.Seed(4)
		must(dl.Build(c.net, shapes...))
		for i := range in {
			finite(t, fmt.Sprintf("%T input %d", c.net, i), func(x *dl.Tensor) *dl.Tensor {
				moved := append([]*dl.Tensor{}, in...)
				moved[i] = x
				return weighted(c.net.all(moved...))
			}, in[i])
		}
	}
}

// decodes is a decoder's layer whose memory is its input.
type decodes struct{ Layer dl.TransformerDecoderLayer }

func (d *decodes) Forward(x *dl.Tensor) *dl.Tensor { return d.Layer.Forward(x, x) }

// fixed makes a tensor of a slice, or of a slice of slices.
func fixed(values any) *dl.Tensor {
	switch v := values.(type) {
	case *dl.Tensor:
		return v
	case []int64:
		return dl.FromSlice(v)
	case []float32:
		return dl.FromSlice(v)
	case [][]float32:
		return dl.FromSlice(slices.Concat(v...), len(v), len(v[0]))
	case [][]bool:
		return dl.FromSlice(slices.Concat(v...), len(v), len(v[0]))
	}
	panic(fmt.Sprintf("fixed: %T", values))
}
