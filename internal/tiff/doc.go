// Package tiff decodes TIFF files (TIFF 6.0, its Technical Notes 1 and 2, and
// BigTIFF) to the pixels that PIL, and so torchvision, reads in them.
//
// golang.org/x/image/tiff, and github.com/hhrutter/tiff which extends it, read
// neither planes that are stored apart nor floating point, signed numbers, 12
// bits, or BigTIFF, and give other pixels than PIL for some kinds that they
// read. So the container and the samples are read here, and libraries undo the
// compression: x/image's lzw and ccitt, compress/zlib, klauspost's zstd, and
// this module's jpeg.
//
// # What is decoded
//
// The first picture of a file, in strips or tiles, with its samples side by
// side or in planes; uncompressed, PackBits, LZW, Deflate, CCITT modified
// Huffman, groups 3 and 4, JPEG and ZSTD, with a predictor; black and
// white, gray of 2, 4, 8, 12 and 16 bits, whole numbers of 16 and 32 bits with
// a sign, floating point of 32 bits, palettes, RGB and CMYK of 8 and 16 bits,
// with extra samples, and YCbCr of 8. Anything else is an [UnsupportedError],
// which says what it is.
//
// A file that stores numbers of 16 bits with white as 0 gives them as they
// are, as in PIL.
package tiff
