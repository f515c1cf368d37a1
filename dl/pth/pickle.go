package pth

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/big"
	"slices"
	"strings"
)

// What a pickle may take in memory, in bytes: each operation is counted as what
// it makes at most. A state dict needs some 45 operations a tensor, so that
// this is enough for 40,000 tensors.
const (
	maxPickle = 128 << 20
	opCost    = 64
)

// What a pickle is made of, besides nil, bool, int64, float64, string and
// *big.Int.
type (
	dict  struct{ items [][2]any }
	list  struct{ items []any }
	tuple []any
	class string // a function or class, such as "torch._utils._rebuild_tensor_v2"
	mark  struct{}
)

// add appends an item.
func (d *dict) add(key, value any) {
	switch key.(type) {
	case nil, bool, int64, float64, string:
	default: // such keys are in checkpoints of optimizers, if at all
		key = nil
	}
	d.items = append(d.items, [2]any{key, value})
}

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
	left     int // bytes of memory that may still be taken
	stack    []any
	memo     map[int64]any
	storages map[string]*storage
}

// unpickle reads one pickle, and not a byte beyond it. It returns the object
// and the storages that it refers to, by their keys. It takes no more than
// about limit bytes of memory.
// https://github.com/python/cpython/blob/main/Lib/pickletools.py
func unpickle(r *bufio.Reader, limit int) (top any, storages map[string]*storage, err error) {
	m := &machine{r: r, left: limit, memo: map[int64]any{}, storages: map[string]*storage{}}
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
		m.charge(opCost)
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

// charge counts n bytes of memory.
func (m *machine) charge(n int) {
	if n < 0 || n > m.left {
		fail("the pickle would take too much memory, more than a state dict needs")
	}
	m.left -= n
}

// bytes reads n bytes, which are its caller's.
func (m *machine) bytes(n int) []byte {
	m.charge(n)
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
	case 'I', 'L': // INT, LONG: how protocol 1 writes truths and large numbers
		m.push(decimal(m.line()))
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
	case 'i': // INST
		module, name := m.line(), m.line()
		global(module, name)
		fail("the pickle makes an object of %.100q, which is a function", module+"."+name)
	case 0x82, 0x83, 0x84: // EXT1 to EXT4
		refuse("an extension of Python's copyreg", saveWeights)
	case 'd', 'l', 'p', 'g', 'F', 'S', 'V', 'P': // DICT, LIST, PUT, GET, FLOAT, STRING, UNICODE, PERSID
		panic(pickleError{fmt.Errorf("the pickle is of protocol 0, which torch itself cannot read: %w; %s", ErrCorrupt, saveWeights)})
	case 'b': // BUILD: attributes, such as a state dict's _metadata
		m.pop()
		m.top()
	default:
		fail("the pickle has the operation %#x, which no state dict needs", op)
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
		d.add(pairs[i], pairs[i+1])
	}
}

func (m *machine) extend(items []any) {
	l, ok := m.top().(*list)
	if !ok {
		fail("the pickle fills what is no list")
	}
	l.items = append(l.items, items...)
}

// decimal reads a number in digits. 00 and 01 are truths.
func decimal(line string) any {
	switch line {
	case "00", "01":
		return line == "01"
	}
	n, ok := new(big.Int).SetString(strings.TrimSuffix(line, "L"), 10)
	if !ok {
		fail("the pickle has %.50q for a number", line)
	}
	if n.IsInt64() {
		return n.Int64()
	}
	return n
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
