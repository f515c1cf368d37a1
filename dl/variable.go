package dl

import (
	"slices"
	"sync"
	"sync/atomic"
)

// A parameter is a tensor whose values change: a training step gives it new
// ones. Everything else about tensors stays true, since what changes is only
// which values it has: code that read the old ones keeps them.

// variable is what makes a tensor a parameter, or a buffer of a layer.
type variable struct {
	id      uint64
	name    string                 // in the model that made it; "" for others
	now     atomic.Pointer[Tensor] // its values
	trained bool                   // false for a buffer, such as a running mean
	frozen  atomic.Bool

	train sync.Mutex // held from the reading of values to the writing of what follows from them

	mu    sync.Mutex
	grad  *Tensor     // nil where there is none
	hooks []*gradHook // called with each gradient that Backward finds
}

var variableIDs atomic.Uint64

// newVariable returns a parameter that begins with the values of t.
func newVariable(t *Tensor, trained bool) *Tensor {
	v := &variable{id: variableIDs.Add(1), trained: trained}
	v.now.Store(t)
	return &Tensor{shape: t.shape, dtype: t.dtype, v: v}
}

// learns reports whether a gradient belongs to the tensor.
func (t *Tensor) learns() bool {
	if t.v != nil {
		return t.v.trained && !t.v.frozen.Load()
	}
	return t.wants
}

// commits orders the writing of several parameters at once with the reading of
// several: a reader sees them all as they were before a step, or all as after.
var commits sync.RWMutex

// values returns the values of parameters at one moment. They stay until
// release.
func valuesOf(vars []*Tensor) (values []*Tensor, release func()) {
	values = make([]*Tensor, len(vars))
	commits.RLock()
	for i, t := range vars {
		values[i] = t.v.now.Load()
		values[i].data.Pin()
	}
	commits.RUnlock()
	return values, func() {
		for _, t := range values {
			t.data.Unpin()
		}
	}
}

// install gives parameters new values, all at one moment, and frees the old
// ones when their last reader is done. The caller holds their locks.
func install(vars, values []*Tensor) {
	old := make([]*Tensor, len(vars))
	commits.Lock()
	for i, t := range vars {
		old[i] = t.v.now.Swap(values[i])
	}
	commits.Unlock()
	for i, t := range old {
		if t != nil && t != values[i] {
			t.mu.Lock()
			keep := t.keep
			t.mu.Unlock()
			if !keep {
				t.Free()
			}
		}
	}
}

// kept says that others use the value too, so that a step that replaces it must
// not free it.
func (t *Tensor) kept() *Tensor {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.keep = true
	return t
}

// lockVariables locks parameters against other steps. It takes the locks in one
// order, so that two callers cannot wait for each other.
func lockVariables(vars []*Tensor) (unlock func()) {
	sorted := slices.Clone(vars)
	slices.SortFunc(sorted, func(a, b *Tensor) int { return int(int64(a.v.id) - int64(b.v.id)) })
	sorted = slices.Compact(sorted)
	for _, t := range sorted {
		t.v.train.Lock()
	}
	return func() {
		for _, t := range sorted {
			t.v.train.Unlock()
		}
	}
}
