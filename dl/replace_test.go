package dl_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
)

func TestReplace(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		net := newTwoParts()
		m := must(dl.Build(net, dl.Shape{6, 2, 5, 5}))
		before := m.StateDict()
		m.Freeze("features", "classifier")
		step := dl.TrainStep(m, nil, dl.SGD{LR: 0.1, Momentum: 0.9})
		must(step.Run(smallBatch()))
		if err := m.Replace("head", dl.Linear{Out: 5}); err != nil {
			t.Fatal(err)
		}
		if y := must(m.Predict(smallBatch().Inputs)); !slices.Equal(y.Shape(), []int{6, 5}) {
			t.Errorf("output is %v, want [6 5]", y.Shape())
		}
		if !slices.Equal(m.Param("features.0.weight").Float32s(), before["features.0.weight"].Float32s()) || !m.Frozen("features.0.weight") {
			t.Error("features.0.weight is not as it was")
		}
		batch := smallBatch()
		batch.Labels = dl.FromSlice([]int64{4, 3, 2, 1, 0, 4})
		must(step.Run(batch)) // goes on with the new layer, and fresh momentum for it
		if got, want := step.SlotSize(), 5*8+5; got != want {
			t.Errorf("SGD keeps %d values, want %d", got, want)
		}
		// A layer in a Sequential may become one of another type.
		if err := m.Replace("classifier.1", dl.Sequential{dl.GELU{}, dl.Linear{Out: 8}}); err != nil {
			t.Fatal(err)
		}
		if got := m.Param("classifier.1.1.weight").Shape(); !slices.Equal(got, []int{8, 8}) {
			t.Errorf("classifier.1.1.weight is %v, want [8 8]", got)
		}
	})
}

func TestReplaceErrors(t *testing.T) {
	on(t, "go")
	m := must(dl.Build(newTwoParts(), dl.Shape{6, 2, 5, 5}))
	text := m.String()
	for _, tt := range []struct {
		name, path string
		layer      dl.Layer
		want       string
	}{
		{"unknown path", "classifier.9", dl.Linear{Out: 2},
			`dl: Replace: path is "classifier.9", want one of classifier, classifier.0, classifier.1, features, features.0, features.1, features.2, head`},
		{"no layer", "head", nil, "dl: Replace: the layer for head is nil, want one; dl.Func(func(x *dl.Tensor) *dl.Tensor { return x }) does nothing"},
		{"the whole model", "", dl.Linear{Out: 2}, "dl: Replace: path is empty, want a layer inside of the model; use dl.Build for a model of another network"},
		{"a field of another type", "head", dl.ReLU{}, "dl: Replace: head is a field of type dl.Linear, which cannot hold a dl.ReLU; declare the field as dl.Layer"},
		{"a shape that does not fit", "features.0", dl.Conv2d{In: 3, Out: 4, Kernel: 3},
			"dl: Replace features.0: features.0 Conv2d: input is [6 2 5 5], want [N 3 H W]; set In: 2, or leave In out"},
		{"a shape that no longer fits", "features.0", dl.Conv2d{Out: 4, Kernel: 5},
			"dl: Replace features.0: classifier.0.weight is [8 36], but the new layer gives it an input that needs [8 4]; keep the shape of the layer's output, or build a new model"},
	} {
		err := m.Replace(tt.path, tt.layer)
		if err == nil || err.Error() != tt.want {
			t.Errorf("%s: error is %v\nwant %s", tt.name, err, tt.want)
		}
		if m.String() != text {
			t.Errorf("%s: the model changed:\n%s", tt.name, m)
		}
		must(m.Predict(smallBatch().Inputs))
	}
}

// A pretrained network's last layer makes way for one of two classes, and only that learns.
func ExampleModel_Replace() {
	model, err := dl.Build(&twoParts{
		Features:   dl.Sequential{dl.Conv2d{Out: 8, Kernel: 3}, dl.ReLU{}},
		Classifier: dl.Sequential{dl.Linear{Out: 16}, dl.ReLU{}, dl.Linear{Out: 1000}},
		Head:       dl.Linear{Out: 10},
	}, dl.Shape{1, 3, 8, 8})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = model.Replace("head", dl.Linear{Out: 2})
	model.Freeze("features", "classifier")
	fmt.Println(model.Param("head.weight").Shape(), err)
	fmt.Println(model.NumTrainable(), "of", model.NumParams(), "parameters learn")
	// Output:
	// [2 1000] <nil>
	// 2002 of 23850 parameters learn
}
