package dl_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// twoParts is a network as torchvision's are: features, then a classifier.
type twoParts struct {
	Features   dl.Sequential
	Classifier dl.Sequential
	Head       dl.Linear
}

func (n *twoParts) Forward(x *dl.Tensor) *dl.Tensor {
	return n.Head.Forward(n.Classifier.Forward(n.Features.Forward(x).Flatten()))
}

func newTwoParts() *twoParts {
	return &twoParts{
		Features:   dl.Sequential{dl.Conv2d{Out: 4, Kernel: 3}, dl.BatchNorm2d{}, dl.ReLU{}},
		Classifier: dl.Sequential{dl.Linear{Out: 8}, dl.ReLU{}},
		Head:       dl.Linear{Out: 3},
	}
}

func smallBatch() dl.Batch {
	return dl.Batch{Inputs: fill(1, 1, 6, 2, 5, 5), Labels: dl.FromSlice([]int64{0, 1, 2, 0, 1, 2})}
}

func TestFreeze(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		m := must(dl.Build(newTwoParts(), dl.Shape{6, 2, 5, 5}))
		if m.NumTrainable() != m.NumParams() {
			t.Errorf("%d of %d values learn before Freeze", m.NumTrainable(), m.NumParams())
		}
		m.Freeze("features", "classifier.0.bias")
		if want := m.NumParams() - (4*2*9 + 4 + 4 + 4) - 8; m.NumTrainable() != want {
			t.Errorf("%d values learn, want %d", m.NumTrainable(), want)
		}
		if !m.Frozen("features.1.weight") || m.Frozen("head.weight") {
			t.Error("features.1.weight is not frozen, or head.weight is")
		}
		if s := m.String(); !strings.HasSuffix(s, "parameters, 315 not frozen") {
			t.Errorf("the model prints as\n%s", s)
		}
		before := m.StateDict()
		changed := func() (names []string) {
			for name, now := range m.StateDict() {
				if !slices.Equal(now.Float64s(), before[name].Float64s()) {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			return names
		}
		step := dl.TrainStep(m, nil, dl.Adam{LR: 0.01})
		for range 3 {
			must(step.Run(smallBatch()))
		}
		buffers := []string{"features.1.num_batches_tracked", "features.1.running_mean", "features.1.running_var"}
		want := append([]string{"classifier.0.weight"}, append(slices.Clone(buffers), "head.bias", "head.weight")...)
		if got := changed(); !slices.Equal(got, want) {
			t.Errorf("changed: %v, want %v", got, want)
		}
		if got, want := step.SlotSize(), 2*m.NumTrainable(); got != want {
			t.Errorf("Adam keeps %d values, want %d, two for each that learns", got, want)
		}
		m.Unfreeze()
		must(step.Run(smallBatch()))
		if got := changed(); len(got) != len(before) {
			t.Errorf("after Unfreeze only these changed: %v", got)
		}
		if got, want := step.SlotSize(), 2*m.NumParams(); got != want {
			t.Errorf("Adam keeps %d values, want %d", got, want)
		}
	})
}

func TestFreezeNothingLeft(t *testing.T) {
	on(t, "go")
	m := must(dl.Build(newTwoParts(), dl.Shape{6, 2, 5, 5}))
	m.Freeze()
	_, err := dl.TrainStep(m, nil, dl.SGD{LR: 0.1}).Run(smallBatch())
	wantError(t, err, "dl: training step: every parameter is frozen, want one that learns; call model.Unfreeze with the path of the last layer")
	wantError(t, m.Freeze("body"), `dl: Freeze: path is "body", want one of classifier, classifier.0, classifier.1, features, features.0, features.1, features.2, head`)
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error is %v\nwant %s", err, want)
	}
}
