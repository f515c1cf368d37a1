package xla

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
)

// Layout says how the devices of a group have an array: a letter for each of its axes. Those of a
// group lie in a grid of two axes, batch and model. An axis with the letter of one is cut into as
// many equal parts as the grid has devices along it, one with [Whole] is not cut, and neither are
// those without a letter. So the empty layout is an array that every device has whole.
type Layout string

// The letters of a layout, which JAX's PartitionSpec has as names of axes.
const (
	Whole   = '-'
	OnBatch = 'b' // between the devices that share a batch
	OnModel = 'm' // between those that share a weight
)

// Replicated is the layout of what every device has whole.
const Replicated = Layout("")

// LayoutOf returns the layout of such letters.
func LayoutOf(letters []byte) Layout {
	return Layout(strings.TrimRight(string(letters), string(Whole)))
}

// batchFirst is the layout of a batch.
const batchFirst = Layout(OnBatch)

// axisNames are those of a group's grid, as XLA's Shardy has them.
var axisNames = map[rune]string{OnBatch: "batch", OnModel: "model"}

// spec is the layout in GoMLX's words.
func (l Layout) spec(mesh *distributed.DeviceMesh) (*distributed.ShardingSpec, error) {
	if l == Replicated {
		return distributed.NewReplicatedShardingSpec(mesh), nil
	}
	axes := make([]distributed.AxisSpec, len(l))
	for i, letter := range l {
		if name := axisNames[letter]; name != "" {
			axes[i] = distributed.AxisSpec{name}
		}
	}
	return distributed.NewShardingSpec(mesh, axes...)
}

// block is the part of an array that a device has: where it begins and how long it is along each
// axis.
type block struct{ shape, start, size []int }

// blockOf returns the part of an array of some shape that the d-th device of the group has. first
// reports whether no device before it has the same part.
func (s *Group) blockOf(l Layout, shape []int, d int) (b block, first bool) {
	at := map[rune]int{OnBatch: d / s.model, OnModel: d % s.model}
	parts := map[rune]int{OnBatch: s.BatchParts(), OnModel: s.model}
	b = block{shape, make([]int, len(shape)), append([]int{}, shape...)}
	for i, letter := range l {
		if n := parts[letter]; n > 0 {
			b.size[i] = shape[i] / n
			b.start[i] = at[letter] * b.size[i]
		}
	}
	for letter, i := range at {
		if i > 0 && !strings.ContainsRune(string(l), letter) {
			return b, false
		}
	}
	return b, true
}

// PartSize returns how many elements of an array of some shape each device of the group has; all
// where the group is nil.
func (s *Group) PartSize(l Layout, shape []int) int {
	if s == nil {
		return block{size: shape}.elements()
	}
	b, _ := s.blockOf(l, shape, 0)
	return b.elements()
}

func (b block) elements() int {
	n := 1
	for _, k := range b.size {
		n *= k
	}
	return n
}

// runs calls f with each piece of the block that lies together in the whole array: where it is
// there, where in the block, and its length.
func (b block) runs(f func(whole, part, n int)) {
	last := len(b.shape) - 1 // the last axis of which the block has a part
	for last > 0 && b.size[last] == b.shape[last] {
		last--
	}
	n, stride := 1, 1 // elements of a piece, and of what one step along the last axis is
	for i := last + 1; i < len(b.shape); i++ {
		stride *= b.shape[i]
	}
	if last >= 0 {
		n = b.size[last] * stride
	}
	outer := 1
	for i := range max(last, 0) {
		outer *= b.size[i]
	}
	for k := range outer {
		whole, rest, width := 0, k, stride
		if last >= 0 {
			whole, width = b.start[last]*stride, b.shape[last]*stride
		}
		for i := last - 1; i >= 0; i-- {
			whole += (b.start[i] + rest%b.size[i]) * width
			rest /= b.size[i]
			width *= b.shape[i]
		}
		f(whole, k*n, n)
	}
}

// cut returns the block of a flat slice.
func (b block) cut(flat any) any {
	from := reflect.ValueOf(flat)
	to := reflect.MakeSlice(from.Type(), b.elements(), b.elements())
	b.runs(func(whole, part, n int) { reflect.Copy(to.Slice(part, part+n), from.Slice(whole, whole+n)) })
	return to.Interface()
}

// put writes the block into a flat slice.
func (b block) put(flat, part any) {
	to, from := reflect.ValueOf(flat), reflect.ValueOf(part)
	b.runs(func(whole, part, n int) { reflect.Copy(to.Slice(whole, whole+n), from.Slice(part, part+n)) })
}

// divided is an array whose parts are on the devices of a group.
type divided struct {
	group  *Group
	layout Layout
	parts  []compute.Buffer // in the order of the group's devices
}

func (d *divided) is(group *Group, l Layout) bool {
	return d != nil && d.layout == l && d.group.Same(group)
}

func (d *divided) finalize() {
	if d != nil {
		for _, b := range d.parts {
			b.Finalize()
		}
	}
}

// bytes is what the parts of an array take on all devices together.
func (d *divided) bytes(a *Array) int64 {
	n := int64(0)
	for i := range d.parts {
		b, _ := d.group.blockOf(d.layout, a.Shape, i)
		n += int64(b.elements()) * int64(a.DType.Size())
	}
	return n
}

// Parts returns the devices that have the array in parts, and which; nil where none have.
func (a *Array) Parts() (*Group, Layout) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.divided == nil {
		return nil, Replicated
	}
	return a.divided.group, a.divided.layout
}

// partsOn returns the parts of the array on the devices of a group, cutting and copying it there
// at the first call. They belong to the array, for which the caller has called pinRun. What devices
// have besides, such as the whole copy that a prediction made, is freed, unless another program
// runs with it or the user has put it there.
func (a *Array) partsOn(group *Group, l Layout) ([]compute.Buffer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	alone := a.runs <= 1 && !a.placed
	parts := a.divided
	if parts.is(group, l) {
		if a.buf == nil || !alone {
			return parts.parts, nil
		}
		a.divided = nil // and so not freed
	} else {
		flat, err := a.flat()
		if err != nil {
			return nil, err
		}
		if parts, err = group.copyParts(flat, a, l); err != nil {
			return nil, err
		}
	}
	if alone {
		a.freeBuffers()
	}
	a.divided = parts
	a.holdBytes(parts.bytes(a))
	return parts.parts, nil
}

// copyParts copies the parts of an array to the group's devices.
func (s *Group) copyParts(flat any, a *Array, l Layout) (*divided, error) {
	made := &divided{group: s, layout: l}
	for d := range s.Devices {
		b, err := s.copyPart(flat, a, l, d)
		if err != nil {
			made.finalize()
			return nil, err
		}
		made.parts = append(made.parts, b)
	}
	return made, nil
}

// copyPart copies the part of the d-th device there. The caller owns the buffer.
func (s *Group) copyPart(flat any, a *Array, l Layout, d int) (compute.Buffer, error) {
	b, _ := s.blockOf(l, a.Shape, d)
	buf, err := s.Devices[d].copy(b.cut(flat), a.DType, b.size)
	if err != nil {
		return nil, fmt.Errorf("dl: copy part of %v to %s: %w", a.Shape, s.Devices[d].Label(), err)
	}
	return buf, nil
}
