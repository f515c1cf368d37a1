package dl_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// TestPictureLayersSay checks what is said of settings and shapes that do not fit.
func TestPictureLayersSay(t *testing.T) {
	on(t, "go")
	image := fill(1, 1, 2, 3, 4, 5)
	for _, tt := range []struct {
		f    func()
		want string
	}{
		{func() { dl.PixelShuffle{Upscale: 2}.Forward(image) }, "dl: PixelShuffle: input is [2 3 4 5], want [N 4·C H W]; make the layer before it give 4 channels for each channel of the result"},
		{func() { dl.PixelShuffle{}.Forward(image) }, "dl: PixelShuffle: Upscale is 0, want above 0; write PixelShuffle{Upscale: 2}"},
		{func() { image.PixelUnshuffle(2) }, "dl: PixelUnshuffle: input is [2 3 4 5], want [N C H W] with H and W divisible by 2"},
		{func() { dl.ReflectionPad2d{Padding: 4}.Forward(image) }, "dl: ReflectionPad2d: input is [2 3 4 5], want an image of more than 4 pixels along axis 2; a picture has no more to mirror: use less padding, or larger pictures"},
		{func() { dl.ZeroPad2d{Left: -1}.Forward(image) }, "dl: ZeroPad2d: a side is -1, want 0 or more; use Narrow to cut pixels off"},
		{func() { dl.ReplicationPad2d{Padding: 1}.Forward(image.Index(0)) }, "dl: ReplicationPad2d: input is [3 4 5], want [N C H W]; add the batch axis: Reshape(1, …)"},
		{func() { dl.Upsample{}.Forward(image) }, "dl: Upsample: Scale is 0 and Size (0, 0), want one of the two, above 0; write Upsample{Scale: 2}"},
		{func() { image.Upsample(dl.Upsample{Scale: 2, Mode: "cubic"}) }, `dl: Upsample: Mode is "cubic", want nearest or bilinear`},
		{func() { image.Upsample(dl.Upsample{Scale: 2, AlignCorners: true}) }, `dl: Upsample: AlignCorners is set and Mode is "", want bilinear, which alone has it`},
		{func() { image.Upsample(dl.Upsample{Scale: 0.1}) }, "dl: Upsample: input is [2 3 4 5], want a picture that Scale 0.1 leaves pixels of"},
		{func() { dl.InstanceNorm2d{}.Forward(fill(1, 1, 2, 3, 1, 1)) }, "dl: InstanceNorm2d: input is [2 3 1 1], want images of more than one pixel, which have a variance; use larger pictures, or less pooling before it"},
		{func() { dl.InstanceNorm2d{In: 4}.Forward(image) }, "dl: InstanceNorm2d: input is [2 3 4 5], want [N 4 H W]; set In: 3, or leave In out"},
		{func() { dl.Dropout2d{P: 2}.Forward(image) }, "dl: Dropout2d: P is 2, want 0 to 1; try Dropout2d{P: 0.5}"},
		{func() { image.AffineGrid(3, 3, dl.Sampling{}) }, "dl: AffineGrid: input is [2 3 4 5], want [N 2 3] floating-point numbers; end the network with Linear{Out: 6} and Reshape(-1, 2, 3)"},
		{func() { image.GridSample(fill(1, 1, 2, 4, 4, 3), dl.Sampling{}) }, "dl: GridSample: grid: input is [2 4 4 3], want [2 H W 2] floating-point numbers, a place x, y for each pixel of the result; make it with AffineGrid"},
		{func() { image.GridSample(image, dl.Sampling{Padding: "mirror"}) }, `dl: GridSample: Padding is "mirror", want zeros, border or reflection`},
		{func() { image.GridSample(image, dl.Sampling{Mode: "cubic"}) }, `dl: GridSample: Mode is "cubic", want bilinear or nearest`},
		{func() { dl.NewParam(fill(1, 1, 3)).Init(dl.Orthogonal(1)) }, "dl: Orthogonal: input is [3], want at least two axes"},
		{func() { dl.NewParam(fill(1, 1, 3)).Init(nil) }, "dl: Init: got nil, want how to begin: dl.Constant(0), dl.KaimingNormal, dl.Normal(0, 0.02), …"},
		{func() { image.Init(dl.Constant(0)) }, "dl: Set: the tensor is a value, and values never change; keep the new one in a variable, or make a parameter with dl.NewParam"},
		{func() { dl.Adadelta{Rho: 1}.For(dl.NewParam(image)) }, "dl: Adadelta: settings are {LR:1 Rho:1 Epsilon:1e-06 WeightDecay:0}, want LR above 0, nothing negative, and shares in [0, 1); try Adadelta{LR: 1}"},
	} {
		func() {
			defer func() {
				if err, _ := recover().(error); err == nil || err.Error() != tt.want {
					t.Errorf("got  %v\nwant %s", err, tt.want)
				}
			}()
			tt.f()
		}()
	}
}

// TestOrthogonal checks right angles and lengths, with more rows than columns and
// with fewer.
func TestOrthogonal(t *testing.T) {
	on(t, "go")
	for _, shape := range []dl.Shape{{4, 3, 2, 2}, {9, 4}, {5, 5}} {
		p := dl.NewParam(dl.Full(0, shape...))
		p.Init(dl.Orthogonal(math.Sqrt2))
		m := p.Detach().Reshape(shape[0], -1)
		if m.Dim(0) > m.Dim(1) {
			m = m.Transpose(1, 0)
		}
		n := m.Dim(0)
		for i, v := range m.MatMul(m.Transpose(1, 0)).Float64s() {
			want := 0.0
			if i/n == i%n {
				want = 2
			}
			if math.Abs(v-want) > 1e-5 { // float32
				t.Errorf("%v: the product of rows %d and %d is %v, want %v", shape, i/n, i%n, v, want)
			}
		}
	}
	p := dl.NewParam(dl.Full(0, 4, 4))
	draw := func() []float32 { p.Init(dl.Normal(0, 1)); return p.Float32s() }
	dl.Seed(3)
	first, second := draw(), draw()
	dl.Seed(3)
	if again := draw(); !slices.Equal(first, again) || slices.Equal(first, second) {
		t.Error("Init does not follow from the seed, or is the same at each call")
	}
}

// TestDropout2d drops whole channels in training, as many as P says, and none in
// evaluation.
func TestDropout2d(t *testing.T) {
	on(t, "go")
	m := must(dl.Build(dl.Dropout2d{P: 0.25}, dl.Shape{40, 50, 2, 3}))
	x := dl.Full(1, 40, 50, 2, 3)
	dropped := 0
	y := m.Call(x).Float64s()
	for i := 0; i < len(y); i += 6 {
		for _, v := range y[i : i+6] {
			if v != y[i] || v != 0 && math.Abs(v-4.0/3) > 1e-6 {
				t.Fatalf("a channel is %v, want all 0 or all 1.333", y[i:i+6])
			}
		}
		if y[i] == 0 {
			dropped++
		}
	}
	if dropped < 430 || dropped > 570 { // 500 of 2000, deviation 19
		t.Errorf("%d of 2000 channels were dropped, want about 500", dropped)
	}
	if got := must(m.Predict(x)).Float64s(); slices.ContainsFunc(got, func(v float64) bool { return v != 1 }) {
		t.Error("channels were dropped in evaluation")
	}
}

// TestBCELossAtTheEnds has PyTorch's least logarithm, and no number for what is no
// probability.
func TestBCELossAtTheEnds(t *testing.T) {
	on(t, "go")
	p, y := dl.FromSlice([]float32{0, 1, 1}), dl.FromSlice([]float32{1, 1, 0})
	if got := p.Loss(dl.BCELoss{Reduction: "none"}, y).Float64s(); !slices.Equal(got, []float64{100, 0, 100}) {
		t.Errorf("the losses of 0, 1 and 1 for 1, 1 and 0 are %v, want 100, 0 and 100", got)
	}
	for _, v := range []float32{-0.5, 1.5} {
		for _, target := range []float32{0, 1} {
			if got := dl.FromSlice([]float32{v}).Loss(dl.BCELoss{}, dl.FromSlice([]float32{target})).Item(); !math.IsNaN(got) {
				t.Errorf("the loss of %v for %v is %v, want NaN", v, target, got)
			}
		}
	}
}

func ExamplePixelShuffle() {
	x := dl.FromSlice([]float32{1, 2, 3, 4}, 1, 4, 1, 1)
	fmt.Println(dl.PixelShuffle{Upscale: 2}.Forward(x).Shape(), x.PixelShuffle(2).Float32s())
	// Output: [1 1 2 2] [1 2 3 4]
}

func ExampleReflectionPad2d() {
	x := dl.FromSlice([]float32{1, 2, 3}, 1, 1, 1, 3)
	fmt.Println(dl.ReflectionPad2d{Left: 2, Right: 1}.Forward(x).Float32s())
	fmt.Println(dl.ReplicationPad2d{Left: 2, Right: 1}.Forward(x).Float32s())
	fmt.Println(dl.ZeroPad2d{Left: 2, Right: 1}.Forward(x).Float32s())
	// Output:
	// [3 2 1 2 3 2]
	// [1 1 1 2 3 3]
	// [0 0 1 2 3 0]
}

func ExampleUpsample() {
	x := dl.FromSlice([]float32{0, 4}, 1, 1, 1, 2)
	fmt.Println(x.Upsample(dl.Upsample{Size: dl.HW{1, 4}}).Float32s())
	fmt.Println(x.Upsample(dl.Upsample{Size: dl.HW{1, 4}, Mode: "bilinear"}).Float32s())
	// Output:
	// [0 0 4 4]
	// [0 1 3 4]
}

func ExampleInstanceNorm2d() {
	m := build(dl.InstanceNorm2d{Affine: true}, dl.Shape{1, 2, 4, 4})
	fmt.Println(m.Names())
	// Output: [weight bias]
}

// A picture is turned by a quarter.
func ExampleTensor_GridSample() {
	x := dl.FromSlice([]float32{1, 2, 3, 4}, 1, 1, 2, 2)
	turn := dl.FromSlice([]float32{0, -1, 0, 1, 0, 0}, 1, 2, 3)
	fmt.Println(x.GridSample(turn.AffineGrid(2, 2, dl.Sampling{}), dl.Sampling{}).Float32s())
	// Output: [2 4 1 3]
}
