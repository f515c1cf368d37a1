package dl_test

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// TestGridSampleLikePyTorch compares grids, samples and their gradients for the
// images and the affine map.
func TestGridSampleLikePyTorch(t *testing.T) {
	ref := readLayers(t)
	if len(ref.Grids) < 20 {
		t.Fatalf("there are %d references", len(ref.Grids))
	}
	eachBackend(t, func(t *testing.T) {
		for _, c := range ref.Grids {
			name := fmt.Sprintf("%v of %v, %s %s corners=%v", c.Theta, c.Image, c.Mode, c.Padding, c.Corners)
			s := dl.Sampling{Mode: c.Mode, Padding: c.Padding, AlignCorners: c.Corners}
			theta := fill(3, c.Theta, c.Image[0], 2, 3).Add(dl.FromSlice([]float32{1, 0, 0, 0, 1, 0}, 1, 2, 3)).RequiresGrad()
			x := fill(1, 1, c.Image...).RequiresGrad()
			grid := theta.AffineGrid(4, 6, s)
			y := x.GridSample(grid, s)
			y.Mul(fill(9, 1, c.Shape...)).Sum().Backward()
			near(t, name+" grid", brief(grid), c.Grid, 1e-6)                    // float32
			near(t, name+" output", brief(y), c.Output, 5e-6)                   // places between pixels are rounded in float32
			near(t, name+" gradient of the images", brief(x.Grad()), c.X, 1e-5) // as above
			if c.Mode == "nearest" {
				if g := theta.Grad(); g != nil {
					near(t, name+" gradient of the map", brief(g), c.T, 0)
				}
				continue
			}
			near(t, name+" gradient of the map", brief(theta.Grad()), c.T, 5e-5) // sums of differences of rounded places
		}
	})
}
