package small

import (
	"math"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
)

type float interface{ float32 | float64 }

type signed interface{ int8 | int16 | int32 | int64 }

type unsigned interface {
	uint8 | uint16 | uint32 | uint64
}

type integer interface{ signed | unsigned }

type number interface{ float | integer }

// values returns the memory of a dense view.
func values[T any](mem []memory, v *value) []T {
	return whole[T](mem, v)[v.offset : v.offset+v.count()]
}

type (
	unaryStep  = func(w *walk, out, x *value) step
	binaryStep = func(w *walk, out, x, y *value) step
)

func unary[T any](f func(d, a []T)) unaryStep {
	if f == nil {
		return nil
	}
	return func(w *walk, out, x *value) step { return mapped(w, out, x, f) }
}

func binary[T any](f func(d, a, b []T)) binaryStep {
	if f == nil {
		return nil
	}
	return func(w *walk, out, x, y *value) step { return zipped(w, out, x, y, f) }
}

// unaryLoop returns the loop of an operation, nil where it is not covered.
func unaryLoop(op compute.OpType, t dtypes.DType) unaryStep {
	switch t {
	case dtypes.Float32:
		if f := float32Loop(op); f != nil {
			return unary(f)
		}
		return unary(floatLoop[float32](op))
	case dtypes.Float64:
		return unary(floatLoop[float64](op))
	case dtypes.Int8:
		return unary(signedLoop[int8](op))
	case dtypes.Int16:
		return unary(signedLoop[int16](op))
	case dtypes.Int32:
		return unary(signedLoop[int32](op))
	case dtypes.Int64:
		return unary(signedLoop[int64](op))
	case dtypes.Uint8:
		return unary(unsignedLoop[uint8](op))
	case dtypes.Uint16:
		return unary(unsignedLoop[uint16](op))
	case dtypes.Uint32:
		return unary(unsignedLoop[uint32](op))
	case dtypes.Uint64:
		return unary(unsignedLoop[uint64](op))
	case dtypes.Bool:
		if op == compute.OpTypeLogicalNot {
			return unary(not)
		}
	}
	return nil
}

func binaryLoop(op compute.OpType, t dtypes.DType) binaryStep {
	switch t {
	case dtypes.Float32:
		if f := vector.loops[op]; f != nil {
			return binary(f)
		}
		return binary(floatsLoop[float32](op))
	case dtypes.Float64:
		return binary(floatsLoop[float64](op))
	case dtypes.Int8:
		return binary(integersLoop[int8](op, math.MaxUint8))
	case dtypes.Int16:
		return binary(integersLoop[int16](op, math.MaxUint16))
	case dtypes.Int32:
		return binary(integersLoop[int32](op, math.MaxUint32))
	case dtypes.Int64:
		return binary(integersLoop[int64](op, math.MaxUint64))
	case dtypes.Uint8:
		return binary(integersLoop[uint8](op, math.MaxUint8))
	case dtypes.Uint16:
		return binary(integersLoop[uint16](op, math.MaxUint16))
	case dtypes.Uint32:
		return binary(integersLoop[uint32](op, math.MaxUint32))
	case dtypes.Uint64:
		return binary(integersLoop[uint64](op, math.MaxUint64))
	case dtypes.Bool:
		return binary(boolsLoop(op))
	}
	return nil
}

func compareLoop(op compute.OpType, t dtypes.DType) binaryStep {
	switch t {
	case dtypes.Float32:
		return comparing[float32](op)
	case dtypes.Float64:
		return comparing[float64](op)
	case dtypes.Int8:
		return comparing[int8](op)
	case dtypes.Int16:
		return comparing[int16](op)
	case dtypes.Int32:
		return comparing[int32](op)
	case dtypes.Int64:
		return comparing[int64](op)
	case dtypes.Uint8:
		return comparing[uint8](op)
	case dtypes.Uint16:
		return comparing[uint16](op)
	case dtypes.Uint32:
		return comparing[uint32](op)
	case dtypes.Uint64:
		return comparing[uint64](op)
	}
	return nil
}

func comparing[T number](op compute.OpType) binaryStep {
	f := comparison[T](op)
	if f == nil {
		return nil
	}
	return func(w *walk, out, x, y *value) step { return zipped(w, out, x, y, f) }
}

func comparison[T number](op compute.OpType) func(d []bool, a, b []T) {
	switch op {
	case compute.OpTypeEqual:
		return func(d []bool, a, b []T) {
			a, b = a[:len(d)], b[:len(d)]
			for i := range d {
				d[i] = a[i] == b[i]
			}
		}
	case compute.OpTypeNotEqual:
		return func(d []bool, a, b []T) {
			a, b = a[:len(d)], b[:len(d)]
			for i := range d {
				d[i] = a[i] != b[i]
			}
		}
	case compute.OpTypeGreaterThan:
		return func(d []bool, a, b []T) {
			a, b = a[:len(d)], b[:len(d)]
			for i := range d {
				d[i] = a[i] > b[i]
			}
		}
	case compute.OpTypeGreaterOrEqual:
		return func(d []bool, a, b []T) {
			a, b = a[:len(d)], b[:len(d)]
			for i := range d {
				d[i] = a[i] >= b[i]
			}
		}
	case compute.OpTypeLessThan:
		return func(d []bool, a, b []T) {
			a, b = a[:len(d)], b[:len(d)]
			for i := range d {
				d[i] = a[i] < b[i]
			}
		}
	case compute.OpTypeLessOrEqual:
		return func(d []bool, a, b []T) {
			a, b = a[:len(d)], b[:len(d)]
			for i := range d {
				d[i] = a[i] <= b[i]
			}
		}
	}
	return nil
}

func finite[T float](d []bool, a []T) {
	for i := range d {
		d[i] = a[i]-a[i] == 0
	}
}

func not(d, a []bool) {
	for i := range d {
		d[i] = !a[i]
	}
}

func boolsLoop(op compute.OpType) func(d, a, b []bool) {
	switch op {
	case compute.OpTypeLogicalAnd:
		return func(d, a, b []bool) {
			for i := range d {
				d[i] = a[i] && b[i]
			}
		}
	case compute.OpTypeLogicalOr:
		return func(d, a, b []bool) {
			for i := range d {
				d[i] = a[i] || b[i]
			}
		}
	case compute.OpTypeLogicalXor:
		return func(d, a, b []bool) {
			for i := range d {
				d[i] = a[i] != b[i]
			}
		}
	}
	return nil
}

func add[T number](d, a, b []T) {
	a, b = a[:len(d)], b[:len(d)]
	for i := range d {
		d[i] = a[i] + b[i]
	}
}

func subtract[T number](d, a, b []T) {
	a, b = a[:len(d)], b[:len(d)]
	for i := range d {
		d[i] = a[i] - b[i]
	}
}

func multiply[T number](d, a, b []T) {
	a, b = a[:len(d)], b[:len(d)]
	for i := range d {
		d[i] = a[i] * b[i]
	}
}

func divide[T float](d, a, b []T) {
	a, b = a[:len(d)], b[:len(d)]
	for i := range d {
		d[i] = a[i] / b[i]
	}
}

// larger and smaller of floating-point numbers give NaN where one is, as Go's max and min do.
func larger[T number](d, a, b []T) {
	a, b = a[:len(d)], b[:len(d)]
	for i := range d {
		d[i] = max(a[i], b[i])
	}
}

func smaller[T number](d, a, b []T) {
	a, b = a[:len(d)], b[:len(d)]
	for i := range d {
		d[i] = min(a[i], b[i])
	}
}

func floatsLoop[T float](op compute.OpType) func(d, a, b []T) {
	switch op {
	case compute.OpTypeAdd:
		return add[T]
	case compute.OpTypeSub:
		return subtract[T]
	case compute.OpTypeMul:
		return multiply[T]
	case compute.OpTypeDiv:
		return divide[T]
	case compute.OpTypeMax:
		return larger[T]
	case compute.OpTypeMin:
		return smaller[T]
	case compute.OpTypeRem:
		return func(d, a, b []T) {
			for i := range d {
				d[i] = T(math.Mod(float64(a[i]), float64(b[i])))
			}
		}
	case compute.OpTypePow:
		return func(d, a, b []T) {
			for i := range d {
				d[i] = T(math.Pow(float64(a[i]), float64(b[i])))
			}
		}
	}
	return nil
}

// integersLoop has XLA's meaning of division by zero: x/0 has all bits set, the
// rest is x. The smallest number divided by -1 stays, as in Go. ones are the
// bits of an unsigned number of T's size.
func integersLoop[T integer](op compute.OpType, ones uint64) func(d, a, b []T) {
	size := T(unsafe.Sizeof(T(0)) * 8)
	switch op {
	case compute.OpTypeAdd:
		return add[T]
	case compute.OpTypeSub:
		return subtract[T]
	case compute.OpTypeMul:
		return multiply[T]
	case compute.OpTypeDiv:
		return func(d, a, b []T) {
			for i := range d {
				if b[i] == 0 {
					d[i] = ^T(0)
				} else {
					d[i] = a[i] / b[i]
				}
			}
		}
	case compute.OpTypeRem:
		return func(d, a, b []T) {
			for i := range d {
				if b[i] == 0 {
					d[i] = a[i]
				} else {
					d[i] = a[i] % b[i]
				}
			}
		}
	case compute.OpTypeMax:
		return larger[T]
	case compute.OpTypeMin:
		return smaller[T]
	case compute.OpTypeBitwiseAnd:
		return func(d, a, b []T) {
			for i := range d {
				d[i] = a[i] & b[i]
			}
		}
	case compute.OpTypeBitwiseOr:
		return func(d, a, b []T) {
			for i := range d {
				d[i] = a[i] | b[i]
			}
		}
	case compute.OpTypeBitwiseXor:
		return func(d, a, b []T) {
			a, b = a[:len(d)], b[:len(d)]
			for i := range d {
				d[i] = a[i] ^ b[i]
			}
		}
	case compute.OpTypeShiftLeft:
		return func(d, a, b []T) {
			for i := range d {
				if d[i] = 0; b[i] >= 0 && b[i] < size {
					d[i] = a[i] << uint(b[i])
				}
			}
		}
	case compute.OpTypeShiftRightLogical:
		return func(d, a, b []T) {
			for i := range d {
				if d[i] = 0; b[i] >= 0 && b[i] < size {
					d[i] = T(uint64(a[i]) & ones >> uint(b[i]))
				}
			}
		}
	}
	return nil
}

func signedLoop[T signed](op compute.OpType) func(d, a []T) {
	switch op {
	case compute.OpTypeNeg:
		return negate[T]
	case compute.OpTypeAbs:
		return func(d, a []T) {
			for i, v := range a {
				if v < 0 {
					v = -v
				}
				d[i] = v
			}
		}
	case compute.OpTypeSign:
		return func(d, a []T) {
			for i, v := range a {
				d[i] = 0
				if v > 0 {
					d[i] = 1
				} else if v < 0 {
					d[i] = -1
				}
			}
		}
	}
	return integerLoop[T](op)
}

func unsignedLoop[T unsigned](op compute.OpType) func(d, a []T) {
	switch op {
	case compute.OpTypeAbs:
		return func(d, a []T) { copy(d, a) }
	case compute.OpTypeSign:
		return func(d, a []T) {
			for i, v := range a {
				d[i] = min(v, 1)
			}
		}
	}
	return integerLoop[T](op)
}

func integerLoop[T integer](op compute.OpType) func(d, a []T) {
	if op == compute.OpTypeBitwiseNot {
		return func(d, a []T) {
			for i, v := range a {
				d[i] = ^v
			}
		}
	}
	return nil
}

func negate[T number](d, a []T) {
	a = a[:len(d)]
	for i := range d {
		d[i] = -a[i]
	}
}

// by applies a function of float64.
func by[T float](f func(float64) float64) func(d, a []T) {
	return func(d, a []T) {
		for i, v := range a {
			d[i] = T(f(float64(v)))
		}
	}
}

// signs gives 1 for what is above 0, -1 for what is below, and all else as it is.
func signs[T float](d, a []T) {
	for i, v := range a {
		switch {
		case v > 0:
			d[i] = 1
		case v < 0:
			d[i] = -1
		default:
			d[i] = v // 0, -0 and NaN
		}
	}
}

func floatLoop[T float](op compute.OpType) func(d, a []T) {
	switch op {
	case compute.OpTypeNeg:
		return negate[T]
	case compute.OpTypeAbs:
		return by[T](math.Abs)
	case compute.OpTypeSign:
		return signs[T]
	case compute.OpTypeFloor:
		return by[T](math.Floor)
	case compute.OpTypeCeil:
		return by[T](math.Ceil)
	case compute.OpTypeRound:
		return by[T](math.RoundToEven)
	case compute.OpTypeSqrt:
		return func(d, a []T) {
			for i, v := range a {
				d[i] = T(math.Sqrt(float64(v)))
			}
		}
	case compute.OpTypeRsqrt:
		return func(d, a []T) {
			for i, v := range a {
				d[i] = T(1 / math.Sqrt(float64(v)))
			}
		}
	case compute.OpTypeExp:
		return by[T](math.Exp)
	case compute.OpTypeExpm1:
		return by[T](math.Expm1)
	case compute.OpTypeLog:
		return by[T](math.Log)
	case compute.OpTypeLog1p:
		return by[T](math.Log1p)
	case compute.OpTypeTanh:
		return by[T](math.Tanh)
	case compute.OpTypeErf:
		return by[T](math.Erf)
	case compute.OpTypeSin:
		return by[T](math.Sin)
	case compute.OpTypeCos:
		return by[T](math.Cos)
	case compute.OpTypeLogistic:
		return by[T](func(v float64) float64 { return 1 / (1 + math.Exp(-v)) })
	}
	return nil
}

// float32Loop returns loops in float32 alone. Conversions from and to float64 would make each
// element wait for the one before: CVTSS2SD writes a part of its register.
func float32Loop(op compute.OpType) func(d, a []float32) {
	switch op {
	case compute.OpTypeSign:
		return vector.sign
	case compute.OpTypeExp:
		return func(d, a []float32) {
			if !within(a, 87) {
				by[float32](math.Exp)(d, a)
				return
			}
			d = d[:len(a)]
			for i, v := range a {
				d[i] = exp(v)
			}
		}
	case compute.OpTypeLogistic:
		return func(d, a []float32) {
			if !within(a, 87) {
				by[float32](func(v float64) float64 { return 1 / (1 + math.Exp(-v)) })(d, a)
				return
			}
			d = d[:len(a)]
			for i, v := range a {
				d[i] = 1 / (1 + exp(-v))
			}
		}
	case compute.OpTypeTanh:
		return func(d, a []float32) {
			if !within(a, 43) {
				by[float32](math.Tanh)(d, a)
				return
			}
			d = d[:len(a)]
			for i, v := range a {
				// Near 0 the beginning of Lambert's continued fraction; both are calculated, and the
				// sign of y - 1/2 chooses.
				y := v * v
				near := v * (945 + y*(105+y)) / (945 + y*(420+15*y))
				far := 1 - 2/(exp(2*v)+1)
				which := uint32(int32(math.Float32bits(y-0.5)) >> 31)
				d[i] = math.Float32frombits(math.Float32bits(near)&which | math.Float32bits(far)&^which)
			}
		}
	case compute.OpTypeAbs:
		return func(d, a []float32) {
			d = d[:len(a)]
			for i, v := range a {
				d[i] = math.Float32frombits(math.Float32bits(v) &^ (1 << 31))
			}
		}
	}
	return nil
}

// within reports whether all numbers are between -most and most.
func within(a []float32, most float32) bool {
	for _, v := range a {
		if !(v < most && v > -most) {
			return false
		}
	}
	return true
}

// exp is eˣ to some 1e-7 of its size, for x between -87 and 88: 2 to the nearest 32nd of
// an exponent, from a table, times the beginning of the series of what is left, which is
// below log(2)/64. It is small enough for the compiler to write it into a loop.
func exp(x float32) float32 {
	const round = 3 << 22        // added to a number, it leaves the nearest integer in the low bits
	const c1 = 709.0 / (1 << 15) // has few digits, so that n·c1 is exact
	const c2 = math.Ln2/32 - c1
	t := x*(32/math.Ln2) + round
	k, n := math.Float32bits(t), t-round
	r := x - n*c1 - n*c2
	return (1 + r + r*r*(0.5+r*(1.0/6))) * math.Float32frombits(roots[k&31]+k>>5<<23)
}

// roots are the bits of 2 to the power of i/32.
var roots = func() (t [32]uint32) {
	for i := range t {
		t[i] = math.Float32bits(float32(math.Exp2(float64(i) / 32)))
	}
	return t
}()

// convertLoop returns the loop that converts values.
func convertLoop(from, to dtypes.DType) unaryStep {
	switch to {
	case dtypes.Float32:
		return toNumber[float32](from)
	case dtypes.Float64:
		return toNumber[float64](from)
	case dtypes.Int8:
		return toInteger[int8](from, math.MinInt8, math.MaxInt8)
	case dtypes.Int16:
		return toInteger[int16](from, math.MinInt16, math.MaxInt16)
	case dtypes.Int32:
		return toInteger[int32](from, math.MinInt32, math.MaxInt32)
	case dtypes.Int64:
		return toInteger[int64](from, math.MinInt64, math.MaxInt64)
	case dtypes.Uint8:
		return toInteger[uint8](from, 0, math.MaxUint8)
	case dtypes.Uint16:
		return toInteger[uint16](from, 0, math.MaxUint16)
	case dtypes.Uint32:
		return toInteger[uint32](from, 0, math.MaxUint32)
	case dtypes.Uint64:
		return toInteger[uint64](from, 0, math.MaxUint64)
	case dtypes.Bool:
		switch from {
		case dtypes.Float32:
			return toBool[float32]
		case dtypes.Float64:
			return toBool[float64]
		case dtypes.Int8:
			return toBool[int8]
		case dtypes.Int16:
			return toBool[int16]
		case dtypes.Int32:
			return toBool[int32]
		case dtypes.Int64:
			return toBool[int64]
		case dtypes.Uint8:
			return toBool[uint8]
		case dtypes.Uint16:
			return toBool[uint16]
		case dtypes.Uint32:
			return toBool[uint32]
		case dtypes.Uint64:
			return toBool[uint64]
		}
	}
	return nil
}

func toBool[S number](w *walk, out, x *value) step {
	return mapped(w, out, x, func(d []bool, a []S) {
		for i, v := range a {
			d[i] = v != 0
		}
	})
}

func as[D, S number](w *walk, out, x *value) step {
	return mapped(w, out, x, func(d []D, a []S) {
		for i, v := range a {
			d[i] = D(v)
		}
	})
}

func toNumber[D number](from dtypes.DType) unaryStep {
	switch from {
	case dtypes.Float32:
		return as[D, float32]
	case dtypes.Float64:
		return as[D, float64]
	case dtypes.Int8:
		return as[D, int8]
	case dtypes.Int16:
		return as[D, int16]
	case dtypes.Int32:
		return as[D, int32]
	case dtypes.Int64:
		return as[D, int64]
	case dtypes.Uint8:
		return as[D, uint8]
	case dtypes.Uint16:
		return as[D, uint16]
	case dtypes.Uint32:
		return as[D, uint32]
	case dtypes.Uint64:
		return as[D, uint64]
	case dtypes.Bool:
		return func(w *walk, out, x *value) step {
			return mapped(w, out, x, func(d []D, a []bool) {
				for i, v := range a {
					if d[i] = 0; v {
						d[i] = 1
					}
				}
			})
		}
	}
	return nil
}

// toInteger converts as XLA does: floating-point numbers beyond the range become
// its ends, and NaN becomes 0.
func toInteger[D integer](from dtypes.DType, low, high float64) unaryStep {
	switch from {
	case dtypes.Float32:
		return func(w *walk, out, x *value) step { return mapped(w, out, x, cut[D, float32](low, high)) }
	case dtypes.Float64:
		return func(w *walk, out, x *value) step { return mapped(w, out, x, cut[D, float64](low, high)) }
	}
	return toNumber[D](from)
}

func cut[D integer, S float](low, high float64) func(d []D, a []S) {
	least, most := ^D(0), D(0) // of an unsigned type: all bits
	if least < 0 {
		bits := unsafe.Sizeof(D(0))*8 - 1
		least = D(1) << bits
		most = ^least
	} else {
		least, most = 0, ^D(0)
	}
	return func(d []D, a []S) {
		for i, v := range a {
			switch f := float64(v); {
			case f != f:
				d[i] = 0
			case f <= low:
				d[i] = least
			case f >= high:
				d[i] = most
			default:
				d[i] = D(f)
			}
		}
	}
}

// iotaLoop returns the loop that counts along an axis of n whose steps are inner long.
func iotaLoop(t dtypes.DType) func(mem []memory, out *value, n, inner int) {
	switch t {
	case dtypes.Float32:
		return counting[float32]
	case dtypes.Float64:
		return counting[float64]
	case dtypes.Int32:
		return counting[int32]
	case dtypes.Int64:
		return counting[int64]
	case dtypes.Uint32:
		return counting[uint32]
	case dtypes.Uint64:
		return counting[uint64]
	}
	return nil
}

func counting[T number](mem []memory, out *value, n, inner int) {
	d := whole[T](mem, out)
	for at := 0; at < len(d); {
		for i := range n {
			for range inner {
				d[at] = T(i)
				at++
			}
		}
	}
}

// reduceLoop returns the loop of a reduction.
func reduceLoop(op compute.OpType, t dtypes.DType) func(out *value, r reduced) step {
	switch t {
	case dtypes.Float32:
		switch op {
		case compute.OpTypeReduceSum:
			sum, add := total[float32], addWide[float32]
			if vector.sum != nil {
				sum, add = vector.sum, vector.addWide
			}
			return func(out *value, r reduced) step { return summed(out, r, sum, add) }
		}
		return floatReduction[float32](op)
	case dtypes.Float64:
		if op == compute.OpTypeReduceSum {
			return func(out *value, r reduced) step { return summed(out, r, total[float64], addWide[float64]) }
		}
		return floatReduction[float64](op)
	case dtypes.Int8:
		return integerReduction[int8](op)
	case dtypes.Int16:
		return integerReduction[int16](op)
	case dtypes.Int32:
		return integerReduction[int32](op)
	case dtypes.Int64:
		return integerReduction[int64](op)
	case dtypes.Uint8:
		return integerReduction[uint8](op)
	case dtypes.Uint16:
		return integerReduction[uint16](op)
	case dtypes.Uint32:
		return integerReduction[uint32](op)
	case dtypes.Uint64:
		return integerReduction[uint64](op)
	case dtypes.Bool:
		switch op {
		case compute.OpTypeReduceLogicalAnd, compute.OpTypeReduceMin:
			return reduction(true, func(a, b bool) bool { return a && b })
		case compute.OpTypeReduceLogicalOr, compute.OpTypeReduceMax:
			return reduction(false, func(a, b bool) bool { return a || b })
		}
	}
	return nil
}

func floatReduction[T float](op compute.OpType) func(out *value, r reduced) step {
	switch op {
	case compute.OpTypeReduceMax:
		return func(out *value, r reduced) step {
			if r.after == 1 {
				return largest[T](out, r)
			}
			return reduction(T(math.Inf(-1)), func(a, b T) T { return max(a, b) })(out, r)
		}
	case compute.OpTypeReduceMin:
		return reduction(T(math.Inf(1)), func(a, b T) T { return min(a, b) })
	case compute.OpTypeReduceProduct:
		return reduction(1, func(a, b T) T { return a * b })
	}
	return nil
}

func integerReduction[T integer](op compute.OpType) func(out *value, r reduced) step {
	least, most := T(0), ^T(0)
	if most < 0 {
		least = T(1) << (unsafe.Sizeof(T(0))*8 - 1)
		most = ^least
	}
	switch op {
	case compute.OpTypeReduceSum:
		return reduction(0, func(a, b T) T { return a + b })
	case compute.OpTypeReduceMax:
		return reduction(least, func(a, b T) T { return max(a, b) })
	case compute.OpTypeReduceMin:
		return reduction(most, func(a, b T) T { return min(a, b) })
	case compute.OpTypeReduceProduct:
		return reduction(1, func(a, b T) T { return a * b })
	}
	return nil
}

func reduction[T any](first T, f func(a, b T) T) func(out *value, r reduced) step {
	return func(out *value, r reduced) step {
		return func(mem []memory) {
			d, a := whole[T](mem, out), values[T](mem, r.x)
			for i := range d {
				d[i] = first
			}
			for i := range r.before {
				row := d[i*r.after : (i+1)*r.after]
				for j := range r.over {
					from := (i*r.over + j) * r.after
					if r.after == 1 {
						row[0] = f(row[0], a[from])
						continue
					}
					for k, v := range a[from : from+r.after] {
						row[k] = f(row[k], v)
					}
				}
			}
		}
	}
}

// largest finds the largest number of each row; NaN where there is one.
func largest[T float](out *value, r reduced) step {
	return func(mem []memory) {
		d, a := whole[T](mem, out), values[T](mem, r.x)
		for i := range d {
			row := a[i*r.over : (i+1)*r.over]
			best, nan := T(math.Inf(-1)), false
			for _, v := range row {
				if v > best {
					best = v
				}
				nan = nan || v != v
			}
			if d[i] = best; nan {
				d[i] = T(math.NaN())
			}
		}
	}
}

// summed adds up in float64, so that the order does not count, by the loops total and addWide or
// those that the processor has in their place.
func summed[T float](out *value, r reduced, total func([]T) float64, addWide func([]float64, []T)) step {
	if r.after == 1 {
		return func(mem []memory) {
			d, a := whole[T](mem, out), values[T](mem, r.x)
			for i := range d {
				d[i] = T(total(a[i*r.over : (i+1)*r.over]))
			}
		}
	}
	return func(mem []memory) {
		d, a := whole[T](mem, out), values[T](mem, r.x)
		sums := unsafe.Slice((*float64)(mem[out.scratch]), r.after)
		for i := range r.before {
			clear(sums)
			for j := range r.over {
				from := (i*r.over + j) * r.after
				addWide(sums, a[from:from+r.after])
			}
			for k, v := range sums {
				d[i*r.after+k] = T(v)
			}
		}
	}
}

// total is the sum of a row.
func total[T float](row []T) float64 {
	var s0, s1, s2, s3 float64
	for len(row) >= 4 {
		s0 += float64(row[0])
		s1 += float64(row[1])
		s2 += float64(row[2])
		s3 += float64(row[3])
		row = row[4:]
	}
	for _, v := range row {
		s0 += float64(v)
	}
	return s0 + s1 + (s2 + s3)
}

// addWide adds a[i] to d[i].
func addWide[T float](d []float64, a []T) {
	d = d[:len(a)]
	for i, v := range a {
		d[i] += float64(v)
	}
}

// extremeLoop returns the loop that finds where the largest or smallest value is.
func extremeLoop(t, index dtypes.DType, least bool) func(out *value, r reduced) step {
	switch t {
	case dtypes.Float32:
		return extreme[float32](index, least)
	case dtypes.Float64:
		return extreme[float64](index, least)
	case dtypes.Int32:
		return extreme[int32](index, least)
	case dtypes.Int64:
		return extreme[int64](index, least)
	case dtypes.Uint8:
		return extreme[uint8](index, least)
	}
	return nil
}

func extreme[T number](index dtypes.DType, least bool) func(out *value, r reduced) step {
	return func(out *value, r reduced) step {
		return func(mem []memory) {
			a := values[T](mem, r.x)
			for i := range r.before {
				for k := range r.after {
					at := i*r.over*r.after + k
					best, where := a[at], 0
					for j := 1; j < r.over && best == best; j++ {
						v := a[at+j*r.after]
						if v != v || !least && v > best || least && v < best {
							best, where = v, j
						}
					}
					if index == dtypes.Int64 {
						whole[int64](mem, out)[i*r.after+k] = int64(where)
					} else {
						whole[int32](mem, out)[i*r.after+k] = int32(where)
					}
				}
			}
		}
	}
}

// dotLoop returns the loop of a product of matrices.
func dotLoop(t dtypes.DType) func(d dot, out, x, y *value) step {
	switch t {
	case dtypes.Float32:
		if vector.product != nil {
			return vectorProduct
		}
		return product[float32]
	case dtypes.Float64:
		return product[float64]
	case dtypes.Int32:
		return product[int32]
	case dtypes.Int64:
		return product[int64]
	}
	return nil
}

// vectorProduct is product where the processor has a loop for it.
func vectorProduct(p dot, out, x, y *value) step {
	return func(mem []memory) {
		d, a, b := whole[float32](mem, out), values[float32](mem, x), values[float32](mem, y)
		at := mem[out.scratch]
		at = unsafe.Add(at, -uintptr(at)&(cacheLine-1)) // where a row of the panel is a line
		panel := unsafe.Slice((*float32)(at), 2*panelWidth*panelDepth)
		for range p.batch {
			if p.k == 1 || p.n < 4 && (p.ak == 1 || p.bk != 1) {
				rowsOrColumns(p, d, a, b)
			} else {
				vector.product(p, d, a, b, panel)
			}
			d, a, b = d[p.m*p.n:], a[p.m*p.k:], b[p.n*p.k:]
		}
	}
}

func product[T number](p dot, out, x, y *value) step {
	return func(mem []memory) {
		d, a, b := whole[T](mem, out), values[T](mem, x), values[T](mem, y)
		for range p.batch {
			rowsOrColumns(p, d, a, b)
			d, a, b = d[p.m*p.n:], a[p.m*p.k:], b[p.n*p.k:]
		}
	}
}

func rowsOrColumns[T number](p dot, d, a, b []T) {
	switch {
	case p.k == 0:
		clear(d[:p.m*p.n])
	case p.bk == 1 || p.k == 1:
		rows(p, d, a, b)
	default:
		columns(p, d, a, b)
	}
}

// rows multiplies rows of a by rows of b.
func rows[T number](p dot, d, a, b []T) {
	for i := range p.m {
		if p.k == 1 {
			for j := range p.n {
				d[i*p.n+j] = a[i*p.am] * b[j*p.bn]
			}
			continue
		}
		row := a[i*p.am : i*p.am+p.k]
		j := 0
		for ; j+4 <= p.n; j += 4 { // four at a time, which share the row
			b0, b1, b2, b3 := b[j*p.bn:][:len(row)], b[(j+1)*p.bn:][:len(row)], b[(j+2)*p.bn:][:len(row)], b[(j+3)*p.bn:][:len(row)]
			var s0, s1, s2, s3 T
			for k, v := range row {
				s0 += v * b0[k]
				s1 += v * b1[k]
				s2 += v * b2[k]
				s3 += v * b3[k]
			}
			to := d[i*p.n+j:][:4]
			to[0], to[1], to[2], to[3] = s0, s1, s2, s3
		}
		for ; j < p.n; j++ {
			other := b[j*p.bn:][:len(row)]
			var s T
			for k, v := range row {
				s += v * other[k]
			}
			d[i*p.n+j] = s
		}
	}
}

// columns adds multiples of the rows of b, which lie along its own axis.
func columns[T number](p dot, d, a, b []T) {
	for i := range p.m {
		row := d[i*p.n : (i+1)*p.n]
		clear(row)
		k := 0
		for ; k+4 <= p.k; k += 4 {
			v0, v1, v2, v3 := a[i*p.am+k*p.ak], a[i*p.am+(k+1)*p.ak], a[i*p.am+(k+2)*p.ak], a[i*p.am+(k+3)*p.ak]
			b0, b1, b2, b3 := b[k*p.bk:][:len(row)], b[(k+1)*p.bk:][:len(row)], b[(k+2)*p.bk:][:len(row)], b[(k+3)*p.bk:][:len(row)]
			for j := range row {
				row[j] += v0*b0[j] + v1*b1[j] + v2*b2[j] + v3*b3[j]
			}
		}
		for ; k < p.k; k++ {
			v := a[i*p.am+k*p.ak]
			for j, w := range b[k*p.bk:][:len(row)] {
				row[j] += v * w
			}
		}
	}
}

// indexLoop returns a function that reads an index.
func indexLoop(t dtypes.DType) func(mem []memory, v *value, i int) int {
	switch t {
	case dtypes.Int64:
		return index[int64]
	case dtypes.Int32:
		return index[int32]
	case dtypes.Uint8:
		return index[uint8]
	}
	return nil
}

func index[T integer](mem []memory, v *value, i int) int { return int(values[T](mem, v)[i]) }

func scatterLoop(t dtypes.DType) func(s *scatter, w *walk, out, u *value) step {
	switch t {
	case dtypes.Float32:
		return scattering[float32]
	case dtypes.Float64:
		return scattering[float64]
	case dtypes.Int32:
		return scattering[int32]
	case dtypes.Int64:
		return scattering[int64]
	}
	return nil
}

func scattering[T number](s *scatter, w *walk, out, u *value) step {
	to, from := w.inner[0], w.inner[1]
	return func(mem []memory) {
		d, a := whole[T](mem, out), whole[T](mem, u)
		if len(a) == 0 || w.n == 0 {
			return
		}
		s.each(mem, func(place, other int, within bool) {
			if !within {
				return
			}
			var p position
			w.start(&p)
			for {
				i, j := p.offs[0]+place, p.offs[1]+other
				for range w.n {
					d[i] += a[j]
					i, j = i+to, j+from
				}
				if w.single || !w.next(&p) {
					return
				}
			}
		})
	}
}

// cumulativeLoop returns the loop that adds up along an axis.
func cumulativeLoop(t dtypes.DType) func(out *value, r reduced, o compute.CumSumOptions) step {
	switch t {
	case dtypes.Float32:
		return cumulative[float32]
	case dtypes.Float64:
		return cumulative[float64]
	case dtypes.Int32:
		return cumulative[int32]
	case dtypes.Int64:
		return cumulative[int64]
	}
	return nil
}

func cumulative[T number](out *value, r reduced, o compute.CumSumOptions) step {
	return func(mem []memory) {
		d, a := whole[T](mem, out), values[T](mem, r.x)
		for i := range r.before {
			for k := range r.after {
				var sum T
				for j := range r.over {
					if o.Reverse {
						j = r.over - 1 - j
					}
					at := (i*r.over+j)*r.after + k
					before := sum
					sum += a[at]
					if d[at] = sum; o.Exclusive {
						d[at] = before
					}
				}
			}
		}
	}
}
