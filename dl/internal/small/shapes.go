package small

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
	"github.com/gomlx/compute/shapes"
)

// move copies a view into memory of its own.
func (f *function) move(x *value) (*value, error) {
	dims := x.shape.Dimensions
	out, err := f.base(x.shape, 50+float64(x.count())*2, nil, x)
	if err != nil {
		return nil, err
	}
	w := walkOf(dims, out, x)
	if len(w.dims) > mostAxes {
		return nil, compute.ErrNotImplemented
	}
	out.step = func() step { return bySize(x.shape.DType, w, out, x) }
	return out, nil
}

// bySize copies values of a type, which are only moved.
func bySize(t dtypes.DType, w *walk, out, x *value) step {
	switch t.Size() {
	case 1:
		return copies[uint8](w, out, x)
	case 2:
		return copies[uint16](w, out, x)
	case 4:
		return copies[uint32](w, out, x)
	}
	return copies[uint64](w, out, x)
}

func copies[T any](w *walk, out, x *value) step {
	sd, sx := w.inner[0], w.inner[1]
	return func(mem []memory) {
		if w.n == 0 {
			return
		}
		d, a := whole[T](mem, out), whole[T](mem, x)
		var p position
		w.start(&p)
		for {
			i, j := p.offs[0], p.offs[1]
			if sd == 1 && sx == 1 {
				copy(d[i:i+w.n], a[j:j+w.n])
			} else {
				for range w.n {
					d[i] = a[j]
					i, j = i+sd, j+sx
				}
			}
			if w.single || !w.next(&p) {
				return
			}
		}
	}
}

func (f *function) Identity(x compute.Value) (compute.Value, error) {
	v := x.(*value)
	return v.view(v.shape.Dimensions, v.strides, v.offset), nil
}

func (f *function) OptimizationBarrier(xs ...compute.Value) ([]compute.Value, error) { return xs, nil }

func (f *function) Reshape(x compute.Value, dims ...int) (compute.Value, error) {
	v := x.(*value)
	if _, err := shapeinference.Reshape(v.shape, dims); err != nil {
		return nil, err
	}
	if v.base.size == 1 {
		return v.view(dims, make([]int, len(dims)), v.offset), nil
	}
	if ones := v.withoutOnes(); !v.isDense() && slices.Equal(ones.shape.Dimensions, slices.DeleteFunc(slices.Clone(dims), func(n int) bool { return n == 1 })) {
		strides, k := make([]int, len(dims)), 0
		for i, n := range dims {
			if n != 1 {
				strides[i] = ones.strides[k]
				k++
			}
		}
		return v.view(dims, strides, v.offset), nil
	}
	v, err := f.packed(v)
	if err != nil {
		return nil, err
	}
	return v.view(dims, dense(dims), v.offset), nil
}

// withoutOnes returns the value without its axes of length 1.
func (x *value) withoutOnes() *value {
	var dims, strides []int
	for i, n := range x.shape.Dimensions {
		if n != 1 {
			dims, strides = append(dims, n), append(strides, x.strides[i])
		}
	}
	return x.view(dims, strides, x.offset)
}

func (f *function) BroadcastInDim(x compute.Value, shape shapes.Shape, axes []int) (compute.Value, error) {
	v := x.(*value)
	if err := shapeinference.BroadcastInDim(v.shape, shape, axes, nil); err != nil {
		return nil, err
	}
	strides := make([]int, len(shape.Dimensions))
	for i, axis := range axes {
		if v.shape.Dimensions[i] == shape.Dimensions[axis] {
			strides[axis] = v.strides[i]
		}
	}
	return v.view(shape.Dimensions, strides, v.offset), nil
}

func (f *function) Transpose(x compute.Value, order ...int) (compute.Value, error) {
	v := x.(*value)
	shape, err := shapeinference.Transpose(v.shape, order)
	if err != nil {
		return nil, err
	}
	strides := make([]int, len(order))
	for i, axis := range order {
		strides[i] = v.strides[axis]
	}
	return v.view(shape.Dimensions, strides, v.offset), nil
}

func (f *function) Slice(x compute.Value, starts, limits, steps []int) (compute.Value, error) {
	v := x.(*value)
	if len(steps) == 0 {
		steps = slices.Repeat([]int{1}, len(starts))
	}
	shape, err := shapeinference.Slice(v.shape, starts, limits, steps)
	if err != nil {
		return nil, err
	}
	strides, offset := make([]int, len(starts)), v.offset
	for i := range starts {
		strides[i] = v.strides[i] * steps[i]
		offset += v.strides[i] * starts[i]
	}
	if shape.Size() == 0 {
		offset = 0
	}
	return v.view(shape.Dimensions, strides, offset), nil
}

func (f *function) Reverse(x compute.Value, axes ...int) (compute.Value, error) {
	v := x.(*value)
	strides, offset := slices.Clone(v.strides), v.offset
	for _, axis := range axes {
		if n := v.shape.Dimensions[axis]; n > 0 {
			offset += (n - 1) * strides[axis]
			strides[axis] = -strides[axis]
		}
	}
	if v.count() == 0 {
		offset = 0
	}
	return v.view(v.shape.Dimensions, strides, offset), nil
}

func (f *function) Concatenate(axis int, operands ...compute.Value) (compute.Value, error) {
	var parts []shapes.Shape
	var in []*value
	for _, x := range operands {
		v := x.(*value)
		parts, in = append(parts, v.shape), append(in, v)
	}
	shape, err := shapeinference.Concatenate(parts, axis)
	if err != nil {
		return nil, err
	}
	out, err := f.base(shape, 50+2*float64(shape.Size()), nil, in...)
	if err != nil {
		return nil, err
	}
	if len(shape.Dimensions) > mostAxes {
		return nil, compute.ErrNotImplemented
	}
	var walks []*walk
	at := 0
	for _, v := range in {
		walks = append(walks, walkOf(v.shape.Dimensions, out.view(v.shape.Dimensions, out.strides, at*out.strides[axis]), v))
		at += v.shape.Dimensions[axis]
	}
	out.step = func() step {
		steps := make([]step, len(in))
		for i, v := range in {
			steps[i] = bySize(shape.DType, walks[i], out, v)
		}
		return func(mem []memory) {
			for _, s := range steps {
				s(mem)
			}
		}
	}
	return out, nil
}

func (f *function) Pad(x, fill compute.Value, axes ...compute.PadAxis) (compute.Value, error) {
	v, with := x.(*value), fill.(*value)
	shape, err := shapeinference.Pad(v.shape, axes...)
	if err != nil {
		return nil, err
	}
	out, err := f.base(shape, 100+2*float64(shape.Size()+v.count()), nil, v, with)
	if err != nil {
		return nil, err
	}
	// The part of the input that is there, and where it begins in the output.
	from, strides, offset := v, slices.Clone(out.strides), 0
	for i, a := range axes {
		low, n := 0, v.shape.Dimensions[i]
		gap := a.Interior + 1
		first := a.Start
		for n > low && first < 0 { // cut off in front
			low, first = low+1, first+gap
		}
		for n > low && first+(n-low-1)*gap >= shape.Dimensions[i] {
			n--
		}
		starts, limits := make([]int, len(v.strides)), slices.Clone(from.shape.Dimensions)
		starts[i], limits[i] = low, n
		cut, err := f.Slice(from, starts, limits, nil)
		if err != nil {
			return nil, err
		}
		from = cut.(*value)
		strides[i] *= gap
		offset += first * out.strides[i]
	}
	if from.count() == 0 {
		offset = 0
	}
	if len(shape.Dimensions) > mostAxes {
		return nil, compute.ErrNotImplemented
	}
	back := walkOf(shape.Dimensions, out, with.spread(shape.Dimensions))
	front := walkOf(from.shape.Dimensions, out.view(from.shape.Dimensions, strides, offset), from)
	out.step = func() step {
		a, b := bySize(shape.DType, back, out, with), bySize(shape.DType, front, out, from)
		return func(mem []memory) { a(mem); b(mem) }
	}
	return out, nil
}

func (f *function) Iota(shape shapes.Shape, axis int) (compute.Value, error) {
	fill := iotaLoop(shape.DType)
	if fill == nil {
		return nil, missing(compute.OpTypeIota, shape.DType)
	}
	n, inner := shape.Dimensions[axis], 1
	for _, d := range shape.Dimensions[axis+1:] {
		inner *= d
	}
	return f.base(shape, 50+float64(shape.Size()), func(out *value) step {
		return func(mem []memory) { fill(mem, out, n, inner) }
	})
}
