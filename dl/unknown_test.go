package dl_test

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
)

// unknownNet has names with capital letters, which parameters' names lose.
type unknownNet struct {
	Conv1 dl.Conv2d
	FC    dl.Linear
}

func (n *unknownNet) Forward(x *dl.Tensor) *dl.Tensor {
	return n.FC.Forward(n.Conv1.Forward(x).Flatten())
}

// TestUnknownNames reads the errors for wrong names of layers and parameters.
func TestUnknownNames(t *testing.T) {
	on(t, "go")
	m := must(dl.Build(&unknownNet{Conv1: dl.Conv2d{Out: 2, Kernel: 3}, FC: dl.Linear{Out: 2}}, dl.Shape{1, 1, 4, 4}))
	var deep dl.Sequential
	for range 30 {
		deep = append(deep, dl.ReLU{})
	}
	long := must(dl.Build(deep, dl.Shape{1, 2}))
	x := dl.FromSlice(make([]float32, 16), 1, 1, 4, 4)
	for _, tt := range []struct {
		call func()
		want string
	}{
		{func() { m.Param("Conv1.weight") },
			`dl: Param: name is "Conv1.weight", want one of conv1.weight, conv1.bias, fc.weight, fc.bias; did you mean conv1.weight?`},
		{func() { panic(m.Freeze("FC")) }, `dl: Freeze: path is "FC", want one of conv1, fc; did you mean fc?`},
		{func() { must(m.Features("conv2", x)) }, `dl: Features: path is "conv2", want one of conv1, fc`},
		{func() { m.Param("fc.biass") },
			`dl: Param: name is "fc.biass", want one of conv1.weight, conv1.bias, fc.weight, fc.bias; did you mean fc.bias?`},
		{func() { panic(long.Freeze("body")) },
			`dl: Freeze: path is "body", want one of 0, 1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 2, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 3, … (30 in all)`},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != tt.want {
					t.Errorf("error is %s\nwant     %s", got, tt.want)
				}
			}()
			tt.call()
		}()
	}
}
