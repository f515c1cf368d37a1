package small

import (
	"slices"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// spread returns x as a view with the dimensions dims: scalars and axes of
// length 1 repeat.
func (x *value) spread(dims []int) *value {
	if slices.Equal(x.shape.Dimensions, dims) {
		return x
	}
	strides := make([]int, len(dims))
	if len(x.strides) == len(dims) {
		for i := range dims {
			if x.shape.Dimensions[i] == dims[i] {
				strides[i] = x.strides[i]
			}
		}
	}
	return x.view(dims, strides, x.offset)
}

// walked returns the loop over a dense output and some inputs spread over its
// shape. Its inner loop has stride 0 or 1 for each of them: an input that has
// another is copied.
func (f *function) walked(out *value, in []*value) (*walk, error) {
	all := append([]*value{out}, in...)
	w := walkOf(out.shape.Dimensions, all...)
	again := false
	for i := range in {
		if s := w.inner[i+1]; s != 0 && s != 1 && w.n > 1 {
			v, err := f.packed(in[i])
			if err != nil {
				return nil, err
			}
			in[i], again = v, true
		}
	}
	if again {
		w = walkOf(out.shape.Dimensions, append([]*value{out}, in...)...)
	}
	return w, nil
}

// elementwise adds an operation value by value. loop makes its step.
func (f *function) elementwise(shape shapes.Shape, cost float64, loop func(w *walk, out *value, in []*value) step, in ...*value) (compute.Value, error) {
	if len(shape.Dimensions) > mostAxes {
		return nil, compute.ErrNotImplemented
	}
	for i := range in {
		in[i] = in[i].spread(shape.Dimensions)
	}
	out, err := f.base(shape, 0, nil)
	if err != nil {
		return nil, err
	}
	w, err := f.walked(out, in)
	if err != nil {
		return nil, err
	}
	runs := 1
	for _, d := range w.dims {
		runs *= d
	}
	out.in, out.cost = in, 50+float64(runs)*(10+float64(w.n)*cost)
	for i := range in {
		if w.inner[i+1] == 0 && w.n > 1 {
			out.scratch = blockLength * 8
		}
	}
	out.step = func() step { return loop(w, out, in) }
	return out, nil
}

// blockLength is how many copies of a value that repeats are made for the inner loop.
const blockLength = 256

// block fills a step's scratch memory with a value.
func block[T any](mem []memory, out *value, n int, v T) []T {
	b := unsafe.Slice((*T)(mem[out.scratch]), min(n, blockLength))
	for i := range b {
		b[i] = v
	}
	return b
}

// mapped runs a loop of one input.
func mapped[T, U any](w *walk, out, x *value, f func(d []U, a []T)) step {
	inner := w.inner[1]
	return func(mem []memory) {
		d, a := whole[U](mem, out), whole[T](mem, x)
		var p position
		w.start(&p)
		for at := 0; at < len(d); at += w.n {
			if run := d[at : at+w.n]; inner == 0 && w.n > 1 {
				f(run[:1], a[p.offs[1]:p.offs[1]+1])
				v := run[0]
				for i := range run {
					run[i] = v
				}
			} else {
				f(run, a[p.offs[1]:p.offs[1]+w.n])
			}
			if !w.single {
				w.next(&p)
			}
		}
	}
}

// zipped runs a loop of two inputs.
func zipped[T, U any](w *walk, out, x, y *value, f func(d []U, a, b []T)) step {
	sx, sy := w.inner[1], w.inner[2]
	if w.n == 1 {
		sx, sy = 1, 1
	}
	return func(mem []memory) {
		d, a, b := whole[U](mem, out), whole[T](mem, x), whole[T](mem, y)
		var p position
		w.start(&p)
		for at := 0; at < len(d); at += w.n {
			run, i, j := d[at:at+w.n], p.offs[1], p.offs[2]
			switch {
			case sx == 1 && sy == 1:
				f(run, a[i:i+w.n], b[j:j+w.n])
			case sx == 0 && sy == 0:
				f(run[:1], a[i:i+1], b[j:j+1])
				for k := range run {
					run[k] = run[0]
				}
			case sy == 0:
				block := block(mem, out, w.n, b[j])
				for k := 0; k < w.n; k += blockLength {
					m := min(blockLength, w.n-k)
					f(run[k:k+m], a[i+k:i+k+m], block[:m])
				}
			default:
				block := block(mem, out, w.n, a[i])
				for k := 0; k < w.n; k += blockLength {
					m := min(blockLength, w.n-k)
					f(run[k:k+m], block[:m], b[j+k:j+k+m])
				}
			}
			if !w.single {
				w.next(&p)
			}
		}
	}
}

// chosen takes a where cond is true, else b.
func chosen[T any](w *walk, out, cond, x, y *value) step {
	sc, sx, sy := w.inner[1], w.inner[2], w.inner[3]
	return func(mem []memory) {
		d, c, a, b := whole[T](mem, out), whole[bool](mem, cond), whole[T](mem, x), whole[T](mem, y)
		var p position
		w.start(&p)
		for at := 0; at < len(d); at += w.n {
			run, h, i, j := d[at:at+w.n], p.offs[1], p.offs[2], p.offs[3]
			for k := range run {
				if c[h] {
					run[k] = a[i]
				} else {
					run[k] = b[j]
				}
				h, i, j = h+sc, i+sx, j+sy
			}
			if !w.single {
				w.next(&p)
			}
		}
	}
}

// one adds an operation of one value.
func (f *function) one(op compute.OpType, x compute.Value, cost float64) (compute.Value, error) {
	v := x.(*value)
	shape, err := shapeinference.UnaryOp(op, v.shape)
	if err != nil {
		return nil, err
	}
	make := unaryLoop(op, shape.DType)
	if make == nil {
		return nil, missing(op, shape.DType)
	}
	return f.elementwise(shape, cost, func(w *walk, out *value, in []*value) step { return make(w, out, in[0]) }, v)
}

// two adds an operation of two values.
func (f *function) two(op compute.OpType, x, y compute.Value, cost float64) (compute.Value, error) {
	a, b := x.(*value), y.(*value)
	shape, err := shapeinference.BinaryOp(op, a.shape, b.shape)
	if err != nil {
		return nil, err
	}
	if op == compute.OpTypeMul && slices.Equal(shape.Dimensions, a.shape.Dimensions) && b.isOne() {
		return a, nil
	}
	if op == compute.OpTypeMul && slices.Equal(shape.Dimensions, b.shape.Dimensions) && a.isOne() {
		return b, nil
	}
	make := binaryLoop(op, shape.DType)
	if make == nil {
		return nil, missing(op, shape.DType)
	}
	return f.elementwise(shape, cost, func(w *walk, out *value, in []*value) step { return make(w, out, in[0], in[1]) }, a, b)
}

// isOne reports whether every value is the number 1.
func (x *value) isOne() bool {
	if x.base.size != 1 {
		return false
	}
	switch c := x.base.constant.(type) {
	case []float32:
		return c[0] == 1
	case []float64:
		return c[0] == 1
	}
	return false
}

// compare adds a comparison.
func (f *function) compare(op compute.OpType, x, y compute.Value) (compute.Value, error) {
	a, b := x.(*value), y.(*value)
	shape, err := shapeinference.ComparisonOp(op, a.shape, b.shape)
	if err != nil {
		return nil, err
	}
	make := compareLoop(op, a.shape.DType)
	if make == nil {
		return nil, missing(op, a.shape.DType)
	}
	return f.elementwise(shape, 1, func(w *walk, out *value, in []*value) step { return make(w, out, in[0], in[1]) }, a, b)
}

func (f *function) Abs(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeAbs, x, 0.5)
}
func (f *function) Neg(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeNeg, x, 0.5)
}
func (f *function) Sign(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeSign, x, 1)
}
func (f *function) Floor(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeFloor, x, 1)
}
func (f *function) Ceil(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeCeil, x, 1)
}
func (f *function) Round(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeRound, x, 1)
}
func (f *function) Sqrt(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeSqrt, x, 2)
}
func (f *function) Rsqrt(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeRsqrt, x, 3)
}
func (f *function) Exp(x compute.Value) (compute.Value, error) { return f.one(compute.OpTypeExp, x, 3) }
func (f *function) Expm1(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeExpm1, x, 15)
}
func (f *function) Log(x compute.Value) (compute.Value, error) { return f.one(compute.OpTypeLog, x, 8) }
func (f *function) Log1p(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeLog1p, x, 12)
}
func (f *function) Tanh(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeTanh, x, 9)
}
func (f *function) Logistic(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeLogistic, x, 5)
}
func (f *function) Erf(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeErf, x, 15)
}
func (f *function) Sin(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeSin, x, 15)
}
func (f *function) Cos(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeCos, x, 15)
}
func (f *function) LogicalNot(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeLogicalNot, x, 0.5)
}
func (f *function) BitwiseNot(x compute.Value) (compute.Value, error) {
	return f.one(compute.OpTypeBitwiseNot, x, 0.5)
}

func (f *function) Add(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeAdd, x, y, 0.5)
}
func (f *function) Sub(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeSub, x, y, 0.5)
}
func (f *function) Mul(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeMul, x, y, 0.5)
}
func (f *function) Div(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeDiv, x, y, 1.5)
}
func (f *function) Rem(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeRem, x, y, 15)
}
func (f *function) Pow(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypePow, x, y, 40)
}
func (f *function) Max(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeMax, x, y, 1)
}
func (f *function) Min(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeMin, x, y, 1)
}
func (f *function) LogicalAnd(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeLogicalAnd, x, y, 0.5)
}
func (f *function) LogicalOr(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeLogicalOr, x, y, 0.5)
}
func (f *function) LogicalXor(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeLogicalXor, x, y, 0.5)
}
func (f *function) BitwiseAnd(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeBitwiseAnd, x, y, 0.5)
}
func (f *function) BitwiseOr(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeBitwiseOr, x, y, 0.5)
}
func (f *function) BitwiseXor(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeBitwiseXor, x, y, 0.5)
}
func (f *function) ShiftLeft(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeShiftLeft, x, y, 1)
}
func (f *function) ShiftRightLogical(x, y compute.Value) (compute.Value, error) {
	return f.two(compute.OpTypeShiftRightLogical, x, y, 1)
}

func (f *function) Equal(x, y compute.Value) (compute.Value, error) {
	return f.compare(compute.OpTypeEqual, x, y)
}
func (f *function) NotEqual(x, y compute.Value) (compute.Value, error) {
	return f.compare(compute.OpTypeNotEqual, x, y)
}
func (f *function) GreaterThan(x, y compute.Value) (compute.Value, error) {
	return f.compare(compute.OpTypeGreaterThan, x, y)
}
func (f *function) GreaterOrEqual(x, y compute.Value) (compute.Value, error) {
	return f.compare(compute.OpTypeGreaterOrEqual, x, y)
}
func (f *function) LessThan(x, y compute.Value) (compute.Value, error) {
	return f.compare(compute.OpTypeLessThan, x, y)
}
func (f *function) LessOrEqual(x, y compute.Value) (compute.Value, error) {
	return f.compare(compute.OpTypeLessOrEqual, x, y)
}

// IsNaN tells which values are not a number.
func (f *function) IsNaN(x compute.Value) (compute.Value, error) {
	return f.compare(compute.OpTypeNotEqual, x, x)
}

func (f *function) IsFinite(x compute.Value) (compute.Value, error) {
	v := x.(*value)
	shape := v.shape.Clone()
	shape.DType = dtypes.Bool
	return f.elementwise(shape, 1, func(w *walk, out *value, in []*value) step {
		if v.shape.DType == dtypes.Float64 {
			return mapped(w, out, in[0], finite[float64])
		}
		return mapped(w, out, in[0], finite[float32])
	}, v)
}

// Where takes the values of one or the other.
func (f *function) Where(condition, onTrue, onFalse compute.Value) (compute.Value, error) {
	c, a, b := condition.(*value), onTrue.(*value), onFalse.(*value)
	shape, err := shapeinference.Where(c.shape, a.shape, b.shape)
	if err != nil {
		return nil, err
	}
	return f.elementwise(shape, 1.5, func(w *walk, out *value, in []*value) step {
		switch shape.DType.Size() {
		case 1:
			return chosen[uint8](w, out, in[0], in[1], in[2])
		case 2:
			return chosen[uint16](w, out, in[0], in[1], in[2])
		case 4:
			return chosen[uint32](w, out, in[0], in[1], in[2])
		}
		return chosen[uint64](w, out, in[0], in[1], in[2])
	}, c, a, b)
}

// Clamp keeps x between low and high.
func (f *function) Clamp(low, x, high compute.Value) (compute.Value, error) {
	above, err := f.Max(low, x)
	if err != nil {
		return nil, err
	}
	return f.Min(above, high)
}

// ConvertDType makes values of another type.
func (f *function) ConvertDType(x compute.Value, to dtypes.DType) (compute.Value, error) {
	v := x.(*value)
	if v.shape.DType == to {
		return v, nil
	}
	make := convertLoop(v.shape.DType, to)
	if make == nil {
		return nil, missing(compute.OpTypeConvertDType, to)
	}
	shape := v.shape.Clone()
	shape.DType = to
	return f.elementwise(shape, 1, func(w *walk, out *value, in []*value) step { return make(w, out, in[0]) }, v)
}
