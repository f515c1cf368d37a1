package jpeg

// lookBits is how many bits are looked up at once.
const lookBits = 10

// table is a Huffman table (T.81 annex C), and what follows its codes.
//
// Most codes are short and announce a small number, whose bits come right
// behind. An entry of fast holds both, so that one look gives a whole
// coefficient:
//
//	bits 16 to 31  the number, which is not 0; 0 when it has to be read
//	bits 9 to 12   run: zeros before it
//	bits 5 to 8    size: bits of the number
//	bits 0 to 4    bits of the code, and of the number when that is here
//
// An entry of 0 stands for codes that are longer, or none.
type table struct {
	defined bool
	fast    [1 << lookBits]int32
	limit   [17]uint32 // the code after the last one of each length, with zeros up to 16 bits
	offset  [17]int32  // of a length's codes: index in values less the first code
	values  [256]uint8
}

// build fills the table from the number of codes of each length and their
// values.
func (t *table) build(counts [16]uint8, values []uint8, dc bool) error {
	*t = table{defined: true}
	copy(t.values[:], values)
	code, k := int32(0), int32(0)
	for i, n := range counts {
		length := i + 1
		t.offset[length] = k - code
		if code+int32(n) > 1<<length {
			return FormatError("bad Huffman code lengths")
		}
		for range n {
			value := t.values[k]
			if dc && value > 15 {
				return FormatError("bad DC size in a Huffman table")
			}
			if length <= lookBits {
				t.spread(code, length, value)
			}
			code++
			k++
		}
		t.limit[length] = uint32(code) << (16 - length)
		code <<= 1
	}
	return nil
}

// spread writes the entries that begin with a code.
func (t *table) spread(code int32, length int, value uint8) {
	run, size := int32(value>>4), int(value&15)
	free := lookBits - length
	for tail := range int32(1) << free {
		entry := run<<9 | int32(size)<<5 | int32(length)
		if size > 0 && size <= free {
			number := extend(uint32(tail>>(free-size)), size)
			entry = number<<16 | run<<9 | int32(size)<<5 | int32(length+size)
		}
		t.fast[code<<free|tail] = entry
	}
}

// extend gives a number of size bits its sign (T.81, figure F.12).
func extend(bits uint32, size int) int32 {
	v := int32(bits)
	if size > 0 && v>>(size-1) == 0 {
		v -= 1<<size - 1
	}
	return v
}
