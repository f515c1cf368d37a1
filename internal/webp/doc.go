// Package webp decodes WebP files to the pixels that libwebp, and so PIL and
// torchvision, read in them: every byte is equal.
//
// The bit streams are decoded by golang.org/x/image, VP8 by vp8 (RFC 6386)
// and VP8L by vp8l (RFC 9649). What that module's own package webp leaves out
// is here: the container with animations (RFC 9649, section 2), the colours of
// VP8, which are those of BT.601 with a limited range, and libwebp's "fancy"
// interpolation of its halved colour planes.
//
// Of an animation the first frame is read, on its canvas, as PIL does.
package webp
