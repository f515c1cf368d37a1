package pth_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl/pth"
	"github.com/holt-dl/holt/internal/golden"
)

// checkpoint is a file that testdata/checkpoints.py wrote.
type checkpoint struct {
	Name, Key, File string
	Want            map[string][2]json.RawMessage // [shape, values]
}

// TestCheckpoints reads checkpoints as people save them: the tensors are those
// that torch gives, or what is said is in checkpoints.golden.
func TestCheckpoints(t *testing.T) {
	var all []checkpoint
	z := must(gzip.NewReader(bytes.NewReader(must(os.ReadFile("testdata/checkpoints.json.gz")))))
	if err := json.NewDecoder(z).Decode(&all); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	for _, c := range all {
		b := must(base64.StdEncoding.DecodeString(c.File))
		dict, err := pth.ReadFile(pth.File{Path: "x.pth", Key: c.Key}, bytes.NewReader(b), int64(len(b)))
		if c.Want == nil {
			if err == nil {
				t.Errorf("%s: no error, and %d tensors", c.Name, len(dict))
			}
			if !strings.HasSuffix(c.Name, ", legacy") {
				fmt.Fprintf(&said, "%s\n    %v\n", strings.TrimSuffix(c.Name, ", zip"), err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if len(dict) != len(c.Want) {
			t.Errorf("%s: %d tensors, want %d", c.Name, len(dict), len(c.Want))
		}
		for name, w := range c.Want {
			var shape []int
			var values []*float64 // nil for NaN
			if err := errors.Join(json.Unmarshal(w[0], &shape), json.Unmarshal(w[1], &values)); err != nil {
				t.Fatalf("%s: %s: %v", c.Name, name, err)
			}
			got := dict[name]
			same := func(v *float64, g float64) bool { return v == nil && g != g || v != nil && *v == g }
			if got == nil || !slices.Equal(got.Shape(), shape) || !slices.EqualFunc(values, got.Float64s(), same) {
				t.Errorf("%s: %s is %v, want %s", c.Name, name, got, w)
			}
		}
	}
	golden.Check(t, "checkpoints", []byte(said.String()))
}
