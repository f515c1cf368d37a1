package dl

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"
	"github.com/gomlx/compute/shapes"
)

// DType is the type of a tensor's elements, GoMLX's own.
type DType = dtypes.DType

// Element types that tensors commonly have.
const (
	Float32  = dtypes.Float32
	Float64  = dtypes.Float64
	BFloat16 = dtypes.BFloat16
	Int64    = dtypes.Int64
	Int32    = dtypes.Int32
	Uint8    = dtypes.Uint8
	Bool     = dtypes.Bool
)

// Element is a Go type that a tensor can be made of. An int is kept as int64.
type Element interface {
	bool | float32 | float64 | int | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// Tensor is an array of numbers with a shape, outermost axis first.
//
// Its values never change, so any number of goroutines may share one. They
// lie on the host, on a device, or on both: a tensor is copied to the device
// when a program first needs it there, and to the host when somebody looks.
// The device copy is freed when the tensor is garbage collected, and at once
// by [Tensor.Free].
type Tensor struct {
	shape Shape
	dtype DType

	mu   sync.Mutex
	host any            // a flat slice of the element's Go type; nil while only on a device
	buf  compute.Buffer // nil while only on the host
	on   *device        // where buf lies
	pins int            // programs and readers that use buf or host now
	free bool           // Free was called; it takes effect when pins is 0
}

// FromSlice makes a tensor of the given shape from flat, whose values are in
// row-major order. Without a shape the tensor has one axis, as long as flat.
//
// The tensor takes flat over: the caller must not change it afterwards. A
// shape that does not hold exactly len(flat) values panics with a
// [*ShapeError].
func FromSlice[T Element](flat []T, shape ...int) *Tensor {
	if len(shape) == 0 {
		shape = []int{len(flat)}
	}
	size := 1
	for _, n := range shape {
		size *= n
	}
	if size != len(flat) {
		panic(&ShapeError{Op: "FromSlice", Got: append(Shape(nil), shape...),
			Want: fmt.Sprintf("a shape of %d values", len(flat)),
			Fix:  "the product of the axes must be the length of the slice"})
	}
	return newTensor(flat, shape)
}

// Scalar makes a tensor with no axes that holds one value.
func Scalar[T Element](value T) *Tensor { return newTensor([]T{value}, nil) }

func newTensor[T Element](flat []T, shape []int) *Tensor {
	t := &Tensor{shape: append(Shape{}, shape...), host: flat}
	if ints, ok := any(flat).([]int); ok {
		wide := make([]int64, len(ints))
		for i, v := range ints {
			wide[i] = int64(v)
		}
		t.host, t.dtype = wide, Int64
		return t
	}
	t.dtype = dtypes.FromGenericsType[T]()
	return t
}

// deviceTensor wraps a buffer that a program returned. The tensor owns it.
func deviceTensor(on *device, buf compute.Buffer, s shapes.Shape) *Tensor {
	// go-xla v0.4.4 looks a buffer's type up at its first use and keeps it
	// without a lock (pjrt/buffers.go, DType): do it before anybody shares it.
	buf.Shape()
	return &Tensor{shape: append(Shape{}, s.Dimensions...), dtype: s.DType, buf: buf, on: on}
}

// Shape returns the tensor's axes, outermost first. A scalar has none.
func (t *Tensor) Shape() []int { return append([]int{}, t.shape...) }

// DType returns the type of the elements.
func (t *Tensor) DType() DType { return t.dtype }

// Size returns the number of elements.
func (t *Tensor) Size() int { return t.shape.Size() }

// Device names where the values lie now: "cpu" for the host's memory, else a
// device as [Devices] lists it, such as "cuda:0".
func (t *Tensor) Device() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.buf == nil {
		return "cpu"
	}
	return t.on.label()
}

// Float32s returns the values as float32 in row-major order, converted where
// the tensor has another type (true is 1). The slice is a copy, which the
// caller may change. It panics if the device cannot be read or the tensor
// was freed.
func (t *Tensor) Float32s() []float32 { return convert[float32](t.flat()) }

// Float64s returns a copy of the values as float64, like [Tensor.Float32s].
func (t *Tensor) Float64s() []float64 { return convert[float64](t.flat()) }

// Int64s returns a copy of the values as int64, like [Tensor.Float32s];
// fractions are cut off.
func (t *Tensor) Int64s() []int64 { return convert[int64](t.flat()) }

// Item returns the value of a tensor that has exactly one element. Another
// size panics with a [*ShapeError].
func (t *Tensor) Item() float64 {
	if t.Size() != 1 {
		panic(&ShapeError{Op: "Item", Got: t.shape, Want: "one element", Fix: "use Float32s for more"})
	}
	return t.Float64s()[0]
}

// Free gives the tensor's memory back, on the device and on the host: now,
// or when the program that is using it ends. Reading it afterwards panics.
// Freeing twice does nothing.
func (t *Tensor) Free() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free = true
	t.sweep()
}

// pin keeps the tensor's memory until unpin, whoever calls Free.
func (t *Tensor) pin() {
	t.mu.Lock()
	t.pins++
	t.mu.Unlock()
}

func (t *Tensor) unpin() {
	t.mu.Lock()
	t.pins--
	t.sweep()
	t.mu.Unlock()
}

// sweep does what Free asked for, once nobody uses the tensor. The caller
// holds mu.
func (t *Tensor) sweep() {
	if t.free && t.pins == 0 {
		t.release()
		t.host = nil
	}
}

// release frees the device copy. The caller holds mu.
func (t *Tensor) release() {
	if t.buf != nil {
		t.buf.Finalize() // a backend that is gone has freed it already
		t.buf, t.on = nil, nil
	}
}

// flat returns the host's copy, which nobody may change, fetching it from
// the device at the first call.
func (t *Tensor) flat() any {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.host != nil {
		return t.host
	}
	if t.buf == nil {
		panic(fmt.Errorf("dl: Tensor: %v was freed; keep it until its last use", t.shape))
	}
	flat := dtypes.MakeAnySlice(t.dtype, t.Size())
	if t.Size() > 0 {
		if err := t.buf.ToFlatData(flat); err != nil {
			panic(fmt.Errorf("dl: Tensor: read %v from %s: %w", t.shape, t.on.label(), err))
		}
	}
	t.host = flat
	return flat
}

// buffer returns the tensor's copy on a device, making it at the first call.
// The buffer belongs to the tensor. The caller has pinned it.
func (t *Tensor) buffer(on *device) (compute.Buffer, error) {
	t.mu.Lock()
	if t.buf != nil && t.on == on {
		defer t.mu.Unlock()
		return t.buf, nil
	}
	t.mu.Unlock()
	flat := t.flat()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.buf != nil && t.on == on {
		return t.buf, nil
	}
	buf, err := on.backend.BufferFromFlatData(on.num, flat, shapes.Make(t.dtype, t.shape...))
	if err != nil {
		return nil, fmt.Errorf("dl: copy %v to %s: %w", t.shape, on.label(), err)
	}
	if t.pins <= 1 {
		t.release() // else a program on the other device still reads it; the collector frees it
	}
	t.buf, t.on = buf, on
	return buf, nil
}

// Stack joins tensors of one shape and type along a new outermost axis: n
// tensors of [C H W] become one of [n C H W], on the host. No tensors, or
// tensors that differ, panic with a [*ShapeError].
func Stack(ts []*Tensor) *Tensor {
	if len(ts) == 0 {
		panic(&ShapeError{Op: "Stack", Want: "at least one tensor"})
	}
	first := ts[0]
	for i, t := range ts {
		if !t.shape.Equal(first.shape) || t.dtype != first.dtype {
			panic(&ShapeError{Op: fmt.Sprintf("Stack: tensor %d", i), Got: t.shape,
				Want: fmt.Sprintf("%v %s, as the first", first.shape, typeName(first.dtype)),
				Fix:  "resize or crop the pictures to one size"})
		}
	}
	shape := append(Shape{len(ts)}, first.shape...)
	var host any
	switch first.flat().(type) {
	case []float32:
		host = stack[float32](ts)
	case []float64:
		host = stack[float64](ts)
	case []int64:
		host = stack[int64](ts)
	case []int32:
		host = stack[int32](ts)
	case []int16:
		host = stack[int16](ts)
	case []int8:
		host = stack[int8](ts)
	case []uint64:
		host = stack[uint64](ts)
	case []uint32:
		host = stack[uint32](ts)
	case []uint16:
		host = stack[uint16](ts)
	case []uint8:
		host = stack[uint8](ts)
	case []bool:
		host = stack[bool](ts)
	case []bfloat16.BFloat16:
		host = stack[bfloat16.BFloat16](ts)
	case []float16.Float16:
		host = stack[float16.Float16](ts)
	default:
		panic(fmt.Errorf("dl: Stack: cannot stack tensors of %s", typeName(first.dtype)))
	}
	return &Tensor{shape: shape, dtype: first.dtype, host: host}
}

// cut returns a part of a flat slice, which it shares.
func cut(flat any, from, to int) any {
	return reflect.ValueOf(flat).Slice3(from, to, to).Interface()
}

func stack[T any](ts []*Tensor) []T {
	all := make([]T, 0, len(ts)*ts[0].Size())
	for _, t := range ts {
		all = append(all, t.flat().([]T)...)
	}
	return all
}

// String describes the tensor in one line: shape, type, where it lies, and
// the range, mean and standard deviation of its finite values, then how many
// are NaN or infinite.
//
//	[3 32 32] float32 cpu x∈[-2.1, 2.6] μ=0.02 σ=1
func (t *Tensor) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %s %s", t.shape, typeName(t.dtype), t.Device())
	t.mu.Lock()
	gone := t.free
	t.mu.Unlock()
	if gone {
		return b.String() + " freed"
	}
	values := t.Float64s()
	if len(values) == 0 {
		return b.String() + " empty"
	}
	if len(values) == 1 {
		return fmt.Sprintf("%s %.4g", b.String(), values[0])
	}
	low, high, sum, nans, infs, n := math.Inf(1), math.Inf(-1), 0.0, 0, 0, 0
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			nans++
		case math.IsInf(v, 0):
			infs++
		default:
			low, high, sum, n = min(low, v), max(high, v), sum+v, n+1
		}
	}
	if n > 0 {
		mean, square := sum/float64(n), 0.0
		for _, v := range values {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				square += (v - mean) * (v - mean)
			}
		}
		fmt.Fprintf(&b, " x∈[%.3g, %.3g] μ=%.3g σ=%.3g", low, high, mean, math.Sqrt(square/float64(n)))
	}
	if nans > 0 {
		fmt.Fprintf(&b, " NaN=%d", nans)
	}
	if infs > 0 {
		fmt.Fprintf(&b, " Inf=%d", infs)
	}
	return b.String()
}

// typeName is a type's name as PyTorch writes it.
func typeName(t DType) string { return strings.ToLower(t.String()) }

type number interface{ float32 | float64 | int64 }

// convert copies a flat slice of any element type.
func convert[D number](flat any) []D {
	switch s := flat.(type) {
	case []float32:
		return cast[D](s)
	case []float64:
		return cast[D](s)
	case []int64:
		return cast[D](s)
	case []int32:
		return cast[D](s)
	case []int16:
		return cast[D](s)
	case []int8:
		return cast[D](s)
	case []uint64:
		return cast[D](s)
	case []uint32:
		return cast[D](s)
	case []uint16:
		return cast[D](s)
	case []uint8:
		return cast[D](s)
	case []bool:
		out := make([]D, len(s))
		for i, v := range s {
			if v {
				out[i] = 1
			}
		}
		return out
	case []bfloat16.BFloat16:
		out := make([]D, len(s))
		for i, v := range s {
			out[i] = D(v.Float32())
		}
		return out
	case []float16.Float16:
		out := make([]D, len(s))
		for i, v := range s {
			out[i] = D(v.Float32())
		}
		return out
	}
	panic(fmt.Errorf("dl: Tensor: values of type %T have no number; use a real type", flat))
}

func cast[D, S number | int32 | int16 | int8 | uint64 | uint32 | uint16 | uint8](s []S) []D {
	out := make([]D, len(s))
	if same, ok := any(s).([]D); ok {
		copy(out, same)
		return out
	}
	for i, v := range s {
		out[i] = D(v)
	}
	return out
}
