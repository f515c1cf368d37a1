package vision_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl/vision"
	_ "github.com/holt-dl/holt/dl/vision/cifarsample"
)

// TestOnly keeps the pictures of two classes with the labels 0 and 1, in the order of
// the data set, and as ImageFolder reads them back.
func TestOnly(t *testing.T) {
	all, err := vision.CIFAR10{Root: t.TempDir(), Train: true, OrSample: true}.Open()
	if err != nil {
		t.Fatal(err)
	}
	two, err := all.Only("frog", "bird")
	if err != nil {
		t.Fatal(err)
	}
	var want []int // in all
	for i, label := range all.Targets() {
		if c := all.Classes[label]; c == "frog" || c == "bird" {
			want = append(want, i)
		}
	}
	if two.Len() != len(want) || !slices.Equal(two.Classes, []string{"frog", "bird"}) {
		t.Fatalf("%v, want %d pictures", two, len(want))
	}
	for i, at := range want[:20] {
		got, label, err := two.Picture(i)
		if err != nil {
			t.Fatal(err)
		}
		pixels, was, _ := all.Picture(at)
		if !slices.Equal(got.Pix, pixels.Pix) || two.Classes[label] != all.Classes[was] || two.Targets()[i] != label {
			t.Errorf("picture %d is not %d of all", i, at)
		}
	}

	root := t.TempDir()
	if n, err := vision.WriteFolder(root, two, 3); n != 6 || err != nil {
		t.Fatal(n, err)
	}
	back, err := vision.ImageFolder{Root: root}.Open()
	if err != nil || back.Len() != 6 || !slices.Equal(back.Classes, []string{"bird", "frog"}) {
		t.Fatalf("%v, %v", back, err)
	}
	again, err := back.Only("frog")
	if err != nil || again.Len() != 3 || filepath.Dir(again.Path(0)) != filepath.Join(root, "frog") {
		t.Fatalf("%v, %v", again, err)
	}
	got, _, err := again.Picture(0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range two.Len() {
		if m, label, _ := two.Picture(i); label == 0 {
			if !slices.Equal(got.Pix, m.Pix) {
				t.Error("the first frog has changed on its way through a file")
			}
			break
		}
	}
}

func TestOnlyErrors(t *testing.T) {
	d, err := vision.CIFAR10{Root: t.TempDir(), OrSample: true}.Open()
	if err != nil {
		t.Fatal(err)
	}
	odd, err := d.Only("cat")
	if err != nil {
		t.Fatal(err)
	}
	odd.Classes = []string{"../cat"}
	tests := map[string]struct {
		do   func() error
		want string
	}{
		"no class":      {func() error { _, err := d.Only(); return err }, "Only has no classes, want some of"},
		"another class": {func() error { _, err := d.Only("cat", "otter"); return err }, `there is no class "otter", want one of`},
		"one twice":     {func() error { _, err := d.Only("cat", "cat"); return err }, `class "cat" is named twice`},
		"below none":    {func() error { _, err := vision.WriteFolder(t.TempDir(), d, -1); return err }, "most is -1, want at least 0"},
		"a path":        {func() error { _, err := vision.WriteFolder(t.TempDir(), odd, 1); return err }, `class "../cat" is no name of a folder`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if err := tt.do(); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error is %v, want one with %s", err, tt.want)
			}
		})
	}
}
