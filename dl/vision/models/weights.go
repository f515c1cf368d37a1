package models

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/holt-dl/holt/dl"
	"github.com/holt-dl/holt/dl/pth"
	"github.com/holt-dl/holt/internal/hooks"
)

// Weights are what a network learned from ImageNet's 1000 classes, as
// torchvision publishes it. Pictures for them are prepared by
// imagenet.Transform, and imagenet.Classes names their outputs.
type Weights struct {
	Name   string // torchvision's, such as "VGG16_Weights.IMAGENET1K_V1"
	URL    string
	SHA256 string // the checksum's first digits, which the file's name ends with
}

// The weights that torchvision 0.29 publishes for the networks of this package.
var (
	AlexNetWeights    = published("AlexNet_Weights.IMAGENET1K_V1", "alexnet-owt-7be5be79.pth")
	VGG16Weights      = published("VGG16_Weights.IMAGENET1K_V1", "vgg16-397923af.pth")
	VGG16BNWeights    = published("VGG16_BN_Weights.IMAGENET1K_V1", "vgg16_bn-6c64b313.pth")
	ResNet18Weights   = published("ResNet18_Weights.IMAGENET1K_V1", "resnet18-f37072fd.pth")
	ResNet34Weights   = published("ResNet34_Weights.IMAGENET1K_V1", "resnet34-b627a593.pth")
	ResNet50Weights   = published("ResNet50_Weights.IMAGENET1K_V1", "resnet50-0676ba61.pth")
	ResNet50WeightsV2 = published("ResNet50_Weights.IMAGENET1K_V2", "resnet50-11ad3fa6.pth")
)

func published(name, file string) Weights {
	_, sum, _ := strings.Cut(strings.TrimSuffix(file, ".pth"), "-")
	return Weights{Name: name, URL: "https://download.pytorch.org/models/" + file, SHA256: sum[strings.LastIndex(sum, "-")+1:]}
}

// Path is where the file is kept: in torch.hub's own folder, so that Python
// and Go share it. That is $TORCH_HOME/hub/checkpoints, by default
// ~/.cache/torch/hub/checkpoints.
func (w Weights) Path() (string, error) {
	home := os.Getenv("TORCH_HOME")
	if home == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("models: %s: %w; set TORCH_HOME", w.Name, err)
		}
		home = filepath.Join(cache, "torch")
	}
	return filepath.Join(home, "hub", "checkpoints", path.Base(w.URL)), nil
}

// Downloaded reports whether the file is there, so that Load downloads nothing.
func (w Weights) Downloaded() bool {
	path, err := w.Path()
	if err != nil {
		return false
	}
	_, err = os.Stat(path)
	return err == nil
}

// Load gives a model these weights. The first time it downloads them, which a
// later call goes on with if it is cut; the cell's interrupt ends it. The
// model must be of the same network with 1000 classes; replace its last layer
// afterwards. On an error the model is as it was.
func (w Weights) Load(model *dl.Model) error {
	path, err := w.Path()
	if err != nil {
		return err
	}
	fetcher := hooks.Get().Weights
	switch _, err := os.Stat(path); {
	case fetcher != nil:
		if err := fetcher(hooks.Context(), w.URL, path, w.SHA256); err != nil {
			return fmt.Errorf("models: %s: %w", w.Name, err)
		}
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("models: %s: %s is not there, and this program has no network code; import _ %q, or put %s there",
			w.Name, path, "github.com/holt-dl/holt/dl/vision/fetch", w.URL)
	}
	return Load(model, path)
}

// Load gives a model weights from a file: .safetensors, or else a file of
// torch.save (.pth, .pt, .bin). It must hold exactly the model's parameters.
// Counters of batches that batch normalization had before PyTorch kept them
// are 0. On an error the model is as it was.
func Load(model *dl.Model, path string) error {
	if model == nil {
		return fmt.Errorf("models: load %s: the model is nil, want one that dl.Build made", path)
	}
	read := pth.LoadStateDict
	if strings.EqualFold(filepath.Ext(path), ".safetensors") {
		read = dl.LoadStateDict
	}
	dict, err := read(path)
	if err != nil {
		return err
	}
	for _, name := range model.Names() {
		if strings.HasSuffix(name, ".num_batches_tracked") && dict[name] == nil {
			dict[name] = dl.Scalar(int64(0))
		}
	}
	if err := model.LoadStateDict(dict); err != nil {
		return fmt.Errorf("models: load %s: %w", path, err)
	}
	return nil
}
