// Package models has torchvision's networks, with torchvision's names for
// their layers and parameters, and knows where their weights are.
//
// A network is a struct that dl.Build takes. For transfer learning, load what
// was learned from ImageNet, put another last layer in, and freeze the rest:
//
//	model, err := dl.Build(models.VGG16(1000), dl.Shape{32, 3, 224, 224})
//	err = models.VGG16Weights.Load(model)
//	err = model.Replace("classifier.6", dl.Linear{Out: 2})
//	model.Freeze("features")
//
// Without Load the weights are random, as PyTorch's layers start; torchvision
// starts some of these networks from other random numbers.
//
// Weights are read from files of torch.save and of safetensors ([Load]). This
// package holds no network code: a program that wants a download imports
// github.com/holt-dl/holt/dl/vision/fetch for its effect, as Holt's notebooks do.
package models
