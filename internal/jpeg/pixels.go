package jpeg

import "github.com/holt-dl/holt/internal/avx2"

// pixels puts the window together from the components' samples, row by row.
func (d *decoder) pixels() []uint8 {
	w, h := d.window.Dx(), d.window.Dy()
	pix := make([]uint8, len(d.comps)*h*w)
	for y := range h {
		var in, out [4][]uint8
		for i := range d.comps {
			in[i] = d.samples(i, d.window.Min.Y+y)
			out[i] = pix[(i*h+y)*w:][:w]
		}
		first := 0
		if d.ycc() {
			convert(in, out)
			first = 3
		}
		for i := first; i < len(d.comps); i++ {
			copy(out[i], in[i])
		}
	}
	if len(d.comps) == 4 {
		d.inks(pix)
	}
	return pix
}

// inks gives four components the sense that PIL has them in. YCCK's first
// three are converted as colours are, and their opposites are the inks; and
// Adobe's programs store all four inverted.
func (d *decoder) inks(pix []uint8) {
	plane := len(pix) / 4
	for c := range 4 {
		opposite, adobe := c < 3 && d.ycc(), d.adobe && d.colours == bySegments
		if opposite == adobe {
			continue
		}
		for i, v := range pix[c*plane:][:plane] {
			pix[c*plane+i] = 255 - v
		}
	}
}

// ycc reports whether the first three components are luma and colour.
func (d *decoder) ycc() bool {
	switch {
	case len(d.comps) < 3 || d.colours == asTheyAre:
		return false
	case d.colours == yCbCr:
		return true
	case len(d.comps) == 4:
		return d.adobe && d.transform == 2
	}
	return !d.isRGB()
}

// isRGB reports whether the components are red, green and blue and not luma and
// colour, by libjpeg's rules: a JFIF segment says that they are not, an Adobe
// segment says which, and without both it is in the components' names.
func (d *decoder) isRGB() bool {
	switch {
	case d.jfif:
		return false
	case d.adobe:
		return d.transform == 0
	}
	return d.comps[0].id == 'R' && d.comps[1].id == 'G' && d.comps[2].id == 'B'
}

// convert turns luma and colour into red, green and blue.
func convert(in, out [4][]uint8) {
	n := len(out[0])
	f := rgb
	if avx2.Has {
		f = avx2.RGB
	}
	f(in[0][:n], in[1][:n], in[2][:n], out[0], out[1], out[2])
}

// rgb is YCbCr to RGB as JFIF has it (ITU-T T.871, section 7), with the
// factors 1.402, 0.71414, 0.34414 and 1.772 in 16 bits, as libjpeg has them.
func rgb(luma, blueness, redness, red, green, blue []uint8) {
	n := len(luma)
	blueness, redness, red, green, blue = blueness[:n], redness[:n], red[:n], green[:n], blue[:n]
	for x, v := range luma {
		y, cb, cr := int32(v)<<16+1<<15, int32(blueness[x])-128, int32(redness[x])-128
		red[x] = sample((y + 91881*cr) >> 16)
		green[x] = sample((y - 22554*cb - 46802*cr) >> 16)
		blue[x] = sample((y + 116130*cb) >> 16)
	}
}
