package small

import (
	"fmt"
	"strings"
	"sync"
	"unsafe"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// memory is a place where the values of a base begin.
type memory = unsafe.Pointer

// step is one loop of a program.
type step = func(mem []memory)

// Program is a list of loops. Any number of goroutines may run it.
type Program struct {
	inputs, outputs []shapes.Shape
	places          int // in the memory of a run
	fixed           []fixedPlace
	steps           []step
	results         []result
	arena           int // words of eight bytes for what is not a result
	cost            float64
	machines        sync.Pool
}

// fixedPlace is memory of the arena, or that of a constant.
type fixedPlace struct {
	place, word int
	constant    memory
}

// result is where an output comes from: an input as it is, or memory of its own.
type result struct {
	input int // -1 for none
	place int
	kind  dtypes.DType
	size  int
}

// machine is the memory of one run.
type machine struct {
	mem   []memory
	arena []uint64
}

// Compile makes the list of loops.
func (b *builder) Compile() (compute.Executable, error) { return b.f.compile() }

func (f *function) compile() (*Program, error) {
	spare()
	p := &Program{}
	for _, v := range f.inputs {
		p.inputs = append(p.inputs, v.shape)
	}
	// Every output is an input or a base of its own.
	taken := map[*value]bool{}
	outputs := make([]*value, len(f.outputs))
	for i, v := range f.outputs {
		p.outputs = append(p.outputs, v.shape)
		b := v.base
		switch {
		case v.isDense() && v.offset == 0 && b.size == v.count() && b.input >= 0:
		case v.isDense() && v.offset == 0 && b.size == v.count() && b.constant == nil && !taken[b]:
		default:
			var err error
			if b, err = f.move(v); err != nil {
				return nil, err
			}
		}
		taken[b] = true
		outputs[i] = b
	}
	// The bases that are needed, each after those that it is made from.
	var order []*value
	var reach func(b *value)
	reach = func(b *value) {
		if b.reached {
			return
		}
		b.reached = true
		for _, in := range b.in {
			reach(in.base)
		}
		if b.step != nil {
			p.cost += b.cost
		}
		order = append(order, b)
	}
	for _, v := range f.inputs {
		reach(v)
	}
	for _, b := range outputs {
		reach(b)
	}
	if f.limit > 0 && p.cost > f.limit {
		return nil, fmt.Errorf("%.0f µs: %w", p.cost/1000, ErrLarge)
	}
	for i, b := range order {
		b.place, b.last = i, i
		for _, in := range b.in {
			in.base.last = i
		}
	}
	p.places = len(order)
	for _, b := range outputs {
		b.last = len(order)
		r := result{input: b.input, place: b.place, kind: b.shape.DType, size: b.size}
		p.results = append(p.results, r)
	}
	isOutput := map[*value]bool{}
	for _, b := range outputs {
		isOutput[b] = true
	}
	// Memory is used again when its last reader is done.
	free := map[int][]int{}                // by words
	ends := make([][]*value, len(order)+1) // bases by the step that reads them last
	words := func(b *value) int { return (b.size*b.shape.DType.Size() + 7) / 8 }
	at := map[*value]int{}
	take := func(n int) int {
		if list := free[n]; len(list) > 0 {
			free[n] = list[:len(list)-1]
			return list[len(list)-1]
		}
		p.arena += n
		return p.arena - n
	}
	for i, b := range order {
		switch {
		case b.constant != nil:
			_, data := dataOf(b.constant)
			p.fixed = append(p.fixed, fixedPlace{place: b.place, constant: data.at})
		case b.step != nil && !isOutput[b]:
			at[b] = take(words(b))
			p.fixed = append(p.fixed, fixedPlace{place: b.place, word: at[b]})
			ends[b.last] = append(ends[b.last], b)
		}
		if b.scratch > 0 {
			n := (b.scratch + 7) / 8
			word := take(n)
			p.fixed = append(p.fixed, fixedPlace{place: p.places, word: word})
			b.scratch = p.places // from here on its place
			p.places++
			free[n] = append(free[n], word)
		}
		if b.step != nil {
			p.steps = append(p.steps, b.step())
		}
		for _, gone := range ends[i] {
			free[words(gone)] = append(free[words(gone)], at[gone])
		}
	}
	return p, nil
}

// spare is memory that nothing reads or writes, so that the system need not give it, and that Go
// counts as in use: garbage is collected when there is as much of it. A process that holds little
// would collect after each hundred results of 32 KiB, which took as long as making them.
var spare = sync.OnceValue(func() []byte { return make([]byte, 16<<20) })

// Run runs the program: each input and each result is a slice of the Go type of its elements.
// The inputs are not changed; a result may be one of them.
func (p *Program) Run(inputs []any) ([]any, error) {
	if len(inputs) != len(p.inputs) {
		return nil, fmt.Errorf("%d inputs, want %d", len(inputs), len(p.inputs))
	}
	m, _ := p.machines.Get().(*machine)
	if m == nil {
		m = &machine{mem: make([]memory, p.places), arena: make([]uint64, p.arena+1)}
		for _, f := range p.fixed {
			if m.mem[f.place] = f.constant; f.constant == nil {
				m.mem[f.place] = unsafe.Pointer(&m.arena[f.word])
			}
		}
	}
	for i, flat := range inputs {
		kind, data := dataOf(flat)
		if s := p.inputs[i]; kind != s.DType || data.n != s.Size() {
			return nil, fmt.Errorf("input %d is %d values of %v, want %v", i, data.n, kind, s)
		}
		m.mem[i] = data.at
	}
	out := make([]any, len(p.results))
	for i, r := range p.results {
		if r.input >= 0 {
			out[i] = inputs[r.input]
			continue
		}
		out[i], m.mem[r.place] = newSlice(r.kind, r.size)
	}
	for _, s := range p.steps {
		s(m.mem)
	}
	for i := range inputs {
		m.mem[i] = nil
	}
	for _, r := range p.results {
		if r.input < 0 {
			m.mem[r.place] = nil
		}
	}
	p.machines.Put(m)
	return out, nil
}

// Cost estimates how long a run takes, in nanoseconds.
func (p *Program) Cost() float64 { return p.cost }

// Finalize does nothing.
func (p *Program) Finalize() {}

// Inputs returns the shapes of the inputs.
func (p *Program) Inputs() ([]string, []shapes.Shape) {
	return make([]string, len(p.inputs)), p.inputs
}

// Outputs returns the shapes of the results.
func (p *Program) Outputs() []shapes.Shape { return p.outputs }

// Execute fails: there are no buffers here. See [Program.Run].
func (p *Program) Execute([]compute.Buffer, []bool, compute.DeviceNum) ([]compute.Buffer, error) {
	return nil, fmt.Errorf("small programs have no buffers: %w", compute.ErrNotImplemented)
}

// data is where the values of a slice are, and how many.
type data struct {
	at memory
	n  int
}

func of[T any](s []T) data { return data{unsafe.Pointer(unsafe.SliceData(s)), len(s)} }

// dataOf returns the type and the values of a slice.
func dataOf(flat any) (dtypes.DType, data) {
	switch s := flat.(type) {
	case []float32:
		return dtypes.Float32, of(s)
	case []int64:
		return dtypes.Int64, of(s)
	case []bool:
		return dtypes.Bool, of(s)
	case []float64:
		return dtypes.Float64, of(s)
	case []int32:
		return dtypes.Int32, of(s)
	case []uint8:
		return dtypes.Uint8, of(s)
	case []uint32:
		return dtypes.Uint32, of(s)
	case []int8:
		return dtypes.Int8, of(s)
	case []int16:
		return dtypes.Int16, of(s)
	case []uint16:
		return dtypes.Uint16, of(s)
	case []uint64:
		return dtypes.Uint64, of(s)
	}
	return dtypes.InvalidDType, data{}
}

// fresh makes a slice. From a page on it is not cleared, which would take as long as the loop that
// then writes it: strings.Builder is the one place where the standard library hands out memory as
// it is.
func fresh[T any](n int) (any, memory) {
	if size := n * int(unsafe.Sizeof(*new(T))); size >= 4096 {
		var b strings.Builder
		b.Grow(size)
		b.WriteByte(0)
		at := unsafe.Pointer(unsafe.StringData(b.String()))
		return unsafe.Slice((*T)(at), n), at
	}
	s := make([]T, n)
	return s, unsafe.Pointer(unsafe.SliceData(s))
}

// newSlice makes a slice of a type, whose values are to be written.
func newSlice(t dtypes.DType, n int) (any, memory) {
	switch t {
	case dtypes.Float32:
		return fresh[float32](n)
	case dtypes.Int64:
		return fresh[int64](n)
	case dtypes.Bool:
		return fresh[bool](n)
	case dtypes.Float64:
		return fresh[float64](n)
	case dtypes.Int32:
		return fresh[int32](n)
	case dtypes.Uint8:
		return fresh[uint8](n)
	case dtypes.Uint32:
		return fresh[uint32](n)
	case dtypes.Int8:
		return fresh[int8](n)
	case dtypes.Int16:
		return fresh[int16](n)
	case dtypes.Uint16:
		return fresh[uint16](n)
	case dtypes.Uint64:
		return fresh[uint64](n)
	}
	panic(fmt.Errorf("no slice of %v", t)) // function.base lets only the types above in
}

// copied returns a copy of a slice.
func copied(flat any) any {
	kind, from := dataOf(flat)
	to, at := newSlice(kind, from.n)
	n := from.n * kind.Size()
	copy(unsafe.Slice((*byte)(at), n), unsafe.Slice((*byte)(from.at), n))
	return to
}

// whole returns the memory of v's base.
func whole[T any](mem []memory, v *value) []T {
	return unsafe.Slice((*T)(mem[v.base.place]), v.base.size)
}
