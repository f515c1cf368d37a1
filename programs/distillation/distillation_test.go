package distillation

import (
	"fmt"
	"testing"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/programs/reference"
)

// TestLikePyTorch compares the losses of three students: one with labels alone, one with
// soft targets and one with the features' direction. There is no dropout: chance
// differs between the two libraries.
func TestLikePyTorch(t *testing.T) {
	shape := dl.Shape{4, 3, 32, 32}
	teacher := NewTeacher(10)
	large := build(t, teacher, shape)
	if err := large.Freeze(); err != nil {
		t.Fatal(err)
	}
	losses := map[string][]float64{}
	for name, extra := range map[string]func(logits, features, teacherLogits, teacherFeatures *dl.Tensor) *dl.Tensor{
		"labels": nil,
		"soft":   func(logits, _, teacherLogits, _ *dl.Tensor) *dl.Tensor { return SoftTargets(logits, teacherLogits) },
		"cosine": func(_, features, _, teacherFeatures *dl.Tensor) *dl.Tensor {
			return SameDirection(features, teacherFeatures)
		},
	} {
		student := NewStudent(10)
		small := build(t, student, shape)
		opt := dl.Adam{LR: 0.001}.For(small)
		step := dl.Compile(func(x, y *dl.Tensor) *dl.Tensor {
			logits, features := student.Both(x)
			loss := logits.CrossEntropy(y)
			if extra != nil {
				teacherLogits, teacherFeatures := teacher.Both(x)
				loss = loss.Scale(0.75).Add(extra(logits, features, teacherLogits, teacherFeatures).Scale(0.25))
			}
			loss.Backward()
			opt.Step()
			return loss
		})
		for i := range 10 {
			x, y := reference.Tensor(fmt.Sprint("x", i), 1, shape...), reference.Labels(fmt.Sprint("y", i), 10, shape[0])
			losses[name] = append(losses[name], step.Call(x, y).Item())
		}
	}
	reference.Check(t, losses)
}

// build builds a network whose weights are those of the reference, without dropout.
func build(t *testing.T, net *Net, shape dl.Shape) *dl.Model {
	t.Helper()
	model, err := dl.Build(net, shape)
	if err != nil {
		t.Fatal(err)
	}
	if err := reference.Fill(model); err != nil {
		t.Fatal(err)
	}
	if err := model.Eval(); err != nil {
		t.Fatal(err)
	}
	return model
}
