package webp

import (
	"bytes"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/vp8l"
)

// readAlpha decodes an ALPH chunk (RFC 9649, section 2.7.1.2): a byte of
// flags, and values that are stored plainly or as the green channel of a VP8L
// picture, and may be differences from their neighbours.
func readAlpha(chunk []byte, w, h int) ([]byte, error) {
	if len(chunk) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	flags, chunk := chunk[0], chunk[1:]
	alpha := make([]byte, w*h)
	switch method := flags & 3; method {
	case 0:
		if copy(alpha, chunk) < len(alpha) {
			return nil, io.ErrUnexpectedEOF
		}
	case 1:
		// The stream has no header, since the size is known.
		x, y := uint32(w-1), uint32(h-1)
		head := []byte{0x2f, byte(x), byte(x>>8) | byte(y<<6), byte(y >> 2), byte(y >> 10)}
		m, err := vp8l.Decode(io.MultiReader(bytes.NewReader(head), bytes.NewReader(chunk)))
		if err != nil {
			return nil, explain(err)
		}
		pix := m.(*image.NRGBA).Pix
		for i := range alpha {
			alpha[i] = pix[4*i+1]
		}
	default:
		return nil, FormatError(fmt.Sprintf("compression %d of the alpha channel", method))
	}
	unfilter(alpha, w, flags>>2&3)
	return alpha, nil
}

// unfilter adds to each value what was predicted for it: by the left
// neighbour (1), by the one above (2), or by the slope of three (3). In the
// first row and the first column there is only one to predict from.
func unfilter(alpha []byte, w int, filter byte) {
	if filter == 0 {
		return
	}
	for i := range alpha {
		switch x := i % w; {
		case i == 0:
		case i < w:
			alpha[i] += alpha[i-1]
		case x == 0:
			alpha[i] += alpha[i-w]
		case filter == 1:
			alpha[i] += alpha[i-1]
		case filter == 2:
			alpha[i] += alpha[i-w]
		default:
			slope := int(alpha[i-1]) + int(alpha[i-w]) - int(alpha[i-w-1])
			alpha[i] += byte(min(max(slope, 0), 255))
		}
	}
}
