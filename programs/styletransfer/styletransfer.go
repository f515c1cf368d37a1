// Package styletransfer paints one picture in the style of another, as the neural style
// transfer tutorial of PyTorch: the pixels are what is trained.
//
// Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style", 2015.
package styletransfer

import "github.com/holt-dl/holt/dl"

// Features is the network by whose answers pictures are compared. It is built like the
// beginning of the tutorial's VGG.
type Features struct {
	Main dl.Sequential
}

// NewFeatures returns a network that is not built yet, with width channels at first. VGG
// has 64.
func NewFeatures(width int) *Features {
	conv := func(out int) dl.Conv2d { return dl.Conv2d{Out: out, Kernel: 3, Padding: 1} }
	half := dl.AvgPool2d{Kernel: 2} // the maximum in VGG; Gatys found the mean to look better
	return &Features{dl.Sequential{
		conv(width), dl.ReLU{}, conv(width), dl.ReLU{}, half,
		conv(2 * width), dl.ReLU{}, conv(2 * width), dl.ReLU{}, half,
		conv(4 * width),
	}}
}

// Answers returns what each convolution answers to pictures x [N 3 H W], before its ReLU.
func (f *Features) Answers(x *dl.Tensor) []*dl.Tensor {
	var answers []*dl.Tensor
	x = x.Shift(-0.5).Scale(4) // about mean 0 and variance 1
	for _, layer := range f.Main {
		x = layer.Forward(x)
		if _, ok := layer.(dl.Conv2d); ok {
			answers = append(answers, x)
		}
	}
	return answers
}

// Forward returns the last answers, averaged over each picture, for a classifier: [N D].
func (f *Features) Forward(x *dl.Tensor) *dl.Tensor {
	answers := f.Answers(x)
	return answers[len(answers)-1].ReLU().Mean(2, 3)
}

// Gram says which channels of answers [1 C H W] are strong at the same places, and not
// which places these are: [C C]. It is Gatys's measure of style.
func Gram(answers *dl.Tensor) *dl.Tensor {
	f := answers.Reshape(answers.Dim(1), -1)
	return f.MatMul(f.Transpose(1, 0)).Scale(1 / float64(answers.Size()))
}

// Target is what a picture shall show, and how.
type Target struct {
	Features *Features
	Content  *dl.Tensor   // the fourth convolution's answer to the one picture
	Style    []*dl.Tensor // the Gram matrices of all answers to the other
}

// NewTarget returns the target for two pictures, [1 3 H W] each.
func NewTarget(features *Features, content, style *dl.Tensor) *Target {
	t := &Target{Features: features}
	dl.NoGrad(func() {
		t.Content = features.Answers(content)[3]
		for _, answers := range features.Answers(style) {
			t.Style = append(t.Style, Gram(answers))
		}
	})
	return t
}

// Losses returns how far a picture x [1 3 H W] is from the style and from the content.
// Each difference is a share of what it is compared with: the answers of a small network
// differ in size from layer to layer, unlike those of the tutorial's VGG.
func (t *Target) Losses(x *dl.Tensor) (style, content *dl.Tensor) {
	answers := t.Features.Answers(x)
	content = share(answers[3], t.Content)
	style = share(Gram(answers[0]), t.Style[0])
	for i := range answers[1:] {
		style = style.Add(share(Gram(answers[i+1]), t.Style[i+1]))
	}
	return style, content
}

// share is the mean squared difference of x from want, as a share of want's mean square.
func share(x, want *dl.Tensor) *dl.Tensor {
	return x.Loss(dl.MSELoss{}, want).Div(want.Square().Mean())
}
