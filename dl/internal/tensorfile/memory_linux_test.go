package tensorfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holt-dl/holt/internal/limit"
)

// TestSafetensorsMemory reads headers that promise or hold much, in little
// memory.
func TestSafetensorsMemory(t *testing.T) {
	if !limit.Memory(t, 512<<20) {
		return
	}
	path := filepath.Join(t.TempDir(), "w")
	put := func(header string, size int64) error {
		b := append([]byte{}, byte(len(header)), byte(len(header)>>8), byte(len(header)>>16), byte(len(header)>>24), 0, 0, 0, 0)
		if err := os.WriteFile(path, append(b, header...), 0o644); err != nil {
			t.Fatal(err)
		}
		if size > 0 { // the rest is a hole
			if err := os.Truncate(path, size); err != nil {
				t.Fatal(err)
			}
		}
		_, err := Read(path)
		return err
	}
	for name, test := range map[string]struct {
		header string
		size   int64
		err    string
	}{
		"2 TB":                 {`{"a":{"dtype":"U8","shape":[2199023255552],"data_offsets":[0,2199023255552]}}`, 0, "lies at 0 to 2199023255552"},
		"65 axes":              {`{"a":{"dtype":"U8","shape":[` + strings.Repeat("1,", 64) + `1],"data_offsets":[0,1]}}`, 0, `tensor "a" has 65 axes, want at most 64`},
		"much metadata":        {`{"__metadata__":{"a":"` + strings.Repeat("a", 20<<20) + `"}}`, 0, `the metadata has 20971528 bytes, want at most 16777216`},
		"entries of nothing":   {"{" + strings.Repeat(`"a":{},`, 8<<20/7) + `"b":{}}`, 0, `the header of "a" is wrong`},
		"one name, repeated":   {"{" + strings.Repeat(`"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},`, 100_000) + `"b":{}}`, 0, `the header has "a" twice`},
		"a shape of 8 million": {`{"a":{"dtype":"U8","shape":[` + strings.Repeat("1,", 8<<20) + `1],"data_offsets":[0,1]}}`, 0, `bytes for "a", want at most 4096`},
	} {
		if err := put(test.header, test.size); err == nil || !strings.Contains(err.Error(), test.err) || len(err.Error()) > 500 {
			t.Errorf("%s: error is %v\nwant %s", name, err, test.err)
		}
	}
}
