package styletransfer

import (
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

// TestLikePyTorch compares the losses of style and content while Adam changes the pixels.
func TestLikePyTorch(t *testing.T) {
	shape := dl.Shape{1, 3, 24, 24}
	features := NewFeatures(8)
	model, err := dl.Build(features, shape)
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	if err := model.Freeze(); err != nil {
		t.Fatal(err)
	}
	content, style := reference.Tensor("content", 0.5, shape...).Shift(0.5), reference.Tensor("style", 0.5, shape...).Shift(0.5)
	target := NewTarget(features, content, style)
	x := dl.NewParam(content)
	opt := dl.Adam{LR: 0.02}.For(x)
	step := dl.Compile(func() (style, content *dl.Tensor) {
		style, content = target.Losses(x)
		style.Scale(100).Add(content).Backward()
		opt.Step()
		x.Set(x.Clamp(0, 1))
		return style, content
	})
	losses := map[string][]float64{}
	for range 10 {
		style, content := step.Call()
		losses["style"] = append(losses["style"], style.Item())
		losses["content"] = append(losses["content"], content.Item())
	}
	reference.Check(t, losses)
}
