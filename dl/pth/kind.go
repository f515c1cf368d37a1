package pth

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/gomlx/compute/dtypes/float16"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/float8"
)

// kinds are torch's types of elements by its name for them.
var kinds = map[string]kind{
	"float32":         readable("float32", 4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }),
	"float64":         readable("float64", 8, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }),
	"float16":         readable("float16", 2, func(b []byte) float32 { return float16.Float16(binary.LittleEndian.Uint16(b)).Float32() }),
	"bfloat16":        readable("bfloat16", 2, func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) }),
	"float8_e4m3fn":   readable("float8_e4m3fn", 1, func(b []byte) float32 { return float8.E4M3FN(b[0]) }),
	"float8_e5m2":     readable("float8_e5m2", 1, func(b []byte) float32 { return float8.E5M2(b[0]) }),
	"float8_e4m3fnuz": readable("float8_e4m3fnuz", 1, func(b []byte) float32 { return float8.E4M3FNUZ(b[0]) }),
	"float8_e5m2fnuz": readable("float8_e5m2fnuz", 1, func(b []byte) float32 { return float8.E5M2FNUZ(b[0]) }),
	"float8_e8m0fnu":  readable("float8_e8m0fnu", 1, func(b []byte) float32 { return float8.E8M0(b[0]) }),
	"int64":           readable("int64", 8, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) }),
	"int32":           readable("int32", 4, func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) }),
	"int16":           readable("int16", 2, func(b []byte) int16 { return int16(binary.LittleEndian.Uint16(b)) }),
	"int8":            readable("int8", 1, func(b []byte) int8 { return int8(b[0]) }),
	"uint64":          readable("uint64", 8, func(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }),
	"uint32":          readable("uint32", 4, func(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }),
	"uint16":          readable("uint16", 2, func(b []byte) uint16 { return binary.LittleEndian.Uint16(b) }),
	"uint8":           readable("uint8", 1, func(b []byte) uint8 { return b[0] }),
	"bool":            {name: "bool", size: 1, make: reader(1, func(b []byte) bool { return b[0] != 0 }, func(v bool) bool { return v })},

	"complex32":  {name: "complex32", size: 4, try: noComplex},
	"complex64":  {name: "complex64", size: 8, try: noComplex},
	"complex128": {name: "complex128", size: 16, try: noComplex},
	"qint8":      {name: "qint8", size: 1, try: noQuantized},
	"quint8":     {name: "quint8", size: 1, try: noQuantized},
	"qint32":     {name: "qint32", size: 4, try: noQuantized},
	"quint4x2":   {name: "quint4x2", size: 1, try: noQuantized},
	"quint2x4":   {name: "quint2x4", size: 1, try: noQuantized},
}

// storages are the types of elements by the names of torch's storages.
var storages = map[string]string{
	"FloatStorage": "float32", "DoubleStorage": "float64", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
	"LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
	"UntypedStorage":       "uint8", // of types that are newer than these names, which the tensor says
	"ComplexFloatStorage":  "complex64",
	"ComplexDoubleStorage": "complex128",
	"QInt8Storage":         "qint8", "QUInt8Storage": "quint8", "QInt32Storage": "qint32", "QUInt4x2Storage": "quint4x2", "QUInt2x4Storage": "quint2x4",
}

const (
	noComplex   = "dl has no complex numbers: save torch.view_as_real(x)"
	noQuantized = "dl has no quantized tensors: save x.dequantize()"
)

// storageKind finds the type of a storage's elements by its class.
func storageKind(of class) (kind, bool) {
	name, ok := strings.CutPrefix(string(of), "torch.")
	k, known := kinds[storages[name[strings.LastIndexByte(name, '.')+1:]]]
	return k, ok && known
}

// dtypeKind finds a type of elements by torch's dtype.
func dtypeKind(of any) (kind, bool) {
	c, _ := of.(class)
	name, ok := strings.CutPrefix(string(c), "torch.")
	k, known := kinds[name]
	return k, ok && known
}

// number is an element that has a sign.
type number interface {
	dl.Element
	float32 | float64 | int64 | int32 | int16 | int8 | uint64 | uint32 | uint16 | uint8
}

func readable[T number](name string, size int64, value func(b []byte) T) kind {
	return kind{name: name, size: size, make: reader(size, value, func(v T) T { return -v })}
}

// reader makes tensors of elements that value decodes, and negative those that
// are stored with the other sign.
func reader[T dl.Element](size int64, value func(b []byte) T, negative func(T) T) func([]byte, *tensor, []int) *dl.Tensor {
	return func(b []byte, t *tensor, shape []int) *dl.Tensor {
		n := 1
		for _, side := range shape {
			n *= side
		}
		flat := make([]T, n)
		switch {
		case n == 0:
		case t.contiguous():
			b = b[t.offset*size:]
			for i := range flat {
				flat[i] = value(b[int64(i)*size:])
			}
		default:
			next := 0
			t.each(func(i int64) {
				flat[next] = value(b[i*size:])
				next++
			})
		}
		if t.neg {
			for i, v := range flat {
				flat[i] = negative(v)
			}
		}
		if len(shape) == 0 {
			return dl.Scalar(flat[0])
		}
		return dl.FromSlice(flat, shape...)
	}
}
