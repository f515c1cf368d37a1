package cartpole

import (
	"bytes"
	"image/gif"
	"math"
	"math/rand/v2"
	"testing"
)

// TestCartPole compares with Gymnasium's equations by hand for a cart that stands
// still, and pushes one way until the pole falls.
func TestCartPole(t *testing.T) {
	c := &CartPole{}
	c.Step(1)
	// The push of 10 N moves 1.1 kg; the pole, which hangs on, swings back.
	fall := -10 / 1.1 / (0.5 * (4.0/3 - 0.1/1.1))
	want := CartPole{Speed: 0.02 * (10/1.1 - 0.05*fall/1.1), Swing: 0.02 * fall, Steps: 1}
	for i, pair := range [][2]float64{{c.X, want.X}, {c.Speed, want.Speed}, {c.Angle, want.Angle}, {c.Swing, want.Swing}} {
		if math.Abs(pair[0]-pair[1]) > 1e-12 {
			t.Errorf("number %d of the state is %v, want %v", i, pair[0], pair[1])
		}
	}
	c.Reset(rand.New(rand.NewPCG(1, 1)))
	if c.Steps != 0 || math.Abs(c.X) > 0.05 || c.X == 0 || c.Fallen() {
		t.Errorf("after Reset the state is %+v", *c)
	}
	var film Film
	for !c.Step(0) {
		film = append(film, *c)
	}
	if !c.Fallen() || c.Steps < 8 || c.Steps > 12 || c.Angle < 12*math.Pi/180 {
		t.Errorf("pushed to the left, the cart is %+v after %d steps; want a pole that falls to the right after about 10", *c, c.Steps)
	}
	g, err := gif.DecodeAll(bytes.NewReader(film.GIF()))
	if err != nil || len(g.Image) != (len(film)+1)/2 {
		t.Errorf("the film of %d steps: %v", len(film), err)
	}
}
