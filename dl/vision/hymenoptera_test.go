package vision_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"path/filepath"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl/vision"
	"github.com/holt-dl/holt/internal/hooks"
)

func TestHymenoptera(t *testing.T) {
	t.Setenv("HOLT_DATA", "")
	root := t.TempDir()
	_, err := vision.Hymenoptera{Root: root}.Open()
	folder := filepath.Join(root, "hymenoptera_data")
	want := fmt.Sprintf("vision: Hymenoptera: dataset not found or corrupted in %q (vision: ImageFolder: open %s: no such file or directory); use Download: true to bring it, 47 MB",
		root, filepath.Join(folder, "val"))
	if err == nil || err.Error() != want || !errors.Is(err, vision.ErrNotFound) {
		t.Errorf("error is %v\nwant %s", err, want)
	}

	asked := 0
	defer hooks.Set(func(h *hooks.Hooks) {
		h.Archive = func(_ context.Context, a hooks.Archive, to string, _ func(done, total int64)) error {
			asked++
			if a.Folder != "hymenoptera_data" || len(a.SHA256) != 64 || a.MD5 != "" || to != root {
				t.Errorf("asked for %+v in %s", a, to)
			}
			var b bytes.Buffer
			if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 3))); err != nil {
				return err
			}
			for _, file := range []string{"train/ants/1.png", "train/bees/1.png", "train/bees/2.png", "val/ants/3.png", "val/bees/3.png"} {
				write(t, folder, file, b.Bytes())
			}
			write(t, folder, filepath.Join("train", "ants", "imageNotFound.gif"), nil) // the archive has such a file, and torchvision leaves it out
			return nil
		}
	})()
	train, err := vision.Hymenoptera{Root: root, Train: true, Download: true}.Open()
	if err != nil {
		t.Fatal(err)
	}
	val, err := vision.Hymenoptera{Root: root, Download: true}.Open()
	if err != nil {
		t.Fatal(err)
	}
	if train.Len() != 3 || val.Len() != 2 || asked != 1 || !slices.Equal(val.Classes, []string{"ants", "bees"}) {
		t.Errorf("%v and %v after %d downloads, want 3 and 2 pictures of ants and bees after 1", train, val, asked)
	}
	if got := train.String(); got != "Hymenoptera train: 3 pictures in 2 classes (ants, bees)" {
		t.Errorf("it prints %q", got)
	}
}
