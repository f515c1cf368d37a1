package board

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/holt-dl/holt/dl"
)

// AddImage adds a picture: an image.Image, something with a method Image such
// as package vision's, an array [C H W], or a [Layout] of other axes. C is 1, 3
// or 4. Numbers of type uint8 are 0 to 255, all others 0 to 1, and what is
// beyond is cut off.
func (w *Writer) AddImage(tag string, picture any, step int) error {
	return w.addImage("AddImage", tag, picture, step, "CHW")
}

// AddImages adds a batch of pictures as one, eight in a row: an array [N C H W]
// or a [Layout]. Numbers are as in [Writer.AddImage].
func (w *Writer) AddImages(tag string, batch any, step int) error {
	return w.addImage("AddImages", tag, batch, step, "NCHW")
}

// Layout is an array of pictures that says what its axes are.
//
//	w.AddImage("photo", board.Layout{Of: x, Axes: "HWC"}, 0)
type Layout struct {
	Of   Array
	Axes string // "CHW", "HWC", "HW", "NCHW" or "NHWC"
}

// AddFigure adds a plot or any other drawing: an image.Image, something with
// a method Image or PNG, a plot of gonum.org/v1/plot (640 by 480 points), or
// the bytes of a PNG file.
func (w *Writer) AddFigure(tag string, figure any, step int) error {
	var data []byte
	switch f := figure.(type) {
	case []byte:
		data = f
	case interface{ PNG() []byte }:
		data = f.PNG()
	default:
		var ok bool
		var err error
		if data, ok, err = gonumPNG(figure); err != nil {
			return fmt.Errorf("board: AddFigure: %s: %w", tag, err)
		} else if !ok {
			return w.addImage("AddFigure", tag, figure, step, "CHW")
		}
	}
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("board: AddFigure: %s: the %d bytes are no PNG file (%w), want one; or add an image.Image", tag, len(data), err)
	}
	return w.addPNG(tag, config.Width, config.Height, 3, data, step)
}

// gonumPNG draws a plot of gonum's, whose packages a cell would otherwise
// link: its method is WriterTo(width, height vg.Length, format string).
func gonumPNG(figure any) (data []byte, ok bool, err error) {
	if figure == nil {
		return nil, false, nil
	}
	m := reflect.ValueOf(figure).MethodByName("WriterTo")
	if !m.IsValid() || m.Type().NumIn() != 3 || m.Type().In(0).Kind() != reflect.Float64 || m.Type().In(1).Kind() != reflect.Float64 ||
		m.Type().In(2).Kind() != reflect.String || m.Type().NumOut() != 2 {
		return nil, false, nil
	}
	length := func(points float64, t reflect.Type) reflect.Value { return reflect.ValueOf(points).Convert(t) }
	out := m.Call([]reflect.Value{length(640, m.Type().In(0)), length(480, m.Type().In(1)), reflect.ValueOf("png").Convert(m.Type().In(2))})
	if e, _ := out[1].Interface().(error); e != nil {
		return nil, true, e
	}
	to, isWriter := out[0].Interface().(io.WriterTo)
	if !isWriter {
		return nil, false, nil
	}
	var b bytes.Buffer
	_, err = to.WriteTo(&b)
	return b.Bytes(), true, err
}

func (w *Writer) addImage(op, tag string, picture any, step int, layout string) error {
	img, channels, err := imageOf(picture, layout)
	if err != nil {
		return fmt.Errorf("board: %s: %s: %w", op, tag, err)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return fmt.Errorf("board: %s: %s: %w", op, tag, err)
	}
	size := img.Bounds()
	return w.addPNG(tag, size.Dx(), size.Dy(), channels, b.Bytes(), step)
}

func (w *Writer) addPNG(tag string, width, height, channels int, data []byte, step int) error {
	m := message(nil).int(1, int64(height)).int(2, int64(width)).int(3, int64(channels)).bytes(4, data)
	return w.summary(tag, message(nil).bytes(valueImage, m), step)
}

// imageOf converts whatever is a picture, and returns its channels as
// TensorBoard counts them.
func imageOf(picture any, layout string) (image.Image, int, error) {
	switch p := picture.(type) {
	case image.Image:
		if p.Bounds().Empty() {
			return nil, 0, fmt.Errorf("the picture is empty, want at least one pixel")
		}
		return p, 4, nil
	case interface{ Image() image.Image }:
		return imageOf(p.Image(), layout)
	case Layout:
		if p.Of == nil {
			return nil, 0, fmt.Errorf("Of of the Layout is nil, want a tensor")
		}
		return arrayImage(p.Of, strings.ToUpper(p.Axes))
	case Array:
		return arrayImage(p, strings.ToUpper(layout))
	}
	return nil, 0, fmt.Errorf("it is a %T, want a picture: an image.Image or a tensor", picture)
}

var layouts = []string{"HW", "CHW", "HWC", "NCHW", "NHWC"}

func arrayImage(a Array, layout string) (image.Image, int, error) {
	if !slices.Contains(layouts, layout) {
		return nil, 0, fmt.Errorf("layout is %q, want one of %s", layout, strings.Join(layouts, ", "))
	}
	shape := a.Shape()
	if len(shape) != len(layout) {
		return nil, 0, fmt.Errorf("the picture is %v, want an axis for each letter of %s; %s", shape, layout, advice(len(shape)))
	}
	size, stride := map[rune]int{'N': 1, 'C': 1, 'H': 1, 'W': 1}, map[rune]int{}
	step := 1
	for i := len(shape) - 1; i >= 0; i-- {
		axis := rune(layout[i])
		size[axis], stride[axis] = shape[i], step
		step *= shape[i]
	}
	n, c, h, w := size['N'], size['C'], size['H'], size['W']
	if step == 0 || c != 1 && c != 3 && c != 4 {
		return nil, 0, fmt.Errorf("the picture is %v, which has %d channels as %s, want 1, 3 or 4, and no axis of 0; name the axes: board.Layout{Of: x, Axes: \"HWC\"}", shape, c, layout)
	}
	flat, factor := a.Float32s(), float32(255)
	if t, ok := a.(interface{ DType() dl.DType }); ok && t.DType() == dl.Uint8 {
		factor = 1
	}
	if len(flat) != step {
		return nil, 0, fmt.Errorf("the picture is %v with %d numbers, want %d", shape, len(flat), step)
	}
	const perRow = 8
	columns := min(n, perRow)
	rows := (n + columns - 1) / columns
	img := image.NewNRGBA(image.Rect(0, 0, columns*w, rows*h))
	for i := 3; i < len(img.Pix) && c < 4; i += 4 {
		img.Pix[i] = 255 // places without a picture are black
	}
	at := func(i, channel, y, x int) uint8 {
		v := flat[i*stride['N']+channel*stride['C']+y*stride['H']+x*stride['W']] * factor
		if !(v > 0) { // NaN is black
			return 0
		}
		return uint8(min(v, 255))
	}
	for i := range n {
		left, top := i%columns*w, i/columns*h
		for y := range h {
			for x := range w {
				p := color.NRGBA{A: 255}
				if c == 1 {
					p.R = at(i, 0, y, x)
					p.G, p.B = p.R, p.R
				} else {
					p.R, p.G, p.B = at(i, 0, y, x), at(i, 1, y, x), at(i, 2, y, x)
				}
				if c == 4 {
					p.A = at(i, 3, y, x)
				}
				img.SetNRGBA(left+x, top+y, p)
			}
		}
	}
	return img, max(c, 3), nil
}

// advice names a layout for pictures of so many axes.
func advice(axes int) string {
	switch axes {
	case 2:
		return "try board.Layout{Of: x, Axes: \"HW\"}"
	case 3:
		return "try AddImage, or board.Layout{Of: x, Axes: \"HWC\"}"
	case 4:
		return "try AddImages"
	}
	return "reshape it"
}
