// Package imagefile is the list of picture formats that a program decodes with
// packages of this module. Each package adds its format when it is imported;
// packages dl/vision and display look formats up here before they ask package
// image, whose decoders give other pixels than PIL or know fewer kinds of file.
//
// The list is a package of its own because every cell links it; decoders are
// linked into the host alone.
package imagefile

import (
	"fmt"
	"image"
	"image/color"
	"sync"
)

// Picture is what a decoder found in a file.
type Picture struct {
	Image image.Image
	Mode  string // of the pixels, as PIL says it
}

// Format is one kind of file.
type Format struct {
	Name  string // as PIL says it
	Match func(head []byte) bool

	// Decode reads a file. It calls fits with the picture's width and height
	// before it allocates memory for them, and returns its error.
	Decode func(file []byte, fits func(w, h int) error) (*Picture, error)
}

// HeadSize is how many bytes of a file Match needs, where there are so many.
const HeadSize = 16

var (
	mu      sync.RWMutex
	formats []Format
)

// Register adds a format.
func Register(f Format) {
	mu.Lock()
	defer mu.Unlock()
	formats = append(formats, f)
}

// Find returns the format of a file that begins with head.
func Find(head []byte) (Format, bool) {
	mu.RLock()
	defer mu.RUnlock()
	for _, f := range formats {
		if f.Match(head) {
			return f, true
		}
	}
	return Format{}, false
}

// maxRatio is how many pixels a byte of a file may stand for. A blank page in
// the format that packs it best, CCITT group 4, has one bit for each row.
const maxRatio = 1 << 16

// Plausible returns an error where so many pixels cannot come from a file of
// n bytes, whatever compression it has.
func Plausible(n, w, h int) error {
	if int64(w)*int64(h) > int64(n)*maxRatio {
		return fmt.Errorf("the file has %d bytes, too few for a picture of %d×%d: it is damaged or cut off", n, h, w)
	}
	return nil
}

// Numbers is a picture of one channel whose values do not fit into 16 bits
// without a sign: PIL's modes I and F.
type Numbers struct {
	W, H int
	Pix  []float32 // row by row; a whole number beyond 2²⁴ is rounded
}

// ColorModel is gray of eight bits.
func (m *Numbers) ColorModel() color.Model { return color.GrayModel }

// Bounds begin at (0, 0).
func (m *Numbers) Bounds() image.Rectangle { return image.Rect(0, 0, m.W, m.H) }

// At cuts a value off to 0 to 255, as PIL's convert("L") does.
func (m *Numbers) At(x, y int) color.Color {
	if !image.Pt(x, y).In(m.Bounds()) {
		return color.Gray{}
	}
	return color.Gray{Y: Clip(m.Pix[y*m.W+x])}
}

// Clip cuts a value off to 0 to 255 and rounds it towards 0. What is not a
// number becomes 0.
func Clip(v float32) uint8 {
	switch {
	case v >= 255:
		return 255
	case v > 0:
		return uint8(v)
	}
	return 0
}
