// Package pnm decodes the pictures of Netpbm, PBM, PGM and PPM, plain and raw,
// of 8 and 16 bits, and PFM of one channel, to the values that PIL reads in
// them. The formats are specified by Netpbm's pages pbm(5), pgm(5), ppm(5) and
// pfm(5).
//
// github.com/spakin/netpbm reads them too, but scales samples otherwise than
// PIL and allocates what a forged header asks for.
package pnm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"io"
	"math"
	"strconv"

	"github.com/holt-dl/holt/internal/imagefile"
)

func init() { imagefile.Register(imagefile.Format{Name: "PPM", Match: match, Decode: Decode}) }

func match(head []byte) bool {
	return len(head) >= 3 && head[0] == 'P' && bytes.IndexByte([]byte("1234567fF"), head[1]) >= 0 && space(head[2])
}

func space(b byte) bool { return b == ' ' || b >= '\t' && b <= '\r' }

// FormatError is what is wrong with a file.
type FormatError string

func (e FormatError) Error() string { return "invalid PPM format: " + string(e) }

// Decode reads a file; of several pictures in one, the first.
func Decode(file []byte, fits func(w, h int) error) (*imagefile.Picture, error) {
	if !match(file) {
		return nil, FormatError("no header of a PBM, PGM, PPM or PFM file")
	}
	kind := file[1]
	switch kind {
	case '7':
		return nil, fmt.Errorf("PAM (P7) is not read here; convert it, to a PPM for example")
	case 'F':
		return nil, fmt.Errorf("PFM of three channels (PF) is not read here; convert it, to a TIFF for example")
	}
	r := &reader{rest: file[2:]}
	w, h := r.number(), r.number()
	maxval := 1
	var scale float64
	switch kind {
	case '1', '4':
	case 'f':
		text := r.token()
		var err error
		if scale, err = strconv.ParseFloat(text, 64); err != nil && r.err == nil || math.IsInf(scale, 0) || math.IsNaN(scale) || scale == 0 && r.err == nil {
			return nil, FormatError(fmt.Sprintf("scale is %q, want a number that is not 0", text))
		}
	default:
		if maxval = r.number(); r.err == nil && (maxval < 1 || maxval > 65535) {
			return nil, FormatError(fmt.Sprintf("largest value is %d, want 1 to 65535", maxval))
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	if err := fits(w, h); err != nil {
		return nil, err
	}
	channels := 1
	if kind == '3' || kind == '6' {
		channels = 3
	}
	// Every sample takes a byte at least, but for PBM's raw rows of bits.
	least := w * h * channels
	switch {
	case kind == '4':
		least = (w + 7) / 8 * h
	case kind == 'f':
		least *= 4
	case kind >= '5' && maxval > 255:
		least *= 2
	}
	if least > len(r.rest) {
		return nil, io.ErrUnexpectedEOF
	}
	bounds := image.Rect(0, 0, w, h)
	switch {
	case kind == 'f':
		return &imagefile.Picture{Image: floats(r.rest, w, h, scale < 0), Mode: "F"}, nil
	case kind == '1' || kind == '4':
		m := image.NewGray(bounds)
		for i := range m.Pix {
			bit := byte(0)
			if kind == '4' {
				x := i % w
				bit = r.rest[i/w*((w+7)/8)+x/8] >> (7 - x%8) & 1
			} else if bit = r.digit(); r.err != nil {
				return nil, r.err
			}
			m.Pix[i] = bit - 1 // a set bit is black
		}
		return &imagefile.Picture{Image: m, Mode: "1"}, nil
	}
	sample := r.number
	if kind >= '5' {
		at := 0
		sample = func() int {
			if maxval < 256 {
				at++
				return int(r.rest[at-1])
			}
			at += 2
			return int(binary.BigEndian.Uint16(r.rest[at-2:]))
		}
	}
	next := func(full int) (int, error) {
		v := sample()
		if r.err != nil {
			return 0, r.err
		}
		if v > maxval && kind < '5' {
			return 0, FormatError(fmt.Sprintf("a sample is %d, and the largest value %d", v, maxval))
		}
		if maxval == full {
			return v, nil
		}
		return min(full, int(math.RoundToEven(float64(v)/float64(maxval)*float64(full)))), nil
	}
	if channels == 1 && maxval > 255 {
		m := &imagefile.Numbers{W: w, H: h, Pix: make([]float32, w*h)}
		for i := range m.Pix {
			v, err := next(65535)
			if err != nil {
				return nil, err
			}
			m.Pix[i] = float32(v)
		}
		return &imagefile.Picture{Image: m, Mode: "I"}, nil
	}
	if channels == 1 {
		m := image.NewGray(bounds)
		for i := range m.Pix {
			v, err := next(255)
			if err != nil {
				return nil, err
			}
			m.Pix[i] = byte(v)
		}
		return &imagefile.Picture{Image: m, Mode: "L"}, nil
	}
	m := image.NewRGBA(bounds)
	for i := range m.Pix {
		if m.Pix[i] = 0xff; i%4 == 3 {
			continue
		}
		v, err := next(255)
		if err != nil {
			return nil, err
		}
		m.Pix[i] = byte(v)
	}
	return &imagefile.Picture{Image: m, Mode: "RGB"}, nil
}

// floats reads a PFM's samples, whose last row comes first.
func floats(b []byte, w, h int, little bool) *imagefile.Numbers {
	m := &imagefile.Numbers{W: w, H: h, Pix: make([]float32, w*h)}
	for i := range m.Pix {
		v := binary.BigEndian.Uint32(b[4*i:])
		if little {
			v = binary.LittleEndian.Uint32(b[4*i:])
		}
		m.Pix[(h-1-i/w)*w+i%w] = math.Float32frombits(v)
	}
	return m
}

// reader takes tokens off the text of a file. err is the first error.
type reader struct {
	rest []byte
	err  error
}

// token returns what is between white space, without comments, and takes
// one byte of white space after it off.
func (r *reader) token() string {
	const longest = 10 // as in PIL
	var token []byte
	for r.err == nil {
		if len(r.rest) == 0 {
			if len(token) == 0 {
				r.err = io.ErrUnexpectedEOF
			}
			break
		}
		b := r.rest[0]
		r.rest = r.rest[1:]
		switch {
		case b == '#':
			r.comment()
			continue
		case space(b) && len(token) == 0:
			continue
		case space(b):
			return string(token)
		}
		if token = append(token, b); len(token) > longest {
			r.err = FormatError(fmt.Sprintf("%q begins a word that is too long for a number", token))
		}
	}
	return string(token)
}

// comment passes over the rest of a line.
func (r *reader) comment() {
	end := bytes.IndexAny(r.rest, "\r\n")
	if end < 0 {
		end = len(r.rest) - 1
	}
	r.rest = r.rest[end+1:]
}

func (r *reader) number() int {
	text := r.token()
	if r.err != nil {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		r.err = FormatError(fmt.Sprintf("%q is no number of 0 to 2147483647", text))
	}
	return int(n)
}

// digit returns one bit of a plain PBM, whose digits may stand side by side.
func (r *reader) digit() byte {
	for len(r.rest) > 0 {
		b := r.rest[0]
		r.rest = r.rest[1:]
		switch {
		case b == '#':
			r.comment()
		case b == '0' || b == '1':
			return b - '0'
		case !space(b):
			r.err = FormatError(fmt.Sprintf("%q among the bits of a plain PBM", b))
			return 0
		}
	}
	r.err = io.ErrUnexpectedEOF
	return 0
}
