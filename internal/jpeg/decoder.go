package jpeg

import (
	"image"
	"sync"

	"github.com/holt-dl/holt/internal/avx2"
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
	unused [64]int16  // for blocks of a sequential file that are not needed
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
	ahead   [][64]int16     // of a sequential file: area's blocks in a row of MCUs, all 0 between rows
	used    []uint64        // places of these that may hold anything but 0
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
		plane, coef, ahead, used := c.plane, c.coef, c.ahead, c.used
		if cap(plane) > maxKept {
			plane = nil
		}
		if cap(coef) > maxKept/128 {
			coef = nil
		}
		*c = component{plane: plane[:0], coef: coef[:0], ahead: ahead[:0], used: used[:0]}
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
			c.used = grow(c.used, c.area.Dx())
		} else {
			c.ahead, c.used = grow(c.ahead, c.v*c.area.Dx()), grow(c.used, c.v*c.area.Dx())
			clear(c.ahead) // the file before may have been damaged
		}
	}
	return nil
}

// mcus returns how many groups of blocks the picture has, across and down
// (minimum coded units, T.81 A.2).
func (d *decoder) mcus() (x, y int) { return ceil(d.w, 8*d.maxH), ceil(d.h, 8*d.maxV) }

func ceil(n, by int) int { return (n + by - 1) / by }

// line returns a row of blocks of a sequential file, and the used of each: those of area. There
// are none where the window does without the row.
func (c *component) line(y int) (blocks [][64]int16, used []uint64) {
	if y < c.area.Min.Y || y >= c.area.Max.Y {
		return nil, nil
	}
	n := c.area.Dx()
	at := y % c.v * n
	return c.ahead[at:][:n], c.used[at:][:n]
}

// transform turns a row of area's blocks into samples, and clears them.
func (c *component) transform(blocks [][64]int16, used []uint64, y int) {
	if len(blocks) == 0 {
		return
	}
	stride := 8 * len(blocks)
	dst := c.plane[8*(y-c.area.Min.Y)*stride:][:8*stride]
	if avx2.Has {
		avx2.Inverse(blocks, used, dst, stride)
		return
	}
	for i := range blocks {
		inverse(&blocks[i], used[i], dst[8*i:], stride)
		blocks[i] = [64]int16{}
	}
}
