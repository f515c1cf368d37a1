// Package vision reads data sets of pictures and prepares them for training,
// with torchvision's words.
//
// A data set such as [CIFAR10] is a struct of settings; its Open returns
// [Images], which a dl.DataLoader reads. A [Transform] changes one picture,
// by chance where its name begins with Random; [Compose] applies several.
//
//	tf := vision.Compose(vision.RandomHorizontalFlip{}, vision.ToTensor{}, vision.Normalize{Mean: mean, Std: std})
//	train, err := vision.CIFAR10{Root: "data", Train: true, Transform: tf}.Open()
//
// # Pictures
//
// An [Image] is laid out as tensors are, [C H W] with the top row first: as
// bytes, 0 to 255, until [ToTensor] makes it float32 in [0, 1].
//
// Of a picture file every byte is the one that PIL 13 reads, and of transforms
// the one that torchvision gives, where chance is left aside: a network sees
// the pictures that it was trained on in Python. [Photo] lists the formats.
//
// A file with damaged pixels is an error, where PIL shows what it can make of
// them; the loader's SkipErrors leaves such files out. A kind that is not read
// is an error that says what it is. Where PIL takes a TIFF file's numbers for
// others, because their bytes are in another order than the machine's or in
// planes of 16 bits that are not compressed, the right ones are read here.
//
// # Downloads
//
// What a cell imports is linked again for every cell, so this package holds
// no network code. A program that sets Download imports
// github.com/holt-dl/holt/dl/vision/fetch for its effect; one that sets
// OrSample imports .../vision/cifarsample. Holt's notebooks have both.
package vision
