package pth

import (
	"fmt"
	"math"

	"github.com/holt-dl/holt/dl"
)

// storage is a piece of memory that tensors are parts of.
type storage struct {
	key  string
	kind kind
	n    int64 // elements

	// element is the size of the numbers in a storage of bytes, by the tensor
	// that is made of it; 0 where the kind says it.
	element int64
}

// bytes is its size. [machine.persistent] keeps it within an int64.
func (s *storage) bytes() int64 { return s.n * s.kind.size }

// kind is a type of elements.
type kind struct {
	name string // as PyTorch calls it
	size int64  // bytes
	make func(b []byte, t *tensor, shape []int) *dl.Tensor
	try  string // where make is nil: what to do about it in Python
}

// tensor is a part of a storage.
type tensor struct {
	storage      *storage
	kind         kind // the storage's, but for one of bytes
	offset       int64
	size, stride []int64 // in elements
	neg          bool    // what is stored has the other sign
}

// check returns the tensor's bytes, or tells what is wrong with it.
func (t *tensor) check() (int64, error) {
	if t.kind.make == nil {
		return 0, fmt.Errorf("it is of type %s: %w; %s", t.kind.name, ErrRefused, t.kind.try)
	}
	if len(t.size) != len(t.stride) || len(t.size) > maxAxes || t.offset < 0 {
		return 0, corrupt("its shape is %v with strides %v from %d", t.size, t.stride, t.offset)
	}
	n, last := int64(1), t.offset
	for i, size := range t.size {
		stride := t.stride[i]
		if size < 0 || stride < 0 || size > 0 && n > math.MaxInt32*16/size || size > 1 && stride > (math.MaxInt64-last)/size {
			return 0, corrupt("its shape is %v with strides %v", t.size, t.stride)
		}
		n *= size
		if size > 1 {
			last += (size - 1) * stride
		}
	}
	if whole := t.storage.bytes() / t.kind.size; n > 0 && last >= whole {
		return 0, corrupt("its shape is %v with strides %v from %d, of a storage of %d", t.size, t.stride, t.offset, whole)
	}
	return n * t.kind.size, nil
}

// tensor takes its values out of the storage's bytes.
func (t *tensor) tensor(b []byte) *dl.Tensor {
	shape := make([]int, len(t.size))
	for i, size := range t.size {
		shape[i] = int(size)
	}
	return t.kind.make(b, t, shape)
}

// contiguous reports whether the elements follow one another.
func (t *tensor) contiguous() bool {
	want := int64(1)
	for i := len(t.size) - 1; i >= 0; i-- {
		if t.size[i] != 1 && t.stride[i] != want {
			return false
		}
		want *= t.size[i]
	}
	return true
}

// each calls visit with the place of each element, in row-major order. There
// is at least one.
func (t *tensor) each(visit func(i int64)) {
	at := make([]int64, len(t.size))
	place := t.offset
	for {
		visit(place)
		axis := len(at) - 1
		for ; axis >= 0; axis-- {
			at[axis]++
			place += t.stride[axis]
			if at[axis] < t.size[axis] {
				break
			}
			place -= t.stride[axis] * t.size[axis]
			at[axis] = 0
		}
		if axis < 0 {
			return
		}
	}
}
