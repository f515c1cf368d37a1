package display

import (
	"image"
	"image/color"
	"math"

	"github.com/holt-dl/holt/internal/hooks"
)

// Plotter draws what needs fonts. Pictures are twice as wide and high, in
// pixels, as they will be shown. The same description gives the same pixels.
// A Plotter is called by several goroutines at once.
type Plotter interface {
	Plot(Figure) (image.Image, error)
	Sheet(Sheet) (image.Image, error)
	Diagram(Diagram) (image.Image, error)
}

// Drawer is a [Plotter] that can draw other values too, such as the plots of
// the library it is made with. It returns the picture and the size at which it
// is to be shown, or [errors.ErrUnsupported] for a value that is none of its
// business.
type Drawer interface {
	Draw(v any) (m image.Image, width, height int, err error)
}

// Figure is charts side by side.
type Figure struct {
	Title  string  // one line above all panels
	Width  int     // of the whole, as shown, in pixels; 0 chooses by the panels
	Height int     // the same
	Panels []Panel // left to right, row by row

	Columns int // panels in a row; 0 means at most three
}

// Panel is one chart. It holds lines, or bars, or a matrix. [Plot] and [Scatter] make
// one of numbers.
type Panel struct {
	Title  string
	X, Y   string     // the axes' labels
	LogX   bool       // a logarithmic axis, when all values are positive
	LogY   bool       // the same
	XRange [2]float64 // of the X axis; the zero value fits it to the values
	Range  [2]float64 // of the Y axis; the same
	Square bool       // the panel is as wide as it is high
	Lines  []Line
	Bars   []PanelBar
	Matrix *Matrix

	err error // why it cannot be drawn
}

// LogAxes reports which axes are logarithmic: those for which LogX and LogY ask, where some
// values of the lines are numbers and all of these are above 0.
func (p Panel) LogAxes() (x, y bool) {
	positive := func(of func(Line) []float64) bool {
		some := false
		for _, l := range p.Lines {
			for _, v := range of(l) {
				if v <= 0 {
					return false
				}
				some = some || !math.IsNaN(v)
			}
		}
		return some
	}
	x = p.LogX && positive(func(l Line) []float64 { return l.X })
	y = p.LogY && positive(func(l Line) []float64 { return l.Y })
	return x, y
}

// Line is one curve. Points that are not finite are left out.
type Line struct {
	Name   string // in the legend; empty for none
	X, Y   []float64
	Color  color.NRGBA
	Faint  bool // thin and pale, behind the others
	Dashed bool
	Points bool // mark every point
	NoLine bool // and draw no line between them
}

// PanelBar is one bar. In a histogram it is between From and To on the X axis;
// where both are 0 the bars are side by side, over their names.
type PanelBar struct {
	Name     string
	Value    float64
	From, To float64
	Color    color.NRGBA
}

// Matrix is a grid of coloured cells, row 0 on top.
type Matrix struct {
	Rows, Columns []string    // names, empty for none
	Values        [][]float64 // by row; NaN leaves a cell empty
	Text          [][]string  // what is written in the cells; nil for none
	What          string      // what a value is, where the pointer is on its cell; empty means "value"
	Diverging     bool        // colours run from blue over white to red around 0
	Low, High     float64     // values of the first and last colour; both 0 for the values' range
}

// Sheet is pictures in rows and columns, each over its label.
type Sheet struct {
	Title   string
	Note    string // one line below everything
	Columns int
	Tiles   []Tile
}

// Tile is one picture of a [Sheet], in the pixels of the result: twice the
// size at which it is shown.
type Tile struct {
	Picture image.Image
	Label   string      // lines are separated by \n
	Color   color.NRGBA // of the label; the zero value is the text's own
}

// Diagram is boxes with arrows between them, from top to bottom.
//
//	display.Diagram{Boxes: []display.Box{{Name: "laptop"}, {Name: "server", From: []int{0}}}}
type Diagram struct {
	Title string
	Boxes []Box
}

// Box is one box of a [Diagram].
type Box struct {
	Name  string // in bold
	Place string // beside it
	Note  string // at the right
	Color color.NRGBA
	From  []int // positions of the boxes that arrows come from, all before this one
}

// Colours of lines and labels. Pictures have no ground of their own: these, and [Ink], are told apart
// from white pages and from the dark ones of JupyterLab and VS Code, with a contrast of at least 3.5.
var (
	Blue   = color.NRGBA{0x2e, 0x7f, 0xc9, 0xff}
	Orange = color.NRGBA{0xd9, 0x68, 0x1d, 0xff}
	Green  = color.NRGBA{0x2a, 0x8c, 0x47, 0xff}
	Red    = color.NRGBA{0xd9, 0x3a, 0x3a, 0xff}
	Purple = color.NRGBA{0x8f, 0x63, 0xcc, 0xff}
	Gray   = color.NRGBA{0x7b, 0x81, 0x8c, 0xff}
)

// Ink is the colour of letters in pictures. A contrast of 4.1 with white and with the
// darkest ground of VS Code is the most that one colour can have with both.
var Ink = color.NRGBA{0x7e, 0x7e, 0x7e, 0xff}

// palette is the order in which unnamed lines take the colours.
var palette = [...]color.NRGBA{Blue, Orange, Green, Purple, Red, Gray}

// plotter returns what the program draws with, or nil.
func plotter() Plotter {
	p, _ := hooks.Get().Plotter.(Plotter)
	return p
}
