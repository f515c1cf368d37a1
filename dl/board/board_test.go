package board_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	_ "github.com/gomlx/compute/gobackend"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/board"
	"github.com/holt-dl/holt/internal/golden"
	"github.com/holt-dl/holt/internal/goxla"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// writeLikePyTorch writes what testdata/events.py writes.
func writeLikePyTorch(t *testing.T, dir string) {
	t.Helper()
	w := board.Open(dir)
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	w.AddScalar("train/loss", 2.5, 0)
	w.AddScalar("train/loss", 1.25, 1)
	w.AddScalar("negative step", -3, -1)
	w.AddScalars("speed/both", map[string]float64{"go": 3, "python": 2}, 7)
	w.AddText("notes", "**lr** 0.01 — größer", 2)
	var values []float32
	for i := range 200 {
		values = append(values, float32((i*37)%101-50)/8)
	}
	check(w.AddHistogram("weights", dl.FromSlice(append(values, 0, 1./1024, -1./1024, 1024)), 3))
	grid := make([]float32, 10*3*4*5)
	for i := range grid {
		grid[i] = float32(float64((i*53)%256) / 255)
	}
	first := grid[:60]
	hwc, hw, gray := make([]float32, 60), make([]uint8, 20), make([]float32, 200)
	for i, v := range first {
		hwc[i%20*3+i/20] = v
	}
	for i := range hw {
		hw[i] = uint8(first[i] * 255)
	}
	for i := range gray {
		gray[i] = grid[i/20*60+i%20]
	}
	check(w.AddImage("chw", dl.FromSlice(slices.Clone(first), 3, 4, 5), 4))
	check(w.AddImage("hwc", board.Layout{Of: dl.FromSlice(hwc, 4, 5, 3), Axes: "HWC"}, 4))
	check(w.AddImage("hw", board.Layout{Of: dl.FromSlice(hw, 4, 5), Axes: "HW"}, 4))
	check(w.AddImages("nchw", dl.FromSlice(grid, 10, 3, 4, 5), 5))
	check(w.AddImages("gray", board.Layout{Of: dl.FromSlice(gray, 10, 4, 5, 1), Axes: "NHWC"}, 5))
	check(w.AddHParams(map[string]any{"lr": 0.01}, map[string]float64{"hparam/accuracy": 0.75}, "run"))
	check(w.Flush())
	check(w.Close())
}

// eventFiles maps each folder inside of dir to its only event file.
func eventFiles(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			folder := must(filepath.Rel(dir, filepath.Dir(path)))
			if files[folder] != "" {
				t.Errorf("%s has two files", folder)
			}
			files[folder] = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestLikePyTorch compares with files that PyTorch's writer made: the events
// are the same to the byte but for the time and for how PNG compresses.
func TestLikePyTorch(t *testing.T) {
	dir := t.TempDir()
	writeLikePyTorch(t, dir)
	want, got := eventFiles(t, "testdata/events"), eventFiles(t, dir)
	if len(got) != len(want) {
		t.Fatalf("folders are %v, want %v", got, want)
	}
	for folder, file := range want {
		theirs, ours := events(t, file), events(t, got[folder])
		if len(theirs) != len(ours) {
			t.Errorf("%s: %d events, want %d", folder, len(ours), len(theirs))
			continue
		}
		for i := range theirs {
			a, aPNG := splitPNG(ours[i])
			b, bPNG := splitPNG(theirs[i])
			if i == 0 { // PyTorch's names the module that wrote it, too
				a, b = strings.TrimSuffix(a, `"`), b[:min(len(b), len(a)-1)]
			}
			if a != b {
				t.Errorf("%s: event %d is\n%.300s, want\n%.300s", folder, i, a, b)
			}
			if (aPNG == nil) != (bPNG == nil) {
				t.Errorf("%s: event %d: only one has a picture", folder, i)
			} else if aPNG != nil {
				samePixels(t, fmt.Sprintf("%s: event %d", folder, i), aPNG, bPNG)
			}
		}
	}
}

// events returns the events of a file without their time, which comes first.
func events(t *testing.T, file string) (all [][]byte) {
	t.Helper()
	b := must(os.ReadFile(file))
	for data, err := range board.Records(bytes.NewReader(b), int64(len(b))) {
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, data[9:])
	}
	return all
}

// splitPNG takes the PNG file out of an event, and describes the rest.
func splitPNG(event []byte) (rest string, file []byte) {
	var picture []byte
	for num, data := range board.Fields(event) {
		for _, value := range board.Fields(data) {
			for part, data := range board.Fields(value) {
				if num == 5 && part == 4 {
					picture = data
				} else if num == 5 {
					rest += fmt.Sprintf("%d %q ", part, data)
				}
			}
		}
	}
	if picture == nil {
		return fmt.Sprintf("%q", event), nil
	}
	for num, data := range board.Fields(picture) {
		if num == 4 {
			file = data
		} else {
			rest += fmt.Sprintf("%d %v ", num, data)
		}
	}
	return rest, file
}

func samePixels(t *testing.T, what string, a, b []byte) {
	t.Helper()
	x, y := must(png.Decode(bytes.NewReader(a))), must(png.Decode(bytes.NewReader(b)))
	if x.Bounds() != y.Bounds() {
		t.Errorf("%s: the picture is %v, want %v", what, x.Bounds(), y.Bounds())
		return
	}
	for j := range x.Bounds().Dy() {
		for i := range x.Bounds().Dx() {
			p, q := color.NRGBAModel.Convert(x.At(i, j)), color.NRGBAModel.Convert(y.At(i, j))
			if p != q {
				t.Errorf("%s: pixel %d, %d is %v, want %v", what, i, j, p, q)
				return
			}
		}
	}
}

// TestTensorBoard reads the files with TensorBoard's own reader.
func TestTensorBoard(t *testing.T) {
	python := ""
	for _, p := range []string{os.Getenv("HOLT_PYTHON"), "../../.venv/bin/python", "python3"} {
		if p != "" && python == "" && exec.Command(p, "-c", "import tensorboard").Run() == nil {
			python = p
		}
	}
	if python == "" {
		t.Skip("skipped: no Python with tensorboard (pip install tensorboard; HOLT_PYTHON names one)")
	}
	dir := t.TempDir()
	writeLikePyTorch(t, dir)
	w := board.Open(filepath.Join(dir, "graph"))
	m := must(dl.Build(newResidual(), dl.Shape{2, 3, 4, 4}))
	if err := w.AddGraph(m); err != nil {
		t.Fatal(err)
	}
	if err := w.AddFigure("figure", onePixel(), 1); err != nil {
		t.Fatal(err)
	}
	w.PurgeStep(4)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// A file that was cut by a crash is read as far as it goes.
	cut := filepath.Join(dir, "cut")
	if err := os.Mkdir(cut, 0o755); err != nil {
		t.Fatal(err)
	}
	whole := must(os.ReadFile(eventFiles(t, "testdata/events")["."]))
	if err := os.WriteFile(filepath.Join(cut, "events.out.tfevents.1"), whole[:len(whole)-100], 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, "testdata/read.py", dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	golden.Check(t, "read", out)
}

// residual adds its input to its output.
type residual struct {
	Body dl.Sequential
	Head dl.Linear
}

func (r *residual) Forward(x *dl.Tensor) *dl.Tensor {
	return r.Head.Forward(r.Body.Forward(x).Add(x).ReLU().Flatten())
}

func newResidual() *residual {
	return &residual{
		Body: dl.Sequential{dl.Conv2d{Out: 3, Kernel: 3, Padding: 1}, dl.BatchNorm2d{}, dl.Dropout{}},
		Head: dl.Linear{Out: 2},
	}
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("BOARD_CRASH"); dir != "" {
		writeForever(dir)
	}
	if os.Getenv("HOLT_PROGRAMS") != "" {
		goxla.Install() // which writes programs for CUDA, too, as make cuda asks
	}
	if err := dl.Use("go"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestGraph(t *testing.T) {
	m := must(dl.Build(newResidual(), dl.Shape{2, 3, 4, 4}))
	var text strings.Builder
	for _, n := range must(m.Graph()) {
		fmt.Fprintln(&text, n.Name, n.Op, n.Inputs, n.Shape)
	}
	want := `input Input [] [2 3 4 4]
body/0/weight Parameter [] [3 3 3 3]
body/0/bias Parameter [] [3]
body/1/weight Parameter [] [3]
body/1/bias Parameter [] [3]
body/1/running_mean Buffer [] [3]
body/1/running_var Buffer [] [3]
body/1/num_batches_tracked Buffer [] []
head/weight Parameter [] [2 48]
head/bias Parameter [] [2]
body/0/Conv2d Conv2d [input body/0/weight body/0/bias] [2 3 4 4]
body/1/BatchNorm2d BatchNorm2d [body/0/Conv2d body/1/weight body/1/bias body/1/running_mean body/1/running_var body/1/num_batches_tracked] [2 3 4 4]
body/2/Dropout Dropout [body/1/BatchNorm2d] [2 3 4 4]
add add [body/2/Dropout input] [2 3 4 4]
relu relu [add] [2 3 4 4]
head/Linear Linear [relu head/weight head/bias] [2 2]
output Output [head/Linear] [2 2]
`
	if text.String() != want {
		t.Errorf("the graph is\n%swant\n%s", &text, want)
	}
	w := board.Open(t.TempDir())
	if err := w.AddGraph(m); err != nil {
		t.Error(err)
	}
	wantError(t, w.AddGraph(nil), "board: AddGraph: the model is nil, want one that dl.Build made")
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || err.Error() != want {
		t.Errorf("error is %v\nwant %s", err, want)
	}
}

func TestErrors(t *testing.T) {
	w := board.Open(t.TempDir())
	nan := float32(math.NaN())
	wantError(t, w.AddHistogram("h", dl.FromSlice([]float32{nan, nan}), 1),
		"board: AddHistogram: h: none of 2 values is finite, want at least one; look for NaN where they come from")
	wantError(t, w.AddHistogram("h", nil, 1), "board: AddHistogram: h: the array is nil, want a tensor")
	wantError(t, w.AddImage("i", 3, 1), "board: AddImage: i: it is a int, want a picture: an image.Image or a tensor")
	wantError(t, w.AddImage("i", dl.FromSlice(make([]float32, 60), 5, 4, 3), 1),
		"board: AddImage: i: the picture is [5 4 3], which has 5 channels as CHW, want 1, 3 or 4, and no axis of 0; name the axes: board.Layout{Of: x, Axes: \"HWC\"}")
	wantError(t, w.AddImage("i", dl.FromSlice(make([]float32, 60), 1, 3, 4, 5), 1),
		"board: AddImage: i: the picture is [1 3 4 5], want an axis for each letter of CHW; try AddImages")
	wantError(t, w.AddImages("i", board.Layout{Of: dl.FromSlice(make([]float32, 60), 3, 4, 5), Axes: "CNN"}, 1),
		`board: AddImages: i: layout is "CNN", want one of HW, CHW, HWC, NCHW, NHWC`)
	wantError(t, w.AddFigure("f", []byte("GIF89a no PNG"), 1),
		"board: AddFigure: f: the 13 bytes are no PNG file (png: invalid format: not a PNG file), want one; or add an image.Image")
	wantError(t, w.AddHParams(map[string]any{"lr": []int{1}}, nil, "r"),
		"board: AddHParams: lr is a []int, want a string, a bool or a number; use fmt.Sprint")
	if err := w.Close(); err != nil { // what was wrong was not written
		t.Error(err)
	}
	w.AddScalar("late", 1, 1)
	wantError(t, w.Err(), "board: "+w.Dir()+" was closed; open it again for more")

	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	w = board.Open(filepath.Join(file, "run"))
	w.AddScalar("nowhere", 1, 1)
	wantError(t, w.Err(), "board: open "+file+"/run: mkdir "+file+": not a directory")
	wantError(t, w.Close(), "board: open "+file+"/run: mkdir "+file+": not a directory")
}

// plot has the method of gonum's plot.Plot, with types of its own as it has.
type drawing = interface {
	WriteTo(w io.Writer) (int64, error)
}

type plot struct{ size *[2]length }
type length float64

func (p plot) WriterTo(w, h length, format string) (drawing, error) {
	*p.size = [2]length{w, h}
	if format != "png" {
		return nil, fmt.Errorf("format is %s", format)
	}
	return bytes.NewBuffer(onePixel()), nil
}

func onePixel() []byte {
	var b bytes.Buffer
	png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1)))
	return b.Bytes()
}

func TestFigures(t *testing.T) {
	dir := t.TempDir()
	w := board.Open(dir)
	var size [2]length
	for _, figure := range []any{image.NewNRGBA(image.Rect(0, 0, 2, 3)), onePixel(), plot{&size}} {
		if err := w.AddFigure("figure", figure, 1); err != nil {
			t.Errorf("%T: %v", figure, err)
		}
	}
	if size != [2]length{640, 480} {
		t.Errorf("the plot was drawn as %v, want 640 by 480", size)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	pictures := 0
	for _, e := range events(t, eventFiles(t, dir)["."]) {
		if _, file := splitPNG(e); file != nil {
			pictures++
		}
	}
	if pictures != 3 {
		t.Errorf("the file has %d pictures, want 3", pictures)
	}
}

func TestGoroutines(t *testing.T) {
	dir := t.TempDir()
	w := board.Open(dir)
	var group sync.WaitGroup
	for g := range 4 {
		group.Go(func() {
			for i := range 50 {
				w.AddScalar(fmt.Sprint("curve", g), float64(i), i)
				w.AddScalars("all", map[string]float64{fmt.Sprint(g): float64(i)}, i)
				w.Flush()
			}
		})
	}
	group.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l := must(board.Read(dir))
	if len(l.Names()) != 8 {
		t.Errorf("curves are %v, want 8", l.Names())
	}
	for _, name := range l.Names() {
		if x, y := l.Curve(name); len(x) != 50 || !slices.Equal(x, y) {
			t.Errorf("%s has the points %v, %v", name, x, y)
		}
	}
}
