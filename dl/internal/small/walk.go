package small

import "slices"

// walk is a loop over the elements of several tensors that have one shape and
// each its own strides. Axes are joined where all strides allow it, so that the
// inner loop is as long as possible.
type walk struct {
	dims    []int // of the outer loops
	n       int   // of the inner loop
	outer   [][]int
	inner   []int // strides of the inner loop
	offsets []int
	single  bool // the inner loop is all
}

const mostAxes = 12

// walkOf makes the loop over some views of one shape.
func walkOf(dims []int, xs ...*value) *walk {
	w := &walk{n: 1, outer: make([][]int, len(xs)), inner: make([]int, len(xs)), offsets: make([]int, len(xs))}
	var shape []int
	strides := make([][]int, len(xs))
	for k, x := range xs {
		w.offsets[k] = x.offset
	}
	for i, d := range dims {
		if d == 1 {
			continue
		}
		last := len(shape) - 1
		joins := last >= 0
		for k, x := range xs {
			joins = joins && strides[k][last] == x.strides[i]*d
		}
		if joins {
			shape[last] *= d
		} else {
			shape = append(shape, d)
		}
		for k, x := range xs {
			if joins {
				strides[k][last] = x.strides[i]
			} else {
				strides[k] = append(strides[k], x.strides[i])
			}
		}
	}
	last := len(shape) - 1
	if last >= 0 {
		w.n, w.dims = shape[last], shape[:last]
		for k := range xs {
			w.inner[k], w.outer[k] = strides[k][last], strides[k][:last]
		}
	}
	w.single = len(w.dims) == 0
	if slices.Contains(shape, 0) {
		w.n, w.dims, w.single = 0, nil, true
	}
	return w
}

// position is where a walk is.
type position struct {
	at   [mostAxes]int
	offs [4]int // of each tensor
}

// start begins the walk.
func (w *walk) start(p *position) {
	copy(p.offs[:], w.offsets)
}

// next goes to the next inner loop, and reports whether there is one.
func (w *walk) next(p *position) bool {
	for i := len(w.dims) - 1; i >= 0; i-- {
		p.at[i]++
		for k := range w.outer {
			p.offs[k] += w.outer[k][i]
		}
		if p.at[i] < w.dims[i] {
			return true
		}
		for k := range w.outer {
			p.offs[k] -= w.outer[k][i] * w.dims[i]
		}
		p.at[i] = 0
	}
	return false
}
