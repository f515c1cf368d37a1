package display

import (
	"sync"

	"github.com/holt-dl/holt/internal/frame"
)

// LivePlot is curves to which a loop adds points by hand. The zero value
// works: the first Add shows the plot below the running cell, and later ones
// bring it up to date, at most once a second and before the cell ends.
//
//	var plot display.LivePlot
//	for step := range 1000 {
//		plot.Add("train/loss", float64(step), train())
//	}
//
// Each metric has a panel, the loss first and the accuracy second; the words
// train, eval, val, valid and test in a name only choose a line in it, so that
// "train/loss" and "eval/loss" (or train_loss and val_loss) can be compared.
// A long noisy curve is drawn pale with a smoothed one over it. The legend has
// the last value of each line, and says which are smoothed; the text has that
// of each curve, its smoothed value if it has one, and its best.
//
// Several goroutines may add at once. A copy shows the same points.
type LivePlot struct {
	Title  string
	X      string // label of the X axis; empty means "step"
	LogY   bool   // logarithmic Y axes, except for accuracies
	Smooth int    // points that a smoothed curve averages over; 0 chooses, 1 draws none

	points *points
}

// points is what copies of a LivePlot share.
type points struct {
	mu     sync.Mutex
	chart  chart
	curves []curve
	paced  *paced
}

// Add appends one point to the curve of that name. An x below the one before
// it is kept as it is.
func (p *LivePlot) Add(name string, x, y float64) {
	p.open()
	p.points.mu.Lock()
	p.points.chart = p.chart(p.points.chart.status)
	i := 0
	for i < len(p.points.curves) && p.points.curves[i].name != name {
		i++
	}
	if i == len(p.points.curves) {
		p.points.curves = append(p.points.curves, newCurve(name, nil, nil))
	}
	c := &p.points.curves[i]
	c.x, c.y = append(c.x, x), append(c.y, y)
	first := p.points.paced == nil
	if first {
		p.points.paced = &paced{live: newLive(pace(), p.points.bundle)}
	}
	paced := p.points.paced
	p.points.mu.Unlock()
	if first {
		paced.show() // in this cell, above what it prints next
		return
	}
	paced.changed()
}

// Status sets the line above the curves, with the next point.
func (p *LivePlot) Status(line string) {
	p.open()
	p.points.mu.Lock()
	defer p.points.mu.Unlock()
	p.points.chart.status = line
}

// Close shows the last points now, as a chart that one can hover over and zoom. It is
// not needed in a notebook, where the end of the cell shows them as a picture; a plain
// program prints the final values with it.
func (p *LivePlot) Close() error {
	p.open()
	p.points.mu.Lock()
	paced := p.points.paced
	p.points.mu.Unlock()
	if paced == nil {
		return nil
	}
	return paced.finish(true)
}

// opening guards the points of all plots while they are made.
var opening sync.Mutex

func (p *LivePlot) open() {
	opening.Lock()
	defer opening.Unlock()
	if p.points == nil {
		p.points = &points{chart: p.chart("")}
	}
}

func (p *LivePlot) chart(status string) chart {
	return chart{title: p.Title, status: status, x: p.X, logY: p.LogY, smooth: p.Smooth}
}

// bundle shows the plot once more, as the result of a cell.
func (p LivePlot) bundle() (frame.Bundle, error) {
	p.open()
	return p.points.bundle(true)
}

func (p *points) bundle(still bool) (frame.Bundle, error) {
	p.mu.Lock()
	chart := p.chart
	chart.still = still
	curves := make([]curve, len(p.curves))
	copy(curves, p.curves) // points are only ever appended
	p.mu.Unlock()
	return chart.bundle(curves)
}
