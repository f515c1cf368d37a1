package board_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/board"
)

// line is a data set of one feature.
type line struct{}

func (line) Len() int { return 8 }

func (line) Get(i int) (dl.Example, error) {
	return dl.Example{Input: dl.FromSlice([]float32{float32(i) - 3.5}), Label: i / 4}, nil
}

// TestTraining logs a training run and reads it back.
func TestTraining(t *testing.T) {
	dir := t.TempDir()
	w := board.Open(dir)
	data := &dl.DataLoader{Dataset: line{}, BatchSize: 4}
	start := func(w *board.Writer) *dl.Run {
		m := must(dl.Build(dl.Linear{Out: 2}, dl.Shape{4, 1}))
		return dl.Start(m, dl.Training{Data: data, Eval: data, Epochs: 3, Log: w})
	}
	run := start(w)
	if err := run.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l := must(board.Read(dir))
	if want := []string{"eval/accuracy", "eval/loss", "train/accuracy", "train/loss"}; !slices.Equal(l.Names(), want) {
		t.Fatalf("curves are %q, want %q", l.Names(), want)
	}
	if x, _ := l.Curve("train/loss"); !slices.Equal(x, []float64{1, 2, 3, 4, 5, 6}) {
		t.Errorf("the steps are %v", x)
	}
	_, logged := l.Curve("eval/loss")
	_, known := run.Curve("eval/loss")
	for i, v := range logged {
		if v != float64(float32(known[i])) {
			t.Errorf("the loss of epoch %d is logged as %v, want %v", i+1, v, known[i])
		}
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	wantError(t, start(board.Open(file)).Wait(), "dl: Start: Log: board: open "+file+": mkdir "+file+": not a directory")
}

func TestReadPyTorch(t *testing.T) {
	l := must(board.Read("testdata/events"))
	want := []string{"negative step", "run/hparam/accuracy", "speed_both_go/speed/both", "speed_both_python/speed/both", "train/loss"}
	if !slices.Equal(l.Names(), want) {
		t.Errorf("curves are %q, want %q", l.Names(), want)
	}
	for name, points := range map[string][2][]float64{
		"train/loss":               {{0, 1}, {2.5, 1.25}},
		"negative step":            {{-1}, {-3}},
		"speed_both_go/speed/both": {{7}, {3}},
		"unknown":                  {},
	} {
		if x, y := l.Curve(name); !slices.Equal(x, points[0]) || !slices.Equal(y, points[1]) {
			t.Errorf("%s is %v, %v, want %v", name, x, y, points)
		}
	}
	if got := l.Text("notes"); got != "**lr** 0.01 — größer" {
		t.Errorf("the text is %q", got)
	}
	if s := l.String(); !strings.HasPrefix(s, "testdata/events: 20 events") || !strings.Contains(s, "train/loss") && !strings.Contains(s, "more curves") {
		t.Errorf("the log is %q", s)
	}
	select {
	case <-l.Done():
	default:
		t.Error("Done is not closed")
	}
}

func TestReadErrors(t *testing.T) {
	empty := t.TempDir()
	_, err := board.Read(empty)
	wantError(t, err, "board: read "+empty+": the folder has no event files, want some called events.out.tfevents.…; pass what board.Open was given")
	t.Chdir(empty)
	for _, folder := range []string{"runs/a", "runs/b", "runs/.hidden"} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for dir, want := range map[string]string{
		"runs/none":    "runs has a, b",
		"runs/a/none/": "runs/a has no folders",
		"logs/none":    "logs is not there either, in " + empty + ", where cells run",
		"/no/such":     "/no is not there either",
	} {
		_, err := board.Read(dir)
		wantError(t, err, "board: read "+dir+": file does not exist, want a folder that board.Open was given; "+want)
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v is not fs.ErrNotExist", err)
		}
	}
	for i := range 20 {
		if err := os.MkdirAll(fmt.Sprintf("runs/n%02d", i), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	_, err = board.Read("runs/none")
	wantError(t, err, "board: read runs/none: file does not exist, want a folder that board.Open was given; runs has a, b, n00, n01, n02, n03, n04, n05 and 14 more")
}

// TestReadFile reads one file by its name.
func TestReadFile(t *testing.T) {
	l := must(board.Read("testdata/events/events.out.tfevents.0000000001"))
	if want := []string{"negative step", "train/loss"}; !slices.Equal(l.Names(), want) {
		t.Errorf("curves are %q, want %q", l.Names(), want)
	}
}

// TestPurge leaves out what was logged before training went back.
func TestPurge(t *testing.T) {
	dir := t.TempDir()
	w := board.Open(dir)
	for i := range 10 {
		w.AddScalar("loss", float64(i), i)
	}
	w.Close()
	w = board.Open(dir) // after the crash
	w.PurgeStep(4)
	w.AddScalar("loss", 40, 4)
	w.Close()
	x, y := must(board.Read(dir)).Curve("loss")
	if !slices.Equal(x, []float64{0, 1, 2, 3, 4}) || y[4] != 40 {
		t.Errorf("the curve is %v, %v", x, y)
	}
}

// writeForever adds to a log, and says after each point that it is there.
func writeForever(dir string) {
	w := board.Open(dir)
	for step := 0; ; step++ {
		w.AddScalar("loss", float64(step), step)
		w.AddText("note", strings.Repeat("long ", 1000), step)
		fmt.Println(step)
	}
}

// TestCrash kills a program while it writes: what it had added is there.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "BOARD_CRASH="+dir)
	out := must(cmd.StdoutPipe())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for range 100 {
		lines.Scan()
	}
	cmd.Process.Kill()
	said := 100
	for lines.Scan() { // before it died
		said++
	}
	cmd.Wait()
	l := must(board.Read(dir))
	if x, y := l.Curve("loss"); len(x) < said || !slices.Equal(x, y) || x[len(x)-1] != float64(len(x)-1) {
		t.Errorf("%d points were added, and %d are there: %v", said, len(x), x)
	}
	if strings.Contains(l.String(), "damaged") {
		t.Errorf("the log is %v", l)
	}
}

// TestCutAnywhere reads a file that a crash ended at each of its bytes: all
// records that are whole are there.
func TestCutAnywhere(t *testing.T) {
	dir := t.TempDir()
	w := board.Open(dir)
	ends := map[int64]int{} // of records
	file := eventFiles(t, dir)["."]
	for i := range 5 {
		ends[must(os.Stat(file)).Size()] = i
		w.AddScalar("loss", float64(i), i)
	}
	ends[must(os.Stat(file)).Size()] = 5
	w.Close()
	whole := must(os.ReadFile(file))
	points := 0
	for size := range len(whole) + 1 {
		if n, ok := ends[int64(size)]; ok {
			points = n
		}
		if err := os.WriteFile(file, whole[:size], 0o644); err != nil {
			t.Fatal(err)
		}
		l := must(board.Read(dir))
		x, _ := l.Curve("loss")
		_, atEnd := ends[int64(size)]
		if told := strings.Contains(l.String(), "is cut off after"); len(x) != points || told == (atEnd || size == 0) {
			t.Fatalf("of %d of %d bytes come %d points, want %d: %v", size, len(whole), len(x), points, l)
		}
	}
	// A bit that is turned ends the file there.
	for at := range whole {
		b := bytes.Clone(whole)
		b[at] ^= 4
		if err := os.WriteFile(file, b, 0o644); err != nil {
			t.Fatal(err)
		}
		l := must(board.Read(dir))
		if x, _ := l.Curve("loss"); len(x) > 4 || !strings.Contains(l.String(), "is damaged after") {
			t.Fatalf("with byte %d changed come %d points: %v", at, len(x), l)
		}
	}
}

// FuzzRead reads any bytes as an event file.
func FuzzRead(f *testing.F) {
	b := must(os.ReadFile("testdata/events/events.out.tfevents.0000000001"))
	f.Add(b[:400])
	f.Add(board.AppendRecord(nil, []byte{0x2a, 4, 0x0a, 2, 0x0a, 0}))
	f.Add(board.AppendRecord(nil, bytes.Repeat([]byte{0xff}, 20)))
	f.Fuzz(func(t *testing.T, b []byte) {
		var again []byte
		var last error
		for data, err := range board.Records(bytes.NewReader(b), int64(len(b))) {
			if last = err; err == nil {
				again = board.AppendRecord(again, data)
			}
		}
		if !bytes.HasPrefix(b, again) || last == nil && len(again) != len(b) {
			t.Fatalf("%q is read as records of %q: %v", b, again, last)
		}
		if last != nil && !errors.Is(last, io.ErrUnexpectedEOF) && last.Error() != "a record's checksum differs" {
			t.Fatal(last)
		}
		// The bytes as a record of their own reach the reader of events.
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "tfevents"), board.AppendRecord(bytes.Clone(b), b), 0o644); err != nil {
			t.Fatal(err)
		}
		l := must(board.Read(dir))
		for _, name := range l.Names() {
			if x, y := l.Curve(name); len(x) != len(y) {
				t.Fatalf("%s has %d x and %d y", name, len(x), len(y))
			}
		}
		_ = l.String()
	})
}
