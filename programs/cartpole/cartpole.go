// Package cartpole is the environment CartPole-v1 of Gymnasium: a cart that is pushed
// left or right so that the pole on it does not fall over.
//
// Barto, Sutton and Anderson, "Neuronlike Adaptive Elements That Can Solve Difficult
// Learning Control Problems", 1983.
package cartpole

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"math"
	"math/rand/v2"
)

// CartPole is the state of the cart and the pole.
type CartPole struct {
	X, Speed     float64 // of the cart, in metres and metres per second
	Angle, Swing float64 // of the pole, in radians from upright and radians per second
	Steps        int     // since the start
}

// Reset starts again near the middle, with the pole nearly upright.
func (c *CartPole) Reset(rng *rand.Rand) {
	near := func() float64 { return rng.Float64()*0.1 - 0.05 }
	*c = CartPole{X: near(), Speed: near(), Angle: near(), Swing: near()}
}

// State is what a policy sees: position, speed, angle and swing.
func (c *CartPole) State() []float32 {
	return []float32{float32(c.X), float32(c.Speed), float32(c.Angle), float32(c.Swing)}
}

// Step pushes the cart to the left, with action 0, or to the right, with 1, for a
// fiftieth of a second. It reports whether the episode is over: whether the pole
// falls, the cart leaves the track, or 500 steps are done. Each step is worth a
// reward of 1.
func (c *CartPole) Step(action int) (done bool) {
	const gravity, cart, pole, half, force, time = 9.8, 1.0, 0.1, 0.5, 10.0, 0.02
	push := -force
	if action == 1 {
		push = force
	}
	sin, cos := math.Sincos(c.Angle)
	pull := (push + pole*half*c.Swing*c.Swing*sin) / (cart + pole)
	swing := (gravity*sin - cos*pull) / (half * (4.0/3 - pole*cos*cos/(cart+pole)))
	speed := pull - pole*half*swing*cos/(cart+pole)
	c.X += time * c.Speed
	c.Speed += time * speed
	c.Angle += time * c.Swing
	c.Swing += time * swing
	c.Steps++
	return c.Fallen() || c.Steps == 500
}

// Fallen reports whether the pole falls or the cart leaves the track.
func (c *CartPole) Fallen() bool {
	return math.Abs(c.X) > 2.4 || math.Abs(c.Angle) > 12*math.Pi/180
}

// Film is the course of an episode, which a notebook shows as a moving picture.
type Film []CartPole

// Bundle is the film as a notebook shows it.
func (f Film) Bundle() map[string]any {
	return map[string]any{"image/gif": f.GIF(), "text/plain": fmt.Sprintf("%d steps of a pole on a cart", len(f))}
}

// GIF draws every second step, as fast as time goes.
func (f Film) GIF() []byte {
	const width, height, metre = 300, 100, 60
	var g gif.GIF
	for i := 0; i < len(f); i += 2 {
		frame := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.White, color.Black, color.RGBA{200, 120, 50, 255}})
		fill := func(x, y, w, h float64, colour uint8) {
			at := image.Rect(int(x-w/2), int(y-h/2), int(x+w/2), int(y+h/2))
			draw.Draw(frame, at, image.NewUniform(frame.Palette[colour]), image.Point{}, draw.Src)
		}
		x := width/2 + f[i].X*metre
		fill(width/2, 85, width, 1, 1)
		fill(x, 80, 40, 16, 1)
		for along := 0.0; along <= metre; along++ {
			fill(x+along*math.Sin(f[i].Angle), 74-along*math.Cos(f[i].Angle), 5, 5, 2)
		}
		g.Image, g.Delay = append(g.Image, frame), append(g.Delay, 4) // hundredths of a second
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &g); err != nil {
		panic(err) // of an empty film
	}
	return b.Bytes()
}
