package classify

import (
	"math"
	"testing"
)

// The numbers are those of scikit-learn's classification_report for the labels
// 0 0 1 1 1 2 and the predictions 0 1 1 1 0 1, with labels=[0, 1, 2, 3]: class 2 is
// not found, class 3 does not occur.
func TestCounts(t *testing.T) {
	c := New(4)
	for i, label := range []int{0, 0, 1, 1, 1, 2} {
		c[label][[]int{0, 1, 1, 1, 0, 1}[i]]++
	}
	if right, n := c.Right(); right != 3 || n != 6 || c.Accuracy() != 0.5 {
		t.Errorf("%d of %d are right, accuracy %v; want 3 of 6", right, n, c.Accuracy())
	}
	type value struct {
		share float64
		ok    bool
	}
	for k, want := range [][3]value{
		{{0.5, true}, {0.5, true}, {0.5, true}},
		{{0.5, true}, {2. / 3, true}, {4. / 7, true}},
		{{0, false}, {0, true}, {0, true}},
		{{0, false}, {0, false}, {0, false}},
	} {
		for i, f := range []func(Class) (float64, bool){Class.Precision, Class.Recall, Class.F1} {
			share, ok := f(c.Class(k))
			if math.Abs(share-want[i].share) > 1e-15 || ok != want[i].ok { // one division
				t.Errorf("class %d, value %d: %v, %v; want %v", k, i, share, ok, want[i])
			}
		}
	}
	for _, tt := range []struct {
		name            string
		f               func(Class) (float64, bool)
		macro, weighted float64
	}{
		{"precision", Class.Precision, 1. / 3, (2*0.5 + 3*0.5) / 6},
		{"recall", Class.Recall, (0.5 + 2./3) / 3, 0.5},
		{"F1", Class.F1, (0.5 + 4./7) / 3, (2*0.5 + 3*4./7) / 6},
	} {
		if got := c.Mean(tt.f, false); math.Abs(got-tt.macro) > 1e-15 {
			t.Errorf("macro %s is %v, want %v", tt.name, got, tt.macro)
		}
		if got := c.Mean(tt.f, true); math.Abs(got-tt.weighted) > 1e-15 {
			t.Errorf("weighted %s is %v, want %v", tt.name, got, tt.weighted)
		}
	}
	if !math.IsNaN(New(2).Accuracy()) || !math.IsNaN(New(2).Mean(Class.F1, false)) {
		t.Error("what has counted nothing has an accuracy")
	}
}
