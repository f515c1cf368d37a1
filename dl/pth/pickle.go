package pth

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
)

// maxPickle is the longest pickle that is read. A state dict needs some 300
// bytes a tensor.
const maxPickle = 64 << 20

// What a pickle is made of, besides nil, bool, int64, float64, string and
// *big.Int.
type (
	dict  struct{ items [][2]any }
	list  struct{ items []any }
	tuple []any
	class string // a function or class, such as "torch._utils._rebuild_tensor_v2"
	mark  struct{}
)

func (d *dict) get(key string) any {
	for _, item := range d.items {
		if item[0] == key {
			return item[1]
		}
	}
	return nil
}

// tensors returns the items that are tensors.
func (d *dict) tensors() [][2]any {
	return slices.DeleteFunc(slices.Clone(d.items), func(item [2]any) bool { _, ok := item[1].(*tensor); return !ok })
}

func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "None"
	case *tensor:
		return "tensor"
	case *list, tuple:
		return "list"
	case string:
		return "text"
	case int64, float64, bool, *big.Int:
		return "number"
	}
	return fmt.Sprintf("%T", v)
}

// machine runs a pickle, whose only operations are those that make data.
type machine struct {
	r        *bufio.Reader
	left     int // bytes that may still be read
	stack    []any
	memo     map[int64]any
	storages map[string]*storage
}

// unpickle reads one pickle, and not a byte beyond it. It returns the object
// and the storages that it refers to, by their keys.
// https://github.com/python/cpython/blob/main/Lib/pickletools.py
func unpickle(r *bufio.Reader) (top any, storages map[string]*storage, err error) {
	m := &machine{r: r, left: maxPickle, memo: map[int64]any{}, storages: map[string]*storage{}}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case pickleError:
			top, storages, err = nil, nil, e.error
		default:
			panic(e)
		}
	}()
	for {
		op := m.bytes(1)[0]
		if op == '.' {
			return m.pop(), m.storages, nil
		}
		m.do(op)
	}
}

// pickleError is what do panics with.
type pickleError struct{ error }

func fail(format string, args ...any) { panic(pickleError{corrupt(format, args...)}) }

// bytes reads n bytes, which are its caller's.
func (m *machine) bytes(n int) []byte {
	if n < 0 || n > m.left {
		fail("the pickle is longer than %d bytes", maxPickle)
	}
	m.left -= n
	b := make([]byte, min(n, 1<<16)) // grows as far as there is something to read
	if _, err := io.ReadFull(m.r, b); err != nil {
		fail("the pickle is cut off")
	}
	for len(b) < n {
		at := len(b)
		b = append(b, make([]byte, min(n-at, at))...)
		if _, err := io.ReadFull(m.r, b[at:]); err != nil {
			fail("the pickle is cut off")
		}
	}
	return b
}

func (m *machine) u8() int    { return int(m.bytes(1)[0]) }
func (m *machine) u32() int64 { return int64(binary.LittleEndian.Uint32(m.bytes(4))) }

func (m *machine) sized(n int64) []byte {
	if n > maxPickle {
		fail("a text has %d bytes", n)
	}
	return m.bytes(int(n))
}

// line reads a text that ends with a newline.
func (m *machine) line() string {
	var b []byte
	for {
		c := m.bytes(1)[0]
		if c == '\n' {
			return string(b)
		}
		if b = append(b, c); len(b) > 1000 {
			fail("a name is longer than 1000 bytes")
		}
	}
}

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

func (m *machine) pop() any {
	if len(m.stack) == 0 {
		fail("the pickle takes more than it has")
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	if _, ok := v.(mark); ok {
		fail("the pickle takes more than it has")
	}
	return v
}

// popMark returns what lies above the last mark.
func (m *machine) popMark() []any {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items
		}
	}
	fail("the pickle takes more than it has")
	return nil
}

func (m *machine) top() any {
	v := m.pop()
	m.push(v)
	return v
}

func (m *machine) do(op byte) {
	switch op {
	case 0x80: // PROTO
		if v := m.u8(); v > 5 {
			fail("the pickle's protocol is %d, want at most 5", v)
		}
	case 0x95: // FRAME
		m.bytes(8)
	case '(':
		m.push(mark{})
	case '0':
		m.pop()
	case 'N':
		m.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		m.push(op == 0x88)
	case 'J':
		m.push(int64(int32(m.u32())))
	case 'K':
		m.push(int64(m.u8()))
	case 'M':
		m.push(int64(binary.LittleEndian.Uint16(m.bytes(2))))
	case 'G':
		m.push(math.Float64frombits(binary.BigEndian.Uint64(m.bytes(8))))
	case 0x8a: // LONG1
		m.push(long(m.bytes(m.u8())))
	case 'X', 'T', 'B': // BINUNICODE and the like
		m.push(string(m.sized(m.u32())))
	case 0x8c, 'U', 'C': // SHORT_BINUNICODE and the like
		m.push(string(m.bytes(m.u8())))
	case '}':
		m.push(&dict{})
	case ']':
		m.push(&list{})
	case ')':
		m.push(tuple{})
	case 't':
		m.push(tuple(m.popMark()))
	case 0x85, 0x86, 0x87: // TUPLE1 to TUPLE3
		t := make(tuple, int(op)-0x84)
		for i := range t {
			t[len(t)-1-i] = m.pop()
		}
		m.push(t)
	case 's':
		value, key := m.pop(), m.pop()
		m.set([]any{key, value})
	case 'u':
		m.set(m.popMark())
	case 'a':
		m.extend([]any{m.pop()})
	case 'e':
		m.extend(m.popMark())
	case 'q':
		m.memo[int64(m.u8())] = m.top()
	case 'r':
		m.memo[m.u32()] = m.top()
	case 0x94: // MEMOIZE
		m.memo[int64(len(m.memo))] = m.top()
	case 'h':
		m.recall(int64(m.u8()))
	case 'j':
		m.recall(m.u32())
	case 'c':
		module, name := m.line(), m.line()
		m.push(global(module, name))
	case 0x93: // STACK_GLOBAL
		name, isName := m.pop().(string)
		module, isModule := m.pop().(string)
		if !isName || !isModule {
			fail("the pickle has a function without a name")
		}
		m.push(global(module, name))
	case 'Q':
		m.push(m.persistent(m.pop()))
	case 'R':
		args, f := m.pop(), m.pop()
		m.push(m.call(f, args))
	case 'b': // BUILD: attributes, such as a state dict's _metadata
		m.pop()
		m.top()
	default:
		fail("the pickle has the operation %q, which no state dict needs", op)
	}
}

func (m *machine) recall(i int64) {
	v, ok := m.memo[i]
	if !ok {
		fail("the pickle refers to what is not there")
	}
	m.push(v)
}

func (m *machine) set(pairs []any) {
	d, ok := m.top().(*dict)
	if !ok || len(pairs)%2 != 0 {
		fail("the pickle fills what is no dictionary")
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		switch pairs[i].(type) {
		case nil, bool, int64, float64, string:
			d.items = append(d.items, [2]any{pairs[i], pairs[i+1]})
		default: // such keys are in checkpoints of optimizers, if at all
			d.items = append(d.items, [2]any{nil, pairs[i+1]})
		}
	}
}

func (m *machine) extend(items []any) {
	l, ok := m.top().(*list)
	if !ok {
		fail("the pickle fills what is no list")
	}
	l.items = append(l.items, items...)
}

// long decodes two's complement.
func long(b []byte) any {
	var n big.Int
	for i := len(b) - 1; i >= 0; i-- {
		n.Lsh(&n, 8).Or(&n, big.NewInt(int64(b[i])))
	}
	if len(b) > 0 && b[len(b)-1]&0x80 != 0 {
		n.Sub(&n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	if n.IsInt64() {
		return n.Int64()
	}
	return &n
}

// The functions that are understood.
const (
	orderedDict      = class("collections.OrderedDict")
	rebuildTensor    = class("torch._utils._rebuild_tensor")
	rebuildTensorV2  = class("torch._utils._rebuild_tensor_v2")
	rebuildParameter = class("torch._utils._rebuild_parameter")
	torchSize        = class("torch.Size")
)

// global finds a name of Python's, or refuses it.
func global(module, name string) class {
	full := class(module + "." + name)
	switch full {
	case orderedDict, rebuildTensor, rebuildTensorV2, rebuildParameter, torchSize:
		return full
	}
	if _, ok := kinds[name]; ok && module == "torch" {
		return full
	}
	panic(pickleError{fmt.Errorf("it asks for %.200q: %w; save it in Python as torch.save(model.state_dict(), path), or as safetensors", string(full), ErrRefused)})
}

// persistent finds a storage by what stands for it.
func (m *machine) persistent(id any) *storage {
	t, ok := id.(tuple)
	if !ok || len(t) < 5 || t[0] != "storage" {
		fail("the pickle refers to a %s, want a storage", kindOf(id))
	}
	of, _ := t[1].(class)
	key, isKey := t[2].(string)
	n, isNumber := t[4].(int64)
	name := string(of)
	k, known := kinds[name[min(len(name), len("torch.")):]]
	if !known || !isKey || !isNumber || n < 0 || n > math.MaxInt64/16 {
		fail("storage %.100q of %.100q is wrong", key, of)
	}
	if len(t) > 5 && t[5] != nil {
		fail("storage %.100q is a view of another, which torch has not written for years", key)
	}
	s := m.storages[key]
	if s == nil {
		s = &storage{key: key, kind: k, n: n}
		m.storages[key] = s
	}
	if s.n != n || s.kind.name != k.name {
		fail("storage %q is there with two sizes", key)
	}
	return s
}

// call makes what a function of Python's would return.
func (m *machine) call(f, args any) any {
	name, ok := f.(class)
	a, isTuple := args.(tuple)
	if !ok || !isTuple {
		fail("the pickle calls what is no function")
	}
	switch name {
	case orderedDict:
		if len(a) == 0 {
			return &dict{}
		}
	case torchSize:
		if len(a) == 1 {
			return a[0]
		}
	case rebuildParameter:
		if len(a) > 0 {
			if t, ok := a[0].(*tensor); ok {
				return t
			}
		}
	case rebuildTensor, rebuildTensorV2:
		if len(a) < 4 {
			break
		}
		s, isStorage := a[0].(*storage)
		offset, isNumber := a[1].(int64)
		size, isSize := numbers(a[2])
		stride, isStride := numbers(a[3])
		if isStorage && isNumber && isSize && isStride {
			return &tensor{s, offset, size, stride}
		}
	}
	fail("the pickle calls %s with %d arguments that do not fit", name, len(a))
	return nil
}

// numbers converts a tuple of integers.
func numbers(v any) (list []int64, ok bool) {
	t, ok := v.(tuple)
	for _, item := range t {
		n, is := item.(int64)
		if !is {
			return nil, false
		}
		list = append(list, n)
	}
	return list, ok
}
