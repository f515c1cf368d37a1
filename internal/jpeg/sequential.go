package jpeg

import "encoding/binary"

// zigzag is where the k-th coefficient of the file is in a block, row by
// row (T.81, figure A.6).
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

var (
	errCode = FormatError("bad Huffman code")
	errMany = FormatError("too many coefficients")
)

// latch keeps the component's quantization as it is at its first scan: the
// step in the upper bits, the place in the lower eight. Places beyond the
// block, which a damaged file can reach, are the last.
func (c *component) latch(quant *[64]uint16) {
	for k := range c.dequant {
		c.dequant[k] = uint32(quant[min(k, 63)])<<8 | uint32(zigzag[min(k, 63)])
	}
}

// sequential reads a block of a baseline file (T.81 F.2.2) and multiplies it
// by its quantization. used has a bit for each place where a coefficient was
// put, the first one aside.
func (r *reader) sequential(c *component, b *[64]int16) (used uint64, err error) {
	if r.n < 32 {
		r.fill()
	}
	// As in the loop below, but that most blocks of colour differ by nothing
	// from the one before.
	if e := c.dcTab.fast[r.acc>>(64-lookBits)]; e>>16 != 0 || e != 0 && e>>5&15 == 0 {
		c.pred += e >> 16
		r.acc <<= e & 31
		r.n -= int(e & 31)
	} else {
		_, size, ok := r.code(c.dcTab)
		if !ok {
			return 0, errCode
		}
		c.pred += extend(r.take(size), size)
	}
	b[0] = int16(c.pred * int32(c.dequant[0]>>8))

	// The loop keeps the reader in registers: half of a picture's time goes here.
	acc, n, pos, data, t := r.acc, r.n, r.pos, r.data, c.acTab
	k := 1
	for k < 64 {
		if n < 32 {
			acc |= binary.BigEndian.Uint64(data[pos:]) >> (n & 63)
			pos += (63 - n) >> 3
			n |= 56
		}
		e := t.fast[acc>>(64-lookBits)]
		length := int(e & 31)
		v := e >> 16
		if v == 0 { // the number is not in the table, or there is none
			run, size := int(e>>9&15), int(e>>5&15)
			if e == 0 {
				var value uint8
				if value, length = t.long(acc); length == 0 {
					return 0, errCode
				}
				run, size = int(value>>4), int(value&15)
			}
			acc <<= length & 63
			n -= length
			if size == 0 {
				if run < 15 { // the rest of the block is 0
					break
				}
				k += 16
				continue
			}
			v = extend(uint32(acc>>(64-size&63)), size)
			k += run
			length = size
		} else {
			k += int(e >> 9 & 15)
		}
		acc <<= length & 63
		n -= length
		step := c.dequant[k&127]
		b[step&63] = int16(v * int32(step>>8))
		used |= 1 << (step & 63)
		k++
	}
	r.acc, r.n, r.pos = acc, n, pos
	if k > 64 {
		return 0, errMany
	}
	return used, nil
}
