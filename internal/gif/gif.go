// Package gif decodes the first picture of a GIF file (GIF89a) on its screen,
// as PIL does.
//
// image/gif returns a first picture that is smaller than the screen without
// what is around it, makes the transparent colour of the palette black, and
// refuses files that PIL and browsers read.
package gif

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"io"

	"github.com/holt-dl/holt/internal/imagefile"
)

func init() { imagefile.Register(imagefile.Format{Name: "GIF", Match: match, Decode: Decode}) }

func match(head []byte) bool {
	return len(head) >= 6 && (string(head[:6]) == "GIF87a" || string(head[:6]) == "GIF89a")
}

// FormatError is what is wrong with a file.
type FormatError string

func (e FormatError) Error() string { return "invalid GIF format: " + string(e) }

// Decode reads the first picture of a file. What it leaves free of the screen
// has the transparent colour, or the first of the palette where none is
// transparent.
func Decode(file []byte, fits func(w, h int) error) (*imagefile.Picture, error) {
	if !match(file) {
		return nil, FormatError("no header of a GIF file")
	}
	if len(file) < 13 {
		return nil, io.ErrUnexpectedEOF
	}
	le := binary.LittleEndian
	w, h, flags := int(le.Uint16(file[6:])), int(le.Uint16(file[8:])), file[10]
	rest := file[13:]
	var global []byte
	var err error
	if flags&0x80 != 0 {
		if global, rest, err = palette(rest, flags); err != nil {
			return nil, err
		}
	}
	transparent := -1
	for {
		if len(rest) == 0 {
			return nil, io.ErrUnexpectedEOF
		}
		kind := rest[0]
		rest = rest[1:]
		switch kind {
		case ';':
			return nil, FormatError("the file holds no picture")
		case '!': // an extension
			if len(rest) == 0 {
				return nil, io.ErrUnexpectedEOF
			}
			label := rest[0]
			var body []byte
			if body, rest, err = blocks(rest[1:]); err != nil {
				return nil, err
			}
			if label == 0xf9 && len(body) >= 4 && body[0]&1 == 1 {
				transparent = int(body[3])
			}
		case ',':
			if len(rest) < 10 {
				return nil, io.ErrUnexpectedEOF
			}
			at := image.Pt(int(le.Uint16(rest)), int(le.Uint16(rest[2:])))
			where := image.Rectangle{Min: at, Max: at.Add(image.Pt(int(le.Uint16(rest[4:])), int(le.Uint16(rest[6:]))))}
			flags, rest = rest[8], rest[9:]
			colours := global
			if flags&0x80 != 0 {
				if colours, rest, err = palette(rest, flags); err != nil {
					return nil, err
				}
			}
			w, h = max(w, where.Max.X), max(h, where.Max.Y) // PIL's screen grows
			if err := fits(w, h); err != nil {
				return nil, err
			}
			if err := imagefile.Plausible(len(file), w, h); err != nil {
				return nil, err
			}
			if len(rest) == 0 {
				return nil, io.ErrUnexpectedEOF
			}
			bits := int(rest[0])
			data, _, err := blocks(rest[1:])
			if err != nil && len(data) == 0 {
				return nil, err
			}
			pix, err := expand(data, bits, where.Dx()*where.Dy())
			if err != nil {
				return nil, err
			}
			return screen(pix, w, h, where, flags&0x40 != 0, colours, transparent), nil
		default: // stray bytes are passed over
		}
	}
}

// palette takes a table of colours off.
func palette(b []byte, flags byte) (colours, rest []byte, err error) {
	n := 3 << (flags&7 + 1)
	if len(b) < n {
		return nil, nil, io.ErrUnexpectedEOF
	}
	return b[:n], b[n:], nil
}

// blocks takes blocks of data off and joins them, up to the empty one. Where
// that is missing, it returns what there is with the error.
func blocks(b []byte) (data, rest []byte, err error) {
	for {
		if len(b) == 0 {
			return data, nil, io.ErrUnexpectedEOF
		}
		n := int(b[0])
		b = b[1:]
		if n == 0 {
			return data, b, nil
		}
		if n > len(b) {
			return append(data, b...), nil, io.ErrUnexpectedEOF
		}
		data, b = append(data, b[:n]...), b[n:]
	}
}

// screen puts a picture on the screen.
func screen(pix []byte, w, h int, where image.Rectangle, interlaced bool, colours []byte, transparent int) *imagefile.Picture {
	m := &image.Paletted{Pix: make([]uint8, w*h), Stride: w, Rect: image.Rect(0, 0, w, h), Palette: make(color.Palette, 256)}
	gray := true               // without a palette, and where it is one of grays
	for i := range m.Palette { // what a short palette leaves out is black
		c := color.NRGBA{A: 0xff}
		if 3*i < len(colours) {
			c.R, c.G, c.B = colours[3*i], colours[3*i+1], colours[3*i+2]
			gray = gray && int(c.R) == i && int(c.G) == i && int(c.B) == i
		}
		if i == transparent {
			c.A = 0 // and the colour stays
		}
		m.Palette[i] = c
	}
	if transparent > 0 {
		for i := range m.Pix {
			m.Pix[i] = uint8(transparent)
		}
	}
	y, start, step := 0, 0, 1
	if interlaced {
		step = 8
	}
	for i := range where.Dy() {
		copy(m.Pix[m.PixOffset(where.Min.X, where.Min.Y+y):], pix[i*where.Dx():][:where.Dx()])
		for y += step; interlaced && y >= where.Dy() && step > 1; y = start {
			// Passes of every eighth row from 0 and 4, every fourth from 2,
			// every second from 1.
			if start == 0 {
				start = 4
			} else {
				start, step = start/2, step/2
			}
		}
	}
	if gray {
		return &imagefile.Picture{Image: &image.Gray{Pix: m.Pix, Stride: w, Rect: m.Rect}, Mode: "L"}
	}
	return &imagefile.Picture{Image: m, Mode: "P"}
}

// expand undoes LZW (GIF89a, appendix F) until there are n pixels.
func expand(data []byte, bits, n int) ([]byte, error) {
	const maxBits = 12
	if bits < 1 || bits > maxBits-1 {
		return nil, FormatError(fmt.Sprintf("codes begin with %d bits", bits))
	}
	var prefix [1 << maxBits]uint16
	var suffix, first [1 << maxBits]byte
	clear := 1 << bits
	for i := range clear {
		suffix[i], first[i] = byte(i), byte(i)
	}
	var out, reversed []byte
	width, next, last := bits+1, clear+2, -1
	var word uint32
	have := 0
	for len(out) < n {
		for have < width {
			if len(data) == 0 {
				return nil, io.ErrUnexpectedEOF
			}
			word |= uint32(data[0]) << have
			have, data = have+8, data[1:]
		}
		code := int(word & (1<<width - 1))
		word, have = word>>width, have-width
		switch {
		case code == clear:
			width, next, last = bits+1, clear+2, -1
			continue
		case code == clear+1:
			return nil, io.ErrUnexpectedEOF
		case code > next || code == next && last < 0 || last < 0 && code >= clear:
			return nil, FormatError("bad code in the pixels")
		}
		// A code is a known one and a byte; the string comes out backwards.
		reversed = reversed[:0]
		at := code
		if code == next {
			reversed = append(reversed, first[last])
			at = last
		}
		begins := first[at]
		for at >= clear {
			reversed = append(reversed, suffix[at])
			at = int(prefix[at])
		}
		out = append(out, suffix[at])
		for i := len(reversed) - 1; i >= 0; i-- {
			out = append(out, reversed[i])
		}
		if last >= 0 && next < 1<<maxBits {
			prefix[next], suffix[next], first[next] = uint16(last), begins, first[last]
			if next++; next == 1<<width && width < maxBits {
				width++
			}
		}
		last = code
	}
	return out[:n], nil
}
