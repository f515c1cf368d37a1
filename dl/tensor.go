package dl

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/dtypes/float16"

	"github.com/holt-dl/holt/dl/internal/xla"
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

	data *xla.Array // the values; nil of a parameter and inside of a program

	sig atomic.Pointer[signature] // of shape and dtype, once it was asked for
	v   *variable                 // of a parameter, whose values change; nil for all others

	part *batchPart // of a batch of one process's rows

	symbol *signature // the same of a tensor inside of a program, from the beginning

	rec *recording // of a tensor inside of a program, which has no values
	id  int32      // its number there

	mu    sync.Mutex // of what follows
	keep  bool       // others use it besides the parameter whose value it is
	tape  *tape      // how the value was calculated; nil where no gradient goes through it
	out   int        // which of the operation's outputs it is
	wants bool       // RequiresGrad was called
	leaf  *variable  // its gradient, where it wants one
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
	if ints, ok := any(flat).([]int); ok {
		wide := make([]int64, len(ints))
		for i, v := range ints {
			wide[i] = int64(v)
		}
		return hostTensor(Int64, append(Shape{}, shape...), wide)
	}
	return hostTensor(dtypes.FromGenericsType[T](), append(Shape{}, shape...), flat)
}

// hostTensor makes a tensor of a flat slice of the type's Go type.
func hostTensor(dtype DType, shape Shape, flat any) *Tensor {
	return arrayTensor(xla.NewArray(dtype, shape, flat))
}

// lazyTensor makes a tensor whose values fill writes when they are first needed, into a flat slice
// of the type's Go type, which has zeros before.
func lazyTensor(dtype DType, shape Shape, fill func(flat any)) *Tensor {
	return arrayTensor(xla.LazyArray(dtype, slices.Clone(shape), fill))
}

// filledLater is filled, when the values are first needed.
func filledLater(shape Shape, value float32) *Tensor {
	return lazyTensor(Float32, shape, func(flat any) { fillWith(flat.([]float32), value) })
}

// arrayTensor makes a tensor of values.
func arrayTensor(a *xla.Array) *Tensor {
	return &Tensor{shape: a.Shape, dtype: a.DType, data: a}
}

// Shape returns the tensor's axes, outermost first. A scalar has none.
func (t *Tensor) Shape() []int { return append([]int{}, t.shape...) }

// DType returns the type of the elements.
func (t *Tensor) DType() DType { return t.dtype }

// Size returns the number of elements.
func (t *Tensor) Size() int { return t.shape.Size() }

// Device names where the values are now: "cpu" for the host's memory, else a
// device as [Devices] lists it, such as "cuda:0", or "cuda:0-3" where each of these has a part.
func (t *Tensor) Device() string {
	if t.v != nil {
		return t.v.now.Load().Device()
	}
	if on := t.data.Where(); on != "" {
		return on
	}
	return "cpu"
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

// To returns the tensor on a device, such as "cpu:1" or "cuda", as
// torch.Tensor.to. What is calculated from it runs on that device and stays
// there, whatever [Use] chose; a calculation with tensors on two devices is an
// error. A device that is not there, or is full, is an error that says so.
func (t *Tensor) To(name string) (*Tensor, error) {
	on, err := xla.Find("To", name)
	if err != nil {
		return nil, err
	}
	values, release := t.values()
	defer release()
	moved, err := values.CopyTo(on, false)
	if err != nil {
		return nil, err
	}
	return arrayTensor(moved), nil
}

// Free gives the tensor's memory back, on the device and on the host: now,
// or when the program that is using it ends. Reading it afterwards panics.
// Freeing twice does nothing.
func (t *Tensor) Free() {
	if t.data != nil {
		t.data.Free()
	}
}

// values returns the tensor's values, pinned until release.
func (t *Tensor) values() (a *xla.Array, release func()) {
	if t.v != nil {
		all, release := valuesOf([]*Tensor{t})
		return all[0].data, release
	}
	t.data.Pin()
	return t.data, t.data.Unpin
}

// flat returns the host's copy, which must not be changed, fetching it from
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
	flat, err := t.data.Flat()
	if err != nil {
		panic(err)
	}
	return flat
}

// commonDevice returns the device for a calculation with some tensors: the one
// that To put them on, else the one in use.
func commonDevice(xs []*Tensor) (on *xla.Device, placed bool, err error) {
	for _, x := range xs {
		if x.data == nil {
			continue
		}
		here := x.data.Placed()
		switch {
		case here == nil:
		case on != nil && on != here:
			return nil, false, fmt.Errorf("dl: tensors are on %s and on %s, want one device; move one with To", on.Label(), here.Label())
		default:
			on = here
		}
	}
	if on != nil {
		return on, true, nil
	}
	on, err = xla.Current()
	return on, false, err
}

// String describes the tensor in one line: shape, type, device, and
// the range, mean and standard deviation of its finite values, then how many
// are NaN or infinite.
//
//	[3 32 32] float32 cpu x∈[-2.1, 2.6] μ=0.02 σ=1
func (t *Tensor) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %s %s", t.shape, typeName(t.dtype), t.Device())
	if t.data != nil && t.data.Freed() {
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

// withDeviceCopy returns the tensor with a copy on a device, as To does, which keeps the
// host's.
func (t *Tensor) withDeviceCopy(on *xla.Device) (*Tensor, error) {
	values, release := t.values()
	defer release()
	a, err := values.CopyTo(on, true)
	if err != nil {
		return nil, err
	}
	return arrayTensor(a), nil
}
