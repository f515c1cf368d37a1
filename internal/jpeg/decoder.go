package jpeg

import (
	"image"
	"sync"
)

// decoder is the state of one pass over a file. Its buffers are used again.
type decoder struct {
	headOnly bool // stop at the first scan
	window   image.Rectangle

	w, h        int
	progressive bool
	comps       []component // the first of store
	store       [4]component
	colours     colours // as the caller knows them
	maxH, maxV  int     // the largest sampling factors
	jfif, adobe bool
	transform   byte // of the Adobe segment: 0 is RGB
	interval    int  // MCUs from one restart to the next; 0 for none

	quant  [4][64]uint16 // in zigzag order; all 0 where a file defines none
	dc, ac [4]table
	scans  int
	bits   reader
	block  [64]int16  // of a sequential file, all 0 between blocks
	unused [64]int16  // in its place for blocks that no one needs
	row    [4][]uint8 // of the window, by component
	mixed  []int32    // samples of a row, mixed with those of the next
}

// component is one channel as the file stores it.
type component struct {
	id      byte
	h, v    int // sampling factors
	w, rows int // samples
	across  int // blocks in a row of the file, with those that fill up the last MCU
	down    int
	tq      byte
	seen    bool // in a scan
	dequant [128]uint32
	area    image.Rectangle // in blocks: those that the window needs
	plane   []uint8         // samples of area
	coef    [][64]int16     // of a progressive file: all blocks
	pred    int32           // the last DC value
	dcTab   *table          // in the scan that is being read
	acTab   *table
}

var decoders = sync.Pool{New: func() any { return new(decoder) }}

// maxKept is how many bytes of a buffer stay for the next picture.
const maxKept = 32 << 20

// reset makes the decoder ready for another file.
func (d *decoder) reset(window image.Rectangle) {
	for i := range d.store {
		c := &d.store[i]
		plane, coef := c.plane, c.coef
		if cap(plane) > maxKept {
			plane = nil
		}
		if cap(coef) > maxKept/128 {
			coef = nil
		}
		*c = component{plane: plane[:0], coef: coef[:0]}
	}
	d.window, d.comps, d.colours = window, nil, bySegments
	d.w, d.h, d.maxH, d.maxV, d.interval, d.scans = 0, 0, 0, 0, 0, 0
	d.progressive, d.jfif, d.adobe, d.transform = false, false, false, 0
	d.quant = [4][64]uint16{}
	for i := range d.dc {
		d.dc[i].defined, d.ac[i].defined = false, false
	}
	if cap(d.bits.data) > maxKept {
		d.bits.data = nil
	}
}

// grow returns a slice of n, which reuses s where that is large enough. What
// it holds is left over from before.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// layout places the components' blocks and the parts of them that the window
// needs. It is called once the frame is known.
func (d *decoder) layout(size int) error {
	blocks := 0
	mcusX, mcusY := d.mcus()
	for i := range d.comps {
		c := &d.comps[i]
		c.w, c.rows = ceil(d.w*c.h, d.maxH), ceil(d.h*c.v, d.maxV)
		c.across, c.down = mcusX*c.h, mcusY*c.v
		blocks += c.across * c.down
	}
	if blocks/8 > size { // every block has at least a bit
		return errCut
	}
	for i := range d.comps {
		c := &d.comps[i]
		// Interpolation looks at one sample around those that cover the window.
		fx, fy := d.maxH/c.h, d.maxV/c.v
		r := image.Rect(d.window.Min.X/fx-1, d.window.Min.Y/fy-1, ceil(d.window.Max.X, fx)+1, ceil(d.window.Max.Y, fy)+1)
		r = r.Intersect(image.Rect(0, 0, c.w, c.rows))
		c.area = image.Rect(r.Min.X/8, r.Min.Y/8, ceil(r.Max.X, 8), ceil(r.Max.Y, 8))
		c.plane = grow(c.plane, 64*c.area.Dx()*c.area.Dy())
		if d.progressive {
			c.coef = grow(c.coef, c.across*c.down)
			clear(c.coef)
		}
	}
	return nil
}

// mcus returns how many groups of blocks the picture has, across and down
// (minimum coded units, T.81 A.2).
func (d *decoder) mcus() (x, y int) { return ceil(d.w, 8*d.maxH), ceil(d.h, 8*d.maxV) }

func ceil(n, by int) int { return (n + by - 1) / by }

// at returns where the samples of a block go: at offset in the plane, rows
// of stride bytes. ok is false when the window does without them.
func (c *component) at(x, y int) (offset, stride int, ok bool) {
	if x < c.area.Min.X || x >= c.area.Max.X || y < c.area.Min.Y || y >= c.area.Max.Y {
		return 0, 0, false
	}
	stride = 8 * c.area.Dx()
	return 8 * ((y-c.area.Min.Y)*stride + x - c.area.Min.X), stride, true
}
