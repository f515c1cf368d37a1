package models

import "github.com/holt-dl/holt/dl"

// ResNet is a network of residual blocks: conv1, bn1, layer1 to layer4, and
// the last layer, fc.
//
//	input   [N 3 H W]   H and W at least 32; ImageNet's are 224
//	output  [N classes]
//
// He et al., "Deep Residual Learning for Image Recognition", CVPR 2016.
type ResNet struct {
	Conv1                          dl.Conv2d
	BN1                            dl.BatchNorm2d
	MaxPool                        dl.MaxPool2d
	Layer1, Layer2, Layer3, Layer4 dl.Sequential
	AvgPool                        dl.AdaptiveAvgPool2d
	FC                             dl.Layer
}

// Forward runs the network.
func (r *ResNet) Forward(x *dl.Tensor) *dl.Tensor {
	x = r.MaxPool.Forward(r.BN1.Forward(r.Conv1.Forward(x)).ReLU())
	x = r.Layer4.Forward(r.Layer3.Forward(r.Layer2.Forward(r.Layer1.Forward(x))))
	return r.FC.Forward(r.AvgPool.Forward(x).Flatten())
}

// BasicBlock adds two 3×3 convolutions to its input.
type BasicBlock struct {
	Conv1      dl.Conv2d
	BN1        dl.BatchNorm2d
	Conv2      dl.Conv2d
	BN2        dl.BatchNorm2d
	Downsample dl.Sequential // of the input, where its shape is not the output's
}

// Forward runs the block.
func (b *BasicBlock) Forward(x *dl.Tensor) *dl.Tensor {
	y := b.BN1.Forward(b.Conv1.Forward(x)).ReLU()
	y = b.BN2.Forward(b.Conv2.Forward(y))
	if b.Downsample != nil {
		x = b.Downsample.Forward(x)
	}
	return y.Add(x).ReLU()
}

// Bottleneck adds a 1×1, a 3×3 and a 1×1 convolution to its input; the 3×3
// one has the stride, as in torchvision.
type Bottleneck struct {
	Conv1      dl.Conv2d
	BN1        dl.BatchNorm2d
	Conv2      dl.Conv2d
	BN2        dl.BatchNorm2d
	Conv3      dl.Conv2d
	BN3        dl.BatchNorm2d
	Downsample dl.Sequential // of the input, where its shape is not the output's
}

// Forward runs the block.
func (b *Bottleneck) Forward(x *dl.Tensor) *dl.Tensor {
	y := b.BN1.Forward(b.Conv1.Forward(x)).ReLU()
	y = b.BN2.Forward(b.Conv2.Forward(y)).ReLU()
	y = b.BN3.Forward(b.Conv3.Forward(y))
	if b.Downsample != nil {
		x = b.Downsample.Forward(x)
	}
	return y.Add(x).ReLU()
}

// ResNet18 has 11.7 million parameters for 1000 classes.
func ResNet18(classes int) *ResNet { return resnet(basicStage, [4]int{2, 2, 2, 2}, classes) }

// ResNet34 has 21.8 million parameters for 1000 classes.
func ResNet34(classes int) *ResNet { return resnet(basicStage, [4]int{3, 4, 6, 3}, classes) }

// ResNet50 has 25.6 million parameters for 1000 classes.
func ResNet50(classes int) *ResNet { return resnet(bottleneckStage, [4]int{3, 4, 6, 3}, classes) }

func resnet(stage func(width, stride, blocks int) dl.Sequential, blocks [4]int, classes int) *ResNet {
	return &ResNet{
		Conv1:   dl.Conv2d{Out: 64, Kernel: 7, Stride: 2, Padding: 3, NoBias: true},
		MaxPool: dl.MaxPool2d{Kernel: 3, Stride: 2, Padding: 1},
		Layer1:  stage(64, 1, blocks[0]),
		Layer2:  stage(128, 2, blocks[1]),
		Layer3:  stage(256, 2, blocks[2]),
		Layer4:  stage(512, 2, blocks[3]),
		AvgPool: dl.AdaptiveAvgPool2d{Out: 1},
		FC:      dl.Linear{Out: classes},
	}
}

func conv(out, kernel, stride int) dl.Conv2d {
	return dl.Conv2d{Out: out, Kernel: kernel, Stride: stride, Padding: kernel / 2, NoBias: true}
}

func basicStage(width, stride, blocks int) (stage dl.Sequential) {
	for i := range blocks {
		b := &BasicBlock{Conv1: conv(width, 3, 1), Conv2: conv(width, 3, 1)}
		if i == 0 && stride > 1 {
			b.Conv1 = conv(width, 3, stride)
			b.Downsample = dl.Sequential{conv(width, 1, stride), dl.BatchNorm2d{}}
		}
		stage = append(stage, b)
	}
	return stage
}

func bottleneckStage(width, stride, blocks int) (stage dl.Sequential) {
	const expansion = 4
	for i := range blocks {
		b := &Bottleneck{Conv1: conv(width, 1, 1), Conv2: conv(width, 3, 1), Conv3: conv(expansion*width, 1, 1)}
		if i == 0 {
			b.Conv2 = conv(width, 3, stride)
			b.Downsample = dl.Sequential{conv(expansion*width, 1, stride), dl.BatchNorm2d{}}
		}
		stage = append(stage, b)
	}
	return stage
}
