package vision

import (
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/internal/imagefile"
)

// Image is a picture on its way to a network.
//
//	Pix     [C H W]  bytes, 0 black to 255; C is 3 (red, green, blue) or 1 (gray)
//	Values  [C H W]  float32, after ToTensor
//
// Exactly one of Pix and Values is set. Pix may be shared with the data set,
// so a transform never changes it; Values belong to one example, and a
// transform may change them in place.
type Image struct {
	C, H, W int
	Pix     []uint8
	Values  []float32
}

// FromImage converts a picture of the standard library: gray ones of eight
// bits to one channel, all others to three. Transparency is dropped without
// blending, as PIL's convert("RGB") does; of 16 bits the upper 8 are kept.
func FromImage(src image.Image) *Image {
	r := src.Bounds()
	w, h := r.Dx(), r.Dy()
	n := w * h
	switch s := src.(type) {
	case *image.Gray:
		pix := make([]uint8, 0, n)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			from := s.PixOffset(r.Min.X, y)
			pix = append(pix, s.Pix[from:from+w]...)
		}
		return &Image{C: 1, H: h, W: w, Pix: pix}
	case *image.NRGBA:
		return planes(s.Pix[s.PixOffset(r.Min.X, r.Min.Y):], s.Stride, w, h)
	case *image.NRGBA64:
		pix := make([]uint8, 3*n)
		for y := range h {
			row := s.Pix[s.PixOffset(r.Min.X, r.Min.Y+y):]
			for x := range w {
				p, i := row[8*x:8*x+8:8*x+8], y*w+x
				pix[i], pix[n+i], pix[2*n+i] = p[0], p[2], p[4] // big-endian
			}
		}
		return &Image{C: 3, H: h, W: w, Pix: pix}
	case *image.CMYK:
		pix := make([]uint8, 3*n)
		for y := range h {
			row := s.Pix[s.PixOffset(r.Min.X, r.Min.Y+y):]
			for x := range w {
				p, i := row[4*x:4*x+4:4*x+4], y*w+x
				white := 255 - p[3]
				pix[i], pix[n+i], pix[2*n+i] = white-times(p[0], white), white-times(p[1], white), white-times(p[2], white)
			}
		}
		return &Image{C: 3, H: h, W: w, Pix: pix}
	case *image.RGBA:
		if s.Opaque() {
			return planes(s.Pix[s.PixOffset(r.Min.X, r.Min.Y):], s.Stride, w, h)
		}
	case *image.YCbCr:
		pix := make([]uint8, 3*n)
		for y := range h {
			luma := s.Y[s.YOffset(r.Min.X, r.Min.Y+y):][:w]
			// Two pixels beside one another may share a colour, or four; their
			// offsets are the same in every row.
			c0 := s.COffset(r.Min.X, r.Min.Y+y)
			shift := 0
			switch s.SubsampleRatio {
			case image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420:
				shift = 1
			case image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410:
				shift = 2
			}
			cb, cr := s.Cb[c0:], s.Cr[c0:]
			odd := r.Min.X & (1<<shift - 1)
			red, green, blue := pix[y*w:][:w], pix[n+y*w:][:w], pix[2*n+y*w:][:w]
			for x, v := range luma {
				c := (x + odd) >> shift
				red[x], green[x], blue[x] = color.YCbCrToRGB(v, cb[c], cr[c])
			}
		}
		return &Image{C: 3, H: h, W: w, Pix: pix}
	}
	if s, ok := src.(*image.Paletted); ok {
		var colours [256]color.NRGBA
		for i, c := range s.Palette {
			colours[i] = color.NRGBAModel.Convert(c).(color.NRGBA)
		}
		pix := make([]uint8, 3*n)
		for y := range h {
			for x, v := range s.Pix[s.PixOffset(r.Min.X, r.Min.Y+y):][:w] {
				c, i := colours[v], y*w+x
				pix[i], pix[n+i], pix[2*n+i] = c.R, c.G, c.B
			}
		}
		return &Image{C: 3, H: h, W: w, Pix: pix}
	}
	if s, ok := src.(*imagefile.Numbers); ok {
		pix := make([]uint8, n)
		for i, v := range s.Pix {
			pix[i] = imagefile.Clip(v)
		}
		return &Image{C: 1, H: h, W: w, Pix: pix}
	}
	pix := make([]uint8, 3*n)
	i := 0
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c := color.NRGBAModel.Convert(src.At(x, y)).(color.NRGBA)
			pix[i], pix[n+i], pix[2*n+i] = c.R, c.G, c.B
			i++
		}
	}
	return &Image{C: 3, H: h, W: w, Pix: pix}
}

// times multiplies two parts of 255, rounded as PIL's MULDIV255 does.
func times(a, b uint8) uint8 {
	t := uint(a)*uint(b) + 128
	return uint8((t>>8 + t) >> 8)
}

// rgbOf is PIL's convert("RGB") of a decoded file. It differs from FromImage
// where a mode is wider than eight bits and gray: PIL cuts values off.
func rgbOf(src image.Image, mode string) *Image {
	if m, ok := src.(*image.Gray16); ok && strings.HasPrefix(mode, "I;16") {
		b := m.Bounds()
		gray := image.NewGray(b)
		for i := range gray.Pix {
			gray.Pix[i] = uint8(min(m.Gray16At(b.Min.X+i%b.Dx(), b.Min.Y+i/b.Dx()).Y, 255))
		}
		src = gray
	}
	return FromImage(src).rgb()
}

// planes takes red, green and blue out of rows of four bytes a pixel.
func planes(rows []uint8, stride, w, h int) *Image {
	n := w * h
	pix := make([]uint8, 3*n)
	i := 0
	for y := range h {
		row := rows[y*stride:]
		for x := range w {
			p := row[4*x : 4*x+3 : 4*x+3]
			pix[i], pix[n+i], pix[2*n+i] = p[0], p[1], p[2]
			i++
		}
	}
	return &Image{C: 3, H: h, W: w, Pix: pix}
}

// Image returns the picture for the standard library, and for display. Of
// Values, 0 is black and 1 is white, and what lies beyond is cut off.
func (m *Image) Image() image.Image {
	n := m.H * m.W
	at := func(i int) uint8 {
		if m.Pix != nil {
			return m.Pix[i]
		}
		return uint8(min(max(m.Values[i], 0), 1)*255 + 0.5)
	}
	if m.C == 1 {
		gray := image.NewGray(image.Rect(0, 0, m.W, m.H))
		for i := range n {
			gray.Pix[i] = at(i)
		}
		return gray
	}
	rgb := image.NewNRGBA(image.Rect(0, 0, m.W, m.H))
	for i := range n {
		rgb.Pix[4*i], rgb.Pix[4*i+1], rgb.Pix[4*i+2], rgb.Pix[4*i+3] = at(i), at(n+i), at(2*n+i), 255
	}
	return rgb
}

// rgba returns a picture of bytes as Image does, but colours as a type that is
// never transparent.
func (m *Image) rgba() image.Image {
	src := m.Image()
	if c, ok := src.(*image.NRGBA); ok {
		return &image.RGBA{Pix: c.Pix, Stride: c.Stride, Rect: c.Rect}
	}
	return src
}

// rgb makes three equal channels of one.
func (m *Image) rgb() *Image {
	if m.C == 1 {
		m.Pix, m.C = slices.Concat(m.Pix, m.Pix, m.Pix), 3
	}
	return m
}

// Tensor returns the picture as a tensor [C H W] of float32; bytes are scaled
// to [0, 1]. The tensor takes Values over.
func (m *Image) Tensor() *dl.Tensor {
	values := m.Values
	if values == nil {
		values = scale(m.Pix)
	}
	return dl.FromSlice(values, m.C, m.H, m.W)
}

// String is one line, such as "picture [3 32 32] uint8".
func (m *Image) String() string {
	kind := "uint8"
	if m.Pix == nil {
		kind = "float32"
	}
	return fmt.Sprintf("picture [%d %d %d] %s", m.C, m.H, m.W, kind)
}

// check tells what is wrong with a picture that a transform returned.
func (m *Image) check() error {
	if m == nil {
		return fmt.Errorf("picture is nil, want one with Pix or Values")
	}
	n := m.C * m.H * m.W
	if m.C < 1 || m.H < 1 || m.W < 1 || (m.Pix == nil) == (m.Values == nil) || max(len(m.Pix), len(m.Values)) != n {
		return fmt.Errorf("picture is [%d %d %d] with %d Pix and %d Values, want as many of one of them as the sizes say",
			m.C, m.H, m.W, len(m.Pix), len(m.Values))
	}
	return nil
}

// unit[b] is b/255, rounded once, as torchvision's division gives it.
var unit = func() (t [256]float32) {
	for b := range t {
		t[b] = float32(b) / 255
	}
	return t
}()

func scale(pix []uint8) []float32 {
	values := make([]float32, len(pix))
	for i, b := range pix {
		values[i] = unit[b]
	}
	return values
}
