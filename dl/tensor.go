package dl

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
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
	// copies are what lies on further devices, where several share the work
	// or the tensor was put on one by To and is used on another.
	copies []copied
	placed bool // To put it on its device, and what is made of it stays there
	pins   int  // programs and readers that use buf or host now
	free   bool // Free was called; it takes effect when pins is 0
	keep   bool // others use it besides the parameter whose value it is

	sig atomic.Pointer[signature] // of shape and dtype, once it was asked for
	v   *variable                 // of a parameter, whose values change; nil for all others

	rec *recording // of a tensor inside of a program, which has no values
	id  int32      // its number there

	tape  *tape     // how the value was calculated; nil where no gradient goes through it
	out   int       // which of the operation's outputs it is
	wants bool      // RequiresGrad was called
	leaf  *variable // its gradient, where it wants one
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
	if t.v != nil {
		return t.v.now.Load().Device()
	}
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
	for _, c := range t.copies {
		c.buf.Finalize()
	}
	t.copies = nil
}

// flat returns the host's copy, which nobody may change, fetching it from
// the device at the first call.
func (t *Tensor) flat() any {
	if t.rec != nil {
		panic(fmt.Errorf("dl: Tensor: a tensor inside of a program has no values yet, only its shape %v; return it from the function and read it there", t.shape))
	}
	if t.v != nil {
		values, release := valuesOf([]*Tensor{t})
		defer release()
		return values[0].flat()
	}
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
