package plot_test

import (
	"errors"
	"fmt"
	"image"
	"image/color"

	gonum "gonum.org/v1/plot"

	"github.com/holt-dl/holt/display"
	"github.com/holt-dl/holt/display/plot"
)

// sizeOf says how large a picture is that a notebook shows.
func sizeOf(v any) string {
	png, _ := display.Render(v).Metadata["image/png"].(map[string]any)
	return fmt.Sprintf("%v × %v", png["width"], png["height"])
}

func ExampleGonum() {
	p := gonum.New()
	p.Title.Text = "a plot of gonum's own"
	fmt.Println(sizeOf(p))
	// Output: 480 × 320
}

func ExampleGonum_Plot() {
	m, err := plot.Gonum{}.Plot(display.Figure{Panels: []display.Panel{{
		Title: "loss", X: "step",
		Lines: []display.Line{{Name: "train", X: []float64{0, 1, 2}, Y: []float64{2, 1, 0.5}, Color: display.Blue}},
	}}})
	fmt.Println(m.Bounds().Size(), err) // twice the size on the page
	// Output: (1040,540) <nil>
}

func ExampleGonum_Sheet() {
	m, err := plot.Gonum{}.Sheet(display.Sheet{Columns: 2, Tiles: []display.Tile{
		{Picture: image.NewGray(image.Rect(0, 0, 192, 192)), Label: "ant"},
		{Picture: image.NewGray(image.Rect(0, 0, 192, 192)), Label: "bee", Color: display.Green},
	}})
	fmt.Println(m.Bounds().Size(), err)
	// Output: (444,268) <nil>
}

func ExampleGonum_Diagram() {
	m, err := plot.Gonum{}.Diagram(display.Diagram{Boxes: []display.Box{
		{Name: "Input", Note: "[1 28 28]", Color: display.Gray},
		{Name: "Linear", Place: "head", Note: "[1 10]", Color: display.Purple, From: []int{0}},
	}})
	fmt.Println(m.Bounds().Size(), err)
	// Output: (384,168) <nil>
}

func ExampleGonum_Draw() {
	var d display.Drawer = plot.Gonum{}
	_, _, _, err := d.Draw("no plot")
	fmt.Println(errors.Is(err, errors.ErrUnsupported))
	// Output: true
}

// These describe charts, which any display.Plotter can draw.

func Example_panels() {
	fmt.Println(sizeOf(display.Figure{Title: "two charts", Width: 600, Height: 200, Panels: []display.Panel{
		{Title: "bars", Bars: []display.PanelBar{{Name: "ants", Value: 3, Color: display.Orange}, {Name: "bees", Value: 4}}},
		{Title: "a matrix", Matrix: &display.Matrix{Values: [][]float64{{1, 2}, {3, 4}}, Rows: []string{"a", "b"}}},
	}}))
	// Output: 600 × 200
}

func Example_colours() {
	own := color.NRGBA{0x00, 0x80, 0x80, 0xff}
	fmt.Println(sizeOf(display.Bars{Of: []int{1, 2, 3}}), own.A)
	// Output: 360 × 270 255
}
