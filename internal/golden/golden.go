// Package golden compares what a test made with a file that a person has
// looked at.
//
// Texts are compared byte by byte, pictures pixel by pixel. With UPDATE_GOLDEN
// set in the environment (make golden) the files are rewritten instead; look
// at what changed before committing it.
package golden

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// Check compares got with testdata/<name>.golden, or rewrites it when
// UPDATE_GOLDEN is set.
func Check(t testing.TB, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	update(t, path, got)
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs; if the new output is right, run make golden\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// CheckPNG decodes the PNG file got and compares its pixels with those of
// testdata/<name>.png, or rewrites that file when UPDATE_GOLDEN is set.
//
// A channel may differ by tolerance (0 to 255): 0 where the pixels are copied,
// a few where curves or letters are drawn, because processors round
// differently when they fuse a multiplication and an addition. What was drawn
// instead is kept in a temporary file for a person to look at.
func CheckPNG(t testing.TB, name string, got []byte, tolerance uint8) {
	t.Helper()
	path := filepath.Join("testdata", name+".png")
	update(t, path, got)
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := png.Decode(bytes.NewReader(got))
	if err != nil {
		t.Fatalf("%s: the new picture is no PNG: %v", path, err)
	}
	b, err := png.Decode(bytes.NewReader(want))
	if err != nil {
		t.Fatalf("%s: the golden file is no PNG: %v", path, err)
	}
	if diff := Diff(a, b, tolerance); diff != "" {
		aside := filepath.Join(os.TempDir(), name+".got.png")
		if err := os.WriteFile(aside, got, 0o644); err != nil {
			t.Error(err)
		}
		t.Errorf("%s differs: %s; compare it with %s, and if the new picture is right, run make golden", path, diff, aside)
	}
}

// Diff says how two pictures differ, and returns "" when they have the same
// size and no channel of a pixel differs by more than tolerance.
func Diff(got, want image.Image, tolerance uint8) string {
	if got.Bounds().Size() != want.Bounds().Size() {
		return fmt.Sprintf("size is %v, want %v", got.Bounds().Size(), want.Bounds().Size())
	}
	size := got.Bounds().Size()
	count, worst, first := 0, 0, ""
	for y := range size.Y {
		for x := range size.X {
			p := color.NRGBAModel.Convert(got.At(got.Bounds().Min.X+x, got.Bounds().Min.Y+y)).(color.NRGBA)
			q := color.NRGBAModel.Convert(want.At(want.Bounds().Min.X+x, want.Bounds().Min.Y+y)).(color.NRGBA)
			d := max(distance(p.R, q.R), distance(p.G, q.G), distance(p.B, q.B), distance(p.A, q.A))
			if d <= int(tolerance) {
				continue
			}
			if count == 0 {
				first = fmt.Sprintf("the first at (%d, %d) is %v, want %v", x, y, p, q)
			}
			count++
			worst = max(worst, d)
		}
	}
	if count == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d pixels, by up to %d of 255; %s", count, size.X*size.Y, worst, first)
}

func distance(a, b uint8) int {
	if a > b {
		return int(a - b)
	}
	return int(b - a)
}

func update(t testing.TB, path string, got []byte) {
	t.Helper()
	if os.Getenv("UPDATE_GOLDEN") == "" {
		return
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, got, 0o644); err != nil {
		t.Fatal(err)
	}
}
