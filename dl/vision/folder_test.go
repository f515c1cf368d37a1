package vision_test

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl/vision"
	"github.com/holt-dl/holt/internal/hooks"
)

// TestHiddenFolders leaves out what JupyterLab and git keep beside the classes,
// and says so.
func TestHiddenFolders(t *testing.T) {
	var said []string
	defer hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { said = append(said, s) } })()
	root := t.TempDir()
	for _, name := range []string{"ants/a.png", "ants/.ipynb_checkpoints/a-checkpoint.png", "ants/deep/b.png", "bees/c.png", ".ipynb_checkpoints/d.png", ".git/HEAD", ".git/e.png", "ants/.hidden.png"} {
		write(t, root, name, nil)
	}
	d, err := vision.ImageFolder{Root: root}.Open()
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for i := range d.Len() {
		name, _ := filepath.Rel(root, d.Path(i))
		files = append(files, filepath.ToSlash(name))
	}
	if !slices.Equal(d.Classes, []string{"ants", "bees"}) || !slices.Equal(files, []string{"ants/.hidden.png", "ants/a.png", "ants/deep/b.png", "bees/c.png"}) {
		t.Errorf("classes are %q, files %q", d.Classes, files)
	}
	if want := "ImageFolder " + root + ": hidden folders are no classes, and left out: .git, .ipynb_checkpoints"; !slices.Equal(said, []string{want}) {
		t.Errorf("it said %q, want %q", said, want)
	}
}

// TestDanglingLinks lists a link whose file is gone, as torchvision does: that
// picture is an error when it is read, and no other.
func TestDanglingLinks(t *testing.T) {
	root := t.TempDir()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 2, 2))); err != nil {
		t.Fatal(err)
	}
	write(t, root, "ants/a.png", b.Bytes())
	for _, name := range []string{"ants/b.png", "ants/notes.txt", "bees"} {
		if err := os.Symlink("/no/such/file.png", filepath.Join(root, name)); err != nil {
			t.Skip(err)
		}
	}
	d, err := vision.ImageFolder{Root: root}.Open()
	if err != nil || d.Len() != 2 || len(d.Classes) != 1 {
		t.Fatalf("%v, %v", d, err)
	}
	if _, err := d.Get(0); err != nil {
		t.Error(err)
	}
	_, err = d.Get(1)
	if want := "vision: " + filepath.Join(root, "ants", "b.png") + ": the link leads to /no/such/file.png, which is not there; leave such pictures out with the loader's SkipErrors"; err == nil || err.Error() != want {
		t.Errorf("error is %v\nwant %s", err, want)
	}
	if err := os.Remove(filepath.Join(root, "ants", "a.png")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(filepath.Join(root, "ants", "b.png")); err != nil {
		t.Fatal(err)
	}
	labels := filepath.Join(root, "labels")
	if n, err := vision.WriteLabels(filepath.Join(root, "ants"), labels, "ants"); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	l, err := vision.LabelFolder{Images: filepath.Join(root, "ants"), Labels: labels}.Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Get(0); err == nil || !strings.Contains(err.Error(), "the link leads to /no/such/file.png") {
		t.Errorf("error is %v", err)
	}
}
