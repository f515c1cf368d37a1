package vision

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/holt-dl/holt/internal/hooks"
	"github.com/holt-dl/holt/internal/pickle"
	"github.com/holt-dl/holt/internal/thousands"
)

// CIFAR's Python version, which torchvision keeps on disk: the folder
// cifar-10-batches-py or cifar-100-python with pickled dictionaries, of which
// data is an array [N 3072] of bytes, each row a picture's red, green and blue,
// and labels, fine_labels or coarse_labels are lists of N numbers.

// pythonFile is a file of CIFAR's Python version, with the MD5 that torchvision
// checks.
type pythonFile struct{ name, md5 string }

// maxBatch is what a batch may have on disk, twice the largest published one.
const maxBatch = 320 << 20

// readPython reads a pickled dictionary. It reports whether the file is the
// published one.
func readPython(path, sum string) (d *pickle.Dict, published bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false, err
	}
	if info.Size() > maxBatch {
		return nil, false, fmt.Errorf("%s has %s bytes, want at most %s", path, thousands.Text(int(info.Size())), thousands.Text(maxBatch))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, false, err
	}
	top, err := pickle.Read(bufio.NewReader(bytes.NewReader(b)), 2*len(b)+64<<20, true, numpy{})
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w; download it again", path, err)
	}
	d, ok := pickle.DictOf(top)
	if !ok {
		return nil, false, fmt.Errorf("%s holds %s, want a dictionary", path, pickle.KindOf(top))
	}
	got := md5.Sum(b)
	return d, hex.EncodeToString(got[:]) == sum, nil
}

// numpy knows how bytes are written in protocol 2. It implements
// [pickle.Hooks].
type numpy struct{}

// Call implements [pickle.Hooks].
func (numpy) Call(m *pickle.Machine, f pickle.Class, a pickle.Tuple) (any, bool) {
	if f != "_codecs.encode" || len(a) != 2 || a[1] != "latin1" {
		return nil, false
	}
	text, ok := a[0].(string)
	if !ok {
		return nil, false
	}
	m.Charge(len(text) / 64)
	b := make(pickle.Bytes, 0, len(text))
	for _, r := range text {
		if r > 0xff {
			return nil, false
		}
		b = append(b, byte(r))
	}
	return b, true
}

// Persistent implements [pickle.Hooks].
func (numpy) Persistent(*pickle.Machine, any) any {
	pickle.Fail("the pickle refers to something outside it")
	return nil
}

// array takes an array of numpy apart that is in C's order: its shape, the code
// of its type, such as "u1", and its bytes.
func array(v any) (shape []int64, code string, b []byte, ok bool) {
	o, ok := v.(*pickle.Object)
	if !ok {
		return nil, "", nil, false
	}
	var dims, dtype, content any
	switch state, _ := o.State.(pickle.Tuple); {
	case len(state) == 5 && state[3] == false: // _reconstruct, and (version, shape, type, Fortran's order, bytes)
		dims, dtype, content = state[1], state[2], state[4]
	case len(o.Args) == 4 && o.Args[3] == "C": // _frombuffer(bytes, type, shape, order), of protocol 5
		content, dtype, dims = o.Args[0], o.Args[1], o.Args[2]
	default:
		return nil, "", nil, false
	}
	switch content := content.(type) {
	case pickle.Bytes:
		b = content
	case string: // of Python 2
		b = []byte(content)
	default:
		return nil, "", nil, false
	}
	t, isType := dtype.(*pickle.Object)
	list, isTuple := dims.(pickle.Tuple)
	if !isType || !isTuple || len(t.Args) == 0 {
		return nil, "", nil, false
	}
	code, _ = t.Args[0].(string)
	for _, d := range list {
		n, isNumber := d.(int64)
		if !isNumber || n < 0 {
			return nil, "", nil, false
		}
		shape = append(shape, n)
	}
	return shape, code, b, true
}

// batch takes pictures and labels, one list for each key, from a dictionary.
func batch(path string, d *pickle.Dict, keys []string, classes []int) (pix []byte, labels [][]int, err error) {
	shape, code, pix, ok := array(d.Get("data"))
	fits := len(shape) == 2 && shape[1] == cifarPixels || len(shape) == 4 && slices.Equal(shape[1:], []int64{3, cifarSide, cifarSide})
	if !ok || code != "u1" || !fits || shape[0] > maxBatch || shape[0]*cifarPixels != int64(len(pix)) {
		return nil, nil, fmt.Errorf("%s: its data is %s, want a numpy array of bytes in the shape [N %d]", path, pickle.KindOf(d.Get("data")), cifarPixels)
	}
	n := int(shape[0])
	for k, key := range keys {
		list, ok := numbersOf(d.Get(key))
		if !ok || len(list) != n {
			return nil, nil, fmt.Errorf("%s: its %s are %s, want a list of %s whole numbers", path, key, pickle.KindOf(d.Get(key)), thousands.Text(n))
		}
		of := make([]int, n)
		for i, l := range list {
			if l < 0 || l >= int64(classes[k]) {
				return nil, nil, fmt.Errorf("%s: picture %d has label %d in %s, want 0 to %d", path, i, l, key, classes[k]-1)
			}
			of[i] = int(l)
		}
		labels = append(labels, of)
	}
	return pix, labels, nil
}

// numbersOf takes a list of whole numbers apart, or an array of numpy.
func numbersOf(v any) (numbers []int64, ok bool) {
	if list, ok := v.(*pickle.List); ok {
		for _, item := range list.Items {
			n, ok := item.(int64)
			if !ok {
				return nil, false
			}
			numbers = append(numbers, n)
		}
		return numbers, true
	}
	shape, code, b, ok := array(v)
	size := map[string]int{"u1": 1, "i4": 4, "i8": 8}[code]
	if !ok || size == 0 || len(shape) != 1 || len(b)%size != 0 || shape[0] != int64(len(b)/size) {
		return nil, false
	}
	for ; len(b) > 0; b = b[size:] {
		switch size {
		case 1:
			numbers = append(numbers, int64(b[0]))
		case 4:
			numbers = append(numbers, int64(int32(binary.LittleEndian.Uint32(b))))
		case 8:
			numbers = append(numbers, int64(binary.LittleEndian.Uint64(b)))
		}
	}
	return numbers, true
}

// texts are the names of classes in a dictionary.
func texts(path string, d *pickle.Dict, key string, want int) ([]string, error) {
	list, ok := d.Get(key).(*pickle.List)
	if !ok || len(list.Items) != want {
		return nil, fmt.Errorf("%s: its %s are %s, want a list of %d texts", path, key, pickle.KindOf(d.Get(key)), want)
	}
	names := make([]string, want)
	for i, v := range list.Items {
		switch v := v.(type) {
		case string:
			names[i] = v
		case pickle.Bytes:
			names[i] = string(v)
		}
		if names[i] == "" {
			return nil, fmt.Errorf("%s: class %d of its %s is %s, want a text", path, i, key, pickle.KindOf(v))
		}
	}
	return names, nil
}

// pythonSet reads the files of CIFAR's Python version, and says of those that
// are not the published ones.
func pythonSet(title, folder string, files []pythonFile, key string, classes int) (pix []byte, labels []int, err error) {
	var changed []string
	for _, f := range files {
		path := filepath.Join(folder, f.name)
		d, published, err := readPython(path, f.md5)
		if err != nil {
			return nil, nil, err
		}
		p, l, err := batch(path, d, []string{key}, []int{classes})
		if err != nil {
			return nil, nil, err
		}
		pix, labels = append(pix, p...), append(labels, l[0]...)
		if !published {
			changed = append(changed, f.name)
		}
	}
	if len(changed) > 0 {
		hooks.Notice(fmt.Sprintf("%s: %s in %s differ from the published files by their MD5, where torchvision refuses them; they are read as they are", title, quoted(changed), folder))
	}
	return pix, labels, nil
}

func quoted(names []string) string {
	return fmt.Sprintf("%q", slices.Clone(names))
}

// pythonImages makes a data set of pictures and labels in memory.
func pythonImages(name, source string, pix []byte, labels []int) *Images {
	return &Images{name: name, source: source, n: len(labels), labels: labels,
		load: func(i int) (picture, int, error) {
			return &Image{C: 3, H: cifarSide, W: cifarSide, Pix: pix[i*cifarPixels : (i+1)*cifarPixels]}, labels[i], nil
		}}
}
