package vision_test

import (
	"os"
	"path/filepath"
	"slices"
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

// opened writes a file and opens it.
func opened(t *testing.T, content []byte) (*vision.Photo, string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "otter")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := vision.Open(path)
	return p, path, err
}

// Values of 16 bits reach a tensor as they are; as colours they are cut off,
// which is what PIL does.
func TestWideValues(t *testing.T) {
	for _, tt := range []struct {
		file string
		mode string
		want []float32
		rgb  []uint8
	}{
		{"P5 4 1 65535\n\x00\x07\x00\xff\x01\x00\xff\xff", "I", []float32{7, 255, 256, 65535}, []uint8{7, 255, 255, 255}},
		{"Pf 2 1 -1\n\x00\x00\xc0\xbf\x00\x00\x20\x41", "F", []float32{-1.5, 10}, []uint8{0, 10}},
		{"P5 3 1 255\n\x00\x07\xff", "L", []float32{0, 7, 255}, []uint8{0, 7, 255}},
		{"P6 1 1 255\n\x01\x02\x03", "RGB", []float32{1, 2, 3}, []uint8{1}},
	} {
		p, _, err := opened(t, []byte(tt.file))
		if err != nil {
			t.Fatal(err)
		}
		if x := p.Tensor(); p.Mode != tt.mode || !slices.Equal(x.Float32s(), tt.want) || x.Shape()[1] != p.Height || x.Shape()[2] != p.Width {
			t.Errorf("mode %s, tensor %v, want %s and %v", p.Mode, x, tt.mode, tt.want)
		}
		if m := p.RGB(); m.C != 3 || !slices.Equal(m.Pix[:len(tt.rgb)], tt.rgb) {
			t.Errorf("mode %s: colours are %v, want %v", p.Mode, m.Pix, tt.rgb)
		}
	}
	for _, f := range filetest.Files(t, "PNG") {
		if f.Mode != "I;16" {
			continue
		}
		p, _, err := opened(t, f.File)
		if err != nil {
			t.Fatal(err)
		}
		if x := p.Tensor().Float32s(); len(x) != p.Width*p.Height || slices.Max(x) < 256 {
			t.Errorf("%s: the largest of %d values is %v", f.Name, len(x), slices.Max(x))
		}
	}
}

// Errors say what a file is, where it is not read.
func TestRefusals(t *testing.T) {
	arithmetic := []byte("\xff\xd8\xff\xc9\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00\xff\xd9")
	for _, tt := range []struct{ file, want string }{
		{"", "the file is empty, want a picture; bring it again, or leave it out with the loader's SkipErrors"},
		{string(arithmetic), "JPEG with arithmetic coding is not read here; convert it, to an ordinary JPEG for example"},
		{"P7\nWIDTH 1", "PAM (P7) is not read here; convert it, to a PPM for example"},
		{"II*\x00", "the file is cut off (unexpected EOF); bring it again, or leave it out with the loader's SkipErrors"},
	} {
		_, path, err := opened(t, []byte(tt.file))
		if want := "vision: " + path + ": " + tt.want; err == nil || err.Error() != want {
			t.Errorf("error is %v, want %s", err, want)
		}
		if _, err := vision.ReadImage(path); err == nil || err.Error() != "vision: "+path+": "+tt.want {
			t.Errorf("ReadImage: error is %v", err)
		}
	}
}

// ImageFolder reads what it lists.
func TestImageFolderReadsPPM(t *testing.T) {
	root := t.TempDir()
	write(t, root, "signs/a.ppm", []byte("P6\n1 1\n255\nabc"))
	write(t, root, "signs/b.pgm", []byte("P5\n1 1\n255\nz"))
	d, err := vision.ImageFolder{Root: root, Transform: vision.ToTensor{}}.Open()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"abc", "zzz"} {
		img, _, err := d.Picture(i)
		if err != nil || string(img.Pix) != want {
			t.Errorf("picture %d is %v, %v; want %q", i, img, err, want)
		}
	}
}
