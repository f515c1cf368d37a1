package bmp

import "io"

// runs undoes RLE8 and RLE4 as PIL does, whose rows are not cut off where a
// file's runs leave them: pixels come one after the other, and a new row fills
// the old one up.
func (b *bitmap) runs() ([]uint8, error) {
	size, data := b.w*b.h, b.data
	var pix []uint8 // grows with what comes
	zeros := func(n int) {
		pix = append(pix, make([]uint8, min(n, size-len(pix)))...)
	}
	x := 0
	for len(pix) < size {
		if len(data) < 2 {
			return nil, io.ErrUnexpectedEOF
		}
		n, v := int(data[0]), data[1]
		data = data[2:]
		switch {
		case n > 0:
			n = max(0, min(n, b.w-x))
			for i := range n {
				if b.compression == rle8 {
					pix = append(pix, v)
				} else {
					pix = append(pix, v>>(4-4*(i%2))&15)
				}
			}
			x += n
		case v == 0: // end of a row
			if rest := len(pix) % b.w; rest != 0 {
				zeros(b.w - rest)
			}
			x = 0
		case v == 1: // end of the picture
			return nil, FormatError("the picture ends before its last row")
		case v == 2: // so far to the right and up
			if len(data) < 2 {
				return nil, io.ErrUnexpectedEOF
			}
			zeros(int(data[0]) + int(data[1])*b.w)
			data, x = data[2:], len(pix)%b.w
		default: // so many pixels as they are
			count := min(size-len(pix), int(v))
			used := count
			if b.compression == rle4 {
				used = (count + 1) / 2
			}
			if len(data) < used {
				return nil, io.ErrUnexpectedEOF
			}
			for i := range count {
				if b.compression == rle8 {
					pix = append(pix, data[i])
				} else {
					pix = append(pix, data[i/2]>>(4-4*(i%2))&15)
				}
			}
			data, x = data[used:], x+int(v)
			if at := len(b.data) - len(data) + b.odd; at%2 == 1 && len(data) > 0 { // words of 16 bits
				data = data[1:]
			}
		}
	}
	pix = pix[:size]
	if !b.down {
		for y := range b.h / 2 {
			top, bottom := pix[y*b.w:][:b.w], pix[(b.h-1-y)*b.w:][:b.w]
			for i := range top {
				top[i], bottom[i] = bottom[i], top[i]
			}
		}
	}
	return pix, nil
}
