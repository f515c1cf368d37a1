package dl_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"path/filepath"

	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// moved returns what an optimizer makes of a weight of 1 in some steps, with a
// gradient of 1 at each.
func moved(t *testing.T, o dl.Optimizer, steps int) float64 {
	t.Helper()
	m := must(dl.Build(dl.Linear{Out: 1, NoBias: true}, dl.Shape{1, 1}))
	m.Param("weight").Set(dl.Full(1, 1, 1))
	step := dl.TrainStep(m, dl.L1Loss{}, o)
	for range steps {
		must(step.Run(dl.Batch{Inputs: dl.Full(1, 1, 1), Labels: dl.Full(-1000, 1, 1)}))
	}
	return m.Param("weight").Item()
}

// TestZero sets each number whose 0 means something else to the zero that is
// meant, and compares with PyTorch's formula for 0.
func TestZero(t *testing.T) {
	on(t, "go")
	x := dl.FromSlice([]float32{-2, 1, 3, 4}, 2, 2)
	layer := func(l dl.Layer) func() []float64 {
		return func() []float64 { return l.Forward(x).Float64s() }
	}
	trainedBy := func(o dl.Optimizer, steps int) func() []float64 {
		return func() []float64 { return []float64{moved(t, o, steps)} }
	}
	rates := func(how dl.Scheduler, n int) func() []float64 {
		return func() []float64 {
			step := dl.TrainStep(smallNet(), nil, dl.SGD{LR: 1, Momentum: 0.9})
			schedule := must(step.Schedule(how))
			all := []float64{step.LR()}
			for range n {
				if _, ok := how.(dl.ReduceLROnPlateau); ok {
					schedule.StepMetric(1)
				} else {
					schedule.Step()
				}
				all = append(all, step.LR())
			}
			return append(all, dl.Momentum(step))
		}
	}
	norm := func(l dl.Layer, buffer string) func() []float64 {
		return func() []float64 {
			m := must(dl.Build(l, dl.Shape{2, 2}))
			y := m.Call(x).Float64s()
			if buffer != "" {
				y = m.Param(buffer).Float64s()
			}
			return y
		}
	}
	same, spread := x.Float64s(), []float64{-1, -1, 1, 1}
	shown := map[string]bool{}
	for _, c := range []struct {
		field string
		got   func() []float64
		want  []float64
	}{
		{"LeakyReLU.Slope", layer(dl.LeakyReLU{Slope: dl.Zero}), []float64{0, 1, 3, 4}},
		{"ELU.Alpha", layer(dl.ELU{Alpha: dl.Zero}), []float64{0, 1, 3, 4}},
		{"Dropout.P", layer(dl.Dropout{P: dl.Zero}), same},
		{"Dropout2d.P", func() []float64 { return dl.Dropout2d{P: dl.Zero}.Forward(x.Reshape(2, 2, 1, 1)).Float64s() }, same},
		{"BatchNorm1d.Epsilon", norm(dl.BatchNorm1d{Epsilon: dl.Zero}, ""), spread},
		{"BatchNorm2d.Epsilon", func() []float64 {
			m := must(dl.Build(dl.BatchNorm2d{Epsilon: dl.Zero}, dl.Shape{2, 2, 1, 1}))
			return m.Call(x.Reshape(2, 2, 1, 1)).Float64s()
		}, spread},
		{"BatchNorm1d.Momentum", norm(dl.BatchNorm1d{Momentum: dl.Zero}, "running_mean"), []float64{0, 0}},
		{"BatchNorm2d.Momentum", func() []float64 {
			m := must(dl.Build(dl.BatchNorm2d{Momentum: dl.Zero}, dl.Shape{2, 2, 1, 1}))
			m.Call(x.Reshape(2, 2, 1, 1))
			return m.Param("running_mean").Float64s()
		}, []float64{0, 0}},
		{"LayerNorm.Epsilon", norm(dl.LayerNorm{Epsilon: dl.Zero}, ""), []float64{-1, 1, -1, 1}},
		{"InstanceNorm2d.Epsilon", func() []float64 {
			m := must(dl.Build(dl.InstanceNorm2d{Epsilon: dl.Zero}, dl.Shape{1, 2, 1, 2}))
			return m.Call(x.Reshape(1, 2, 1, 2)).Float64s()
		}, []float64{-1, 1, -1, 1}},
		{"GroupNorm.Epsilon", norm(dl.GroupNorm{Groups: 1, Epsilon: dl.Zero}, ""), []float64{-1, 1, -1, 1}},
		{"RMSNorm.Epsilon", norm(dl.RMSNorm{Epsilon: dl.Zero}, ""), []float64{-2 / math.Sqrt(2.5), 1 / math.Sqrt(2.5), 3 / math.Sqrt(12.5), 4 / math.Sqrt(12.5)}},
		{"PReLU.Start", norm(dl.PReLU{Start: dl.Zero}, ""), []float64{0, 1, 3, 4}},
		{"InstanceNorm2d.Momentum", func() []float64 {
			m := must(dl.Build(dl.InstanceNorm2d{Momentum: dl.Zero, Running: true}, dl.Shape{1, 2, 1, 2}))
			m.Call(x.Reshape(1, 2, 1, 2))
			return m.Param("running_mean").Float64s()
		}, []float64{0, 0}},
		{"SmoothL1Loss.Beta", func() []float64 {
			return []float64{x.Loss(dl.SmoothL1Loss{Beta: dl.Zero}, dl.Full(0, 2, 2)).Item()}
		}, []float64{2.5}},
		{"SGD.Momentum", trainedBy(dl.SGD{LR: 0.1, Momentum: dl.Zero, WeightDecay: dl.Zero}, 2), []float64{0.8}},
		{"AdamW.WeightDecay AdamW.Epsilon", trainedBy(dl.AdamW{LR: 0.1, WeightDecay: dl.Zero, Epsilon: dl.Zero}, 1), []float64{0.9}},
		{"Adam.Epsilon", trainedBy(dl.Adam{LR: 0.1, Epsilon: dl.Zero}, 1), []float64{0.9}},
		{"Adam.Beta1 Adam.Beta2", trainedBy(dl.Adam{LR: 0.1, Beta1: dl.Zero, Beta2: dl.Zero}, 3), []float64{0.7}},
		{"AdamW.Beta1 AdamW.Beta2", trainedBy(dl.AdamW{LR: 0.1, Beta1: dl.Zero, Beta2: dl.Zero, WeightDecay: dl.Zero}, 3), []float64{0.7}},
		{"RMSprop.Alpha RMSprop.Epsilon", trainedBy(dl.RMSprop{LR: 0.1, Alpha: dl.Zero, Epsilon: dl.Zero}, 2), []float64{0.8}},
		{"Adagrad.Epsilon", trainedBy(dl.Adagrad{LR: 0.1, Epsilon: dl.Zero}, 1), []float64{0.9}},
		{"Adadelta.Rho", trainedBy(dl.Adadelta{LR: 0.1, Rho: dl.Zero, Epsilon: 1}, 1), []float64{1 - 0.1/math.Sqrt2}},
		{"Adadelta.Epsilon", trainedBy(dl.Adadelta{Epsilon: dl.Zero}, 1), []float64{1}},
		{"LBFGS.ToleranceGrad LBFGS.ToleranceChange", func() []float64 {
			w := dl.NewParam(dl.Ones(1))
			opt := dl.LBFGS{LR: 1e8, MaxIter: 1, ToleranceGrad: dl.Zero, ToleranceChange: dl.Zero}.For(w)
			opt.Step(func() *dl.Tensor {
				loss := w.Scale(1e-8).Sum()
				loss.Backward()
				return loss
			})
			return w.Float64s()
		}, []float64{0}},
		{"StepLR.Gamma", rates(dl.StepLR{StepSize: 1, Gamma: dl.Zero}, 1), []float64{1, 0, 0.9}},
		{"MultiStepLR.Gamma", rates(dl.MultiStepLR{Milestones: []int{1}, Gamma: dl.Zero}, 1), []float64{1, 0, 0.9}},
		{"LinearLR.StartFactor", rates(dl.LinearLR{StartFactor: dl.Zero, TotalIters: 2}, 2), []float64{0, 0.5, 1, 0.9}},
		{"LinearLR.EndFactor", rates(dl.LinearLR{StartFactor: 1, EndFactor: dl.Zero, TotalIters: 2}, 2), []float64{1, 0.5, 0, 0.9}},
		{"OneCycleLR.PctStart", rates(dl.OneCycleLR{MaxLR: 1, TotalSteps: 4, PctStart: dl.Zero, Linear: true, KeepMomentum: true}, 0),
			[]float64{1 - (1-1/25./1e4)/4, 0.9}},
		{"OneCycleLR.BaseMomentum", rates(dl.OneCycleLR{MaxLR: 1, TotalSteps: 11, PctStart: 0.6, Linear: true, BaseMomentum: dl.Zero}, 0), []float64{0.04, 0.95}},
		{"OneCycleLR.MaxMomentum", rates(dl.OneCycleLR{MaxLR: 1, TotalSteps: 11, Linear: true, MaxMomentum: dl.Zero}, 0), []float64{0.04, 0}},
		{"ReduceLROnPlateau.Factor", rates(dl.ReduceLROnPlateau{Factor: dl.Zero, Patience: -1}, 2), []float64{1, 1, 0, 0.9}},
		{"ReduceLROnPlateau.Threshold", rates(dl.ReduceLROnPlateau{Threshold: dl.Zero, Patience: -1}, 2), []float64{1, 1, 0.1, 0.9}},
		{"ReduceLROnPlateau.Epsilon", rates(dl.ReduceLROnPlateau{Epsilon: dl.Zero, Patience: -1, Factor: 1 - 1e-9}, 2), []float64{1, 1, 1 - 1e-9, 0.9}},
	} {
		for _, field := range strings.Fields(c.field) {
			shown[field] = true
		}
		t.Run(c.field, func(t *testing.T) {
			got := c.got()
			for i := range c.want {
				if len(got) != len(c.want) || !(math.Abs(got[i]-c.want[i]) < 1e-6) { // rounding of float32
					t.Fatalf("with dl.Zero it gives %v, want %v", got, c.want)
				}
			}
		})
	}
	for _, dropout := range []float64{dl.Zero} { // in a layer's parts
		l := dl.TransformerEncoderLayer{Heads: 2, Hidden: 8, Dropout: dropout, BatchFirst: true}
		m := must(dl.Build(l, dl.Shape{1, 3, 4}))
		in := fill(1, 1, 1, 3, 4)
		if a, b := m.Call(in).Float32s(), must(m.Predict(in)).Float32s(); !slices.EqualFunc(a, b, func(a, b float32) bool { return math.Abs(float64(a-b)) < 1e-6 }) {
			t.Errorf("a Transformer's layer drops with Dropout Zero: %v in training, %v otherwise", a, b)
		}
	}
	// A rate of 0 trains nothing, what is divided by cannot be 0, and the parts of a
	// Transformer are above.
	refuse := "LR DivFactor FinalDiv Delta Dropout MemoryFraction"
	for _, field := range meaningOfZero(t) {
		if _, name, _ := strings.Cut(field, "."); !shown[field] && !strings.Contains(refuse, name) {
			t.Errorf("what %s does with dl.Zero is not shown", field)
		}
	}
	_, err := dl.TrainStep(smallNet(), nil, dl.SGD{LR: 1}).Schedule(dl.OneCycleLR{MaxLR: 1, TotalSteps: 10, DivFactor: dl.Zero})
	wantError(t, err, "dl: OneCycleLR: DivFactor or FinalDiv is Zero, want a number above 0, since rates are divided by it; leave it out for 25 and 1e4")
	if text := must(dl.Build(dl.Sequential{dl.Dropout{P: dl.Zero}}, dl.Shape{1, 2})).String(); !strings.Contains(text, "p=0.0,") {
		t.Errorf("a model with Dropout of Zero is written %s", text)
	}
}

// meaningOfZero lists the float64 fields of which a comment says what 0 means.
func meaningOfZero(t *testing.T) (fields []string) {
	t.Helper()
	files, _ := filepath.Glob("*.go")
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			st, ok := spec.Type.(*ast.StructType)
			if !ok || !spec.Name.IsExported() {
				return true
			}
			for _, field := range st.Fields.List {
				if id, ok := field.Type.(*ast.Ident); ok && id.Name == "float64" && strings.Contains(field.Comment.Text(), "0 means") {
					fields = append(fields, spec.Name.Name+"."+field.Names[0].Name)
				}
			}
			return true
		})
	}
	if len(fields) < 30 {
		t.Fatalf("found %v, want at least 30 fields", fields)
	}
	return fields
}
