package tiff

import (
	"fmt"
	"image"
	"io"
	"slices"

	"github.com/holt-dl/holt/internal/imagefile"
	"github.com/holt-dl/holt/internal/jpeg"
)

func init() {
	imagefile.Register(imagefile.Format{Name: "TIFF", Decode: Decode, Match: func(head []byte) bool {
		_, _, ok := order(head)
		return ok
	}})
}

// Photometric interpretations: what samples mean.
const (
	whiteIsZero = 0
	blackIsZero = 1
	rgb         = 2
	palette     = 3
	cmyk        = 5
	ycbcr       = 6
)

var photometrics = map[int]string{4: "a transparency mask", 8: "CIELab colours", 9: "ICCLab colours", 10: "ITULab colours", 32803: "a camera's colour filter array",
	32844: "LogL luminance", 32845: "LogLuv colours"}

// Sample formats.
const (
	unsigned = 1
	signed   = 2
	floats   = 3
)

// pixels is how a file stores its picture.
type pixels struct {
	file []byte
	d    *directory

	w, h        int
	compression int
	photometric int
	bits        int // of a sample
	stored      int // samples of a pixel in the file
	needed      int // those that the picture is made of
	format      int
	planar      bool // each sample has chunks of its own

	tiled          bool
	chunkW, chunkH int
	offsets        []int
	counts         []int
}

// Decode reads the first picture of a file.
func Decode(file []byte, fits func(w, h int) error) (*imagefile.Picture, error) {
	d, err := readDirectory(file)
	if err != nil {
		return nil, err
	}
	p := &pixels{file: file, d: d, w: d.number(tagWidth, 0), h: d.number(tagHeight, 0), compression: d.number(tagCompression, 1),
		photometric: d.number(tagPhotometric, whiteIsZero), planar: d.number(tagPlanar, 1) == 2}
	if p.w == 0 || p.h == 0 {
		return nil, FormatError("the picture has no size")
	}
	if err := fits(p.w, p.h); err != nil {
		return nil, err
	}
	if err := p.known(); err != nil {
		return nil, err
	}
	kind, err := p.kind()
	if err != nil {
		return nil, err
	}
	if err := p.fits(); err != nil {
		return nil, err
	}
	if err := p.chunks(); err != nil {
		return nil, err
	}
	if err := p.plausible(p.w, p.h); err != nil {
		return nil, err
	}
	if err := p.plausible(min(p.chunkW, p.w), min(p.chunkH, p.h)); err != nil {
		return nil, err
	}
	return kind.read(p)
}

// plausible refuses sizes that cannot come from a file of this length.
func (p *pixels) plausible(w, h int) error {
	if int64(w)*int64(h)/8*int64(p.bits*p.stored) > int64(len(p.file))*int64(ratio(p.compression)) {
		return fmt.Errorf("the file has %d bytes, too few for a picture of %d×%d: it is damaged or cut off", len(p.file), h, w)
	}
	return nil
}

// kind returns how the samples become a picture, as TiffImagePlugin.py's table
// OPEN_INFO says it.
func (p *pixels) kind() (kind, error) {
	bits := p.d.numbers(tagBits)
	if len(bits) == 0 {
		bits = []int{1}
	}
	formats := p.d.numbers(tagFormat)
	if len(formats) == 0 {
		formats = []int{unsigned}
	}
	p.bits, p.format = bits[0], formats[0]
	extra := p.d.numbers(tagExtra)
	colours := 1
	switch p.photometric {
	case rgb, ycbcr:
		colours = 3
	case cmyk:
		colours = 4
	case whiteIsZero, blackIsZero, palette:
	default:
		name := photometrics[p.photometric]
		if name == "" {
			name = fmt.Sprintf("photometric interpretation %d", p.photometric)
		}
		return kind{}, UnsupportedError(name)
	}
	p.stored = p.d.number(tagSamples, 1)
	if p.stored < len(bits) {
		bits = bits[:max(p.stored, 1)]
	}
	const maxSamples = 6 // as PIL
	if p.stored > maxSamples {
		return kind{}, UnsupportedError(fmt.Sprintf("%d samples for each pixel", p.stored))
	}
	what := func() string {
		return fmt.Sprintf("%d samples of %s (photometric interpretation %d, extra samples %v)", p.stored, p.sample(), p.photometric, extra)
	}
	for _, b := range bits {
		if b != p.bits {
			return kind{}, UnsupportedError(fmt.Sprintf("samples of %v bits", bits))
		}
	}
	if slices.Max(formats) != slices.Min(formats) || len(bits) != 1 && len(bits) != p.stored {
		return kind{}, UnsupportedError(what())
	}
	k := kind{channels: colours}
	samples := p.stored
	if p.planar && len(extra) > 0 && len(extra) < samples && slices.Max(extra) == 0 {
		samples, extra = samples-len(extra), nil // planes that no one needs
	}
	switch more := samples - colours; {
	case more < 0:
		return kind{}, FormatError(what())
	case more > 0 && len(extra) == 0 && p.photometric == rgb && more == 1:
		k.alpha = straight // a file that forgets to say so
	case more > 0 && (len(extra) != more || p.photometric == ycbcr):
		return kind{}, UnsupportedError(what())
	case more > 0:
		switch extra[0] {
		case 0:
		case 1:
			k.alpha = associated
		case 2, 999: // 999 is Corel Draw's
			k.alpha = straight
		default:
			return kind{}, UnsupportedError(what())
		}
		for _, e := range extra[1:] {
			if e != 0 {
				return kind{}, UnsupportedError(what())
			}
		}
	}
	gray := p.photometric == whiteIsZero || p.photometric == blackIsZero
	ok := false
	switch {
	case p.format == floats:
		k.mode, ok = "F", gray && p.bits == 32 && samples == 1
	case p.format == signed && p.bits == 8:
		k.mode, ok = "L", p.photometric == blackIsZero && samples == 1
	case p.format == signed:
		k.mode, ok = "I", p.photometric == blackIsZero && samples == 1 && (p.bits == 16 || p.bits == 32)
	case p.format != unsigned && p.format != 4: // 4 is undefined
	case gray && samples == 1 && p.bits == 32:
		k.mode, ok = "I", p.photometric == blackIsZero
	case gray && samples == 1 && (p.bits == 12 || p.bits == 16):
		k.mode, ok = "I;16", true
		if p.bits == 16 && p.d.order.String() == "BigEndian" {
			k.mode = "I;16B"
		}
	case gray && p.bits == 1:
		k.mode, ok = "1", samples == 1
	case gray && samples == 1:
		k.mode, ok = "L", p.bits == 2 || p.bits == 4 || p.bits == 8
	case gray:
		k.mode, ok = [...]string{"L", "LA", "La"}[k.alpha], p.bits == 8 && p.photometric == blackIsZero && samples == 2
	case p.photometric == palette:
		k.mode, ok = [...]string{"P", "PA", ""}[k.alpha], samples == 1 && (p.bits == 1 || p.bits == 2 || p.bits == 4 || p.bits == 8) || samples == 2 && p.bits == 8 && k.alpha != associated
	case p.photometric == rgb:
		k.mode, ok = [...]string{"RGB", "RGBA", "RGBA"}[k.alpha], p.bits == 8 || p.bits == 16
	case p.photometric == cmyk:
		k.mode, ok = "CMYK", k.alpha == none && (p.bits == 8 || p.bits == 16)
	case p.photometric == ycbcr:
		k.mode, ok = "RGB", p.bits == 8 && samples == 3 && !p.planar
		if p.compression == uncompressed {
			k.mode = "YCbCr"
		}
	}
	if !ok {
		return kind{}, UnsupportedError(what())
	}
	if p.needed = colours; k.alpha != none {
		p.needed++
	}
	return k, nil
}

// sample describes the file's samples in words.
func (p *pixels) sample() string {
	switch p.format {
	case floats:
		return fmt.Sprintf("floating point of %d bits", p.bits)
	case signed:
		return fmt.Sprintf("%d bits with a sign", p.bits)
	case unsigned:
		return fmt.Sprintf("%d bits", p.bits)
	}
	return fmt.Sprintf("%d bits in format %d", p.bits, p.format)
}

// chunks finds the strips or tiles.
func (p *pixels) chunks() error {
	p.chunkW, p.chunkH = p.w, min(p.d.number(tagRows, p.h), p.h)
	offsets, counts := tagStripOffsets, tagStripCounts
	if len(p.d.values[tagStripOffsets]) == 0 {
		p.tiled = true
		p.chunkW, p.chunkH = p.d.number(tagTileWidth, 0), p.d.number(tagTileHeight, 0)
		offsets, counts = tagTileOffsets, tagTileCounts
	}
	p.offsets, p.counts = p.d.numbers(offsets), p.d.numbers(counts)
	const maxTile = 1 << 16 // pixels a side
	if p.chunkW < 1 || p.chunkH < 1 || p.tiled && (p.chunkW > maxTile || p.chunkH > maxTile) {
		return FormatError(fmt.Sprintf("strips or tiles are %d×%d pixels", p.chunkH, p.chunkW))
	}
	n := ceil(p.w, p.chunkW) * ceil(p.h, p.chunkH)
	if p.planar {
		n *= p.needed
	}
	if len(p.offsets) < n {
		return FormatError(fmt.Sprintf("%d strips or tiles, want %d", len(p.offsets), n))
	}
	return nil
}

func ceil(n, by int) int { return (n + by - 1) / by }

// chunk returns the bytes of a strip or tile, as the file has them.
func (p *pixels) chunk(i int) ([]byte, error) {
	at, n := p.offsets[i], len(p.file)
	if at < 0 || at > len(p.file) {
		return nil, fmt.Errorf("strip or tile %d is beyond the file's end: %w", i, io.ErrUnexpectedEOF)
	}
	if i < len(p.counts) && p.compression != uncompressed {
		if n = p.counts[i]; n < 0 {
			return nil, FormatError("strip or tile of a negative length")
		}
	}
	return p.file[at:][:min(n, len(p.file)-at)], nil
}

// each decodes one strip or tile after the other, and calls f for each row of
// the picture in it: samples first to first+n-1 of the pixels from (x, y) on,
// side by side. Bits are as the file has them.
func (p *pixels) each(f func(row []byte, x, y, w, first, n int) error) error {
	planes, n := 1, p.stored
	if p.planar {
		planes, n = p.needed, 1
	}
	across, down := ceil(p.w, p.chunkW), ceil(p.h, p.chunkH)
	for i := range across * down * planes {
		x, y, first := i%across*p.chunkW, i/across%down*p.chunkH, i/(across*down)
		h := p.chunkH
		if !p.tiled {
			h = min(h, p.h-y) // the last strip may be shorter
		}
		data, err := p.chunk(i)
		if err != nil {
			return err
		}
		var stride int
		var rows []byte
		if p.compression == jpegCoded {
			rows, stride, err = p.jpeg(data, h, n)
		} else {
			stride = ceil(p.chunkW*n*p.bits, 8)
			if rows, err = p.expand(data, p.chunkW, h, stride*h); err == nil {
				err = p.unpredict(rows, stride, n)
			}
		}
		if err != nil {
			return err
		}
		for k := range min(h, p.h-y) {
			if err := f(rows[k*stride:][:stride], x, y+k, min(p.chunkW, p.w-x), first, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// jpeg decodes a strip or tile that is a JPEG file, whose tables may be in
// a tag (Technical Note 2).
func (p *pixels) jpeg(data []byte, h, n int) (rows []byte, stride int, err error) {
	if p.bits != 8 {
		return nil, 0, UnsupportedError(fmt.Sprintf("JPEG of %d bits", p.bits))
	}
	m, err := jpeg.ParseAbbreviated(p.d.bytes[tagJPEGTables], data, p.photometric == ycbcr)
	if err != nil {
		return nil, 0, err
	}
	if m.C != n || m.W < min(p.chunkW, p.w) || m.H < min(h, p.h) || m.W > p.chunkW || m.H > p.chunkH+8 {
		return nil, 0, FormatError(fmt.Sprintf("JPEG of [%d %d %d] in a strip or tile of [%d %d %d]", m.C, m.H, m.W, n, h, p.chunkW))
	}
	pix, err := m.Pixels(image.Rect(0, 0, m.W, min(h, m.H)))
	if err != nil {
		return nil, 0, err
	}
	// Planes become samples side by side.
	stride, size := n*p.chunkW, m.W*min(h, m.H)
	rows = make([]byte, stride*h)
	for c := range n {
		for i, v := range pix[c*size:][:size] {
			rows[i/m.W*stride+i%m.W*n+c] = v
		}
	}
	return rows, stride, nil
}
