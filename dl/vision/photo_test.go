package vision_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "github.com/holt-dl/holt/dl/vision/formats"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision"
)

// photo is a file that Pillow wrote, and what it reads in it.
type photo struct {
	Format, Mode                string
	Width, Height, Orientation  int
	File                        []byte
	UprightWidth, UprightHeight int
	RGB, Upright                []byte // [H W C]; empty where decoders differ
}

func photos(t testing.TB) []photo {
	t.Helper()
	data, err := os.ReadFile("testdata/ref/photos.json")
	if err != nil {
		t.Fatal(err)
	}
	var ref struct{ Rows []photo }
	if err := json.Unmarshal(data, &ref); err != nil || len(ref.Rows) == 0 {
		t.Fatalf("%d rows, %v", len(ref.Rows), err)
	}
	return ref.Rows
}

// channelsLast is a picture's bytes as Pillow orders them.
func channelsLast(m *vision.Image) []byte {
	n := m.H * m.W
	out := make([]byte, 0, 3*n)
	for i := range n {
		out = append(out, m.Pix[i], m.Pix[n+i], m.Pix[2*n+i])
	}
	return out
}

// Files are what Pillow says they are, and upright as it turns them.
func TestOpenEqualsPillow(t *testing.T) {
	for i, want := range photos(t) {
		name := fmt.Sprintf("%d %s %s %d", i, want.Format, want.Mode, want.Orientation)
		path := filepath.Join(t.TempDir(), "otter")
		if err := os.WriteFile(path, want.File, 0o644); err != nil {
			t.Fatal(err)
		}
		p, err := vision.Open(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if p.Format != want.Format || p.Mode != want.Mode || p.Width != want.Width || p.Height != want.Height || p.Orientation != want.Orientation {
			t.Errorf("%s: it is %v", name, p)
		}
		up := p.ExifTranspose()
		if up.W != want.UprightWidth || up.H != want.UprightHeight || up.C != 3 {
			t.Errorf("%s: upright it is %v, want %d×%d", name, up, want.UprightWidth, want.UprightHeight)
		}
		if len(want.RGB) > 0 && !slices.Equal(channelsLast(p.RGB()), want.RGB) {
			t.Errorf("%s: pixels differ from Pillow's", name)
		}
		if len(want.Upright) > 0 && !slices.Equal(channelsLast(up), want.Upright) {
			t.Errorf("%s: upright, pixels differ from Pillow's", name)
		}
	}
	p := &vision.Photo{Path: "a.jpg", Format: "JPEG", Mode: "RGB", Width: 4, Height: 3, Orientation: 6}
	if got, want := p.String(), "a.jpg: JPEG picture, mode RGB, 4×3, Exif orientation 6"; got != want {
		t.Errorf("it prints %q, want %q", got, want)
	}
}

// A JPEG's head is read at once and its pixels later; the error is the same.
func TestJPEGErrors(t *testing.T) {
	rows := photos(t)
	rgb := rows[slices.IndexFunc(rows, func(p photo) bool { return p.Format == "JPEG" && p.Mode == "RGB" })].File
	bad := slices.Clone(rgb)
	copy(bad[bytes.Index(bad, []byte{0xff, 0xda})+5:], []byte{77})
	for _, tt := range []struct {
		content []byte
		err     string
	}{
		{rgb[:len(rgb)-2], "the file is cut off (unexpected EOF); bring it again, or leave it out with the loader's SkipErrors"},
		{rgb[:50], "the file is cut off (unexpected EOF); bring it again, or leave it out with the loader's SkipErrors"},
		{bad, "invalid JPEG format: unknown component selector"},
	} {
		root := t.TempDir()
		write(t, root, "all/otter.jpg", tt.content)
		path := filepath.Join(root, "all", "otter.jpg")
		d, err := vision.ImageFolder{Root: root, Transform: vision.Resize{Size: 3}}.Open()
		if err != nil {
			t.Fatal(err)
		}
		_, opened := vision.Open(path)
		_, got := d.Get(0)
		_, _, seen := d.Picture(0)
		for _, err := range []error{opened, got, seen} {
			if want := "vision: " + path + ": " + tt.err; err == nil || err.Error() != want {
				t.Errorf("error is %v, want %s", err, want)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	for _, p := range photos(f) {
		f.Add(p.File)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "otter")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		p, err := vision.Open(path)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "vision: ") {
				t.Errorf("error is %v", err)
			}
			return
		}
		if up := p.ExifTranspose(); up.W*up.H != p.Width*p.Height || p.Orientation < 1 || p.Orientation > 8 {
			t.Errorf("%v became %v", p, up)
		}
	})
}

// folder writes one small picture for each name.
func folder(t *testing.T, root string, names ...string) {
	t.Helper()
	for _, name := range names {
		write(t, root, name, photos(t)[0].File)
	}
}

// TestLabelFolder is the course's layout: a folder of pictures and one of
// labels for each class, joined.
func TestLabelFolder(t *testing.T) {
	root := t.TempDir()
	folder(t, root, "ants_image/a.png", "ants_image/deep/b.PNG", "ants_image/notes.md", "bees_image/c.png")
	for _, class := range []string{"ants", "bees"} {
		n, err := vision.WriteLabels(filepath.Join(root, class+"_image"), filepath.Join(root, class+"_label"), class)
		if want := map[string]int{"ants": 2, "bees": 1}[class]; err != nil || n != want {
			t.Fatalf("%d labels of %s, %v; want %d", n, class, err, want)
		}
	}
	if text, err := os.ReadFile(filepath.Join(root, "ants_label", "deep", "b.txt")); string(text) != "ants\n" {
		t.Errorf("the file holds %q, %v", text, err)
	}
	var all dl.ConcatDataset
	for _, class := range []string{"ants", "bees"} {
		d, err := vision.LabelFolder{Images: filepath.Join(root, class+"_image"), Labels: filepath.Join(root, class+"_label"), Classes: []string{"ants", "bees"}}.Open()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	var labels []int
	for i := range all.Len() {
		e, err := all.Get(i)
		if err != nil || !slices.Equal(e.Input.Shape(), []int{3, 4, 6}) {
			t.Fatalf("example %d is %v, %v", i, e, err)
		}
		labels = append(labels, e.Label)
	}
	if !slices.Equal(labels, []int{0, 0, 1}) {
		t.Errorf("labels are %v, want 0 0 1", labels)
	}
	if d := all[0].(*vision.Images); !slices.Equal(d.Targets(), []int{0, 0}) || filepath.Base(d.Path(1)) != "b.PNG" {
		t.Errorf("targets %v, second file %s", d.Targets(), d.Path(1))
	}
}

func TestLabelFolderErrors(t *testing.T) {
	root := t.TempDir()
	folder(t, root, "image/a.png")
	os.Mkdir(filepath.Join(root, "empty"), 0o755)
	images, labels := filepath.Join(root, "image"), filepath.Join(root, "label")
	open := func() error {
		_, err := vision.LabelFolder{Images: images, Labels: labels, Classes: []string{"ants", "bees"}}.Open()
		return err
	}
	check := func(err error, want string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v\nwant %s", err, want)
		}
	}
	check(open(), "a.png has no label file (open "+filepath.Join(labels, "a.txt")+": no such file or directory); vision.WriteLabels writes them")
	write(t, root, "label/a.txt", []byte("wasps"))
	check(open(), `says "wasps", want one of the Classes ["ants" "bees"]`)
	write(t, root, "label/a.txt", []byte(" \nants"))
	check(open(), "a.txt has no label on its first line")
	write(t, root, "label/a.txt", []byte(strings.Repeat("a", 5000)))
	check(open(), "its first line is longer than 1024 bytes, want a label")
	write(t, root, "label/a.txt", []byte("\ufeff bees \r\nwritten by hand"))
	if err := open(); err != nil {
		t.Error(err)
	}
	_, err := vision.LabelFolder{Images: filepath.Join(root, "empty")}.Open()
	check(err, "no picture in ")
	for _, bad := range []string{"", " ", "a\nb"} {
		_, err := vision.WriteLabels(images, labels, bad)
		check(err, fmt.Sprintf("vision: WriteLabels: label is %q, want one line", bad))
	}
}
