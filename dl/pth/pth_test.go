package pth_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/pth"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestFormats(t *testing.T) {
	var want map[string]struct {
		Shape  []int
		Values []float64
	}
	if err := json.Unmarshal(must(os.ReadFile("testdata/state.json")), &want); err != nil {
		t.Fatal(err)
	}
	types := map[string]dl.DType{"float64": dl.Float64, "int64": dl.Int64, "int32": dl.Int32, "uint8": dl.Uint8, "bool": dl.Bool,
		"float16": dl.Float32, "bfloat16": dl.Float32, "scalar": dl.Int64, "transposed": dl.Float32}
	for _, file := range []string{"zip", "legacy"} {
		dict, err := pth.LoadStateDict("testdata/" + file + ".pth")
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if len(dict) != len(want) {
			t.Errorf("%s: %d tensors, want %d", file, len(dict), len(want))
		}
		for name, w := range want {
			got := dict[name]
			if got == nil || !slices.Equal(got.Shape(), w.Shape) || !slices.Equal(got.Float64s(), w.Values) && len(w.Values) > 0 {
				t.Errorf("%s: %s is %v, want %v of shape %v", file, name, got, w.Values, w.Shape)
			}
			if kind, ok := types[name]; ok && got.DType() != kind {
				t.Errorf("%s: %s is of %v, want %v", file, name, got.DType(), kind)
			}
		}
	}
}

// TestCheckpoint finds a state dict beside the state of an optimizer.
func TestCheckpoint(t *testing.T) {
	for _, file := range []string{"checkpoint", "checkpoint-legacy"} {
		dict, err := pth.LoadStateDict("testdata/" + file + ".pth")
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if w := dict["0.weight"]; len(dict) != 7 || w == nil || !slices.Equal(w.Float64s(), []float64{0.5, 0.5}) {
			t.Errorf("%s: it holds %v", file, dict)
		}
	}
}

// TestNothingRuns reads files that would run a command when Python loads them:
// what is no tensor is passed over, and a model that is code is refused.
func TestNothingRuns(t *testing.T) {
	for _, file := range []string{"evil.pth", "evil-legacy.pth"} {
		dict, err := pth.LoadStateDict("testdata/" + file)
		if err != nil || len(dict) != 1 || !slices.Equal(dict["weight"].Float64s(), []float64{0, 0}) {
			t.Errorf("%s: %v, %v", file, dict, err)
		}
	}
	_, err := pth.LoadStateDict("testdata/model.pth")
	if want := `pth: load testdata/model.pth: it holds a whole model of class "torch.nn.modules.container.Sequential", which is Python code: ` +
		`the file holds more than plain tensors; save it in Python as torch.save(model.state_dict(), path), or as safetensors`; err == nil || err.Error() != want || !errors.Is(err, pth.ErrRefused) {
		t.Errorf("error is %v\nwant %s", err, want)
	}
	if _, err := os.Stat("executed"); err == nil {
		t.Error("a pickle was executed")
	}
}

// load reads bytes as a file.
func load(b []byte) (dl.StateDict, error) {
	return pth.ReadFile(pth.File{Path: "x.pth"}, bytes.NewReader(b), int64(len(b)))
}

// TestForged changes what a file says of itself.
func TestForged(t *testing.T) {
	legacy := must(os.ReadFile("testdata/legacy.pth"))
	for _, tt := range []struct {
		name, old, new, want string
	}{
		// The tensor "float32": sizes 2 3 4 are K\x02K\x03K\x04.
		{"a shape beyond its storage", "K\x02K\x03K\x04", "K\x02K\x03K\x05", "its shape is [2 3 5] with strides [12 4 1] from 0, of a storage of 24"},
		{"strides beyond its storage", "K\x0cK\x04K\x01", "K\x0cK\xffK\x01", "its shape is [2 3 4] with strides [12 255 1] from 0, of a storage of 24"},
		{"another size of the storage", "K\x18N", "K\x19N", "is there with two sizes"},
		{"another protocol", "\x80\x02", "\x80\x09", "it begins with no number that torch.save writes"},
	} {
		if !bytes.Contains(legacy, []byte(tt.old)) {
			t.Errorf("%s: the file has no %q", tt.name, tt.old)
			continue
		}
		_, err := load(bytes.Replace(legacy, []byte(tt.old), []byte(tt.new), 1))
		if err == nil || !strings.Contains(err.Error(), tt.want) || !errors.Is(err, pth.ErrCorrupt) {
			t.Errorf("%s: error is %v\nwant %s", tt.name, err, tt.want)
		}
	}
	for _, b := range []string{"", "short", strings.Repeat("x", 1000), "PK\x03\x04 and no archive"} {
		if _, err := load([]byte(b)); !errors.Is(err, pth.ErrCorrupt) {
			t.Errorf("%.10q: error is %v", b, err)
		}
	}
}

// TestCutAnywhere cuts files at each byte, and changes each byte: what comes
// is an error or the file's tensors, and never a panic.
func TestCutAnywhere(t *testing.T) {
	for _, file := range []string{"zip", "legacy"} {
		whole := must(os.ReadFile("testdata/" + file + ".pth"))
		for size := range whole {
			if _, err := load(whole[:size]); err == nil {
				t.Errorf("%s: %d of %d bytes are no error", file, size, len(whole))
			}
		}
		for at := range whole {
			b := bytes.Clone(whole)
			b[at] ^= 1 << (at % 8)
			load(b)
		}
	}
}

func FuzzLoad(f *testing.F) {
	for _, file := range []string{"zip", "legacy", "checkpoint", "evil"} {
		f.Add(must(os.ReadFile("testdata/" + file + ".pth")))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		dict, err := load(b)
		if err != nil && !errors.Is(err, pth.ErrCorrupt) && !errors.Is(err, pth.ErrRefused) && !strings.Contains(err.Error(), "want") {
			t.Fatal(err)
		}
		size := 0
		for _, x := range dict {
			size += x.Size()
		}
		if size > 16*len(b)+1<<20 {
			t.Fatalf("%d bytes became %d values", len(b), size)
		}
	})
}

// npz is an archive of one array of numpy.
func npz() string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	must(w.Create("w.npy"))
	w.Close()
	return b.String()
}

// TestOtherFormats gives the loader what torch.save did not write.
func TestOtherFormats(t *testing.T) {
	for _, tt := range []struct{ name, content, err string }{
		{"empty.pth", "", "it is empty, want a file of torch.save; save or download it again"},
		{"a.safetensors", "\x02\x00\x00\x00\x00\x00\x00\x00{}", `it is a safetensors file, want a file of torch.save; read it with dl.LoadStateDict("PATH")`},
		{"a.pth", "\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00}\x94.", `it is a pickle that torch.save did not write, such as pickle.dump's or joblib's, want a file of torch.save; in Python: torch.save(state_dict, "weights.pth")`},
		{"a.npz", npz(), `it is a .npz file of numpy, want a file of torch.save; in Python: safetensors.numpy.save_file(dict(numpy.load(path)), "weights.safetensors")`},
	} {
		path := filepath.Join(t.TempDir(), tt.name)
		if err := os.WriteFile(path, []byte(tt.content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := pth.LoadStateDict(path)
		if want := "pth: load " + path + ": " + strings.ReplaceAll(tt.err, "PATH", path); err == nil || err.Error() != want || !errors.Is(err, pth.ErrCorrupt) {
			t.Errorf("error is %v\nwant %s", err, want)
		}
	}
	_, err := pth.LoadStateDict("testdata")
	if err == nil || !strings.HasPrefix(err.Error(), "pth: load testdata: it is a folder that holds checkpoint-legacy.pth, checkpoint.pth, ") {
		t.Errorf("error is %v", err)
	}
}
