package webp

import "image"

// colours makes RGB of a VP8 frame, whose colour planes have half the width
// and height, as libwebp's upsampling.c and yuv.h do. A colour sample is in
// the middle of four pixels; a pixel's colour is 9/16 of the nearest sample,
// 3/16 of each of two neighbours and 1/16 of the one across, in two roundings.
func colours(src *image.YCbCr) *image.NRGBA {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		// The rows of samples above and below the pixel; near is the closer one.
		near := y / 2
		far := near + 1
		if y%2 == 0 {
			far = near - 1
		}
		if far < 0 || far >= (h+1)/2 {
			far = near // at the upper and lower edge there is only one
		}
		line(m.Pix[y*m.Stride:][:4*w], src.Y[y*src.YStride:][:w],
			src.Cb[near*src.CStride:], src.Cr[near*src.CStride:], src.Cb[far*src.CStride:], src.Cr[far*src.CStride:])
	}
	return m
}

// line converts a row of pixels.
func line(dst, luma, nearU, nearV, farU, farV []uint8) {
	w := len(luma)
	put := func(x int, u, v int32) {
		rgba := dst[4*x:][:4]
		rgba[0], rgba[1], rgba[2] = rgb(int32(luma[x]), u, v)
		rgba[3] = 0xff
	}
	edge := func(near, far uint8) int32 { return (3*int32(near) + int32(far) + 2) >> 2 }
	put(0, edge(nearU[0], farU[0]), edge(nearV[0], farV[0]))
	pairs := (w - 1) / 2
	for i := range pairs {
		u0, u1 := mix(nearU[i], nearU[i+1], farU[i], farU[i+1])
		v0, v1 := mix(nearV[i], nearV[i+1], farV[i], farV[i+1])
		put(2*i+1, u0, v0)
		put(2*i+2, u1, v1)
	}
	if w%2 == 0 {
		put(w-1, edge(nearU[pairs], farU[pairs]), edge(nearV[pairs], farV[pairs]))
	}
}

// mix gives the colours of the two pixels between four samples: the left one
// is closest to near0, the right one to near1.
func mix(near0, near1, far0, far1 uint8) (left, right int32) {
	a, b, c, d := int32(near0), int32(near1), int32(far0), int32(far1)
	sum := a + b + c + d + 8
	return ((sum+2*(b+c))>>3 + a) >> 1, ((sum+2*(a+d))>>3 + b) >> 1
}

// rgb converts one pixel of BT.601 with luma from 16 to 235, in libwebp's 14
// bits of precision.
func rgb(y, u, v int32) (r, g, b uint8) {
	y = y * 19077 >> 8
	return clip(y + v*26149>>8 - 14234), clip(y - u*6419>>8 - v*13320>>8 + 8708), clip(y + u*33050>>8 - 17685)
}

func clip(v int32) uint8 { return uint8(min(max(v>>6, 0), 255)) }
