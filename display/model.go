package display

import (
	"errors"
	"fmt"
	"image"
	"math"

	"github.com/holt-dl/holt/internal/frame"
	"github.com/holt-dl/holt/internal/thousands"
)

// Parameters is a model whose parameters are tensors T with names, such as
// "features.0.weight". Holt's dl.Model is one.
type Parameters[T Tensor] interface {
	Names() []string
	Param(name string) T
}

// Weights lists a model's parameters: name, shape, number of values, mean,
// standard deviation, range, and how many are NaN or infinite.
func Weights[T Tensor](model Parameters[T]) Table {
	t := Table{Head: []string{"parameter", "shape", "values", "mean", "std", "min", "max", "not finite"}, Max: 1000}
	rows := [][]any{}
	total := 0
	for _, name := range model.Names() {
		p := model.Param(name)
		values := p.Float32s()
		s := measure(values)
		total += len(values)
		rows = append(rows, []any{name, fmt.Sprint(p.Shape()), grouped(len(values)), brief3(s.mean), brief3(s.std), brief3(s.low), brief3(s.high), s.nan + s.inf})
	}
	t.Rows, t.Title = rows, fmt.Sprintf("%d tensors, %s values", len(rows), thousands.Text(total))
	return t
}

// WeightHistograms is how the values of each of a model's parameters lie, at
// most 12 of them: the first ones that have more than one axis.
func WeightHistograms[T Tensor](model Parameters[T]) Histograms {
	var h Histograms
	for _, name := range model.Names() {
		if p := model.Param(name); len(p.Shape()) > 1 && len(h.Of) < 12 {
			h.Names, h.Of = append(h.Names, name), append(h.Of, p)
		}
	}
	return h
}

// Histograms is several histograms side by side.
type Histograms struct {
	Of    []Tensor
	Names []string
	Title string
}

func (h Histograms) bundle() (frame.Bundle, error) {
	if len(h.Of) == 0 {
		return frame.Bundle{}, errors.New("display: Histograms: there are no tensors: Of is empty")
	}
	f := Figure{Title: h.Title}
	text := h.Title
	for i, t := range h.Of {
		name := fmt.Sprint(i)
		if i < len(h.Names) {
			name = h.Names[i]
		}
		values, err := floats(t)
		if err != nil {
			return frame.Bundle{}, fmt.Errorf("display: Histograms: %s: %w", name, err)
		}
		p, line := histogram(name, values, 30)
		f.Panels = append(f.Panels, p)
		if text != "" {
			text += "\n"
		}
		text += line
	}
	return figureBundle("Histograms", f, text)
}

// Filters is the weights of a convolution as pictures.
//
// A tensor [Out 3 H W] is shown as Out colour pictures, any other [Out In H W]
// as Out·In gray ones, each filter spread over its own range of values.
type Filters struct {
	Of    Tensor
	Max   int // how many are shown; 0 means 64
	Title string
}

func (f Filters) bundle() (frame.Bundle, error) {
	shape, values, err := fourAxes(f.Of)
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Filters: %w", err)
	}
	channels := 1
	if shape[1] == 3 {
		channels = 3
	}
	return planes("Filters", f.Title, values, layout{channels, shape[2], shape[3], shape[2] * shape[3], shape[3], 1}, f.Max)
}

// FeatureMaps is what a layer makes of a picture: a tensor [C H W] or
// [1 C H W] as C gray pictures, each spread over its own range of values.
type FeatureMaps struct {
	Of    Tensor
	Max   int // how many are shown; 0 means 64
	Title string
}

func (f FeatureMaps) bundle() (frame.Bundle, error) {
	shape, values, err := fourAxes(f.Of)
	if err == nil && shape[0] != 1 {
		err = fmt.Errorf("the tensor has shape %v: %d examples, want one", shape, shape[0])
	}
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: FeatureMaps: %w", err)
	}
	return planes("FeatureMaps", f.Title, values, layout{1, shape[2], shape[3], 0, shape[3], 1}, f.Max)
}

// fourAxes returns the shape as [N C H W].
func fourAxes(t Tensor) (shape []int, values []float32, err error) {
	if t == nil || isNil(t) {
		return nil, nil, errors.New("Of is nil, want a tensor")
	}
	shape, values = t.Shape(), t.Float32s()
	if len(shape) == 3 {
		shape = append([]int{1}, shape...)
	}
	size := 1
	for _, d := range shape {
		size *= d
	}
	if len(shape) != 4 || size == 0 || size != len(values) {
		return nil, nil, fmt.Errorf("the tensor has shape %v, want [N C H W] or [C H W]", t.Shape())
	}
	return shape, values, nil
}

// planes shows pictures that follow each other in values.
func planes(name, title string, values []float32, l layout, most int) (frame.Bundle, error) {
	size := l.c * l.h * l.w
	n := len(values) / size
	if most <= 0 {
		most = maxTiles
	}
	var ms []image.Image
	for i := range min(n, most) {
		part := values[i*size : (i+1)*size]
		s := measure(part)
		ms = append(ms, picture(part, l, s.low, s.high))
	}
	s := measure(values)
	g := Grid{Of: ms, Title: title, Zoom: max(1, int(math.Round(56/float64(max(l.h, l.w))))), Columns: min(n, 12)}
	sheet, _, err := g.sheet()
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: %s: %w", name, err)
	}
	text := fmt.Sprintf("%d planes of %d × %d", n, l.h, l.w)
	if title != "" {
		text = title + ": " + text
	}
	sheet.Note = fmt.Sprintf("values %s to %s, each spread over its own range", number(s.low), number(s.high))
	if len(ms) < n {
		sheet.Note = fmt.Sprintf("the first %d of %d; ", len(ms), n) + sheet.Note
	}
	text += "; " + sheet.Note
	if p := plotter(); p != nil {
		m, err := p.Sheet(sheet)
		if err != nil {
			return frame.Bundle{}, fmt.Errorf("display: %s: %w", name, err)
		}
		return drawn(m, text)
	}
	return drawn(sheet.bare(), text)
}
