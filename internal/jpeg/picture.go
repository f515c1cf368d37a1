package jpeg

import (
	"bytes"
	"errors"
	"fmt"
	"image"
)

// Picture is a JPEG file whose head has been read. Goroutines may share it.
type Picture struct {
	W, H int // pixels
	C    int // 1 gray, 3 red, green and blue, 4 cyan, magenta, yellow and black

	data    []byte
	colours colours
}

// colours is what the components of a file are, where its segments do not say
// so.
type colours uint8

const (
	bySegments colours = iota
	asTheyAre          // no conversion
	yCbCr
)

// ErrUnsupported says that a file is a kind of JPEG which this package leaves
// to others. Every [UnsupportedError] is one.
var ErrUnsupported = errors.New("a kind of JPEG that is not read here")

// UnsupportedError says what a file has that this package does not read.
type UnsupportedError string

func (e UnsupportedError) Error() string {
	return "JPEG with " + string(e) + " is not read here; convert it, to an ordinary JPEG for example"
}

// Is reports that the error is ErrUnsupported.
func (e UnsupportedError) Is(target error) bool { return target == ErrUnsupported }

// FormatError says what is wrong with a file, in the words of image/jpeg where
// it has any.
type FormatError string

func (e FormatError) Error() string { return "invalid JPEG format: " + string(e) }

// Parse reads the size of the picture in a JPEG file. It keeps data, which
// must not change.
func Parse(data []byte) (*Picture, error) {
	d := decoder{headOnly: true}
	if err := d.decode(data); err != nil {
		return nil, err
	}
	return &Picture{W: d.w, H: d.h, C: len(d.comps), data: data}, nil
}

// ParseAbbreviated reads a JPEG of a TIFF file, whose tables may come first,
// in a file of their own (T.81, B.5), and whose components are luma and
// colours or else of any kind, which TIFF knows.
func ParseAbbreviated(tables, data []byte, ycc bool) (*Picture, error) {
	if len(tables) >= 4 && len(data) >= 2 {
		// The end of the one and the beginning of the other fall out.
		tables = bytes.TrimSuffix(tables, []byte{0xff, eoi})
		data = append(bytes.Clone(tables), data[2:]...)
	}
	p, err := Parse(data)
	if err != nil {
		return nil, err
	}
	if p.colours = asTheyAre; ycc {
		p.colours = yCbCr
	}
	return p, nil
}

// Pixels decodes a window of the picture, which must lie inside it:
//
//	pixels  [C h w]  0 black to 255, the window's top row first
//
// Inks are 0 for none to 255.
//
// Damage anywhere in the file is an error, be it inside the window or not.
func (p *Picture) Pixels(window image.Rectangle) ([]uint8, error) {
	if window.Empty() || !window.In(image.Rect(0, 0, p.W, p.H)) {
		return nil, fmt.Errorf("jpeg: window is %v, want one inside of %d×%d pixels", window, p.W, p.H)
	}
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	d.reset(window)
	d.colours = p.colours
	if err := d.decode(p.data); err != nil {
		return nil, err
	}
	return d.pixels(), nil
}
