package vision_test

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl/vision"
	"github.com/holt-dl/holt/internal/hooks"
)

// pythonFolder is a folder that testdata/ref/cifarpy.py wrote.
type pythonFolder struct {
	Protocol string
	Files    map[string]string
	Want     map[string]struct {
		Labels []int
		CRC    uint32
	}
}

func pythonFolders(t testing.TB) (all []pythonFolder) {
	t.Helper()
	b, err := os.ReadFile("testdata/cifarpy.json")
	if err == nil {
		err = json.Unmarshal(b, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// unpack is the content of a file.
func unpack(t testing.TB, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestPythonCIFAR reads torchvision's own folders as torchvision does.
func TestPythonCIFAR(t *testing.T) {
	t.Setenv("HOLT_DATA", "")
	var said []string
	defer hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { said = append(said, s) } })()
	for _, f := range pythonFolders(t) {
		root := t.TempDir()
		for name, text := range f.Files {
			write(t, root, name, unpack(t, text))
		}
		for name, want := range f.Want {
			train := strings.HasSuffix(name, "True")
			open := vision.CIFAR10{Root: root, Train: train}.Open
			if strings.HasPrefix(name, "CIFAR100") {
				open = vision.CIFAR100{Root: root, Train: train}.Open
			}
			d, err := open()
			if err != nil {
				t.Errorf("protocol %s, %s: %v", f.Protocol, name, err)
				continue
			}
			sum := crc32.NewIEEE()
			for i := range d.Len() {
				img, _, err := d.Picture(i)
				if err != nil {
					t.Fatal(err)
				}
				sum.Write(img.Pix)
			}
			if !slices.Equal(d.Targets(), want.Labels) || sum.Sum32() != want.CRC {
				t.Errorf("protocol %s, %s: labels %v, sum %d, want %v, %d", f.Protocol, name, d.Targets(), sum.Sum32(), want.Labels, want.CRC)
			}
			if len(d.Classes) < 10 || !strings.Contains(d.Source(), fmt.Sprintf(": %d ", d.Len())) {
				t.Errorf("protocol %s, %s: %d classes, from %q", f.Protocol, name, len(d.Classes), d.Source())
			}
		}
		coarse, err := vision.CIFAR100{Root: root, Train: true, Coarse: true}.Open()
		if err != nil || !slices.Equal(coarse.Targets(), []int{19, 2}) || coarse.Classes[19] != "coarse19" {
			t.Errorf("protocol %s: coarse labels are %v, %v", f.Protocol, coarse, err)
		}
	}
	if len(said) == 0 || !strings.HasPrefix(said[0], "CIFAR-10") || !strings.Contains(strings.Join(said, "\n"), `"test_batch"`) ||
		!strings.HasSuffix(said[0], "differ from the published files by their MD5, where torchvision refuses them; they are read as they are") && !strings.Contains(said[0], "they are read as they are") {
		t.Errorf("it said %q", said)
	}
}

func TestPythonCIFARErrors(t *testing.T) {
	t.Setenv("HOLT_DATA", "")
	all := pythonFolders(t)
	file := all[len(all)-1].Files["cifar-10-batches-py/test_batch"]
	good := unpack(t, file)
	for _, tt := range []struct {
		name    string
		content []byte
		err     string
	}{
		{"cut", good[:len(good)-100], "test_batch: the pickle is cut off; download it again"},
		{"empty", nil, "test_batch: the pickle is cut off"},
		{"a number", []byte("K\x01."), "test_batch holds a number, want a dictionary"},
		{"no data", []byte("}."), "test_batch: its data is None, want a numpy array of bytes in the shape [N 3072]"},
		{"a command", []byte("}U\x04datacposix\nsystem\n(U\x04truetRs."), `test_batch: its data is an object of "posix.system", want a numpy array`},
		{"another label", bytes.Replace(good, []byte("(K\x09K\x00K\x03e"), []byte("(K\x09K\x0aK\x03e"), 1), "test_batch: picture 1 has label 10 in labels, want 0 to 9"},
		{"fewer labels", bytes.Replace(good, []byte("(K\x09K\x00K\x03e"), []byte("(K\x09K\x000K\x03e"), 1), "test_batch: its labels are a list, want a list of 3 whole numbers"},
	} {
		root := t.TempDir()
		write(t, root, "cifar-10-batches-py/test_batch", tt.content)
		_, err := vision.CIFAR10{Root: root}.Open()
		if err == nil || !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: error is %v, want %s", tt.name, err, tt.err)
		}
	}
}

// FuzzPythonCIFAR reads any bytes as a pickled batch.
func FuzzPythonCIFAR(f *testing.F) {
	for _, p := range pythonFolders(f) {
		f.Add(unpack(f, p.Files["cifar-10-batches-py/test_batch"]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		t.Setenv("HOLT_DATA", "")
		root := t.TempDir()
		write(t, root, "cifar-10-batches-py/test_batch", b)
		d, err := vision.CIFAR10{Root: root}.Open()
		if err != nil {
			return
		}
		for i := range d.Len() {
			if img, label, err := d.Picture(i); err != nil || label < 0 || label > 9 || len(img.Pix) != 3072 {
				t.Errorf("picture %d: %v, %d, %v", i, img, label, err)
			}
		}
	})
}
