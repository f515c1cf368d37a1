// Package bmp decodes Windows and OS/2 bitmaps to the pixels that PIL reads in
// them: headers of 12 bytes (OS/2 1) to 124 (Windows 5), 1 to 32 bits, RLE4,
// RLE8 and the usual bit fields. The format is specified by Microsoft's pages
// about BITMAPFILEHEADER and its successors; what other decoders make of odd
// files is in Jason Summers' BMP Suite.
//
// golang.org/x/image/bmp reads neither run lengths, 16 bits, bit fields in a
// short header, nor OS/2's headers, and github.com/sergeymakinen/go-bmp not
// all of them.
package bmp

import (
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"io"

	"github.com/holt-dl/holt/internal/imagefile"
)

func init() { imagefile.Register(imagefile.Format{Name: "BMP", Match: match, Decode: Decode}) }

func match(head []byte) bool { return len(head) >= 2 && head[0] == 'B' && head[1] == 'M' }

// FormatError is what is wrong with a file.
type FormatError string

func (e FormatError) Error() string { return "invalid BMP format: " + string(e) }

// UnsupportedError is what a file has that is not read here.
type UnsupportedError string

func (e UnsupportedError) Error() string {
	return "BMP with " + string(e) + " is not read here; convert it, to a PNG for example"
}

// Compressions.
const (
	plain  = 0
	rle8   = 1
	rle4   = 2
	fields = 3
)

// bitmap is a file's header.
type bitmap struct {
	w, h        int
	down        bool // the first row comes first
	bits        int
	compression uint32
	colours     color.Palette
	gray        bool // the palette is one of grays, from black to white
	masks       [4]uint32
	data        []byte
	odd         int // where data begins in the file, modulo 2
}

// Decode reads a file.
func Decode(file []byte, fits func(w, h int) error) (*imagefile.Picture, error) {
	b, err := parse(file)
	if err != nil {
		return nil, err
	}
	if err := fits(b.w, b.h); err != nil {
		return nil, err
	}
	if b.w < 1 || b.h < 1 {
		return nil, FormatError("the picture has no size")
	}
	if b.compression == rle4 || b.compression == rle8 {
		if err := imagefile.Plausible(len(file), b.w, b.h); err != nil {
			return nil, err
		}
		pix, err := b.runs()
		if err != nil {
			return nil, err
		}
		return b.indexed(pix), nil
	}
	stride := (b.w*b.bits + 31) / 32 * 4
	if used := (b.w*b.bits + 7) / 8; (b.h-1)*stride+used > len(b.data) {
		return nil, io.ErrUnexpectedEOF
	}
	row := func(y int) []byte {
		if !b.down {
			y = b.h - 1 - y
		}
		return b.data[y*stride:]
	}
	if b.bits <= 8 {
		pix := make([]uint8, b.w*b.h)
		for y := range b.h {
			from := row(y)
			for x := range b.w {
				bit := x * b.bits
				pix[y*b.w+x] = from[bit/8] >> (8 - b.bits - bit%8) & byte(1<<b.bits-1)
			}
		}
		return b.indexed(pix), nil
	}
	return b.colour(row)
}

// parse reads the headers, as BmpImagePlugin.py does.
func parse(file []byte) (*bitmap, error) {
	le := binary.LittleEndian
	if !match(file) {
		return nil, FormatError("no header of a BMP file")
	}
	if len(file) < 18 {
		return nil, io.ErrUnexpectedEOF
	}
	offset, size := int(le.Uint32(file[10:])), int(le.Uint32(file[14:]))
	switch size {
	case 12, 40, 52, 56, 64, 108, 124:
	default:
		return nil, UnsupportedError(fmt.Sprintf("a header of %d bytes", size))
	}
	if len(file) < 14+size {
		return nil, io.ErrUnexpectedEOF
	}
	head := file[18 : 14+size]
	b := &bitmap{}
	entry, n := 4, 0 // of the palette
	end := 14 + size
	if size == 12 {
		entry = 3
		b.w, b.h, b.bits = int(le.Uint16(head)), int(le.Uint16(head[2:])), int(le.Uint16(head[6:]))
	} else {
		h := le.Uint32(head[4:])
		if b.down = head[7] == 0xff; b.down {
			h = -h
		}
		b.w, b.h, b.bits = int(le.Uint32(head)), int(h), int(le.Uint16(head[10:]))
		b.compression, n = le.Uint32(head[12:]), int(le.Uint32(head[28:]))
	}
	switch b.bits {
	case 1, 4, 8, 16, 24, 32:
	default:
		return nil, UnsupportedError(fmt.Sprintf("%d bits for each pixel", b.bits))
	}
	switch {
	case b.compression == plain:
		b.masks = map[int][4]uint32{16: {0x7c00, 0x3e0, 0x1f}, 24: {0xff0000, 0xff00, 0xff}, 32: {0xff0000, 0xff00, 0xff}}[b.bits]
	case b.compression == rle8 && b.bits == 8, b.compression == rle4 && b.bits == 4:
	case b.compression == fields && b.bits >= 16:
		masks := head[36:]
		if size < 52 { // they follow the header
			masks = file[end:min(end+12, len(file))]
			end += 12
		}
		for i := range 4 {
			if len(masks) >= 4 && (i < 3 || size >= 56) {
				b.masks[i] = le.Uint32(masks)
				masks = masks[4:]
			} else if i < 3 {
				return nil, io.ErrUnexpectedEOF
			}
		}
	case b.compression == 3 && size == 64:
		return nil, UnsupportedError("compression Huffman 1D")
	case b.compression == 4 && size == 64:
		return nil, UnsupportedError("compression RLE24")
	case b.compression == 4:
		return nil, UnsupportedError("a JPEG inside")
	case b.compression == 5:
		return nil, UnsupportedError("a PNG inside")
	default:
		return nil, UnsupportedError(fmt.Sprintf("compression %d of %d bits", b.compression, b.bits))
	}
	if n == 0 {
		n = 1 << b.bits
	}
	if b.bits <= 8 {
		if n > 1<<16 {
			return nil, FormatError(fmt.Sprintf("a palette of %d colours", n))
		}
		b.palette(file[end:], min(n, (len(file)-end)/entry), entry)
		if offset == end {
			offset += n * entry // a header that forgets the palette
		}
		end += n * entry
	}
	if offset == 0 {
		offset = end
	}
	if offset > len(file) {
		return nil, io.ErrUnexpectedEOF
	}
	b.data, b.odd = file[offset:], offset%2
	return b, nil
}

// palette reads n colours of blue, green and red. As PIL does, it takes the
// palette for gray where its first colours are black to white.
func (b *bitmap) palette(data []byte, n, entry int) {
	b.colours = make(color.Palette, 256)
	for i := range b.colours { // what a short palette leaves out is black
		b.colours[i] = color.RGBA{A: 0xff}
	}
	b.gray = true
	for i := range n {
		c := data[i*entry:]
		if i < 256 {
			b.colours[i] = color.RGBA{c[2], c[1], c[0], 0xff}
		}
		level := byte(i)
		if n == 2 {
			level = byte(i * 0xff)
		}
		b.gray = b.gray && i < 256 && c[0] == level && c[1] == level && c[2] == level
	}
	if b.gray && n <= 2 {
		b.colours = b.colours[:2]
	}
}

// indexed gives numbers of the palette their colours.
func (b *bitmap) indexed(pix []uint8) *imagefile.Picture {
	bounds := image.Rect(0, 0, b.w, b.h)
	if !b.gray {
		return &imagefile.Picture{Image: &image.Paletted{Pix: pix, Stride: b.w, Rect: bounds, Palette: b.colours}, Mode: "P"}
	}
	mode := "L"
	if len(b.colours) == 2 {
		mode = "1"
		for i, v := range pix {
			pix[i] = -(v & 1) // 1 is white
		}
	}
	return &imagefile.Picture{Image: &image.Gray{Pix: pix, Stride: b.w, Rect: bounds}, Mode: mode}
}

// layouts are the bit fields that PIL reads.
var layouts = map[int][][4]uint32{
	16: {{0xf800, 0x7e0, 0x1f}, {0x7c00, 0x3e0, 0x1f}},
	24: {{0xff0000, 0xff00, 0xff}},
	32: {{0xff0000, 0xff00, 0xff}, {0xff000000, 0xff0000, 0xff00}, {0xff000000, 0xff00, 0xff}, {0xff000000, 0xff0000, 0xff00, 0xff},
		{0xff, 0xff00, 0xff0000, 0xff000000}, {0xff0000, 0xff00, 0xff, 0xff000000}, {0xff000000, 0xff00, 0xff, 0xff0000}, {}},
}

// colour reads pixels of 16, 24 or 32 bits.
func (b *bitmap) colour(row func(y int) []byte) (*imagefile.Picture, error) {
	masks, known := b.masks, false
	if b.bits < 32 {
		masks[3] = 0
	}
	for _, l := range layouts[b.bits] {
		known = known || l == masks
	}
	if !known {
		return nil, UnsupportedError(fmt.Sprintf("bit fields %#x of %d bits", b.masks, b.bits))
	}
	if masks == ([4]uint32{}) {
		masks = [4]uint32{0xff0000, 0xff00, 0xff, 0xff000000}
	}
	m := image.NewNRGBA(image.Rect(0, 0, b.w, b.h))
	for y := range b.h {
		from, to := row(y), m.Pix[y*m.Stride:]
		for x := range b.w {
			var v uint32
			for k := range b.bits / 8 {
				v |= uint32(from[x*b.bits/8+k]) << (8 * k)
			}
			for c, mask := range masks {
				to[4*x+c] = field(v, mask)
			}
		}
	}
	if masks[3] != 0 {
		return &imagefile.Picture{Image: m, Mode: "RGBA"}, nil
	}
	return &imagefile.Picture{Image: &image.RGBA{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect}, Mode: "RGB"}, nil
}

// field scales the bits under a mask to 0 to 255; without a mask, they are all
// set.
func field(v, mask uint32) uint8 {
	if mask == 0 {
		return 0xff
	}
	low := mask & -mask
	return uint8(v & mask / low * 255 / (mask / low))
}
