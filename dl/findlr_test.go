package dl_test

import (
	"fmt"
	"log"
	"math"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// The rates grow by one factor, the loss of a plain network falls and then
// explodes, which ends the test, and the model's weights stay.
func TestFindLR(t *testing.T) {
	on(t, "go")
	model := must(dl.Build(dl.Sequential{dl.Linear{Out: 2}}, dl.Shape{16, 2}))
	before := slices.Clone(model.Param("0.weight").Float32s())
	loader := dl.DataLoader{Dataset: points{}, BatchSize: 16}
	c, err := dl.FindLR(model, dl.LRTest{Data: loader, Optimizer: dl.SGD{LR: 1}, From: 1e-3, To: 1e6, Steps: 40})
	if err != nil {
		t.Fatal(err)
	}
	n := len(c.LR)
	if n != len(c.Loss) || n < 10 || n == 40 {
		t.Fatalf("%d rates and %d losses, want as many of each, 10 or more, and an end before the last of 40", n, len(c.Loss))
	}
	if c.LR[0] != 1e-3 {
		t.Errorf("first rate is %g, want 0.001", c.LR[0])
	}
	for i := 1; i < n; i++ {
		if got, want := c.LR[i]/c.LR[i-1], math.Pow(1e9, 1./39); math.Abs(got-want) > 1e-9 {
			t.Fatalf("rate %d is %g times the one before, want %g", i, got, want)
		}
	}
	if low := slices.Min(c.Loss); low >= c.Loss[0] || c.Loss[n-1] <= 4*low {
		t.Errorf("losses are %v, want a fall and an explosion", c.Loss)
	}
	if after := model.Param("0.weight").Float32s(); !slices.Equal(before, after) {
		t.Errorf("weights were %v, are %v, want no change", before, after)
	}
}

func TestFindLRErrors(t *testing.T) {
	on(t, "go")
	model := must(dl.Build(dl.Sequential{dl.Linear{Out: 2}}, dl.Shape{16, 2}))
	loader := dl.DataLoader{Dataset: points{}, BatchSize: 16}
	for _, tt := range []struct {
		name  string
		model *dl.Model
		data  dl.Source
		o     dl.Optimizer
		in    dl.LRTest
		want  string
	}{
		{"no model", nil, loader, dl.SGD{LR: 1}, dl.LRTest{}, "dl: FindLR: the model is nil, want one that dl.Build made"},
		{"backwards", model, loader, dl.SGD{LR: 1}, dl.LRTest{From: 20}, "dl: FindLR: the rates go from 20 to 10 in 100 steps, want 0 < From < To and at least 10 Steps"},
		{"few steps", model, loader, dl.SGD{LR: 1}, dl.LRTest{Steps: 3}, "dl: FindLR: the rates go from 1e-07 to 10 in 3 steps, want 0 < From < To and at least 10 Steps"},
		{"no data", model, nil, dl.SGD{LR: 1}, dl.LRTest{}, "dl: FindLR: data is <nil>, want a Dataset or a loader; give it Len and Get, or Len and Epoch"},
		{"empty", model, dl.DataLoader{Dataset: dl.Subset{Dataset: points{}}, BatchSize: 16}, dl.SGD{LR: 1}, dl.LRTest{},
			"dl: FindLR: DataLoader: the data set is empty"},
		{"wrong settings", model, loader, dl.Adam{Beta1: 2}, dl.LRTest{}, "dl: FindLR: Adam: settings are {LR:0.001 Beta1:2 Beta2:0.999 Epsilon:1e-08 WeightDecay:0 AMSGrad:false}, want LR above 0, nothing negative, and shares in [0, 1); try Adam{LR: 1e-3}"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.Data, tt.in.Optimizer = tt.data, tt.o
			if _, err := dl.FindLR(tt.model, tt.in); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func ExampleFindLR() {
	dl.Seed(1)
	model, err := dl.Build(dl.Sequential{dl.Linear{Out: 16}, dl.ReLU{}, dl.Linear{Out: 2}}, dl.Shape{16, 2})
	if err != nil {
		log.Fatal(err)
	}
	curve, err := dl.FindLR(model, dl.LRTest{Data: dl.DataLoader{Dataset: points{}, BatchSize: 16, Shuffle: true}, From: 1e-4, To: 1, Steps: 20})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(curve.LR), curve.LR[0], curve.Loss[19] < curve.Loss[0])
	// Output: 20 0.0001 true
}
