package vision

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/thousands"
)

// IDX is a data set in two IDX files, such as EMNIST and subsets of [MNIST] are
// published: pictures [N H W] or [N C H W] of bytes, C 1 or 3, and their labels
// [N]. Either may be compressed by gzip.
//
//	d, err := vision.IDX{Images: "emnist-letters-train-images-idx3-ubyte.gz",
//		Labels: "emnist-letters-train-labels-idx1-ubyte.gz", Classes: classes}.Open()
type IDX struct {
	Images string // the file of the pictures; required
	Labels string // the file of the labels; required

	// Classes are the names of the labels, label 0 first; empty means the
	// numbers, up to the largest that occurs.
	Classes []string

	Transform Transform // of each picture; nil means ToTensor
}

// Open reads the data set into memory. Another number of labels than of
// pictures, and a label without a class, are errors.
func (f IDX) Open() (*Images, error) {
	d, err := f.open()
	if err != nil {
		return nil, fmt.Errorf("vision: IDX: %w", err)
	}
	d.Transform = f.Transform
	return d, nil
}

func (f IDX) open() (*Images, error) {
	images, err := readIDX(f.Images)
	if err != nil {
		return nil, err
	}
	labels, err := readIDX(f.Labels)
	if err != nil {
		return nil, err
	}
	c, shape := 1, images.shape
	if len(shape) == 4 {
		c, shape = shape[1], slices.Delete(slices.Clone(shape), 1, 2)
	}
	if images.code != 8 || len(shape) != 3 || c != 1 && c != 3 {
		return nil, fmt.Errorf("%s holds %v of shape %v, want pictures of bytes in the shape [N H W]", f.Images, images.code, images.shape)
	}
	n := shape[0]
	if labels.code != 8 || len(labels.shape) != 1 {
		return nil, fmt.Errorf("%s holds %v of shape %v, want labels of bytes in the shape [N]", f.Labels, labels.code, labels.shape)
	}
	if labels.shape[0] != n {
		return nil, fmt.Errorf("%s has %s labels, want %s, one for each picture of %s", f.Labels, thousands.Text(labels.shape[0]), thousands.Text(n), f.Images)
	}
	classes := f.Classes
	if len(classes) == 0 && n > 0 {
		for i := range int(slices.Max(labels.data)) + 1 {
			classes = append(classes, strconv.Itoa(i))
		}
	}
	of := make([]int, n)
	for i, l := range labels.data {
		if int(l) >= len(classes) {
			return nil, fmt.Errorf("%s: picture %d has label %d, want 0 to %d", f.Labels, i, l, len(classes)-1)
		}
		of[i] = int(l)
	}
	h, w, size := shape[1], shape[2], c*shape[1]*shape[2]
	return &Images{Classes: classes, name: "IDX " + f.Images, source: "pictures in " + f.Images, n: n, labels: of,
		load: func(i int) (picture, int, error) {
			return &Image{C: c, H: h, W: w, Pix: images.data[i*size : (i+1)*size]}, of[i], nil
		}}, nil
}

// ReadIDX reads the array in an IDX file, as MNIST's are, which may be
// compressed by gzip. Its numbers keep their type: uint8, int8, int16, int32,
// float32 or float64.
func ReadIDX(path string) (*dl.Tensor, error) {
	a, err := readIDX(path)
	if err != nil {
		return nil, fmt.Errorf("vision: ReadIDX: %w", err)
	}
	switch a.code {
	case 0x08:
		return decoded(a, func(b []byte) uint8 { return b[0] }), nil
	case 0x09:
		return decoded(a, func(b []byte) int8 { return int8(b[0]) }), nil
	case 0x0b:
		return decoded(a, func(b []byte) int16 { return int16(binary.BigEndian.Uint16(b)) }), nil
	case 0x0c:
		return decoded(a, func(b []byte) int32 { return int32(binary.BigEndian.Uint32(b)) }), nil
	case 0x0d:
		return decoded(a, func(b []byte) float32 { return math.Float32frombits(binary.BigEndian.Uint32(b)) }), nil
	default:
		return decoded(a, func(b []byte) float64 { return math.Float64frombits(binary.BigEndian.Uint64(b)) }), nil
	}
}

func decoded[T dl.Element](a idxArray, value func(b []byte) T) *dl.Tensor {
	flat := make([]T, len(a.data)/a.code.size())
	for i := range flat {
		flat[i] = value(a.data[i*a.code.size():])
	}
	if len(a.shape) == 0 {
		return dl.Scalar(flat[0])
	}
	return dl.FromSlice(flat, a.shape...)
}

// idxCode is the type of an IDX file's numbers.
type idxCode byte

func (c idxCode) size() int {
	return map[idxCode]int{0x08: 1, 0x09: 1, 0x0b: 2, 0x0c: 4, 0x0d: 4, 0x0e: 8}[c]
}

func (c idxCode) String() string {
	return map[idxCode]string{0x08: "uint8", 0x09: "int8", 0x0b: "int16", 0x0c: "int32", 0x0d: "float32", 0x0e: "float64"}[c]
}

// idxArray is what an IDX file holds.
type idxArray struct {
	code  idxCode
	shape []int
	data  []byte // big-endian
}

// maxIDX is what an IDX file may hold, in bytes.
const maxIDX = 8 << 30

// readIDX reads a file, compressed or not. An IDX file begins with two zeros,
// the type of its numbers, the number of axes, and the length of each as a
// big-endian uint32; the numbers follow.
// https://yann.lecun.com/exdb/mnist, at its end
func readIDX(path string) (a idxArray, err error) {
	f, err := os.Open(path)
	if err != nil {
		return a, err
	}
	defer f.Close()
	buffered := bufio.NewReaderSize(f, 1<<16)
	var r io.Reader = buffered
	if start, _ := buffered.Peek(2); bytes.Equal(start, []byte{0x1f, 0x8b}) {
		if r, err = gzip.NewReader(buffered); err != nil {
			return a, fmt.Errorf("%s: %w", path, err)
		}
	}
	head := make([]byte, 4)
	if _, err := io.ReadFull(r, head); err != nil {
		return a, fmt.Errorf("%s is no IDX file: %w", path, err)
	}
	a.code = idxCode(head[2])
	if head[0] != 0 || head[1] != 0 || a.code.size() == 0 {
		return a, fmt.Errorf("%s is no IDX file: it begins with % x, want two zeros and a type from 08 to 0e", path, head)
	}
	size := int64(a.code.size())
	for range head[3] {
		var n uint32
		if err := binary.Read(r, binary.BigEndian, &n); err != nil {
			return a, fmt.Errorf("%s ends within its shape: %w", path, err)
		}
		if n > 0 && size > maxIDX/int64(n) {
			return a, fmt.Errorf("%s would have %d axes and more than %s bytes: it is damaged", path, head[3], thousands.Text(maxIDX))
		}
		a.shape = append(a.shape, int(n))
		size *= int64(n)
	}
	// What is read grows with the file, not with what its shape promises.
	a.data, err = io.ReadAll(io.LimitReader(r, size+1))
	if err != nil && !errors.Is(err, io.EOF) {
		return a, fmt.Errorf("%s: %w", path, err)
	}
	if int64(len(a.data)) != size {
		more := ""
		if int64(len(a.data)) > size {
			more = " or more"
		}
		return a, fmt.Errorf("%s: its shape is %v, and it has %s bytes%s, want %s: it is cut off or damaged, download it again", path, a.shape, thousands.Text(len(a.data)), more, thousands.Text(int(size)))
	}
	return a, nil
}
