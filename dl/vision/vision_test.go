package vision_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision"
	_ "github.com/holt-dl/holt/dl/vision/cifarsample"
	"github.com/holt-dl/holt/internal/hooks"
)

// dataDir returns a folder with the whole CIFAR-10, or skips.
func dataDir(t testing.TB) string {
	t.Helper()
	for _, dir := range []string{os.Getenv("HOLT_DATA"), filepath.Join("..", "..", "data")} {
		if _, err := os.Stat(filepath.Join(dir, "cifar-10-batches-bin", "test_batch.bin")); dir != "" && err == nil {
			return dir
		}
	}
	t.Skip("needs the whole CIFAR-10: a folder with cifar-10-batches-bin, named by HOLT_DATA")
	return ""
}

// fake writes test_batch.bin into a new root, changed by f.
func fake(t *testing.T, f func([]byte) []byte) string {
	t.Helper()
	root := t.TempDir()
	b := make([]byte, 10_000*3073)
	for i := range 10_000 {
		b[i*3073] = byte(i % 10)
		for k := 1; k < 3073; k++ {
			b[i*3073+k] = byte(i + k)
		}
	}
	path := filepath.Join(root, "cifar-10-batches-bin", "test_batch.bin")
	os.MkdirAll(filepath.Dir(path), 0o755)
	if err := os.WriteFile(path, f(b), 0o644); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestCIFAR10(t *testing.T) {
	t.Setenv("HOLT_DATA", "")
	root := fake(t, func(b []byte) []byte { return b })
	d, err := vision.CIFAR10{Root: root}.Open()
	if err != nil {
		t.Fatal(err)
	}
	if want := "CIFAR-10 test: 10,000 pictures in 10 classes (airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck)"; d.String() != want {
		t.Errorf("it prints %q, want %q", d, want)
	}
	if want := "CIFAR-10: all 10,000 test pictures, from " + filepath.Join(root, "cifar-10-batches-bin"); d.Source() != want {
		t.Errorf("its source is %q, want %q", d.Source(), want)
	}
	if d.Len() != 10_000 || d.ClassToIdx()["truck"] != 9 || len(d.ClassToIdx()) != 10 {
		t.Errorf("%d pictures, classes %v", d.Len(), d.ClassToIdx())
	}
	e, err := d.Get(1234)
	if err != nil || e.Label != 4 || !slices.Equal(e.Input.Shape(), []int{3, 32, 32}) {
		t.Fatalf("example is %v, %v", e, err)
	}
	for k, v := range e.Input.Float32s() {
		if want := float32(byte(1234+1+k)) / 255; v != want {
			t.Fatalf("value %d is %v, want %v", k, v, want)
		}
	}
	for _, i := range []int{-1, 10_000} {
		if _, err := d.Get(i); err == nil || err.Error() != fmt.Sprintf("vision: CIFAR-10 test: index is %d, want 0 to 9999", i) {
			t.Errorf("error is %v", err)
		}
	}
	t.Setenv("HOLT_DATA", root) // found although Root has nothing
	if _, err := (vision.CIFAR10{Root: t.TempDir()}).Open(); err != nil {
		t.Error(err)
	}
}

func TestCIFAR10Errors(t *testing.T) {
	t.Setenv("HOLT_DATA", "")
	tests := []struct {
		name, err string
		change    func([]byte) []byte
	}{
		{"truncated", `test_batch.bin has 30,729,999 bytes, want 30,730,000); use Download: true to bring it, or OrSample: true`, func(b []byte) []byte { return b[1:] }},
		{"too long", `has 30,730,001 bytes`, func(b []byte) []byte { return append(b, 0) }},
		{"empty", `has 0 bytes`, func(b []byte) []byte { return nil }},
		{"label", `picture 7 has label 10, want 0 to 9`, func(b []byte) []byte { b[7*3073] = 10; return b }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := vision.CIFAR10{Root: fake(t, tt.change)}.Open()
			if !errors.Is(err, vision.ErrNotFound) || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error is %v, want %q", err, tt.err)
			}
		})
	}
	root := t.TempDir()
	_, err := vision.CIFAR10{Root: root, Train: true}.Open()
	want := fmt.Sprintf("vision: CIFAR10: dataset not found or corrupted in %q (stat %s: no such file or directory); use Download: true to bring it, or OrSample: true",
		root, filepath.Join(root, "cifar-10-batches-bin", "data_batch_1.bin"))
	if err == nil || err.Error() != want {
		t.Errorf("error is\n%v, want\n%s", err, want)
	}
	_, err = vision.CIFAR10{Root: root, Download: true}.Open()
	if want := `import _ "github.com/holt-dl/holt/dl/vision/fetch"`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error is %v, want %s", err, want)
	}
}

func TestCIFAR10Sample(t *testing.T) {
	t.Setenv("HOLT_DATA", "")
	for _, tt := range []struct {
		train  bool
		n      int
		source string
	}{
		{true, 7500, "CIFAR-10 sample: 7,500 of 50,000 training pictures"},
		{false, 1500, "CIFAR-10 sample: 1,500 of 10,000 test pictures"},
	} {
		d, err := vision.CIFAR10{Root: t.TempDir(), Train: tt.train, OrSample: true}.Open()
		if err != nil {
			t.Fatal(err)
		}
		if d.Len() != tt.n || d.Source() != tt.source {
			t.Errorf("%d pictures from %q, want %d from %q", d.Len(), d.Source(), tt.n, tt.source)
		}
		var count [10]int
		for i := range d.Len() {
			_, label, err := d.Picture(i)
			if err != nil {
				t.Fatal(err)
			}
			count[label]++
		}
		for label, n := range count {
			if n != tt.n/10 {
				t.Errorf("%d pictures of class %d, want %d", n, label, tt.n/10)
			}
		}
	}
	d, err := vision.CIFAR10{Root: t.TempDir(), Download: true, OrSample: true}.Open()
	if err != nil || !strings.HasPrefix(d.Source(), "CIFAR-10 sample: 1,500 of 10,000 test pictures (vision: download ") {
		t.Errorf("after a download that failed: %v, %v", d.Source(), err)
	}
}

// A download without a display says how far it is, ten times, and how it ended.
func TestCIFAR10DownloadNotice(t *testing.T) {
	t.Setenv("HOLT_DATA", "")
	var said []string
	defer hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { said = append(said, s) } })()
	root := t.TempDir()
	defer hooks.Set(func(h *hooks.Hooks) {
		h.Archive = func(_ context.Context, a hooks.Archive, to string, progress func(done, total int64)) error {
			if a.MD5 != "c32a1d4ab5d03f1284b67883e8d87530" || to != root {
				t.Errorf("asked for %v in %s", a, to)
			}
			for done := range a.Size / 1e6 {
				progress(done*1e6, a.Size)
			}
			progress(a.Size, a.Size)
			return errors.New("the line is down")
		}
	})()
	if _, err := (vision.CIFAR10{Root: root, Download: true}).Open(); err == nil || err.Error() != "the line is down; or use OrSample: true, which takes the sample that is part of Holt" {
		t.Errorf("error is %v", err)
	}
	if len(said) != 12 || said[5] != "download cifar-10-binary.tar.gz: 50 % of 170 MB" || said[11] != "download cifar-10-binary.tar.gz: stopped at 170 of 170 MB" {
		t.Errorf("it said %q", said)
	}
}

// Every picture of the sample is one of the whole set, pixel by pixel.
func TestSampleIsCIFAR10(t *testing.T) {
	root := dataDir(t)
	for _, train := range []bool{true, false} {
		whole, err := vision.CIFAR10{Root: root, Train: train}.Open()
		if err != nil {
			t.Fatal(err)
		}
		known := map[string]int{}
		for i := range whole.Len() {
			p, label, _ := whole.Picture(i)
			known[string(p.Pix)] = label
		}
		t.Setenv("HOLT_DATA", "")
		sample, err := vision.CIFAR10{Root: t.TempDir(), Train: train, OrSample: true}.Open()
		if err != nil {
			t.Fatal(err)
		}
		missing := 0
		for i := range sample.Len() {
			p, label, _ := sample.Picture(i)
			if want, ok := known[string(p.Pix)]; !ok || want != label {
				missing++
			}
		}
		if missing > 0 {
			t.Errorf("%d of %d pictures are not in the whole set; is it the original, which was never JPEG?", missing, sample.Len())
		}
	}
}

// gradient is a picture whose every value is different in its plane.
func gradient(c, h, w int) *vision.Image {
	img := &vision.Image{C: c, H: h, W: w, Pix: make([]uint8, c*h*w)}
	for i := range img.Pix {
		img.Pix[i] = uint8(i)
	}
	return img
}

func TestTransforms(t *testing.T) {
	tests := []struct {
		name string
		tf   vision.Transform
		in   *vision.Image
		want string // shape and first values
		err  string
	}{
		{name: "to tensor", tf: vision.ToTensor{}, in: gradient(1, 1, 3), want: "[1 1 3] [0 0.003921569 0.007843138]"},
		{name: "to tensor twice", tf: vision.Compose(vision.ToTensor{}, vision.ToTensor{}), in: gradient(1, 1, 3), want: "[1 1 3] [0 0.003921569 0.007843138]"},
		{name: "normalize", tf: vision.Compose(vision.ToTensor{}, vision.Normalize{Mean: []float32{0.5}, Std: []float32{0.25}}),
			in: &vision.Image{C: 1, H: 1, W: 2, Pix: []uint8{0, 255}}, want: "[1 1 2] [-2 2]"},
		{name: "normalize each channel", tf: vision.Compose(vision.ToTensor{}, vision.Normalize{Mean: []float32{0, 1, 0.5}, Std: []float32{1, 2, 0.5}}),
			in: &vision.Image{C: 3, H: 1, W: 1, Pix: []uint8{255, 255, 0}}, want: "[3 1 1] [1 0 -1]"},
		{name: "normalize bytes", tf: vision.Normalize{Mean: []float32{0}, Std: []float32{1}}, in: gradient(1, 1, 3),
			err: "vision: Normalize: picture has bytes, want float32; put ToTensor before it"},
		{name: "normalize without numbers", tf: vision.Compose(vision.ToTensor{}, vision.Normalize{}), in: gradient(3, 1, 1),
			err: "vision: Normalize: Mean has 0 numbers for 3 channels, want one a channel"},
		{name: "normalize by zero", tf: vision.Compose(vision.ToTensor{}, vision.Normalize{Mean: []float32{0}, Std: []float32{0}}), in: gradient(1, 1, 1),
			err: "vision: Normalize: Std[0] is 0, want a number to divide by"},
		{name: "flip", tf: vision.RandomHorizontalFlip{P: 1}, in: gradient(2, 2, 2), want: "[2 2 2] [1 0 3 2 5 4 7 6]"},
		{name: "flip floats", tf: vision.Compose(vision.ToTensor{}, vision.RandomHorizontalFlip{P: 1}), in: gradient(1, 1, 2), want: "[1 1 2] [0.003921569 0]"},
		{name: "flip by 2", tf: vision.RandomHorizontalFlip{P: 2}, in: gradient(1, 1, 1), err: "vision: RandomHorizontalFlip: P is 2, want 0 to 1"},
		{name: "flip over", tf: vision.RandomVerticalFlip{P: 1}, in: gradient(2, 2, 2), want: "[2 2 2] [2 3 0 1 6 7 4 5]"},
		{name: "flip over floats", tf: vision.Compose(vision.ToTensor{}, vision.RandomVerticalFlip{P: 1}), in: gradient(1, 2, 1), want: "[1 2 1] [0.003921569 0]"},
		{name: "flip over by -1", tf: vision.RandomVerticalFlip{P: -1}, in: gradient(1, 1, 1), err: "vision: RandomVerticalFlip: P is -1, want 0 to 1"},
		{name: "gray of gray", tf: vision.Grayscale{Channels: 3}, in: gradient(1, 1, 2), want: "[3 1 2] [0 1 0 1 0 1]"},
		{name: "gray of 2", tf: vision.Grayscale{Channels: 2}, in: gradient(3, 1, 1), err: "vision: Grayscale: Channels is 2, want 1 or 3"},
		{name: "gray floats", tf: vision.Compose(vision.ToTensor{}, vision.RandomGrayscale{P: 1}), in: gradient(3, 1, 1),
			err: "vision: RandomGrayscale: picture has float32 values, want bytes; put ToTensor after it"},
		{name: "pad floats", tf: vision.Compose(vision.ToTensor{}, vision.Pad{Right: 1, Left: 1, Fill: 255}), in: gradient(1, 1, 1), want: "[1 1 3] [1 0 1]"},
		{name: "pad less than nothing", tf: vision.Pad{Top: -1}, in: gradient(1, 2, 3),
			err: "vision: Pad: picture of 2×3 and padding of 0, -1, 0 and 0, want no negative padding and sides of at most 65536"},
		{name: "pad somehow", tf: vision.Pad{Padding: 1, Mode: "wrap"}, in: gradient(1, 1, 1),
			err: `vision: Pad: Mode is "wrap", want "constant", "edge", "reflect" or "symmetric"`},
		{name: "erase bytes", tf: vision.RandomErasing{P: 1}, in: gradient(1, 9, 9), err: "vision: RandomErasing: picture has bytes, want float32; put ToTensor before it"},
		{name: "erase with two values", tf: vision.Compose(vision.ToTensor{}, vision.RandomErasing{P: 1, Value: []float32{1, 2}}), in: gradient(3, 9, 9),
			err: "vision: RandomErasing: Value has 2 numbers for 3 channels, want one a channel"},
		{name: "erase too much", tf: vision.RandomErasing{Scale: [2]float64{0.1, 2}}, in: gradient(1, 1, 1),
			err: "vision: RandomErasing: Scale is [0.1 2], Ratio [0.3 3.3], want rising ranges, of Scale within 0 to 1"},
		{name: "crop everything", tf: vision.RandomCrop{Size: 2}, in: gradient(1, 2, 2), want: "[1 2 2] [0 1 2 3]"},
		{name: "crop too large", tf: vision.RandomCrop{Size: 5, Padding: 1}, in: gradient(1, 2, 3),
			err: "vision: RandomCrop: picture is 2×3 with padding 1, want at least 5×5; add Padding, or Resize before"},
		{name: "crop nothing", tf: vision.RandomCrop{}, in: gradient(1, 2, 3), err: "vision: RandomCrop: window is 0×0 with padding 0, want Size of at least 1"},
		{name: "nil in a chain", tf: vision.Compose(nil), in: gradient(1, 1, 1), err: "vision: Compose: transform 0 is nil; leave it out"},
		{name: "a function that returns nothing", in: gradient(1, 1, 1),
			tf:  vision.Compose(vision.Func(func(*vision.Image, *rand.Rand) (*vision.Image, error) { return nil, nil })),
			err: "vision: vision.Func: picture is nil, want one with Pix or Values"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := slices.Clone(tt.in.Pix)
			img, err := tt.tf.Apply(tt.in, rand.New(rand.NewPCG(1, 2)))
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("error is %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprintf("[%d %d %d] %v", img.C, img.H, img.W, img.Values)
			if img.Values == nil {
				got = fmt.Sprintf("[%d %d %d] %v", img.C, img.H, img.W, img.Pix)
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
			if !slices.Equal(tt.in.Pix, before) {
				t.Error("the transform changed the data set's own bytes")
			}
		})
	}
}

// Every window that a padded crop can give is the padded picture's, and all
// of them come up.
func TestRandomCropPadding(t *testing.T) {
	const pad, size = 2, 4
	in := &vision.Image{C: 2, H: 4, W: 5, Pix: make([]uint8, 40)}
	for i := range in.Pix {
		in.Pix[i] = uint8(i + 1)
	}
	at := func(c, y, x int) uint8 {
		if y < 0 || x < 0 || y >= in.H || x >= in.W {
			return 200
		}
		return in.Pix[(c*in.H+y)*in.W+x]
	}
	windows := map[string]bool{}
	for y := -pad; y <= in.H+pad-size; y++ {
		for x := -pad; x <= in.W+pad-size; x++ {
			var pix []uint8
			for c := range in.C {
				for r := range size {
					for k := range size {
						pix = append(pix, at(c, y+r, x+k))
					}
				}
			}
			windows[string(pix)] = false
		}
	}
	for seed := range uint64(2000) {
		out, err := vision.RandomCrop{Size: size, Padding: pad, Fill: 200}.Apply(in, rand.New(rand.NewPCG(seed, 0)))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := windows[string(out.Pix)]; !ok {
			t.Fatalf("%v is no window of the padded picture", out.Pix)
		}
		windows[string(out.Pix)] = true
	}
	for w, seen := range windows {
		if !seen {
			t.Errorf("window %v never came up in 2,000 crops", []byte(w))
		}
	}
}

// What is erased is a rectangle of the area and the shape that were asked
// for, in every channel alike, and lies anywhere.
func TestRandomErasing(t *testing.T) {
	const side = 40
	erasing := vision.RandomErasing{P: 1, Scale: [2]float64{0.1, 0.2}, Ratio: [2]float64{0.5, 2}, Value: []float32{5, 6, 7}}
	times := make([]int, side*side)
	for seed := range uint64(20_000) {
		img := &vision.Image{C: 3, H: side, W: side, Values: make([]float32, 3*side*side)}
		if _, err := erasing.Apply(img, rand.New(rand.NewPCG(seed, 0))); err != nil {
			t.Fatal(err)
		}
		x0, y0, x1, y1, n := side, side, 0, 0, 0
		for i := range side * side {
			switch [3]float32{img.Values[i], img.Values[side*side+i], img.Values[2*side*side+i]} {
			case [3]float32{}:
			case [3]float32{5, 6, 7}:
				x0, y0, x1, y1, n = min(x0, i%side), min(y0, i/side), max(x1, i%side+1), max(y1, i/side+1), n+1
				times[i]++
			default:
				t.Fatalf("seed %d: channels differ at %d", seed, i)
			}
		}
		h, w := float64(y1-y0), float64(x1-x0)
		if n != (x1-x0)*(y1-y0) || h*w < 0.08*side*side || h*w > 0.23*side*side || h/w < 0.4 || h/w > 2.5 { // whole pixels
			t.Fatalf("seed %d: %d pixels of %v×%v", seed, n, h, w)
		}
	}
	if low := slices.Min(times); low == 0 {
		t.Error("some pixels were never erased")
	}
	noise := &vision.Image{C: 1, H: side, W: side, Values: make([]float32, side*side)}
	if _, err := (vision.RandomErasing{P: 1, Noise: true}).Apply(noise, rand.New(rand.NewPCG(1, 0))); err != nil || len(slices.Compact(slices.Sorted(slices.Values(noise.Values)))) < 20 {
		t.Errorf("noise is %v, %v", noise.Values, err)
	}
}

func TestFlipChance(t *testing.T) {
	for _, tt := range []struct{ p, want float64 }{{0, 0.5}, {0.25, 0.25}, {1, 1}} {
		flips := 0
		rng := rand.New(rand.NewPCG(3, 4))
		in := gradient(1, 1, 2)
		for range 10_000 {
			out, _ := vision.RandomHorizontalFlip{P: tt.p}.Apply(in, rng)
			if out.Pix[0] == 1 {
				flips++
			}
		}
		if got := float64(flips) / 10_000; math.Abs(got-tt.want) > 0.02 { // four standard deviations
			t.Errorf("P %v: %v of the pictures are mirrored", tt.p, got)
		}
	}
}

func TestFromImage(t *testing.T) {
	r := image.Rect(2, 3, 5, 7) // an origin that is not 0, 0
	rng := rand.New(rand.NewPCG(5, 6))
	fill := func(pix []uint8) {
		for i := range pix {
			pix[i] = uint8(rng.Uint32())
		}
	}
	gray, nrgba, rgba, ycc := image.NewGray(r), image.NewNRGBA(r), image.NewRGBA(r), image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
	fill(gray.Pix)
	fill(nrgba.Pix)
	for i := range rgba.Pix {
		rgba.Pix[i] = 255
	}
	fill(ycc.Y)
	fill(ycc.Cb)
	fill(ycc.Cr)
	pal := image.NewPaletted(r, color.Palette{color.RGBA{10, 20, 30, 255}, color.RGBA{200, 100, 50, 255}})
	for i := range pal.Pix {
		pal.Pix[i] = uint8(i % 2)
	}
	all := []image.Image{gray, nrgba, rgba, ycc, pal, nrgba.SubImage(image.Rect(3, 4, 5, 6))}
	for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio440,
		image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410} {
		m := image.NewYCbCr(image.Rect(0, 0, 9, 7), ratio)
		fill(m.Y)
		fill(m.Cb)
		fill(m.Cr)
		all = append(all, m, m.SubImage(image.Rect(3, 2, 8, 6)))
	}
	for _, src := range all {
		m := vision.FromImage(src)
		b := src.Bounds()
		if m.W != b.Dx() || m.H != b.Dy() || len(m.Pix) != m.C*m.H*m.W {
			t.Errorf("%T: %v", src, m)
			continue
		}
		for y := range m.H {
			for x := range m.W {
				want := color.NRGBAModel.Convert(src.At(b.Min.X+x, b.Min.Y+y)).(color.NRGBA)
				if p, ok := src.(*image.NRGBA); ok { // without losing colour where it is transparent
					want = p.NRGBAAt(b.Min.X+x, b.Min.Y+y)
				}
				i := y*m.W + x
				got := color.NRGBA{m.Pix[i], m.Pix[i], m.Pix[i], want.A}
				if m.C == 3 {
					got.G, got.B = m.Pix[m.H*m.W+i], m.Pix[2*m.H*m.W+i]
				}
				if got != want {
					t.Fatalf("%T at %d, %d: %v, want %v", src, x, y, got, want)
				}
			}
		}
		again := vision.FromImage(m.Image())
		if !slices.Equal(again.Pix, m.Pix) {
			t.Errorf("%T: there and back is different", src)
		}
		scaled, _ := vision.ToTensor{}.Apply(m, nil)
		if !slices.Equal(vision.FromImage(scaled.Image()).Pix, m.Pix) {
			t.Errorf("%T: through ToTensor and back is different", src)
		}
	}
}

// A loader gives the same augmented pictures for any number of workers.
func TestLoaderSameForAnyWorkers(t *testing.T) {
	tf := vision.Compose(vision.RandomCrop{Size: 32, Padding: 4}, vision.RandomHorizontalFlip{}, vision.RandomResizedCrop{Size: 24}, vision.ToTensor{},
		vision.Normalize{Mean: []float32{0.5}, Std: []float32{0.25}})
	t.Setenv("HOLT_DATA", "")
	d, err := vision.CIFAR10{Root: t.TempDir(), OrSample: true, Transform: tf}.Open()
	if err != nil {
		t.Fatal(err)
	}
	part := dl.Subset{Dataset: d, Indices: rand.New(rand.NewPCG(1, 1)).Perm(200)}
	var want [][]float32
	for _, workers := range []int{-1, 1, 4} {
		k := 0
		for batch := range (dl.DataLoader{Dataset: part, BatchSize: 16, Shuffle: true, Seed: 3, Workers: workers}).Epoch(2) {
			got := batch.Inputs.Float32s()
			if workers == -1 {
				want = append(want, got)
			} else if !slices.Equal(got, want[k]) {
				t.Fatalf("%d workers: batch %d differs", workers, k)
			}
			k++
		}
	}
}

// Hostile bytes give an error or a data set that can be read.
func FuzzCIFAR10(f *testing.F) {
	f.Add([]byte{}, 0)
	f.Add([]byte{11}, 3073)
	f.Fuzz(func(t *testing.T, head []byte, cut int) {
		if len(head) > 3073*10_000 {
			return
		}
		t.Setenv("HOLT_DATA", "")
		root := t.TempDir()
		b := make([]byte, 3073*10_000)
		copy(b, head)
		if cut > 0 && cut < len(b) {
			b = b[:len(b)-cut]
		}
		os.Mkdir(filepath.Join(root, "cifar-10-batches-bin"), 0o755)
		os.WriteFile(filepath.Join(root, "cifar-10-batches-bin", "test_batch.bin"), b, 0o644)
		d, err := vision.CIFAR10{Root: root}.Open()
		if err != nil {
			return
		}
		for i := 0; i < d.Len(); i += 997 {
			if e, err := d.Get(i); err != nil || e.Label < 0 || e.Label > 9 {
				t.Errorf("example %d: %v, %v", i, e, err)
			}
		}
	})
}

// The whole way of a training picture: crop, flip, scale, normalize, batch.
// Run with HOLT_DATA set for the whole set.
func BenchmarkLoader(b *testing.B) {
	mean, std := []float32{0.4914, 0.4822, 0.4465}, []float32{0.247, 0.2435, 0.2616}
	for _, bb := range []struct {
		name string
		tf   vision.Transform
	}{
		{"plain", vision.Compose(vision.ToTensor{}, vision.Normalize{Mean: mean, Std: std})},
		{"augmented", vision.Compose(vision.RandomCrop{Size: 32, Padding: 4}, vision.RandomHorizontalFlip{}, vision.ToTensor{}, vision.Normalize{Mean: mean, Std: std})},
	} {
		b.Run(bb.name, func(b *testing.B) {
			d, err := vision.CIFAR10{Train: true, OrSample: true, Transform: bb.tf}.Open()
			if err != nil {
				b.Fatal(err)
			}
			loader := dl.DataLoader{Dataset: d, BatchSize: 64, Shuffle: true}
			n := 0
			for b.Loop() {
				for batch := range loader.Epoch(0) {
					n += batch.Labels.Size()
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "pictures/s")
		})
	}
}

func ExampleCompose() {
	tf := vision.Compose(
		vision.RandomHorizontalFlip{P: 1},
		vision.ToTensor{},
		vision.Normalize{Mean: []float32{0.5}, Std: []float32{0.5}},
	)
	img := &vision.Image{C: 1, H: 1, W: 2, Pix: []uint8{0, 255}}
	out, err := tf.Apply(img, rand.New(rand.NewPCG(1, 1)))
	fmt.Println(out.Values, err)
	fmt.Println(tf)
	// Output:
	// [1 -1] <nil>
	// Compose(
	//     RandomHorizontalFlip{P:1}
	//     ToTensor
	//     Normalize{Mean:[0.5] Std:[0.5]}
	// )
}

func ExampleCIFAR10() {
	train, err := vision.CIFAR10{Root: "nowhere", Train: true, OrSample: true}.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	example, err := train.Get(0)
	fmt.Println(example.Input.Shape(), err)
	fmt.Println(train.Classes[:3], train.ClassToIdx()["cat"])
	// Output:
	// [3 32 32] <nil>
	// [airplane automobile bird] 3
}

// TestZeroChance has a chance of 0 that is meant, against the usual one.
func TestZeroChance(t *testing.T) {
	img := &vision.Image{C: 3, H: 1, W: 2, Pix: []uint8{1, 2, 3, 4, 5, 6}}
	rng := rand.New(rand.NewPCG(1, 1))
	for name, tf := range map[string][2]vision.Transform{
		"RandomHorizontalFlip": {vision.RandomHorizontalFlip{}, vision.RandomHorizontalFlip{P: dl.Zero}},
		"RandomGrayscale":      {vision.RandomGrayscale{}, vision.RandomGrayscale{P: dl.Zero}},
	} {
		var changed [2]int
		for i, tf := range tf {
			for range 100 {
				out, err := tf.Apply(img, rng)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(out.Pix, img.Pix) {
					changed[i]++
				}
			}
		}
		if changed[0] == 0 || changed[1] != 0 {
			t.Errorf("%s changed %d of 100 pictures by its own chance and %d with Zero, want some and none", name, changed[0], changed[1])
		}
	}
}
