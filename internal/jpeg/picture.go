package jpeg

import (
	"errors"
	"fmt"
	"image"
)

// Picture is a JPEG file whose head has been read. Goroutines may share it.
type Picture struct {
	W, H int // pixels
	C    int // 1 gray, 3 red, green and blue

	data []byte
}

// ErrUnsupported says that a file is a kind of JPEG which this package leaves
// to others.
var ErrUnsupported = errors.New("a kind of JPEG that is not read here")

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

// Pixels decodes a window of the picture, which must lie inside it:
//
//	pixels  [C h w]  0 black to 255, the window's top row first
//
// Damage anywhere in the file is an error, be it inside the window or not.
func (p *Picture) Pixels(window image.Rectangle) ([]uint8, error) {
	if window.Empty() || !window.In(image.Rect(0, 0, p.W, p.H)) {
		return nil, fmt.Errorf("jpeg: window is %v, want one inside of %d×%d pixels", window, p.W, p.H)
	}
	d := decoders.Get().(*decoder)
	defer decoders.Put(d)
	d.reset(window)
	if err := d.decode(p.data); err != nil {
		return nil, err
	}
	return d.pixels(), nil
}
