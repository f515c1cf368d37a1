package vision_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/vision"
	"github.com/holt-dl/holt/internal/hooks"
)

// write writes a file below root.
func write(t testing.TB, root, name string, content []byte) {
	t.Helper()
	path := filepath.Join(root, filepath.FromSlash(name))
	os.MkdirAll(filepath.Dir(path), 0o755)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

// words is n names, one a line, with an empty line at the end as in the
// published files.
func words(prefix string, n int) []byte {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s%d\n", prefix, i)
	}
	return []byte(b.String() + "\n")
}

func TestCIFAR100(t *testing.T) {
	t.Setenv("HOLT_DATA", "")
	root := t.TempDir()
	records := make([]byte, 10_000*3074)
	for i := range 10_000 {
		r := records[i*3074:]
		r[0], r[1], r[2], r[3073] = byte(i%20), byte(i%100), byte(i), byte(i+1)
	}
	write(t, root, "cifar-100-binary/test.bin", records)
	write(t, root, "cifar-100-binary/fine_label_names.txt", words("fine", 100))
	write(t, root, "cifar-100-binary/coarse_label_names.txt", words("coarse", 20))
	for _, tt := range []struct {
		coarse       bool
		label, count int
		class        string
	}{{false, 37, 100, "fine37"}, {true, 17, 20, "coarse17"}} {
		d, err := vision.CIFAR100{Root: root, Coarse: tt.coarse}.Open()
		if err != nil {
			t.Fatal(err)
		}
		img, label, err := d.Picture(1237)
		if err != nil || label != tt.label || len(d.Classes) != tt.count || d.Classes[label] != tt.class {
			t.Errorf("label %d (%s) of %d classes, %v; want %d (%s) of %d", label, d.Classes[label], len(d.Classes), err, tt.label, tt.class, tt.count)
		}
		if img.Pix[0] != byte(1237%256) || img.Pix[3071] != byte(1238%256) {
			t.Errorf("the picture begins with %d and ends with %d", img.Pix[0], img.Pix[3071])
		}
	}
	records[5*3074+1] = 100
	write(t, root, "cifar-100-binary/test.bin", records)
	_, err := vision.CIFAR100{Root: root}.Open()
	if err == nil || !errors.Is(err, vision.ErrNotFound) || !strings.Contains(err.Error(), "test.bin: picture 5 has label 100, want 0 to 99); use Download: true to bring it") {
		t.Errorf("error is %v", err)
	}
	if _, err = (vision.CIFAR100{Root: root, Train: true}).Open(); err == nil || !strings.Contains(err.Error(), "train.bin: no such file") {
		t.Errorf("error is %v", err)
	}
	write(t, root, "cifar-100-binary/fine_label_names.txt", words("fine", 99))
	if _, err = (vision.CIFAR100{Root: root}).Open(); err == nil || !strings.Contains(err.Error(), "fine_label_names.txt names 99 classes, want 100") {
		t.Errorf("error is %v", err)
	}
}

// idx makes an IDX file of bytes.
func idx(values []byte, shape ...int) []byte {
	b := []byte{0, 0, 8, byte(len(shape))}
	for _, d := range shape {
		b = binary.BigEndian.AppendUint32(b, uint32(d))
	}
	return append(b, values...)
}

func zip(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(b)
	z.Close()
	return out.Bytes()
}

func testDigits() (pictures, labels []byte) {
	pictures, labels = make([]byte, 10_000*784), make([]byte, 10_000)
	for i := range labels {
		labels[i] = byte(i % 10)
		pictures[i*784+783] = byte(i)
	}
	return idx(pictures, 10_000, 28, 28), idx(labels, 10_000)
}

func TestMNIST(t *testing.T) {
	t.Setenv("HOLT_DATA", "")
	pictures, labels := testDigits()
	root := t.TempDir()
	write(t, root, "MNIST/raw/t10k-images-idx3-ubyte", pictures)
	write(t, root, "MNIST/raw/t10k-labels-idx1-ubyte.gz", zip(labels))
	d, err := vision.MNIST{Root: root}.Open()
	if err != nil {
		t.Fatal(err)
	}
	if want := "MNIST test: 10,000 pictures in 10 classes (0 - zero, 1 - one, 2 - two, 3 - three, 4 - four, 5 - five, 6 - six, 7 - seven, 8 - eight, 9 - nine)"; d.String() != want {
		t.Errorf("it prints %q, want %q", d, want)
	}
	e, err := d.Get(1239)
	if err != nil || e.Label != 9 || !slices.Equal(e.Input.Shape(), []int{1, 28, 28}) || e.Input.Float32s()[783] != float32(byte(1239%256))/255 {
		t.Errorf("example is %v, %v", e, err)
	}

	// What arrives with Download is read in the same way.
	var asked []string
	defer hooks.Set(func(h *hooks.Hooks) {
		h.Archive = func(_ context.Context, a hooks.Archive, to string, _ func(done, total int64)) error {
			asked = append(asked, a.URL)
			content := pictures
			if strings.Contains(a.URL, "labels") {
				content = labels
			}
			write(t, to, a.File, zip(content))
			return nil
		}
	})()
	root = t.TempDir()
	f, err := vision.FashionMNIST{Root: root, Download: true, Transform: vision.ToTensor{}}.Open()
	if err != nil {
		t.Fatal(err)
	}
	if f.Classes[9] != "Ankle boot" || f.Len() != 10_000 || f.Transform == nil {
		t.Errorf("it is %v", f)
	}
	if len(asked) != 2 || !strings.HasPrefix(asked[0], "https://") || !strings.HasSuffix(asked[0], "/t10k-images-idx3-ubyte.gz") {
		t.Errorf("asked for %v", asked)
	}
	if _, err := (vision.FashionMNIST{Root: root, Download: true}).Open(); err != nil || len(asked) != 2 {
		t.Errorf("opened again, it asked for %v, %v", asked[2:], err)
	}
}

// TestMNISTPlaces reads sets of another size from every place where people have
// them.
func TestMNISTPlaces(t *testing.T) {
	t.Setenv("HOLT_DATA", "")
	pictures := make([]byte, 3*784)
	pictures[784] = 9
	for _, tt := range []struct {
		name, images, labels string
		zip                  bool
	}{
		{"torchvision's", "MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels-idx1-ubyte", false},
		{"compressed", "MNIST/raw/train-images-idx3-ubyte.gz", "MNIST/raw/train-labels-idx1-ubyte.gz", true},
		{"compressed without saying so", "MNIST/raw/train-images-idx3-ubyte", "MNIST/raw/train-labels-idx1-ubyte", true},
		{"with dots", "MNIST/raw/train-images.idx3-ubyte", "MNIST/raw/train-labels.idx1-ubyte", false},
		{"with dots, compressed", "train-images.idx3-ubyte.gz", "train-labels.idx1-ubyte.gz", true},
		{"flat", "train-images-idx3-ubyte", "train-labels-idx1-ubyte", false},
		{"without raw", "MNIST/train-images-idx3-ubyte", "MNIST/train-labels-idx1-ubyte", false},
		{"raw", "raw/train-images-idx3-ubyte", "raw/train-labels-idx1-ubyte", false},
		{"Kaggle's", "train-images-idx3-ubyte/train-images-idx3-ubyte", "train-labels-idx1-ubyte/train-labels-idx1-ubyte", false},
	} {
		root := t.TempDir()
		images, labels := idx(pictures, 3, 28, 28), idx([]byte{5, 0, 4}, 3)
		if tt.zip {
			images, labels = zip(images), zip(labels)
		}
		write(t, root, tt.images, images)
		write(t, root, tt.labels, labels)
		d, err := vision.MNIST{Root: root, Train: true}.Open()
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		img, label, err := d.Picture(1)
		if d.Len() != 3 || label != 0 || err != nil || img.Pix[0] != 9 || !slices.Equal(d.Targets(), []int{5, 0, 4}) {
			t.Errorf("%s: %v, %v, label %d, %v", tt.name, d, img, label, err)
		}
		if want := "MNIST: 3 training pictures, from " + filepath.Dir(filepath.Join(root, tt.images)); d.Source() != want && tt.name != "Kaggle's" {
			t.Errorf("%s: it is from %q, want %q", tt.name, d.Source(), want)
		}
	}
	root := t.TempDir()
	write(t, root, "KMNIST/raw/t10k-images-idx3-ubyte", idx(pictures, 3, 28, 28))
	write(t, root, "KMNIST/raw/t10k-labels-idx1-ubyte", idx([]byte{9, 0, 4}, 3))
	if d, err := (vision.KMNIST{Root: root}).Open(); err != nil || d.Classes[d.Targets()[0]] != "wo" {
		t.Errorf("KMNIST is %v, %v", d, err)
	}
	_, err := vision.KMNIST{Root: root, Train: true}.Open()
	if err == nil || !errors.Is(err, vision.ErrNotFound) || !strings.HasSuffix(err.Error(), "train-images-idx3-ubyte.gz: no such file or directory); bring its files, or give them to vision.IDX") {
		t.Errorf("error is %v", err)
	}
}

// TestIDX reads two files as a data set, and arrays of every type.
func TestIDX(t *testing.T) {
	root := t.TempDir()
	write(t, root, "x.gz", zip(idx([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 2, 3, 1, 2)))
	write(t, root, "y", idx([]byte{2, 0}, 2))
	d, err := vision.IDX{Images: filepath.Join(root, "x.gz"), Labels: filepath.Join(root, "y")}.Open()
	if err != nil {
		t.Fatal(err)
	}
	img, label, err := d.Picture(0)
	if err != nil || label != 2 || !slices.Equal(d.Classes, []string{"0", "1", "2"}) || img.C != 3 || img.H != 1 || img.W != 2 || !slices.Equal(img.Pix, []byte{1, 2, 3, 4, 5, 6}) {
		t.Errorf("%v of %v, label %d, %v", img, d, label, err)
	}
	_, err = vision.IDX{Images: filepath.Join(root, "x.gz"), Labels: filepath.Join(root, "y"), Classes: []string{"a", "b"}}.Open()
	if want := "vision: IDX: " + filepath.Join(root, "y") + ": picture 0 has label 2, want 0 to 1"; err == nil || err.Error() != want {
		t.Errorf("error is %v, want %s", err, want)
	}
	for _, tt := range []struct {
		content string
		kind    dl.DType
		want    []float64
	}{
		{"\x00\x00\x08\x01\x00\x00\x00\x02\x01\xff", dl.Uint8, []float64{1, 255}},
		{"\x00\x00\x09\x01\x00\x00\x00\x02\x01\xff", dtypes.Int8, []float64{1, -1}},
		{"\x00\x00\x0b\x02\x00\x00\x00\x01\x00\x00\x00\x01\x01\x02", dtypes.Int16, []float64{258}},
		{"\x00\x00\x0c\x01\x00\x00\x00\x01\xff\xff\xff\xfe", dl.Int32, []float64{-2}},
		{"\x00\x00\x0d\x01\x00\x00\x00\x01\x3f\xc0\x00\x00", dl.Float32, []float64{1.5}},
		{"\x00\x00\x0e\x00\xc0\x00\x00\x00\x00\x00\x00\x00", dl.Float64, []float64{-2}},
		{"\x00\x00\x08\x02\x00\x00\x00\x00\x00\x00\x00\x03", dl.Uint8, []float64{}},
	} {
		write(t, root, "z", []byte(tt.content))
		x, err := vision.ReadIDX(filepath.Join(root, "z"))
		if err != nil || x.DType() != tt.kind || !slices.Equal(x.Float64s(), tt.want) {
			t.Errorf("% x is %v, %v, want %v", tt.content, x, err, tt.want)
		}
	}
}

func TestMNISTErrors(t *testing.T) {
	t.Setenv("HOLT_DATA", "")
	pictures, labels := testDigits()
	bad := bytes.Clone(labels)
	bad[8+3] = 11
	tests := []struct {
		name             string
		pictures, labels []byte
		err              string
	}{
		{"nothing", nil, labels, "t10k-images-idx3-ubyte.gz: no such file or directory); use Download: true to bring it"},
		{"truncated", pictures[:len(pictures)-1], labels, "t10k-images-idx3-ubyte: its shape is [10000 28 28], and it has 7,839,999 bytes, want 7,840,000: it is cut off or damaged, download it again"},
		{"too long", append(bytes.Clone(pictures), 0), labels, "it has 7,840,001 bytes or more, want 7,840,000"},
		{"other shape", idx(pictures[16:], 10_000, 784), labels, "t10k-images-idx3-ubyte holds uint8 of shape [10000 784], want pictures of bytes in the shape [N H W]"},
		{"swapped", labels, pictures, "t10k-images-idx3-ubyte holds uint8 of shape [10000], want pictures of bytes in the shape [N H W]"},
		{"fewer labels", pictures, idx(labels[8:9000], 8992), "t10k-labels-idx1-ubyte has 8,992 labels, want 10,000, one for each picture of "},
		{"another type", idx(pictures[16:], 10_000, 28, 28)[:3], labels, "is no IDX file: unexpected EOF"},
		{"a page", []byte("<html>"), labels, "is no IDX file: it begins with 3c 68 74 6d, want two zeros and a type from 08 to 0e"},
		{"a forged shape", []byte("\x00\x00\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), labels, "would have 3 axes and more than 8,589,934,592 bytes: it is damaged"},
		{"a shape that is cut off", []byte("\x00\x00\x08\x03\x00\x00"), labels, "ends within its shape: unexpected EOF"},
		{"no header", []byte("PNG"), labels, "is no IDX file: unexpected EOF"},
		{"label", pictures, bad, "t10k-labels-idx1-ubyte: picture 3 has label 11, want 0 to 9"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			if tt.pictures != nil {
				write(t, root, "MNIST/raw/t10k-images-idx3-ubyte", tt.pictures)
			}
			write(t, root, "MNIST/raw/t10k-labels-idx1-ubyte", tt.labels)
			_, err := vision.MNIST{Root: root}.Open()
			if !errors.Is(err, vision.ErrNotFound) || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error is %v\nwant %s", err, tt.err)
			}
		})
	}
	root := t.TempDir()
	write(t, root, "MNIST/raw/t10k-images-idx3-ubyte.gz", []byte("not compressed"))
	if _, err := (vision.MNIST{Root: root}).Open(); err == nil || !strings.Contains(err.Error(), "t10k-images-idx3-ubyte.gz is no IDX file: it begins with 6e 6f 74 20") {
		t.Errorf("error is %v", err)
	}
}

// A download whose size nobody knows says nothing of parts of it.
func TestDownloadUnknownSize(t *testing.T) {
	t.Setenv("HOLT_DATA", "")
	var said []string
	defer hooks.Set(func(h *hooks.Hooks) { h.Notice = func(s string) { said = append(said, s) } })()
	defer hooks.Set(func(h *hooks.Hooks) {
		h.Archive = func(_ context.Context, a hooks.Archive, _ string, progress func(done, total int64)) error {
			progress(0, 0)
			progress(5e6, 10e6)
			return errors.New("the line is down")
		}
	})()
	if _, err := (vision.CIFAR100{Root: t.TempDir(), Download: true}).Open(); err == nil || err.Error() != "the line is down" {
		t.Errorf("error is %v", err)
	}
	if !slices.Equal(said, []string{"download cifar-100-binary.tar.gz: 50 % of 10 MB", "download cifar-100-binary.tar.gz: stopped at 5 of 10 MB"}) {
		t.Errorf("it said %q", said)
	}
}

func FuzzReadIDX(f *testing.F) {
	f.Add(idx([]byte{1, 2, 3, 4, 5, 6}, 2, 3))
	f.Add(idx(nil, 2, 3))
	f.Add([]byte("\x00\x00\x0d\x01\x00\x00\x00\x01\x3f\x80\x00\x00"))
	f.Add(zip(idx([]byte{1, 2, 3, 4, 5, 6}, 2, 3)))
	f.Fuzz(func(t *testing.T, content []byte) {
		root := t.TempDir()
		write(t, root, "a", content)
		x, err := vision.ReadIDX(filepath.Join(root, "a"))
		if err == nil && x.Size() > 1100*len(content) { // gzip makes no more of it
			t.Errorf("%d bytes are %v", len(content), x)
		}
	})
}
