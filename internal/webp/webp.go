package webp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"

	"github.com/holt-dl/holt/internal/imagefile"
)

func init() { imagefile.Register(imagefile.Format{Name: "WEBP", Match: match, Decode: Decode}) }

func match(head []byte) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP"
}

// FormatError is what is wrong with a file.
type FormatError string

func (e FormatError) Error() string { return "invalid WebP format: " + string(e) }

// Flags of the VP8X chunk.
const (
	hasAnimation = 1 << 1
	hasAlpha     = 1 << 4
)

// Decode reads a file: as RGB where it says that it has no transparency, and
// otherwise as RGBA, without premultiplying.
func Decode(file []byte, fits func(w, h int) error) (*imagefile.Picture, error) {
	if !match(file) {
		return nil, FormatError("no RIFF header of a WebP file")
	}
	body := file[12:]
	if size := int64(binary.LittleEndian.Uint32(file[4:])); size < int64(len(file)-8) {
		body = body[:max(size-4, 0)] // what follows is no part of the file
	}
	var canvas image.Rectangle
	var flags byte
	var still frame
	for {
		kind, chunk, rest, err := next(body)
		if err != nil {
			return nil, err
		}
		body = rest
		switch kind {
		case "VP8X":
			if len(chunk) < 10 || !canvas.Empty() {
				return nil, FormatError("VP8X chunk is too short or not the only one")
			}
			flags, canvas = chunk[0], image.Rect(0, 0, uint24(chunk[4:])+1, uint24(chunk[7:])+1)
			if err := fits(canvas.Dx(), canvas.Dy()); err != nil {
				return nil, err
			}
		case "ANMF":
			if flags&hasAnimation == 0 {
				return nil, FormatError("frame of an animation in a file that says it is none")
			}
			return firstFrame(chunk, canvas, flags, len(file))
		case "ALPH", "VP8 ", "VP8L":
			if done, err := still.add(kind, chunk); err != nil {
				return nil, err
			} else if !done {
				continue
			}
			if flags&hasAnimation != 0 {
				return nil, FormatError("animation without frames")
			}
			size := still.size
			if canvas.Empty() {
				if err := fits(size.X, size.Y); err != nil {
					return nil, err
				}
			} else if size != canvas.Max {
				return nil, FormatError(fmt.Sprintf("picture is %d×%d on a canvas of %d×%d", size.Y, size.X, canvas.Dy(), canvas.Dx()))
			}
			m, err := still.decode()
			if err != nil {
				return nil, err
			}
			// Like libwebp: a file with a VP8X chunk says itself whether it is
			// transparent, and in others the picture does.
			transparent := still.transparent
			if !canvas.Empty() {
				transparent = flags&hasAlpha != 0
			}
			return asked(m, transparent), nil
		}
	}
}

// firstFrame reads an ANMF chunk and places its picture on the canvas.
func firstFrame(chunk []byte, canvas image.Rectangle, flags byte, file int) (*imagefile.Picture, error) {
	if len(chunk) < 16 {
		return nil, FormatError("ANMF chunk is too short")
	}
	at := image.Pt(2*uint24(chunk), 2*uint24(chunk[3:]))
	size := image.Pt(uint24(chunk[6:])+1, uint24(chunk[9:])+1)
	where := image.Rectangle{Min: at, Max: at.Add(size)}
	if !where.In(canvas) {
		return nil, FormatError("first frame of the animation is beyond the canvas")
	}
	var f frame
	for body := chunk[16:]; ; {
		kind, chunk, rest, err := next(body)
		if err != nil {
			return nil, err
		}
		body = rest
		if kind != "ALPH" && kind != "VP8 " && kind != "VP8L" {
			continue
		}
		if done, err := f.add(kind, chunk); err != nil {
			return nil, err
		} else if done {
			break
		}
	}
	if f.size != size {
		return nil, FormatError("first frame of the animation has another size than it says")
	}
	m, err := f.decode()
	if err != nil {
		return nil, err
	}
	if where != canvas {
		if err := imagefile.Plausible(file, canvas.Dx(), canvas.Dy()); err != nil {
			return nil, err
		}
		whole := image.NewNRGBA(canvas) // transparent black, as libwebp begins
		for y := range size.Y {
			copy(whole.Pix[whole.PixOffset(at.X, at.Y+y):], m.Pix[y*m.Stride:][:4*size.X])
		}
		m = whole
	}
	return asked(m, flags&hasAlpha != 0), nil
}

// asked gives the pixels of a file the mode that PIL gives them.
func asked(m *image.NRGBA, transparent bool) *imagefile.Picture {
	if transparent {
		return &imagefile.Picture{Image: m, Mode: "RGBA"}
	}
	for i := 3; i < len(m.Pix); i += 4 {
		m.Pix[i] = 0xff
	}
	return &imagefile.Picture{Image: &image.RGBA{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect}, Mode: "RGB"}
}

// next takes a chunk off. A chunk whose end is missing is the error of a file
// that is cut off.
func next(b []byte) (kind string, chunk, rest []byte, err error) {
	if len(b) < 8 {
		return "", nil, nil, fmt.Errorf("WebP file holds no picture: %w", io.ErrUnexpectedEOF)
	}
	kind, b = string(b[:4]), b[4:]
	size := int64(binary.LittleEndian.Uint32(b))
	if b = b[4:]; size > int64(len(b)) {
		return "", nil, nil, io.ErrUnexpectedEOF
	}
	chunk, rest = b[:size], b[size:]
	if size&1 == 1 && len(rest) > 0 { // chunks have even lengths
		rest = rest[1:]
	}
	return kind, chunk, rest, nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// frame is one picture: a chunk VP8 with an optional ALPH before it, or VP8L.
type frame struct {
	lossy, lossless, alpha []byte

	size        image.Point
	transparent bool
}

// add takes a chunk in and reports whether the picture is complete.
func (f *frame) add(kind string, chunk []byte) (done bool, err error) {
	switch kind {
	case "ALPH":
		if f.alpha == nil {
			f.alpha = chunk
		}
		return false, nil
	case "VP8 ":
		if len(chunk) < 10 {
			return false, io.ErrUnexpectedEOF
		}
		if string(chunk[3:6]) != "\x9d\x01\x2a" {
			return false, FormatError("VP8 frame has no start code")
		}
		f.lossy, f.transparent = chunk, f.alpha != nil
		f.size = image.Pt(int(binary.LittleEndian.Uint16(chunk[6:]))&0x3fff, int(binary.LittleEndian.Uint16(chunk[8:]))&0x3fff)
	case "VP8L":
		if len(chunk) < 5 {
			return false, io.ErrUnexpectedEOF
		}
		if chunk[0] != 0x2f {
			return false, FormatError("VP8L picture has no signature")
		}
		bits := binary.LittleEndian.Uint32(chunk[1:])
		f.lossless, f.transparent = chunk, bits>>28&1 == 1
		f.size = image.Pt(int(bits&0x3fff)+1, int(bits>>14&0x3fff)+1)
	}
	return true, nil
}

func (f *frame) decode() (*image.NRGBA, error) {
	if f.lossless != nil {
		m, err := vp8l.Decode(bytes.NewReader(f.lossless))
		if err != nil {
			return nil, explain(err)
		}
		return m.(*image.NRGBA), nil
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(f.lossy), len(f.lossy))
	if _, err := d.DecodeFrameHeader(); err != nil {
		return nil, explain(err)
	}
	planes, err := d.DecodeFrame()
	if err != nil {
		return nil, explain(err)
	}
	m := colours(planes)
	if f.alpha == nil {
		return m, nil
	}
	alpha, err := readAlpha(f.alpha, f.size.X, f.size.Y)
	if err != nil {
		return nil, err
	}
	for i, a := range alpha {
		m.Pix[4*i+3] = a
	}
	return m, nil
}

// explain tells a file that is cut off from another error.
func explain(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
