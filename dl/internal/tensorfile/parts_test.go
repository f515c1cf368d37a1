package tensorfile

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
)

// folderOf writes files into a new folder.
func folderOf(t testing.TB, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	partA = `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}}`
	partC = `{"c":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}`
)

func TestParts(t *testing.T) {
	index := `{"metadata":{"total_size":8},"weight_map":{"a":"m-1-of-2.safetensors","c":"m-2-of-2.safetensors","b":"m-1-of-2.safetensors"}}`
	dir := folderOf(t, map[string][]byte{
		"m.safetensors.index.json": []byte(index), "m-1-of-2.safetensors": file(partA, "\x00\x00\x80\x3f\x07\x09"), "m-2-of-2.safetensors": file(partC, "\x38\xc0"),
		"config.json": []byte("{}"), "index of parts": []byte(index),
	})
	for _, path := range []string{dir, filepath.Join(dir, "m.safetensors.index.json"), filepath.Join(dir, "index of parts")} {
		tensors, err := Read(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		want := map[string]Tensor{
			"a": {dtypes.Float32, []int{1}, []float32{1}},
			"b": {dtypes.Uint8, []int{2}, []uint8{7, 9}},
			"c": {dtypes.Float32, []int{2}, []float32{1, -2}},
		}
		if !reflect.DeepEqual(tensors, want) {
			t.Errorf("%s: it holds %v, want %v", path, tensors, want)
		}
	}
}

func TestPartsErrors(t *testing.T) {
	a, c := file(partA, "123456"), file(partC, "12")
	both := map[string][]byte{"1.safetensors": a, "2.safetensors": c}
	tests := []struct {
		name, index string
		parts       map[string][]byte
		err         string
	}{
		{"a part is missing", `{"weight_map":{"a":"1.safetensors","b":"1.safetensors","c":"3.safetensors"}}`, both,
			"the part 3.safetensors, which has c, is not in its folder; download it beside the index"},
		{"another total", `{"metadata":{"total_size":9},"weight_map":{"a":"1.safetensors","b":"1.safetensors","c":"2.safetensors"}}`, both,
			"its parts have 8 bytes of tensors, and the index says 9: the file is damaged"},
		{"a total of text", `{"metadata":{"total_size":"8"},"weight_map":{"a":"1.safetensors"}}`, both, `the index has "\"8\"" for total_size, want a number of bytes`},
		{"a name twice in the index", `{"weight_map":{"a":"1.safetensors","a":"2.safetensors"}}`, both, `the index has "a" twice, in "1.safetensors" and "2.safetensors"`},
		{"a name in two parts", `{"weight_map":{"a":"1.safetensors","b":"1.safetensors","c":"2.safetensors"}}`,
			map[string][]byte{"1.safetensors": a, "2.safetensors": file(`{"c":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, "12")},
			`the part 2.safetensors has "b", which the index has in 1.safetensors: `},
		{"a tensor that is not there", `{"weight_map":{"a":"1.safetensors","b":"1.safetensors","c":"2.safetensors","d":"2.safetensors"}}`, both,
			`the part 2.safetensors lacks "d", which the index has there: `},
		{"a tensor that is not listed", `{"weight_map":{"a":"1.safetensors","c":"2.safetensors"}}`, both, `the part 1.safetensors has "b", which the index does not list: `},
		{"a damaged part", `{"weight_map":{"a":"1.safetensors","b":"1.safetensors","c":"2.safetensors"}}`, map[string][]byte{"1.safetensors": a[:len(a)-1], "2.safetensors": c},
			`tensor "b" lies at 4 to 6, want 4 to 6 of 5 bytes: the file is damaged`},
		{"a part of torch.save", `{"weight_map":{"a":"1.bin"}}`, map[string][]byte{"1.bin": []byte("PK\x03\x04 and no more")}, "it is a zip archive whose end is missing"},
		{"a file elsewhere", `{"weight_map":{"a":"../../etc/passwd"}}`, both, `the index has "a" in "../../etc/passwd", want a file in the index's folder`},
		{"the folder itself", `{"weight_map":{"a":"."}}`, both, `it is a folder that holds 1.safetensors, 2.safetensors, model.safetensors.index.json`},
		{"the index itself", `{"weight_map":{"a":"model.safetensors.index.json"}}`, both, `the index has "a" in "model.safetensors.index.json"`},
		{"no map", `{"metadata":{}}`, both, "the index has no weight_map, which gives the file of each tensor"},
		{"a list", `{"weight_map":["1.safetensors"]}`, both, "the index has a weight_map that is no object"},
		{"no JSON", `{"weight_map":`, both, "the index is not JSON (unexpected end of JSON input)"},
		{"empty", ``, both, "the index is not JSON"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := folderOf(t, tt.parts)
			path := filepath.Join(dir, "model.safetensors.index.json")
			if err := os.WriteFile(path, []byte(tt.index), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Read(dir)
			if err == nil || !strings.HasPrefix(err.Error(), "dl: load "+path+": ") || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error is %v\nwant %s", err, tt.err)
			}
		})
	}
	dir := folderOf(t, map[string][]byte{"a.safetensors.index.json": nil, "b.safetensors.index.json": nil})
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "the folder holds more than one index, a.safetensors.index.json and b.safetensors.index.json, want one; give the file") {
		t.Errorf("error is %v", err)
	}
}

// TestFloat8 reads each type of a byte. Package pth compares every number with
// PyTorch's.
func TestFloat8(t *testing.T) {
	ldexp := func(exp int) float32 { return float32(math.Ldexp(1, exp)) }
	for name, want := range map[string][]float32{"F8_E4M3": {1, -2, 0}, "F8_E5M2": {0.5, -2, 0}, "F8_E8M0": {ldexp(0x38 - 127), ldexp(0xc0 - 127), ldexp(-127)}} {
		path := filepath.Join(folderOf(t, map[string][]byte{"w": file(`{"x":{"dtype":"`+name+`","shape":[3],"data_offsets":[0,3]}}`, "\x38\xc0\x00")}), "w")
		tensors, err := Read(path)
		if err != nil || !reflect.DeepEqual(tensors["x"], Tensor{dtypes.Float32, []int{3}, want}) {
			t.Errorf("%s: %v, %v, want %v", name, tensors, err, want)
		}
	}
}

// TestOtherFormats gives the loader what is no safetensors file.
func TestOtherFormats(t *testing.T) {
	for _, tt := range []struct{ name, content, err string }{
		{"empty.safetensors", "", "it is empty, want a safetensors file; save or download it again"},
		{"old.pth", "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", `it is a file of torch.save, want a safetensors file; read it with pth.LoadStateDict("PATH")`},
		{"lfs.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "it is a pointer of Git LFS in place of the file itself, want a safetensors file; run git lfs pull in its repository, or download the file by its address"},
		{"page.safetensors", "\n<!DOCTYPE html><title>Sign in</title>", "it is a web page, want a safetensors file; the address gave a page, such as a login or an error, in place of the file: download it again, and look at what the address gives"},
	} {
		path := filepath.Join(folderOf(t, map[string][]byte{tt.name: []byte(tt.content)}), tt.name)
		_, err := Read(path)
		if want := "dl: load " + path + ": " + strings.ReplaceAll(tt.err, "PATH", path); err == nil || err.Error() != want || !errors.Is(err, ErrCorrupt) {
			t.Errorf("error is %v\nwant %s", err, want)
		}
	}
	dir := folderOf(t, map[string][]byte{"b.pth": nil, "a.safetensors": nil, "readme": nil})
	want := "dl: load " + dir + ": it is a folder that holds a.safetensors, b.pth, want a safetensors file; give the file: " + `"` + filepath.Join(dir, "a.safetensors") + `"`
	if _, err := Read(dir); err == nil || err.Error() != want {
		t.Errorf("error is %v\nwant %s", err, want)
	}
}

// FuzzIndex reads any bytes as an index: what it accepts names only files below
// its folder.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"metadata":{"total_size":8},"weight_map":{"a":"1.safetensors"}}`))
	f.Add([]byte(`{"weight_map":{"a":"../b","a":"/c"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		part, total, err := readIndex(strings.NewReader(string(b)))
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
		if err == nil && (total < -1 || !json.Valid(b)) {
			t.Errorf("total is %d", total)
		}
		for name, file := range part {
			if !filepath.IsLocal(file) {
				t.Errorf("%q is in %q", name, file)
			}
		}
	})
}
