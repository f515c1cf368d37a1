// Package imagenet prepares pictures for networks that learned from ImageNet,
// and names its 1000 classes.
package imagenet

import (
	_ "embed"
	"strings"

	"github.com/holt-dl/holt/dl/vision"
)

//go:embed classes.txt
var classes string

// Classes returns the names of the 1000 classes in the order of a network's
// outputs, as torchvision's weights have them under "categories".
func Classes() []string { return strings.Split(strings.TrimSuffix(classes, "\n"), "\n") }

// Mean and Std are those of ImageNet's pictures, for red, green and blue in
// [0, 1].
var (
	Mean = []float32{0.485, 0.456, 0.406}
	Std  = []float32{0.229, 0.224, 0.225}
)

// Transform prepares a picture: its shorter side becomes resize pixels, the
// middle of it is cut out, crop by crop, and its values are normalized. It is
// what torchvision's weights have as transforms, with 256 (or 232 for those
// called V2) and 224.
func Transform(resize, crop int) vision.Transform {
	return vision.Compose(vision.Resize{Size: resize}, vision.CenterCrop{Size: crop}, vision.ToTensor{}, vision.Normalize{Mean: Mean, Std: Std})
}
