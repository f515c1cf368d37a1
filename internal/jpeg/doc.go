// Package jpeg decodes JPEG files to the pixels that libjpeg-turbo, and so
// PIL and torchvision, read in them: every byte is equal. The standard
// library's decoder takes the nearest colour sample where libjpeg interpolates
// and rounds its transforms otherwise, so a network would see other pictures
// than it was trained on.
//
// [Parse] reads the head of a file, and [Picture.Pixels] decodes a window of
// it, planes outermost, as tensors are laid out. Work that only other pixels
// need is left out, which is what a training loop that crops asks for.
//
// # What is decoded
//
// Baseline, extended and progressive Huffman files of 8 bits a sample, gray,
// YCbCr, RGB, CMYK or YCCK, with whole ratios of subsampling and restart
// intervals (ITU-T T.81, which the comments call T.81). Others are
// [ErrUnsupported], and the error says what they have: arithmetic coding, 12
// bits, lossless coding. Package image/jpeg reads some of them.
//
// # Files from elsewhere
//
// A damaged file is an error, a [FormatError] or io.ErrUnexpectedEOF where it
// ends early; libjpeg would go on with a warning. Memory is bounded by the
// file's length, whatever size the picture is said to have.
package jpeg
