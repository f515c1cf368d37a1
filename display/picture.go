package display

import (
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // photographs in files
	"io"
	"os"
	"reflect"
	"strings"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/imagefile"
)

// Sizes on the page, in pixels.
const (
	smallSide = 224     // a smaller picture is enlarged about to this
	largeSide = 800     // a larger one is shown smaller
	maxSide   = 4096    // however much zoom is asked for
	maxPixels = 1 << 26 // of a file, before it is decoded
)

// Image is one picture, shown with the default settings of [Picture]:
//
//	display.Image("otter.jpg")
//	display.Image(batch.Inputs)  // when it holds one picture
//
// With settings, write display.Picture{Of: v, Zoom: 8}.
func Image(v any) Picture { return Picture{Of: v} }

// Picture is one picture and how it is shown.
//
// Small pictures are enlarged by repeating pixels, so that edges stay sharp;
// large ones are shown at most 800 pixels wide or high.
type Picture struct {
	// Of is the name of a file (PNG or JPEG; with Holt's host also GIF, WebP,
	// BMP and TIFF), an image.Image, a value with a method Image that returns
	// one, rows of numbers such as a [][]float64, or a [Tensor] of shape [H W],
	// [C H W], [H W C], [1 C H W] or [1 H W C] with 1, 3 or 4 channels.
	Of any

	Title  string     // above the picture
	Zoom   int        // pixels on the page for one of the picture; 0 chooses
	Mean   []float32  // a tensor's x is shown as x·Std + Mean, one value for
	Std    []float32  // all channels or one each; both empty shows x itself
	Range  [2]float64 // a tensor's black and white; both 0: 0 and 1, or 0 and 255 for whole numbers, or the values' range
	Layout string     // "CHW" or "HWC", where a tensor's shape could be both; empty means CHW
}

func (p Picture) bundle() (frame.Bundle, error) {
	m, note, err := p.image()
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Image: %w", err)
	}
	size := m.Bounds().Size()
	text := fmt.Sprintf("picture of %d × %d pixels", size.X, size.Y)
	switch v := p.Of.(type) {
	case string:
		text += ", " + v
	case fmt.Stringer: // a picture that says what it is, such as vision.Photo
		if _, ok := v.(Tensor); !ok {
			text = oneLine(v.String(), maxInner)
		}
	}
	if p.Title != "" {
		text = p.Title + ": " + text
	}
	if note != "" {
		text += "; " + note
	}
	m, width, height := fit(m, p.Zoom, smallSide, largeSide)
	if pl := plotter(); pl != nil && (p.Title != "" || note != "") {
		sheet, err := pl.Sheet(Sheet{Title: p.Title, Note: note, Columns: 1, Tiles: []Tile{{Picture: enlargeTo(m, width*scale, height*scale)}}})
		if err != nil {
			return frame.Bundle{}, fmt.Errorf("display: Image: %w", err)
		}
		return drawn(sheet, text)
	}
	return pngBundle(m, width, height, text)
}

// imager is a value that is a picture, such as vision.Image.
type imager interface{ Image() image.Image }

// image is the picture itself, and what must be said of its values.
func (p Picture) image() (m image.Image, note string, err error) {
	switch v := p.Of.(type) {
	case nil:
		return nil, "", errors.New("Of is nil, want a file's name, an image.Image, a tensor, or rows of numbers such as a [][]float64")
	case string:
		m, err := open(v)
		return m, "", err
	case image.Image:
		if v.Bounds().Empty() {
			return nil, "", fmt.Errorf("the picture is empty: its bounds are %v", v.Bounds())
		}
		return v, "", nil
	case imager:
		return v.Image(), "", nil
	case Tensor:
		return p.single(v)
	}
	if rows, ok, err := rowsOfNumbers(p.Of); err != nil {
		return nil, "", err
	} else if ok {
		return p.single(rows)
	}
	return nil, "", fmt.Errorf("Of is a %s, want a file's name, an image.Image, a tensor, or rows of numbers such as a [][]float64", typeName(reflect.TypeOf(p.Of)))
}

// single is the picture of a tensor that is one.
func (p Picture) single(t Tensor) (m image.Image, note string, err error) {
	ms, note, err := p.tensor(t, true)
	if err != nil {
		return nil, "", err
	}
	return ms[0], note, nil
}

// A matrix is rows of numbers as a [Tensor].
type matrix struct {
	shape  []int
	values []float32
}

func (m matrix) Shape() []int        { return m.shape }
func (m matrix) Float32s() []float32 { return m.values }

// rowsOfNumbers reads a slice of slices of numbers, or an array of them, as a tensor [H W]; ok is
// false for all else.
func rowsOfNumbers(v any) (m matrix, ok bool, err error) {
	list := reflect.ValueOf(v)
	isList := func(t reflect.Type) bool { return t.Kind() == reflect.Slice || t.Kind() == reflect.Array }
	if !isList(list.Type()) || !isList(list.Type().Elem()) || !isNumber(list.Type().Elem().Elem().Kind()) {
		return m, false, nil
	}
	if list.Len() == 0 {
		return m, true, errors.New("Of has no rows")
	}
	m.shape = []int{list.Len(), list.Index(0).Len()}
	for i := range list.Len() {
		row := list.Index(i)
		if row.Len() != m.shape[1] {
			return m, true, fmt.Errorf("row %d has %d numbers, want %d as row 0 has", i, row.Len(), m.shape[1])
		}
		for j := range row.Len() {
			x, _ := float(row.Index(j)) // it is a number by its type
			m.values = append(m.values, float32(x))
		}
	}
	return m, true, nil
}

// tensor draws one picture, or all of a batch: black and white are the same
// for all.
func (p Picture) tensor(t Tensor, one bool) (ms []image.Image, note string, err error) {
	shape, values := t.Shape(), t.Float32s()
	n, inner := 1, shape
	if len(shape) == 4 {
		n, inner = shape[0], shape[1:]
	}
	if len(shape) == 3 && !one { // [N H W], unless it can only be one picture
		if _, ok := pictureLayout(shape, p.Layout); !ok || p.Layout == "" && shape[0] != 3 && shape[2] != 3 {
			n, inner = shape[0], shape[1:]
		}
	}
	l, ok := pictureLayout(inner, p.Layout)
	switch {
	case !ok:
		return nil, "", fmt.Errorf("a tensor of shape %v is no picture; want [H W], [C H W] or [H W C] with 1, 3 or 4 channels", shape)
	case one && n != 1:
		return nil, "", fmt.Errorf("a tensor of shape %v is %d pictures; use display.Grid{Of: …} for all, or take one of them", shape, n)
	}
	size := l.c * l.h * l.w
	if len(values) != n*size {
		return nil, "", fmt.Errorf("a tensor of shape %v has %d values, want %d", shape, len(values), n*size)
	}
	px := pixels{p.Mean, p.Std, p.Range}
	all := make([]float32, 0, len(values))
	for i := range n {
		v, err := px.denormalise(values[i*size:(i+1)*size], l)
		if err != nil {
			return nil, "", err
		}
		all = append(all, v...)
	}
	low, high, note := px.blackWhite(all)
	for i := range n {
		ms = append(ms, picture(all[i*size:(i+1)*size], l, low, high))
	}
	return ms, note, nil
}

// open decodes a file, whose size is looked at first: a few bytes can claim to
// be an enormous picture. The pixels are those that dl/vision reads, where a
// decoder of this module knows the format.
func open(name string) (image.Image, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fits := func(format string, w, h int) error {
		if w <= 0 || h <= 0 || w > maxPixels/h {
			return fmt.Errorf("%s: the %s picture is %d × %d pixels, want at most %d altogether", name, format, w, h, maxPixels)
		}
		return nil
	}
	head := make([]byte, imagefile.HeadSize)
	n, _ := f.ReadAt(head, 0)
	if known, ok := imagefile.Find(head[:n]); ok {
		data, err := io.ReadAll(f)
		if err != nil {
			return nil, err
		}
		var large error
		m, err := known.Decode(data, func(w, h int) error {
			large = fits(strings.ToLower(known.Name), w, h)
			return large
		})
		switch {
		case large != nil:
			return nil, large
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return m.Image, nil
	}
	config, format, err := image.DecodeConfig(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; want a PNG or JPEG file", name, err)
	}
	if err := fits(format, config.Width, config.Height); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, 0); err != nil {
		return nil, err
	}
	m, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// fit brings m to the pixels that are sent, and says its size on the page.
// A picture smaller than small is enlarged by whole pixels; one larger than
// large is shrunk.
func fit(m image.Image, zoom, small, large int) (out image.Image, width, height int) {
	size := m.Bounds().Size()
	side := max(size.X, size.Y)
	if zoom <= 0 {
		zoom = max(1, small/side)
	}
	zoom = max(1, min(zoom, maxSide/side))
	width, height = size.X*zoom, size.Y*zoom
	if zoom > 1 {
		return enlarge(m, zoom*scale), width, height
	}
	if side > large {
		width, height = max(1, width*large/side), max(1, height*large/side)
	}
	if side > large*scale {
		m = shrink(m, width*scale, height*scale)
	}
	return m, width, height
}

// enlargeTo brings a picture that fit left at its own resolution to w × h.
func enlargeTo(m image.Image, w, h int) image.Image {
	size := m.Bounds().Size()
	switch {
	case size.X == w && size.Y == h:
		return m
	case size.X*scale == w && size.Y*scale == h:
		return enlarge(m, scale)
	case size.X >= w:
		return shrink(m, w, h)
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			out.SetNRGBA(x, y, at(m, m.Bounds().Min.X+x*size.X/w, m.Bounds().Min.Y+y*size.Y/h))
		}
	}
	return out
}
