package tiff

import (
	"fmt"
	"io"
)

// Bits of the tag T4Options.
const (
	twoDimensions = 1
	uncompressedM = 2
)

// fax decodes rows of CCITT modified Huffman coding, which begin at whole
// bytes (or words), and of CCITT group 3 (ITU-T T.4), of one dimension or two.
// x/image/ccitt reads neither of the first and the last, and no end of a line
// that is moved to a whole byte.
type fax struct {
	data  []byte
	at    int // in bits
	width int

	endOfLines bool // of group 3
	two        bool // a bit after each end of a line says which coding follows
	align      int  // bits that each row begins at a multiple of; 0 for none
}

// rows decodes h rows into bits, of which a set one is black.
func (f *fax) rows(h int) ([]byte, error) {
	stride := ceil(f.width, 8)
	var out []byte // grows with what comes
	// The pixels of a row at which the colour changes, from white on.
	var reference, changes []int
	for y := range h {
		if f.align > 0 {
			f.at = ceil(f.at, f.align) * f.align
		}
		one := true
		if f.endOfLines {
			found := f.endOfLine()
			if f.two {
				if !found {
					return nil, fmt.Errorf("row %d has no end of a line before it: %w", y, f.short())
				}
				one = f.bit() == 1
			}
		}
		var err error
		if changes = changes[:0]; one {
			changes, err = f.oneDimension(changes)
		} else {
			changes, err = f.twoDimensions(changes, reference)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, make([]byte, stride)...)
		row := out[y*stride:]
		for i := 0; i < len(changes); i += 2 {
			end := f.width
			if i+1 < len(changes) {
				end = changes[i+1]
			}
			for x := changes[i]; x < end; x++ {
				row[x/8] |= 0x80 >> (x % 8)
			}
		}
		reference, changes = changes, reference
	}
	return out, nil
}

// bit takes the next bit off; beyond the end there are zeros.
func (f *fax) bit() uint16 {
	var b uint16
	if f.at < 8*len(f.data) {
		b = uint16(f.data[f.at/8]>>(7-f.at%8)) & 1
	}
	f.at++
	return b
}

// short is the error of a file that is cut off, or else of a wrong code.
func (f *fax) short() error {
	if f.at >= 8*len(f.data) {
		return io.ErrUnexpectedEOF
	}
	return FormatError("bad code in CCITT data")
}

// endOfLine takes eleven zeros or more and a one off, where they are next.
func (f *fax) endOfLine() bool {
	start := f.at
	for f.at < 8*len(f.data) {
		if f.bit() == 1 {
			if f.at-start >= 12 {
				return true
			}
			break
		}
	}
	f.at = start
	return false
}

// run returns the length of a run of a colour, and false for a wrong code.
func (f *fax) run(black bool) (int, bool) {
	codes := whiteRuns
	if black {
		codes = blackRuns
	}
	total := 0
	for {
		code, n, ok := uint16(1), 0, false
		for range 13 { // no code is longer
			code = code<<1 | f.bit()
			if n, ok = codes[code]; ok {
				break
			}
		}
		if total += n; !ok || total > f.width || f.at > 8*len(f.data) {
			return 0, false
		}
		if n < 64 {
			return total, true
		}
	}
}

func (f *fax) oneDimension(changes []int) ([]int, error) {
	x, black := 0, false
	for x < f.width {
		n, ok := f.run(black)
		if x += n; !ok || x > f.width {
			return nil, f.short()
		}
		if black = !black; x < f.width {
			changes = append(changes, x)
		}
	}
	return changes, nil
}

// twoDimensions decodes a row by what differs from the one above (T.4, section
// 4.2).
func (f *fax) twoDimensions(changes, reference []int) ([]int, error) {
	x, black, i := -1, false, 0
	at := func(i int) int {
		if i < len(reference) {
			return reference[i]
		}
		return f.width
	}
	for x < f.width {
		// b1 is the first change above to the right, to the other colour.
		// The row goes on to the right, so it is near the last one.
		if i%2 == 1 != black {
			if i--; i < 0 {
				i = 1
			}
		}
		for i < len(reference) && reference[i] <= x {
			i += 2
		}
		b1, b2 := at(i), at(i+1)
		vertical, ok := 0, false
		zeros := 0
		for zeros < 7 && f.bit() == 0 {
			zeros++
		}
		if f.at > 8*len(f.data) {
			return nil, io.ErrUnexpectedEOF
		}
		switch zeros {
		case 0:
			ok = true
		case 1, 4, 5: // one bit more: to the right or to the left
			vertical, ok = map[int]int{1: 1, 4: 2, 5: 3}[zeros], true
			if f.bit() == 0 {
				vertical = -vertical
			}
		case 2: // two runs
			x = max(x, 0)
			for range 2 {
				n, fine := f.run(black)
				if x += n; !fine || x > f.width {
					return nil, f.short()
				}
				black = !black
				changes = append(changes, x)
			}
			continue
		case 3: // past the change above
			x = b2
			continue
		}
		if !ok || b1+vertical < max(x, 0) || b1+vertical > f.width {
			return nil, f.short()
		}
		x, black = b1+vertical, !black
		changes = append(changes, x)
	}
	// Changes at the end of the row are none.
	for len(changes) > 0 && changes[len(changes)-1] >= f.width {
		changes = changes[:len(changes)-1]
	}
	return changes, nil
}
