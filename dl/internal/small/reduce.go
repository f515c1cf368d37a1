package small

import (
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapeinference"
)

// reduced is an input in the order [before, over, after] of a reduction over the
// axis in the middle.
type reduced struct {
	x                   *value
	before, over, after int
}

// arrange brings the axes of a reduction together.
func (f *function) arrange(x *value, axes []int) (reduced, error) {
	dims := x.shape.Dimensions
	if len(axes) == 0 {
		axes = make([]int, len(dims))
		for i := range axes {
			axes[i] = i
		}
	}
	axes = slices.Sorted(slices.Values(axes))
	together := true
	for i := 1; i < len(axes); i++ {
		together = together && axes[i] == axes[i-1]+1
	}
	if !together {
		var order []int
		for i := range dims {
			if !slices.Contains(axes, i) {
				order = append(order, i)
			}
		}
		first := len(order)
		v, err := f.Transpose(x, append(order, axes...)...)
		if err != nil {
			return reduced{}, err
		}
		x, dims = v.(*value), v.(*value).shape.Dimensions
		for i := range axes {
			axes[i] = first + i
		}
	}
	v, err := f.packed(x)
	if err != nil {
		return reduced{}, err
	}
	r := reduced{v, 1, 1, 1}
	for i, n := range dims {
		switch {
		case len(axes) == 0 || i < axes[0]:
			r.before *= n
		case i <= axes[len(axes)-1]:
			r.over *= n
		default:
			r.after *= n
		}
	}
	return r, nil
}

func (f *function) reduce(op compute.OpType, x compute.Value, axes []int) (compute.Value, error) {
	v := x.(*value)
	if len(axes) == 0 {
		for i := range v.shape.Dimensions {
			axes = append(axes, i)
		}
	}
	if len(axes) == 0 {
		return v, nil
	}
	shape, err := shapeinference.Reduce(v.shape, axes)
	if err != nil {
		return nil, err
	}
	loop := reduceLoop(op, shape.DType)
	if loop == nil {
		return nil, missing(op, shape.DType)
	}
	r, err := f.arrange(v, axes)
	if err != nil {
		return nil, err
	}
	out, err := f.base(shape, 50+float64(v.count())*1+float64(r.before*10), func(out *value) step { return loop(out, r) }, r.x)
	if err != nil {
		return nil, err
	}
	out.scratch = 8 * r.after
	return out, nil
}

func (f *function) ReduceSum(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceSum, x, axes)
}
func (f *function) ReduceMax(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceMax, x, axes)
}
func (f *function) ReduceMin(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceMin, x, axes)
}
func (f *function) ReduceProduct(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceProduct, x, axes)
}
func (f *function) ReduceLogicalAnd(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceLogicalAnd, x, axes)
}
func (f *function) ReduceLogicalOr(x compute.Value, axes ...int) (compute.Value, error) {
	return f.reduce(compute.OpTypeReduceLogicalOr, x, axes)
}

func (f *function) ArgMinMax(x compute.Value, axis int, kind dtypes.DType, isMin bool) (compute.Value, error) {
	v := x.(*value)
	shape, err := shapeinference.ArgMinMax(v.shape, axis, kind)
	if err != nil {
		return nil, err
	}
	if (kind != dtypes.Int64 && kind != dtypes.Int32) || v.shape.Dimensions[axis] == 0 {
		return nil, missing(compute.OpTypeArgMinMax, kind)
	}
	loop := extremeLoop(v.shape.DType, kind, isMin)
	if loop == nil {
		return nil, missing(compute.OpTypeArgMinMax, v.shape.DType)
	}
	r, err := f.arrange(v, []int{axis})
	if err != nil {
		return nil, err
	}
	return f.base(shape, 50+2*float64(v.count()), func(out *value) step { return loop(out, r) }, r.x)
}

// DotGeneral multiplies matrices, with axes of a batch.
func (f *function) DotGeneral(lhs compute.Value, lhsOver, lhsBatch []int, rhs compute.Value, rhsOver, rhsBatch []int, config compute.DotGeneralConfig) (compute.Value, error) {
	a, b := lhs.(*value), rhs.(*value)
	shape, err := shapeinference.DotGeneral(a.shape, lhsOver, lhsBatch, b.shape, rhsOver, rhsBatch, config)
	if err != nil {
		return nil, err
	}
	if t := a.shape.DType; shape.DType != t || config.AccumulatorDType != dtypes.InvalidDType && config.AccumulatorDType != t {
		return nil, missing(compute.OpTypeDotGeneral, shape.DType)
	}
	// Axes in the order batch, own, common for the left, and batch, common, own
	// or batch, own, common for the right.
	own := func(v *value, used ...[]int) []int {
		var rest []int
		for i := range v.shape.Dimensions {
			if !slices.Contains(slices.Concat(used...), i) {
				rest = append(rest, i)
			}
		}
		return rest
	}
	product := func(v *value, axes []int) int {
		n := 1
		for _, i := range axes {
			n *= v.shape.Dimensions[i]
		}
		return n
	}
	ownA, ownB := own(a, lhsOver, lhsBatch), own(b, rhsOver, rhsBatch)
	d := dot{batch: product(a, lhsBatch), m: product(a, ownA), k: product(a, lhsOver), n: product(b, ownB)}
	arranged := func(v *value, axes ...[]int) (*value, bool, error) {
		t, err := f.Transpose(v, slices.Concat(axes...)...)
		if err != nil {
			return nil, false, err
		}
		return t.(*value), t.(*value).isDense(), nil
	}
	pick := func(v *value, first, second [][]int) (*value, bool, error) {
		x, ok, err := arranged(v, first...)
		if err != nil || ok {
			return x, true, err
		}
		y, ok, err := arranged(v, second...)
		if err != nil || ok {
			return y, false, err
		}
		x, err = f.packed(x)
		return x, true, err
	}
	var aRows, bRows bool // the common axis is the last
	if a, aRows, err = pick(a, [][]int{lhsBatch, ownA, lhsOver}, [][]int{lhsBatch, lhsOver, ownA}); err != nil {
		return nil, err
	}
	if b, bRows, err = pick(b, [][]int{rhsBatch, ownB, rhsOver}, [][]int{rhsBatch, rhsOver, ownB}); err != nil {
		return nil, err
	}
	if d.am, d.ak = d.k, 1; !aRows {
		d.am, d.ak = 1, d.m
	}
	if d.bn, d.bk = d.k, 1; !bRows {
		d.bn, d.bk = 1, d.n
	}
	vectorized := shape.DType == dtypes.Float32 && vector.product != nil
	if !vectorized && d.ak != 1 && d.bk == 1 && d.k > 1 { // rows of the left are wanted for products of rows
		t, _, err := arranged(lhs.(*value), lhsBatch, ownA, lhsOver)
		if err != nil {
			return nil, err
		}
		if a, err = f.packed(t); err != nil {
			return nil, err
		}
		d.am, d.ak = d.k, 1
	}
	loop := dotLoop(shape.DType)
	if loop == nil {
		return nil, missing(compute.OpTypeDotGeneral, shape.DType)
	}
	work := float64(d.batch) * float64(d.m) * float64(d.n) * float64(d.k)
	cost := 50 + work*0.26 + float64(d.batch*d.m*d.n)*3
	if vectorized {
		moved := float64(d.batch * (d.m + d.k) * d.n)
		cost = 50 + work*0.03 + moved*0.5
		if vector.eightRows != nil && d.n%panelWidth == 0 {
			cost = 50 + work*0.008 + moved*0.1
		}
	}
	out, err := f.base(shape, cost, func(out *value) step { return loop(d, out, a, b) }, a, b)
	if err == nil && vectorized {
		out.scratch = 2*4*panelWidth*panelDepth + cacheLine
	}
	return out, err
}

// dot is a product of matrices: the sizes, and the strides of the two.
type dot struct {
	batch, m, n, k int
	am, ak, bn, bk int
}

// Gather takes slices of x that begin at indices.
func (f *function) Gather(x, indices compute.Value, vectorAxis int, offsetAxes, collapsed, startMap, sizes []int, sorted bool) (compute.Value, error) {
	v, at := x.(*value), indices.(*value)
	shape, err := shapeinference.Gather(v.shape, at.shape, vectorAxis, offsetAxes, collapsed, startMap, sizes, sorted)
	if err != nil {
		return nil, err
	}
	out, err := f.base(shape, 100+5*float64(shape.Size())+20*float64(at.count()), nil)
	if err != nil {
		return nil, err
	}
	// What a window is in the operand, and in the output.
	var window, from, to []int
	k := 0
	for axis, n := range sizes {
		if slices.Contains(collapsed, axis) {
			continue
		}
		window, from, to = append(window, n), append(from, v.strides[axis]), append(to, out.strides[offsetAxes[k]])
		k++
	}
	s, err := f.scattered(v.shape.Dimensions, v.strides, sizes, at, vectorAxis, startMap)
	if err != nil || len(shape.Dimensions) > mostAxes {
		return nil, compute.ErrNotImplemented
	}
	for i := range shape.Dimensions {
		if !slices.Contains(offsetAxes, i) {
			s.outer = append(s.outer, out.strides[i])
		}
	}
	w := walkOf(window, out.view(window, to, 0), v.view(window, from, v.offset))
	out.in = []*value{v, s.at}
	out.step = func() step {
		switch v.shape.DType.Size() {
		case 1:
			return gathered[uint8](s, w, out, v)
		case 2:
			return gathered[uint16](s, w, out, v)
		case 4:
			return gathered[uint32](s, w, out, v)
		}
		return gathered[uint64](s, w, out, v)
	}
	return out, nil
}

// scatter is a list of places in an operand.
type scatter struct {
	at      *value // dense, [… vector]
	index   func(mem []memory, v *value, i int) int
	dims    []int // of the batch of indices
	vector  int   // indices of one place
	most    []int // the largest start for each of them
	strides []int // of the operand, for each of them
	outer   []int // strides of the other tensor along dims
}

func (f *function) scattered(dims, strides, sizes []int, at *value, vectorAxis int, startMap []int) (*scatter, error) {
	s := &scatter{vector: 1, index: indexLoop(at.shape.DType)}
	if s.index == nil {
		return nil, missing(compute.OpTypeGather, at.shape.DType)
	}
	var order []int
	for i, n := range at.shape.Dimensions {
		if i != vectorAxis {
			order, s.dims = append(order, i), append(s.dims, n)
		}
	}
	if vectorAxis < len(at.shape.Dimensions) {
		order, s.vector = append(order, vectorAxis), at.shape.Dimensions[vectorAxis]
	}
	t, err := f.Transpose(at, order...)
	if err != nil {
		return nil, err
	}
	if s.at, err = f.packed(t.(*value)); err != nil {
		return nil, err
	}
	for _, axis := range startMap {
		s.most, s.strides = append(s.most, dims[axis]-sizes[axis]), append(s.strides, strides[axis])
	}
	return s, nil
}

// each calls f with the offset of each place in the operand and that in the other
// tensor, and whether it is within the operand; what is not, is moved to its border.
func (s *scatter) each(mem []memory, f func(operand, other int, within bool)) {
	var at [mostAxes]int
	other, total := 0, 1
	for _, n := range s.dims {
		total *= n
	}
	for i := range total {
		place, within := 0, true
		for j := range s.vector {
			k := s.index(mem, s.at, i*s.vector+j)
			if k < 0 || k > s.most[j] {
				within = false
			}
			place += max(0, min(k, s.most[j])) * s.strides[j]
		}
		f(place, other, within)
		for axis := len(s.dims) - 1; axis >= 0; axis-- {
			at[axis]++
			other += s.outer[axis]
			if at[axis] < s.dims[axis] {
				break
			}
			other -= s.outer[axis] * s.dims[axis]
			at[axis] = 0
		}
	}
}

func gathered[T any](s *scatter, w *walk, out, x *value) step {
	to, from := w.inner[0], w.inner[1]
	return func(mem []memory) {
		d, a := whole[T](mem, out), whole[T](mem, x)
		if len(d) == 0 || w.n == 0 {
			return
		}
		s.each(mem, func(operand, other int, _ bool) {
			var p position
			w.start(&p)
			for {
				i, j := p.offs[0]+other, p.offs[1]+operand
				for range w.n {
					d[i] = a[j]
					i, j = i+to, j+from
				}
				if w.single || !w.next(&p) {
					return
				}
			}
		})
	}
}

// ScatterSum adds slices to an operand.
func (f *function) ScatterSum(x, indices, updates compute.Value, vectorAxis int, windowAxes, inserted, startMap []int, _, _ bool) (compute.Value, error) {
	v, at, u := x.(*value), indices.(*value), updates.(*value)
	shape, err := shapeinference.Scatter(v.shape, at.shape, u.shape, vectorAxis, windowAxes, inserted, startMap)
	if err != nil {
		return nil, err
	}
	out, err := f.base(shape, 100+2*float64(shape.Size())+5*float64(u.count())+20*float64(at.count()), nil)
	if err != nil {
		return nil, err
	}
	sizes := make([]int, len(shape.Dimensions))
	var window, from, to []int
	k := 0
	for axis := range shape.Dimensions {
		sizes[axis] = 1
		if slices.Contains(inserted, axis) {
			continue
		}
		n := u.shape.Dimensions[windowAxes[k]]
		sizes[axis] = n
		window, to, from = append(window, n), append(to, out.strides[axis]), append(from, u.strides[windowAxes[k]])
		k++
	}
	s, err := f.scattered(shape.Dimensions, out.strides, sizes, at, vectorAxis, startMap)
	if err != nil || len(u.shape.Dimensions) > mostAxes || len(shape.Dimensions) > mostAxes {
		return nil, compute.ErrNotImplemented
	}
	for i := range u.shape.Dimensions {
		if !slices.Contains(windowAxes, i) {
			s.outer = append(s.outer, u.strides[i])
		}
	}
	loop := scatterLoop(shape.DType)
	if loop == nil {
		return nil, missing(compute.OpTypeScatterSum, shape.DType)
	}
	w := walkOf(window, out.view(window, to, 0), u.view(window, from, u.offset))
	all := walkOf(shape.Dimensions, out, v)
	out.in = []*value{v, s.at, u}
	out.step = func() step {
		first, then := bySize(shape.DType, all, out, v), loop(s, w, out, u)
		return func(mem []memory) { first(mem); then(mem) }
	}
	return out, nil
}

// DynamicSlice takes a slice whose place is known when the program runs.
func (f *function) DynamicSlice(x compute.Value, starts []compute.Value, sizes []int) (compute.Value, error) {
	v := x.(*value)
	shape, err := shapeinference.DynamicSlice(v.shape, sizes)
	if err != nil {
		return nil, err
	}
	_ = shape
	if len(starts) == 0 {
		return v, nil
	}
	at, err := f.vector(starts)
	if err != nil {
		return nil, err
	}
	axes := make([]int, len(sizes))
	for i := range axes {
		axes[i] = i
	}
	return f.Gather(v, at, 0, axes, nil, axes, sizes, false)
}

// vector joins scalars.
func (f *function) vector(scalars []compute.Value) (compute.Value, error) {
	parts := make([]compute.Value, len(scalars))
	for i, s := range scalars {
		v := s.(*value)
		parts[i] = v.view([]int{1}, []int{1}, v.offset)
	}
	return f.Concatenate(0, parts...)
}

// DynamicUpdateSlice writes a slice whose place is known when the program runs.
func (f *function) DynamicUpdateSlice(x, update compute.Value, starts []compute.Value) (compute.Value, error) {
	v, u := x.(*value), update.(*value)
	shape, err := shapeinference.DynamicUpdateSlice(v.shape, u.shape)
	if err != nil {
		return nil, err
	}
	if len(starts) == 0 {
		return u, nil
	}
	dims := shape.Dimensions
	if len(dims) > mostAxes {
		return nil, compute.ErrNotImplemented
	}
	joined, err := f.vector(starts)
	if err != nil {
		return nil, err
	}
	axes := make([]int, len(dims))
	for i := range axes {
		axes[i] = i
	}
	out, err := f.base(shape, 100+2*float64(shape.Size()+u.count()), nil)
	if err != nil {
		return nil, err
	}
	s, err := f.scattered(dims, out.strides, u.shape.Dimensions, joined.(*value), 0, axes)
	if err != nil {
		return nil, err
	}
	all := walkOf(dims, out, v)
	w := walkOf(u.shape.Dimensions, out.view(u.shape.Dimensions, out.strides, 0), u)
	out.in = []*value{v, u, s.at}
	out.step = func() step {
		first := bySize(shape.DType, all, out, v)
		var then func(mem []memory, by int)
		switch shape.DType.Size() {
		case 1:
			then = moved[uint8](w, out, u)
		case 2:
			then = moved[uint16](w, out, u)
		case 4:
			then = moved[uint32](w, out, u)
		default:
			then = moved[uint64](w, out, u)
		}
		return func(mem []memory) {
			first(mem)
			s.each(mem, func(place, _ int, _ bool) { then(mem, place) })
		}
	}
	return out, nil
}

// moved copies into a place that is known when the program runs.
func moved[T any](w *walk, out, x *value) func(mem []memory, by int) {
	to, from := w.inner[0], w.inner[1]
	return func(mem []memory, by int) {
		d, a := whole[T](mem, out), whole[T](mem, x)
		if w.n == 0 {
			return
		}
		var p position
		w.start(&p)
		for {
			i, j := p.offs[0]+by, p.offs[1]
			for range w.n {
				d[i] = a[j]
				i, j = i+to, j+from
			}
			if w.single || !w.next(&p) {
				return
			}
		}
	}
}

// CumSum adds up along an axis.
func (f *function) CumSum(x compute.Value, axis int, options compute.CumSumOptions) (compute.Value, error) {
	v := x.(*value)
	shape, err := shapeinference.CumSum(v.shape, axis)
	if err != nil {
		return nil, err
	}
	loop := cumulativeLoop(shape.DType)
	if loop == nil {
		return nil, missing(compute.OpTypeCumSum, shape.DType)
	}
	r, err := f.arrange(v, []int{axis})
	if err != nil {
		return nil, err
	}
	return f.base(shape, 50+2*float64(v.count()), func(out *value) step { return loop(out, r, options) }, r.x)
}
