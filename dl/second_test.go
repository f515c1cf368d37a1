package dl_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// slope returns the gradient of Σ f(x)·fill(7) as a function of x.
func slope(f func(x *dl.Tensor) *dl.Tensor) func(x *dl.Tensor) *dl.Tensor {
	return func(x *dl.Tensor) *dl.Tensor {
		return must(dl.Grad(func(x ...*dl.Tensor) *dl.Tensor {
			y := f(x[0])
			return y.Mul(fill(7, 1, y.Shape()...)).Sum()
		}, x))[0]
	}
}

// TestSecondDerivativesOfAll compares the gradients of gradients with differences
// of the gradients: of every operation, loss and layer.
func TestSecondDerivativesOfAll(t *testing.T) {
	on(t, "go")
	x := fill(1, 1, 4, 4)
	for name, f := range operations() {
		finite(t, name, slope(f), x)
	}
	for name, f := range losses() {
		if !strings.HasPrefix(name, "dl.L1Loss") { // a difference from one side of its kink to the other
			finite(t, name, slope(f), x)
		}
	}
	for _, c := range layers() {
		dl.Seed(4)
		m := must(dl.Build(c.layer, c.shape))
		f := func(x *dl.Tensor) *dl.Tensor { return m.Call(x).Tanh() }
		// Their fourth derivatives, times h², are larger.
		finiteWithin(t, fmt.Sprintf("%T", c.layer), slope(f), fill(1, 1, c.shape...), 2e-2)
	}
}

// TestGradientPenalty has WGAN-GP's loss for critics of several kinds, and its
// gradients, beside PyTorch's: compiled and at once.
func TestGradientPenalty(t *testing.T) {
	var ref map[string]json.RawMessage
	if err := json.Unmarshal(must(os.ReadFile("testdata/ref/penalty.json")), &ref); err != nil {
		t.Fatal(err)
	}
	eachBackend(t, func(t *testing.T) {
		all := strings.HasSuffix(t.Name(), "/go") // XLA compiles each for seconds
		for name, net := range map[string]dl.Sequential{
			"convolutions": {dl.Conv2d{Out: 4, Kernel: 3, Stride: 2, Padding: 1, NoBias: true}, dl.InstanceNorm2d{Affine: true}, dl.LeakyReLU{Slope: 0.2},
				dl.Conv2d{Out: 6, Kernel: 3, Groups: 2}, dl.Tanh{}, dl.Flatten{}, dl.Linear{Out: 1}},
			"batch normalization": {dl.ConvTranspose2d{Out: 3, Kernel: 2, Stride: 2, NoBias: true}, dl.BatchNorm2d{}, dl.SiLU{}, dl.Conv2d{Out: 2, Kernel: 3, Stride: 3, Dilation: 2},
				dl.Flatten{}, dl.Linear{Out: 1}},
			"layers": {dl.Flatten{}, dl.Linear{Out: 5}, dl.LayerNorm{}, dl.GELU{}, dl.Linear{Out: 1}},
		} {
			if !all && name != "convolutions" {
				continue
			}
			var want struct {
				Loss, Penalty []float64
				Grads         map[string][]float64
			}
			if err := json.Unmarshal(ref[name], &want); err != nil {
				t.Fatal(err)
			}
			critic := must(dl.Build(net, dl.Shape{3, 2, 8, 8}))
			i := 0
			for _, n := range critic.Names() {
				if want.Grads[n] != nil { // buffers have none
					critic.Param(n).Set(fill(20+i, 0.5, critic.Param(n).Shape()...))
					i++
				}
			}
			if i != len(want.Grads) {
				t.Fatalf("%s: the parameters are %v, want those of %v", name, critic.Names(), want.Grads)
			}
			share := dl.FromSlice([]float32{0.25, 0.5, 0.875}, 3, 1, 1, 1)
			learn := func(real, fake *dl.Tensor) (loss, penalty *dl.Tensor, grads map[string]*dl.Tensor) {
				between := share.Mul(real).Add(dl.Ones(1).Sub(share).Mul(fake))
				slopes := must(dl.Grad(func(x ...*dl.Tensor) *dl.Tensor { return critic.Call(x[0]).Sum() }, between))[0]
				penalty = slopes.Flatten().Norm(1).Shift(-1).Square().Mean()
				loss = critic.Call(fake).Mean().Sub(critic.Call(real).Mean()).Add(penalty.Scale(10))
				loss.Backward()
				grads = map[string]*dl.Tensor{}
				for n := range want.Grads {
					grads[n] = critic.Param(n).Grad()
				}
				return loss.Detach(), penalty.Detach(), grads
			}
			for how, f := range map[string]func(real, fake *dl.Tensor) (loss, penalty *dl.Tensor, grads map[string]*dl.Tensor){
				"compiled": dl.Compile(learn).Call, "at once": learn,
			} {
				for n := range want.Grads {
					critic.Param(n).ZeroGrad()
				}
				loss, penalty, grads := f(fill(1, 1, 3, 2, 8, 8), fill(2, 1, 3, 2, 8, 8))
				near(t, name+" "+how+": loss", loss.Float64s(), want.Loss, 1e-5)
				near(t, name+" "+how+": penalty", penalty.Float64s(), want.Penalty, 1e-5)
				for n, g := range want.Grads {
					near(t, name+" "+how+": gradient of "+n, brief(grads[n]), g, 1e-4) // sums of products of some hundred float32
				}
			}
		}
	})
}
