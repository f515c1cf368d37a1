package jpeg

import (
	"bytes"
	"encoding/binary"
)

// reader takes bits out of the coded data of a scan.
//
// The data are copied first, without the zero bytes that keep 0xff from
// being a marker (T.81 F.1.2.3), and cut into the intervals between restarts.
// After that eight bytes can be fetched at once, with no look at any of them.
type reader struct {
	data []byte // of all intervals, and reserve zeros
	ends []int  // of the intervals, in data

	acc uint64 // the next bits, highest first
	n   int    // how many of them count
	pos int    // in data, of the first byte that acc does not count
	end int    // of this interval
}

// reserve is more than one block can use: 64 numbers of 31 bits and a fetch.
// Whether a block went beyond its interval is asked after it.
const reserve = 64*31/8 + 16

var errShort = FormatError("short Huffman data")

// load takes the coded data of a scan from the head of b, and returns what
// follows: a marker.
func (r *reader) load(b []byte) ([]byte, error) {
	r.data, r.ends = r.data[:0], r.ends[:0]
	for {
		at := bytes.IndexByte(b, 0xff)
		if at < 0 || at+1 == len(b) {
			return nil, errCut
		}
		switch kind := b[at+1]; {
		case kind == 0:
			r.data = append(r.data, b[:at+1]...)
			b = b[at+2:]
		case kind == 0xff: // fill
			r.data = append(r.data, b[:at]...)
			b = b[at+1:]
		case kind >= rst0 && kind <= rst7:
			if int(kind-rst0) != len(r.ends)%8 {
				return nil, FormatError("bad RST marker")
			}
			r.data = append(r.data, b[:at]...)
			r.ends = append(r.ends, len(r.data))
			b = b[at+2:]
		default:
			r.data = append(r.data, b[:at]...)
			r.ends = append(r.ends, len(r.data))
			r.data = append(r.data, make([]byte, reserve)...)
			return b[at:], nil
		}
	}
}

// start goes to the i-th interval.
func (r *reader) start(i int) error {
	if i >= len(r.ends) {
		return errShort
	}
	r.acc, r.n, r.pos, r.end = 0, 0, 0, r.ends[i]
	if i > 0 {
		r.pos = r.ends[i-1]
	}
	return nil
}

// over reports whether more bits were read than the interval has.
func (r *reader) over() bool { return 8*r.pos-r.n > 8*r.end }

// fill makes at least 56 bits ready. The bits of acc beyond n are already
// those of the file, and are fetched again (Giesen, "Reading bits in far too
// many ways", 2018, variant 4).
func (r *reader) fill() {
	r.acc |= binary.BigEndian.Uint64(r.data[r.pos:]) >> (r.n & 63)
	r.pos += (63 - r.n) >> 3
	r.n |= 56
}

// take returns the next bits, at most 32 of them.
func (r *reader) take(n int) uint32 {
	if r.n < 32 {
		r.fill()
	}
	v := uint32(r.acc >> 1 >> (63 - n&63))
	r.acc <<= n & 63
	r.n -= n
	return v
}

// code reads one code: the run and the size that it stands for.
func (r *reader) code(t *table) (run, size int, ok bool) {
	if r.n < 32 {
		r.fill()
	}
	e := t.fast[r.acc>>(64-lookBits)]
	if e == 0 {
		value, length := t.long(r.acc)
		r.acc <<= length & 63
		r.n -= length
		return int(value >> 4), int(value & 15), length > 0
	}
	run, size = int(e>>9&15), int(e>>5&15)
	length := int(e & 31)
	if e>>16 != 0 {
		length -= size
	}
	r.acc <<= length & 63
	r.n -= length
	return run, size, true
}

// long finds a code that is longer than the fast table's; its length is 0
// when there is none.
func (t *table) long(acc uint64) (value uint8, length int) {
	next := uint32(acc >> 48)
	for length := lookBits + 1; length <= 16; length++ {
		if next < t.limit[length] {
			return t.values[(int32(next>>(16-length))+t.offset[length])&255], length
		}
	}
	return 0, 0
}
