package tensorfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
)

// file makes a safetensors file of a header and data.
func file(header, data string) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

func TestSafetensorsRefuses(t *testing.T) {
	tests := []struct {
		name string
		file []byte
		err  string
	}{
		{"empty", nil, "the file has 0 bytes, want at least 8"},
		{"long header", binary.LittleEndian.AppendUint64(nil, 1<<60), "the header has 1152921504606846976 bytes, want at most 0"},
		{"no json", file("hello", ""), "the header is no JSON object"},
		{"gap", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, "12345678"), `tensor "a" lies at 4 to 8, want 0 to 4 of 8 bytes`},
		{"overlap", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "1234"), `tensor "b" lies at 0 to 4, want 4 to 8 of 4 bytes`},
		{"rest", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "12345"), "the tensors end at 4 of 5 bytes"},
		{"past the end", file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, "1234"), `tensor "a" lies at 0 to 8, want 0 to 8 of 4 bytes`},
		{"size and shape differ", file(`{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}}`, "1234"), `tensor "a" lies at 0 to 4, want 0 to 12 of 4 bytes`},
		{"product overflows", file(`{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,0]}}`, ""), `the shape of "a" is [4294967296 4294967296 4294967296]`},
		{"negative axis", file(`{"a":{"dtype":"F32","shape":[-1,-4],"data_offsets":[0,16]}}`, "1234567812345678"), `the shape of "a" is [-1 -4]`},
		{"negative offset", file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}`, ""), `the header of "a" is wrong`},
		{"no offsets", file(`{"a":{"dtype":"F32","shape":[1]}}`, "1234"), `the header of "a" is wrong (it lacks its shape or its place)`},
		{"no shape", file(`{"a":{"dtype":"F32","data_offsets":[0,4]}}`, "1234"), `the header of "a" is wrong (it lacks its shape or its place)`},
		{"a name twice", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}`, "12"), `the header has "a" twice`},
		{"a list", file(`[]`, ""), `the header is no JSON object (it begins with "[]")`},
		{"two objects", file(`{}{}`, ""), "the header goes on after its end"},
		{"cut in the header", file(`{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]`, ""), `the header of "a" is wrong (unexpected EOF)`},
		{"deep", file(`{"a":`+strings.Repeat("[", 1_000_000), ""), `the header of "a" is wrong (`},
		{"metadata of numbers", file(`{"__metadata__":{"a":1}}`, ""), "the metadata is not text"},
		{"not a bool", file(`{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}}`, "2"), `tensor "a" holds 50 for a bool`},
		{"checksum", file(`{"__metadata__":{"holt.sha256":"00"},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, "1"), "the checksum differs"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, _, err := readSafetensors(bytes.NewReader(test.file), int64(len(test.file)))
			if err == nil || !strings.HasPrefix(err.Error(), test.err) || !errors.Is(err, ErrCorrupt) {
				t.Errorf("error is %v, want %s", err, test.err)
			}
		})
	}
}

func TestSafetensorsRoundTrip(t *testing.T) {
	tensors := map[string]Tensor{
		"a.weight": {dtypes.Float32, []int{2, 3}, []float32{1, -2, 3.5, 4, 5, 6}},
		"labels":   {dtypes.Int64, []int{2}, []int64{-1, 1 << 40}},
		"mask":     {dtypes.Bool, []int{3}, []bool{true, false, true}},
		"empty":    {dtypes.Float32, []int{0, 3}, []float32{}},
		"scalar":   {dtypes.Float64, []int{}, []float64{2.5}},
		"pixels":   {dtypes.Uint8, []int{2}, []uint8{0, 255}},
	}
	path := filepath.Join(t.TempDir(), "w.safetensors")
	for range 2 { // over itself too
		if err := Write(path, tensors); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, tensors) {
		t.Errorf("it holds %v, want %v", got, tensors)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("the folder holds %v", left)
	}
	b, _ := os.ReadFile(path)
	for _, at := range []int{0, 9, len(b) / 2, len(b) - 1} {
		bad := bytes.Clone(b)
		bad[at] ^= 1
		if _, _, err := readSafetensors(bytes.NewReader(bad), int64(len(bad))); err == nil {
			t.Errorf("a changed byte at %d of %d was not found", at, len(b))
		}
	}
	if err := Write(filepath.Join(t.TempDir(), "no", "such", "w"), tensors); err == nil {
		t.Error("saving into a missing folder gave no error")
	}
}

// FuzzSafetensors reads any bytes without a panic, and what it accepts it
// writes and reads back the same.
func FuzzSafetensors(f *testing.F) {
	f.Add(file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, "1234"))
	f.Add(file(`{"__metadata__":{"format":"pt"},"a":{"dtype":"U8","shape":[2,1],"data_offsets":[0,2]},"b":{"dtype":"BF16","shape":[],"data_offsets":[2,4]}}`, "1234"))
	f.Add(file(`{}`, ""))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		tensors, _, err := readSafetensors(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		path := filepath.Join(dir, "w")
		if err := Write(path, tensors); err != nil {
			t.Fatal(err)
		}
		again, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) != len(tensors) {
			t.Fatalf("%d tensors came back of %d", len(again), len(tensors))
		}
		for name, want := range tensors {
			if g := again[name]; g.DType != want.DType || !slices.Equal(g.Shape, want.Shape) || !bytes.Equal(g.bytes(), want.bytes()) {
				t.Fatalf("%s came back as %v, want %v", name, g, want)
			}
		}
	})
}
