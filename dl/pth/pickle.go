package pth

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"
)

// What a pickle may take in memory, in bytes: each operation is counted as what
// it makes at most. A state dict needs some 45 operations a tensor, so that
// this is enough for 40,000 tensors.
const (
	maxPickle = 128 << 20
	opCost    = 64
)

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
func (m *machine) u64() int64 { return int64(binary.LittleEndian.Uint64(m.bytes(8))) }

func (m *machine) sized(n int64) []byte {
	if n < 0 || n > maxPickle {
		fail("a text has %d bytes", uint64(n))
	}
	return m.bytes(int(n))
}

// maxName is how long a name or a number may be, in bytes.
const maxName = 1000

// line reads a text of at most so many bytes that ends with a newline.
func (m *machine) line(most int) string {
	var b []byte
	for {
		c, err := m.r.ReadByte()
		if err != nil {
			fail("the pickle is cut off")
		}
		if c == '\n' {
			return string(b)
		}
		m.charge(3) // of a slice that grows and of the text
		if b = append(b, c); len(b) > most {
			fail("a name is longer than %d bytes", most)
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

// popOrMark takes off the top, which may be a mark.
func (m *machine) popOrMark() {
	if n := len(m.stack); n > 0 {
		if _, ok := m.stack[n-1].(mark); ok {
			m.stack = m.stack[:n-1]
			return
		}
	}
	m.pop()
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
		m.push(int64(binary.LittleEndian.Uint16(m.bytes(2))))
	case 'G':
		m.push(math.Float64frombits(binary.BigEndian.Uint64(m.bytes(8))))
	case 'F': // FLOAT, in digits
		m.push(float(m.line(maxName)))
	case 0x8a: // LONG1
		m.push(long(m.bytes(m.u8())))
	case 0x8b: // LONG4
		m.push(long(m.sized(m.u32())))
	case 'I', 'L': // INT, LONG: how protocol 1 writes truths and large numbers
		m.push(decimal(m.line(maxPickle)))
	case 'X', 'T': // BINUNICODE, BINSTRING
		m.push(string(m.sized(m.u32())))
	case 0x8c, 'U': // SHORT_BINUNICODE, SHORT_BINSTRING
		m.push(string(m.bytes(m.u8())))
	case 0x8d: // BINUNICODE8
		m.push(string(m.sized(m.u64())))
	case 'S', 'V': // STRING, UNICODE: lines with escapes
		m.push(unescape(op, m.line(maxPickle)))
	case 'B': // BINBYTES
		m.opaqueBytes(m.u32())
	case 'C': // SHORT_BINBYTES
		m.opaqueBytes(int64(m.u8()))
	case 0x8e, 0x96: // BINBYTES8, BYTEARRAY8
		m.opaqueBytes(m.u64())
	case '}':
		m.push(&dict{})
	case 'd': // DICT
		items := m.popMark()
		m.push(&dict{})
		m.set(items)
	case ']':
		m.push(&list{})
	case 'l': // LIST
		m.push(&list{m.popMark()})
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
	case 0x8f: // EMPTY_SET
		m.push(m.object("builtins.set"))
	case 0x91: // FROZENSET
		m.popMark()
		m.push(m.object("builtins.frozenset"))
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
		m.push(class(module + "." + name))
	case 0x93: // STACK_GLOBAL
		name, isName := m.pop().(string)
		module, isModule := m.pop().(string)
		if !isName || !isModule {
			fail("the pickle has a function without a name")
		}
		m.push(class(module + "." + name))
	case 0x82, 0x83, 0x84: // EXT1 to EXT4: a class by its number in Python's copyreg
		m.bytes(1 << (op - 0x82))
		m.push(class("copyreg.extension"))
	case 'Q':
		m.push(m.persistent(m.pop()))
	case 'P': // PERSID
		m.push(m.persistent(m.line(maxName)))
	case 'R':
		args, f := m.pop(), m.pop()
		m.push(m.call(f, args))
	case 'i': // INST
		module, name := m.line(maxName), m.line(maxName)
		m.popMark()
		m.push(m.object(class(module + "." + name)))
	case 'o': // OBJ
		items := m.popMark()
		if len(items) == 0 {
			fail("the pickle makes an object of no class")
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
		if o, ok := m.top().(*object); ok {
			o.build(state)
		}
	default:
		fail("the pickle has the operation %#x, which torch.save does not write", op)
	}
}

// opaqueBytes pushes what stands for so many bytes, which it leaves out.
func (m *machine) opaqueBytes(n int64) {
	if n < 0 {
		fail("a text has %d bytes", uint64(n))
	}
	if _, err := io.CopyN(io.Discard, m.r, n); err != nil {
		fail("the pickle is cut off")
	}
	m.push(m.object("builtins.bytes"))
}

// instance stands for a new object of a class.
func (m *machine) instance(of any) any {
	c, _ := of.(class)
	if dictionaries[c] {
		return &dict{}
	}
	return m.object(c)
}

// build looks at an object's attributes. It keeps none: an attribute is what
// Python code makes of it.
func (o *object) build(state any) {
	d, ok := state.(*dict)
	if !ok {
		return
	}
	has := 0
	for _, item := range d.items {
		if item[0] == "_parameters" || item[0] == "_modules" {
			has++
		}
	}
	o.model = o.model || has == 2
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
	if o, is := m.top().(*object); is { // of a subclass, such as defaultdict
		d, ok = &o.dict, true
	}
	if !ok || len(pairs)%2 != 0 {
		fail("the pickle fills what is no dictionary")
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		d.add(pairs[i], pairs[i+1])
	}
}

func (m *machine) extend(items []any) {
	l, ok := m.top().(*list)
	if o, is := m.top().(*object); is { // of a subclass, or a set
		l, ok = &o.list, true
	}
	if !ok {
		fail("the pickle fills what is no list")
	}
	l.items = append(l.items, items...)
}

// index reads a place in the memo in digits.
func (m *machine) index() int64 {
	i, ok := decimal(m.line(maxName)).(int64)
	if !ok || i < 0 {
		fail("the pickle refers to what is not there")
	}
	return i
}
