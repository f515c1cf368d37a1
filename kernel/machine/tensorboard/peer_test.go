package tensorboard

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"
)

// FuzzInfo reads any bytes as the file of a TensorBoard, and as how it was started.
func FuzzInfo(f *testing.F) {
	f.Add([]byte(`{"pid": 2, "port": 6006, "path_prefix": "/tb", "cache_key": "e30="}`))
	f.Add([]byte(`{"arguments": ["serve", "--logdir", "~/runs", "--x"], "working_directory": "/"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		file := filepath.Join(t.TempDir(), "pid-2.info")
		if err := os.WriteFile(file, b, 0o644); err != nil {
			t.Fatal(err)
		}
		i, err := readInfo(file)
		if err == nil && (i.Port < 1 || i.Port > 0xffff || i.PID < 2 || i.PathPrefix != "" && i.PathPrefix[0] != '/') {
			t.Errorf("%q is taken for %+v", b, i)
		}
		i.CacheKey = base64.StdEncoding.EncodeToString(b)
		i.shows(Request{Args: []string{"--logdir", "runs"}}, "/")
	})
}
