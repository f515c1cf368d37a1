package display

import (
	"fmt"
	"image"
	"math"
	"strings"

	"github.com/holt-dl/holt/internal/frame"
)

// Windows is how a convolution or a pooling goes over its input: at a few
// positions, the numbers that the window covers, and below them the result as
// far as it is known there. With Moving, the window slides over all of them.
//
//	display.Windows{Of: picture, Result: picture.Conv2d(filter, nil, dl.Conv2d{}), Kernel: 3}
type Windows struct {
	Of     Tensor // [H W], or [1 1 H W]; at most 16 by 16 numbers
	Result Tensor // [H' W'], or [1 1 H' W']: what each window gives

	Kernel  int   // side of the window; required
	Stride  int   // from one window to the next; 0 means 1
	Padding int   // rows and columns of zeros around Of
	At      []int // which windows are drawn, counted row by row from 0; at most three; empty means the first, the second and the last

	Moving bool // a moving picture of every window, beside its result; at most 100, and At is not used

	Title string
}

const maxSliding = 100

func (w Windows) bundle() (frame.Bundle, error) {
	// Shades mark cells and are no values, so there is nothing for the pointer to read.
	figures, text, err := w.figures()
	if err != nil {
		return frame.Bundle{}, fmt.Errorf("display: Windows: %w", err)
	}
	p := plotter()
	if !w.Moving || p == nil {
		return pictureBundle("Windows", figures[0], text)
	}
	var frames []image.Image
	for _, f := range figures {
		m, err := p.Plot(f)
		if err != nil {
			return frame.Bundle{}, fmt.Errorf("display: Windows: %w", err)
		}
		frames = append(frames, reduce(m))
	}
	return moving(frames, 0, "moving picture: "+text)
}

// figures is one for all windows, or when they move one for each.
func (w Windows) figures() (figures []Figure, text string, err error) {
	input, err := grid("Of", w.Of)
	if err != nil {
		return nil, "", err
	}
	result, err := grid("Result", w.Result)
	if err != nil {
		return nil, "", err
	}
	if w.Kernel < 1 || w.Stride < 0 || w.Padding < 0 {
		return nil, "", fmt.Errorf("Kernel is %d, Stride %d and Padding %d, want a window of at least 1", w.Kernel, w.Stride, w.Padding)
	}
	stride := max(w.Stride, 1)
	input = surround(input, w.Padding)
	across, total := len(result[0]), len(result)*len(result[0])
	if (len(result)-1)*stride >= len(input) || (across-1)*stride >= len(input[0]) {
		return nil, "", fmt.Errorf("Result is %d by %d, which windows with a stride of %d in %d by %d numbers do not give; want Stride and Padding of the layer",
			len(result), across, stride, len(input), len(input[0]))
	}
	if w.Moving && total > maxSliding {
		return nil, "", fmt.Errorf("there are %d windows to move over, want at most %d", total, maxSliding)
	}
	at := w.At
	if w.Moving {
		at = nil
		for p := range total {
			at = append(at, p)
		}
	}
	if len(at) == 0 && !w.Moving {
		at = []int{0}
		for _, p := range []int{1, total - 1} {
			if p > at[len(at)-1] {
				at = append(at, p)
			}
		}
	}
	if len(at) > 3 && !w.Moving {
		return nil, "", fmt.Errorf("At has %d windows, want at most 3", len(at))
	}
	var lines []string
	if w.Title != "" {
		lines = append(lines, w.Title)
	}
	const taken = 0.4 // the shade of what the window covers
	var above, below []Panel
	for _, p := range at {
		if p < 0 || p >= total {
			return nil, "", fmt.Errorf("At has window %d, want 0 to %d", p, total-1)
		}
		top, left := p/across*stride, p%across*stride
		above = append(above, Panel{Title: fmt.Sprintf("window %d", p), Matrix: marked(input, func(y, x int) float64 {
			if y >= top && y < top+w.Kernel && x >= left && x < left+w.Kernel {
				return taken
			}
			return 0
		})})
		below = append(below, Panel{Title: "result", Matrix: marked(result, func(y, x int) float64 {
			switch q := y*across + x; {
			case q == p:
				return taken
			case q < p:
				return 0
			}
			return math.NaN()
		})})
		lines = append(lines, fmt.Sprintf("window %d, from row %d and column %d: %s", p, top-w.Padding, left-w.Padding, number(result[p/across][p%across])))
	}
	text = strings.Join(lines, "\n")
	width := func(columns int) int { return 2*windowMargin + columns*(windowGap+windowCell*max(4, len(input[0]))) }
	if !w.Moving {
		return []Figure{{Title: w.Title, Panels: append(above, below...), Columns: len(at), Width: width(len(at))}}, text, nil
	}
	for i := range at {
		figures = append(figures, Figure{Title: w.Title, Panels: []Panel{above[i], below[i]}, Columns: 2, Width: width(2)})
	}
	return figures, text, nil
}

// The width of a cell on the page, and what is left free around and between panels.
const windowCell, windowMargin, windowGap = 34, 12, 20

// grid is a tensor's numbers by row.
func grid(name string, t Tensor) ([][]float64, error) {
	if t == nil || isNil(t) {
		return nil, fmt.Errorf("%s is nil, want a tensor [H W]", name)
	}
	shape := t.Shape()
	for len(shape) > 2 && shape[0] == 1 {
		shape = shape[1:]
	}
	if len(shape) != 2 || min(shape[0], shape[1]) < 1 || max(shape[0], shape[1]) > maxWindowed {
		return nil, fmt.Errorf("%s has shape %v, want [H W] of at most %d by %d numbers", name, t.Shape(), maxWindowed, maxWindowed)
	}
	rows := make([][]float64, shape[0])
	for i, v := range t.Float32s() {
		rows[i/shape[1]] = append(rows[i/shape[1]], float64(v))
	}
	return rows, nil
}

// A larger matrix could not be read when three are side by side.
const maxWindowed = 16

// surround puts n rows and columns of zeros around a matrix.
func surround(rows [][]float64, n int) [][]float64 {
	wide := make([][]float64, len(rows)+2*n)
	for i := range wide {
		wide[i] = make([]float64, len(rows[0])+2*n)
		if from := i - n; from >= 0 && from < len(rows) {
			copy(wide[i][n:], rows[from])
		}
	}
	return wide
}

// marked is a matrix with its numbers in cells that are coloured by their place: by a
// shade from 0 to 1, and empty where that is NaN.
func marked(rows [][]float64, shade func(y, x int) float64) *Matrix {
	m := &Matrix{Low: 0, High: 1}
	for y, row := range rows {
		shades, texts := make([]float64, len(row)), make([]string, len(row))
		for x, v := range row {
			if shades[x] = shade(y, x); !math.IsNaN(shades[x]) {
				texts[x] = number(v)
			}
		}
		m.Values, m.Text = append(m.Values, shades), append(m.Text, texts)
	}
	return m
}
