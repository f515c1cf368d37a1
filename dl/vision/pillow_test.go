package vision_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/holt-dl/holt/dl/vision"
	"github.com/holt-dl/holt/internal/imagefile/filetest"
)

// Files of every format and kind are what Pillow says they are, to the byte.
func TestFilesEqualPillow(t *testing.T) {
	for _, want := range filetest.Files(t, "") {
		path := filepath.Join(t.TempDir(), "otter")
		if err := os.WriteFile(path, want.File, 0o644); err != nil {
			t.Fatal(err)
		}
		p, err := vision.Open(path)
		if err != nil {
			t.Errorf("%s %s: %v", want.Format, want.Name, err)
			continue
		}
		if p.Format != want.Format || p.Mode != want.Mode || p.Width != want.Width || p.Height != want.Height || p.Orientation != want.Orientation {
			t.Errorf("%s %s: it is %v, orientation %d", want.Format, want.Name, p, p.Orientation)
		}
		read, err := vision.ReadImage(path)
		if err != nil {
			t.Errorf("%s %s: %v", want.Format, want.Name, err)
			continue
		}
		for _, m := range []*vision.Image{p.RGB(), read} {
			if filetest.Sum(m.Pix) != want.RGB {
				t.Errorf("%s %s, mode %s: pixels differ from Pillow's", want.Format, want.Name, want.Mode)
			}
		}
	}
}
