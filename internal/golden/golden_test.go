package golden

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	paint := func(w, h int, c color.NRGBA) *image.NRGBA {
		m := image.NewNRGBA(image.Rect(0, 0, w, h))
		for y := range h {
			for x := range w {
				m.SetNRGBA(x, y, c)
			}
		}
		return m
	}
	red := color.NRGBA{R: 200, A: 255}
	spot := paint(4, 3, red)
	spot.SetNRGBA(1, 2, color.NRGBA{R: 190, A: 255})
	shifted := paint(5, 4, red).SubImage(image.Rect(1, 1, 5, 4))
	gray := image.NewGray(image.Rect(0, 0, 1, 1))
	gray.SetGray(0, 0, color.Gray{Y: 7})

	tests := []struct {
		name      string
		got, want image.Image
		tolerance uint8
		diff      string
	}{
		{name: "same", got: paint(4, 3, red), want: paint(4, 3, red)},
		{name: "other origin", got: shifted, want: paint(4, 3, red)},
		{name: "other model", got: gray, want: paint(1, 1, color.NRGBA{7, 7, 7, 255})},
		{name: "within tolerance", got: spot, want: paint(4, 3, red), tolerance: 10},
		{name: "one pixel", got: spot, want: paint(4, 3, red), tolerance: 9,
			diff: "1 of 12 pixels, by up to 10 of 255; the first at (1, 2) is {190 0 0 255}, want {200 0 0 255}"},
		{name: "size", got: paint(2, 2, red), want: paint(4, 3, red), diff: "size is (2,2), want (4,3)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := Diff(tt.got, tt.want, tt.tolerance); diff != tt.diff {
				t.Errorf("got  %q\nwant %q", diff, tt.diff)
			}
		})
	}
}

// recorder is a test that notes its failures instead of failing.
type recorder struct {
	testing.TB
	log []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.log = append(r.log, format)
}

// A picture that differs is kept beside one that marks where.
func TestCheckPNG(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("TMPDIR", t.TempDir())
	file := func(c color.NRGBA, w int) []byte {
		m := image.NewNRGBA(image.Rect(0, 0, w, 2))
		for x := range w {
			m.SetNRGBA(x, 0, color.NRGBA{A: 255})
		}
		m.SetNRGBA(1, 1, c)
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	t.Setenv("UPDATE_GOLDEN", "1")
	CheckPNG(t, "otter", file(color.NRGBA{R: 10, A: 255}, 3), 0)
	t.Setenv("UPDATE_GOLDEN", "")
	CheckPNG(t, "otter", file(color.NRGBA{R: 12, A: 255}, 3), 2)
	for _, tt := range []struct {
		got  []byte
		size image.Point
		red  []image.Point
	}{
		{file(color.NRGBA{R: 90, A: 255}, 3), image.Pt(3, 2), []image.Point{{1, 1}}},
		{file(color.NRGBA{R: 10, A: 255}, 4), image.Pt(4, 2), []image.Point{{3, 0}, {3, 1}}},
	} {
		r := &recorder{TB: t}
		CheckPNG(r, "otter", tt.got, 2)
		if len(r.log) != 1 || !strings.Contains(r.log[0], "run make golden") {
			t.Fatalf("a changed picture was reported as %q", r.log)
		}
		kept, err := os.ReadFile(filepath.Join(os.TempDir(), "otter.got.png"))
		if err != nil || !bytes.Equal(kept, tt.got) {
			t.Errorf("the new picture was not kept: %v", err)
		}
		f, err := os.Open(filepath.Join(os.TempDir(), "otter.diff.png"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		m, err := png.Decode(f)
		if err != nil || m.Bounds().Size() != tt.size {
			t.Fatalf("the marks are %v, %v; want %v", m.Bounds(), err, tt.size)
		}
		var red []image.Point
		for x := range tt.size.X {
			for y := range tt.size.Y {
				if pixel(m, x, y) == (color.NRGBA{R: 255, A: 255}) {
					red = append(red, image.Pt(x, y))
				}
			}
		}
		if !slices.Equal(red, tt.red) {
			t.Errorf("marked %v, want %v", red, tt.red)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("UPDATE_GOLDEN", "1")
	Check(t, "text", []byte("otter\n"))
	t.Setenv("UPDATE_GOLDEN", "")
	Check(t, "text", []byte("otter\n"))
	r := &recorder{TB: t}
	Check(r, "text", []byte("beaver\n"))
	if len(r.log) != 1 || !strings.Contains(r.log[0], "run make golden") {
		t.Errorf("a changed text was reported as %q", r.log)
	}
}
