package plot

import (
	"gonum.org/v1/plot/vg"

	"github.com/holt-dl/holt/display"
)

// BoxText is the text in a box of a diagram that has only this one.
func BoxText(b display.Box) (name, place, note string) {
	mu.Lock()
	defer mu.Unlock()
	return boxText(b, vg.Length(boxWidth([]display.Box{b}))-2*boxInside)
}
