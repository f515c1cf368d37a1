package siamese

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

// TestLikePyTorch leaves out the last two stages of the ResNet, which take most of
// the time to compile, and has it in evaluation mode. With batch normalization over a
// few pictures, PyTorch's own losses in float32 and float64 differ by a tenth after
// ten steps: a value near 0 goes through a ReLU or not, as it was rounded.
func TestLikePyTorch(t *testing.T) {
	shape := dl.Shape{4, 1, 28, 28}
	net := New()
	net.ResNet.Layer3, net.ResNet.Layer4 = nil, nil
	model, err := dl.Build(net, shape, shape)
	if err != nil {
		t.Fatal(err)
	}
	net.InitWeights()
	if b := model.Param("fc.2.bias").Item(); b != float64(float32(0.01)) {
		t.Errorf("the bias is %v at first, want 0.01", b)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	model.Eval("resnet")
	opt := dl.Adadelta{LR: 1}.For(model)
	step := dl.Compile(func(a, b, same *dl.Tensor) *dl.Tensor {
		loss := model.Call(a, b).Squeeze(1).Loss(dl.BCELoss{}, same)
		loss.Backward()
		opt.Step()
		return loss
	})
	var losses []float64
	for i := range 10 {
		a, b := reference.Tensor(fmt.Sprint("a", i), 1, shape...), reference.Tensor(fmt.Sprint("b", i), 1, shape...)
		losses = append(losses, step.Call(a, b, reference.Labels(fmt.Sprint("same", i), 2, 4)).Item())
	}
	reference.Check(t, map[string][]float64{"losses": losses})
}
