// Package distillation trains a small network with the help of a large one, as the
// knowledge distillation tutorial of PyTorch: by the large one's probabilities, or by
// its features.
//
// Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015.
package distillation

import "github.com/holt-dl/holt/dl"

// Net classifies pictures [N C H W].
type Net struct {
	Features, Classifier dl.Sequential
}

// NewTeacher returns the large network, DeepNN in the tutorial, which is not built yet.
func NewTeacher(classes int) *Net {
	conv := func(out int) dl.Conv2d { return dl.Conv2d{Out: out, Kernel: 3, Padding: 1} }
	half := dl.MaxPool2d{Kernel: 2, Stride: 2}
	return &Net{
		Features:   dl.Sequential{conv(128), dl.ReLU{}, conv(64), dl.ReLU{}, half, conv(64), dl.ReLU{}, conv(32), dl.ReLU{}, half},
		Classifier: dl.Sequential{dl.Linear{Out: 512}, dl.ReLU{}, dl.Dropout{P: 0.1}, dl.Linear{Out: classes}},
	}
}

// NewStudent returns the small network, LightNN in the tutorial, which is not built yet.
func NewStudent(classes int) *Net {
	conv := dl.Conv2d{Out: 16, Kernel: 3, Padding: 1}
	half := dl.MaxPool2d{Kernel: 2, Stride: 2}
	return &Net{
		Features:   dl.Sequential{conv, dl.ReLU{}, half, conv, dl.ReLU{}, half},
		Classifier: dl.Sequential{dl.Linear{Out: 256}, dl.ReLU{}, dl.Dropout{P: 0.1}, dl.Linear{Out: classes}},
	}
}

// Both returns the logits [N classes] for pictures x, and the features that they come of,
// [N D].
func (n *Net) Both(x *dl.Tensor) (logits, features *dl.Tensor) {
	features = n.Features.Forward(x).Flatten()
	return n.Classifier.Forward(features), features
}

// Forward returns the logits.
func (n *Net) Forward(x *dl.Tensor) *dl.Tensor {
	logits, _ := n.Both(x)
	return logits
}

// SoftTargets is the loss of a student's logits against a teacher's: the divergence of
// their probabilities, both softened by a temperature of 2.
func SoftTargets(student, teacher *dl.Tensor) *dl.Tensor {
	const temperature = 2
	target := teacher.Detach().Scale(1.0 / temperature).Softmax(1)
	divergence := student.Scale(1.0/temperature).LogSoftmax(1).Loss(dl.KLDivLoss{Reduction: "batchmean"}, target)
	return divergence.Scale(temperature * temperature) // the gradients' size does not depend on it
}

// SameDirection is the loss of a student's features [N D] against a teacher's, [N K·D],
// which are averaged in groups of K neighbours.
func SameDirection(student, teacher *dl.Tensor) *dl.Tensor {
	n, d := student.Dim(0), student.Dim(1)
	averaged := teacher.Detach().Reshape(n, d, -1).Mean(2)
	return student.CosineSimilarity(averaged, 1).Neg().Shift(1).Mean()
}
