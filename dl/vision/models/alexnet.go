package models

import "github.com/holt-dl/holt/dl"

// AlexNet is torchvision's alexnet, of five convolutions and three linear layers: 61
// million parameters for 1000 classes. Its layers are called as those of [VGG].
//
// Krizhevsky, "One weird trick for parallelizing convolutional neural
// networks", 2014.
func AlexNet(classes int) *VGG {
	return &VGG{
		Features: dl.Sequential{
			dl.Conv2d{Out: 64, Kernel: 11, Stride: 4, Padding: 2}, dl.ReLU{}, dl.MaxPool2d{Kernel: 3, Stride: 2},
			dl.Conv2d{Out: 192, Kernel: 5, Padding: 2}, dl.ReLU{}, dl.MaxPool2d{Kernel: 3, Stride: 2},
			dl.Conv2d{Out: 384, Kernel: 3, Padding: 1}, dl.ReLU{},
			dl.Conv2d{Out: 256, Kernel: 3, Padding: 1}, dl.ReLU{},
			dl.Conv2d{Out: 256, Kernel: 3, Padding: 1}, dl.ReLU{}, dl.MaxPool2d{Kernel: 3, Stride: 2},
		},
		AvgPool: dl.AdaptiveAvgPool2d{Out: 6},
		Classifier: dl.Sequential{
			dl.Dropout{}, dl.Linear{Out: 4096}, dl.ReLU{},
			dl.Dropout{}, dl.Linear{Out: 4096}, dl.ReLU{},
			dl.Linear{Out: classes},
		},
	}
}
