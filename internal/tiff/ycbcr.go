package tiff

import (
	"fmt"
	"image"
)

// readYCbCr reads luma and colours that no JPEG holds: blocks of across×down
// luma samples, followed by the two colours that they share (TIFF 6.0, section
// 21).
func readYCbCr(p *pixels) (image.Image, error) {
	across, down := 2, 2
	if s := p.d.numbers(tagYCbCrSampled); len(s) >= 2 {
		across, down = s[0], s[1]
	}
	if across < 1 || across > 4 || down < 1 || down > 4 {
		return nil, FormatError(fmt.Sprintf("YCbCr colours are subsampled by %d×%d", down, across))
	}
	if p.d.number(tagPredictor, 1) != 1 && p.compression != packBits && p.compression != uncompressed {
		return nil, UnsupportedError("a predictor for YCbCr colours")
	}
	convert := newConverter(p)
	m := image.NewRGBA(image.Rect(0, 0, p.w, p.h))
	columns := ceil(p.w, p.chunkW)
	for i := range columns * ceil(p.h, p.chunkH) {
		x0, y0, h := i%columns*p.chunkW, i/columns*p.chunkH, p.chunkH
		if !p.tiled {
			h = min(h, p.h-y0)
		}
		data, err := p.chunk(i)
		if err != nil {
			return nil, err
		}
		block, blocksX := across*down+2, ceil(p.chunkW, across)
		if data, err = p.expand(data, p.chunkW, h, block*blocksX*ceil(h, down)); err != nil {
			return nil, err
		}
		for y := range min(h, p.h-y0) {
			for x := range min(p.chunkW, p.w-x0) {
				b := data[(y/down*blocksX+x/across)*block:][:block]
				out := m.Pix[m.PixOffset(x0+x, y0+y):][:4]
				out[0], out[1], out[2] = convert(b[y%down*across+x%across], b[block-2], b[block-1])
				out[3] = 0xff
			}
		}
	}
	return m, nil
}

// newConverter returns libtiff's conversion to RGB (tif_color.c), with the
// file's factors of luma, and its samples of black and white.
func newConverter(p *pixels) func(y, cb, cr byte) (r, g, b byte) {
	luma := p.d.values[tagYCbCrFactors]
	if len(luma) < 3 || luma[1] == 0 {
		luma = []float64{0.299, 0.587, 0.114}
	}
	reference := p.d.values[tagReference]
	if len(reference) < 6 {
		reference = []float64{0, 255, 128, 255, 128, 255}
	}
	level := func(v int, black, white, full float64) int {
		span := white - black
		if span == 0 {
			span = 1
		}
		return int(min(max((float64(v)-float64(int(black)))*full/span, -128*32), 128*32))
	}
	fixed := func(f float64) int { return int(min(max(f, 0), 2)*(1<<16) + 0.5) }
	red, blue := 2-2*luma[0], 2-2*luma[2]
	d1, d2, d3, d4 := fixed(red), -fixed(luma[0]*red/luma[1]), fixed(blue), -fixed(luma[2]*blue/luma[1])
	const half = 1 << 15
	var crR, cbB, crG, cbG, light [256]int
	for i := range 256 {
		cr := level(i-128, reference[4]-128, reference[5]-128, 127)
		cb := level(i-128, reference[2]-128, reference[3]-128, 127)
		crR[i], cbB[i] = (d1*cr+half)>>16, (d3*cb+half)>>16
		crG[i], cbG[i] = d2*cr, d4*cb+half
		light[i] = level(i, reference[0], reference[1], 255)
	}
	clip := func(v int) byte { return byte(min(max(v, 0), 255)) }
	return func(y, cb, cr byte) (r, g, b byte) {
		l := light[y]
		return clip(l + crR[cr]), clip(l + (cbG[cb]+crG[cr])>>16), clip(l + cbB[cb])
	}
}
