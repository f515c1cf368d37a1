package jpeg_test

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	stdlib "image/jpeg"
	"io"
	"testing"

	"github.com/holt-dl/holt/internal/jpeg"
)

// Hostile bytes give an error or a picture, of the size that image/jpeg sees.
func FuzzDecodeJPEG(f *testing.F) {
	_, rows := references(f)
	for _, row := range rows {
		f.Add(row.File)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, pix, err := decode(data)
		if err != nil {
			var format jpeg.FormatError
			if !errors.As(err, &format) && !errors.Is(err, jpeg.ErrUnsupported) && err != io.ErrUnexpectedEOF {
				t.Errorf("error is %v", err)
			}
			return
		}
		if len(pix) != p.C*p.H*p.W || len(pix) > 3*64*8*len(data) {
			t.Fatalf("%d bytes for %d×%d×%d, out of %d", len(pix), p.C, p.H, p.W, len(data))
		}
		config, err := stdlib.DecodeConfig(bytes.NewReader(data))
		if err == nil && (config.Width != p.W || config.Height != p.H) {
			t.Errorf("%d×%d, and for image/jpeg %d×%d", p.W, p.H, config.Width, config.Height)
		}
		half := image.Rect(p.W/3, p.H/3, p.W/3+(p.W+1)/2, p.H/3+(p.H+1)/2)
		if _, err := p.Pixels(half); err != nil {
			t.Errorf("the window %v: %v", half, err)
		}
	})
}

// Files that image/jpeg writes are read as it reads them, but for the
// rounding of two transforms and of a conversion.
func FuzzEncoded(f *testing.F) {
	f.Add([]byte{0, 255, 7, 99, 3}, uint8(3), uint8(90), false)
	f.Add([]byte("a picture of letters"), uint8(9), uint8(10), true)
	f.Fuzz(func(t *testing.T, samples []byte, width, quality uint8, gray bool) {
		w := int(width)%64 + 1
		h := min(len(samples)/w, 64)
		if h == 0 {
			return
		}
		var src image.Image = &image.Gray{Pix: samples, Stride: w, Rect: image.Rect(0, 0, w, h)}
		if !gray { // with colours that change so slowly that interpolation hides
			c := image.NewRGBA(image.Rect(0, 0, w, h))
			for i := range w * h {
				c.Set(i%w, i/w, color.RGBA{samples[i], samples[i], samples[i], 255})
			}
			src = c
		}
		var b bytes.Buffer
		if err := stdlib.Encode(&b, src, &stdlib.Options{Quality: int(quality)%100 + 1}); err != nil {
			t.Fatal(err)
		}
		p, pix, err := decode(b.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		want, err := stdlib.Decode(&b)
		if err != nil {
			t.Fatal(err)
		}
		for y := range h {
			for x := range w {
				c := color.RGBAModel.Convert(want.At(x, y)).(color.RGBA)
				for k, v := range []uint8{c.R, c.G, c.B}[:p.C] {
					if got := pix[(k*h+y)*w+x]; max(got, v)-min(got, v) > 2 {
						t.Fatalf("channel %d at %d, %d is %d, and for image/jpeg %d", k, x, y, got, v)
					}
				}
			}
		}
	})
}
