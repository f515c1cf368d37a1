package pth

import (
	"encoding/binary"
	"math"

	"github.com/gomlx/compute/dtypes/float16"

	"github.com/holt-dl/holt/dl"
)

// kinds are the storages that can be read, by their names in module torch.
var kinds = map[string]kind{
	"FloatStorage":    {"float32", 4, reader(4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) })},
	"DoubleStorage":   {"float64", 8, reader(8, func(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) })},
	"HalfStorage":     {"float16", 2, reader(2, func(b []byte) float32 { return float16.Float16(binary.LittleEndian.Uint16(b)).Float32() })},
	"BFloat16Storage": {"bfloat16", 2, reader(2, func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) })},
	"LongStorage":     {"int64", 8, reader(8, func(b []byte) int64 { return int64(binary.LittleEndian.Uint64(b)) })},
	"IntStorage":      {"int32", 4, reader(4, func(b []byte) int32 { return int32(binary.LittleEndian.Uint32(b)) })},
	"ShortStorage":    {"int16", 2, reader(2, func(b []byte) int16 { return int16(binary.LittleEndian.Uint16(b)) })},
	"CharStorage":     {"int8", 1, reader(1, func(b []byte) int8 { return int8(b[0]) })},
	"ByteStorage":     {"uint8", 1, reader(1, func(b []byte) uint8 { return b[0] })},
	"BoolStorage":     {"bool", 1, reader(1, func(b []byte) bool { return b[0] != 0 })},
}

// reader makes tensors of elements that value decodes.
func reader[T dl.Element](size int64, value func(b []byte) T) func([]byte, *tensor, []int) *dl.Tensor {
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
		if len(shape) == 0 {
			return dl.Scalar(flat[0])
		}
		return dl.FromSlice(flat, shape...)
	}
}
