// Package pickle reads the data in Python's pickles, and runs nothing of them.
//
// A pickle is a program that makes an object. [Read] keeps what is data in it:
// dictionaries, lists, tuples, numbers and texts. For what Python would have
// made by calling a function or a class it keeps an [Object], unless the
// caller's [Hooks] know the function. Protocols 0 to 5 are read.
// https://github.com/python/cpython/blob/main/Lib/pickletools.py
package pickle

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// opCost is what each operation is counted as in memory, in bytes: as much as it
// makes at most. A state dict needs some 45 operations a tensor.
const opCost = 64

// maxText is how long a text may be, in bytes.
const maxText = 128 << 20

// Hooks know what some calls make.
type Hooks interface {
	// Call returns what a function makes, and false for one that it does not
	// know. It may call [Fail] for arguments that do not fit.
	Call(m *Machine, f Class, args Tuple) (any, bool)

	// Persistent returns what stands for an object outside the pickle: a tuple,
	// or a text in protocol 0.
	Persistent(m *Machine, id any) any
}

// Machine runs a pickle, whose only operations are those that make data.
type Machine struct {
	r     *bufio.Reader
	hooks Hooks
	left  int  // bytes of memory that may still be taken
	bytes bool // bytes are kept
	stack []any
	memo  map[int64]any
}

// Read reads one pickle, and not a byte beyond it. It takes no more than about
// limit bytes of memory. Bytes become objects without their content, or with
// keep a [Bytes]. An error says what is wrong with the pickle.
func Read(r *bufio.Reader, limit int, keep bool, hooks Hooks) (top any, err error) {
	m := &Machine{r: r, hooks: hooks, left: limit, bytes: keep, memo: map[int64]any{}}
	defer func() {
		switch e := recover().(type) {
		case nil:
		case pickleError:
			top, err = nil, e.error
		default:
			panic(e)
		}
	}()
	for {
		m.charge(opCost)
		op := m.take(1)[0]
		if op == '.' {
			return m.pop(), nil
		}
		m.do(op)
	}
}

// pickleError is what [Fail] panics with.
type pickleError struct{ error }

// Fail ends [Read] with an error. Only hooks call it.
func Fail(format string, args ...any) { panic(pickleError{fmt.Errorf(format, args...)}) }

// Charge counts the memory of n operations, for a hook that copies.
func (m *Machine) Charge(n int) { m.charge(n * opCost) }

// charge counts n bytes of memory.
func (m *Machine) charge(n int) {
	if n < 0 || n > m.left {
		Fail("the pickle would take too much memory, more than a state dict needs")
	}
	m.left -= n
}

// take reads n bytes, which are its caller's.
func (m *Machine) take(n int) []byte {
	m.charge(n)
	b := make([]byte, min(n, 1<<16)) // grows as far as there is something to read
	if _, err := io.ReadFull(m.r, b); err != nil {
		Fail("the pickle is cut off")
	}
	for len(b) < n {
		at := len(b)
		b = append(b, make([]byte, min(n-at, at))...)
		if _, err := io.ReadFull(m.r, b[at:]); err != nil {
			Fail("the pickle is cut off")
		}
	}
	return b
}

func (m *Machine) u8() int    { return int(m.take(1)[0]) }
func (m *Machine) u32() int64 { return int64(binary.LittleEndian.Uint32(m.take(4))) }
func (m *Machine) u64() int64 { return int64(binary.LittleEndian.Uint64(m.take(8))) }

func (m *Machine) sized(n int64) []byte {
	if n < 0 || n > maxText {
		Fail("a text has %d bytes", uint64(n))
	}
	return m.take(int(n))
}

// maxName is how long a name or a number may be, in bytes.
const maxName = 1000

// line reads a text of at most so many bytes that ends with a newline.
func (m *Machine) line(most int) string {
	var b []byte
	for {
		c, err := m.r.ReadByte()
		if err != nil {
			Fail("the pickle is cut off")
		}
		if c == '\n' {
			return string(b)
		}
		m.charge(3) // of a slice that grows and of the text
		if b = append(b, c); len(b) > most {
			Fail("a name is longer than %d bytes", most)
		}
	}
}

func (m *Machine) push(v any) { m.stack = append(m.stack, v) }

func (m *Machine) pop() any {
	if len(m.stack) == 0 {
		Fail("the pickle takes more than it has")
	}
	v := m.stack[len(m.stack)-1]
	m.stack = m.stack[:len(m.stack)-1]
	if _, ok := v.(mark); ok {
		Fail("the pickle takes more than it has")
	}
	return v
}

// popOrMark takes off the top, which may be a mark.
func (m *Machine) popOrMark() {
	if n := len(m.stack); n > 0 {
		if _, ok := m.stack[n-1].(mark); ok {
			m.stack = m.stack[:n-1]
			return
		}
	}
	m.pop()
}

// popMark returns what is above the last mark.
func (m *Machine) popMark() []any {
	for i := len(m.stack) - 1; i >= 0; i-- {
		if _, ok := m.stack[i].(mark); ok {
			items := append([]any(nil), m.stack[i+1:]...)
			m.stack = m.stack[:i]
			return items
		}
	}
	Fail("the pickle takes more than it has")
	return nil
}

func (m *Machine) top() any {
	v := m.pop()
	m.push(v)
	return v
}

func (m *Machine) do(op byte) {
	switch op {
	case 0x80: // PROTO
		if v := m.u8(); v > 5 {
			Fail("the pickle's protocol is %d, want at most 5", v)
		}
	case 0x95: // FRAME
		m.take(8)
	case '(':
		m.push(mark{})
	case '0':
		m.popOrMark()
	case '1': // POP_MARK
		m.popMark()
	case '2': // DUP
		m.push(m.top())
	case 'N':
		m.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		m.push(op == 0x88)
	case 'J':
		m.push(int64(int32(m.u32())))
	case 'K':
		m.push(int64(m.u8()))
	case 'M':
		m.push(int64(binary.LittleEndian.Uint16(m.take(2))))
	case 'G':
		m.push(math.Float64frombits(binary.BigEndian.Uint64(m.take(8))))
	case 'F': // FLOAT, in digits
		m.push(float(m.line(maxName)))
	case 0x8a: // LONG1
		m.push(long(m.take(m.u8())))
	case 0x8b: // LONG4
		m.push(long(m.sized(m.u32())))
	case 'I', 'L': // INT, LONG: how protocol 1 writes truths and large numbers
		m.push(decimal(m.line(maxText)))
	case 'X', 'T': // BINUNICODE, BINSTRING
		m.push(string(m.sized(m.u32())))
	case 0x8c, 'U': // SHORT_BINUNICODE, SHORT_BINSTRING
		m.push(string(m.take(m.u8())))
	case 0x8d: // BINUNICODE8
		m.push(string(m.sized(m.u64())))
	case 'S', 'V': // STRING, UNICODE: lines with escapes
		m.push(unescape(op, m.line(maxText)))
	case 'B': // BINBYTES
		m.pushBytes(m.u32())
	case 'C': // SHORT_BINBYTES
		m.pushBytes(int64(m.u8()))
	case 0x8e, 0x96: // BINBYTES8, BYTEARRAY8
		m.pushBytes(m.u64())
	case '}':
		m.push(&Dict{})
	case 'd': // DICT
		items := m.popMark()
		m.push(&Dict{})
		m.set(items)
	case ']':
		m.push(&List{})
	case 'l': // LIST
		m.push(&List{m.popMark()})
	case ')':
		m.push(Tuple{})
	case 't':
		m.push(Tuple(m.popMark()))
	case 0x85, 0x86, 0x87: // TUPLE1 to TUPLE3
		t := make(Tuple, int(op)-0x84)
		for i := range t {
			t[len(t)-1-i] = m.pop()
		}
		m.push(t)
	case 0x8f: // EMPTY_SET
		m.push(m.Object("builtins.set"))
	case 0x91: // FROZENSET
		m.popMark()
		m.push(m.Object("builtins.frozenset"))
	case 's':
		value, key := m.pop(), m.pop()
		m.set([]any{key, value})
	case 'u':
		m.set(m.popMark())
	case 'a':
		m.extend([]any{m.pop()})
	case 'e', 0x90: // APPENDS, ADDITEMS
		m.extend(m.popMark())
	case 'q':
		m.memo[int64(m.u8())] = m.top()
	case 'r':
		m.memo[m.u32()] = m.top()
	case 'p': // PUT
		m.memo[m.index()] = m.top()
	case 0x94: // MEMOIZE
		m.memo[int64(len(m.memo))] = m.top()
	case 'h':
		m.recall(int64(m.u8()))
	case 'j':
		m.recall(m.u32())
	case 'g': // GET
		m.recall(m.index())
	case 'c':
		module, name := m.line(maxName), m.line(maxName)
		m.push(Class(module + "." + name))
	case 0x93: // STACK_GLOBAL
		name, isName := m.pop().(string)
		module, isModule := m.pop().(string)
		if !isName || !isModule {
			Fail("the pickle has a function without a name")
		}
		m.push(Class(module + "." + name))
	case 0x82, 0x83, 0x84: // EXT1 to EXT4: a class by its number in Python's copyreg
		m.take(1 << (op - 0x82))
		m.push(Class("copyreg.extension"))
	case 'Q':
		m.push(m.hooks.Persistent(m, m.pop()))
	case 'P': // PERSID
		m.push(m.hooks.Persistent(m, m.line(maxName)))
	case 'R':
		args, f := m.pop(), m.pop()
		m.push(m.call(f, args))
	case 'i': // INST
		module, name := m.line(maxName), m.line(maxName)
		m.popMark()
		m.push(m.Object(Class(module + "." + name)))
	case 'o': // OBJ
		items := m.popMark()
		if len(items) == 0 {
			Fail("the pickle makes an object of no class")
		}
		m.push(m.instance(items[0]))
	case 0x81: // NEWOBJ
		m.pop()
		m.push(m.instance(m.pop()))
	case 0x92: // NEWOBJ_EX
		m.pop()
		m.pop()
		m.push(m.instance(m.pop()))
	case 'b': // BUILD: attributes, such as a state dict's _metadata
		state := m.pop()
		if o, ok := m.top().(*Object); ok {
			o.State = state
		}
	default:
		Fail("the pickle has the operation %#x, which torch.save does not write", op)
	}
}

// pushBytes pushes so many bytes, or what stands for them.
func (m *Machine) pushBytes(n int64) {
	if m.bytes {
		m.push(Bytes(m.sized(n)))
		return
	}
	if n < 0 {
		Fail("a text has %d bytes", uint64(n))
	}
	if _, err := io.CopyN(io.Discard, m.r, n); err != nil {
		Fail("the pickle is cut off")
	}
	m.push(m.Object("builtins.bytes"))
}

// instance stands for a new object of a class.
func (m *Machine) instance(of any) any {
	c, _ := of.(Class)
	if dictionaries[c] {
		return &Dict{}
	}
	return m.Object(c)
}

func (m *Machine) recall(i int64) {
	v, ok := m.memo[i]
	if !ok {
		Fail("the pickle refers to what is not there")
	}
	m.push(v)
}

func (m *Machine) set(pairs []any) {
	d, ok := m.top().(*Dict)
	if o, is := m.top().(*Object); is { // of a subclass, such as defaultdict
		d, ok = &o.Dict, true
	}
	if !ok || len(pairs)%2 != 0 {
		Fail("the pickle fills what is no dictionary")
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		d.Add(pairs[i], pairs[i+1])
	}
}

func (m *Machine) extend(items []any) {
	l, ok := m.top().(*List)
	if o, is := m.top().(*Object); is { // of a subclass, or a set
		l, ok = &o.List, true
	}
	if !ok {
		Fail("the pickle fills what is no list")
	}
	l.Items = append(l.Items, items...)
}

// index reads a place in the memo in digits.
func (m *Machine) index() int64 {
	i, ok := decimal(m.line(maxName)).(int64)
	if !ok || i < 0 {
		Fail("the pickle refers to what is not there")
	}
	return i
}
