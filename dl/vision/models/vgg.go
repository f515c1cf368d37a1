package models

import "github.com/holt-dl/holt/dl"

// VGG is a network of 3×3 convolutions, and of three linear layers: features,
// avgpool and classifier.
//
//	input   [N 3 H W]   H and W at least 32; ImageNet's are 224
//	output  [N classes]
//
// Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale
// Image Recognition", ICLR 2015.
type VGG struct {
	Features   dl.Sequential
	AvgPool    dl.Layer
	Classifier dl.Sequential
}

// Forward runs the network.
func (v *VGG) Forward(x *dl.Tensor) *dl.Tensor {
	return v.Classifier.Forward(v.AvgPool.Forward(v.Features.Forward(x)).Flatten())
}

// VGG16 has 13 convolutions: 138 million parameters for 1000 classes.
func VGG16(classes int) *VGG { return vgg(4096, 1, classes, false) }

// VGG16BN is [VGG16] with batch normalization, torchvision's vgg16_bn.
func VGG16BN(classes int) *VGG { return vgg(4096, 1, classes, true) }

// vgg makes a VGG16 whose linear layers are hidden wide, and whose
// convolutions have a divisor-th of the channels.
func vgg(hidden, divisor, classes int, norm bool) *VGG {
	v := &VGG{AvgPool: dl.AdaptiveAvgPool2d{Out: 7}}
	for _, stage := range [][]int{{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}} {
		for _, out := range stage {
			v.Features = append(v.Features, dl.Conv2d{Out: out / divisor, Kernel: 3, Padding: 1})
			if norm {
				v.Features = append(v.Features, dl.BatchNorm2d{})
			}
			v.Features = append(v.Features, dl.ReLU{})
		}
		v.Features = append(v.Features, dl.MaxPool2d{Kernel: 2})
	}
	v.Classifier = dl.Sequential{
		dl.Linear{Out: hidden}, dl.ReLU{}, dl.Dropout{},
		dl.Linear{Out: hidden}, dl.ReLU{}, dl.Dropout{},
		dl.Linear{Out: classes},
	}
	return v
}
