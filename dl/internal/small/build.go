package small

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/notimplemented"
	"github.com/gomlx/compute/shapes"
)

// ErrLarge is the error of a program that would take longer than the limit.
var ErrLarge = errors.New("the program is too large to be run without compiling it")

// Backend writes programs that run in Go. It holds no tensors: a [Program] takes
// and returns slices.
type Backend struct {
	notimplemented.Backend
	Limit float64 // nanoseconds, estimated, that a program may take
}

// Name returns the backend's name.
func (*Backend) Name() string { return "small" }

// Builder begins a program.
func (b *Backend) Builder(string) compute.Builder {
	f := &function{limit: b.Limit}
	f.ErrFn = func(op compute.OpType) error { return fmt.Errorf("%v: %w", op, compute.ErrNotImplemented) }
	return &builder{f: f}
}

type builder struct {
	notimplemented.Builder
	f *function
}

func (b *builder) Name() string           { return "small" }
func (b *builder) Main() compute.Function { return b.f }

func (b *builder) OpShape(v compute.Value) (shapes.Shape, error) { return v.(*value).shape, nil }

// function collects the operations of a program.
type function struct {
	notimplemented.Function
	inputs  []*value
	outputs []*value
	limit   float64
}

// value is the result of an operation: a view of some memory. A base is a value that has memory of
// its own; it is there whole, in row-major order.
type value struct {
	shape   shapes.Shape
	base    *value // whose memory it is
	strides []int  // in elements, for each axis
	offset  int

	// Of a base:
	size     int
	input    int // which input of the program it is; -1 for none
	constant any // its values, where they are known
	in       []*value
	cost     float64     // nanoseconds
	step     func() step // makes the loop that writes it, when places in memory are known
	compact  *value      // of a view: a base with its values, once one was wanted
	place    int         // in the machine's memory
	reached  bool
	last     int // the step that reads it last
	scratch  int // bytes that the loop needs besides
}

func (f *function) Name() string             { return compute.MainName }
func (f *function) Parent() compute.Function { return nil }

func (f *function) Shape(v compute.Value) (shapes.Shape, error) { return v.(*value).shape, nil }

func (f *function) Parameter(_ string, shape shapes.Shape, _ *compute.ShardingSpec) (compute.Value, error) {
	v, err := f.base(shape, 0, nil)
	if err != nil {
		return nil, err
	}
	v.input = len(f.inputs)
	f.inputs = append(f.inputs, v)
	return v, nil
}

func (f *function) Constant(flat any, dims ...int) (compute.Value, error) {
	kind, data := dataOf(flat)
	v, err := f.base(shapes.Make(kind, dims...), 0, nil)
	if err != nil {
		return nil, err
	}
	if data.n != v.size {
		return nil, fmt.Errorf("a constant of %d values for the shape %v", data.n, dims)
	}
	v.constant = copied(flat)
	return v, nil
}

func (f *function) Return(outputs []compute.Value, _ []*compute.ShardingSpec) error {
	for _, v := range outputs {
		f.outputs = append(f.outputs, v.(*value))
	}
	return nil
}

// mostValues is a size that no small program has.
const mostValues = 1 << 24

// base returns a value with memory of its own, which step writes.
func (f *function) base(shape shapes.Shape, cost float64, step func(out *value) step, in ...*value) (*value, error) {
	if !covered(shape.DType) {
		return nil, fmt.Errorf("%v: %w", shape.DType, compute.ErrNotImplemented)
	}
	size := 1
	for _, n := range shape.Dimensions {
		size *= n
	}
	if size > mostValues {
		return nil, fmt.Errorf("%v: %w", shape, ErrLarge)
	}
	v := &value{shape: shape, strides: dense(shape.Dimensions), size: size, input: -1, in: in, cost: cost}
	v.base = v
	if step != nil {
		v.step = func() func([]memory) { return step(v) }
	}
	return v, nil
}

// dense returns the strides of a tensor that lies in row-major order.
func dense(dims []int) []int {
	strides := make([]int, len(dims))
	n := 1
	for i := len(dims) - 1; i >= 0; i-- {
		strides[i] = n
		n *= dims[i]
	}
	return strides
}

// view returns another view of x's memory.
func (x *value) view(dims, strides []int, offset int) *value {
	return &value{shape: shapes.Make(x.shape.DType, dims...), base: x.base, strides: strides, offset: offset, input: -1}
}

// isDense reports whether the values lie in row-major order one after the other.
func (x *value) isDense() bool {
	n := 1
	for i := len(x.strides) - 1; i >= 0; i-- {
		if d := x.shape.Dimensions[i]; d != 1 {
			if x.strides[i] != n {
				return false
			}
			n *= d
		}
	}
	return true
}

// count returns the number of elements.
func (x *value) count() int {
	n := 1
	for _, d := range x.shape.Dimensions {
		n *= d
	}
	return n
}

// packed returns a view of the values that is dense, copying them where they are not.
func (f *function) packed(x *value) (*value, error) {
	if x.isDense() {
		return x, nil
	}
	if x.compact == nil {
		v, err := f.move(x)
		if err != nil {
			return nil, err
		}
		x.compact = v
	}
	return x.compact, nil
}

// covered reports whether values of a type can be moved. Arithmetic is for fewer types.
func covered(t dtypes.DType) bool { return slices.Contains(coveredTypes, t) }

var coveredTypes = []dtypes.DType{dtypes.Bool, dtypes.Float32, dtypes.Float64, dtypes.Int8, dtypes.Int16, dtypes.Int32,
	dtypes.Int64, dtypes.Uint8, dtypes.Uint16, dtypes.Uint32, dtypes.Uint64}

// missing is the error of an operation for a type that is not covered.
func missing(op compute.OpType, t dtypes.DType) error {
	return fmt.Errorf("%v of %v: %w", op, t, compute.ErrNotImplemented)
}
