package tiff

import (
	"image"
	"image/color"
	"math"

	"github.com/holt-dl/holt/internal/imagefile"
)

// Transparency.
const (
	none       = 0
	straight   = 1
	associated = 2 // the colours are multiplied by it
)

// kind is how the samples become a picture.
type kind struct {
	mode     string // PIL's
	channels int    // colours, without alpha
	alpha    int
}

func (k kind) read(p *pixels) (*imagefile.Picture, error) {
	var m image.Image
	var err error
	switch {
	case k.mode == "F" || k.mode == "I":
		m, err = k.readNumbers(p)
	case k.mode == "I;16" || k.mode == "I;16B":
		m, err = k.readGray16(p)
	case p.photometric == ycbcr && p.compression != jpegCoded:
		m, err = readYCbCr(p)
	default:
		m, err = k.readBytes(p)
	}
	if err != nil {
		return nil, err
	}
	return &imagefile.Picture{Image: m, Mode: k.mode}, nil
}

func (k kind) readNumbers(p *pixels) (image.Image, error) {
	m := &imagefile.Numbers{W: p.w, H: p.h, Pix: make([]float32, p.w*p.h)}
	err := p.each(func(row []byte, x, y, w, _, _ int) error {
		for i := range w {
			var v float32
			switch {
			case p.bits == 16:
				v = float32(int16(p.d.order.Uint16(row[2*i:])))
			case p.format == floats:
				v = math.Float32frombits(p.d.order.Uint32(row[4*i:]))
			default: // PIL takes numbers without a sign for those with one, too
				v = float32(int32(p.d.order.Uint32(row[4*i:])))
			}
			m.Pix[y*p.w+x+i] = v
		}
		return nil
	})
	return m, err
}

func (k kind) readGray16(p *pixels) (image.Image, error) {
	m := image.NewGray16(image.Rect(0, 0, p.w, p.h))
	err := p.each(func(row []byte, x, y, w, _, _ int) error {
		for i := range w {
			var v uint16
			switch at := i / 2 * 3; {
			case p.bits == 16:
				v = p.d.order.Uint16(row[2*i:])
			case i%2 == 0: // two samples of 12 bits in three bytes
				v = uint16(row[at])<<4 | uint16(row[at+1])>>4
			default:
				v = uint16(row[at+1])&15<<8 | uint16(row[at+2])
			}
			m.SetGray16(x+i, y, color.Gray16{Y: v})
		}
		return nil
	})
	return m, err
}

// readBytes reads samples of at most 16 bits, of which the upper 8 are kept.
func (k kind) readBytes(p *pixels) (image.Image, error) {
	kept := k.channels
	if k.alpha != none {
		kept++
	}
	all := make([]uint8, kept*p.w*p.h) // samples side by side
	wide, scale, invert := p.bits/8, byte(1), byte(0)
	if p.photometric != palette && p.bits < 8 {
		scale = byte(255 / (1<<p.bits - 1))
	}
	if p.photometric == whiteIsZero {
		invert = 0xff
	}
	high := 0 // where the upper byte is
	if p.bits == 16 && p.d.order.String() == "LittleEndian" {
		high = 1
	}
	err := p.each(func(row []byte, x, y, w, first, n int) error {
		for c := range n {
			to := first + c
			if to >= kept {
				break
			}
			out := all[(y*p.w+x)*kept+to:]
			for i := range w {
				var v byte
				if at := i*n + c; wide > 0 {
					v = row[at*wide+high]
				} else {
					bit := at * p.bits
					v = row[bit/8] >> (8 - p.bits - bit%8) & (1<<p.bits - 1) * scale
				}
				out[i*kept] = v ^ invert
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	bounds := image.Rect(0, 0, p.w, p.h)
	switch {
	case p.photometric == palette:
		colours := make(color.Palette, 1<<p.bits)
		table := p.d.numbers(tagColorMap)
		if len(table) < 3*len(colours) {
			return nil, FormatError("palette is too short")
		}
		for i := range colours {
			colours[i] = color.RGBA{uint8(table[i] >> 8), uint8(table[len(colours)+i] >> 8), uint8(table[2*len(colours)+i] >> 8), 0xff}
		}
		if kept == 1 {
			return &image.Paletted{Pix: all, Stride: p.w, Rect: bounds, Palette: colours}, nil
		}
		m := image.NewNRGBA(bounds)
		for i := range p.w * p.h {
			c := colours[all[2*i]].(color.RGBA)
			m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+2], m.Pix[4*i+3] = c.R, c.G, c.B, all[2*i+1]
		}
		return m, nil
	case p.photometric == cmyk:
		return &image.CMYK{Pix: all, Stride: 4 * p.w, Rect: bounds}, nil
	case kept == 1:
		return &image.Gray{Pix: all, Stride: p.w, Rect: bounds}, nil
	}
	pix := make([]uint8, 4*p.w*p.h)
	for i := range p.w * p.h {
		in, out, a := all[i*kept:][:kept], pix[4*i:][:4], byte(0xff)
		if k.alpha != none {
			a = in[kept-1]
		}
		for c := range 3 {
			v := in[min(c, k.channels-1)]
			if k.alpha == associated && a != 0xff {
				v = divide(v, a)
			}
			out[c] = v
		}
		out[3] = a
	}
	if k.alpha == none {
		return &image.RGBA{Pix: pix, Stride: 4 * p.w, Rect: bounds}, nil
	}
	return &image.NRGBA{Pix: pix, Stride: 4 * p.w, Rect: bounds}, nil
}

// divide takes the multiplication by alpha back, as PIL does.
func divide(v, a byte) byte {
	if a == 0 {
		return 0
	}
	return byte(min(int(v)*255/int(a), 255))
}
