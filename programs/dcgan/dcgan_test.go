package dcgan

import (
	"fmt"
	"math"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

// TestLikePyTorch has pictures of 16 × 16. With those of 32 × 32, PyTorch's own
// losses in float32 and in float64 differ by a hundredth after ten steps: a value
// near 0 goes through a ReLU or not, as it was rounded.
func TestLikePyTorch(t *testing.T) {
	const size, channels, n = 16, 3, 8
	g, d := NewGenerator(size, channels), NewDiscriminator(size)
	modelG, err := dl.Build(g, dl.Shape{n, 100, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	modelD, err := dl.Build(d, dl.Shape{n, channels, size, size})
	if err != nil {
		t.Fatal(err)
	}
	InitWeights(g.Main)
	InitWeights(d.Main)
	for name, want := range map[string][2]float64{"main.3.weight": {0, 0.02}, "main.1.weight": {1, 0.02}, "main.1.bias": {0, 0}} {
		p := modelG.Param(name)
		if mean, deviation := p.Mean().Item(), p.Std().Item(); math.Abs(mean-want[0]) > 0.006 || math.Abs(deviation-want[1]) > 0.003 { // 256 numbers and more
			t.Errorf("%s begins with mean %v and deviation %v, want %v", name, mean, deviation, want)
		}
	}
	for _, m := range []*dl.Model{modelG, modelD} {
		if err := reference.Fill(m); err != nil {
			t.Fatal(err)
		}
	}
	adam := dl.Adam{LR: 0.0002, Beta1: 0.5}
	optG, optD := adam.For(g), adam.For(d)
	step := dl.Compile(func(real, z *dl.Tensor) (lossD, lossG *dl.Tensor) { return Step(g, d, optG, optD, real, z) })
	var lossesD, lossesG []float64
	for i := range 10 {
		real, z := reference.Tensor(fmt.Sprint("x", i), 1, n, channels, size, size), reference.Tensor(fmt.Sprint("z", i), 1.5, n, 100, 1, 1)
		lossD, lossG := step.Call(real, z)
		lossesD, lossesG = append(lossesD, lossD.Item()), append(lossesG, lossG.Item())
	}
	reference.Check(t, map[string][]float64{
		"discriminator": lossesD, "generator": lossesG,
		"running": modelG.Param("main.4.running_var").Float64s()[:10],
	})
}
