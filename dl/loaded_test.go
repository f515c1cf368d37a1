package dl_test

import (
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// TestLoadedValues loads weights whose tensors are freed before they are first needed: on the host,
// and by a program, which then has the only copy of the large one.
func TestLoadedValues(t *testing.T) {
	eachBackend(t, func(t *testing.T) {
		m := must(dl.Build(dl.Linear{Out: 512}, dl.Shape{2, 512}))
		x := fill(1, 1, 2, 512)
		want := must(m.Predict(x)).Float32s()
		for _, read := range []bool{false, true} {
			other := must(dl.Build(dl.Linear{Out: 512}, dl.Shape{2, 512}))
			dict := m.StateDict()
			if err := other.LoadStateDict(dict); err != nil {
				t.Fatal(err)
			}
			for _, v := range dict {
				v.Free()
			}
			if read && !slices.Equal(other.Param("weight").Float32s(), m.Param("weight").Float32s()) {
				t.Error("the weights on the host are others")
			}
			if got := must(other.Predict(x)).Float32s(); !slices.Equal(got, want) {
				t.Error("the prediction is another")
			}
			if !slices.Equal(other.Param("weight").Float32s(), m.Param("weight").Float32s()) {
				t.Error("the weights after a prediction are others")
			}
		}
	})
}
