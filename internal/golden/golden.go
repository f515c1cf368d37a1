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
// instead, and where it differs, are kept in temporary files for a person to
// look at.
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
		aside := filepath.Join(os.TempDir(), name)
		keep(t, aside+".got.png", a)
		keep(t, aside+".diff.png", mark(a, b, tolerance))
		t.Errorf("%s differs: %s; compare it with %s.got.png, %s.diff.png marks where, and if the new picture is right, run make golden", path, diff, aside, aside)
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
			p, q := pixel(got, x, y), pixel(want, x, y)
			d := apart(p, q)
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

// mark is want in pale gray, with the pixels of got that differ in red: those
// that only one of them has too.
func mark(got, want image.Image, tolerance uint8) image.Image {
	a, b := got.Bounds().Size(), want.Bounds().Size()
	out := image.NewNRGBA(image.Rect(0, 0, max(a.X, b.X), max(a.Y, b.Y)))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			both := x < min(a.X, b.X) && y < min(a.Y, b.Y)
			if !both || apart(pixel(got, x, y), pixel(want, x, y)) > int(tolerance) {
				out.SetNRGBA(x, y, color.NRGBA{R: 0xff, A: 0xff})
				continue
			}
			pale := 0xc0 + color.GrayModel.Convert(pixel(want, x, y)).(color.Gray).Y/4
			out.SetNRGBA(x, y, color.NRGBA{pale, pale, pale, 0xff})
		}
	}
	return out
}

func keep(t testing.TB, path string, m image.Image) {
	t.Helper()
	var file bytes.Buffer
	if err := png.Encode(&file, m); err != nil {
		t.Error(err)
	}
	if err := os.WriteFile(path, file.Bytes(), 0o644); err != nil {
		t.Error(err)
	}
}

// pixel is the colour of m at x, y from its upper left corner.
func pixel(m image.Image, x, y int) color.NRGBA {
	return color.NRGBAModel.Convert(m.At(m.Bounds().Min.X+x, m.Bounds().Min.Y+y)).(color.NRGBA)
}

// apart is how much the channel that differs most does.
func apart(p, q color.NRGBA) int {
	far := func(a, b uint8) int { return max(int(a), int(b)) - min(int(a), int(b)) }
	return max(far(p.R, q.R), far(p.G, q.G), far(p.B, q.B), far(p.A, q.A))
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
