package dl_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// pictures are three classes of small images that can be told apart, changed
// by a fault.
func pictures(fault func(values []float32, label *int)) dl.Dataset {
	return made{96, func(i int) dl.Example {
		r := rand.New(rand.NewPCG(7, uint64(i)))
		label := i % 3
		values := make([]float32, 3*6*6)
		for k := range values {
			values[k] = float32(r.NormFloat64() * 0.7)
			if k/36 == label {
				values[k]++
			} else {
				values[k] -= 0.5
			}
		}
		if fault != nil {
			fault(values, &label)
		}
		return dl.Example{Input: dl.FromSlice(values, 3, 6, 6), Label: label}
	}}
}

type made struct {
	n   int
	get func(i int) dl.Example
}

func (m made) Len() int                      { return m.n }
func (m made) Get(i int) (dl.Example, error) { return m.get(i), nil }

func healthyNet() dl.Sequential {
	return dl.Sequential{dl.Conv2d{Out: 8, Kernel: 3}, dl.ReLU{}, dl.Flatten{}, dl.Linear{Out: 16}, dl.ReLU{}, dl.Linear{Out: 3}}
}

// TestDoctor plants each fault and wants it found, by its check and a word of
// what is wrong and what to try; a healthy net has none.
func TestDoctor(t *testing.T) {
	on(t, "cpu")
	deep := func() dl.Sequential {
		s := dl.Sequential{dl.Flatten{}}
		for range 12 {
			s = append(s, dl.Linear{Out: 16}, dl.Sigmoid{})
		}
		return append(s, dl.Linear{Out: 3})
	}
	scaled := func(m *dl.Model, by float64, names ...string) {
		for _, name := range names {
			m.Param(name).Set(m.Param(name).Scale(by))
		}
	}
	tests := []struct {
		name  string
		net   dl.Sequential
		spoil func(m *dl.Model)
		fault func(values []float32, label *int)
		check string // the line that must say what is wrong; empty for none
		wrong string
		try   string
	}{
		{name: "healthy"},
		{name: "healthy with dropout and batch normalization", net: dl.Sequential{dl.Conv2d{Out: 8, Kernel: 3}, dl.BatchNorm2d{}, dl.ReLU{}, dl.Flatten{}, dl.Dropout{P: 0.2}, dl.Linear{Out: 3}}},
		{name: "NaN", fault: func(v []float32, _ *int) { v[5] = float32(math.NaN()) }, check: "inputs", wrong: "96 values are NaN or infinite", try: "damaged files"},
		{name: "0 to 255", fault: func(v []float32, _ *int) {
			for i := range v {
				v[i] = max(0, min(255, 110+v[i]*60))
			}
		}, check: "inputs", wrong: "pixels from 0 to 255 are not scaled", try: "vision.ToTensor"},
		{name: "not normalized", fault: func(v []float32, _ *int) {
			for i := range v {
				v[i] = 0.5 + v[i]/10
			}
		}, check: "inputs", wrong: "not normalized", try: "vision.Normalize with mean 0.5"},
		{name: "constant", fault: func(v []float32, _ *int) { clear(v) }, check: "inputs", wrong: "all values are the same", try: "display.ShowBatch"},
		{name: "label out of range", fault: func(_ []float32, l *int) { *l++ }, check: "labels", wrong: "32 labels are none of 0 to 2, such as 3", try: "count classes from 0"},
		{name: "one class", fault: func(_ []float32, l *int) { *l = 1 }, check: "labels", wrong: "all are class 1", try: "set Shuffle"},
		{name: "softmax before the loss", net: append(healthyNet(), dl.Softmax{}), check: "first loss", wrong: "the model gives probabilities", try: "leave the Softmax"},
		{name: "too sure", spoil: func(m *dl.Model) { scaled(m, 40, "5.weight") }, check: "first loss", wrong: "sure of wrong classes", try: "smaller weights"},
		{name: "no number", net: append(healthyNet(), dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Abs().Neg().Sqrt() })), check: "first loss", wrong: "it is not a number", try: "Sqrt of negative"},
		{name: "dead", spoil: func(m *dl.Model) {
			m.Param("3.bias").Set(dl.FromSlice(slices.Repeat([]float32{-50}, 16)))
		}, check: "ReLUs", wrong: "in layer 4, 100 % are dead", try: "LeakyReLU"},
		{name: "vanishing", net: deep(), check: "gradients", wrong: "they vanish on the way to 1.weight", try: "ReLU in place of Sigmoid"},
		{name: "exploding", spoil: func(m *dl.Model) { scaled(m, 60, "0.weight", "3.weight", "5.weight") }, check: "gradients", wrong: "they explode", try: "ClipNorm"},
		{name: "not used", net: dl.Sequential{dl.Flatten{}, dl.Linear{Out: 4}, dl.Func(func(x *dl.Tensor) *dl.Tensor { return x.Scale(0) }), dl.Linear{Out: 3}}, check: "gradients", wrong: "there is none for 1.weight", try: "whose output Forward does not use"},
		{name: "labels by chance on one input", fault: func(v []float32, _ *int) {
			for i := range v {
				v[i] = float32(i%3 - 1)
			}
		}, check: "overfits one batch", wrong: "cannot even learn these by heart", try: "labels belong to their inputs"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dl.Seed(3)
			net := test.net
			if net == nil {
				net = healthyNet()
			}
			m := must(dl.Build(net, dl.Shape{16, 3, 6, 6}))
			if test.spoil != nil {
				test.spoil(m)
			}
			before := m.StateDict()
			d, err := dl.Doctor(m, dl.DataLoader{Dataset: pictures(test.fault), BatchSize: 24, Workers: -1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for name, w := range before {
				if !slices.Equal(w.Float64s(), m.Param(name).Float64s()) {
					t.Errorf("%s changed", name)
				}
			}
			if test.check == "" {
				if !d.Healthy() {
					t.Errorf("a healthy net has findings:\n%v", d)
				}
				return
			}
			found := slices.ContainsFunc(d.Problems(), func(f dl.Finding) bool {
				return f.Check == test.check && strings.Contains(f.Wrong, test.wrong) && strings.Contains(f.Try, test.try)
			})
			if !found || d.Healthy() {
				t.Errorf("want %s: %s; got\n%v", test.check, test.wrong, d)
			}
			if s := d.String(); !strings.Contains(s, "!!") || !strings.Contains(s, test.wrong) {
				t.Errorf("the table is\n%s", s)
			}
			if head, rows := d.Table(); len(rows) != len(d.Findings) || len(head) != len(rows[0]) {
				t.Errorf("the table is %q, %q", head, rows)
			}
		})
	}
}

func TestDoctorErrors(t *testing.T) {
	on(t, "go")
	_, err := dl.Doctor(nil, blobs{n: 4, fail: -1}, nil)
	wantError(t, err, "dl: Doctor: the model is nil, want one that dl.Build made")
	_, err = dl.Doctor(smallNet(), blobs{n: 4, fail: 2}, nil)
	wantError(t, err, "dl: Doctor: example 2: no such picture")
	_, err = dl.Doctor(smallNet(), made{n: 0}, nil)
	wantError(t, err, "dl: Doctor: the data has no batches; check its folder, or DropLast of the loader")
}
